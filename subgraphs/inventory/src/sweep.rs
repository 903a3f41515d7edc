//! What systems outside sent and were sent is kept for a while, and then goes.

use chassis::{Env, Failure};
use chrono::TimeDelta;
use entity::inventory::webhook_delivery::State;
use entity::inventory::{feed_batch, shared_secret, webhook_delivery};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// How long batches and deliveries are kept. A key of a batch can be used again after that.
const KEPT: TimeDelta = TimeDelta::days(30);

/// One round.
pub async fn sweep(env: &Env) -> Result<(), Failure> {
    let (db, now) = (env.db.write(), env.clock.now());
    feed_batch::Entity::delete_many().filter(feed_batch::Column::ReceivedAt.lt(now - KEPT)).exec(db).await?;
    webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::CreatedAt.lt(now - KEPT))
        .filter(webhook_delivery::Column::State.ne(State::Waiting))
        .exec(db)
        .await?;
    shared_secret::Entity::delete_many().filter(shared_secret::Column::ValidUntil.lt(now)).exec(db).await?;
    Ok(())
}
