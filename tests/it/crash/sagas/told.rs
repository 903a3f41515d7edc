//! What guests wanted and were told: all that a test knows of processes that were killed.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

/// A guest's request to check out. Sent again it means the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub key: String,
    pub token: String,
    pub card: String,
    pub total_minor: i64,
}

impl Ask {
    pub fn input(&self) -> Value {
        json!({
            "idempotencyKey": self.key,
            "cartToken": self.token,
            "email": "buyer@example.org",
            "address": { "recipient": "A. Buyer", "line1": "Main Street 1", "city": "Berlin", "country": "DE" },
            "paymentMethod": self.card,
            "expectedTotal": { "amountMinor": self.total_minor, "currency": "EUR" },
            "waitMs": 10_000,
        })
    }
}

/// A line that a child says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Ready,
    Asks(Ask),
    Told { key: String, order: String, status: String },
    Refused { key: String, code: String },
    Over,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => write!(f, "ready"),
            Self::Asks(Ask { key, token, card, total_minor }) => {
                write!(f, "asks {key} {token} {card} {total_minor}")
            }
            Self::Told { key, order, status } => write!(f, "told {key} {order} {status}"),
            Self::Refused { key, code } => write!(f, "refused {key} {code}"),
            Self::Over => write!(f, "over"),
        }
    }
}

impl Line {
    pub fn read(line: &str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        let own = str::to_owned;
        match words.as_slice() {
            ["ready"] => Self::Ready,
            ["asks", key, token, card, total] => {
                let (key, token, card) = (own(key), own(token), own(card));
                Self::Asks(Ask { key, token, card, total_minor: total.parse().unwrap() })
            }
            ["told", key, order, status] => {
                Self::Told { key: own(key), order: own(order), status: own(status) }
            }
            ["refused", key, code] => Self::Refused { key: own(key), code: own(code) },
            ["over"] => Self::Over,
            _ => panic!("nobody says {line}"),
        }
    }
}

/// Everything that was said.
#[derive(Debug, Default)]
pub struct Told {
    pub asks: BTreeMap<String, Ask>,
    /// The order and the last status that each key was answered with.
    pub orders: BTreeMap<String, (String, String)>,
    /// Keys for which nothing was ordered, with the reason.
    pub refused: BTreeMap<String, String>,
}

impl Told {
    /// Takes a line up.
    pub fn hear(&mut self, line: &str) {
        match Line::read(line) {
            Line::Asks(ask) => _ = self.asks.insert(ask.key.clone(), ask),
            Line::Told { key, order, status } => {
                if let Some((before, _)) = self.orders.insert(key, (order.clone(), status)) {
                    assert_eq!(before, order, "one key is one order");
                }
            }
            Line::Refused { key, code } => _ = self.refused.insert(key, code),
            Line::Ready | Line::Over => {}
        }
    }

    /// Guests who do not know what became of their request.
    pub fn unanswered(&self) -> Vec<Ask> {
        let answered = |key: &String| self.orders.contains_key(key) || self.refused.contains_key(key);
        self.asks.values().filter(|ask| !answered(&ask.key)).cloned().collect()
    }
}
