//! What Stripe answers, as far as we look: what is new or missing elsewhere breaks nothing.

use std::collections::HashMap;

use serde::Deserialize;

use crate::provider::Why;

/// What has a name at Stripe.
pub trait Named {
    fn id(&self) -> &str;
}

macro_rules! named {
    ($($shape:ident),+) => { $(
        impl Named for $shape {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )+ };
}

named!(Intent, Charge, Refund, Transfer, Reversal, Dispute, Event);

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// Something that is named, or there as a whole where the request asked for it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Part<T> {
    Whole(Box<T>),
    Name(String),
}

impl<T> Part<T> {
    pub fn whole(&self) -> Option<&T> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Name(_) => None,
        }
    }
}

impl<T: Named> Part<T> {
    pub fn name(&self) -> &str {
        match self {
            Self::Whole(whole) => whole.id(),
            Self::Name(name) => name,
        }
    }
}

/// What we wrote on it.
pub type Metadata = Option<HashMap<String, String>>;

/// An id of ours in the metadata.
pub fn ours<T: std::str::FromStr>(metadata: &Metadata, name: &str) -> Option<T> {
    metadata.as_ref()?.get(name)?.parse().ok()
}

#[derive(Debug, Deserialize)]
pub struct Intent {
    pub id: String,
    pub status: String,
    pub amount: i64,
    pub amount_received: Option<i64>,
    pub currency: String,
    pub created: i64,
    pub client_secret: Option<String>,
    pub next_action: Option<NextAction>,
    pub last_payment_error: Option<Problem>,
    pub latest_charge: Option<Part<Charge>>,
    pub metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub struct NextAction {
    pub redirect_to_url: Option<Redirect>,
}

#[derive(Debug, Deserialize)]
pub struct Redirect {
    pub url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Charge {
    pub id: String,
    pub amount_captured: Option<i64>,
    pub balance_transaction: Option<Part<BalanceTransaction>>,
    pub payment_method_details: Option<MethodDetails>,
}

#[derive(Debug, Deserialize)]
pub struct MethodDetails {
    pub card: Option<CardDetails>,
}

#[derive(Debug, Deserialize)]
pub struct CardDetails {
    /// In seconds: when the hold ends.
    pub capture_before: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct BalanceTransaction {
    #[serde(default)]
    pub fee: i64,
    pub currency: String,
}

#[derive(Debug, Deserialize)]
pub struct Refund {
    pub id: String,
    pub status: Option<String>,
    pub amount: i64,
    pub failure_reason: Option<String>,
    /// Null: it moved no money.
    pub balance_transaction: Option<String>,
    pub metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub struct Transfer {
    pub id: String,
    pub amount: i64,
    pub metadata: Metadata,
    pub reversals: Option<List<Reversal>>,
}

#[derive(Debug, Deserialize)]
pub struct Reversal {
    pub id: String,
    pub amount: i64,
    pub metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub struct Dispute {
    pub id: String,
    pub amount: i64,
    pub status: String,
    pub reason: Option<String>,
    #[serde(default)]
    pub balance_transactions: Vec<BalanceTransaction>,
}

#[derive(Debug, Deserialize)]
pub struct Balance {
    #[serde(default)]
    pub available: Vec<Funds>,
    #[serde(default)]
    pub pending: Vec<Funds>,
}

#[derive(Debug, Deserialize)]
pub struct Funds {
    pub amount: i64,
    pub currency: String,
}

#[derive(Debug, Deserialize)]
pub struct Account {
    pub id: String,
    pub capabilities: Option<Capabilities>,
    pub metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub struct Capabilities {
    pub transfers: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct AccountLink {
    pub url: String,
}

#[derive(Debug, Deserialize)]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub created: Option<i64>,
    pub data: EventData,
}

#[derive(Debug, Deserialize)]
pub struct EventData {
    pub object: About,
}

/// What an event is about: any object there is.
#[derive(Debug, Deserialize)]
pub struct About {
    /// A balance has none.
    pub id: Option<String>,
    #[serde(default)]
    pub object: String,
    pub status: Option<String>,
    pub payment_intent: Option<Part<Bare>>,
    pub metadata: Metadata,
}

/// Only its name.
#[derive(Debug, Deserialize)]
pub struct Bare {
    pub id: String,
}

named!(Bare);

/// An answer that is not 2xx.
#[derive(Debug, Default, Deserialize)]
pub struct Refusal {
    #[serde(default)]
    pub error: Problem,
}

/// Why something was refused.
#[derive(Debug, Default, Deserialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub message: Option<String>,
}

impl Problem {
    /// The most telling word of it: `insufficient_funds` rather than `card_declined`.
    pub fn word(&self) -> &str {
        let bank = self.decline_code.as_deref().filter(|word| *word != "generic_decline");
        let code = self.code.as_deref();
        bank.filter(|_| code == Some("card_declined")).or(code).or(self.kind.as_deref()).unwrap_or("unknown")
    }

    /// For the buyer: what Stripe says of a card is written for them.
    pub fn why(&self) -> Why {
        let message = self.message.clone().unwrap_or_else(|| "the payment was declined".into());
        Why::new(self.word(), message)
    }

    /// The key was used with another request before.
    pub fn is_about_key(&self) -> bool {
        self.kind.as_deref() == Some("idempotency_error")
    }
}
