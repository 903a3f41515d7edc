//! Payment intents: one payment of one buyer, from the amount to the money.

mod act;
mod authenticate;
mod read;
pub mod state;

use serde_json::{Value, json};

use crate::call::Call;
use crate::error::{Answer, StripeError};
use crate::table::{Head, Resource};
use crate::world::World;
pub use act::{cancel, capture, confirm, expire};
pub use authenticate::{Authentication, authenticate};
use read::{Changes, Creation};
use state::{Heard, Status};

#[derive(Clone, Debug)]
pub struct PaymentIntent {
    pub head: Head,
    pub amount_minor: i64,
    pub currency: String,
    pub status: Status,
    /// `automatic`, `automatic_async` or `manual`.
    pub capture_method: &'static str,
    pub client_secret: String,
    pub payment_method: Option<String>,
    /// `None`: `payment_method_types` says what it takes.
    pub redirects: Option<Redirects>,
    pub latest_charge: Option<String>,
    pub received_minor: i64,
    pub transfer_group: Option<String>,
    pub description: Option<String>,
    pub receipt_email: Option<String>,
    pub canceled_at: Option<i64>,
    pub cancellation_reason: Option<&'static str>,
    pub last_error: Option<Value>,
    pub action: Option<Action>,
}

/// Whether payment methods that send the buyer elsewhere are welcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    Always,
    Never,
}

/// How the buyer authenticates.
#[derive(Clone, Debug)]
pub struct Action {
    /// Where they do it.
    pub url: String,
    /// Where they come back to; without it, the app shows the page itself.
    pub return_url: Option<String>,
}

impl PaymentIntent {
    /// Moves it; refuses a move that the table does not have.
    pub fn hear(&mut self, heard: Heard) -> bool {
        let next = self.status.next(heard);
        self.status = next.unwrap_or(self.status);
        next.is_some()
    }

    pub fn is_manual(&self) -> bool {
        self.capture_method == "manual"
    }

    fn next_action(&self) -> Value {
        match &self.action {
            None => Value::Null,
            Some(Action { url, return_url: Some(back) }) => {
                json!({ "type": "redirect_to_url", "redirect_to_url": { "url": url, "return_url": back } })
            }
            Some(Action { url, return_url: None }) => {
                let redirect =
                    json!({ "type": "three_d_secure_redirect", "stripe_js": url, "source": "src_fake" });
                json!({ "type": "use_stripe_sdk", "use_stripe_sdk": redirect })
            }
        }
    }
}

impl Resource for PaymentIntent {
    const OBJECT: &'static str = "payment_intent";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, _: &World) -> Value {
        let capturable = if self.status == Status::RequiresCapture { self.amount_minor } else { 0 };
        let automatic = self.redirects.map(|redirects| {
            json!({ "enabled": true, "allow_redirects": if redirects == Redirects::Always { "always" } else { "never" } })
        });
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "amount": self.amount_minor,
            "amount_capturable": capturable,
            "amount_details": { "tip": {} },
            "amount_received": self.received_minor,
            "application": null,
            "application_fee_amount": null,
            "automatic_payment_methods": automatic,
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "capture_method": self.capture_method,
            "client_secret": self.client_secret,
            "confirmation_method": "automatic",
            "created": self.head.created,
            "currency": self.currency,
            "customer": null,
            "description": self.description,
            "last_payment_error": self.last_error,
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.head.metadata,
            "next_action": self.next_action(),
            "on_behalf_of": null,
            "payment_method": self.payment_method,
            "payment_method_configuration_details": null,
            "payment_method_options": { "card": { "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic" } },
            "payment_method_types": ["card"],
            "processing": null,
            "receipt_email": self.receipt_email,
            "review": null,
            "setup_future_usage": null,
            "shipping": null,
            "source": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": self.status.word(),
            "transfer_data": null,
            "transfer_group": self.transfer_group,
        })
    }
}

pub fn create(world: &mut World, call: &mut Call) -> Answer {
    let creation = Creation::read(call.params())?;
    let method = creation.method.map(|given| crate::payment_method::adopt(world, call, given)).transpose()?;
    let mut head = world.head("pi", call);
    head.change_metadata(creation.metadata);
    let client_secret = format!("{}_secret_{}", head.id, world.letters(25));
    let mut intent = PaymentIntent {
        head,
        amount_minor: creation.amount_minor,
        currency: creation.currency,
        status: Status::RequiresPaymentMethod,
        capture_method: creation.capture_method,
        client_secret,
        payment_method: None,
        redirects: creation.redirects,
        latest_charge: None,
        received_minor: 0,
        transfer_group: creation.transfer_group,
        description: creation.description,
        receipt_email: creation.receipt_email,
        canceled_at: None,
        cancellation_reason: None,
        last_error: None,
        action: None,
    };
    if let Some(method) = method {
        intent.hear(Heard::MethodGiven);
        intent.payment_method = Some(method.head.id);
    }
    if let Some(confirmation) = &creation.confirm {
        act::confirmable(&intent, confirmation)?;
    }
    world.say("payment_intent.created", &intent);
    world.intents.put(intent.clone());
    match creation.confirm {
        Some(confirmation) => act::ask_bank(world, call, intent, confirmation),
        None => Ok(intent.show(world)),
    }
}

pub fn update(world: &mut World, call: &mut Call) -> Answer {
    let changes = Changes::read(call.params())?;
    let mut intent = world.intents.named(call)?;
    if changes.touches_money() && !intent.status.is_open() {
        return Err(act::unexpected(
            world,
            &intent,
            format!(
                "This PaymentIntent's amount could not be updated because it has a status of {}. You may only update the \
             amount of a PaymentIntent with one of the following statuses: requires_payment_method, \
             requires_confirmation, requires_action.",
                intent.status.word()
            ),
        ));
    }
    let currency = changes.currency.unwrap_or(intent.currency);
    crate::money::chargeable(changes.amount_minor.unwrap_or(intent.amount_minor), &currency, "amount")?;
    intent.currency = currency;
    if let Some(given) = changes.method {
        intent.payment_method = Some(crate::payment_method::adopt(world, call, given)?.head.id);
        intent.hear(Heard::MethodGiven);
        intent.action = None;
    }
    intent.amount_minor = changes.amount_minor.unwrap_or(intent.amount_minor);
    intent.capture_method = changes.capture_method.unwrap_or(intent.capture_method);
    intent.transfer_group = changes.transfer_group.or(intent.transfer_group);
    intent.description = changes.description.or(intent.description);
    intent.receipt_email = changes.receipt_email.or(intent.receipt_email);
    intent.head.change_metadata(changes.metadata);
    world.intents.put(intent.clone());
    Ok(intent.show(world))
}

/// A client may read its own with `client_secret`.
pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    let secret = call.params.text("client_secret")?;
    call.params().finish()?;
    let intent = world.intents.named(call)?;
    match secret {
        Some(secret) if secret != intent.client_secret => {
            let message = "The client_secret provided does not match the client_secret associated with the PaymentIntent.";
            Err(StripeError::refused(message).with("param", "client_secret"))
        }
        _ => Ok(intent.show(world)),
    }
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    world.intents.list(world, call, |_| true)
}
