//! Bids and asks as they stand at the watermark.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_order")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// The engine's number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub market: Uuid,
    pub account: Uuid,
    pub side: Side,
    pub price_minor: i64,
    /// What was asked for, or the total it was amended to.
    pub quantity: i64,
    /// What rests.
    pub remaining: i64,
    pub filled: i64,
    pub status: Status,
    /// Why it was cancelled.
    pub reason: Option<Reason>,
    /// Null: it never rests, or lives for ever.
    pub expires_at: Option<DateTimeUtc>,
    pub placed_at: DateTimeUtc,
    pub changed_at: DateTimeUtc,
    /// The shop of an ask.
    pub seller_id: Option<contract::SellerId>,
    /// What a bid is paid with: a provider's opaque token.
    pub payment_method: Option<String>,
    /// Where what a bid buys goes: an entry of the buyer's address book.
    pub address_id: Option<contract::AddressId>,
    /// The offer whose stock backs an ask, and what of it is kept.
    pub offer_id: Option<contract::OfferId>,
    pub backing_id: Option<contract::BackingId>,
    /// What is held for a bid.
    pub holding_id: Option<contract::HoldingId>,
    /// What a repeat of the request must equal.
    pub request_hash: Option<String>,
    /// Its place in time: lower matches first at one price.
    pub sequence: i64,
    /// Of its newest change, among those of its account's orders.
    pub account_seq: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Side {
    Bid,
    Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    Open,
    Filled,
    Cancelled,
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Reason {
    Owner,
    Immediate,
    SelfTrade,
    SellingPaused,
    AuthLapsed,
}

impl ActiveModelBehavior for ActiveModel {}
