//! Stripe, by a thin client: the few endpoints that a marketplace needs, over HTTPS.
//!
//! Payments are PaymentIntents that are captured by hand; sellers are connected accounts that get transfers from the
//! charge that they are for. Our ids are kept in the metadata of everything, so that what a lost answer did is found again
//! in lists; searches lag behind and are never used. Webhooks are hints.

mod client;
mod form;
mod payees;
mod read;
mod shape;
#[cfg(test)]
mod tests;
mod webhook;

use std::time::Duration;

use axum::http::HeaderMap;
use chassis::Failure;
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CurrencyCode, Money};
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::SecretString;

use super::{
    Answer, Authorise, Capture, Captured, Hold, Holds, OpenAccount, Payee, PaymentProvider, Read, Refund,
    Remote, RemoteHold, RemoteStanding, Reverse, Transfer, Void,
};
use crate::hint::Hint;
use crate::webhook::Untrusted;
use client::{Client, Got, Not};
use form::Form;

/// As it is stored with payments.
pub const NAME: &str = "stripe";
/// Where Stripe is.
pub const BASE_URL: &str = "https://api.stripe.com";
/// The version of the API that this client was written for, whatever the account's own is.
pub const API_VERSION: &str = "2024-06-20";
/// How long a card's hold lives, should Stripe not tell.
const HOLD_LIMIT: TimeDelta = TimeDelta::days(7);
/// What is read with an intent, so that one call tells everything about it.
const WITH_CHARGE: &str = "latest_charge.balance_transaction";

/// How Stripe is reached. Its secrets are never shown.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sk_…` or a restricted key, `rk_…`.
    pub secret_key: SecretString,
    /// `whsec_…`, the newest and those that are still in use.
    pub webhook_secrets: Vec<SecretString>,
    /// Without a slash at the end.
    pub base_url: String,
    /// How long one call may last.
    pub timeout: Duration,
    /// Where a buyer's bank sends them back to. Without it they confirm with Stripe's own library.
    pub return_url: Option<String>,
    /// Whether payments and transfers are grouped, which finds transfers again. Some stand-ins for Stripe do not know groups.
    pub groups: bool,
}

impl Settings {
    pub fn new(secret_key: SecretString, webhook_secrets: Vec<SecretString>) -> Self {
        Self {
            secret_key,
            webhook_secrets,
            base_url: BASE_URL.into(),
            timeout: Duration::from_secs(20),
            return_url: None,
            groups: true,
        }
    }
}

/// The account of the marketplace at Stripe.
pub struct Stripe {
    client: Client,
    settings: Settings,
}

impl Stripe {
    /// # Errors
    /// TLS cannot start, or the key cannot be sent in a header.
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { client: Client::new(&settings)?, settings })
    }

    async fn hold(&self, call: Authorise<'_>) -> Got<Hold> {
        let group = self.settings.groups.then(|| call.payment_id.to_string());
        let form = money(call.amount)
            .set("payment_method", call.method)
            .set("payment_method_types[0]", "card")
            .set("capture_method", "manual")
            .set("confirm", "true")
            .set("metadata[payment_id]", call.payment_id)
            .set("metadata[order_id]", call.order_id)
            .maybe("return_url", self.settings.return_url.as_deref())
            .maybe("transfer_group", group)
            .set("expand[]", WITH_CHARGE);
        let intent: shape::Intent = self.client.post("/v1/payment_intents", call.key, form).await?;
        match read::standing(&intent) {
            RemoteStanding::Hold(standing) => Ok(Hold { reference: intent.id, standing }),
            RemoteStanding::Declined(why) => Err(Not::Declined(why)),
            other => Err(Not::unknown(true, format!("{} is {other:?} after its authorisation", intent.id))),
        }
    }

    async fn take(&self, call: Capture<'_>) -> Got<Captured> {
        let path = format!("/v1/payment_intents/{}/capture", call.reference);
        let form =
            Form::new().set("amount_to_capture", call.amount.amount_minor).set("expand[]", WITH_CHARGE);
        let intent: shape::Intent = self.client.post(&path, call.key, form).await?;
        match read::standing(&intent) {
            RemoteStanding::Captured(captured) => Ok(captured),
            other => Err(Not::unknown(true, format!("{} is {other:?} after its capture", intent.id))),
        }
    }

    /// Stripe refuses to cancel twice.
    async fn let_go(&self, call: Void<'_>) -> Got<()> {
        let path = format!("/v1/payment_intents/{}/cancel", call.reference);
        let refused = match self.client.post::<shape::Intent>(&path, call.key, Form::new()).await {
            Ok(_) => return Ok(()),
            Err(refused @ Not::Rejected(_)) => refused,
            Err(other) => return Err(other),
        };
        match read::standing(&self.client.intent(call.reference).await?) {
            RemoteStanding::Cancelled => Ok(()),
            _ => Err(refused),
        }
    }

    /// One that is on its way counts as done: should it fail later, reading tells.
    async fn give_back(&self, call: Refund<'_>) -> Got<String> {
        let form = Form::new()
            .set("payment_intent", call.reference)
            .set("amount", call.amount.amount_minor)
            .set("metadata[refund_id]", call.refund_id)
            .set("metadata[key]", call.key);
        let refund: shape::Refund = self.client.post("/v1/refunds", call.key, form).await?;
        match read::failure(&refund) {
            Some(why) => Err(Not::Declined(why)),
            None => Ok(refund.id),
        }
    }

    async fn send(&self, call: Transfer<'_>) -> Got<String> {
        let Some(account) = call.account else {
            return Err(Not::rejected("account_missing", "the seller has not said where to be paid"));
        };
        let group = self.settings.groups.then(|| call.payment_id.to_string());
        let form = money(call.amount)
            .set("destination", account)
            .set("source_transaction", call.charge)
            .maybe("transfer_group", group)
            .set("metadata[payment_id]", call.payment_id)
            .set("metadata[payout_id]", call.payout_id)
            .set("metadata[seller_id]", call.seller_id)
            .set("metadata[key]", call.key);
        let transfer: shape::Transfer = self.client.post("/v1/transfers", call.key, form).await?;
        Ok(transfer.id)
    }

    async fn take_back(&self, call: Reverse<'_>) -> Got<String> {
        let path = format!("/v1/transfers/{}/reversals", call.transfer);
        let form = Form::new().set("amount", call.amount.amount_minor).set("metadata[step_id]", call.step_id);
        let reversal: shape::Reversal = self.client.post(&path, call.key, form).await?;
        Ok(reversal.id)
    }
}

/// Stripe counts as we do, in minor units, and writes currencies in small letters.
fn money(amount: Money) -> Form {
    Form::new()
        .set("amount", amount.amount_minor)
        .set("currency", amount.currency.as_str().to_ascii_lowercase())
}

impl PaymentProvider for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn hold_limit(&self) -> TimeDelta {
        HOLD_LIMIT
    }

    fn authorise<'c>(&'c self, call: Authorise<'c>) -> BoxFuture<'c, Answer<Hold>> {
        self.hold(call).map(Answer::from).boxed()
    }

    fn capture<'c>(&'c self, call: Capture<'c>) -> BoxFuture<'c, Answer<Captured>> {
        self.take(call).map(Answer::from).boxed()
    }

    fn void<'c>(&'c self, call: Void<'c>) -> BoxFuture<'c, Answer<()>> {
        self.let_go(call).map(Answer::from).boxed()
    }

    fn refund<'c>(&'c self, call: Refund<'c>) -> BoxFuture<'c, Answer<String>> {
        self.give_back(call).map(Answer::from).boxed()
    }

    fn transfer<'c>(&'c self, call: Transfer<'c>) -> BoxFuture<'c, Answer<String>> {
        self.send(call).map(Answer::from).boxed()
    }

    fn reverse<'c>(&'c self, call: Reverse<'c>) -> BoxFuture<'c, Answer<String>> {
        self.take_back(call).map(Answer::from).boxed()
    }

    fn read<'c>(&'c self, call: Read<'c>) -> BoxFuture<'c, Answer<Option<Remote>>> {
        self.remote(call).map(Answer::from).boxed()
    }

    fn balance<'c>(&'c self, currency: CurrencyCode) -> BoxFuture<'c, Answer<i64>> {
        self.funds(currency).map(Answer::from).boxed()
    }

    fn holds<'c>(&'c self, made: Holds) -> BoxFuture<'c, Answer<Vec<RemoteHold>>> {
        self.open_holds(made).map(Answer::from).boxed()
    }

    fn hints<'c>(&'c self, since: DateTime<Utc>) -> BoxFuture<'c, Answer<Vec<Hint>>> {
        self.events(since).map(Answer::from).boxed()
    }

    fn webhook(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Result<Hint, Untrusted> {
        webhook::hint(&self.settings.webhook_secrets, headers, body, now)
    }

    fn open_account<'c>(&'c self, call: OpenAccount<'c>) -> BoxFuture<'c, Answer<String>> {
        self.new_account(call).map(Answer::from).boxed()
    }

    fn account<'c>(&'c self, account: &'c str) -> BoxFuture<'c, Answer<Option<Payee>>> {
        self.payee(account).map(Answer::from).boxed()
    }

    fn onboard<'c>(
        &'c self,
        account: &'c str,
        return_url: &'c str,
        refresh_url: &'c str,
    ) -> BoxFuture<'c, Answer<Option<String>>> {
        self.link(account, return_url, refresh_url).map(Answer::from).boxed()
    }
}
