//! Accounts that have bid or asked, and how far their orders' changes are numbered.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Uuid,
    /// Of the newest change of an order of theirs.
    pub seq: i64,
}

impl ActiveModelBehavior for ActiveModel {}
