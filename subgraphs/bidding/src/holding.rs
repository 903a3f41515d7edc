//! Money behind a bid, where the marketplace wants it ([`BidPolicy::FullHold`](crate::rules::BidPolicy)): before the bid
//! enters the engine, payments holds what each of its pieces may cost, so that whoever is matched can pay. What is wanted is
//! a row first: whoever dies on the way leaves it to the [`sweep`], which sends the same bid under the same key.

mod heard;
pub mod sweep;

use std::time::Duration;

use chassis::outbox::{self, about};
use chassis::{Database, Env, Failure, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::payments::{HoldMoney, VoidPayment};
use contract::{OrderId as PaidOrder, PaymentId};
use entity::bidding::holding::{Column, Entity, Model, State};
use entity::bidding::holding_piece::{self, State as Piece};
use entity::bidding::market;
use matching::{OrderId, Refusal, Side};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

pub(crate) use heard::{hear, lock};

use crate::backing::NotPlaced;
use crate::floor::{Floor, NoAnswer};
use crate::limits::LOOK_EVERY;
use crate::order::{self, Done, NewOrder};
use crate::terms::{Terms, holding_id};

/// Pieces of one bid that is held for.
pub const PIECES_MAX: i64 = 100;
/// How long a client waits for the provider.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long before its holds end a bid is dead: whatever is matched at its last moment is still to be captured.
pub const ENDS_BEFORE: TimeDelta = TimeDelta::hours(2);
/// How much longer than it may rest a bid's money may be held: a match at its last moment is still to be captured.
const NEEDED_LONGER: TimeDelta = TimeDelta::days(1);

/// Why a bid was not placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoBid {
    /// Nothing is held: the provider's word, and a text for the buyer.
    Declined { code: String, message: String },
    /// As for any order.
    NotPlaced(NotPlaced),
}

impl From<Refusal> for NoBid {
    fn from(refusal: Refusal) -> Self {
        Self::NotPlaced(NotPlaced::Refused(refusal))
    }
}

/// Places a bid once money is held for each of its pieces. `None`: the provider has not answered within `patience`; ask again.
pub async fn place(
    env: &Env,
    floor: &Floor,
    market: &market::Model,
    new: &NewOrder,
    patience: Duration,
) -> Result<Option<Result<Done, NoBid>>, NoAnswer> {
    let begun = match begin(env, market, new).await? {
        Ok(begun) => begun,
        Err(refusal) => return Ok(Some(Err(refusal.into()))),
    };
    let row = answered(&env.db, begun, patience).await?;
    if row.request_hash != new.terms.request_hash {
        return Ok(Some(Err(Refusal::IdempotencyConflict.into())));
    }
    Ok(Some(match row.state {
        State::Asked => return Ok(None),
        State::Late => Err(NoBid::NotPlaced(NotPlaced::Late)),
        State::Declined => {
            let (code, message) = (row.code.unwrap_or_default(), row.message.unwrap_or_default());
            Err(NoBid::Declined { code, message })
        }
        State::Held | State::Refused => send(env, floor, market, &row).await?.map_err(NoBid::from),
        State::Placed => Ok(as_it_is(env, &row).await?),
    }))
}

/// What is wanted, as a row. There may be one: of the same request, or of another under the same key. Nothing is held for a
/// price that the market does not take.
async fn begin(
    env: &Env,
    market: &market::Model,
    new: &NewOrder,
) -> Result<Result<Model, Refusal>, NoAnswer> {
    let now = env.clock.now();
    let row = wanted(now, market, new)?;
    if let Some(row) = Entity::find_by_id(row.id).one(env.db.read()).await? {
        return Ok(Ok(row));
    }
    if let Some(refusal) = misses(market, new.price_minor) {
        return Ok(Err(refusal));
    }
    let until = now + TimeDelta::days(new.days.unwrap_or_default()) + NEEDED_LONGER;
    Ok(Ok(tx::apply(&env.db, async |tx| ask(tx, now, market, row, until).await).await?))
}

/// What the engine would say of the price.
fn misses(market: &market::Model, price: i64) -> Option<Refusal> {
    let (price_min, price_max, tick) = (market.price_min_minor, market.price_max_minor, market.tick_minor);
    match (price_min..=price_max).contains(&price) {
        false => Some(Refusal::PriceOutOfRange { price_min, price_max }),
        true => (price % tick != 0).then_some(Refusal::PriceOffTick { tick }),
    }
}

fn wanted(now: DateTime<Utc>, market: &market::Model, new: &NewOrder) -> Result<Model, Failure> {
    let (Some(payment_method), Some(address_id)) = (new.terms.payment_method.clone(), new.terms.address_id)
    else {
        return Err(Failure::msg("money is held for bids"));
    };
    Ok(Model {
        id: holding_id(new.user, &new.operation, &new.key),
        user_id: new.user,
        market_id: market.id,
        operation: new.operation.to_string(),
        key: new.key.clone(),
        price_minor: new.price_minor,
        quantity: new.quantity.into(),
        days: new.days,
        payment_method,
        address_id,
        request_hash: new.terms.request_hash.clone(),
        state: State::Asked,
        code: None,
        message: None,
        held_until: None,
        partition: None,
        number: None,
        lapsed: false,
        created_at: now,
    })
}

/// Asks payments for a hold for each piece, once.
async fn ask(
    tx: &Tx,
    now: DateTime<Utc>,
    market: &market::Model,
    row: Model,
    expires_at: DateTime<Utc>,
) -> Result<Model, Failure> {
    let inserted = Entity::insert(row.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 1 {
        let pieces: Vec<_> = (0..row.quantity).map(|position| piece(&row, position)).collect();
        let asks = pieces.iter().map(|piece| {
            let ask = HoldMoney {
                payment_id: piece.payment_id,
                user_id: row.user_id,
                amount: market.money(row.price_minor),
                method: row.payment_method.clone(),
                expires_at,
            };
            (about("hold", piece.payment_id, 1), ask.into())
        });
        outbox::say_all(tx, now, asks.collect()).await?;
        let rows = pieces.into_iter().map(IntoActiveModel::into_active_model);
        holding_piece::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Entity::find_by_id(row.id).one(tx).await?.ok_or_else(|| Failure::msg("what is held vanished"))
}

fn piece(row: &Model, position: i64) -> holding_piece::Model {
    holding_piece::Model {
        payment_id: PaymentId::new(),
        holding_id: row.id,
        position,
        state: Piece::Asked,
        held_until: None,
        trade: None,
    }
}

/// The row once the provider has answered, or when patience ends.
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

/// Sends the bid: the same command under the same key, whoever sends it and how often.
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
        side: Side::Bid,
        price_minor: row.price_minor,
        quantity: row.quantity as u32,
        days: row.days,
        rests_at_most: row.held_until.map(|until| until - row.created_at - ENDS_BEFORE),
        terms: Terms {
            payment_method: Some(row.payment_method.clone()),
            address_id: Some(row.address_id),
            holding_id: Some(row.id),
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

/// Ends what stands as `row` says, and gives its holds up.
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
    give_up_pieces(tx, now, row, "the bid was not placed").await
}

/// Gives up every hold that no match has taken.
async fn give_up_pieces(tx: &Tx, now: DateTime<Utc>, row: &Model, why: &str) -> Result<(), Failure> {
    let free = holding_piece::Entity::find()
        .filter(holding_piece::Column::HoldingId.eq(row.id))
        .filter(holding_piece::Column::State.is_in([Piece::Asked, Piece::Held]))
        .all(tx)
        .await?;
    if free.is_empty() {
        return Ok(());
    }
    holding_piece::Entity::update_many()
        .col_expr(holding_piece::Column::State, Expr::val(Piece::Freed.to_value()))
        .filter(holding_piece::Column::PaymentId.is_in(free.iter().map(|piece| piece.payment_id)))
        .exec(tx)
        .await?;
    void(tx, now, &free, why).await
}

/// Asks payments to give holds up. A trade that has taken one keeps it.
pub(crate) async fn void(
    tx: &Tx,
    now: DateTime<Utc>,
    pieces: &[holding_piece::Model],
    why: &str,
) -> Result<(), Failure> {
    let asks = pieces.iter().map(|piece| {
        let (payment_id, order_id) = (piece.payment_id, PaidOrder(piece.payment_id.0));
        let ask = VoidPayment { payment_id, order_id, reason: why.into() };
        (about("hold", payment_id, 2), ask.into())
    });
    outbox::say_all(tx, now, asks.collect()).await
}
