//! Payment providers: who really moves the money.
//!
//! A provider is called outside of any transaction, with a key that was stored before. It may be called twice with one
//! key and must then do the thing once. What it answers is one of [`Answer`]; nothing else is known about the world.

pub mod sandbox;

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CurrencyCode, Money, OrderId, PaymentId, PayoutId, RefundId, SellerId, StepId};
use futures::future::BoxFuture;

pub use crate::hint::Hint;
use crate::webhook::Untrusted;

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It is done, now or when the key came first.
    Done(T),
    /// The buyer's or the seller's bank says no. Nothing was done.
    Declined(Why),
    /// The provider says that it cannot be: wrong state, unknown object, bad request. Nothing was done.
    Rejected(Why),
    /// Nobody knows whether it was done.
    Unknown {
        /// The provider keeps this answer for the key (a 500): sending it again tells nothing new, reading does. `false`:
        /// no answer came, or one that is not kept (409, 503): the same key again.
        kept: bool,
        error: String,
    },
    /// Nothing was done; not so fast.
    RateLimited { retry_after: Option<TimeDelta> },
}

/// Why a provider said no.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Why {
    /// The provider's word: `card_declined`, `insufficient_funds`.
    pub code: String,
    /// Safe to show to the buyer.
    pub message: String,
}

impl Why {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// Hold the buyer's money.
#[derive(Clone, Debug)]
pub struct Authorise<'c> {
    pub key: &'c str,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub amount: Money,
    /// The provider's opaque token of what the buyer pays with.
    pub method: &'c str,
}

/// What came of [`Authorise`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The provider's name of the payment.
    pub reference: String,
    pub standing: Standing,
}

/// How far a hold is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Held {
        until: DateTime<Utc>,
    },
    /// The buyer must confirm with their bank.
    NeedsAction {
        redirect_url: Option<String>,
        client_secret: Option<String>,
    },
}

/// Take all of the money that is held.
#[derive(Clone, Debug)]
pub struct Capture<'c> {
    pub key: &'c str,
    pub reference: &'c str,
    pub amount: Money,
}

/// What came of [`Capture`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The provider's name of what was taken: transfers are made from it.
    pub charge: String,
    /// What the provider takes for it; 0 where it does not tell.
    pub fee_minor: i64,
}

/// Give the hold up. One that is given up already is `Done`.
#[derive(Clone, Debug)]
pub struct Void<'c> {
    pub key: &'c str,
    pub reference: &'c str,
}

/// Give captured money back.
#[derive(Clone, Debug)]
pub struct Refund<'c> {
    pub key: &'c str,
    pub reference: &'c str,
    /// Kept with the provider's refund, so that [`PaymentProvider::read`] finds it.
    pub refund_id: RefundId,
    pub amount: Money,
}

/// Send a seller what they earned.
#[derive(Clone, Debug)]
pub struct Transfer<'c> {
    pub key: &'c str,
    /// What it is taken from.
    pub charge: &'c str,
    pub payment_id: PaymentId,
    /// Kept with the provider's transfer.
    pub payout_id: PayoutId,
    pub seller_id: SellerId,
    /// The seller's account there, where one is known.
    pub account: Option<&'c str>,
    pub amount: Money,
}

/// Take back from a seller what they were sent.
#[derive(Clone, Debug)]
pub struct Reverse<'c> {
    pub key: &'c str,
    /// The provider's name of the transfer.
    pub transfer: &'c str,
    /// Kept with the provider's reversal.
    pub step_id: StepId,
    pub amount: Money,
}

/// Which payment to read.
#[derive(Clone, Debug)]
pub struct Read<'c> {
    pub payment_id: PaymentId,
    /// The provider's name of it; without one it is looked for by `payment_id` among those made since `since`.
    pub reference: Option<&'c str>,
    pub since: DateTime<Utc>,
}

/// A payment as the provider sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    pub reference: String,
    pub standing: RemoteStanding,
    pub refunds: Vec<RemotePart>,
    pub transfers: Vec<RemotePart>,
    pub reversals: Vec<RemotePart>,
    pub disputes: Vec<RemoteDispute>,
}

/// How far the provider's payment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteStanding {
    Hold(Standing),
    Captured(Captured),
    Cancelled,
    Declined(Why),
    /// Under way at the provider: ask again later.
    Pending,
}

/// Something that was made of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePart {
    /// What it was made for: the text of our refund's, payout's or step's id.
    pub subject: String,
    pub reference: String,
    pub amount_minor: i64,
    /// `None`: not yet decided.
    pub done: Option<Result<(), Why>>,
}

/// A dispute as the provider sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteDispute {
    pub reference: String,
    pub amount_minor: i64,
    /// What the provider takes for it.
    pub fee_minor: i64,
    pub reason: String,
    pub status: contract::event::payments::DisputeStatus,
}

/// Somebody who moves money.
pub trait PaymentProvider: Send + Sync {
    /// As it is stored with each payment: `sandbox`, `stripe`. Never rename it.
    fn name(&self) -> &'static str;

    /// How long a hold lives at most.
    fn hold_limit(&self) -> TimeDelta;

    fn authorise<'c>(&'c self, call: Authorise<'c>) -> BoxFuture<'c, Answer<Hold>>;
    fn capture<'c>(&'c self, call: Capture<'c>) -> BoxFuture<'c, Answer<Captured>>;
    fn void<'c>(&'c self, call: Void<'c>) -> BoxFuture<'c, Answer<()>>;

    /// The provider's name of the refund.
    fn refund<'c>(&'c self, call: Refund<'c>) -> BoxFuture<'c, Answer<String>>;

    /// The provider's name of the transfer.
    fn transfer<'c>(&'c self, call: Transfer<'c>) -> BoxFuture<'c, Answer<String>>;

    /// The provider's name of the reversal.
    fn reverse<'c>(&'c self, call: Reverse<'c>) -> BoxFuture<'c, Answer<String>>;

    /// The payment with everything that was made of it. `Done(None)`: there is none, which is proof only where the
    /// provider's lists are complete: read from lists, never from a search.
    fn read<'c>(&'c self, call: Read<'c>) -> BoxFuture<'c, Answer<Option<Remote>>>;

    /// What the provider holds for the platform in a currency, settled or not.
    fn balance<'c>(&'c self, currency: CurrencyCode) -> BoxFuture<'c, Answer<i64>>;

    /// Who sent a webhook, and what it is about. Verify the signature over the raw body first.
    fn webhook(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Result<Hint, Untrusted> {
        _ = (headers, body, now);
        Err(Untrusted::NotExpected)
    }
}

/// The providers of this process. New payments go to the first.
#[derive(Clone)]
pub struct Providers {
    first: &'static str,
    all: HashMap<&'static str, Arc<dyn PaymentProvider>>,
}

impl Providers {
    pub fn new(first: Arc<dyn PaymentProvider>, others: Vec<Arc<dyn PaymentProvider>>) -> Self {
        let name = first.name();
        let all = std::iter::once(first).chain(others).map(|provider| (provider.name(), provider)).collect();
        Self { first: name, all }
    }

    /// Who takes new payments.
    pub fn first(&self) -> &'static str {
        self.first
    }

    /// `None`: a payment was made with a provider that this process does not know.
    pub fn named(&self, name: &str) -> Option<&Arc<dyn PaymentProvider>> {
        self.all.get(name)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn PaymentProvider>> {
        self.all.values()
    }
}
