//! The money behind bids, as their orders change: each matched piece takes a hold along, and what the book does not need any
//! more is given up. What a match took does not come back: the trade has it, whatever becomes of that.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Failure, Tx};
use contract::{HoldingId, PaymentId};
use entity::bidding::holding_piece::{self, State};
use entity::bidding::{holding, order};
use matching::{BookEvent, Change, Matched, Side};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::projection::{Orders, time};
use crate::holding::{lock, void};

/// What is held for a matched piece, by its number.
pub(super) type Held = BTreeMap<i64, PaymentId>;

/// Follows what `events` did to bids that money is held for.
pub(super) async fn enter(
    tx: &Tx,
    partition: i32,
    events: &[BookEvent],
    orders: &Orders,
) -> Result<Held, Failure> {
    let ids: BTreeSet<HoldingId> = orders.values().filter_map(|order| order.holding_id).collect();
    let (Some(last), false) = (events.last(), ids.is_empty()) else { return Ok(Held::new()) };
    let rows = lock(tx, ids).await?;
    let bid = |order: &order::Model| Some((order.number, Bid::of(order, rows.get(&order.holding_id?)?)));
    let bids: BTreeMap<i64, Bid> = orders.values().filter_map(bid).collect();
    place(tx, partition, events, &bids).await?;
    let mut purse = Purse::open(tx, &bids).await?;
    for event in events {
        purse.hear(event, &bids);
    }
    let freed = purse.put_back(&bids);
    purse.save(tx).await?;
    void(tx, time(last.ts), &freed, "the bid needs it no more").await?;
    Ok(purse.held)
}

/// A bid that money is held for.
#[derive(Clone, Copy)]
struct Bid {
    holding: HoldingId,
    /// Pieces in the book.
    rests: usize,
    /// Held for each piece.
    price_minor: i64,
    /// It asks for more than that, or for longer: somebody changed it before these rows showed what it is.
    is_beyond: bool,
}

impl Bid {
    fn of(order: &order::Model, row: &holding::Model) -> Self {
        let rests = if order.status == order::Status::Open { order.remaining } else { 0 };
        let is_longer = order.expires_at.is_some_and(|end| row.held_until.is_some_and(|until| end > until));
        Self {
            holding: row.id,
            rests: rests.max(0) as usize,
            price_minor: row.price_minor,
            is_beyond: order.price_minor > row.price_minor || is_longer,
        }
    }
}

/// Notes which order a bid became.
async fn place(
    tx: &Tx,
    partition: i32,
    events: &[BookEvent],
    bids: &BTreeMap<i64, Bid>,
) -> Result<(), Failure> {
    for event in events {
        let Change::Placed(placed) = event.change else { continue };
        let number = placed.order.0 as i64;
        let Some(bid) = bids.get(&number) else { continue };
        holding::Entity::update_many()
            .col_expr(holding::Column::State, Expr::val(holding::State::Placed.to_value()))
            .col_expr(holding::Column::Partition, Expr::val(partition))
            .col_expr(holding::Column::Number, Expr::val(number))
            .filter(holding::Column::Id.eq(bid.holding))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Holds of the bids that something happened to.
struct Purse {
    pieces: BTreeMap<HoldingId, Vec<holding_piece::Model>>,
    changed: BTreeSet<PaymentId>,
    lacking: BTreeSet<HoldingId>,
    held: Held,
}

impl Purse {
    async fn open(tx: &Tx, bids: &BTreeMap<i64, Bid>) -> Result<Self, Failure> {
        let rows = holding_piece::Entity::find()
            .filter(holding_piece::Column::HoldingId.is_in(bids.values().map(|bid| bid.holding)))
            .order_by_asc(holding_piece::Column::HoldingId)
            .order_by_asc(holding_piece::Column::Position)
            .all(tx)
            .await?;
        let mut pieces: BTreeMap<HoldingId, Vec<holding_piece::Model>> = BTreeMap::new();
        for row in rows {
            pieces.entry(row.holding_id).or_default().push(row);
        }
        Ok(Self { pieces, changed: BTreeSet::new(), lacking: BTreeSet::new(), held: Held::new() })
    }

    fn hear(&mut self, event: &BookEvent, bids: &BTreeMap<i64, Bid>) {
        let Change::Matched(Matched { maker, maker_side, taker, trade, price, quantity, .. }) = event.change
        else {
            return;
        };
        let bid = if maker_side == Side::Bid { maker } else { taker };
        let Some(bid) = bids.get(&(bid.0 as i64)).filter(|bid| price <= bid.price_minor) else { return };
        let first = trade.0 as i64;
        (first..first + i64::from(quantity)).for_each(|trade| self.take(bid.holding, trade));
    }

    /// A matched piece takes the first that is held. One for which nothing is held is asked for after its match.
    fn take(&mut self, holding: HoldingId, trade: i64) {
        let pieces = self.pieces.entry(holding).or_default();
        let Some(piece) = pieces.iter_mut().find(|piece| piece.state == State::Held) else { return };
        (piece.state, piece.trade) = (State::Matched, Some(trade));
        self.changed.insert(piece.payment_id);
        self.held.insert(trade, piece.payment_id);
    }

    /// Gives up what is held beyond what rests, the last first; and notes who has too little.
    fn put_back(&mut self, bids: &BTreeMap<i64, Bid>) -> Vec<holding_piece::Model> {
        let mut freed = Vec::new();
        for bid in bids.values() {
            let pieces = self.pieces.entry(bid.holding).or_default();
            let held: Vec<_> = pieces.iter_mut().filter(|piece| piece.state == State::Held).collect();
            if held.len() < bid.rests || (bid.is_beyond && bid.rests > 0) {
                self.lacking.insert(bid.holding);
            }
            for piece in held.into_iter().skip(bid.rests) {
                piece.state = State::Freed;
                self.changed.insert(piece.payment_id);
                freed.push(piece.clone());
            }
        }
        freed
    }

    async fn save(&self, tx: &Tx) -> Result<(), Failure> {
        let all = self.pieces.values().flatten();
        for piece in all.filter(|piece| self.changed.contains(&piece.payment_id)) {
            holding_piece::Entity::update_many()
                .col_expr(holding_piece::Column::State, Expr::val(piece.state.to_value()))
                .col_expr(holding_piece::Column::Trade, Expr::val(piece.trade))
                .filter(holding_piece::Column::PaymentId.eq(piece.payment_id))
                .exec(tx)
                .await?;
        }
        if self.lacking.is_empty() {
            return Ok(());
        }
        holding::Entity::update_many()
            .col_expr(holding::Column::Lapsed, Expr::val(true))
            .filter(holding::Column::Id.is_in(self.lacking.iter().copied()))
            .exec(tx)
            .await?;
        Ok(())
    }
}
