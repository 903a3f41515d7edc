//! SANDBOX: a provider that moves no money. Deterministic, in process; what it remembers is in tables of its own, so that
//! it survives a restart and serves several processes.
//!
//! It knows the test payment methods of Stripe's documentation, keeps the first answer to each key as Stripe does, and
//! misbehaves on demand.

mod faults;
mod hand;
pub mod page;
mod rows;
pub(crate) mod view;
pub(crate) mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
use chassis::{Env, Failure, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CurrencyCode, PaymentId};
use entity::payments::{sandbox_call, sandbox_setting};
use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::sync::{Mutex as Turn, Notify, oneshot};

use super::{
    Answer, Authorise, Capture, Captured, Hold, Holds, OpenAccount, Payee, PaymentProvider, Read, Refund,
    Remote, RemoteHold, Reverse, Standing, Transfer, Void,
};
use crate::hint::{Hint, Tells, take};
use crate::webhook::{Untrusted, verify};
use faults::Fault;
pub use faults::Faults;
pub use hand::{confirm, decide};
use rows::{FAULTS, calls, objects, store};
use view::{balance, holds, remote};
use world::{Asked, Reply, Request, World};

/// As it is stored with payments.
pub const NAME: &str = "sandbox";
/// How long a hold lives.
const HOLD_LIMIT: TimeDelta = TimeDelta::days(7);
/// Accounts of sellers are named after them: nothing is kept of them.
const ACCOUNT: &str = "acct_sandbox_";
/// The header with a webhook's signature, by the marketplace's own key: only tests and tools send any.
const SIGNATURE: &str = "sandbox-signature";

/// The provider of tests, demos and machines with nothing installed.
pub struct Sandbox {
    env: Env,
    waiting: Mutex<Vec<(Asked, oneshot::Sender<Spoken>)>>,
    turn: Turn<()>,
    news: Arc<Notify>,
}

/// A webhook's body.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    payment_id: Option<PaymentId>,
    reference: Option<String>,
}

/// What comes back over the wire, or does not.
#[derive(Clone, Debug)]
pub(crate) struct Spoken {
    fault: Option<Fault>,
    hang: Duration,
    reply: Option<Reply>,
}

impl Sandbox {
    /// `news` wakes who listens for the sandbox's events.
    pub fn new(env: &Env, news: Arc<Notify>) -> Self {
        Self { env: env.clone(), waiting: Mutex::default(), turn: Turn::new(()), news }
    }

    /// Calls that come together are answered in one transaction: the first serves all that wait.
    async fn ask(&self, key: &str, request: Request) -> Answer<Reply> {
        let (sender, mut receiver) = oneshot::channel();
        self.waiting().push((Asked { key: key.into(), request }, sender));
        // Those that begin with this one are waiting by then.
        tokio::task::yield_now().await;
        let turn = self.turn.lock().await;
        let spoken = match receiver.try_recv() {
            Ok(spoken) => Ok(spoken),
            Err(_) => {
                self.serve_all().await;
                receiver.try_recv()
            }
        };
        drop(turn);
        match spoken {
            Ok(spoken) => heard(spoken).await,
            Err(_) => unknown(false, "the sandbox's database is away"),
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(Asked, oneshot::Sender<Spoken>)>> {
        self.waiting.lock().expect("no code panics while it holds this lock")
    }

    async fn serve_all(&self) {
        let (asked, senders): (Vec<_>, Vec<_>) = std::mem::take(&mut *self.waiting()).into_iter().unzip();
        let now = self.env.clock.now();
        let served = tx::apply(&self.env.db, async |tx| self.serve(tx, now, &asked).await).await;
        match served {
            Ok(spoken) => {
                senders.into_iter().zip(spoken).for_each(|(sender, spoken)| _ = sender.send(spoken))
            }
            Err(failure) => {
                tracing::warn!(error = %failure, "The sandbox did not answer {} calls", asked.len())
            }
        }
    }

    async fn serve(&self, tx: &Tx, now: DateTime<Utc>, asked: &[Asked]) -> Result<Vec<Spoken>, Failure> {
        let faults = rows::faults(tx).await?;
        let mut calls = calls(tx, asked).await?;
        let mut world = World { objects: objects(tx, asked).await?, ..World::default() };
        let spoken = speak(now, &faults, &mut calls, &mut world, asked)?;
        store(tx, calls, &world).await?;
        for (payment_id, kind, reference) in std::mem::take(&mut world.events) {
            let hint =
                Hint::of(NAME, &format!("evt_sandbox_{reference}_{kind}"), &kind, payment_id, &reference);
            take(tx, now, &hint, &self.news).await?;
        }
        Ok(spoken)
    }
}

/// Answers calls on what was read of them: what is spoken, one for each.
pub(crate) fn speak(
    now: DateTime<Utc>,
    faults: &Faults,
    calls: &mut BTreeMap<String, sandbox_call::Model>,
    world: &mut World,
    asked: &[Asked],
) -> Result<Vec<Spoken>, Failure> {
    let mut spoken = vec![];
    for one in asked {
        let text = serde_json::to_string(&one.request)?;
        let call = calls.entry(one.key.clone()).or_insert_with(|| sandbox_call::Model {
            key: one.key.clone(),
            request: text.clone(),
            answer: None,
            seen: 0,
            at: now,
        });
        let fault = faults.draw(&one.key, call.seen);
        call.seen += 1;
        let reply = match (&call.answer, fault) {
            _ if call.request != text => {
                Some(Reply::no("idempotency_error", "the key was used with another request"))
            }
            (_, Some(Fault::RateLimited | Fault::Lost)) => None,
            (Some(first), _) => Some(serde_json::from_str(first)?),
            (None, fault) => {
                let reply = match fault {
                    Some(Fault::KeptUndone) => Reply::Broken,
                    _ => world.answer(now, one),
                };
                let kept = if fault == Some(Fault::KeptDone) { Reply::Broken } else { reply };
                call.answer = Some(serde_json::to_string(&kept)?);
                Some(kept)
            }
        };
        spoken.push(Spoken { fault, hang: Duration::from_millis(faults.hang_ms), reply });
    }
    Ok(spoken)
}

pub(crate) async fn heard(spoken: Spoken) -> Answer<Reply> {
    match spoken.fault {
        Some(Fault::RateLimited) => return Answer::RateLimited { retry_after: None },
        Some(Fault::Lost) => return unknown(false, "503"),
        Some(Fault::Dropped) => return unknown(false, "the connection was closed before an answer came"),
        Some(Fault::Hangs) => {
            tokio::time::sleep(spoken.hang).await;
            return unknown(false, "no answer in time");
        }
        Some(Fault::KeptDone | Fault::KeptUndone) | None => {}
    }
    match spoken.reply {
        Some(Reply::Broken) => unknown(true, "500"),
        Some(Reply::Declined(why)) => Answer::Declined(why),
        Some(Reply::Rejected(why)) => Answer::Rejected(why),
        Some(reply) => Answer::Done(reply),
        None => unknown(false, "503"),
    }
}

fn unknown<T>(kept: bool, error: &str) -> Answer<T> {
    Answer::Unknown { kept, error: format!("SANDBOX: {error}") }
}

/// The answer as its call wants it.
fn as_wanted<T>(answer: Answer<Reply>, want: impl FnOnce(Reply) -> Option<T>) -> Answer<T> {
    match answer {
        Answer::Done(reply) => want(reply).map_or_else(|| unknown(true, "another answer"), Answer::Done),
        Answer::Declined(why) => Answer::Declined(why),
        Answer::Rejected(why) => Answer::Rejected(why),
        Answer::Unknown { kept, error } => Answer::Unknown { kept, error },
        Answer::RateLimited { retry_after } => Answer::RateLimited { retry_after },
    }
}

fn looked_up<T>(found: Result<T, Failure>) -> Answer<T> {
    found.map_or_else(|failure| unknown(false, &failure.to_string()), Answer::Done)
}

fn reference(reply: Reply) -> Option<String> {
    match reply {
        Reply::Made(reference) => Some(reference),
        _ => None,
    }
}

impl PaymentProvider for Sandbox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pays_without_account(&self) -> bool {
        true
    }

    fn hold_limit(&self) -> TimeDelta {
        HOLD_LIMIT
    }

    fn authorise<'c>(&'c self, call: Authorise<'c>) -> BoxFuture<'c, Answer<Hold>> {
        let request = Request::Authorise {
            payment_id: call.payment_id,
            amount_minor: call.amount.amount_minor,
            currency: call.amount.currency.to_string(),
            method: call.method.into(),
        };
        async move {
            as_wanted(self.ask(call.key, request).await, |reply| match reply {
                Reply::Held { reference, until } => {
                    Some(Hold { reference, standing: Standing::Held { until } })
                }
                Reply::NeedsAction { reference } => {
                    let standing = page::confirmation(&reference);
                    Some(Hold { reference, standing })
                }
                _ => None,
            })
        }
        .boxed()
    }

    fn capture<'c>(&'c self, call: Capture<'c>) -> BoxFuture<'c, Answer<Captured>> {
        let amount_minor = call.amount.amount_minor;
        let request = Request::Capture { reference: call.reference.into(), amount_minor };
        async move {
            as_wanted(self.ask(call.key, request).await, |reply| match reply {
                Reply::Captured { charge, fee_minor } => Some(Captured { charge, amount_minor, fee_minor }),
                _ => None,
            })
        }
        .boxed()
    }

    fn void<'c>(&'c self, call: Void<'c>) -> BoxFuture<'c, Answer<()>> {
        let request = Request::Void { reference: call.reference.into() };
        async move {
            as_wanted(self.ask(call.key, request).await, |reply| {
                matches!(reply, Reply::Made(_)).then_some(())
            })
        }
        .boxed()
    }

    fn refund<'c>(&'c self, call: Refund<'c>) -> BoxFuture<'c, Answer<String>> {
        let request = Request::Refund {
            reference: call.reference.into(),
            subject: call.refund_id.to_string(),
            amount_minor: call.amount.amount_minor,
        };
        async move { as_wanted(self.ask(call.key, request).await, reference) }.boxed()
    }

    fn transfer<'c>(&'c self, call: Transfer<'c>) -> BoxFuture<'c, Answer<String>> {
        let request = Request::Transfer {
            charge: call.charge.into(),
            subject: call.payout_id.to_string(),
            amount_minor: call.amount.amount_minor,
        };
        async move { as_wanted(self.ask(call.key, request).await, reference) }.boxed()
    }

    fn reverse<'c>(&'c self, call: Reverse<'c>) -> BoxFuture<'c, Answer<String>> {
        let request = Request::Reverse {
            transfer: call.transfer.into(),
            subject: call.step_id.to_string(),
            amount_minor: call.amount.amount_minor,
        };
        async move { as_wanted(self.ask(call.key, request).await, reference) }.boxed()
    }

    fn read<'c>(&'c self, call: Read<'c>) -> BoxFuture<'c, Answer<Option<Remote>>> {
        let payment_id = call.payment_id;
        async move { looked_up(remote(self.env.db.read(), payment_id).await) }.boxed()
    }

    fn holds<'c>(&'c self, made: Holds) -> BoxFuture<'c, Answer<Vec<RemoteHold>>> {
        async move { looked_up(holds(self.env.db.read(), made).await) }.boxed()
    }

    fn open_account<'c>(&'c self, call: OpenAccount<'c>) -> BoxFuture<'c, Answer<String>> {
        std::future::ready(Answer::Done(format!("{ACCOUNT}{}", call.seller_id))).boxed()
    }

    fn account<'c>(&'c self, account: &'c str) -> BoxFuture<'c, Answer<Option<Payee>>> {
        let seller_id = account.strip_prefix(ACCOUNT).and_then(|seller| seller.parse().ok());
        let payee = |seller| Payee { reference: account.into(), ready: true, seller_id: Some(seller) };
        std::future::ready(Answer::Done(seller_id.map(payee))).boxed()
    }

    fn webhook(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Result<Hint, Untrusted> {
        let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        verify(signature, body, &[self.env.master_key.expose_secret()], now)?;
        let event: Event = serde_json::from_slice(body).map_err(|_| Untrusted::Unreadable)?;
        Ok(Hint {
            provider: NAME,
            event_id: event.id,
            kind: event.kind,
            payment_id: event.payment_id,
            reference: event.reference,
            body: String::from_utf8_lossy(body).into_owned(),
            tells: Tells::Anything,
        })
    }

    fn balance<'c>(&'c self, currency: CurrencyCode) -> BoxFuture<'c, Answer<i64>> {
        async move { looked_up(balance(self.env.db.read(), currency).await) }.boxed()
    }
}

/// Makes the sandbox misbehave from now on, in every process on this database.
pub async fn misbehave(env: &Env, faults: &Faults) -> Result<(), Failure> {
    let row = sandbox_setting::Model { name: FAULTS.into(), value: serde_json::to_string(faults)? };
    let replace = OnConflict::column(sandbox_setting::Column::Name)
        .update_column(sandbox_setting::Column::Value)
        .to_owned();
    sandbox_setting::Entity::insert(row.into_active_model())
        .on_conflict(replace)
        .exec_without_returning(env.db.write())
        .await?;
    Ok(())
}
