//! Payment providers: who really moves the money.
//!
//! A provider is called outside of any transaction, with a key that was stored before. It may be called twice with one
//! key and must then do the thing once. What it answers is one of [`Answer`]; nothing else is known about the world.

pub mod sandbox;
pub mod stripe;

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CurrencyCode, Money, OrderId, PaymentId, PayoutId, RefundId, SellerId, StepId};
use futures::FutureExt;
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

/// Take money that is held, at most all of it. What is left of the hold is let go.
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
    /// What was taken.
    pub amount_minor: i64,
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
    /// The provider's name of it; without one it is looked for by `payment_id` among those made from `since` to `until`.
    pub reference: Option<&'c str>,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
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
    /// What it was made for: the text of our refund's, payout's or step's id. Empty: we did not ask for it.
    pub subject: String,
    /// The key that it was made with, where the provider tells.
    pub key: Option<String>,
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
    /// What the provider takes for it. Some give it back with a dispute that is won.
    pub fee_minor: i64,
    pub reason: String,
    pub status: contract::event::payments::DisputeStatus,
}

/// Which holds to look for: those made in this time.
#[derive(Clone, Copy, Debug)]
pub struct Holds {
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// Money that the provider holds for a payment of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteHold {
    /// The provider's name of the hold.
    pub reference: String,
    /// What it was made for.
    pub payment_id: PaymentId,
    pub amount: Money,
}

/// Open an account in which a seller is paid. The same key opens one.
#[derive(Clone, Debug)]
pub struct OpenAccount<'c> {
    pub key: &'c str,
    /// Kept with the account.
    pub seller_id: SellerId,
    /// Where the seller is, as ISO 3166: `DE`. The platform's own country without it.
    pub country: Option<&'c str>,
}

/// An account in which a seller is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payee {
    /// The provider's name of the account.
    pub reference: String,
    /// Whether it can be paid now.
    pub ready: bool,
    /// Who it was opened for, where we opened it.
    pub seller_id: Option<SellerId>,
}

/// Somebody who moves money.
pub trait PaymentProvider: Send + Sync {
    /// As it is stored with each payment: `sandbox`, `stripe`. Never rename it.
    fn name(&self) -> &'static str;

    /// Whether sellers are paid who have no account: nobody's money moves.
    fn pays_without_account(&self) -> bool {
        false
    }

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

    /// What the provider still holds for payments of ours, of what was authorised in a time.
    fn holds<'c>(&'c self, made: Holds) -> BoxFuture<'c, Answer<Vec<RemoteHold>>>;

    /// What happened at the provider since then, for hints that got lost. Those that came already may be among them.
    fn hints<'c>(&'c self, since: DateTime<Utc>) -> BoxFuture<'c, Answer<Vec<Hint>>> {
        _ = since;
        std::future::ready(Answer::Done(vec![])).boxed()
    }

    /// Opens an account for a seller; its name.
    fn open_account<'c>(&'c self, call: OpenAccount<'c>) -> BoxFuture<'c, Answer<String>>;

    /// An account of a seller. `Done(None)`: the platform has no such one.
    fn account<'c>(&'c self, account: &'c str) -> BoxFuture<'c, Answer<Option<Payee>>>;

    /// Where a seller tells the provider what it must know before it pays them. `Done(None)`: it asks nothing.
    fn onboard<'c>(
        &'c self,
        account: &'c str,
        return_url: &'c str,
        refresh_url: &'c str,
    ) -> BoxFuture<'c, Answer<Option<String>>> {
        _ = (account, return_url, refresh_url);
        std::future::ready(Answer::Done(None)).boxed()
    }

    /// Who sent a webhook, and what it is about. Verify the signature over the raw body first.
    fn webhook(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Result<Hint, Untrusted> {
        _ = (headers, body, now);
        Err(Untrusted::NotExpected)
    }
}

/// Who takes new payments.
#[derive(Clone, Debug, Default)]
pub enum Setup {
    /// Nobody's money moves.
    #[default]
    Sandbox,
    Stripe(stripe::Settings),
}

/// The providers of this process. New payments go to the first.
#[derive(Clone)]
pub struct Providers {
    first: Arc<dyn PaymentProvider>,
    all: HashMap<&'static str, Arc<dyn PaymentProvider>>,
}

impl Providers {
    pub fn new(first: Arc<dyn PaymentProvider>, others: Vec<Arc<dyn PaymentProvider>>) -> Self {
        let all = std::iter::once(first.clone()).chain(others);
        let all = all.map(|provider| (provider.name(), provider)).collect();
        Self { first, all }
    }

    /// Who takes new payments.
    pub fn first(&self) -> &dyn PaymentProvider {
        self.first.as_ref()
    }

    /// `None`: a payment was made with a provider that this process does not know.
    pub fn named(&self, name: &str) -> Option<&Arc<dyn PaymentProvider>> {
        self.all.get(name)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn PaymentProvider>> {
        self.all.values()
    }
}
