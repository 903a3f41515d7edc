//! A piece at the authentication centre that somebody must look at, and what they found.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authentication_task")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub trade_id: contract::TradeId,
    pub opened_at: DateTimeUtc,
    pub claimed_by: Option<contract::UserId>,
    /// Later than this, somebody else may take it.
    pub claimed_until: Option<DateTimeUtc>,
    pub verdict: Option<Verdict>,
    /// What was found, as JSON.
    pub findings: Option<String>,
    pub completed_at: Option<DateTimeUtc>,
}

/// Whether the piece is what it was sold as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
}

impl ActiveModelBehavior for ActiveModel {}
