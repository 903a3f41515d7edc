//! Orders as people see them: what was bought, and how far it is.

use std::collections::HashMap;

use chassis::Failure;
use contract::{OrderId, SellerId, UserId};
use entity::orders::order::{Column, Entity, Model};
use entity::orders::{order_share, settlement};
use sea_orm::sea_query::JoinType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, RelationDef, Select,
};

use crate::settlement::State;

/// What was bought, and how far it is.
#[derive(Clone, Debug)]
pub struct Order {
    pub row: Model,
    pub settlement: settlement::Model,
}

/// How far an order is, to its buyer. Follows from what happened; nobody sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Placed,
    NeedsAction,
    Paying,
    Paid,
    Cancelling,
    Cancelled,
    OnHold,
}

impl Order {
    pub fn status(&self) -> Status {
        match self.settlement.state {
            State::Reserving => Status::Placed,
            State::Confirming => Status::NeedsAction,
            State::Authorising | State::Capturing => Status::Paying,
            State::Committing | State::StuckCommitting | State::Settled => Status::Paid,
            State::Voiding | State::Releasing | State::Refunding | State::CapturingUnstocked => {
                Status::Cancelling
            }
            State::StuckVoiding | State::StuckReleasing | State::StuckRefunding => Status::Cancelling,
            State::StuckCapturing => Status::OnHold,
            State::Cancelled => Status::Cancelled,
        }
    }
}

/// Who looks. Every finder takes one, so that forgetting whose order it is cannot happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    Buyer(UserId),
    /// Somebody who shows the token of the order that they ask for.
    TokenHolder,
    Admin,
}

fn all() -> Select<Entity> {
    Entity::find()
}

fn with_settlement(orders: Select<Entity>) -> sea_orm::SelectTwo<Entity, settlement::Entity> {
    orders.select_also(settlement::Entity).join(JoinType::InnerJoin, to_settlement())
}

fn to_settlement() -> RelationDef {
    Entity::belongs_to(settlement::Entity).from(Column::Id).to(settlement::Column::OrderId).into()
}

fn whole((row, settlement): (Model, Option<settlement::Model>)) -> Option<Order> {
    Some(Order { row, settlement: settlement? })
}

/// The order, if it is the reader's to see.
pub async fn find(db: &impl ConnectionTrait, reader: Reader, id: OrderId) -> Result<Option<Order>, Failure> {
    let mut orders = all().filter(Column::Id.eq(id));
    if let Reader::Buyer(user) = reader {
        orders = orders.filter(Column::UserId.eq(user));
    }
    Ok(with_settlement(orders).one(db).await?.and_then(whole))
}

/// Those of `ids` that there are, for whoever may see each of them.
pub async fn find_all(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = OrderId>,
) -> Result<HashMap<OrderId, Order>, Failure> {
    let rows = with_settlement(all().filter(Column::Id.is_in(ids))).all(db).await?;
    Ok(rows.into_iter().filter_map(whole).map(|order| (order.row.id, order)).collect())
}

/// A user's orders, newest first, before `before`.
pub async fn list(
    db: &impl ConnectionTrait,
    user: UserId,
    before: Option<OrderId>,
    rows: u64,
) -> Result<Vec<Order>, Failure> {
    let mut orders = all().filter(Column::UserId.eq(user));
    if let Some(before) = before {
        orders = orders.filter(Column::Id.lt(before));
    }
    let rows = with_settlement(orders.order_by_desc(Column::Id).limit(rows)).all(db).await?;
    Ok(rows.into_iter().filter_map(whole).collect())
}

/// Orders in one of `states`, oldest first, after `after`: for operators.
pub async fn in_states(
    db: &impl ConnectionTrait,
    states: &[State],
    after: Option<OrderId>,
    rows: u64,
) -> Result<Vec<Order>, Failure> {
    let mut orders = all();
    if let Some(after) = after {
        orders = orders.filter(Column::Id.gt(after));
    }
    let rows = with_settlement(orders)
        .filter(settlement::Column::State.is_in(states.iter().copied()))
        .order_by_asc(Column::Id)
        .limit(rows)
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(whole).collect())
}

/// Paid orders with goods of a shop, newest first, before `before`.
pub async fn sold_by(
    db: &impl ConnectionTrait,
    seller: SellerId,
    before: Option<OrderId>,
    rows: u64,
) -> Result<Vec<Order>, Failure> {
    let shares: RelationDef =
        Entity::belongs_to(order_share::Entity).from(Column::Id).to(order_share::Column::OrderId).into();
    let mut orders = all();
    if let Some(before) = before {
        orders = orders.filter(Column::Id.lt(before));
    }
    let rows = with_settlement(orders)
        .join(JoinType::InnerJoin, shares)
        .filter(order_share::Column::SellerId.eq(seller))
        .filter(settlement::Column::State.eq(State::Settled))
        .order_by_desc(Column::Id)
        .limit(rows)
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(whole).collect())
}
