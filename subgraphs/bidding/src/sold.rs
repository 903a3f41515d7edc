//! What sellers have sold in each quarter: their level, and so their fee, follows from it.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use entity::bidding::sold::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use crate::fee::{Schedule, Sold, quarters};

/// By seller's account, currency and first second of the quarter.
pub type Sales = BTreeMap<(Uuid, String, DateTime<Utc>), Sold>;

/// What `sellers` have sold.
pub async fn of(db: &impl ConnectionTrait, sellers: BTreeSet<Uuid>) -> Result<Sales, Failure> {
    if sellers.is_empty() {
        return Ok(Sales::new());
    }
    let rows = Entity::find().filter(Column::UserId.is_in(sellers)).all(db).await?;
    let sold = |row: &Model| Sold { pieces: row.pieces, turnover_minor: row.turnover_minor };
    Ok(rows.into_iter().map(|row| ((row.user_id, row.currency.clone(), row.quarter), sold(&row))).collect())
}

/// The level that a seller has now.
pub async fn level(
    db: &impl ConnectionTrait,
    schedule: &Schedule,
    seller: Uuid,
    currency: contract::CurrencyCode,
    now: DateTime<Utc>,
) -> Result<u8, Failure> {
    let sales = of(db, BTreeSet::from([seller])).await?;
    let (quarter, before) = quarters(now);
    let sold = |quarter| sales.get(&(seller, currency.to_string(), quarter)).copied().unwrap_or_default();
    Ok(schedule.level(sold(before), sold(quarter), currency))
}

/// Counts more as sold, or less. In the order of the keys, so that two partitions never wait for each other.
pub async fn add(tx: &Tx, sales: Sales) -> Result<(), Failure> {
    if sales.is_empty() {
        return Ok(());
    }
    let more = |column: Column| Expr::col((Entity, column)).add(Expr::col(("excluded", column)));
    let on_conflict = OnConflict::columns([Column::UserId, Column::Currency, Column::Quarter])
        .value(Column::Pieces, more(Column::Pieces))
        .value(Column::TurnoverMinor, more(Column::TurnoverMinor))
        .to_owned();
    let rows = sales.into_iter().map(|((user_id, currency, quarter), sold)| {
        let Sold { pieces, turnover_minor } = sold;
        Model { user_id, currency, quarter, pieces, turnover_minor }.into_active_model()
    });
    Entity::insert_many(rows).on_conflict(on_conflict).exec_without_returning(tx).await?;
    Ok(())
}
