//! What must be true when every trade has come to rest: book, trades, payments, ledger and stock say the same.

use std::collections::{BTreeMap, BTreeSet};

use bidding::number::{order_id, trade_id};
use contract::{BackingId, HoldingId, OfferId, OrderId, PaymentId, ReservationId, TradeId};
use entity::bidding::{backing, backing_piece, failed_trade, holding_piece, order, trade};
use entity::inventory::{reservation, stock_level};
use entity::orders::trade as saga;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::told::Told;
use crate::crash::sagas::books::{Charge, charges, nothing_waits, the_books_are_right};
use crate::support::Market;

/// Checks everything; how many matches there were, and how many came to nothing. `stocked`: what the seller had.
pub async fn check(market: &Market, stocked: (OfferId, i64), told: &Told) -> (usize, usize) {
    let bidding = market.env("bidding").db.read();
    let orders = order::Entity::find().all(bidding).await.unwrap();
    let matches = trade::Entity::find().all(bidding).await.unwrap();
    let trades = saga::Entity::find().all(market.env("orders").db.read()).await.unwrap();
    let trades: BTreeMap<TradeId, saga::Model> = trades.into_iter().map(|trade| (trade.id, trade)).collect();
    who_was_told_has_an_order(&orders, told);
    every_match_is_one_trade(&matches, &trades);
    nobody_paid_for_nothing(market, &orders, &trades).await;
    the_book_knows_what_failed(market, &matches, &trades).await;
    stock_is_behind_what_is_sold(market, stocked, &orders, &trades).await;
    let report = bidding::recount::verify(&market.env("bidding").db).await.unwrap();
    assert!(report.is_right(), "{report}");
    nothing_waits(market).await;
    the_books_are_right(market).await;
    (trades.len(), trades.values().filter(|trade| failed(trade)).count())
}

fn failed(trade: &saga::Model) -> bool {
    trade.state == saga::State::PaymentFailed
}

fn who_was_told_has_an_order(orders: &[order::Model], told: &Told) {
    let known: BTreeSet<String> =
        orders.iter().map(|order| order_id(order.partition, order.number).to_string()).collect();
    for (key, order) in &told.orders {
        assert!(known.contains(order), "{order} of {key} is lost");
    }
    let keys: BTreeSet<&String> = told.orders.values().collect();
    assert_eq!(keys.len(), told.orders.len(), "two keys are two orders");
}

fn every_match_is_one_trade(matches: &[trade::Model], trades: &BTreeMap<TradeId, saga::Model>) {
    let pieces = matches.iter().flat_map(|matched| {
        (0..matched.quantity).map(|index| trade_id(matched.partition, matched.number + index))
    });
    assert_eq!(pieces.collect::<BTreeSet<_>>(), trades.keys().copied().collect());
}

/// Paid and waiting for the seller: charged once. Failed: nothing taken, nothing held. Besides, what bids in the book need is
/// held, and nothing else.
async fn nobody_paid_for_nothing(
    market: &Market,
    orders: &[order::Model],
    trades: &BTreeMap<TradeId, saga::Model>,
) {
    let mut charges = charges(market).await;
    for (id, trade) in trades {
        let payment = ::orders::trade::said::payment_of(trade);
        let charge = charges.remove(&OrderId(payment.0)).unwrap_or_default();
        let expected = match trade.state {
            saga::State::AwaitingShipment => {
                Charge { captures: 1, taken_minor: trade.price_minor, ..Charge::default() }
            }
            saga::State::PaymentFailed => Charge::default(),
            other => panic!("{id} is stuck: {other:?}"),
        };
        assert_eq!(charge, expected, "{id} is {:?}", trade.state);
    }
    for (payment, holding) in held(market).await {
        let held = Charge { open_holds: 1, ..Charge::default() };
        assert_eq!(charges.remove(&OrderId(payment.0)), Some(held), "{payment} of {holding}");
    }
    charges.retain(|_, charge| *charge != Charge::default());
    assert!(charges.is_empty(), "charges of no trade and no bid: {charges:?}");
    let mut kept: BTreeMap<HoldingId, i64> = BTreeMap::new();
    held(market).await.into_values().for_each(|holding| *kept.entry(holding).or_default() += 1);
    let rests = orders.iter().filter(|order| order.status == order::Status::Open);
    let rests = rests.filter_map(|order| Some((order.holding_id?, order.remaining)));
    assert_eq!(kept, rests.collect(), "what rests is held for");
}

/// What bids have and no match has taken.
async fn held(market: &Market) -> BTreeMap<PaymentId, HoldingId> {
    let held = holding_piece::Column::State.is_in([holding_piece::State::Asked, holding_piece::State::Held]);
    let held = holding_piece::Entity::find().filter(held).all(market.env("bidding").db.read()).await.unwrap();
    held.into_iter().map(|piece| (piece.payment_id, piece.holding_id)).collect()
}

async fn the_book_knows_what_failed(
    market: &Market,
    matches: &[trade::Model],
    trades: &BTreeMap<TradeId, saga::Model>,
) {
    let rows = failed_trade::Entity::find().all(market.env("bidding").db.read()).await.unwrap();
    assert!(rows.iter().all(|row| !row.due), "the engine has heard of all");
    let heard: BTreeSet<TradeId> = rows.iter().map(|row| row.trade_id).collect();
    assert_eq!(heard, trades.values().filter(|trade| failed(trade)).map(|trade| trade.id).collect());
    assert_eq!(matches.iter().map(|matched| matched.failed).sum::<i64>(), heard.len() as i64);
}

/// Each piece that rests with stock behind it, or is sold and not shipped, has one reservation; and there are no others.
async fn stock_is_behind_what_is_sold(
    market: &Market,
    (offer, stocked): (OfferId, i64),
    orders: &[order::Model],
    trades: &BTreeMap<TradeId, saga::Model>,
) {
    let db = market.env("bidding").db.read();
    let pieces = backing_piece::Entity::find().all(db).await.unwrap();
    let mut kept: BTreeMap<BackingId, i64> = BTreeMap::new();
    for piece in pieces.iter().filter(|piece| piece.state == backing_piece::State::Kept) {
        *kept.entry(piece.backing_id).or_default() += 1;
    }
    let rests = orders.iter().filter(|order| order.status == order::Status::Open);
    let rests: BTreeMap<BackingId, i64> =
        rests.filter_map(|order| Some((order.backing_id?, order.remaining))).collect();
    assert_eq!(kept, rests, "what rests is kept");
    let open = backing::Column::State.is_in([backing::State::Asked, backing::State::Held]);
    assert_eq!(backing::Entity::find().filter(open).all(db).await.unwrap(), [], "nobody waits for stock");

    let sold = trades.values().filter(|trade| !failed(trade)).filter_map(|trade| trade.reservation_id);
    let sold: Vec<ReservationId> = sold.collect();
    let kept = pieces.iter().filter(|piece| piece.state == backing_piece::State::Kept);
    let promised: BTreeSet<ReservationId> =
        kept.map(|piece| piece.reservation_id).chain(sold.iter().copied()).collect();
    let inventory = market.env("inventory").db.read();
    let active =
        reservation::Entity::find().filter(reservation::Column::State.eq(reservation::State::Active));
    let active: BTreeSet<ReservationId> =
        active.all(inventory).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(active, promised);
    assert_eq!(sold.iter().collect::<BTreeSet<_>>().len(), sold.len(), "no piece is sold twice");
    let level = stock_level::Entity::find_by_id(offer).one(inventory).await.unwrap().unwrap();
    assert_eq!((level.on_hand, level.reserved), (stocked, promised.len() as i64));
}
