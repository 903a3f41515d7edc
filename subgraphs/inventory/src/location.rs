//! Places where sellers keep stock.

use chassis::idempotency::Conflict;
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::text::BadText;
use contract::{LocationId, SellerId};
use entity::inventory::location::{Column, Entity, Model};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Select, SqlErr,
};

use crate::keeper::Keeper;
use crate::limits;

/// Open a new location.
#[derive(Clone, Debug)]
pub struct Create {
    pub keeper: Keeper,
    /// May be left out by a seller with one shop.
    pub seller_id: Option<SellerId>,
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateRefusal {
    #[error("there is no such shop")]
    SellerNotFound,
    #[error(transparent)]
    NameInvalid(#[from] BadText),
    #[error("the shop has a location of this name")]
    NameTaken,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for CreateRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

pub async fn create(tx: &Tx, now: DateTime<Utc>, command: Create) -> Outcome<Model, CreateRefusal> {
    let name = match limits::name(&command.name) {
        Ok(name) => name,
        Err(why) => return Ok(Err(why.into())),
    };
    let Some(seller_id) = command.keeper.shop(tx, command.seller_id).await? else {
        return Ok(Err(CreateRefusal::SellerNotFound));
    };
    let location = Model { id: LocationId::new(), seller_id, name, open: true, version: 1, created_at: now };
    let inserted = Entity::insert(location.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(if inserted == 1 { Ok(location) } else { Err(CreateRefusal::NameTaken) })
}

/// Rename, close or reopen a location. What is `None` stays.
#[derive(Clone, Debug)]
pub struct Change {
    pub keeper: Keeper,
    pub id: LocationId,
    pub expected_version: Option<i64>,
    pub name: Option<String>,
    pub open: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    #[error("there is no such location")]
    NotFound,
    #[error(transparent)]
    NameInvalid(#[from] BadText),
    #[error("the shop has a location of this name")]
    NameTaken,
    #[error("somebody changed it first, to version {current}")]
    StaleVersion { current: i64 },
}

pub async fn change(tx: &Tx, command: Change) -> Outcome<Model, ChangeRefusal> {
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
        open: command.open.unwrap_or(before.open),
        version: before.version + 1,
        ..before.clone()
    };
    write(tx, &before, after).await
}

async fn write(tx: &Tx, before: &Model, after: Model) -> Outcome<Model, ChangeRefusal> {
    let mut row = before.clone().into_active_model();
    (row.name, row.open, row.version) = (Set(after.name.clone()), Set(after.open), Set(after.version));
    let changed = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(before.id))
        .filter(Column::Version.eq(before.version))
        .exec(tx)
        .await;
    Ok(match changed {
        Ok(changed) if changed.rows_affected == 1 => Ok(after),
        Ok(_) => Err(ChangeRefusal::StaleVersion { current: before.version + 1 }),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Err(ChangeRefusal::NameTaken)
        }
        Err(error) => return Err(error.into()),
    })
}

/// The locations that are the keeper's to use.
pub fn kept_by(keeper: Keeper) -> Select<Entity> {
    Entity::find().filter(keeper.keeps(Column::SellerId))
}

/// The location, if it is the keeper's to use.
pub async fn find(
    db: &impl ConnectionTrait,
    keeper: Keeper,
    id: LocationId,
) -> Result<Option<Model>, Failure> {
    Ok(kept_by(keeper).filter(Column::Id.eq(id)).one(db).await?)
}
