//! Somebody did not keep to a match: at most once for each trade.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strike")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: contract::UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub trade_id: contract::TradeId,
    pub cause: Cause,
    pub at: DateTimeUtc,
}

/// What somebody did not keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Cause {
    /// The buyer could not pay, or did not confirm with their bank.
    NotPaid,
    /// The seller did not send the piece, or it never came.
    NotShipped,
    /// The piece was not what it was sold as.
    NotAuthentic,
}

impl ActiveModelBehavior for ActiveModel {}
