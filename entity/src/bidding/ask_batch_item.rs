//! One ask of a batch.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ask_batch_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub batch_id: contract::AskBatchId,
    /// From 0, as it was sent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub market_id: contract::MarketId,
    pub price_minor: i64,
    pub quantity: i64,
    /// How long the ask lives, in days.
    pub days: i64,
    /// The offer whose stock is to back the ask.
    pub offer_id: Option<contract::OfferId>,
    pub status: Status,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
    /// The order that it became: its engine's name for it.
    pub partition: Option<i32>,
    pub number: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    Waiting,
    Placed,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Refusal {
    MarketNotFound,
    PriceOffTick,
    PriceOutOfRange,
    QuantityOutOfRange,
    ExpiryInvalid,
    TooLarge,
    TooManyInMarket,
    TooMany,
    SellingPaused,
    OfferNotFound,
    OutOfStock,
    Full,
}

impl ActiveModelBehavior for ActiveModel {}
