//! What a move of a trade asks of others, and what everybody may know of it.

use std::collections::BTreeMap;

use chassis::Failure;
use chassis::outbox::about;
use chrono::TimeDelta;
use contract::event::inventory::{CommitStock, ReleaseStock};
use contract::event::orders::{Struck, TradeFailed, TradeFailure};
use contract::event::payments::{
    AuthorisePayment, CaptureHold, CapturePayment, FineSeller, RefundPayment, ReleasePayment, Share,
    VoidPayment,
};
use contract::{Aggregate, Event, Money, OrderId, PaymentId, PayoutId, RefundId, TradeId};
use entity::orders::trade::Model;
use tracing::{error, info};

use super::drive::Move;
use super::failure::Why;
use super::rules::Rules;
use super::saga::{State, Then};

/// How much longer than a buyer may take to confirm a hold may come.
const HELD_LATER: TimeDelta = TimeDelta::minutes(30);

/// To payments a trade is an order with its uuid, of one seller.
pub fn order_of(trade: TradeId) -> OrderId {
    OrderId(trade.0)
}

/// What pays for a trade: what was held for its bid, or a payment with the trade's uuid.
pub fn payment_of(row: &Model) -> PaymentId {
    row.hold_id.unwrap_or(PaymentId(row.id.0))
}

/// What the buyer pays.
pub fn price(row: &Model) -> Result<Money, Failure> {
    Ok(Money { amount_minor: row.price_minor, currency: row.currency.parse()? })
}

/// Everything that is said with `moves`: of each trade its asks first, then what everybody may know.
pub fn of(
    rules: &Rules,
    known: &BTreeMap<TradeId, Model>,
    moves: &[Move],
    struck: Vec<Struck>,
) -> Result<Vec<(Aggregate, Event)>, Failure> {
    let mut said: Vec<(Aggregate, Event)> = Vec::new();
    for done in moves {
        let row = &known[&done.trade];
        let mut say = |event| said.push((about("trade", done.trade, done.version), event));
        for then in done.then {
            event(rules, *then, row)?.into_iter().for_each(&mut say);
        }
        let of_this = struck.iter().filter(|struck| struck.trade_id == done.trade && strikes(done));
        of_this.for_each(|struck| say(struck.clone().into()));
        failed(done, row).into_iter().for_each(say);
        tell_operators(done);
    }
    Ok(said)
}

/// What a new trade asks for: its money to be held, or taken where it is held for the bid already.
pub fn first(rules: &Rules, row: &Model) -> Result<Event, Failure> {
    match row.hold_id {
        None => Ok(authorise(rules, row)?.into()),
        Some(_) => capture(row),
    }
}

/// The ask to hold the buyer's money: the same each time.
fn authorise(rules: &Rules, row: &Model) -> Result<AuthorisePayment, Failure> {
    Ok(AuthorisePayment {
        payment_id: payment_of(row),
        order_id: order_of(row.id),
        user_id: Some(row.buyer_id),
        amount: price(row)?,
        shares: vec![share(row)],
        method: row.method.clone(),
        expires_at: row.opened_at + rules.confirm_within + HELD_LATER,
    })
}

/// The ask to take the buyer's money: the same each time.
fn capture(row: &Model) -> Result<Event, Failure> {
    let (payment_id, order_id) = (payment_of(row), order_of(row.id));
    Ok(match row.hold_id {
        None => CapturePayment { payment_id, order_id }.into(),
        Some(_) => CaptureHold { payment_id, order_id, amount: price(row)?, shares: vec![share(row)] }.into(),
    })
}

/// The seller's share is the whole price; the fees in it are the platform's.
fn share(row: &Model) -> Share {
    let fee_minor = row.price_minor - row.payout_minor;
    Share { seller_id: row.seller_id, amount_minor: row.price_minor, tax_minor: 0, fee_minor }
}

/// `None`: it is written down with the move, or there is nothing to ask.
fn event(rules: &Rules, then: Then, row: &Model) -> Result<Option<Event>, Failure> {
    let (order_id, payment_id, seller_id) = (order_of(row.id), payment_of(row), row.seller_id);
    let reason = || reason(row).to_owned();
    Ok(match then {
        Then::Authorise => Some(authorise(rules, row)?.into()),
        Then::Capture => Some(capture(row)?),
        Then::Void => Some(VoidPayment { payment_id, order_id, reason: reason() }.into()),
        Then::Refund => {
            let (refund_id, shares) = (RefundId(row.id.0), vec![share(row)]);
            Some(RefundPayment { refund_id, payment_id, order_id, shares, reason: reason() }.into())
        }
        Then::PaySeller => {
            let payout_id = PayoutId(row.id.0);
            Some(ReleasePayment { payout_id, payment_id, order_id, seller_id }.into())
        }
        Then::FineSeller if row.penalty_minor > 0 => {
            let amount = Money { amount_minor: row.penalty_minor, ..price(row)? };
            Some(FineSeller { payment_id, order_id, seller_id, amount, reason: reason() }.into())
        }
        Then::SellStock => row.reservation_id.map(|reservation_id| CommitStock { reservation_id }.into()),
        Then::FreeStock => {
            row.reservation_id.map(|reservation_id| ReleaseStock { reservation_id, reason: reason() }.into())
        }
        Then::FineSeller | Then::OpenTask | Then::StrikeBuyer | Then::StrikeSeller => None,
    })
}

/// Why it comes to nothing, in a word.
fn reason(row: &Model) -> &'static str {
    Why::read(row.failure.as_deref()).map_or("UNDONE", |why| why.code())
}

fn strikes(done: &Move) -> bool {
    done.then.iter().any(|then| matches!(then, Then::StrikeBuyer | Then::StrikeSeller))
}

/// Said once: when it is known that a match comes to nothing.
fn failed(done: &Move, row: &Model) -> Option<Event> {
    let because = match done.state {
        State::PaymentFailed => TradeFailure::PaymentFailed,
        State::Refunding | State::Refunded if !undone_before(done.from) => {
            Why::read(row.failure.as_deref()).map_or(TradeFailure::Undone, |why| why.told())
        }
        _ => return None,
    };
    info!(trade.id = %row.id, trade.because = ?because, "Trade {} comes to nothing: {because:?}", row.id);
    let (trade_id, buyer_id, seller_id) = (row.id, row.buyer_id, row.seller_id);
    Some(TradeFailed { trade_id, buyer_id, seller_id, because }.into())
}

fn undone_before(state: State) -> bool {
    matches!(state, State::Refunding | State::StuckRefunding)
}

fn tell_operators(done: &Move) {
    if done.arrived() && done.state.needs_operator() {
        let (id, state) = (done.trade, done.state.name());
        error!(trade.id = %id, trade.state = state, "Trade {id} needs an operator: {state}");
        metrics::counter!("souk_trades_stuck_total", "state" => state).increment(1);
    }
}
