//! Transfers: money from the platform to a connected account.

use serde_json::{Value, json};

use crate::balance::{Change, Kind};
use crate::call::Call;
use crate::charge::Charge;
use crate::error::{Answer, StripeError};
use crate::form::{MetadataChange, Params};
use crate::money::{self, written};
use crate::table::{Head, Resource};
use crate::world::World;

#[derive(Clone, Debug)]
pub struct Transfer {
    pub head: Head,
    pub amount_minor: i64,
    pub reversed_minor: i64,
    pub currency: String,
    pub destination: String,
    /// What the connected account got.
    pub destination_payment: String,
    /// The charge that it is taken from.
    pub source: Option<String>,
    pub group: Option<String>,
    description: Option<String>,
    entry: String,
}

impl Resource for Transfer {
    const OBJECT: &'static str = "transfer";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, world: &World) -> Value {
        let of_this = world.reversals.rows().rev().filter(|reversal| reversal.transfer == self.head.id);
        let shown: Vec<Value> = of_this.map(|reversal| reversal.show(world)).collect();
        let url = format!("/v1/transfers/{}/reversals", self.head.id);
        let total = shown.len();
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "amount": self.amount_minor,
            "amount_reversed": self.reversed_minor,
            "balance_transaction": self.entry,
            "created": self.head.created,
            "currency": self.currency,
            "description": self.description,
            "destination": self.destination,
            "destination_payment": self.destination_payment,
            "livemode": false,
            "metadata": self.head.metadata,
            "reversals": { "object": "list", "data": shown, "has_more": false, "total_count": total, "url": url },
            "reversed": self.reversed_minor == self.amount_minor,
            "source_transaction": self.source,
            "source_type": "card",
            "transfer_group": self.group,
        })
    }
}

struct Creation {
    amount_minor: Option<i64>,
    currency: String,
    destination: String,
    source: Option<String>,
    group: Option<String>,
    description: Option<String>,
    metadata: Option<MetadataChange>,
}

impl Creation {
    fn read(mut params: Params) -> Answer<Self> {
        let creation = Self {
            amount_minor: params.positive("amount")?,
            currency: money::currency(&mut params)?,
            destination: params.required_text("destination")?,
            source: params.text("source_transaction")?,
            group: params.text("transfer_group")?,
            description: params.text("description")?,
            metadata: params.metadata()?,
        };
        if creation.amount_minor.is_none() && creation.source.is_none() {
            return Err(params.missing("amount"));
        }
        params.one_of("source_type", &["card"])?;
        params.finish()?;
        Ok(creation)
    }
}

pub fn create(world: &mut World, call: &mut Call) -> Answer {
    let creation = Creation::read(call.params())?;
    able_to_receive(world, &creation.destination)?;
    let source = creation.source.as_deref();
    let mut source =
        source.map(|id| world.charges.given(&call.account, id, "source_transaction")).transpose()?;
    let (amount_minor, available_on) = match &source {
        Some(charge) => of_charge(world, charge, &creation)?,
        None => of_balance(world, call, &creation)?,
    };
    let group = creation.group.or_else(|| source.as_mut().map(|charge| group_of(world, charge)));
    let mut head = world.head("tr", call);
    head.change_metadata(creation.metadata);
    let currency = creation.currency;
    let change =
        |amount_minor| Change { amount_minor, fee_minor: 0, currency: currency.clone(), available_on };
    let entry = world.enter(&call.account, Kind::Transfer, &head.id, change(-amount_minor));
    let payment_head = world.head_of("py", &creation.destination);
    let payment = payment_head.id.clone();
    let mut received = Charge::of_transfer(payment_head, amount_minor, &currency, &head.id);
    received.entry = Some(world.enter(&creation.destination, Kind::Payment, &payment, change(amount_minor)));
    world.charges.put(received);
    let transfer = Transfer {
        head,
        amount_minor,
        reversed_minor: 0,
        currency: currency.clone(),
        destination: creation.destination,
        destination_payment: payment,
        source: source.map(|charge| charge.head.id),
        group,
        description: creation.description,
        entry,
    };
    world.transfers.put(transfer.clone());
    world.say("transfer.created", &transfer);
    Ok(transfer.show(world))
}

fn able_to_receive(world: &World, destination: &str) -> Answer<()> {
    let connected = world.accounts.any(destination).filter(|account| !account.is_platform());
    let account = connected.ok_or_else(|| StripeError::absent("destination", destination, "destination"))?;
    if !account.can_receive() {
        let message = "Your destination account needs to have at least one of the following capabilities enabled: \
                       transfers, crypto_transfers, legacy_payments";
        return Err(StripeError::refused(message).with_code("insufficient_capabilities_for_transfer"));
    }
    Ok(())
}

/// All transfers from one charge together are not more than the charge; the money is there when the charge's is.
fn of_charge(world: &World, charge: &Charge, creation: &Creation) -> Answer<(i64, i64)> {
    let refused = |message: String| Err(StripeError::refused(message).with("param", "source_transaction"));
    if !charge.captured {
        return refused(format!(
            "You cannot use charge {} as a source_transaction: it is not captured.",
            charge.head.id
        ));
    }
    if charge.currency != creation.currency {
        return refused(format!(
            "The currency of source_transaction's balance transaction ({}) must be the same as the transfer currency ({})",
            charge.currency, creation.currency
        ));
    }
    let amount_minor = creation.amount_minor.unwrap_or(charge.captured_minor);
    let before: Vec<i64> = world
        .transfers
        .rows()
        .filter(|t| t.source.as_ref() == Some(&charge.head.id))
        .map(|t| t.amount_minor)
        .collect();
    let sent_minor: i64 = before.iter().sum();
    if sent_minor + amount_minor > charge.captured_minor {
        let whole = written(charge.captured_minor, &charge.currency);
        let already = match before.len() {
            0 => String::new(),
            1 => format!(
                " (There is already a transfer using this source, amounting to {}.)",
                written(sent_minor, &charge.currency)
            ),
            count => format!(
                " (There are already {count} transfers using this source, amounting to a total of {}.)",
                written(sent_minor, &charge.currency)
            ),
        };
        return refused(format!(
            "Transfers using this transaction as a source must not exceed the source amount of {whole}.{already}"
        ));
    }
    let entry = charge.entry.as_deref().and_then(|entry| world.entries.any(entry));
    Ok((amount_minor, entry.map_or(world.now(), |entry| entry.available_on)))
}

/// Without a charge, the money must be available.
fn of_balance(world: &World, call: &Call, creation: &Creation) -> Answer<(i64, i64)> {
    let amount_minor = creation.amount_minor.unwrap_or_default();
    if world.balance(&call.account, &creation.currency).available_minor < amount_minor {
        let message = "You have insufficient available funds in your Stripe account. Try adding funds directly to your \
                       available balance by creating Charges using the 4000000000000077 test card. See: \
                       https://stripe.com/docs/testing#available-balance";
        return Err(StripeError::refused(message).with_code("balance_insufficient"));
    }
    Ok((amount_minor, world.now()))
}

/// A charge without a group gets one with its first transfer.
fn group_of(world: &mut World, charge: &mut Charge) -> String {
    if charge.transfer_group.is_none() {
        let about = charge.payment_intent.as_ref().unwrap_or(&charge.head.id);
        charge.transfer_group = Some(format!("group_{about}"));
        world.charges.put(charge.clone());
    }
    charge.transfer_group.clone().unwrap_or_default()
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.transfers.named(call)?.show(world))
}

pub fn update(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let metadata = params.metadata()?;
    let description = params.text("description")?;
    params.finish()?;
    let mut transfer = world.transfers.named(call)?;
    let before = transfer.show(world);
    transfer.head.change_metadata(metadata);
    transfer.description = description.or(transfer.description);
    world.transfers.put(transfer.clone());
    world.say_changed("transfer.updated", &before, &transfer);
    Ok(transfer.show(world))
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    let destination = call.params.text("destination")?;
    let group = call.params.text("transfer_group")?;
    world.transfers.list(world, call, |transfer| {
        destination.as_ref().is_none_or(|destination| transfer.destination == *destination)
            && (group.is_none() || transfer.group == group)
    })
}
