//! How far an order is: one row that moves by the table in `orders::settlement`.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: contract::OrderId,
    pub state: State,
    pub amount_minor: i64,
    /// How often the last ask was repeated.
    pub repeats: i32,
    /// When its patience ends; null: it waits for nothing.
    pub next_run_at: Option<DateTimeUtc>,
    /// Why it came to nothing, as JSON.
    pub failure: Option<String>,
    /// What the buyer must do, as JSON.
    pub action: Option<String>,
    /// The order's version: counts up by one with everything that happens to it.
    pub version: i64,
    pub updated_at: DateTimeUtc,
}

/// Where an order stands on its way to being paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// Stock was asked for.
    Reserving,
    /// Money was asked for.
    Authorising,
    /// The buyer must confirm with their bank.
    Confirming,
    /// The held money was asked to be taken.
    Capturing,
    /// As `Capturing`, and the stock has gone meanwhile.
    CapturingUnstocked,
    /// Paid. The stock was asked to leave the shelves.
    Committing,
    /// Paid, and the stock is the buyer's.
    Settled,
    /// The hold was asked to be given up.
    Voiding,
    /// Taken money was asked to go back.
    Refunding,
    /// The stock was asked to be given back.
    Releasing,
    /// Nothing is reserved and nothing is held.
    Cancelled,
    /// An operator must look: nobody answers whether money was taken.
    StuckCapturing,
    /// An operator must look: paid, and nobody answers for the stock.
    StuckCommitting,
    /// An operator must look: nobody answers whether the hold is gone.
    StuckVoiding,
    /// An operator must look: the money does not go back.
    StuckRefunding,
    /// An operator must look: the stock does not come back.
    StuckReleasing,
}

impl State {
    pub const ALL: [Self; 16] = [
        Self::Reserving,
        Self::Authorising,
        Self::Confirming,
        Self::Capturing,
        Self::CapturingUnstocked,
        Self::Committing,
        Self::Settled,
        Self::Voiding,
        Self::Refunding,
        Self::Releasing,
        Self::Cancelled,
        Self::StuckCapturing,
        Self::StuckCommitting,
        Self::StuckVoiding,
        Self::StuckRefunding,
        Self::StuckReleasing,
    ];

    /// As it is kept and logged.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserving => "reserving",
            Self::Authorising => "authorising",
            Self::Confirming => "confirming",
            Self::Capturing => "capturing",
            Self::CapturingUnstocked => "capturing_unstocked",
            Self::Committing => "committing",
            Self::Settled => "settled",
            Self::Voiding => "voiding",
            Self::Refunding => "refunding",
            Self::Releasing => "releasing",
            Self::Cancelled => "cancelled",
            Self::StuckCapturing => "stuck_capturing",
            Self::StuckCommitting => "stuck_committing",
            Self::StuckVoiding => "stuck_voiding",
            Self::StuckRefunding => "stuck_refunding",
            Self::StuckReleasing => "stuck_releasing",
        }
    }

    /// Nothing moves it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Settled | Self::Cancelled)
    }

    /// The money was taken and the goods are the buyer's, as far as anybody knows.
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Committing | Self::StuckCommitting | Self::Settled)
    }

    pub fn needs_operator(self) -> bool {
        matches!(
            self,
            Self::StuckCapturing
                | Self::StuckCommitting
                | Self::StuckVoiding
                | Self::StuckRefunding
                | Self::StuckReleasing
        )
    }

    /// The buyer need not wait any longer: it is paid, undone, theirs to confirm, or nobody knows.
    pub fn is_decided(self) -> bool {
        self.is_paid() || self == Self::Cancelled || self == Self::Confirming || self.needs_operator()
    }
}

impl ActiveModelBehavior for ActiveModel {}
