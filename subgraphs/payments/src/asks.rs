//! A batch of asks in one transaction. An ask only writes rows: what it needs from a provider is a step, stored with its
//! key, and sent after the commit.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::payments::{
    AuthorisePayment, CaptureFailed, RefundFailed, RefundPayment, ReleasePayment, Share,
};
use contract::{CurrencyCode, Envelope, Event, OrderId, PaymentId, SellerId};
use entity::payments::ledger_account;
use entity::payments::payment_step::Kind;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::bid_hold;
use crate::courier::Courier;
use crate::desk::Desk;
use crate::file::{File, Pen};
use crate::ledger::Account;
use crate::payment::state::Heard;
use crate::penalty;
use crate::provider::Why;
use crate::share::Part;

/// Characters of a payment method's token.
const METHOD_LENGTH_MAX: usize = 255;
/// Shares of one payment.
const SHARES_MAX: usize = 100;

/// What sellers owe, in each currency.
pub(crate) type Owed = HashMap<String, i64>;

/// Answers the asks among `events`, in their order.
pub async fn hear(
    tx: &Tx,
    now: DateTime<Utc>,
    events: &[Envelope],
    courier: &Arc<Courier>,
) -> Result<(), Failure> {
    let ids: BTreeSet<PaymentId> = events.iter().filter_map(|event| payment_of(&event.event)).collect();
    let mut desk = Desk::open(tx, now, ids, false).await?;
    let mut owed = owed(tx, &desk, events).await?;
    for event in events {
        answer(&mut desk, courier.first_provider(), &event.event, &mut owed)?;
    }
    penalty::hear(tx, &mut desk.pen, events).await?;
    desk.close(tx, courier).await
}

fn payment_of(event: &Event) -> Option<PaymentId> {
    Some(match event {
        Event::AuthorisePayment(ask) => ask.payment_id,
        Event::CapturePayment(ask) => ask.payment_id,
        Event::VoidPayment(ask) => ask.payment_id,
        Event::RefundPayment(ask) => ask.payment_id,
        Event::ReleasePayment(ask) => ask.payment_id,
        Event::HoldMoney(ask) => ask.payment_id,
        Event::CaptureHold(ask) => ask.payment_id,
        _ => return None,
    })
}

/// Answers one ask.
pub(crate) fn answer(desk: &mut Desk, provider: &str, event: &Event, owed: &mut Owed) -> Result<(), Failure> {
    match event {
        Event::AuthorisePayment(ask) => authorise(desk, provider, ask),
        Event::CapturePayment(ask) => match desk.file(ask.payment_id) {
            Some((file, pen)) => file.hear(pen, Heard::AskedToCapture),
            None => capture_of_nothing(desk, ask.payment_id, ask.order_id),
        },
        Event::VoidPayment(ask) => void(desk, provider, ask.payment_id, ask.order_id, &ask.reason),
        Event::RefundPayment(ask) => match desk.file(ask.payment_id) {
            Some((file, pen)) => file.refund(pen, ask),
            None => refund_of_nothing(desk, ask),
        },
        Event::ReleasePayment(ask) => release(desk, ask, owed),
        Event::HoldMoney(ask) => bid_hold::hold(desk, provider, ask),
        Event::CaptureHold(ask) => match bid_hold::capture(desk, ask)? {
            true => Ok(()),
            false => capture_of_nothing(desk, ask.payment_id, ask.order_id),
        },
        _ => Ok(()),
    }
}

fn authorise(desk: &mut Desk, provider: &str, ask: &AuthorisePayment) -> Result<(), Failure> {
    if let Some((file, pen)) = desk.file(ask.payment_id) {
        return file.hear(pen, Heard::AskedToAuthorise);
    }
    let file = match makes_sense(ask) {
        true => {
            let mut file = File::new(desk.pen.now, provider, ask);
            let amount_minor = ask.amount.amount_minor;
            file.send(&desk.pen, Kind::Authorise, ask.payment_id.0, "authorise", amount_minor);
            file
        }
        false => {
            let mut file = File::tombstone(desk.pen.now, provider, ask.payment_id, ask.order_id);
            file.payment.state = entity::payments::payment::State::Authorising;
            file.payment.user_id = ask.user_id;
            let why = Why::new("invalid_request", "the amount and its shares do not make sense");
            file.refused(&mut desk.pen, Heard::Impossible, why)?;
            file
        }
    };
    desk.files.insert(ask.payment_id, file);
    Ok(())
}

fn makes_sense(ask: &AuthorisePayment) -> bool {
    adds_up(ask.amount.amount_minor, &ask.shares) && is_token(&ask.method)
}

/// Whether somebody can be charged by this.
pub(crate) fn is_token(method: &str) -> bool {
    (1..=METHOD_LENGTH_MAX).contains(&method.chars().count()) && !method.chars().any(char::is_control)
}

/// Whether the shares are parts of an amount, each of another seller.
pub(crate) fn adds_up(amount_minor: i64, shares: &[Share]) -> bool {
    let part = |share: &Share| Part {
        amount_minor: share.amount_minor,
        tax_minor: share.tax_minor,
        fee_minor: share.fee_minor,
    };
    let sum = shares.iter().try_fold(0_i64, |sum, share| sum.checked_add(share.amount_minor));
    let sellers: BTreeSet<SellerId> = shares.iter().map(|share| share.seller_id).collect();
    amount_minor > 0
        && sum == Some(amount_minor)
        && (1..=SHARES_MAX).contains(&shares.len())
        && sellers.len() == shares.len()
        && shares.iter().all(|share| part(share).makes_sense())
}

/// A payment that nobody asked to authorise is closed for good.
fn void(
    desk: &mut Desk,
    provider: &str,
    id: PaymentId,
    order_id: OrderId,
    reason: &str,
) -> Result<(), Failure> {
    let now = desk.pen.now;
    let unknown = || File::tombstone(now, provider, id, order_id);
    let file = desk.files.entry(id).or_insert_with(unknown);
    // What was held for a bid is not the bid's to give up once a trade has taken it.
    if !file.belongs_to(order_id) {
        return Ok(());
    }
    file.payment.void_reason.get_or_insert_with(|| reason.to_owned());
    file.hear(&mut desk.pen, Heard::AskedToVoid)
}

fn capture_of_nothing(desk: &mut Desk, payment_id: PaymentId, order_id: OrderId) -> Result<(), Failure> {
    let (code, message) = ("not_authorised".into(), "nothing is held for this payment".into());
    say_of_nothing(&mut desk.pen, payment_id, CaptureFailed { payment_id, order_id, code, message });
    Ok(())
}

fn refund_of_nothing(desk: &mut Desk, ask: &RefundPayment) -> Result<(), Failure> {
    let (code, message) = ("not_captured".into(), "nothing was taken for this payment".into());
    let RefundPayment { refund_id, payment_id, order_id, .. } = *ask;
    let failed = RefundFailed { refund_id, payment_id, order_id, code, message };
    say_of_nothing(&mut desk.pen, payment_id, failed);
    Ok(())
}

fn say_of_nothing(pen: &mut Pen, id: PaymentId, event: impl Into<Event>) {
    pen.said.push((chassis::outbox::about("payment", id, 0), event.into()));
}

/// What is left of a seller's share is theirs. Asking again gives the same answer.
///
/// # Errors
/// Nothing was captured, or the seller has no share: an ask that only an operator can make sense of.
fn release(desk: &mut Desk, ask: &ReleasePayment, owed: &mut Owed) -> Result<(), Failure> {
    let nothing = || Failure::msg(format!("nothing was captured that {} could release", ask.payout_id));
    let (file, pen) = desk.file(ask.payment_id).ok_or_else(nothing)?;
    if file.payment.captured_minor == 0 {
        return Err(nothing());
    }
    if let Some(payout) = file.payouts.iter().find(|payout| payout.id == ask.payout_id) {
        let net_minor = payout.amount_minor + payout.netted_minor;
        return file.say_released(pen, ask.payout_id, ask.seller_id, net_minor);
    }
    let account = Account::Receivable(ask.seller_id).id(file.currency()?);
    let owes = owed.entry(account).or_default();
    file.pay_out(pen, ask.payout_id, ask.seller_id, *owes)?;
    *owes -= file.payouts.last().map_or(0, |payout| payout.netted_minor);
    Ok(())
}

/// What the sellers owe whose shares are to be released, and nobody is taking back already.
async fn owed(tx: &Tx, desk: &Desk, events: &[Envelope]) -> Result<Owed, Failure> {
    let accounts: BTreeSet<String> = events
        .iter()
        .filter_map(|event| match &event.event {
            Event::ReleasePayment(ask) => {
                let currency: CurrencyCode = desk.files.get(&ask.payment_id)?.currency().ok()?;
                Some(Account::Receivable(ask.seller_id).id(currency))
            }
            _ => None,
        })
        .collect();
    if accounts.is_empty() {
        return Ok(Owed::new());
    }
    let rows =
        ledger_account::Entity::find().filter(ledger_account::Column::Id.is_in(accounts)).all(tx).await?;
    let open = |row: ledger_account::Model| row.debits_posted - row.credits_posted - row.credits_pending;
    Ok(rows.into_iter().map(|row| (row.id.clone(), open(row))).collect())
}
