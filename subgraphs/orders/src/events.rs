//! What orders hears: offers, stock and sellers, which it mirrors, matches, which become trades, and answers to its asks, by
//! which orders and trades move.

use chassis::inbox::Consumer;
use chassis::{Env, Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{Envelope, Event, OrderId, ReservationId};
use futures::FutureExt;

use crate::drive::{self, News};
use crate::failure::{Action, Why};
use crate::mirror;
use crate::payback::{self, Said, Word};
use crate::settlement::Heard;
use crate::trade::{self, rules::Rules};

/// The ears of orders.
pub fn consumers(env: &Env, rules: Rules) -> Vec<Consumer> {
    vec![
        Consumer::new(env, "orders.accounts", &["accounts.seller_changed"], |tx, now, events| {
            hear(tx, now, events).boxed()
        }),
        Consumer::new(env, "orders.catalog", &["catalog.offer_changed"], |tx, now, events| {
            hear(tx, now, events).boxed()
        }),
        Consumer::new(
            env,
            "orders.inventory",
            &[
                "inventory.stock_changed",
                "inventory.stock_reserved",
                "inventory.stock_rejected",
                "inventory.stock_committed",
                "inventory.stock_released",
            ],
            |tx, now, events| hear(tx, now, events).boxed(),
        ),
        Consumer::new(
            env,
            "orders.payments",
            &[
                "payments.authorised",
                "payments.needs_action",
                "payments.declined",
                "payments.captured",
                "payments.capture_failed",
                "payments.voided",
                "payments.refunded",
                "payments.refund_failed",
                "payments.released",
            ],
            move |tx, now, events| hear_payments(tx, rules, now, events).boxed(),
        ),
        Consumer::new(env, "orders.bidding", &["bidding.matched"], move |tx, now, events| {
            hear_matches(tx, rules, now, events).boxed()
        }),
    ]
}

async fn hear_matches(tx: &Tx, rules: Rules, now: DateTime<Utc>, events: &[Envelope]) -> Result<(), Failure> {
    let matches = events.iter().filter_map(|envelope| match &envelope.event {
        Event::Matched(matched) => Some(matched),
        _ => None,
    });
    trade::open::hear(tx, &rules, now, matches.collect()).await
}

/// Payments knows trades as orders. Nothing is news to both: when orders moved by all of it, no trade is looked for.
async fn hear_payments(
    tx: &Tx,
    rules: Rules,
    now: DateTime<Utc>,
    events: &[Envelope],
) -> Result<(), Failure> {
    let said = || events.iter().map(|envelope| &envelope.event);
    let of_trades: Vec<_> = said().filter_map(trade::heard::answer).collect();
    let (answers, words): (Vec<News>, Vec<Word>) =
        (said().filter_map(answer).collect(), said().filter_map(word).collect());
    if !words.is_empty() {
        // What moves and what is settled afterwards, each of them locked in one order.
        let moved = answers.iter().map(|news| news.order);
        drive::hold(tx, moved.chain(words.iter().map(|word| word.order))).await?;
    }
    let moved = drive::hear(tx, now, answers).await?;
    if moved < of_trades.len() {
        trade::drive::hear(tx, &rules, now, of_trades).await?;
    }
    payback::hear(tx, now, words).await
}

async fn hear(tx: &Tx, now: DateTime<Utc>, events: &[Envelope]) -> Result<(), Failure> {
    let (mut sellers, mut offers, mut levels) = (vec![], vec![], vec![]);
    let mut answers = vec![];
    for envelope in events {
        let version = envelope.aggregate.version;
        match &envelope.event {
            Event::SellerChanged(change) => sellers.push((change, version)),
            Event::OfferChanged(change) => offers.push((change, version)),
            Event::StockChanged(change) => levels.push(change),
            event => answers.extend(answer(event)),
        }
    }
    mirror::hear_sellers(tx, sellers).await?;
    mirror::hear_offers(tx, offers).await?;
    mirror::hear_stock(tx, levels).await?;
    drive::hear(tx, now, answers).await.map(drop)
}

/// What payments says of money that is on its way after the sale.
fn word(event: &Event) -> Option<Word> {
    let (order, said) = match event {
        Event::PaymentRefunded(said) if said.refund_id.0 != said.order_id.0 => {
            (said.order_id, Said::Refunded(said.refund_id))
        }
        Event::RefundFailed(said) if said.refund_id.0 != said.order_id.0 => {
            (said.order_id, Said::NotRefunded(said.refund_id))
        }
        Event::PaymentReleased(said) => (said.order_id, Said::Released(said.seller_id)),
        _ => return None,
    };
    Some(Word { order, said })
}

/// The order that a reservation is of, should it be one of ours.
fn of(reservation: ReservationId) -> OrderId {
    OrderId(reservation.0)
}

/// What an order hears from an event, if the event is an answer to it.
fn answer(event: &Event) -> Option<News> {
    Some(match event {
        Event::StockReserved(answer) => News::new(of(answer.reservation_id), Heard::StockReserved),
        Event::StockRejected(answer) => News::new(of(answer.reservation_id), Heard::StockRefused)
            .because(Why::SoldOut { shortages: answer.shortages.clone() }),
        Event::StockCommitted(answer) => News::new(of(answer.reservation_id), Heard::StockSold),
        Event::StockReleased(answer) => {
            News::new(of(answer.reservation_id), Heard::StockGivenBack).because(Why::StockLost)
        }
        Event::PaymentAuthorised(answer) => News::new(answer.order_id, Heard::MoneyHeld),
        Event::PaymentNeedsAction(answer) => {
            let action = Action {
                redirect_url: answer.redirect_url.clone(),
                client_secret: answer.client_secret.clone(),
            };
            News { action: Some(action), ..News::new(answer.order_id, Heard::BuyerMustConfirm) }
        }
        Event::PaymentDeclined(answer) => {
            News::new(answer.order_id, Heard::MoneyRefused).because(declined(&answer.code, &answer.message))
        }
        Event::PaymentCaptured(answer) => News::new(answer.order_id, Heard::MoneyTaken),
        Event::CaptureFailed(answer) => {
            News::new(answer.order_id, Heard::MoneyNotTaken).because(declined(&answer.code, &answer.message))
        }
        Event::PaymentVoided(answer) => News::new(answer.order_id, Heard::MoneyLetGo),
        // The refund that undoes an order has its uuid; others are of goods that came back.
        Event::PaymentRefunded(answer) if answer.refund_id.0 == answer.order_id.0 => {
            News::new(answer.order_id, Heard::MoneyReturned)
        }
        Event::RefundFailed(answer) if answer.refund_id.0 == answer.order_id.0 => {
            News::new(answer.order_id, Heard::MoneyNotReturned)
        }
        _ => return None,
    })
}

fn declined(code: &str, message: &str) -> Why {
    Why::Declined { decline_code: code.into(), message: message.into() }
}
