//! A job that only one process may do at a time: whoever holds the row, until it expires.

use chrono::{DateTime, TimeDelta, Utc};
use entity::shared::lease;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{Database, Failure};

/// Takes or keeps the lease `name` until `now + ttl`; `false`: somebody else holds it. Writes only when the lease is not
/// held yet or half of it is over.
pub async fn hold(
    db: &Database,
    name: &str,
    holder: Uuid,
    now: DateTime<Utc>,
    ttl: TimeDelta,
) -> Result<bool, Failure> {
    Ok(hold_until(db, name, holder, now, ttl).await?.is_some())
}

/// [`hold`], telling until when: nobody else can take it before.
pub async fn hold_until(
    db: &Database,
    name: &str,
    holder: Uuid,
    now: DateTime<Utc>,
    ttl: TimeDelta,
) -> Result<Option<DateTime<Utc>>, Failure> {
    let held = lease::Entity::find_by_id(name.to_owned()).one(db.read()).await?;
    match held {
        Some(lease) if lease.holder == holder && lease.expires_at - now > ttl / 2 => {
            Ok(Some(lease.expires_at))
        }
        Some(lease) if lease.holder != holder && lease.expires_at > now => Ok(None),
        _ => Ok(take(db, name, holder, now, ttl).await?.then_some(now + ttl)),
    }
}

async fn take(
    db: &Database,
    name: &str,
    holder: Uuid,
    now: DateTime<Utc>,
    ttl: TimeDelta,
) -> Result<bool, Failure> {
    let row = lease::ActiveModel {
        name: Set(name.into()),
        holder: Set(holder),
        expires_at: Set(now + ttl),
        epoch: Set(1),
    };
    let current = |column: lease::Column| Expr::col((lease::Entity, column));
    let same_holder = current(lease::Column::Holder).eq(holder);
    let epoch = CaseStatement::new()
        .case(same_holder.clone(), current(lease::Column::Epoch))
        .finally(current(lease::Column::Epoch).add(1));
    let taken = lease::Entity::insert(row)
        .on_conflict(
            OnConflict::column(lease::Column::Name)
                .update_columns([lease::Column::Holder, lease::Column::ExpiresAt])
                .value(lease::Column::Epoch, epoch)
                .action_and_where(same_holder.or(current(lease::Column::ExpiresAt).lte(now)))
                .to_owned(),
        )
        .exec_without_returning(db.write())
        .await?;
    Ok(taken == 1)
}

/// Gives the lease back, so that the next holder need not wait.
pub async fn release(db: &Database, name: &str, holder: Uuid) -> Result<(), Failure> {
    lease::Entity::delete_many()
        .filter(lease::Column::Name.eq(name))
        .filter(lease::Column::Holder.eq(holder))
        .exec(db.write())
        .await?;
    Ok(())
}
