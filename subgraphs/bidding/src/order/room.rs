//! How far an order may be changed: what is kept for it does not become more.

use chassis::{Env, Failure};
use entity::bidding::{journal, order};
use matching::OrderId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{AmendOrder, wait_for_rows};

/// Whether nothing is kept for an order that would not be enough for more of it.
pub fn can_grow(order: &order::Model) -> bool {
    order.backing_id.is_none() && order.holding_id.is_none()
}

/// Whether a bid would cost more than is held for it. Its price never rises, so a row that is behind shows no lower one.
pub fn is_dearer(bid: &order::Model, command: &AmendOrder) -> bool {
    let is_theirs = bid.holding_id.is_some() && bid.account == command.user.0;
    is_theirs && command.price_minor.is_some_and(|price| price > bid.price_minor)
}

/// An order's row; one that was placed a moment ago is waited for. `None`: nobody knows what is kept for it.
pub async fn known(env: &Env, partition: u32, number: OrderId) -> Result<Option<order::Model>, Failure> {
    let id = (partition as i32, number.0 as i64);
    let mut found = order::Entity::find_by_id(id).one(env.db.read()).await?;
    if found.is_none() {
        wait_for_rows(&env.db, partition, durable(env, partition).await?).await?;
        found = order::Entity::find_by_id(id).one(env.db.read()).await?;
    }
    Ok(found)
}

/// The last row of a partition's journal.
async fn durable(env: &Env, partition: u32) -> Result<u64, Failure> {
    let last: Option<i64> = journal::Entity::find()
        .select_only()
        .column(journal::Column::Seq)
        .filter(journal::Column::Partition.eq(partition as i32))
        .order_by_desc(journal::Column::Seq)
        .into_tuple()
        .one(env.db.read())
        .await?;
    Ok(last.unwrap_or_default() as u64)
}
