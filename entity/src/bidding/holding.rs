//! Money that is held for a bid: what the bid wants, from before it is placed. `Asked` becomes `Held` or `Declined`; `Held`
//! becomes `Placed` or `Refused`; what stands still for too long becomes `Late`.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holding")]
pub struct Model {
    /// Follows from the user and their key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::HoldingId,
    pub user_id: contract::UserId,
    pub market_id: contract::MarketId,
    /// What was asked for, and the client's key.
    pub operation: String,
    pub key: String,
    /// What is held for each piece.
    pub price_minor: i64,
    pub quantity: i64,
    /// Null: now or not at all.
    pub days: Option<i64>,
    /// What the money is held on: a provider's opaque token.
    pub payment_method: String,
    /// Where what is bought goes: an entry of the buyer's address book.
    pub address_id: contract::AddressId,
    /// What a repeat of the request must equal.
    pub request_hash: String,
    pub state: State,
    /// Why nothing is held: the provider's word, and a text for the buyer.
    pub code: Option<String>,
    pub message: Option<String>,
    /// When the provider lets the first of the holds go.
    pub held_until: Option<DateTimeUtc>,
    /// The bid's name in the engine.
    pub partition: Option<i32>,
    pub number: Option<i64>,
    /// Less is held than the bid needs: it must leave.
    pub lapsed: bool,
    pub created_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// The provider has not answered yet.
    Asked,
    /// Money is held for every piece, and the bid is on its way to the engine.
    Held,
    /// A hold was refused, or let go before the bid was placed.
    Declined,
    /// The engine took the bid in.
    Placed,
    /// The engine did not.
    Refused,
    /// Nobody came for it.
    Late,
}

impl ActiveModelBehavior for ActiveModel {}
