//! Why an order came to nothing, and what its buyer must do: facts that are kept with it.

use contract::event::inventory::Shortage;
use serde::{Deserialize, Serialize};

use crate::settlement::State;

/// Why an order came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Why {
    /// Other buyers were faster.
    SoldOut { shortages: Vec<Shortage> },
    /// The provider's word, and a text for the buyer.
    Declined { decline_code: String, message: String },
    /// The buyer did not confirm with their bank in time.
    NotConfirmed,
    /// The buyer or an operator wanted it undone.
    Cancelled,
    /// Somebody did not answer for too long.
    TimedOut,
    /// The stock went before the money was taken.
    StockLost,
}

impl Why {
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a reason is plain data")
    }

    /// As it is kept. `None`: nothing is.
    pub fn read(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }

    /// What giving up in `state` means to the buyer.
    pub fn given_up(state: State) -> Self {
        match state {
            State::Confirming => Self::NotConfirmed,
            _ => Self::TimedOut,
        }
    }

    /// The word for other services.
    pub fn code(text: Option<&str>) -> &'static str {
        match Self::read(text) {
            Some(Self::SoldOut { .. }) => "SOLD_OUT",
            Some(Self::Declined { .. }) => "DECLINED",
            Some(Self::NotConfirmed) => "NOT_CONFIRMED",
            Some(Self::TimedOut) => "TIMED_OUT",
            Some(Self::StockLost) => "STOCK_LOST",
            Some(Self::Cancelled) | None => "CANCELLED",
        }
    }
}

/// What the buyer must do to go on paying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub redirect_url: Option<String>,
    pub client_secret: Option<String>,
}

impl Action {
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("an action is plain data")
    }

    pub fn read(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }
}
