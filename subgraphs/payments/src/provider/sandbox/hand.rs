//! What people do at the bank that the sandbox stands for: a buyer confirms, a bank decides.

use std::sync::Arc;

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::PaymentId;
use entity::payments::sandbox_object::{self, Kind, Status};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::Notify;

use super::{HOLD_LIMIT, NAME, page};
use crate::hint::{Hint, take};

/// What became of something by hand: a buyer who confirms, a bank that decides.
async fn by_hand(
    tx: &Tx,
    now: DateTime<Utc>,
    news: &Arc<Notify>,
    object: sandbox_object::Model,
    payment_id: PaymentId,
    kind: &str,
) -> Result<(), Failure> {
    let id = object.id.clone();
    let intent = object.parent.clone().unwrap_or_else(|| id.clone());
    let changed = sandbox_object::ActiveModel {
        id: sea_orm::ActiveValue::Unchanged(object.id),
        status: sea_orm::ActiveValue::Set(object.status),
        held_until: sea_orm::ActiveValue::Set(object.held_until),
        balance_minor: sea_orm::ActiveValue::Set(object.balance_minor),
        ..Default::default()
    };
    sandbox_object::Entity::update(changed).exec_without_returning(tx).await?;
    let hint = Hint::of(NAME, &format!("evt_sandbox_{id}_{kind}"), kind, payment_id, &intent);
    take(tx, now, &hint, news).await
}

/// The buyer confirms the payment with their bank, or does not. Whether there was anything to confirm.
pub async fn confirm(
    tx: &Tx,
    now: DateTime<Utc>,
    news: &Arc<Notify>,
    secret: &str,
    accept: bool,
) -> Result<bool, Failure> {
    let Some(id) = page::intent_of(secret) else { return Ok(false) };
    let waiting = sandbox_object::Entity::find_by_id(id)
        .filter(sandbox_object::Column::Status.eq(Status::NeedsAction))
        .lock_exclusive()
        .one(tx)
        .await?;
    let Some(mut intent) = waiting else { return Ok(false) };
    intent.status = if accept { Status::Held } else { Status::Declined };
    intent.held_until = accept.then_some(now + HOLD_LIMIT);
    let payment_id: PaymentId = intent.subject.parse()?;
    by_hand(tx, now, news, intent, payment_id, "payment.confirmed").await?;
    Ok(true)
}

/// The buyer's bank decides the open dispute of a payment. Whether there was one.
pub async fn decide(
    tx: &Tx,
    now: DateTime<Utc>,
    news: &Arc<Notify>,
    payment_id: PaymentId,
    won: bool,
) -> Result<bool, Failure> {
    let open = sandbox_object::Entity::find()
        .filter(sandbox_object::Column::Kind.eq(Kind::Dispute))
        .filter(sandbox_object::Column::Subject.eq(payment_id.to_string()))
        .filter(sandbox_object::Column::Status.eq(Status::Open))
        .lock_exclusive()
        .one(tx)
        .await?;
    let Some(mut dispute) = open else { return Ok(false) };
    dispute.status = if won { Status::Won } else { Status::Lost };
    dispute.balance_minor += if won { dispute.amount_minor } else { 0 };
    by_hand(tx, now, news, dispute, payment_id, "dispute.closed").await?;
    Ok(true)
}
