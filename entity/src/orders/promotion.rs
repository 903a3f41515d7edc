//! A code or an automatic rule that takes something off.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::PromotionId,
    /// In upper case; null: it applies by itself.
    #[sea_orm(unique)]
    pub code: Option<String>,
    pub name: String,
    /// Only this seller's goods; null: everybody's.
    pub seller_id: Option<contract::SellerId>,
    pub benefit: Benefit,
    /// Hundredths of a percent, or minor units; 0 for free shipping.
    pub value: i64,
    /// Of the amount and of the minimum.
    pub currency: String,
    pub minimum_minor: i64,
    pub starts_at: DateTimeUtc,
    pub ends_at: Option<DateTimeUtc>,
    pub uses_max: Option<i64>,
    pub uses_per_buyer_max: Option<i64>,
    /// Orders that count against the limit; not counted without one.
    pub uses: i64,
    pub created_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Benefit {
    Percent,
    Amount,
    FreeShipping,
}

impl ActiveModelBehavior for ActiveModel {}
