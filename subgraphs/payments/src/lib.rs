//! Payments: the buyers' money, from their card to the sellers' banks.
//!
//! It owns payments and the shares of sellers in them, what it asks of payment providers, refunds, payouts, disputes, and
//! the ledger. It promises that nobody is charged twice and no money is lost: every call to a provider has a key that is
//! stored before it, what a call did is read when its answer is lost, and every movement is an entry of a double-entry
//! ledger that nobody can change; [`ledger::verify`] adds it up again.

mod asks;
mod bid_hold;
pub mod courier;
mod desk;
mod difference;
mod dispute;
mod events;
mod file;
mod graphql;
mod hint;
pub mod ledger;
mod operator;
mod payee;
mod payment;
mod payout;
mod payout_account;
mod penalty;
pub mod provider;
pub mod reconcile;
mod refund;
pub mod rehearsal;
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
use provider::sandbox::{self, Sandbox};
use provider::stripe::Stripe;
use provider::{Providers, Setup};

/// How often to look for what stands still.
const LOOK_AGAIN_PAUSE: Duration = Duration::from_secs(60);
/// How often to compare balances.
const BALANCE_PAUSE: Duration = Duration::from_secs(24 * 3_600);
/// How often to ask providers what happened, for webhooks that got lost.
const GATHER_PAUSE: Duration = Duration::from_secs(60);
/// How soon the courier starts again should it fail.
const COURIER_PAUSE: Duration = Duration::from_secs(1);

/// What every part of payments may need.
#[derive(Clone)]
struct Payments {
    env: Env,
    courier: Arc<Courier>,
    /// Wakes the courier.
    news: Arc<Notify>,
    /// What providers have told, as far as this process knows.
    heard: Arc<reconcile::Heard>,
}

impl Payments {
    /// The sandbox is always there: payments that were made with it go on, also when new ones are made elsewhere.
    fn new(env: &Env, setup: &Setup) -> Result<Self, Failure> {
        let news = Arc::new(Notify::new());
        let sandbox = Arc::new(Sandbox::new(env, news.clone()));
        let providers = match setup {
            Setup::Sandbox => Providers::new(sandbox, vec![]),
            Setup::Stripe(settings) => {
                Providers::new(Arc::new(Stripe::new(settings.clone())?), vec![sandbox])
            }
        };
        let courier = Arc::new(Courier::new(env, providers, news.clone()));
        Ok(Self { env: env.clone(), courier, news, heard: Arc::default() })
    }
}

/// The payments subgraph on the database of `env`, with the providers of `setup`.
pub async fn subgraph(env: &Env, setup: &Setup) -> Result<Subgraph, Failure> {
    let payments = Payments::new(env, setup)?;
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
///
/// # Errors
/// The provider's client does not start.
pub fn courier(env: &Env, setup: &Setup) -> Result<Arc<Courier>, Failure> {
    Ok(Payments::new(env, setup)?.courier)
}

fn jobs(payments: &Payments) -> Vec<Job> {
    vec![
        job("payments.courier", COURIER_PAUSE, payments, |payments| payments.courier.run()),
        job("payments.reconcile", LOOK_AGAIN_PAUSE, payments, |payments| async move {
            reconcile::look_again(&payments.env, &payments.courier).await.map(drop)
        }),
        job("payments.gather", GATHER_PAUSE, payments, |payments| async move {
            let Payments { env, courier, news, heard } = &payments;
            reconcile::gather(env, courier, news, heard).await.map(drop)
        }),
        job("payments.payees", LOOK_AGAIN_PAUSE, payments, |payments| async move {
            payee::follow_provider(&payments.env, payments.courier.providers().first()).await.map(drop)
        }),
        job("payments.orphans", BALANCE_PAUSE, payments, |payments| async move {
            reconcile::give_up_orphans(&payments.env, &payments.courier).await.map(drop)
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
