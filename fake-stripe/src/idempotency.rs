//! Idempotency keys as Stripe keeps them: the first answer of a key, 500s included, for a day.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::Fake;
use crate::answer::{self, NotBegun, refuse, set};
use crate::call::Call;
use crate::error::StripeError;
use crate::faults::{Fault, chance};
use crate::form::Params;

/// How long an answer is kept, in seconds.
const KEPT_S: i64 = 24 * 60 * 60;
/// The largest answer, in bytes: a page of the largest objects is far below.
const ANSWER_MAX: usize = 64 << 20;

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Owner {
    account: String,
    key: String,
}

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Use {
    path: String,
    params: Params,
}

/// What a key was answered at first.
#[derive(Clone, Debug)]
struct First {
    status: StatusCode,
    body: Bytes,
    request_id: String,
}

#[derive(Debug)]
struct Slot {
    used_for: Use,
    /// `None`: the first call is still executing.
    first: Option<First>,
    /// Seconds since 1970.
    since: i64,
}

/// What to do with a call.
enum Claim {
    Execute,
    Replay(First),
    Refuse(StripeError),
}

/// All keys that are kept.
#[derive(Debug, Default)]
pub struct Keys(HashMap<Owner, Slot>);

impl Keys {
    fn claim(&mut self, owner: &Owner, used_for: Use, now: i64) -> Claim {
        let is_kept = |slot: &&Slot| slot.first.is_none() || slot.since + KEPT_S > now;
        let Some(slot) = self.0.get(owner).filter(is_kept) else {
            self.0.insert(owner.clone(), Slot { used_for, first: None, since: now });
            return Claim::Execute;
        };
        let key = &owner.key;
        if slot.used_for.path != used_for.path {
            return Claim::Refuse(StripeError::idempotency(format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{}' vs \
                 '{}'). Try using a key other than '{key}' if you meant to execute a different request.",
                used_for.path, slot.used_for.path
            )));
        }
        if slot.used_for.params != used_for.params {
            return Claim::Refuse(StripeError::idempotency(format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try \
                 using a key other than '{key}' if you meant to execute a different request."
            )));
        }
        match &slot.first {
            Some(first) => Claim::Replay(first.clone()),
            None => Claim::Refuse(StripeError::in_flight(key)),
        }
    }

    fn keep(&mut self, owner: &Owner, first: First) {
        if let Some(slot) = self.0.get_mut(owner) {
            slot.first = Some(first);
        }
    }

    fn forget(&mut self, owner: &Owner) {
        self.0.remove(owner);
    }
}

/// Executes a call once for each key.
pub async fn once(State(fake): State<Arc<Fake>>, request: Request, next: Next) -> Response {
    let Some(call) = request.extensions().get::<Call>().cloned() else { return next.run(request).await };
    let key = call.idempotency_key.clone().filter(|_| call.method == "POST");
    let Some(key) = key else { return execute(&fake, request, next).await };
    let owner = Owner { account: call.account, key };
    let used_for = Use { path: call.path, params: call.given };
    let now = fake.world().now();
    let claim = fake.keys().claim(&owner, used_for, now);
    let mut response = match claim {
        Claim::Execute => execute_and_keep(fake, &owner, call.request_id, request, next).await,
        Claim::Refuse(error) => refuse(request.extensions(), &error),
        Claim::Replay(first) => replay(first),
    };
    set(&mut response, HeaderName::from_static("idempotency-key"), &owner.key);
    response
}

/// In a task of its own: a client that hangs up stops nothing.
async fn execute_and_keep(
    fake: Arc<Fake>,
    owner: &Owner,
    request_id: String,
    request: Request,
    next: Next,
) -> Response {
    let refused = refuse(request.extensions(), &StripeError::broken(StatusCode::INTERNAL_SERVER_ERROR));
    let (tasks, owned, fake_again) = (fake.tasks.clone(), owner.clone(), fake.clone());
    let executed = tasks.spawn(async move {
        let response = execute(&fake, request, next).await;
        if response.extensions().get::<NotBegun>().is_some() {
            fake.keys().forget(&owned);
            return response;
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_MAX).await.unwrap_or_default();
        let first = First { status: parts.status, body: body.clone(), request_id: request_id.clone() };
        fake.keys().keep(&owned, first);
        let mut response = Response::from_parts(parts, body.into());
        set(&mut response, ORIGINAL, &request_id);
        response
    });
    executed.await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "A call broke");
        fake_again.keys().forget(owner);
        refused
    })
}

const ORIGINAL: HeaderName = HeaderName::from_static("original-request");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

fn replay(first: First) -> Response {
    let mut response = answer::raw(first.status, first.body);
    set(&mut response, ORIGINAL, &first.request_id);
    set(&mut response, REPLAYED, "true");
    response
}

/// Executes it after its latency, unless a fault says otherwise.
async fn execute(fake: &Fake, request: Request, next: Next) -> Response {
    let fault = request.extensions().get::<Fault>().copied();
    let request_id = answer::RequestId::of(request.extensions());
    let latency_ms = fake.latency_ms_max() as f64 * chance(&request_id);
    if latency_ms >= 1.0 {
        tokio::time::sleep(std::time::Duration::from_secs_f64(latency_ms / 1000.0)).await;
    }
    let broken = answer::error(&StripeError::broken(StatusCode::INTERNAL_SERVER_ERROR), &request_id);
    match fault {
        Some(Fault::ErrorInstead) => broken,
        Some(Fault::ErrorAfter) => {
            let response = next.run(request).await;
            // What was wrong with the request is found before anything can break.
            if response.extensions().get::<NotBegun>().is_some() { response } else { broken }
        }
        _ => next.run(request).await,
    }
}
