//! What an account has: balance transactions, and what they add up to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Answer;
use crate::table::{Head, Resource};
use crate::world::World;

/// How long a charge's money is pending, in seconds.
pub const PENDING_S: i64 = 2 * 24 * 60 * 60;

/// A balance transaction. It never changes.
#[derive(Clone, Debug)]
pub struct Entry {
    pub head: Head,
    pub kind: Kind,
    /// What it is about: a charge, a refund, a transfer.
    pub source: String,
    /// In minor units; negative where money leaves.
    pub amount_minor: i64,
    pub fee_minor: i64,
    pub currency: String,
    /// Seconds since 1970.
    pub available_on: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Charge,
    /// What a connected account got by a transfer.
    Payment,
    Refund,
    /// What a connected account gave back.
    PaymentRefund,
    RefundFailure,
    Transfer,
    TransferRefund,
    /// A dispute, and its end.
    Adjustment,
    Payout,
    PayoutCancel,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::PaymentRefund => "payment_refund",
            Self::RefundFailure => "refund_failure",
            Self::Transfer => "transfer",
            Self::TransferRefund => "transfer_refund",
            Self::Adjustment => "adjustment",
            Self::Payout => "payout",
            Self::PayoutCancel => "payout_cancel",
        }
    }

    fn reporting_category(self) -> &'static str {
        match self {
            Self::Charge | Self::Payment => "charge",
            Self::Refund | Self::PaymentRefund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::Transfer => "transfer",
            Self::TransferRefund => "transfer_reversal",
            Self::Adjustment => "dispute",
            Self::Payout => "payout",
            Self::PayoutCancel => "payout_reversal",
        }
    }
}

impl Entry {
    /// What it changes the balance by, in minor units.
    pub fn net_minor(&self) -> i64 {
        self.amount_minor - self.fee_minor
    }
}

impl Resource for Entry {
    const OBJECT: &'static str = "balance_transaction";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, world: &World) -> Value {
        let fees = match self.fee_minor {
            0 => json!([]),
            fee => json!([{
                "amount": fee,
                "application": null,
                "currency": self.currency,
                "description": if self.kind == Kind::Adjustment { "Dispute fee" } else { "Stripe processing fees" },
                "type": "stripe_fee",
            }]),
        };
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "amount": self.amount_minor,
            "available_on": self.available_on,
            "balance_type": "payments",
            "created": self.head.created,
            "currency": self.currency,
            "description": null,
            "exchange_rate": null,
            "fee": self.fee_minor,
            "fee_details": fees,
            "net": self.net_minor(),
            "reporting_category": self.kind.reporting_category(),
            "source": self.source,
            "status": if self.available_on <= world.now() { "available" } else { "pending" },
            "type": self.kind.word(),
        })
    }
}

/// What an account has in a currency, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub available_minor: i64,
    pub pending_minor: i64,
}

impl World {
    /// Writes a balance transaction and gives its id.
    pub fn enter(&mut self, account: &str, kind: Kind, source: &str, change: Change) -> String {
        let head = self.head_of("txn", account);
        let id = head.id.clone();
        let Change { amount_minor, fee_minor, currency, available_on } = change;
        let source = source.to_owned();
        self.entries.put(Entry { head, kind, source, amount_minor, fee_minor, currency, available_on });
        id
    }

    pub fn balance(&self, account: &str, currency: &str) -> Standing {
        self.balances(account).remove(currency).unwrap_or_default()
    }

    /// By currency.
    pub fn balances(&self, account: &str) -> BTreeMap<String, Standing> {
        let now = self.now();
        let mut standings = BTreeMap::<String, Standing>::new();
        for entry in self.entries.rows().filter(|entry| entry.head.account == account) {
            let standing = standings.entry(entry.currency.clone()).or_default();
            match entry.available_on <= now {
                true => standing.available_minor += entry.net_minor(),
                false => standing.pending_minor += entry.net_minor(),
            }
        }
        standings
    }
}

/// What a balance transaction changes.
pub struct Change {
    pub amount_minor: i64,
    pub fee_minor: i64,
    pub currency: String,
    /// Seconds since 1970.
    pub available_on: i64,
}

/// The caller's balance.
pub fn show(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    let mut balances = world.balances(&call.account);
    if balances.is_empty() {
        balances.insert("usd".into(), Standing::default());
    }
    let shown = |amount: fn(&Standing) -> i64| -> Vec<Value> {
        let one = |(currency, standing): (&String, &Standing)| json!({ "amount": amount(standing), "currency": currency, "source_types": { "card": amount(standing) } });
        balances.iter().map(one).collect()
    };
    Ok(json!({
        "object": "balance",
        "available": shown(|standing| standing.available_minor),
        "livemode": false,
        "pending": shown(|standing| standing.pending_minor),
    }))
}

pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    Ok(world.entries.named(call)?.show(world))
}

pub fn list(world: &mut World, call: &mut Call) -> Answer {
    let kind = call.params.text("type")?;
    let source = call.params.text("source")?;
    let currency = call.params.text("currency")?;
    world.entries.list(world, call, |entry| {
        kind.as_ref().is_none_or(|kind| entry.kind.word() == kind)
            && source.as_ref().is_none_or(|source| entry.source == *source)
            && currency.as_ref().is_none_or(|currency| entry.currency == *currency)
    })
}
