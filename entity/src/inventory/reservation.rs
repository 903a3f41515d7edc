//! Promises of stock. `Active` becomes `Committed`, `Released` or `Expired`, once; `Rejected` is where an ask ended that
//! could not be met.

use serde::{Deserialize, Serialize};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::ReservationId,
    pub order_id: Option<contract::OrderId>,
    /// Whose it is when a seller made it; null for those of orders and admins.
    pub seller_id: Option<contract::SellerId>,
    pub state: State,
    pub expires_at: DateTimeUtc,
    /// Why the stock was given back.
    pub reason: Option<String>,
    /// Counts up by one with every change of state.
    pub version: i64,
    pub created_at: DateTimeUtc,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Active,
    Committed,
    Released,
    Expired,
    Rejected,
}

impl ActiveModelBehavior for ActiveModel {}
