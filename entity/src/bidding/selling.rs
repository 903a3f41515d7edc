//! Accounts whose asks are away: because they pause, their shop is not in good standing, or they are suspended.

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
    /// They did not keep to matches too often.
    pub suspended_until: Option<DateTimeUtc>,
    /// Rises with every change.
    pub version: i64,
}

impl Model {
    pub fn may_sell(&self, now: DateTimeUtc) -> bool {
        !self.paused && !self.barred && self.suspended(now).is_none()
    }

    /// Until when they are suspended, if they are at `now`.
    pub fn suspended(&self, now: DateTimeUtc) -> Option<DateTimeUtc> {
        self.suspended_until.filter(|until| *until > now)
    }
}

impl ActiveModelBehavior for ActiveModel {}
