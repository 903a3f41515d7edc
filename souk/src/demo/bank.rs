//! The demo's bank: a Stripe in this process, so that buying takes the way that it takes with Stripe. No money moves. What was
//! asked of it is kept with the demo's data, so that it knows its payments after a restart.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use chassis::Tasks;
use fake_stripe::{Settings, Webhook};
use payments::provider::{Setup, stripe};
use tokio::net::TcpListener;
use tracing::error;

/// A key that the bank takes; it takes any that begins like this.
const SECRET_KEY: &str = "sk_test_demo";
/// It leaves the process only towards itself.
const WEBHOOK_SECRET: &str = "whsec_demo";
/// What was asked of it.
const JOURNAL: &str = "bank.jsonl";

/// A bank with an address, not yet open.
pub struct Bank {
    listener: TcpListener,
    url: String,
    journal: PathBuf,
}

impl Bank {
    /// Takes a free port of this machine. It remembers what it did in `folder`.
    ///
    /// # Errors
    /// There is none.
    pub async fn found(folder: &Path) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("the demo's bank cannot listen on 127.0.0.1")?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok(Self { listener, url, journal: folder.join(JOURNAL) })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How payments reach it. Buyers who confirmed come back to `shop`.
    pub fn setup(&self, shop: String) -> Setup {
        Setup::Stripe(stripe::Settings {
            base_url: self.url.clone(),
            return_url: Some(shop),
            ..stripe::Settings::new(SECRET_KEY.into(), vec![WEBHOOK_SECRET.into()])
        })
    }

    /// Serves until the process stops, and tells the marketplace at `address` what happens.
    pub fn open(self, tasks: &Tasks, address: &str) {
        let url = format!("{address}/provider/webhook/stripe");
        let settings = Settings {
            // Names that an earlier bank gave are not given again: payments of that time are not mistaken for others.
            seed: SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO).as_secs(),
            webhook: Some(Webhook { url, secret: WEBHOOK_SECRET.into() }),
            journal: Some(self.journal),
            trusts_sellers: true,
            ..Settings::default()
        };
        let stop = tasks.stopping().clone();
        tasks.spawn(async move {
            if let Err(error) = fake_stripe::serve(self.listener, settings, stop).await {
                error!(%error, "The demo's bank has closed");
            }
        });
    }
}
