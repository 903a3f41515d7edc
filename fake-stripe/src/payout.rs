//! Payouts: money from an account's balance to its bank.

use serde_json::{Value, json};

use crate::balance::{Change, Kind};
use crate::call::Call;
use crate::error::{Answer, StripeError};
use crate::later::Later;
use crate::money;
use crate::table::{Head, Resource};
use crate::world::World;

/// How long a payout is under way, in seconds.
const ARRIVES_AFTER_S: i64 = 24 * 60 * 60;

#[derive(Clone, Debug)]
pub struct Payout {
    pub head: Head,
    amount_minor: i64,
    currency: String,
    arrival_date: i64,
    description: Option<String>,
    statement_descriptor: Option<String>,
    status: Status,
    entry: String,
    back_entry: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Pending,
    Paid,
    Canceled,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Canceled => "canceled",
        }
    }
}

impl Resource for Payout {
    const OBJECT: &'static str = "payout";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, _: &World) -> Value {
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "amount": self.amount_minor,
            "application_fee": null,
            "application_fee_amount": null,
            "arrival_date": self.arrival_date,
            "automatic": false,
            "balance_transaction": self.entry,
            "created": self.head.created,
            "currency": self.currency,
            "description": self.description,
            "destination": null,
            "failure_balance_transaction": self.back_entry,
            "failure_code": null,
            "failure_message": null,
            "livemode": false,
            "metadata": self.head.metadata,
            "method": "standard",
            "original_payout": null,
            "reconciliation_status": "not_applicable",
            "reversed_by": null,
            "source_type": "card",
            "statement_descriptor": self.statement_descriptor,
            "status": self.status.word(),
            "trace_id": null,
            "type": "bank_account",
        })
    }
}

pub fn create(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let amount_minor = params.required_positive("amount")?;
    let currency = money::currency(&mut params)?;
    let description = params.text("description")?;
    let statement_descriptor = params.text("statement_descriptor")?;
    let metadata = params.metadata()?;
    params.one_of("method", &["standard"])?;
    params.one_of("source_type", &["card"])?;
    params.finish()?;
    if world.accounts.any(&call.account).is_none_or(|account| account.bank_last4.is_none()) {
        let message = format!("Sorry, you don't have any external accounts in that currency ({currency}).");
        return Err(StripeError::refused(message));
    }
    if world.balance(&call.account, &currency).available_minor < amount_minor {
        let message = "You have insufficient funds in your Stripe account for this transfer. Your card balance is too \
                       low. You can use the the /v1/balance endpoint to view your Stripe balance (for more details, see \
                       stripe.com/docs/api#balance).";
        return Err(StripeError::refused(message).with_code("balance_insufficient"));
    }
    let mut head = world.head("po", call);
    head.change_metadata(metadata);
    let arrival_date = head.created + ARRIVES_AFTER_S;
    let change = Change {
        amount_minor: -amount_minor,
        fee_minor: 0,
        currency: currency.clone(),
        available_on: head.created,
    };
    let entry = world.enter(&call.account, Kind::Payout, &head.id, change);
    world.later.push((arrival_date, Later::PayPayout(head.id.clone())));
    let payout = Payout {
        head,
        amount_minor,
        currency,
        arrival_date,
        description,
        statement_descriptor,
        status: Status::Pending,
        entry,
        back_entry: None,
    };
    world.payouts.put(payout.clone());
    world.say("payout.created", &payout);
    Ok(payout.show(world))
}

/// The money arrived.
pub fn pay(world: &mut World, id: &str) {
    let pending = |payout: &&Payout| payout.status == Status::Pending;
    let Some(mut payout) = world.payouts.any(id).filter(pending).cloned() else { return };
    let before = payout.show(world);
    payout.status = Status::Paid;
    world.payouts.put(payout.clone());
    world.say_changed("payout.paid", &before, &payout);
}

pub fn cancel(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    let mut payout = world.payouts.named(call)?;
    if payout.status != Status::Pending {
        let message =
            format!("Payouts can only be canceled while they are pending; {} is not.", payout.head.id);
        return Err(StripeError::refused(message));
    }
    let before = payout.show(world);
    let back = Change {
        amount_minor: payout.amount_minor,
        fee_minor: 0,
        currency: payout.currency.clone(),
        available_on: world.now(),
    };
    payout.back_entry = Some(world.enter(&call.account, Kind::PayoutCancel, &payout.head.id, back));
    payout.status = Status::Canceled;
    world.payouts.put(payout.clone());
    world.say_changed("payout.canceled", &before, &payout);
    Ok(payout.show(world))
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.payouts.named(call)?.show(world))
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    let status = call.params.text("status")?;
    world
        .payouts
        .list(world, call, |payout| status.as_ref().is_none_or(|status| payout.status.word() == status))
}
