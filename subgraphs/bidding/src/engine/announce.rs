//! What others hear of a partition: each matched piece, and the tickers of its markets. Said in the transaction that enters it.

use std::collections::BTreeMap;

use chassis::outbox::{self, about};
use chassis::{Failure, Tx};
use contract::event::bidding::{Matched, SellerFees, Ticker};
use contract::event::catalog::Condition;
use contract::{Aggregate, Event, UserId};
use entity::bidding::{market, order, ticker, trade};
use matching::{MarketId, Price, Timestamp};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use tracing::error;

use super::behind::Behind;
use super::held::Held;
use super::projection::{Orders, Trades, time};
use crate::fee;
use crate::number::{order_id, trade_id};

/// A market's ticker now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Book {
    /// The highest bid.
    pub bid: Option<Price>,
    /// The lowest ask.
    pub ask: Option<Price>,
    /// The latest match of these rows.
    pub last_sale: Option<(Price, Timestamp)>,
    /// Of the market's newest event.
    pub seq: u64,
    /// When that was.
    pub at: Timestamp,
}

pub type Books = BTreeMap<MarketId, Book>;
/// The rows of markets, by their ids.
pub(super) type Markets = BTreeMap<contract::MarketId, market::Model>;

/// The markets that something is to be said about.
pub(super) async fn markets(tx: &Tx, trades: &Trades, books: &Books) -> Result<Markets, Failure> {
    let traded = trades.values().map(|trade| contract::MarketId(trade.market));
    let quoted = books.keys().map(|market| contract_id(*market));
    let ids: std::collections::BTreeSet<contract::MarketId> = traded.chain(quoted).collect();
    if ids.is_empty() {
        return Ok(Markets::new());
    }
    let rows = market::Entity::find().filter(market::Column::Id.is_in(ids)).all(tx).await?;
    Ok(rows.into_iter().map(|market| (market.id, market)).collect())
}

/// What matched pieces took along, of stock and of money.
#[derive(Clone, Copy)]
pub(super) struct Taken<'e> {
    pub behind: &'e Behind,
    pub held: &'e Held,
}

/// Says every piece that was matched and every ticker that changed.
pub(super) async fn say(
    tx: &Tx,
    markets: &Markets,
    orders: &Orders,
    trades: &Trades,
    taken: Taken<'_>,
    books: &Books,
) -> Result<(), Failure> {
    for trade in trades.values() {
        let pieces = matched(markets, orders, trade, taken);
        if pieces.is_empty() {
            error!(trade.number, "Trade {} cannot be said: it has no market or no terms", trade.number);
        }
        outbox::say_all(tx, trade.at, pieces).await?;
    }
    say_tickers(tx, markets, books).await
}

/// One sentence for each piece of a match. Empty: its market or the terms of its orders are not there.
fn matched(
    markets: &Markets,
    orders: &Orders,
    trade: &trade::Model,
    taken: Taken<'_>,
) -> Vec<(Aggregate, Event)> {
    let of = |number: i64| orders.get(&number);
    let said = || {
        let market = markets.get(&contract::MarketId(trade.market))?;
        let (bid, ask) = (of(trade.bid)?, of(trade.ask)?);
        let first = first_piece(market, bid, ask, trade)?;
        let piece = |index| {
            let number = trade.number + index;
            let trade_id = trade_id(trade.partition, number);
            let (backing, hold) = (taken.behind.get(&number).cloned(), taken.held.get(&number).copied());
            Matched { trade_id, backing, hold, ..first.clone() }
        };
        let pieces = (0..trade.quantity).map(piece);
        Some(pieces.map(|piece| (about("trade", piece.trade_id, 1), Event::from(piece))).collect())
    };
    said().unwrap_or_default()
}

fn first_piece(
    market: &market::Model,
    bid: &order::Model,
    ask: &order::Model,
    trade: &trade::Model,
) -> Option<Matched> {
    Some(Matched {
        trade_id: trade_id(trade.partition, trade.number),
        market_id: market.id,
        variant_id: market.variant_id,
        condition: condition(market.condition),
        bid_id: order_id(trade.partition, trade.bid),
        ask_id: order_id(trade.partition, trade.ask),
        buyer_id: UserId(trade.buyer),
        seller_user_id: UserId(trade.seller),
        seller_id: ask.seller_id?,
        price: market.money(trade.price_minor),
        fees: fees(market, trade)?,
        payment_method: bid.payment_method.clone()?,
        hold: None,
        address_id: bid.address_id?,
        backing: None,
        matched_at: trade.at,
    })
}

fn fees(market: &market::Model, trade: &trade::Model) -> Option<SellerFees> {
    let schedule = fee::schedule_at(trade.at);
    Some(SellerFees {
        schedule: trade.fee_schedule.clone()?,
        level: trade.fee_level? as u8,
        transaction_minor: trade.transaction_minor?,
        processing_minor: trade.processing_minor?,
        payout_minor: trade.payout_minor?,
        penalty_minor: schedule.penalty(trade.price_minor, market.currency()),
    })
}

/// Keeps the new tickers and says them.
async fn say_tickers(tx: &Tx, markets: &Markets, books: &Books) -> Result<(), Failure> {
    let known: Vec<(&market::Model, &Book)> =
        books.iter().filter_map(|(id, book)| Some((markets.get(&contract_id(*id))?, book))).collect();
    if known.is_empty() {
        return Ok(());
    }
    let ids = known.iter().map(|(market, _)| market.id);
    let before = ticker::Entity::find().filter(ticker::Column::MarketId.is_in(ids)).all(tx).await?;
    let rows: Vec<ticker::Model> = known
        .iter()
        .map(|(market, book)| next(market, book, before.iter().find(|row| row.market_id == market.id)))
        .collect();
    keep(tx, &rows).await?;
    for ((market, book), row) in known.into_iter().zip(rows) {
        let ticker = ticker(market, &row);
        outbox::say(tx, time(book.at), about("market", market.id, row.sequence), ticker).await?;
    }
    Ok(())
}

fn next(market: &market::Model, book: &Book, before: Option<&ticker::Model>) -> ticker::Model {
    let last_sale_before = before.and_then(|row| Some((row.last_sale_minor?, row.last_sale_at?)));
    let last_sale = book.last_sale.map(|(price, ts)| (price, time(ts))).or(last_sale_before);
    ticker::Model {
        market_id: market.id,
        lowest_ask_minor: book.ask,
        highest_bid_minor: book.bid,
        last_sale_minor: last_sale.map(|(price, _)| price),
        last_sale_at: last_sale.map(|(_, at)| at),
        sequence: book.seq as i64,
    }
}

async fn keep(tx: &Tx, rows: &[ticker::Model]) -> Result<(), Failure> {
    use ticker::Column::*;
    let replace = OnConflict::column(MarketId)
        .update_columns([LowestAskMinor, HighestBidMinor, LastSaleMinor, LastSaleAt, Sequence])
        .to_owned();
    ticker::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
        .on_conflict(replace)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn ticker(market: &market::Model, row: &ticker::Model) -> Ticker {
    let money = |minor: Option<i64>| minor.map(|minor| market.money(minor));
    Ticker {
        market_id: market.id,
        variant_id: market.variant_id,
        condition: condition(market.condition),
        lowest_ask: money(row.lowest_ask_minor),
        highest_bid: money(row.highest_bid_minor),
        last_sale: money(row.last_sale_minor),
        last_sale_at: row.last_sale_at,
        sequence: row.sequence,
    }
}

fn contract_id(market: MarketId) -> contract::MarketId {
    contract::MarketId(uuid::Uuid::from_u128(market.0))
}

fn condition(condition: market::Condition) -> Condition {
    match condition {
        market::Condition::New => Condition::New,
        market::Condition::LikeNew => Condition::LikeNew,
        market::Condition::VeryGood => Condition::VeryGood,
        market::Condition::Good => Condition::Good,
        market::Condition::Acceptable => Condition::Acceptable,
    }
}
