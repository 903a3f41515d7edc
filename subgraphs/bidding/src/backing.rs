//! Stock behind an ask: before the ask enters the engine, inventory reserves a piece for each of its own, so that nothing is
//! sold in the cart and in the market. What is wanted is a row first: whoever dies on the way leaves it to the
//! [`sweep`], which sends the same ask under the same key.

pub mod sweep;

use std::time::Duration;

use chassis::outbox::{self, about};
use chassis::{Database, Env, Failure, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::inventory::{PiecesRejected, PiecesReserved, ReleaseStock, ReservePieces};
use contract::{BackingId, OfferId, ReservationId, SellerId};
use entity::bidding::backing::{Column, Entity, Model, State};
use entity::bidding::backing_piece::{self, State as Piece};
use entity::bidding::{market, offer};
use matching::{OrderId, Refusal, Side};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::floor::{Floor, NoAnswer};
use crate::limits::LOOK_EVERY;
use crate::order::{self, Done, NewOrder};
use crate::terms::{Terms, backing_id};

/// Pieces of one ask with stock behind it.
pub const PIECES_MAX: i64 = 100;
/// How long a client waits for inventory.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Why an ask was not placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPlaced {
    /// There are fewer pieces than it wants to sell.
    OutOfStock { available: i64 },
    /// As the engine says.
    Refused(Refusal),
    /// Its stock came so late that nobody waited for it.
    Late,
}

/// Whether an offer is the shop's, of what the market trades in.
pub async fn can_back(
    db: &impl ConnectionTrait,
    market: &market::Model,
    shop: SellerId,
    id: OfferId,
) -> Result<bool, Failure> {
    let found = offer::Entity::find_by_id(id).one(db).await?;
    Ok(found.is_some_and(|offer| {
        let is_traded = (offer.variant_id, offer.condition) == (market.variant_id, market.condition);
        is_traded && offer.seller_id == shop && !offer.archived
    }))
}

/// Places an ask once its stock is reserved. `None`: inventory has not answered within `patience`; ask again.
pub async fn place(
    env: &Env,
    floor: &Floor,
    market: &market::Model,
    new: &NewOrder,
    patience: Duration,
) -> Result<Option<Result<Done, NotPlaced>>, NoAnswer> {
    let row = answered(&env.db, begin(env, floor, market, new).await?, patience).await?;
    if row.request_hash != new.terms.request_hash {
        return Ok(Some(Err(NotPlaced::Refused(Refusal::IdempotencyConflict))));
    }
    Ok(Some(match row.state {
        State::Asked => return Ok(None),
        State::Late => Err(NotPlaced::Late),
        State::Short => Err(NotPlaced::OutOfStock { available: row.available.unwrap_or_default() }),
        State::Held | State::Refused => send(env, floor, market, &row).await?.map_err(NotPlaced::Refused),
        State::Placed => Ok(as_it_is(env, &row).await?),
    }))
}

/// What is wanted, as a row. There may be one: of the same request, or of another under the same key.
async fn begin(env: &Env, floor: &Floor, market: &market::Model, new: &NewOrder) -> Result<Model, NoAnswer> {
    let id = backing_id(new.user, &new.operation, &new.key);
    if let Some(row) = Entity::find_by_id(id).one(env.db.read()).await? {
        return Ok(row);
    }
    let now = env.clock.now();
    let row = wanted(id, now, market, new)?;
    let lives = TimeDelta::days(new.days.unwrap_or_default()) + floor.rules().trade_within;
    Ok(tx::apply(&env.db, async |tx| ask(tx, now, row, now + lives).await).await?)
}

fn wanted(
    id: BackingId,
    now: DateTime<Utc>,
    market: &market::Model,
    new: &NewOrder,
) -> Result<Model, Failure> {
    let (Some(seller_id), Some(offer_id)) = (new.terms.seller_id, new.terms.offer_id) else {
        return Err(Failure::msg("stock is kept for the asks of shops"));
    };
    Ok(Model {
        id,
        user_id: new.user,
        seller_id,
        market_id: market.id,
        offer_id,
        operation: new.operation.to_string(),
        key: new.key.clone(),
        price_minor: new.price_minor,
        quantity: new.quantity.into(),
        days: new.days,
        request_hash: new.terms.request_hash.clone(),
        state: State::Asked,
        available: None,
        partition: None,
        number: None,
        lacks: false,
        created_at: now,
    })
}

/// Asks inventory for the pieces, once.
async fn ask(tx: &Tx, now: DateTime<Utc>, row: Model, expires_at: DateTime<Utc>) -> Result<Model, Failure> {
    let (id, offer_id, quantity) = (row.id, row.offer_id, row.quantity);
    let inserted = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 1 {
        let pieces: Vec<_> = (0..quantity).map(|position| piece(id, position)).collect();
        let reservations = pieces.iter().map(|piece| piece.reservation_id).collect();
        let rows = pieces.into_iter().map(IntoActiveModel::into_active_model);
        backing_piece::Entity::insert_many(rows).exec_without_returning(tx).await?;
        let ask = ReservePieces { reservations, offer_id, expires_at };
        outbox::say(tx, now, about("backing", id, 1), ask).await?;
    }
    Entity::find_by_id(id).one(tx).await?.ok_or_else(|| Failure::msg("kept stock vanished"))
}

fn piece(backing_id: BackingId, position: i64) -> backing_piece::Model {
    let reservation_id = ReservationId::new();
    backing_piece::Model { backing_id, position, reservation_id, state: Piece::Kept, trade: None }
}

/// The row once inventory has answered, or when patience ends.
async fn answered(db: &Database, row: Model, patience: Duration) -> Result<Model, Failure> {
    if row.state != State::Asked || patience.is_zero() {
        return Ok(row);
    }
    let looking = async {
        loop {
            tokio::time::sleep(LOOK_EVERY / 4).await;
            match Entity::find_by_id(row.id).one(db.look()).await? {
                Some(row) if row.state != State::Asked => return Ok(row),
                _ => {}
            }
        }
    };
    tokio::time::timeout(patience, looking).await.unwrap_or(Ok(row.clone()))
}

/// Sends the ask: the same command under the same key, whoever sends it and how often.
async fn send(
    env: &Env,
    floor: &Floor,
    market: &market::Model,
    row: &Model,
) -> Result<Result<Done, Refusal>, NoAnswer> {
    let done = order::place(env, floor, market, as_wanted(row)).await?;
    if done.is_err() {
        let now = env.clock.now();
        tx::apply(&env.db, async |tx| give_up(tx, now, row, State::Refused).await).await?;
    }
    Ok(done)
}

fn as_wanted(row: &Model) -> NewOrder {
    NewOrder {
        user: row.user_id,
        operation: row.operation.clone().into(),
        key: row.key.clone(),
        side: Side::Ask,
        price_minor: row.price_minor,
        quantity: row.quantity as u32,
        days: row.days,
        rests_at_most: None,
        terms: Terms {
            seller_id: Some(row.seller_id),
            offer_id: Some(row.offer_id),
            backing_id: Some(row.id),
            request_hash: row.request_hash.clone(),
            ..Terms::default()
        },
    }
}

/// The answer to who asks once more for what was placed.
async fn as_it_is(env: &Env, row: &Model) -> Result<Done, NoAnswer> {
    let (partition, number) = (row.partition.unwrap_or_default(), row.number.unwrap_or_default());
    let order = order::row(env, partition as u32, OrderId(number as u64), 0).await?;
    Ok(Done { order, matches: Vec::new(), reason: None })
}

/// Ends what stands as `row` says, and gives its pieces back.
async fn give_up(tx: &Tx, now: DateTime<Utc>, row: &Model, end: State) -> Result<(), Failure> {
    let ended = Entity::update_many()
        .col_expr(Column::State, Expr::val(end.to_value()))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(row.state))
        .exec(tx)
        .await?;
    if ended.rows_affected == 0 || row.state == end {
        return Ok(());
    }
    let kept = backing_piece::Entity::find()
        .filter(backing_piece::Column::BackingId.eq(row.id))
        .filter(backing_piece::Column::State.eq(Piece::Kept))
        .all(tx)
        .await?;
    free(tx, &kept).await?;
    release(tx, now, &kept, "the ask was not placed").await
}

async fn free(tx: &Tx, pieces: &[backing_piece::Model]) -> Result<(), Failure> {
    if pieces.is_empty() {
        return Ok(());
    }
    backing_piece::Entity::update_many()
        .col_expr(backing_piece::Column::State, Expr::val(Piece::Freed.to_value()))
        .filter(backing_piece::Column::ReservationId.is_in(pieces.iter().map(|piece| piece.reservation_id)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Gives reserved pieces back to whoever wants them.
pub(crate) async fn release(
    tx: &Tx,
    now: DateTime<Utc>,
    pieces: &[backing_piece::Model],
    why: &str,
) -> Result<(), Failure> {
    let asks = pieces.iter().map(|piece| {
        let ask = ReleaseStock { reservation_id: piece.reservation_id, reason: why.into() };
        (about("backing", piece.backing_id, 2), ask.into())
    });
    outbox::say_all(tx, now, asks.collect()).await
}

/// The piece of a match that the engine has forgotten: no ask comes back to need it.
pub(crate) async fn forget_match(env: &Env, partition: u32, trade: i64) -> Result<(), Failure> {
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| {
        let matched = backing_piece::Entity::find()
            .filter(backing_piece::Column::Trade.eq(trade))
            .filter(backing_piece::Column::State.eq(Piece::Matched))
            .all(tx)
            .await?;
        let ids = matched.iter().map(|piece| piece.backing_id);
        let here =
            Entity::find().filter(Column::Id.is_in(ids)).filter(Column::Partition.eq(partition as i32));
        let here: Vec<BackingId> = here.all(tx).await?.into_iter().map(|row| row.id).collect();
        let pieces: Vec<_> = matched.into_iter().filter(|piece| here.contains(&piece.backing_id)).collect();
        free(tx, &pieces).await?;
        release(tx, now, &pieces, "the buyer could not pay").await
    })
    .await
}

/// Inventory has reserved every piece.
pub async fn hear_reserved(tx: &Tx, said: &PiecesReserved) -> Result<(), Failure> {
    let Some(id) = of(tx, &said.reservations).await? else { return Ok(()) };
    Entity::update_many()
        .col_expr(Column::State, Expr::val(State::Held.to_value()))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(State::Asked))
        .exec(tx)
        .await?;
    Ok(())
}

/// Inventory has reserved none.
pub async fn hear_rejected(tx: &Tx, said: &PiecesRejected) -> Result<(), Failure> {
    let Some(id) = of(tx, &said.reservations).await? else { return Ok(()) };
    let short = Entity::update_many()
        .col_expr(Column::State, Expr::val(State::Short.to_value()))
        .col_expr(Column::Available, Expr::val(said.available))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(State::Asked))
        .exec(tx)
        .await?;
    if short.rows_affected == 0 {
        return Ok(());
    }
    let pieces =
        backing_piece::Entity::find().filter(backing_piece::Column::BackingId.eq(id)).all(tx).await?;
    free(tx, &pieces).await
}

/// Stock was given back. Where it was behind an ask, and not by us, the ask must leave.
pub async fn hear_released(tx: &Tx, released: Vec<ReservationId>) -> Result<(), Failure> {
    if released.is_empty() {
        return Ok(());
    }
    let kept = backing_piece::Entity::find()
        .filter(backing_piece::Column::ReservationId.is_in(released))
        .filter(backing_piece::Column::State.eq(Piece::Kept))
        .all(tx)
        .await?;
    if kept.is_empty() {
        return Ok(());
    }
    let lost = Entity::find()
        .filter(Column::Id.is_in(kept.iter().map(|piece| piece.backing_id)))
        .filter(Column::State.is_in([State::Held, State::Placed]));
    let lost: Vec<BackingId> = lost.all(tx).await?.into_iter().map(|row| row.id).collect();
    let pieces: Vec<_> = kept.into_iter().filter(|piece| lost.contains(&piece.backing_id)).collect();
    free(tx, &pieces).await?;
    Entity::update_many()
        .col_expr(Column::Lacks, Expr::val(true))
        .filter(Column::Id.is_in(lost))
        .exec(tx)
        .await?;
    Ok(())
}

async fn of(tx: &Tx, reservations: &[ReservationId]) -> Result<Option<BackingId>, Failure> {
    let first = backing_piece::Column::ReservationId.is_in(reservations.first().copied());
    let found = backing_piece::Entity::find().filter(first).one(tx).await?;
    Ok(found.map(|piece| piece.backing_id))
}
