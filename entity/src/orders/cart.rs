//! What somebody means to buy.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cart")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::CartId,
    /// Null for a guest's.
    pub user_id: Option<contract::UserId>,
    /// SHA-256 of a guest's token.
    pub token_hash: Option<Vec<u8>>,
    pub promotion_code: Option<String>,
    pub state: State,
    /// The order that was last made of it.
    pub order_id: Option<contract::OrderId>,
    /// Counts up by one with every change.
    pub version: i64,
    pub updated_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Open,
    /// An order was made of it, and whether it will be paid is open.
    CheckingOut,
    /// It was paid.
    Ordered,
    /// Its lines are in another cart.
    Merged,
}

impl ActiveModelBehavior for ActiveModel {}
