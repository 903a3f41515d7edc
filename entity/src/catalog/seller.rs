//! Sellers, as accounts last said.

use contract::event::accounts::SellerStatus;
use contract::{SellerId, UserId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seller")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SellerId,
    pub user_id: UserId,
    pub name: String,
    pub status: Status,
    /// The version of what accounts last said.
    pub version: i64,
}

/// Only offers of a verified seller can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    Pending,
    Verified,
    Rejected,
    Suspended,
}

impl From<SellerStatus> for Status {
    fn from(status: SellerStatus) -> Self {
        match status {
            SellerStatus::Pending => Self::Pending,
            SellerStatus::Verified => Self::Verified,
            SellerStatus::Rejected => Self::Rejected,
            SellerStatus::Suspended => Self::Suspended,
        }
    }
}

impl ActiveModelBehavior for ActiveModel {}
