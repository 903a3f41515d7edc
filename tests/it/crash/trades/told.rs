//! What traders wanted and were told: all that a test knows of processes that were killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use contract::UserId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where everybody trades, and who sells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stall {
    pub market: String,
    pub seller: UserId,
    pub offer: String,
    /// Money is held for bids.
    pub held: bool,
}

/// A bid or an ask. Sent again it means the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sent {
    pub key: String,
    pub user: UserId,
    pub mutation: String,
    pub input: Value,
}

impl Sent {
    pub fn query(&self) -> String {
        let kind = if self.mutation == "placeBid" { "PlaceBidInput" } else { "PlaceAskInput" };
        let mutation = &self.mutation;
        format!(
            "mutation($input: {kind}!) {{ it: {mutation}(input: $input) {{ order {{ id }} userErrors {{ code }} }} }}"
        )
    }
}

/// A line that a child says, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Line {
    Sent(Sent),
    Told { key: String, order: String },
    Refused { key: String },
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).expect("a line is plain data"))
    }
}

/// Everything that was said.
#[derive(Debug, Default)]
pub struct Told {
    pub sent: BTreeMap<String, Sent>,
    /// The order that each key became.
    pub orders: BTreeMap<String, String>,
    pub refused: BTreeSet<String>,
}

impl Told {
    /// Takes a line up.
    pub fn hear(&mut self, line: &str) {
        match serde_json::from_str(line).unwrap_or_else(|_| panic!("nobody says {line}")) {
            Line::Sent(sent) => _ = self.sent.insert(sent.key.clone(), sent),
            Line::Told { key, order } => {
                if let Some(before) = self.orders.insert(key, order.clone()) {
                    assert_eq!(before, order, "one key is one order");
                }
            }
            Line::Refused { key } => _ = self.refused.insert(key),
        }
    }

    /// Those who do not know what became of their request.
    pub fn unanswered(&self) -> Vec<Sent> {
        let answered = |key: &String| self.orders.contains_key(key) || self.refused.contains(key);
        self.sent.values().filter(|sent| !answered(&sent.key)).cloned().collect()
    }
}
