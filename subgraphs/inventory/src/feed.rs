//! Stock feeds: systems outside that report how many pieces lie at a location.

pub mod batch;
pub mod line;
pub mod report;
mod shelves;

use chassis::idempotency::Conflict;
use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::text::BadText;
use contract::{FeedId, LocationId};
use entity::inventory::feed::{Column, Entity, MatchesBy, Model, OrdersBy};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, Select, SqlErr,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keeper::Keeper;
use crate::limits::{self, FEEDS_MAX};
use crate::location;
use crate::secret::Secrets;

/// A feed and the secret that was made for it just now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyed {
    pub feed: Model,
    pub secret_id: Uuid,
}

/// Make a feed.
#[derive(Clone, Debug)]
pub struct Create {
    pub keeper: Keeper,
    pub location_id: LocationId,
    pub name: String,
    pub matches_by: MatchesBy,
    pub orders_by: OrdersBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateRefusal {
    #[error("there is no such location")]
    LocationNotFound,
    #[error(transparent)]
    NameInvalid(#[from] BadText),
    #[error("the shop has a feed of this name")]
    NameTaken,
    #[error("a shop has at most {FEEDS_MAX} feeds")]
    TooMany,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for CreateRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

pub async fn create(
    tx: &Tx,
    now: DateTime<Utc>,
    secrets: &Secrets,
    command: Create,
) -> Outcome<Keyed, CreateRefusal> {
    let name = match limits::name(&command.name) {
        Ok(name) => name,
        Err(why) => return Ok(Err(why.into())),
    };
    let Some(location) = location::find(tx, command.keeper, command.location_id).await? else {
        return Ok(Err(CreateRefusal::LocationNotFound));
    };
    if Entity::find().filter(Column::SellerId.eq(location.seller_id)).count(tx).await? >= FEEDS_MAX {
        return Ok(Err(CreateRefusal::TooMany));
    }
    let feed = Model {
        id: FeedId::new(),
        seller_id: location.seller_id,
        location_id: location.id,
        name,
        matches_by: command.matches_by,
        orders_by: command.orders_by,
        enabled: true,
        version: 1,
        created_at: now,
    };
    let inserted = Entity::insert(feed.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 0 {
        return Ok(Err(CreateRefusal::NameTaken));
    }
    let secret_id = secrets.replace(tx, now, feed.id.0, false).await?;
    record(tx, now, command.keeper, "feed.created", &feed).await?;
    Ok(Ok(Keyed { feed, secret_id }))
}

/// Rename a feed, switch it off or on. What is `None` stays.
#[derive(Clone, Debug)]
pub struct Change {
    pub keeper: Keeper,
    pub id: FeedId,
    pub expected_version: Option<i64>,
    pub name: Option<String>,
    pub enabled: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    #[error("there is no such feed")]
    NotFound,
    #[error(transparent)]
    NameInvalid(#[from] BadText),
    #[error("the shop has a feed of this name")]
    NameTaken,
    #[error("somebody changed it first, to version {current}")]
    StaleVersion { current: i64 },
}

pub async fn change(tx: &Tx, now: DateTime<Utc>, command: Change) -> Outcome<Model, ChangeRefusal> {
    let name = match command.name.as_deref().map(limits::name).transpose() {
        Ok(name) => name,
        Err(why) => return Ok(Err(why.into())),
    };
    let Some(before) = find(tx, command.keeper, command.id).await? else {
        return Ok(Err(ChangeRefusal::NotFound));
    };
    if command.expected_version.is_some_and(|expected| expected != before.version) {
        return Ok(Err(ChangeRefusal::StaleVersion { current: before.version }));
    }
    let after = Model {
        name: name.unwrap_or_else(|| before.name.clone()),
        enabled: command.enabled.unwrap_or(before.enabled),
        version: before.version + 1,
        ..before.clone()
    };
    if let Err(refusal) = write(tx, &before, &after).await? {
        return Ok(Err(refusal));
    }
    record(tx, now, command.keeper, "feed.changed", &after).await?;
    Ok(Ok(after))
}

async fn write(tx: &Tx, before: &Model, after: &Model) -> Outcome<(), ChangeRefusal> {
    let mut row = before.clone().into_active_model();
    (row.name, row.enabled, row.version) = (Set(after.name.clone()), Set(after.enabled), Set(after.version));
    let changed = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(before.id))
        .filter(Column::Version.eq(before.version))
        .exec(tx)
        .await;
    Ok(match changed {
        Ok(changed) if changed.rows_affected == 1 => Ok(()),
        Ok(_) => Err(ChangeRefusal::StaleVersion { current: before.version + 1 }),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Err(ChangeRefusal::NameTaken)
        }
        Err(error) => return Err(error.into()),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotateRefusal {
    #[error("there is no such feed")]
    NotFound,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for RotateRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Gives the feed a new secret.
pub async fn rotate(
    tx: &Tx,
    now: DateTime<Utc>,
    secrets: &Secrets,
    keeper: Keeper,
    id: FeedId,
    end_old_now: bool,
) -> Outcome<Keyed, RotateRefusal> {
    let Some(feed) = find(tx, keeper, id).await? else {
        return Ok(Err(RotateRefusal::NotFound));
    };
    let secret_id = secrets.replace(tx, now, feed.id.0, end_old_now).await?;
    record(tx, now, keeper, "feed.secret_rotated", &feed).await?;
    Ok(Ok(Keyed { feed, secret_id }))
}

async fn record(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    action: &str,
    feed: &Model,
) -> Result<(), Failure> {
    let details = serde_json::json!({ "enabled": feed.enabled, "version": feed.version });
    audit::record(tx, now, &keeper.actor(), action, &feed.id.to_string(), details).await
}

/// The feeds that are the keeper's to use.
pub fn kept_by(keeper: Keeper) -> Select<Entity> {
    Entity::find().filter(keeper.keeps(Column::SellerId))
}

/// The feed, if it is the keeper's to use.
pub async fn find(db: &impl ConnectionTrait, keeper: Keeper, id: FeedId) -> Result<Option<Model>, Failure> {
    Ok(kept_by(keeper).filter(Column::Id.eq(id)).one(db).await?)
}
