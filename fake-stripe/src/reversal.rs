//! Transfer reversals: money back from a connected account.

use serde_json::{Value, json};

use crate::balance::{Change, Kind};
use crate::call::Call;
use crate::error::{Answer, StripeError};
use crate::money::written;
use crate::table::{Head, Resource};
use crate::transfer::Transfer;
use crate::world::World;

#[derive(Clone, Debug)]
pub struct Reversal {
    pub head: Head,
    pub amount_minor: i64,
    pub currency: String,
    pub transfer: String,
    entry: String,
}

impl Resource for Reversal {
    const OBJECT: &'static str = "transfer_reversal";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, _: &World) -> Value {
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "amount": self.amount_minor,
            "balance_transaction": self.entry,
            "created": self.head.created,
            "currency": self.currency,
            "destination_payment_refund": null,
            "metadata": self.head.metadata,
            "source_refund": null,
            "transfer": self.transfer,
        })
    }
}

pub fn create(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let wanted_minor = params.positive("amount")?;
    let metadata = params.metadata()?;
    params.without_effect(&["description"]);
    params.finish()?;
    let mut transfer = world.transfers.named(call)?;
    let amount_minor = reversible_minor(world, &transfer, wanted_minor)?;
    let before = transfer.show(world);
    let mut head = world.head("trr", call);
    head.change_metadata(metadata);
    let now = world.now();
    let change = |amount_minor| Change {
        amount_minor,
        fee_minor: 0,
        currency: transfer.currency.clone(),
        available_on: now,
    };
    let entry = world.enter(&call.account, Kind::TransferRefund, &head.id, change(amount_minor));
    world.enter(
        &transfer.destination,
        Kind::PaymentRefund,
        &transfer.destination_payment,
        change(-amount_minor),
    );
    if let Some(payment) = world.charges.any_mut(&transfer.destination_payment) {
        payment.refunded_minor += amount_minor;
    }
    let reversal = Reversal {
        head,
        amount_minor,
        currency: transfer.currency.clone(),
        transfer: transfer.head.id.clone(),
        entry,
    };
    world.reversals.put(reversal.clone());
    transfer.reversed_minor += amount_minor;
    world.transfers.put(transfer.clone());
    world.say_changed("transfer.reversed", &before, &transfer);
    Ok(reversal.show(world))
}

/// How much comes back: never more than was sent, nor than the account has.
fn reversible_minor(world: &World, transfer: &Transfer, wanted_minor: Option<i64>) -> Answer<i64> {
    let left = transfer.amount_minor - transfer.reversed_minor;
    let amount_minor = wanted_minor.unwrap_or(left);
    if left == 0 || amount_minor > left {
        let message = format!(
            "Reversal amount ({}) is greater than unreversed amount on transfer ({})",
            written(amount_minor, &transfer.currency),
            written(left, &transfer.currency)
        );
        return Err(StripeError::refused(message).with("param", "amount"));
    }
    let standing = world.balance(&transfer.destination, &transfer.currency);
    if standing.available_minor + standing.pending_minor < amount_minor {
        let message = "The connected account does not have enough funds to cover this reversal.";
        return Err(StripeError::refused(message).with_code("balance_insufficient"));
    }
    Ok(amount_minor)
}

/// The reversal must be of the transfer that the path names.
pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    let transfer = world.transfers.named(call)?.head.id;
    let id = call.ids.get(1).map_or("", String::as_str);
    let reversal = world.reversals.any(id).filter(|reversal| reversal.transfer == transfer);
    reversal.map(|reversal| reversal.show(world)).ok_or_else(|| StripeError::missing(Reversal::OBJECT, id))
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    let transfer = world.transfers.named(call)?.head.id;
    world.reversals.list(world, call, |reversal| reversal.transfer == transfer)
}
