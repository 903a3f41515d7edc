//! Stock that is kept for an ask: what the ask wants, from before it is placed. `Asked` becomes `Held` or `Short`; `Held`
//! becomes `Placed` or `Refused`; what stands still for too long becomes `Late`.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "backing")]
pub struct Model {
    /// Follows from the user and their key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::BackingId,
    pub user_id: contract::UserId,
    pub seller_id: contract::SellerId,
    pub market_id: contract::MarketId,
    pub offer_id: contract::OfferId,
    /// What was asked for, and the client's key.
    pub operation: String,
    pub key: String,
    pub price_minor: i64,
    pub quantity: i64,
    /// Null: now or not at all.
    pub days: Option<i64>,
    /// What a repeat of the request must equal.
    pub request_hash: String,
    pub state: State,
    /// Pieces that there were instead.
    pub available: Option<i64>,
    /// The ask's name in the engine.
    pub partition: Option<i32>,
    pub number: Option<i64>,
    /// Fewer pieces are kept than the ask has in the book: it must leave.
    pub lacks: bool,
    pub created_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// Inventory has not answered yet.
    Asked,
    /// Every piece is kept, and the ask is on its way to the engine.
    Held,
    /// There were not enough pieces.
    Short,
    /// The engine took the ask in.
    Placed,
    /// The engine did not.
    Refused,
    /// Nobody came for it.
    Late,
}

impl ActiveModelBehavior for ActiveModel {}
