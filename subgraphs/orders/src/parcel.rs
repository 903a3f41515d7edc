//! Parcels: sellers send them, whole or in parts; they arrive because somebody says so or because their time is up.

use std::sync::Arc;
use std::time::Duration;

use chassis::idempotency::Conflict;
use chassis::{Env, Failure, Job, Outcome, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::orders::{OrderDelivered, OrderShipped};
use contract::{FulfilmentId, OrderId};
use entity::orders::fulfilment::{Column, Entity, Model};
use futures::FutureExt;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use crate::facts::{Facts, Parcel, Pieces};
use crate::keeper::Keeper;
use crate::limits::{LINE_LENGTH_MAX, NAME_LENGTH_MAX, is_line_of_text};
use crate::order::Reader;
use crate::sale::{Sale, Unfit};

/// When a parcel counts as delivered if nobody says so.
const ARRIVES_WITHIN: TimeDelta = TimeDelta::days(14);
/// Parcels looked at in one round.
const SWEEP_BATCH: u64 = 256;
/// How often to look.
const SWEEP_PAUSE: Duration = Duration::from_secs(60);

/// Send pieces of one seller.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Ship {
    pub order_id: OrderId,
    pub pieces: Vec<Pieces>,
    pub carrier: String,
    pub tracking: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShipRefusal {
    #[error("there is no such paid order with goods of yours")]
    NotFound,
    #[error("must name lines of yours, each once, and at least one piece of each")]
    LinesInvalid,
    #[error("fewer pieces are left to send")]
    TooMany { line: i32, left: i64 },
    #[error("must be 1 to {NAME_LENGTH_MAX} characters, without control characters")]
    CarrierInvalid,
    #[error("must be 1 to {LINE_LENGTH_MAX} characters, without control characters")]
    TrackingInvalid,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for ShipRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Sends a parcel.
pub async fn ship(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    command: Ship,
) -> Outcome<FulfilmentId, ShipRefusal> {
    if !is_line_of_text(&command.carrier, NAME_LENGTH_MAX) {
        return Ok(Err(ShipRefusal::CarrierInvalid));
    }
    if command.tracking.as_ref().is_some_and(|text| !is_line_of_text(text, LINE_LENGTH_MAX)) {
        return Ok(Err(ShipRefusal::TrackingInvalid));
    }
    let Some(mut sale) = Sale::open(tx, command.order_id).await? else {
        return Ok(Err(ShipRefusal::NotFound));
    };
    let seller_id = match sale.seller_of(&command.pieces, Facts::unsent) {
        Ok(seller) => seller,
        Err(unfit) => {
            // Whose order it is comes before what is wrong with the lines.
            let own = keeper.shop_in(tx, sale.facts.shares.iter().map(|share| share.seller_id)).await?;
            return Ok(Err(if own { unfit.into() } else { ShipRefusal::NotFound }));
        }
    };
    if keeper.shop(tx, Some(seller_id)).await?.is_none() {
        return Ok(Err(ShipRefusal::NotFound));
    }
    let row = Model {
        id: FulfilmentId::new(),
        order_id: sale.order.id,
        seller_id,
        carrier: command.carrier,
        tracking: command.tracking,
        lines: serde_json::to_string(&command.pieces)?,
        shipped_at: now,
        deliver_by: Some(now + ARRIVES_WITHIN),
        delivered_at: None,
    };
    Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    sale.facts.parcels.push(Parcel { seller_id, pieces: command.pieces.clone(), delivered: false });
    let details = json!({ "fulfilment": row.id, "lines": command.pieces, "carrier": row.carrier });
    sale.log(tx, now, "shipped", &keeper.actor(), details).await?;
    let told = OrderShipped {
        order_id: row.order_id,
        user_id: sale.order.user_id,
        seller_id,
        fulfilment_id: row.id,
        carrier: row.carrier,
        tracking: row.tracking,
    };
    sale.say(tx, now, vec![told.into()]).await?;
    Ok(Ok(row.id))
}

impl From<Unfit> for ShipRefusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Invalid | Unfit::NoLine { .. } => Self::LinesInvalid,
            Unfit::TooMany { line, left } => Self::TooMany { line, left },
        }
    }
}

/// Who says that a parcel arrived.
#[derive(Clone, Copy, Debug)]
pub enum Witness {
    Keeper(Keeper),
    /// The buyer of the order.
    Buyer(Reader),
    /// Nobody said that it did not.
    Timer,
}

/// A parcel arrived. `None`: there is no such parcel of the witness's. Arriving twice is arriving once.
pub async fn deliver(
    tx: &Tx,
    now: DateTime<Utc>,
    witness: Witness,
    id: FulfilmentId,
) -> Result<Option<Model>, Failure> {
    let Some(row) = Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    let Some(mut sale) = Sale::open(tx, row.order_id).await? else { return Ok(None) };
    let actor = match witness {
        Witness::Keeper(keeper) if keeper.shop(tx, Some(row.seller_id)).await?.is_some() => keeper.actor(),
        Witness::Buyer(Reader::Buyer(user)) if sale.order.user_id == Some(user) => user.to_string(),
        Witness::Buyer(Reader::TokenHolder) => "guest".into(),
        Witness::Timer => "timer".into(),
        _ => return Ok(None),
    };
    // Under the order's lock: somebody may have said so meanwhile.
    let Some(mut row) = Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    if row.delivered_at.is_some() {
        return Ok(Some(row));
    }
    (row.delivered_at, row.deliver_by) = (Some(now), None);
    Entity::update(row.clone().into_active_model().reset_all()).exec(tx).await?;
    sale.facts = crate::sale::facts(tx, &[row.order_id]).await?.remove(&row.order_id).unwrap_or_default();
    sale.log(tx, now, "delivered", &actor, json!({ "fulfilment": row.id })).await?;
    let told = OrderDelivered {
        order_id: row.order_id,
        user_id: sale.order.user_id,
        seller_id: row.seller_id,
        fulfilment_id: row.id,
    };
    sale.say(tx, now, vec![told.into()]).await?;
    sale.release(tx, now, row.seller_id).await?;
    Ok(Some(row))
}

/// Whether a parcel is of this order.
pub async fn is_of(tx: &Tx, id: FulfilmentId, order: OrderId) -> Result<bool, Failure> {
    Ok(Entity::find_by_id(id).filter(Column::OrderId.eq(order)).one(tx).await?.is_some())
}

/// The sweeper of parcels whose time is up.
pub fn sweeper(env: &Env) -> Job {
    let env = env.clone();
    Job {
        name: "orders parcel sweeper",
        pause: SWEEP_PAUSE,
        run: Arc::new(move || {
            let env = env.clone();
            async move { sweep(&env).await.map(drop) }.boxed()
        }),
    }
}

/// Counts every parcel whose time is up as delivered; how many. Two processes that sweep at once do each once.
pub async fn sweep(env: &Env) -> Result<usize, Failure> {
    let now = env.clock.now();
    let due: Vec<FulfilmentId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::DeliverBy.lte(now))
        .order_by_asc(Column::DeliverBy)
        .limit(SWEEP_BATCH)
        .into_tuple()
        .all(env.db.read())
        .await?;
    for id in &due {
        tx::apply(&env.db, async |tx| deliver(tx, now, Witness::Timer, *id).await).await?;
    }
    Ok(due.len())
}
