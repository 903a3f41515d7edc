//! Webhooks: addresses outside that are told of a seller's stock.

pub mod deliver;
mod pending;

use chassis::idempotency::Conflict;
use chassis::reach::OutOfReach;
use chassis::{Failure, Outcome, Reach, Tx, audit};
use chrono::{DateTime, Utc};
use contract::{DeliveryId, SellerId, WebhookId};
use entity::inventory::webhook::{Column, Entity, Model};
use entity::inventory::webhook_delivery::{self, State};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, Select, SqlErr,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::pending::note;
use crate::keeper::Keeper;
use crate::limits::WEBHOOKS_MAX;
use crate::secret::Secrets;

/// A webhook and the secret that was made for it just now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyed {
    pub webhook: Model,
    pub secret_id: Uuid,
}

/// Make a webhook.
#[derive(Clone, Debug)]
pub struct Create {
    pub keeper: Keeper,
    /// May be left out by a seller with one shop.
    pub seller_id: Option<SellerId>,
    pub url: String,
    pub reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateRefusal {
    #[error("there is no such shop")]
    SellerNotFound,
    #[error(transparent)]
    UrlInvalid(#[from] OutOfReach),
    #[error("a shop has at most {WEBHOOKS_MAX} webhooks")]
    TooMany,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for CreateRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// The first that a new webhook is told is all of the seller's stock.
pub async fn create(
    tx: &Tx,
    now: DateTime<Utc>,
    secrets: &Secrets,
    command: Create,
) -> Outcome<Keyed, CreateRefusal> {
    let url = match command.reach.check(&command.url) {
        Ok(url) => url.into(),
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    let Some(seller_id) = command.keeper.shop(tx, command.seller_id).await? else {
        return Ok(Err(CreateRefusal::SellerNotFound));
    };
    if Entity::find().filter(Column::SellerId.eq(seller_id)).count(tx).await? >= WEBHOOKS_MAX {
        return Ok(Err(CreateRefusal::TooMany));
    }
    let webhook = Model {
        id: WebhookId::new(),
        seller_id,
        url,
        enabled: true,
        failing_since: None,
        given_up: false,
        claimed_until: now,
        version: 1,
        created_at: now,
    };
    Entity::insert(webhook.clone().into_active_model()).exec_without_returning(tx).await?;
    let secret_id = secrets.replace(tx, now, webhook.id.0, false).await?;
    pending::note_everything(tx, now, &webhook).await?;
    record(tx, now, command.keeper, "webhook.created", &webhook).await?;
    Ok(Ok(Keyed { webhook, secret_id }))
}

/// Move a webhook, or switch it off or on. What is `None` stays.
#[derive(Clone, Debug)]
pub struct Change {
    pub keeper: Keeper,
    pub id: WebhookId,
    pub expected_version: Option<i64>,
    pub url: Option<String>,
    pub enabled: Option<bool>,
    pub reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    #[error("there is no such webhook")]
    NotFound,
    #[error(transparent)]
    UrlInvalid(#[from] OutOfReach),
    #[error("somebody changed it first, to version {current}")]
    StaleVersion { current: i64 },
}

/// One that is switched on is told all of the seller's stock: it may have missed some.
pub async fn change(tx: &Tx, now: DateTime<Utc>, command: Change) -> Outcome<Model, ChangeRefusal> {
    let url = match command.url.map(|url| command.reach.check(&url)).transpose() {
        Ok(url) => url.map(String::from),
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    let Some(before) = find(tx, command.keeper, command.id).await? else {
        return Ok(Err(ChangeRefusal::NotFound));
    };
    if command.expected_version.is_some_and(|expected| expected != before.version) {
        return Ok(Err(ChangeRefusal::StaleVersion { current: before.version }));
    }
    let enabled = command.enabled.unwrap_or(before.enabled);
    let switched_on = enabled && !before.enabled;
    let after = Model {
        url: url.unwrap_or_else(|| before.url.clone()),
        enabled,
        failing_since: before.failing_since.filter(|_| !switched_on),
        given_up: before.given_up && !switched_on,
        version: before.version + 1,
        ..before.clone()
    };
    if !write(tx, &before, &after).await? {
        return Ok(Err(ChangeRefusal::StaleVersion { current: before.version + 1 }));
    }
    if switched_on {
        pending::note_everything(tx, now, &after).await?;
    }
    record(tx, now, command.keeper, "webhook.changed", &after).await?;
    Ok(Ok(after))
}

/// Leaves alone what deliveries write. `false`: somebody changed it first.
async fn write(tx: &Tx, before: &Model, after: &Model) -> Result<bool, Failure> {
    let mut row = entity::inventory::webhook::ActiveModel {
        url: Set(after.url.clone()),
        enabled: Set(after.enabled),
        version: Set(after.version),
        ..Default::default()
    };
    if after.enabled != before.enabled {
        (row.failing_since, row.given_up) = (Set(after.failing_since), Set(after.given_up));
    }
    let changed = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(before.id))
        .filter(Column::Version.eq(before.version))
        .exec(tx)
        .await?;
    Ok(changed.rows_affected == 1)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotateRefusal {
    #[error("there is no such webhook")]
    NotFound,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for RotateRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Gives the webhook a new secret. While two are valid, deliveries are signed with both.
pub async fn rotate(
    tx: &Tx,
    now: DateTime<Utc>,
    secrets: &Secrets,
    keeper: Keeper,
    id: WebhookId,
    end_old_now: bool,
) -> Outcome<Keyed, RotateRefusal> {
    let Some(webhook) = find(tx, keeper, id).await? else {
        return Ok(Err(RotateRefusal::NotFound));
    };
    let secret_id = secrets.replace(tx, now, webhook.id.0, end_old_now).await?;
    record(tx, now, keeper, "webhook.secret_rotated", &webhook).await?;
    Ok(Ok(Keyed { webhook, secret_id }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedeliverRefusal {
    #[error("there is no such delivery")]
    NotFound,
    #[error("it waits to be sent already")]
    Waiting,
    #[error("another delivery waits to be sent, and goes first")]
    AnotherWaits,
}

/// Sends a delivery again, with the same id and body.
pub async fn redeliver(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    id: DeliveryId,
) -> Outcome<webhook_delivery::Model, RedeliverRefusal> {
    use webhook_delivery::{Column, Entity};
    let Some(before) = Entity::find_by_id(id).one(tx).await? else {
        return Ok(Err(RedeliverRefusal::NotFound));
    };
    if find(tx, keeper, before.webhook_id).await?.is_none() {
        return Ok(Err(RedeliverRefusal::NotFound));
    }
    let mut row = <webhook_delivery::ActiveModel as Default>::default();
    (row.state, row.attempts) = (Set(State::Waiting), Set(0));
    (row.began_at, row.next_attempt_at) = (Set(now), Set(now));
    let waits = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id))
        .filter(Column::State.ne(State::Waiting))
        .exec(tx)
        .await;
    Ok(match waits {
        Ok(waits) if waits.rows_affected == 0 => Err(RedeliverRefusal::Waiting),
        Ok(_) => {
            let again = webhook_delivery::Model { state: State::Waiting, attempts: 0, ..before };
            Ok(webhook_delivery::Model { began_at: now, next_attempt_at: now, ..again })
        }
        // The index that lets one delivery of a webhook wait.
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Err(RedeliverRefusal::AnotherWaits)
        }
        Err(error) => return Err(error.into()),
    })
}

async fn record(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    action: &str,
    webhook: &Model,
) -> Result<(), Failure> {
    let details = serde_json::json!({ "enabled": webhook.enabled, "version": webhook.version });
    audit::record(tx, now, &keeper.actor(), action, &webhook.id.to_string(), details).await
}

/// The webhooks that are the keeper's to use.
pub fn kept_by(keeper: Keeper) -> Select<Entity> {
    Entity::find().filter(keeper.keeps(Column::SellerId))
}

/// The webhook, if it is the keeper's to use.
pub async fn find(
    db: &impl ConnectionTrait,
    keeper: Keeper,
    id: WebhookId,
) -> Result<Option<Model>, Failure> {
    Ok(kept_by(keeper).filter(Column::Id.eq(id)).one(db).await?)
}
