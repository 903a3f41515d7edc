//! What is done with a payment intent: confirm, capture, cancel.

use serde_json::Value;

use crate::call::Call;
use crate::card::{Bank, Decline, UNAUTHENTICATED};
use crate::charge::{self, Beginning, HOLD_S};
use crate::error::{Answer, StripeError};
use crate::later::Later;
use crate::money::written;
use crate::payment_intent::read::{Capture, Confirmation};
use crate::payment_intent::state::Heard;
use crate::payment_intent::{Action, PaymentIntent, Redirects};
use crate::payment_method::{self, PaymentMethod};
use crate::table::Resource;
use crate::world::World;

const REASONS: &[&str] = &["abandoned", "duplicate", "fraudulent", "requested_by_customer"];

pub fn confirm(world: &mut World, call: &mut Call) -> Answer {
    let (confirmation, given, capture_method) = Confirmation::read(call.params())?;
    let mut intent = world.intents.named(call)?;
    if !intent.status.is_open() {
        return Err(unexpected(world, &intent, cannot_confirm(&intent)));
    }
    if let Some(given) = given {
        intent.payment_method = Some(payment_method::adopt(world, call, given)?.head.id);
        intent.hear(Heard::MethodGiven);
    }
    intent.capture_method = capture_method.unwrap_or(intent.capture_method);
    confirmable(&intent, &confirmation).map_err(|error| error.with("payment_intent", intent.show(world)))?;
    ask_bank(world, call, intent, confirmation)
}

fn cannot_confirm(intent: &PaymentIntent) -> String {
    match intent.status.word() {
        "succeeded" | "requires_capture" => {
            "You cannot confirm this PaymentIntent because it has already succeeded \
                                             after being previously confirmed."
                .into()
        }
        status => format!(
            "You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one \
             of the following statuses may be confirmed: requires_confirmation, requires_payment_method, requires_action."
        ),
    }
}

/// What an intent has to have before its bank is asked.
pub fn confirmable(intent: &PaymentIntent, confirmation: &Confirmation) -> Answer<()> {
    if intent.payment_method.is_none() {
        let message = "You cannot confirm this PaymentIntent because it's missing a payment method. You can either \
                       update the PaymentIntent with a payment method and then confirm it again, or confirm it again \
                       directly with a payment method or ConfirmationToken.";
        return Err(StripeError::refused(message).with_code("payment_intent_unexpected_state"));
    }
    if intent.redirects == Some(Redirects::Always) && confirmation.return_url.is_none() {
        let message = "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because \
                       some of these payment methods might redirect your customer off of your page, you must provide a \
                       `return_url`. If you don't want to accept redirect-based payment methods, set \
                       `automatic_payment_methods[enabled]` to `true` and \
                       `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and \
                       Payment Intents.";
        return Err(StripeError::refused(message));
    }
    Ok(())
}

/// Asks the bank about an intent that is [`confirmable`].
pub fn ask_bank(
    world: &mut World,
    call: &Call,
    mut intent: PaymentIntent,
    confirmation: Confirmation,
) -> Answer {
    let method = intent.payment_method.as_deref().and_then(|method| world.methods.any(method)).cloned();
    let Some(method) = method else { return Err(StripeError::absent("PaymentMethod", "", "payment_method")) };
    intent.last_error = None;
    let nobody_there = confirmation.off_session || confirmation.error_on_action;
    match method.card.bank {
        Bank::Declines(decline) => decline_with(world, intent, &method, decline),
        Bank::Asks(_) if nobody_there => decline_with(world, intent, &method, UNAUTHENTICATED),
        Bank::Asks(_) => Ok(ask(world, call, intent, confirmation.return_url)),
        _ => Ok(approve(world, intent, &method)),
    }
}

/// The buyer is asked to authenticate.
fn ask(world: &mut World, call: &Call, mut intent: PaymentIntent, return_url: Option<String>) -> Value {
    let url = format!("{}/_fake/authenticate/{}", call.base_url, intent.head.id);
    intent.action = Some(Action { url, return_url });
    intent.hear(Heard::ActionNeeded);
    world.intents.put(intent.clone());
    world.say("payment_intent.requires_action", &intent);
    intent.show(world)
}

/// The bank says yes.
pub fn approve(world: &mut World, mut intent: PaymentIntent, method: &PaymentMethod) -> Value {
    intent.action = None;
    let manual = intent.is_manual();
    intent.hear(if manual { Heard::Held } else { Heard::Paid });
    if !manual {
        intent.received_minor = intent.amount_minor;
    }
    let beginning = if manual { Beginning::Held } else { Beginning::Taken };
    intent.latest_charge = Some(charge::begin(world, &intent, method, beginning));
    if manual {
        world.later.push((world.now() + HOLD_S, Later::ExpireHold(intent.head.id.clone())));
    }
    world.intents.put(intent.clone());
    world.say(
        if manual { "payment_intent.amount_capturable_updated" } else { "payment_intent.succeeded" },
        &intent,
    );
    intent.show(world)
}

/// The bank says no: the intent wants another payment method.
fn decline_with(
    world: &mut World,
    mut intent: PaymentIntent,
    method: &PaymentMethod,
    decline: Decline,
) -> Answer {
    let charge = charge::begin(world, &intent, method, Beginning::Declined(decline));
    let error = decline.error().with("charge", charge.clone());
    intent.latest_charge = Some(charge);
    Err(turn_down(world, intent, method, error))
}

/// Remembers the error and asks for another payment method.
pub fn turn_down(
    world: &mut World,
    mut intent: PaymentIntent,
    method: &PaymentMethod,
    error: StripeError,
) -> StripeError {
    let error = error.with("payment_method", method.show(world));
    let mut told = error.show("")["error"].take();
    if let Some(told) = told.as_object_mut() {
        told.shift_remove("request_log_url");
    }
    intent.last_error = Some(told);
    intent.action = None;
    intent.payment_method = None;
    intent.hear(Heard::Declined);
    world.intents.put(intent.clone());
    world.say("payment_intent.payment_failed", &intent);
    error.with("payment_intent", intent.show(world))
}

pub fn capture(world: &mut World, call: &mut Call) -> Answer {
    let Capture { amount_minor, metadata } = Capture::read(call.params())?;
    let mut intent = world.intents.named(call)?;
    if intent.status.next(Heard::Captured).is_none() {
        return Err(unexpected(world, &intent, cannot_capture(&intent)));
    }
    let amount_minor = amount_minor.unwrap_or(intent.amount_minor);
    if amount_minor > intent.amount_minor {
        let held = written(intent.amount_minor, &intent.currency);
        let message = format!("Amount must be no more than {held} {}.", intent.currency);
        let error =
            StripeError::refused(message).with_code("amount_too_large").with("param", "amount_to_capture");
        return Err(error.with("payment_intent", intent.show(world)));
    }
    let before = intent.show(world);
    intent.head.change_metadata(metadata);
    intent.hear(Heard::Captured);
    intent.received_minor = amount_minor;
    world.intents.put(intent.clone());
    if let Some(charge) = &intent.latest_charge {
        charge::capture(world, charge, amount_minor);
    }
    world.say_changed("payment_intent.succeeded", &before, &intent);
    Ok(intent.show(world))
}

fn cannot_capture(intent: &PaymentIntent) -> String {
    match intent.status.word() {
        "succeeded" => {
            "This PaymentIntent could not be captured because it has already been captured.".into()
        }
        status => format!(
            "This PaymentIntent could not be captured because it has a status of {status}. Only a PaymentIntent with \
             one of the following statuses may be captured: requires_capture."
        ),
    }
}

pub fn cancel(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let reason = params.one_of("cancellation_reason", REASONS)?;
    params.finish()?;
    let intent = world.intents.named(call)?;
    if intent.status.next(Heard::Cancelled).is_none() {
        let message = format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the \
             following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, \
             requires_action, processing.",
            intent.status.word()
        );
        return Err(unexpected(world, &intent, message));
    }
    Ok(end(world, intent, reason, None))
}

/// A hold that nobody captured in time.
pub fn expire(world: &mut World, id: &str) {
    let Some(intent) = world.intents.any(id).cloned() else { return };
    if intent.status.next(Heard::Captured).is_some() {
        end(world, intent, Some("automatic"), Some("expired_uncaptured_charge"));
    }
}

fn end(
    world: &mut World,
    mut intent: PaymentIntent,
    reason: Option<&'static str>,
    refund_reason: Option<&'static str>,
) -> Value {
    intent.hear(Heard::Cancelled);
    intent.canceled_at = Some(world.now());
    intent.cancellation_reason = reason;
    intent.action = None;
    world.intents.put(intent.clone());
    if let Some(charge) = &intent.latest_charge {
        charge::release(world, charge, refund_reason);
    }
    world.say("payment_intent.canceled", &intent);
    intent.show(world)
}

/// Not from this status. The intent comes with the error.
pub fn unexpected(world: &World, intent: &PaymentIntent, message: String) -> StripeError {
    let error = StripeError::refused(message).with_code("payment_intent_unexpected_state");
    error.with("payment_intent", intent.show(world))
}
