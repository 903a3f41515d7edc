//! A seller says that they will send their part of a paid order. Sending a parcel says so as well.

use chassis::{Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::event::orders::OrderConfirmed;
use contract::{OrderId, SellerId};
use entity::orders::order_share::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::facts::Progress;
use crate::keeper::Keeper;
use crate::sale::Sale;

/// Confirm one shop's part of an order.
#[derive(Clone, Copy, Debug)]
pub struct Confirm {
    pub order_id: OrderId,
    /// `None`: the only shop that the keeper has.
    pub seller_id: Option<SellerId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmRefusal {
    #[error("there is no such paid order with goods of yours")]
    NotFound,
    #[error("a parcel of it was sent")]
    AlreadyShipped,
    #[error("all of it was cancelled")]
    Cancelled,
}

/// Confirms it; which shop did. Confirming twice is confirming once.
pub async fn confirm(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    command: Confirm,
) -> Outcome<SellerId, ConfirmRefusal> {
    let Some(mut sale) = Sale::open(tx, command.order_id).await? else {
        return Ok(Err(ConfirmRefusal::NotFound));
    };
    let shop = keeper.shop(tx, command.seller_id).await?;
    let sells = |seller: &SellerId| sale.facts.shares.iter().any(|share| share.seller_id == *seller);
    let Some(seller_id) = shop.filter(sells) else {
        return Ok(Err(ConfirmRefusal::NotFound));
    };
    match sale.facts.progress(seller_id) {
        Progress::Unshipped => {}
        Progress::Confirmed => return Ok(Ok(seller_id)),
        Progress::Cancelled => return Ok(Err(ConfirmRefusal::Cancelled)),
        Progress::PartlyShipped | Progress::Shipped | Progress::Delivered => {
            return Ok(Err(ConfirmRefusal::AlreadyShipped));
        }
    }
    // The order's lock covers its shares.
    Entity::update_many()
        .col_expr(Column::ConfirmedAt, Expr::val(now))
        .filter(Column::OrderId.eq(command.order_id))
        .filter(Column::SellerId.eq(seller_id))
        .exec(tx)
        .await?;
    sale.log(tx, now, "confirmed", &keeper.actor(), json!({ "seller": seller_id })).await?;
    let (order_id, user_id) = (sale.order.id, sale.order.user_id);
    sale.say(tx, now, vec![OrderConfirmed { order_id, user_id, seller_id }.into()]).await?;
    Ok(Ok(seller_id))
}
