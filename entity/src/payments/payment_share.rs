//! One seller's share of a payment, and what was taken out of it.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_share")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub payment_id: contract::PaymentId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    /// All of the share; tax and fee are part of it.
    pub amount_minor: i64,
    pub tax_minor: i64,
    pub fee_minor: i64,
    /// What refunds and disputes took or are taking.
    pub claimed_minor: i64,
    pub claimed_tax_minor: i64,
    pub claimed_fee_minor: i64,
    /// What left the held funds for the seller and the platform.
    pub released_minor: i64,
    pub released_tax_minor: i64,
    pub released_fee_minor: i64,
    /// Whether the seller has earned it.
    pub released: bool,
}

impl ActiveModelBehavior for ActiveModel {}
