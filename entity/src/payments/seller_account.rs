//! Where a provider sends what a seller earned.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seller_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    /// The provider's name of the account.
    pub account: String,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
