//! A Stripe to test against: its public HTTP API for payments, in memory, deterministic by a seed, misbehaving on request.
//!
//! It answers as Stripe does: payment intents with test cards, charges, refunds, transfers and their reversals, connected
//! accounts, payouts, balances, disputes, events and signed webhooks, lists, errors, and idempotency keys that keep the
//! first answer, 500s included. What Stripe does not have is under `/_fake/`: faults, the clock, and a ledger of what was
//! done. It is a test tool: it moves no money, takes test keys only and remembers nothing after it ends, unless it is given a
//! file for that.

// `json!` takes a step for each field, and a charge has many.
#![recursion_limit = "256"]

mod account;
mod answer;
mod api;
mod balance;
mod call;
mod card;
mod charge;
mod control;
mod courier;
mod dispute;
mod error;
mod event;
mod expand;
mod faults;
mod form;
mod gate;
mod idempotency;
mod journal;
mod later;
mod money;
mod payment_intent;
mod payment_method;
mod payout;
mod post;
mod refund;
mod reversal;
mod seen;
mod settings;
mod table;
mod transfer;
mod webhook_endpoint;
mod wire;
mod world;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::faults::Faults;
pub use crate::faults::{ALL as FAULTS, Rates};
use crate::idempotency::Keys;
use crate::seen::{Calls, Seen};
pub use crate::settings::{Delivery, Settings, Webhook};
use crate::wire::{Listener, Wire};
use crate::world::World;

/// The version that answers follow when a client asks for none.
pub const API_VERSION: &str = "2026-08-26.dahlia";

/// Everything that a running fake shares.
pub(crate) struct Fake {
    started: Settings,
    world: Mutex<World>,
    keys: Mutex<Keys>,
    faults: Mutex<Faults>,
    calls: Mutex<Calls>,
    journal: tokio::sync::Mutex<Option<File>>,
    /// Wakes the courier.
    news: Notify,
    tasks: TaskTracker,
}

/// No code panics while it holds a lock; if one did, the next call would say so.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds a lock")
}

impl Fake {
    fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            world: Mutex::new(World::new(settings.clone())),
            keys: Mutex::default(),
            faults: Mutex::new(Faults::new(settings.seed, settings.faults.clone())),
            calls: Mutex::default(),
            journal: tokio::sync::Mutex::default(),
            news: Notify::new(),
            tasks: TaskTracker::new(),
            started: settings,
        })
    }

    fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.world)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        locked(&self.keys)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        locked(&self.faults)
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        locked(&self.calls)
    }

    fn request_id(&self) -> String {
        self.world().request_id()
    }

    fn remember(&self, seen: Seen) {
        self.calls().remember(seen);
    }

    fn latency_ms_max(&self) -> u64 {
        self.started.latency_ms_max
    }

    fn hang_ms(&self) -> u64 {
        self.started.hang_ms
    }

    /// As it was at the start.
    fn reset(&self, seed: Option<u64>) {
        let settings = Settings { seed: seed.unwrap_or(self.started.seed), ..self.started.clone() };
        *self.faults() = Faults::new(settings.seed, settings.faults.clone());
        *self.keys() = Keys::default();
        *self.calls() = Calls::default();
        *self.world() = World::new(settings);
    }

    fn router(self: &Arc<Self>) -> Router {
        let keep = from_fn_with_state(self.clone(), journal::keep);
        api::routes(self).merge(control::routes()).layer(keep).with_state(self.clone())
    }
}

/// Serves a fake until `stop`; calls that are executing are finished first.
pub async fn serve(listener: TcpListener, settings: Settings, stop: CancellationToken) -> io::Result<()> {
    let fake = Fake::new(settings);
    let router = fake.router();
    if let Some(path) = &fake.started.journal {
        let file = journal::ask_again(&fake, &router, path).await?;
        *fake.journal.lock().await = Some(file);
    }
    let courier = fake.tasks.spawn(courier::run(fake.clone(), stop.clone()));
    let service = router.into_make_service_with_connect_info::<Wire>();
    let served =
        axum::serve(Listener(listener), service).with_graceful_shutdown(stop.clone().cancelled_owned()).await;
    stop.cancel();
    fake.tasks.close();
    fake.tasks.wait().await;
    _ = courier.await;
    served
}

/// A fake in this process, for tests.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    stop: CancellationToken,
}

impl Running {
    /// On a free port of this machine. It ends when this is dropped.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let running = Self { addr: listener.local_addr()?, stop: CancellationToken::new() };
        let stop = running.stop.clone();
        TaskTracker::new().spawn(async move {
            if let Err(error) = serve(listener, settings, stop).await {
                tracing::error!(%error, "The fake Stripe ended");
            }
        });
        Ok(running)
    }

    /// `http://127.0.0.1:40123`
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
