//! A piece that changed hands in a market, and how far it is on its way to its buyer: one row that moves by the table in
//! `orders::trade::saga`.

use contract::event::catalog as said;

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trade")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::TradeId,
    pub market_id: contract::MarketId,
    pub variant_id: contract::VariantId,
    pub condition: Condition,
    pub bid_id: contract::BookOrderId,
    pub ask_id: contract::BookOrderId,
    pub buyer_id: contract::UserId,
    pub seller_id: contract::SellerId,
    /// The user behind the shop.
    pub seller_user_id: contract::UserId,
    pub currency: String,
    /// What the piece changed hands for, and what the buyer pays.
    pub price_minor: i64,
    /// The fee schedule that held at the match; what follows from it is frozen.
    pub schedule: String,
    /// The seller's level at the match, 1 to 5.
    pub level: i32,
    pub transaction_minor: i64,
    pub processing_minor: i64,
    /// What the seller gets: the price less the two above.
    pub payout_minor: i64,
    /// What the seller owes if they do not keep to the match.
    pub penalty_minor: i64,
    /// What the buyer pays with: a provider's opaque token.
    pub method: String,
    /// What was held for the bid and pays for it. Null: the trade has a payment of its own, with its uuid.
    pub hold_id: Option<contract::PaymentId>,
    /// Where the piece goes: an entry of the buyer's address book.
    pub address_id: contract::AddressId,
    /// The offer whose piece is sold. Null: no stock is behind the ask.
    pub offer_id: Option<contract::OfferId>,
    /// The promise of that piece.
    pub reservation_id: Option<contract::ReservationId>,
    pub matched_at: DateTimeUtc,
    /// When orders heard of the match.
    pub opened_at: DateTimeUtc,
    pub state: State,
    /// How often the last ask was repeated.
    pub repeats: i32,
    /// When its patience ends; null: it waits for nothing.
    pub next_run_at: Option<DateTimeUtc>,
    /// Why it came to nothing, as JSON.
    pub failure: Option<String>,
    /// What the buyer must do, as JSON.
    pub action: Option<String>,
    /// Counts up by one with everything that happens to it.
    pub version: i64,
    pub updated_at: DateTimeUtc,
}

/// The state of the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Condition {
    New,
    LikeNew,
    VeryGood,
    Good,
    Acceptable,
}

impl From<said::Condition> for Condition {
    fn from(condition: said::Condition) -> Self {
        match condition {
            said::Condition::New => Self::New,
            said::Condition::LikeNew => Self::LikeNew,
            said::Condition::VeryGood => Self::VeryGood,
            said::Condition::Good => Self::Good,
            said::Condition::Acceptable => Self::Acceptable,
        }
    }
}

/// Where a trade stands on its way from the seller to the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// The buyer's money was asked to be held.
    Authorising,
    /// The buyer must confirm with their bank.
    Confirming,
    /// The held money was asked to be taken.
    Capturing,
    /// Paid. The seller is to send the piece to the authentication centre.
    AwaitingShipment,
    /// On its way to the centre.
    InTransit,
    /// At the centre, to be looked at.
    Authenticating,
    /// What it should be; to be sent to the buyer.
    Authentic,
    /// On its way to the buyer.
    Dispatched,
    /// Delivered. The seller's money was asked to be released.
    Releasing,
    /// The piece is the buyer's, the money the seller's.
    Completed,
    /// The hold was asked to be given up.
    Voiding,
    /// The buyer could not pay: nothing was taken.
    PaymentFailed,
    /// Taken money was asked to go back.
    Refunding,
    /// The buyer has their money again.
    Refunded,
    /// An operator must look: nobody answers whether money was taken.
    StuckCapturing,
    /// An operator must look: nobody answers whether the hold is gone.
    StuckVoiding,
    /// An operator must look: the money does not go back.
    StuckRefunding,
    /// An operator must look: the seller's money is not released.
    StuckReleasing,
}

impl State {
    pub const ALL: [Self; 18] = [
        Self::Authorising,
        Self::Confirming,
        Self::Capturing,
        Self::AwaitingShipment,
        Self::InTransit,
        Self::Authenticating,
        Self::Authentic,
        Self::Dispatched,
        Self::Releasing,
        Self::Completed,
        Self::Voiding,
        Self::PaymentFailed,
        Self::Refunding,
        Self::Refunded,
        Self::StuckCapturing,
        Self::StuckVoiding,
        Self::StuckRefunding,
        Self::StuckReleasing,
    ];

    /// As it is kept and logged.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorising => "authorising",
            Self::Confirming => "confirming",
            Self::Capturing => "capturing",
            Self::AwaitingShipment => "awaiting_shipment",
            Self::InTransit => "in_transit",
            Self::Authenticating => "authenticating",
            Self::Authentic => "authentic",
            Self::Dispatched => "dispatched",
            Self::Releasing => "releasing",
            Self::Completed => "completed",
            Self::Voiding => "voiding",
            Self::PaymentFailed => "payment_failed",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
            Self::StuckCapturing => "stuck_capturing",
            Self::StuckVoiding => "stuck_voiding",
            Self::StuckRefunding => "stuck_refunding",
            Self::StuckReleasing => "stuck_releasing",
        }
    }

    /// Nothing moves it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::PaymentFailed | Self::Refunded)
    }

    pub fn needs_operator(self) -> bool {
        matches!(
            self,
            Self::StuckCapturing | Self::StuckVoiding | Self::StuckRefunding | Self::StuckReleasing
        )
    }
}

impl ActiveModelBehavior for ActiveModel {}
