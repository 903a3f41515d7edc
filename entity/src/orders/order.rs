//! What somebody bought, for how much. Never changes: how far it is, its settlement says.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::OrderId,
    /// Null for a guest's.
    pub user_id: Option<contract::UserId>,
    pub cart_id: contract::CartId,
    pub currency: String,
    pub total_minor: i64,
    /// The buyer's e-mail address and where parcels go, sealed.
    pub contact_sealed: Vec<u8>,
    /// What settling it asks for, as JSON.
    #[sea_orm(column_type = "Text")]
    pub plan: String,
    pub placed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
