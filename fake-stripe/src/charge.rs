//! Charges: what was taken, or tried to be taken, from a card.

use serde_json::{Value, json};

use crate::balance::{Change, Kind, PENDING_S};
use crate::call::Call;
use crate::card::{Bank, Decline};
use crate::error::Answer;
use crate::form::Params;
use crate::payment_intent::PaymentIntent;
use crate::payment_method::PaymentMethod;
use crate::table::{Head, Resource};
use crate::world::World;
use crate::{dispute, refund};

/// How long a hold lives, in seconds.
pub const HOLD_S: i64 = 7 * 24 * 60 * 60;

#[derive(Clone, Debug)]
pub struct Charge {
    pub head: Head,
    pub amount_minor: i64,
    pub captured_minor: i64,
    /// What was given back, a hold's rest included.
    pub refunded_minor: i64,
    pub currency: String,
    pub captured: bool,
    pub disputed: bool,
    pub declined: Option<Decline>,
    pub payment_intent: Option<String>,
    pub payment_method: Option<String>,
    pub transfer_group: Option<String>,
    /// The transfer that it came from, at a connected account.
    pub source_transfer: Option<String>,
    pub entry: Option<String>,
    pub description: Option<String>,
    /// When the hold ends, in seconds since 1970.
    pub capture_before: Option<i64>,
}

impl Charge {
    /// What could still be refunded, in minor units.
    pub fn refundable_minor(&self) -> i64 {
        self.amount_minor - self.refunded_minor
    }

    /// What connected accounts get: a payment, for a transfer.
    pub fn of_transfer(head: Head, amount_minor: i64, currency: &str, transfer: &str) -> Self {
        Self {
            head,
            amount_minor,
            captured_minor: amount_minor,
            refunded_minor: 0,
            currency: currency.to_owned(),
            captured: true,
            disputed: false,
            declined: None,
            payment_intent: None,
            payment_method: None,
            transfer_group: None,
            source_transfer: Some(transfer.to_owned()),
            entry: None,
            description: None,
            capture_before: None,
        }
    }

    fn method<'w>(&self, world: &'w World) -> Option<&'w PaymentMethod> {
        world.methods.any(self.payment_method.as_deref()?)
    }

    fn outcome(&self) -> Value {
        let declined = self.declined;
        json!({
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": null,
            "network_status": if declined.is_some() { "declined_by_network" } else { "approved_by_network" },
            "reason": declined.map(|decline| decline.decline_code),
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": match declined {
                None => "Payment complete.",
                Some(_) => "The bank did not return any further details with this decline.",
            },
            "type": if declined.is_some() { "issuer_declined" } else { "authorized" },
        })
    }

    fn card(&self, world: &World) -> Value {
        let Some(method) = self.method(world) else { return Value::Null };
        let mut card = method.show_card();
        card["amount_authorized"] = self.amount_minor.into();
        card["authorization_code"] = "123456".into();
        card["checks"] =
            json!({ "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" });
        card["network"] = method.card.brand().into();
        card["capture_before"] = self.capture_before.into();
        card["overcapture"] =
            json!({ "maximum_amount_capturable": self.amount_minor, "status": "unavailable" });
        card["three_d_secure"] = match method.card.bank {
            Bank::Asks(_) => {
                json!({ "authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0" })
            }
            _ => Value::Null,
        };
        json!({ "card": card, "type": "card" })
    }
}

impl Resource for Charge {
    const OBJECT: &'static str = "charge";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, world: &World) -> Value {
        let paid = self.declined.is_none();
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "amount": self.amount_minor,
            "amount_captured": self.captured_minor,
            "amount_refunded": self.refunded_minor,
            "application": null,
            "application_fee": null,
            "application_fee_amount": null,
            "balance_transaction": self.entry,
            "billing_details": { "address": null, "email": null, "name": null, "phone": null, "tax_id": null },
            "calculated_statement_descriptor": "FAKE STRIPE",
            "captured": self.captured,
            "created": self.head.created,
            "currency": self.currency,
            "customer": null,
            "description": self.description,
            "disputed": self.disputed,
            "failure_balance_transaction": null,
            "failure_code": self.declined.map(|decline| decline.code),
            "failure_message": self.declined.map(|decline| decline.message),
            "fraud_details": {},
            "livemode": false,
            "metadata": self.head.metadata,
            "on_behalf_of": null,
            "outcome": self.payment_method.is_some().then(|| self.outcome()),
            "paid": paid,
            "payment_intent": self.payment_intent,
            "payment_method": self.payment_method,
            "payment_method_details": self.card(world),
            "receipt_email": null,
            "receipt_number": null,
            "receipt_url": null,
            "refunded": paid && self.refunded_minor == self.amount_minor,
            "review": null,
            "shipping": null,
            "source": null,
            "source_transfer": self.source_transfer,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": if paid { "succeeded" } else { "failed" },
            "transfer_data": null,
            "transfer_group": self.transfer_group,
        })
    }
}

/// How a charge begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    Held,
    Taken,
    Declined(Decline),
}

/// Charges an intent's card and gives the charge's id.
pub fn begin(
    world: &mut World,
    intent: &PaymentIntent,
    method: &PaymentMethod,
    beginning: Beginning,
) -> String {
    let head = Head { metadata: intent.head.metadata.clone(), ..world.head_of("ch", &intent.head.account) };
    let (id, now) = (head.id.clone(), head.created);
    let mut charge = Charge {
        amount_minor: intent.amount_minor,
        captured_minor: 0,
        refunded_minor: 0,
        currency: intent.currency.clone(),
        captured: false,
        disputed: false,
        declined: None,
        payment_intent: Some(intent.head.id.clone()),
        payment_method: Some(method.head.id.clone()),
        transfer_group: intent.transfer_group.clone(),
        source_transfer: None,
        entry: None,
        description: intent.description.clone(),
        capture_before: None,
        head,
    };
    match beginning {
        Beginning::Held => charge.capture_before = Some(now + HOLD_S),
        Beginning::Taken => take(world, &mut charge, intent.amount_minor),
        Beginning::Declined(decline) => charge.declined = Some(decline),
    }
    world.charges.put(charge.clone());
    let failed = matches!(beginning, Beginning::Declined(_));
    world.say(if failed { "charge.failed" } else { "charge.succeeded" }, &charge);
    if beginning == Beginning::Taken {
        dispute::follow(world, &id);
    }
    id
}

/// Captures a hold; what is not captured is released.
pub fn capture(world: &mut World, id: &str, amount_minor: i64) {
    let Some(mut charge) = world.charges.any(id).cloned() else { return };
    let before = charge.show(world);
    take(world, &mut charge, amount_minor);
    charge.capture_before = None;
    refund::release(world, &mut charge, None);
    world.charges.put(charge.clone());
    world.say_changed("charge.captured", &before, &charge);
    dispute::follow(world, id);
}

/// Gives a whole hold back.
pub fn release(world: &mut World, id: &str, reason: Option<&'static str>) {
    let held = |charge: &&Charge| !charge.captured && charge.declined.is_none();
    let Some(mut charge) = world.charges.any(id).filter(held).cloned() else { return };
    let before = charge.show(world);
    charge.capture_before = None;
    refund::release(world, &mut charge, reason);
    world.charges.put(charge.clone());
    world.say_changed("charge.refunded", &before, &charge);
}

/// The money comes in, less the fee.
fn take(world: &mut World, charge: &mut Charge, amount_minor: i64) {
    let at_once = charge.method(world).is_some_and(|method| method.card.bank == Bank::ApprovesAtOnce);
    let now = world.now();
    let change = Change {
        amount_minor,
        fee_minor: fee_minor(world, amount_minor),
        currency: charge.currency.clone(),
        available_on: if at_once { now } else { now + PENDING_S },
    };
    let entry = world.enter(&charge.head.account, Kind::Charge, &charge.head.id, change);
    (charge.captured, charge.captured_minor, charge.entry) = (true, amount_minor, Some(entry));
}

/// Rounded to the nearest minor unit.
fn fee_minor(world: &World, amount_minor: i64) -> i64 {
    (amount_minor * world.settings.fee_bps + 5000) / 10_000 + world.settings.fee_fixed_minor
}

/// A charge's refunds, as `expand[]=refunds` shows them.
pub fn refunds(world: &World, id: &str) -> Value {
    let of_charge = world.refunds.rows().rev().filter(|refund| refund.charge == id);
    let shown: Vec<Value> = of_charge.map(|refund| refund.show(world)).collect();
    json!({ "object": "list", "data": shown, "has_more": false, "url": format!("/v1/charges/{id}/refunds") })
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.charges.named(call)?.show(world))
}

pub fn update(world: &mut World, call: &mut Call) -> Answer {
    let mut params: Params = call.params();
    let metadata = params.metadata()?;
    let description = params.unsettable_text("description")?;
    let group = params.text("transfer_group")?;
    params.finish()?;
    let mut charge = world.charges.named(call)?;
    let before = charge.show(world);
    charge.head.change_metadata(metadata);
    charge.description =
        description.map_or(charge.description, |text| Some(text).filter(|text| !text.is_empty()));
    charge.transfer_group = group.or(charge.transfer_group);
    world.charges.put(charge.clone());
    world.say_changed("charge.updated", &before, &charge);
    Ok(charge.show(world))
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    let intent = call.params.text("payment_intent")?;
    let group = call.params.text("transfer_group")?;
    world.charges.list(world, call, |charge| {
        (intent.is_none() || charge.payment_intent == intent)
            && (group.is_none() || charge.transfer_group == group)
    })
}
