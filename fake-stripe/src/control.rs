//! `/_fake/`: what Stripe does not have. Tests reset, plan faults, move the clock, and read what was done.

mod ledger;
mod page;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::{Planned, Rates};
use crate::table::Resource;
use crate::{Fake, dispute, refund};

/// How long `flush` waits, and how often it looks.
const FLUSH_MS: u64 = 30_000;
const LOOK_MS: u64 = 5;

pub fn routes() -> Router<Arc<Fake>> {
    Router::new()
        .route("/_fake/reset", post(reset))
        .route("/_fake/ledger", get(show_ledger))
        .route("/_fake/calls", get(calls))
        .route("/_fake/clock", post(clock))
        .route("/_fake/faults", get(show_faults).post(set_faults))
        .route("/_fake/webhooks", post(set_webhooks))
        .route("/_fake/webhooks/flush", post(flush))
        .route("/_fake/events/{id}/send", post(send_event))
        .route("/_fake/disputes", post(open_dispute))
        .route("/_fake/disputes/{id}/{outcome}", post(decide_dispute))
        .route("/_fake/refunds/{id}/fail", post(fail_refund))
        .merge(page::routes())
}

type Body<T> = Result<Json<T>, JsonRejection>;

/// What a control endpoint could not do.
pub enum Refusal {
    Unreadable(JsonRejection),
    NotThere(String),
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        Self::Unreadable(rejection)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, told) = match self {
            Self::Unreadable(rejection) => (rejection.status(), rejection.body_text()),
            Self::NotThere(what) => (StatusCode::NOT_FOUND, what),
        };
        (status, Json(json!({ "error": { "message": told } }))).into_response()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    seed: Option<u64>,
}

/// Everything is as it was at the start; with `seed`, as with another one.
async fn reset(State(fake): State<Arc<Fake>>, body: Body<Reset>) -> Result<Json<Value>, Refusal> {
    fake.reset(body?.0.seed);
    Ok(Json(json!({ "reset": true })))
}

async fn show_ledger(State(fake): State<Arc<Fake>>) -> Json<Value> {
    Json(ledger::show(&fake.world()))
}

async fn calls(State(fake): State<Arc<Fake>>) -> Json<Value> {
    Json(json!({ "calls": fake.calls().all().collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    advance_s: i64,
}

/// Moves the clock ahead: holds end, money becomes available, keys are forgotten.
async fn clock(State(fake): State<Arc<Fake>>, body: Body<Clock>) -> Result<Json<Value>, Refusal> {
    let Clock { advance_s } = body?.0;
    let mut world = fake.world();
    world.advance(advance_s);
    let now = world.now();
    drop(world);
    fake.news.notify_one();
    Ok(Json(json!({ "now": now })))
}

async fn show_faults(State(fake): State<Arc<Fake>>) -> Json<Value> {
    let faults = fake.faults();
    Json(json!({ "rates": faults.rates, "next": faults.planned }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    rates: Option<Rates>,
    next: Option<Vec<Planned>>,
}

/// What is given replaces what was.
async fn set_faults(State(fake): State<Arc<Fake>>, body: Body<Change>) -> Result<Json<Value>, Refusal> {
    let Change { rates, next } = body?.0;
    let mut faults = fake.faults();
    faults.rates = rates.unwrap_or(std::mem::take(&mut faults.rates));
    faults.planned = next.unwrap_or(std::mem::take(&mut faults.planned));
    Ok(Json(json!({ "rates": faults.rates, "next": faults.planned })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhooks {
    doubled: Option<f64>,
    late_ms_max: Option<u64>,
    held: Option<bool>,
}

/// What is given replaces what was.
async fn set_webhooks(State(fake): State<Arc<Fake>>, body: Body<Webhooks>) -> Result<Json<Value>, Refusal> {
    let Webhooks { doubled, late_ms_max, held } = body?.0;
    let mut world = fake.world();
    let delivery = &mut world.post.delivery;
    delivery.doubled = doubled.unwrap_or(delivery.doubled);
    delivery.late_ms_max = late_ms_max.unwrap_or(delivery.late_ms_max);
    delivery.held = held.unwrap_or(delivery.held);
    drop(world);
    fake.news.notify_one();
    Ok(Json(json!({ "held": held })))
}

/// Answers when nothing is on its way any more, or after half a minute.
async fn flush(State(fake): State<Arc<Fake>>) -> Json<Value> {
    for _ in 0..FLUSH_MS / LOOK_MS {
        if fake.world().post.pending() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
    Json(json!({ "pending": fake.world().post.pending() }))
}

/// Sends an event once more, as one can at Stripe's dashboard.
async fn send_event(State(fake): State<Arc<Fake>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let mut guard = fake.world();
    let world = &mut *guard;
    let event = world.events.any(&id).ok_or_else(|| Refusal::NotThere(format!("no event {id}")))?;
    let (kind, account) = (event.kind.clone(), event.head.account.clone());
    for endpoint in world.endpoints.rows().filter(|endpoint| endpoint.hears(&kind, &account)) {
        world.post.send(&id, &endpoint.head.id);
    }
    drop(guard);
    fake.news.notify_one();
    Ok(Json(json!({ "sent": id })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDispute {
    charge: String,
    amount: Option<i64>,
    #[serde(default = "fraudulent")]
    reason: String,
    #[serde(default)]
    inquiry: bool,
}

fn fraudulent() -> String {
    "fraudulent".into()
}

/// A buyer goes to their bank, at any time.
async fn open_dispute(State(fake): State<Arc<Fake>>, body: Body<NewDispute>) -> Result<Json<Value>, Refusal> {
    let NewDispute { charge, amount, reason, inquiry } = body?.0;
    let mut world = fake.world();
    let id = dispute::open(&mut world, &charge, amount, &reason, inquiry);
    let id = id.ok_or_else(|| Refusal::NotThere(format!("no captured charge {charge}")))?;
    let shown = world.show(&id).unwrap_or_default();
    drop(world);
    fake.news.notify_one();
    Ok(Json(shown))
}

/// The bank decides: `won` or `lost`.
async fn decide_dispute(
    State(fake): State<Arc<Fake>>,
    Path((id, outcome)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let won = match outcome.as_str() {
        "won" => true,
        "lost" => false,
        other => return Err(Refusal::NotThere(format!("a dispute is won or lost, not {other}"))),
    };
    let mut world = fake.world();
    dispute::decide(&mut world, &id, won);
    let shown = world.disputes.any(&id).map(|dispute| dispute.show(&world));
    let shown = shown.ok_or_else(|| Refusal::NotThere(format!("no dispute {id}")))?;
    drop(world);
    fake.news.notify_one();
    Ok(Json(shown))
}

/// The buyer's bank gives a refund back.
async fn fail_refund(State(fake): State<Arc<Fake>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let mut world = fake.world();
    refund::fail(&mut world, &id);
    let shown = world.refunds.any(&id).map(|refund| refund.show(&world));
    let shown = shown.ok_or_else(|| Refusal::NotThere(format!("no refund {id}")))?;
    drop(world);
    fake.news.notify_one();
    Ok(Json(shown))
}
