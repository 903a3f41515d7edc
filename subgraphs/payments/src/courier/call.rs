//! One call: which it is, and what the provider told.

use std::time::Duration;

use chassis::failpoint::{self, Place};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{Money, PayoutId, RefundId};
use entity::payments::payment_step::Kind;
use entity::payments::seller_account;
use sea_orm::EntityTrait;
use tracing::warn;

use super::outcome::{Report, Told};
use super::{Courier, Errand};
use crate::provider::{
    Answer, Authorise, Capture, PaymentProvider, Read, Refund, Reverse, Transfer, Void, Why,
};

/// How long a call may last.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Providers forget keys after a day: what is older is never sent again, only read.
pub const SENDS_FOR: TimeDelta = TimeDelta::hours(23);
/// How much earlier or later than we the provider may have seen a payment: clocks differ, and a call takes its time.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

impl Errand {
    /// Whether the provider is asked what is, instead of being sent the step.
    pub fn reads(&self, now: DateTime<Utc>) -> bool {
        self.step.reads || self.is_too_old(now)
    }

    pub fn is_too_old(&self, now: DateTime<Utc>) -> bool {
        self.step.first_sent_at.is_some_and(|sent| now - sent >= SENDS_FOR)
    }
}

impl Courier {
    /// Makes a call, unless the provider is not answering or its time is over.
    pub(super) async fn call(&self, errand: Errand) -> Report {
        let now = self.env.clock.now();
        let told = self.told(&errand, now).await;
        failpoint::pass(self.env.db.service(), Place::Called);
        Report { errand, told }
    }

    async fn told(&self, errand: &Errand, now: DateTime<Utc>) -> Told {
        let name = errand.payment.provider.as_str();
        let Some(provider) = self.providers.named(name) else {
            return Told::Unknown { kept: false, error: format!("the provider {name} is not configured") };
        };
        let expired = errand.step.kind == Kind::Authorise && now >= errand.payment.expires_at;
        if expired && !errand.sent_before {
            return Told::Lapsed;
        }
        if let Err(until) = self.breakers.may_call(name, now) {
            return Told::Waits(until);
        }
        let account = self.account(errand).await;
        // What may have been sent and came to nothing in time is not sent again.
        let reads = errand.reads(now) || expired;
        let call = ask(provider.as_ref(), errand, account.as_deref(), reads);
        let told = tokio::time::timeout(CALL_TIMEOUT, call).await;
        let silent = Told::Unknown { kept: false, error: "no answer in time".into() };
        let told = told.unwrap_or(silent);
        let answered = !matches!(told, Told::Unknown { .. });
        if self.breakers.called(name, self.env.clock.now(), answered) {
            warn!(provider = name, "The provider {name} does not answer: its calls wait for a minute");
        }
        metrics::counter!("souk_provider_calls_total", "provider" => name.to_owned(), "told" => told.word())
            .increment(1);
        told
    }

    /// Where the seller of a transfer is paid.
    async fn account(&self, errand: &Errand) -> Option<String> {
        let payout = errand.payout.as_ref().filter(|_| errand.step.kind == Kind::Transfer)?;
        let key = (payout.seller_id, errand.payment.provider.clone());
        let row = seller_account::Entity::find_by_id(key).one(self.env.db.read()).await.ok()??;
        Some(row.account)
    }
}

async fn ask(provider: &dyn PaymentProvider, errand: &Errand, account: Option<&str>, reads: bool) -> Told {
    if reads {
        return read(provider, errand).await;
    }
    let (step, payment) = (&errand.step, &errand.payment);
    let Ok(currency) = payment.currency.parse() else { return no("unknown_currency") };
    let amount = Money { amount_minor: step.amount_minor, currency };
    let (key, reference) = (step.key.as_str(), payment.reference.as_deref());
    match (step.kind, reference, &errand.payout) {
        (Kind::Authorise, _, _) => {
            let (payment_id, order_id, method) = (payment.id, payment.order_id, payment.method.as_str());
            let call = Authorise { key, payment_id, order_id, amount, method };
            told(provider.authorise(call).await, Told::Held)
        }
        (Kind::Capture, Some(reference), _) => {
            told(provider.capture(Capture { key, reference, amount }).await, Told::Captured)
        }
        (Kind::Void, Some(reference), _) => {
            told(provider.void(Void { key, reference }).await, |()| Told::Voided)
        }
        (Kind::Refund, Some(reference), _) => {
            let call = Refund { key, reference, refund_id: RefundId(step.subject), amount };
            told(provider.refund(call).await, Told::Refunded)
        }
        (Kind::Transfer, _, Some(payout)) => {
            let call = Transfer {
                key,
                charge: payment.charge.as_deref().unwrap_or_default(),
                payment_id: payment.id,
                payout_id: PayoutId(step.subject),
                seller_id: payout.seller_id,
                account,
                amount,
            };
            told(provider.transfer(call).await, Told::Transferred)
        }
        (Kind::Reverse, _, Some(payout)) => {
            let transfer = payout.reference.as_deref().unwrap_or_default();
            let call = Reverse { key, transfer, step_id: step.id, amount };
            told(provider.reverse(call).await, |_| Told::Reversed)
        }
        _ => no("nothing_to_act_on"),
    }
}

async fn read(provider: &dyn PaymentProvider, errand: &Errand) -> Told {
    let payment = &errand.payment;
    let reference = payment.reference.as_deref();
    // It is not sent for the first time after it has expired.
    let (since, until) = (payment.created_at - CLOCKS_DIFFER, payment.expires_at + CLOCKS_DIFFER);
    told(provider.read(Read { payment_id: payment.id, reference, since, until }).await, Told::Seen)
}

fn no(code: &str) -> Told {
    Told::No { declined: false, why: Why::new(code, "the payment cannot be processed") }
}

fn told<T>(answer: Answer<T>, done: impl FnOnce(T) -> Told) -> Told {
    match answer {
        Answer::Done(what) => done(what),
        Answer::Declined(why) => Told::No { declined: true, why },
        Answer::Rejected(why) => Told::No { declined: false, why },
        Answer::Unknown { kept, error } => Told::Unknown { kept, error },
        Answer::RateLimited { retry_after } => Told::Limited(retry_after),
    }
}
