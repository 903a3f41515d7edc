//! Refunds: money that goes back to a card, and holds that are released.

use serde_json::{Value, json};

use crate::balance::{Change, Kind};
use crate::call::Call;
use crate::card::Bank;
use crate::charge::Charge;
use crate::error::{Answer, StripeError};
use crate::form::{MetadataChange, Params};
use crate::later::Later;
use crate::money::written;
use crate::table::{Head, Resource};
use crate::world::World;

const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];
/// When the bank decides on a refund that does not succeed at once, in seconds.
pub const DECIDED_AFTER_S: i64 = 60;

#[derive(Clone, Debug)]
pub struct Refund {
    pub head: Head,
    pub amount_minor: i64,
    pub currency: String,
    pub charge: String,
    payment_intent: Option<String>,
    reason: Option<&'static str>,
    pub standing: Standing,
    /// None for a hold: no money had moved.
    pub entry: Option<String>,
    failure_entry: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Pending,
    Succeeded,
    Failed,
}

impl Resource for Refund {
    const OBJECT: &'static str = "refund";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, _: &World) -> Value {
        let mut shown = json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "amount": self.amount_minor,
            "balance_transaction": self.entry,
            "charge": self.charge,
            "created": self.head.created,
            "currency": self.currency,
            "destination_details": { "card": { "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund" }, "type": "card" },
            "metadata": self.head.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": match self.standing {
                Standing::Pending => "pending",
                Standing::Succeeded => "succeeded",
                Standing::Failed => "failed",
            },
            "transfer_reversal": null,
        });
        if self.standing == Standing::Failed {
            shown["failure_reason"] = "expired_or_canceled_card".into();
            shown["failure_balance_transaction"] = self.failure_entry.clone().into();
        }
        shown
    }
}

struct Creation {
    charge: Option<String>,
    payment_intent: Option<String>,
    amount_minor: Option<i64>,
    reason: Option<&'static str>,
    metadata: Option<MetadataChange>,
}

impl Creation {
    fn read(mut params: Params) -> Answer<Self> {
        let creation = Self {
            charge: params.text("charge")?,
            payment_intent: params.text("payment_intent")?,
            amount_minor: params.positive("amount")?,
            reason: params.one_of("reason", REASONS)?,
            metadata: params.metadata()?,
        };
        if creation.charge.is_none() && creation.payment_intent.is_none() {
            let message =
                "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(StripeError::parameter("payment_intent", "parameter_missing", message));
        }
        params.finish()?;
        Ok(creation)
    }

    /// The charge to take it from.
    fn charge(&self, world: &World, account: &str) -> Answer<Charge> {
        let id = match (&self.charge, &self.payment_intent) {
            (Some(charge), _) => Some(charge.clone()),
            (None, Some(intent)) => world.intents.given(account, intent, "payment_intent")?.latest_charge,
            (None, None) => None,
        };
        let charge = id.map(|id| world.charges.given(account, &id, "charge")).transpose()?;
        let Some(charge) = charge.filter(|charge| charge.captured) else {
            let intent =
                self.payment_intent.as_deref().map_or_else(String::new, |intent| format!(" ({intent})"));
            let message = format!("This PaymentIntent{intent} does not have a successful charge to refund.");
            return Err(StripeError::refused(message).with("param", "payment_intent"));
        };
        match &self.payment_intent {
            Some(intent) if charge.payment_intent.as_ref() != Some(intent) => {
                let message =
                    format!("The charge {} does not belong to the PaymentIntent {intent}.", charge.head.id);
                Err(StripeError::refused(message).with("param", "charge"))
            }
            _ => Ok(charge),
        }
    }
}

/// How much goes back; refused where the charge has not so much left.
fn refundable_minor(charge: &Charge, wanted_minor: Option<i64>) -> Answer<i64> {
    let (id, left) = (&charge.head.id, charge.refundable_minor());
    if charge.disputed {
        let message = format!("Charge {id} has been charged back; cannot issue a refund.");
        return Err(StripeError::refused(message).with_code("charge_disputed"));
    }
    if left == 0 {
        let message = format!("Charge {id} has already been refunded.");
        return Err(StripeError::refused(message).with_code("charge_already_refunded"));
    }
    let amount_minor = wanted_minor.unwrap_or(left);
    if amount_minor > left {
        let message = format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            written(amount_minor, &charge.currency),
            written(left, &charge.currency)
        );
        return Err(StripeError::refused(message).with("param", "amount"));
    }
    Ok(amount_minor)
}

pub fn create(world: &mut World, call: &mut Call) -> Answer {
    let creation = Creation::read(call.params())?;
    let mut charge = creation.charge(world, &call.account)?;
    let amount_minor = refundable_minor(&charge, creation.amount_minor)?;
    let mut head = world.head("re", call);
    head.change_metadata(creation.metadata);
    let method = charge.payment_method.as_deref().and_then(|method| world.methods.any(method));
    let bank = method.map_or(Bank::Approves, |method| method.card.bank);
    let (standing, later) = match bank {
        Bank::RefundsPend => (Standing::Pending, Some(Later::SettleRefund(head.id.clone()))),
        Bank::RefundsFail => (Standing::Succeeded, Some(Later::FailRefund(head.id.clone()))),
        _ => (Standing::Succeeded, None),
    };
    if let Some(later) = later {
        world.later.push((world.now() + DECIDED_AFTER_S, later));
    }
    let change = Change {
        amount_minor: -amount_minor,
        fee_minor: 0,
        currency: charge.currency.clone(),
        available_on: world.now(),
    };
    let entry = Some(world.enter(&charge.head.account, Kind::Refund, &head.id, change));
    let refund = Refund {
        head,
        amount_minor,
        currency: charge.currency.clone(),
        charge: charge.head.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        reason: creation.reason,
        standing,
        entry,
        failure_entry: None,
    };
    let before = charge.show(world);
    charge.refunded_minor += amount_minor;
    world.charges.put(charge.clone());
    world.refunds.put(refund.clone());
    world.say_changed("charge.refunded", &before, &charge);
    world.say("refund.created", &refund);
    Ok(refund.show(world))
}

/// The rest of a hold goes back: a refund without money.
pub fn release(world: &mut World, charge: &mut Charge, reason: Option<&'static str>) {
    let amount_minor = charge.amount_minor - charge.captured_minor;
    if amount_minor == 0 {
        return;
    }
    charge.refunded_minor += amount_minor;
    let refund = Refund {
        head: world.head_of("re", &charge.head.account),
        amount_minor,
        currency: charge.currency.clone(),
        charge: charge.head.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        reason,
        standing: Standing::Succeeded,
        entry: None,
        failure_entry: None,
    };
    world.refunds.put(refund);
}

/// The bank took a pending one.
pub fn settle(world: &mut World, id: &str) {
    change(world, id, Standing::Succeeded, &["refund.updated", "charge.refund.updated"]);
}

/// The bank gave one back: the money is the account's again.
pub fn fail(world: &mut World, id: &str) {
    let Some(mut refund) =
        world.refunds.any(id).filter(|refund| refund.standing != Standing::Failed).cloned()
    else {
        return;
    };
    let change_back = Change {
        amount_minor: refund.amount_minor,
        fee_minor: 0,
        currency: refund.currency.clone(),
        available_on: world.now(),
    };
    refund.failure_entry = Some(world.enter(&refund.head.account, Kind::RefundFailure, id, change_back));
    if let Some(charge) = world.charges.any_mut(&refund.charge) {
        charge.refunded_minor -= refund.amount_minor;
    }
    world.refunds.put(refund);
    change(world, id, Standing::Failed, &["refund.failed", "refund.updated", "charge.refund.updated"]);
}

fn change(world: &mut World, id: &str, standing: Standing, kinds: &[&str]) {
    let Some(mut refund) = world.refunds.any(id).cloned() else { return };
    let before = refund.show(world);
    refund.standing = standing;
    world.refunds.put(refund.clone());
    for kind in kinds {
        world.say_changed(kind, &before, &refund);
    }
}

pub fn update(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let metadata = params.metadata()?;
    params.finish()?;
    let mut refund = world.refunds.named(call)?;
    let before = refund.show(world);
    refund.head.change_metadata(metadata);
    world.refunds.put(refund.clone());
    world.say_changed("refund.updated", &before, &refund);
    Ok(refund.show(world))
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.refunds.named(call)?.show(world))
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    let charge = call.params.text("charge")?;
    let intent = call.params.text("payment_intent")?;
    world.refunds.list(world, call, |refund| {
        charge.as_ref().is_none_or(|charge| refund.charge == *charge)
            && (intent.is_none() || refund.payment_intent == intent)
    })
}
