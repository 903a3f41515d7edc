//! What was done with the money, payment by payment, and whether it adds up.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::balance::Kind;
use crate::charge::Charge;
use crate::dispute::Dispute;
use crate::payment_intent::PaymentIntent;
use crate::refund;
use crate::world::{PLATFORM, World};

/// Every payment, every balance, and what does not fit: nothing, or the fake is wrong.
pub fn show(world: &World) -> Value {
    let payments: Vec<Value> = world.intents.rows().map(|intent| payment(world, intent)).collect();
    let balances: Map<String, Value> = world
        .accounts
        .rows()
        .map(|account| (account.head.id.clone(), balances(world, &account.head.id)))
        .collect();
    json!({ "payments": payments, "balances": balances, "platform": PLATFORM, "problems": problems(world) })
}

fn balances(world: &World, account: &str) -> Value {
    let shown = |(currency, standing): (String, crate::balance::Standing)| {
        (currency, json!({ "available": standing.available_minor, "pending": standing.pending_minor }))
    };
    world.balances(account).into_iter().map(shown).collect::<Map<_, _>>().into()
}

fn payment(world: &World, intent: &PaymentIntent) -> Value {
    let mut sums = Sums::default();
    let charges =
        world.charges.rows().filter(|charge| charge.payment_intent.as_ref() == Some(&intent.head.id));
    charges.for_each(|charge| sums.add(world, charge));
    json!({
        "payment_intent": intent.head.id,
        "metadata": intent.head.metadata,
        "status": intent.status.word(),
        "currency": intent.currency,
        "amount": intent.amount_minor,
        "held": sums.held_minor,
        "captured": sums.captured_minor,
        "fee": sums.fee_minor,
        "refunded": sums.refunded_minor,
        "transferred": sums.transferred_minor,
        "reversed": sums.reversed_minor,
        "disputed": sums.disputed_minor,
        "approved_charges": sums.approved,
    })
}

/// What was done with the charges of a payment, in minor units.
#[derive(Default)]
struct Sums {
    held_minor: i64,
    captured_minor: i64,
    fee_minor: i64,
    refunded_minor: i64,
    transferred_minor: i64,
    reversed_minor: i64,
    /// Taken by disputes that are not won.
    disputed_minor: i64,
    /// More than one would be a payment taken twice.
    approved: usize,
}

impl Sums {
    fn add(&mut self, world: &World, charge: &Charge) {
        let id = &charge.head.id;
        self.approved += usize::from(charge.declined.is_none());
        self.captured_minor += charge.captured_minor;
        self.held_minor += if charge.capture_before.is_some() { charge.amount_minor } else { 0 };
        self.fee_minor += charge.entry.as_ref().and_then(|e| world.entries.any(e)).map_or(0, |e| e.fee_minor);
        let refunds = world.refunds.rows().filter(|refund| refund.charge == *id && refund.entry.is_some());
        self.refunded_minor +=
            refunds.filter(|r| r.standing != refund::Standing::Failed).map(|r| r.amount_minor).sum::<i64>();
        for transfer in world.transfers.rows().filter(|transfer| transfer.source.as_ref() == Some(id)) {
            self.transferred_minor += transfer.amount_minor;
            self.reversed_minor += transfer.reversed_minor;
        }
        let disputes = world.disputes.rows().filter(|dispute| dispute.charge == *id);
        self.disputed_minor += disputes.map(Dispute::taken_minor).sum::<i64>();
    }
}

/// Adds objects up by themselves and compares them with the balance transactions.
fn problems(world: &World) -> Vec<String> {
    let by_objects = by_objects(world);
    let mut by_entries = BTreeMap::<(&str, String), i64>::new();
    for entry in world.entries.rows().filter(|entry| entry.head.account == PLATFORM) {
        *by_entries.entry((kind_of(entry.kind), entry.currency.clone())).or_default() += entry.amount_minor;
    }
    by_entries.retain(|(kind, _), amount| *amount != 0 && *kind != "payouts");
    let mut problems = vec![];
    if by_objects != by_entries {
        problems.push(format!("objects say {by_objects:?}, balance transactions {by_entries:?}"));
    }
    for charge in world.charges.rows().filter(|charge| charge.refunded_minor > charge.amount_minor) {
        problems.push(format!("{} is refunded beyond its amount", charge.head.id));
    }
    problems
}

fn kind_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Charge | Kind::Payment => "charges",
        Kind::Refund | Kind::PaymentRefund | Kind::RefundFailure => "refunds",
        Kind::Transfer | Kind::TransferRefund => "transfers",
        Kind::Adjustment => "disputes",
        Kind::Payout | Kind::PayoutCancel => "payouts",
    }
}

fn by_objects(world: &World) -> BTreeMap<(&'static str, String), i64> {
    let mut sums = BTreeMap::<(&'static str, String), i64>::new();
    let mut add =
        |kind, currency: &str, amount: i64| *sums.entry((kind, currency.to_owned())).or_default() += amount;
    for charge in world.charges.rows().filter(|charge| charge.head.account == PLATFORM) {
        add("charges", &charge.currency, charge.captured_minor);
    }
    for refund in world.refunds.rows().filter(|refund| refund.entry.is_some()) {
        let given = if refund.standing == refund::Standing::Failed { 0 } else { refund.amount_minor };
        add("refunds", &refund.currency, -given);
    }
    for transfer in world.transfers.rows() {
        add("transfers", &transfer.currency, transfer.reversed_minor - transfer.amount_minor);
    }
    for dispute in world.disputes.rows() {
        add("disputes", &dispute.currency, -dispute.taken_minor());
    }
    sums.retain(|_, amount| *amount != 0);
    sums
}
