//! What a seller earned with an order, on its way to them.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payout")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::PayoutId,
    pub payment_id: contract::PaymentId,
    pub order_id: contract::OrderId,
    pub seller_id: contract::SellerId,
    pub currency: String,
    /// What left the held funds.
    pub gross_minor: i64,
    pub tax_minor: i64,
    pub fee_minor: i64,
    /// What was kept because the seller owed it.
    pub netted_minor: i64,
    /// What is transferred.
    pub amount_minor: i64,
    /// What was taken back afterwards.
    pub reversed_minor: i64,
    pub state: State,
    /// The provider's name of the transfer.
    pub reference: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

/// `InTransit` becomes `Paid` or `Failed`; a failed one can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    InTransit,
    Paid,
    Failed,
}

impl ActiveModelBehavior for ActiveModel {}
