//! Payments: the buyers' money, from their card to the sellers' banks.
//!
//! It owns payments and the shares of sellers in them, what it asks of payment providers, refunds, payouts, disputes, and
//! the ledger. It promises that nobody is charged twice and no money is lost: every call to a provider has a key that is
//! stored before it, what a call did is read when its answer is lost, and every movement is an entry of a double-entry
//! ledger that nobody can change; [`ledger::verify`] adds it up again.

mod asks;
pub mod courier;
mod desk;
mod dispute;
mod events;
mod file;
mod graphql;
mod hint;
pub mod ledger;
mod operator;
mod payment;
mod payout;
pub mod provider;
pub mod reconcile;
mod refund;
mod seller;
mod share;
mod split;
mod statement;
pub mod webhook;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chassis::{Env, Failure, Job, Subgraph};
use futures::FutureExt;
use tokio::sync::Notify;

use courier::Courier;
use provider::Providers;
use provider::sandbox::{self, Sandbox};

/// How often to look for what stands still.
const LOOK_AGAIN_PAUSE: Duration = Duration::from_secs(60);
/// How often to compare balances.
const BALANCE_PAUSE: Duration = Duration::from_secs(24 * 3_600);
/// How soon the courier starts again should it fail.
const COURIER_PAUSE: Duration = Duration::from_secs(1);

/// What every part of payments may need.
#[derive(Clone)]
struct Payments {
    env: Env,
    courier: Arc<Courier>,
    /// Wakes the courier.
    news: Arc<Notify>,
}

impl Payments {
    fn new(env: &Env) -> Self {
        let news = Arc::new(Notify::new());
        let providers = Providers::new(Arc::new(Sandbox::new(env, news.clone())), vec![]);
        let courier = Arc::new(Courier::new(env, providers, news.clone()));
        Self { env: env.clone(), courier, news }
    }
}

/// The payments subgraph on the database of `env`.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    let payments = Payments::new(env);
    let consumers = events::consumers(env, &payments.courier);
    let pages = sandbox::page::routes(env, payments.news.clone());
    let webhooks = webhook::routes(env, payments.courier.clone(), payments.news.clone());
    Ok(Subgraph {
        name: "payments",
        graph: graphql::graph(payments.clone(), consumers.clone()),
        consumers,
        jobs: jobs(&payments),
        routes: pages.merge(webhooks),
    })
}

/// A courier of its own for the payments of `env`, as another process would have.
pub fn courier(env: &Env) -> Arc<Courier> {
    Payments::new(env).courier
}

fn jobs(payments: &Payments) -> Vec<Job> {
    vec![
        job("payments.courier", COURIER_PAUSE, payments, |payments| payments.courier.run()),
        job("payments.reconcile", LOOK_AGAIN_PAUSE, payments, |payments| async move {
            reconcile::look_again(&payments.env, &payments.courier).await.map(drop)
        }),
        job("payments.balance", BALANCE_PAUSE, payments, |payments| async move {
            reconcile::compare_balances(&payments.env, &payments.courier).await.map(drop)
        }),
    ]
}

fn job<F, R>(name: &'static str, pause: Duration, payments: &Payments, run: F) -> Job
where
    F: Fn(Payments) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let payments = payments.clone();
    Job { name, pause, run: Arc::new(move || run(payments.clone()).boxed()) }
}
