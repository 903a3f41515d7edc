//! Why a trade came to nothing: a fact that is kept with it.

use contract::event::orders::TradeFailure;
use entity::orders::strike::Cause;
use serde::{Deserialize, Serialize};

use super::saga::State;

/// Why a trade came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Why {
    /// The provider's word, and a text for the buyer.
    Declined { decline_code: String, message: String },
    /// The buyer did not confirm with their bank in time.
    NotConfirmed,
    /// Nobody answered whether the buyer can pay.
    TimedOut,
    /// The seller did not send the piece in time.
    NotShipped,
    /// The piece did not reach the centre in time.
    NotArrived,
    /// The piece is not what it was sold as.
    NotAuthentic { reason: String },
    /// Staff undid the match.
    Undone,
}

impl Why {
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a reason is plain data")
    }

    /// As it is kept. `None`: nothing is.
    pub fn read(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }

    /// What the end of patience in `state` means. `None`: nothing is wrong.
    pub fn late(state: State) -> Option<Self> {
        Some(match state {
            State::Confirming => Self::NotConfirmed,
            State::Authorising => Self::TimedOut,
            State::AwaitingShipment => Self::NotShipped,
            State::InTransit => Self::NotArrived,
            _ => return None,
        })
    }

    /// The word for the graph and for logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Declined { .. } => "DECLINED",
            Self::NotConfirmed => "NOT_CONFIRMED",
            Self::TimedOut => "TIMED_OUT",
            Self::NotShipped => "NOT_SHIPPED",
            Self::NotArrived => "NOT_ARRIVED",
            Self::NotAuthentic { .. } => "NOT_AUTHENTIC",
            Self::Undone => "UNDONE",
        }
    }

    /// The word for other services, once the money was taken.
    pub fn told(&self) -> TradeFailure {
        match self {
            Self::NotShipped | Self::NotArrived => TradeFailure::NotShipped,
            Self::NotAuthentic { .. } => TradeFailure::AuthenticationFailed,
            Self::Declined { .. } | Self::NotConfirmed | Self::TimedOut | Self::Undone => {
                TradeFailure::Undone
            }
        }
    }

    /// What a seller's strike is for.
    pub fn strike(&self) -> Cause {
        match self {
            Self::NotAuthentic { .. } => Cause::NotAuthentic,
            _ => Cause::NotShipped,
        }
    }
}
