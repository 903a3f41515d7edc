//! The stock behind asks, as their orders change: each matched piece takes a reserved one along, a piece whose payment failed
//! brings its own back, and what the book does not need any more is given back.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Failure, Tx};
use contract::event::bidding::Backing;
use contract::{BackingId, OfferId};
use entity::bidding::backing_piece::{self, State};
use entity::bidding::{backing, order};
use matching::{BookEvent, Change, Matched, PaymentFailed, Side};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::projection::{Orders, time};
use crate::backing::release;

/// The reserved piece that goes with a matched one, by the number of that.
pub(super) type Behind = BTreeMap<i64, Backing>;

/// Follows what `events` did to asks that stock is kept for.
pub(super) async fn enter(
    tx: &Tx,
    partition: i32,
    events: &[BookEvent],
    orders: &Orders,
) -> Result<Behind, Failure> {
    let backed: Vec<Ask> = orders.values().filter_map(Ask::of).collect();
    let (Some(last), false) = (events.last(), backed.is_empty()) else { return Ok(Behind::new()) };
    place(tx, partition, events, &backed).await?;
    let mut shelf = Shelf::open(tx, backed).await?;
    events.iter().for_each(|event| shelf.hear(event));
    let freed = shelf.put_back();
    shelf.save(tx).await?;
    release(tx, time(last.ts), &freed, "the ask needs it no more").await?;
    Ok(shelf.behind)
}

/// An ask that stock is kept for.
#[derive(Clone, Copy)]
struct Ask {
    number: i64,
    backing: BackingId,
    offer: OfferId,
    /// Pieces in the book.
    rests: i64,
}

impl Ask {
    fn of(order: &order::Model) -> Option<Self> {
        let (backing, offer) = (order.backing_id?, order.offer_id?);
        let rests = if order.status == order::Status::Open { order.remaining } else { 0 };
        Some(Self { number: order.number, backing, offer, rests })
    }
}

/// Notes which order an ask became.
async fn place(tx: &Tx, partition: i32, events: &[BookEvent], backed: &[Ask]) -> Result<(), Failure> {
    let placed = events.iter().filter_map(|event| match event.change {
        Change::Placed(placed) => Some(placed.order.0 as i64),
        _ => None,
    });
    let placed: BTreeSet<i64> = placed.collect();
    for ask in backed.iter().filter(|ask| placed.contains(&ask.number)) {
        backing::Entity::update_many()
            .col_expr(backing::Column::State, Expr::val(backing::State::Placed.to_value()))
            .col_expr(backing::Column::Partition, Expr::val(partition))
            .col_expr(backing::Column::Number, Expr::val(ask.number))
            .filter(backing::Column::Id.eq(ask.backing))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Reserved pieces of the asks that something happened to.
struct Shelf {
    asks: BTreeMap<i64, Ask>,
    pieces: BTreeMap<BackingId, Vec<backing_piece::Model>>,
    changed: BTreeSet<(BackingId, i64)>,
    lacking: BTreeSet<BackingId>,
    behind: Behind,
}

impl Shelf {
    async fn open(tx: &Tx, asks: Vec<Ask>) -> Result<Self, Failure> {
        let rows = backing_piece::Entity::find()
            .filter(backing_piece::Column::BackingId.is_in(asks.iter().map(|ask| ask.backing)))
            .order_by_asc(backing_piece::Column::BackingId)
            .order_by_asc(backing_piece::Column::Position)
            .all(tx)
            .await?;
        let mut pieces: BTreeMap<BackingId, Vec<backing_piece::Model>> = BTreeMap::new();
        for row in rows {
            pieces.entry(row.backing_id).or_default().push(row);
        }
        let asks = asks.into_iter().map(|ask| (ask.number, ask)).collect();
        Ok(Self { asks, pieces, changed: BTreeSet::new(), lacking: BTreeSet::new(), behind: Behind::new() })
    }

    fn hear(&mut self, event: &BookEvent) {
        match event.change {
            Change::Matched(Matched { maker, maker_side, taker, trade, quantity, .. }) => {
                let ask = if maker_side == Side::Ask { maker } else { taker };
                let Some(ask) = self.asks.get(&(ask.0 as i64)).copied() else { return };
                let first = trade.0 as i64;
                (first..first + i64::from(quantity)).for_each(|trade| self.take(ask, trade));
            }
            Change::PaymentFailed(PaymentFailed { trade, ask, .. }) => {
                if let Some(ask) = self.asks.get(&(ask.0 as i64)).copied() {
                    let trade = trade.0 as i64;
                    self.turn(ask, |piece| piece.trade == Some(trade), State::Kept, None);
                    // Who heard of the match in the same breath hears nothing of a piece that is back.
                    self.behind.remove(&trade);
                }
            }
            _ => {}
        }
    }

    /// A matched piece takes the first that is kept.
    fn take(&mut self, ask: Ask, trade: i64) {
        let taken = self.turn(ask, |piece| piece.state == State::Kept, State::Matched, Some(trade));
        if let Some(piece) = taken {
            let backing = Backing { offer_id: ask.offer, reservation_id: piece.reservation_id };
            self.behind.insert(trade, backing);
        }
    }

    fn turn(
        &mut self,
        ask: Ask,
        which: impl Fn(&backing_piece::Model) -> bool,
        state: State,
        trade: Option<i64>,
    ) -> Option<backing_piece::Model> {
        let piece = self.pieces.get_mut(&ask.backing)?.iter_mut().find(|piece| which(piece))?;
        (piece.state, piece.trade) = (state, trade);
        self.changed.insert((piece.backing_id, piece.position));
        Some(piece.clone())
    }

    /// Gives back what is kept beyond what rests, the last first; and notes who has too little.
    fn put_back(&mut self) -> Vec<backing_piece::Model> {
        let mut freed = Vec::new();
        for ask in self.asks.values() {
            let pieces = self.pieces.entry(ask.backing).or_default();
            let kept = pieces.iter_mut().filter(|piece| piece.state == State::Kept);
            let mut kept: Vec<&mut backing_piece::Model> = kept.collect();
            if (kept.len() as i64) < ask.rests {
                self.lacking.insert(ask.backing);
            }
            for piece in kept.split_off(kept.len().min(ask.rests as usize)) {
                piece.state = State::Freed;
                self.changed.insert((piece.backing_id, piece.position));
                freed.push(piece.clone());
            }
        }
        freed
    }

    async fn save(&self, tx: &Tx) -> Result<(), Failure> {
        let changed = self.pieces.values().flatten();
        for piece in changed.filter(|piece| self.changed.contains(&(piece.backing_id, piece.position))) {
            backing_piece::Entity::update_many()
                .col_expr(backing_piece::Column::State, Expr::val(piece.state.to_value()))
                .col_expr(backing_piece::Column::Trade, Expr::val(piece.trade))
                .filter(backing_piece::Column::BackingId.eq(piece.backing_id))
                .filter(backing_piece::Column::Position.eq(piece.position))
                .exec(tx)
                .await?;
        }
        if self.lacking.is_empty() {
            return Ok(());
        }
        backing::Entity::update_many()
            .col_expr(backing::Column::Lacks, Expr::val(true))
            .filter(backing::Column::Id.is_in(self.lacking.iter().copied()))
            .exec(tx)
            .await?;
        Ok(())
    }
}
