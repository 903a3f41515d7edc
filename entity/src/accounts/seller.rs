//! A shop or reseller. A user has at most one.

use contract::event::accounts::SellerStatus;
use contract::{SellerId, UserId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seller")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SellerId,
    #[sea_orm(unique)]
    pub user_id: UserId,
    /// The shop's public name.
    pub name: String,
    pub status: Status,
    /// Why it was rejected or suspended.
    pub reason: Option<String>,
    pub applied_at: DateTimeUtc,
    pub decided_at: Option<DateTimeUtc>,
    /// Counts up by one with every change.
    pub version: i64,
}

/// `Pending` becomes `Verified` or `Rejected`; `Rejected` becomes `Pending` by a new application; `Verified` and
/// `Suspended` become each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    Pending,
    Verified,
    Rejected,
    Suspended,
}

impl From<Status> for SellerStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Verified => Self::Verified,
            Status::Rejected => Self::Rejected,
            Status::Suspended => Self::Suspended,
        }
    }
}

impl ActiveModelBehavior for ActiveModel {}
