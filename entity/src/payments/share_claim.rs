//! What one refund or dispute takes out of one seller's share.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "share_claim")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The refund or the dispute.
    pub subject: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    pub payment_id: contract::PaymentId,
    pub amount_minor: i64,
    pub tax_minor: i64,
    pub fee_minor: i64,
    /// The pending transfer that keeps the money in the held funds; null: the seller has it already.
    pub hold_id: Option<contract::TransferId>,
    pub state: State,
}

/// `Open` becomes `Taken` or `Dropped`, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Open,
    Taken,
    Dropped,
}

impl ActiveModelBehavior for ActiveModel {}
