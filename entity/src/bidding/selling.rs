//! Accounts whose asks are away: because they pause, or because their shop is not in good standing.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "selling")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: contract::UserId,
    /// They wanted it.
    pub paused: bool,
    /// Accounts says that the shop may not sell.
    pub barred: bool,
    /// Rises with every change.
    pub version: i64,
}

impl Model {
    pub fn may_sell(&self) -> bool {
        !self.paused && !self.barred
    }
}

impl ActiveModelBehavior for ActiveModel {}
