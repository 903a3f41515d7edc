//! `souk fake-stripe`: a Stripe to test against, as a process of its own.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use chassis::telemetry::{LogFormat, Telemetry};
use clap::Args;
use fake_stripe::{Delivery, Rates, Settings, Webhook};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::serve::asked_to_stop;
use crate::settings::Format;

/// How the fake is reached and how it misbehaves.
#[derive(Debug, Args)]
pub struct FakeStripe {
    /// The name or address to listen on.
    #[arg(long, env = "SOUK_FAKE_STRIPE_HOST", default_value = "127.0.0.1")]
    host: String,
    /// The port to listen on; 0 for any that is free, which is printed.
    #[arg(long, env = "SOUK_FAKE_STRIPE_PORT", default_value_t = 12111)]
    port: u16,
    /// Ids, faults and late webhooks follow from it and from the order of calls.
    #[arg(long, env = "SOUK_FAKE_STRIPE_SEED", default_value_t = 1)]
    seed: u64,
    /// Where webhooks go, those of connected accounts too.
    #[arg(long, env = "SOUK_FAKE_STRIPE_WEBHOOK_URL", requires = "webhook_secret")]
    webhook_url: Option<String>,
    /// What webhooks are signed with: whsec_…
    #[arg(long, env = "SOUK_FAKE_STRIPE_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: Option<String>,
    /// The share of webhooks that come twice, 0 to 1.
    #[arg(long, env = "SOUK_FAKE_STRIPE_WEBHOOKS_DOUBLED", default_value_t = 0.0, value_parser = share)]
    webhooks_doubled: f64,
    /// How late a webhook may come, by chance, in milliseconds; above 0 they come shuffled.
    #[arg(long, env = "SOUK_FAKE_STRIPE_WEBHOOKS_LATE_MS", default_value_t = 0)]
    webhooks_late_ms: u64,
    /// What goes wrong and how often, as shares of all calls: `error_after=0.05,drop_after=0.03`. error_after: executed,
    /// but the answer is a 500, which the key keeps; error_instead: the same without being executed; drop_after and
    /// drop_before: the connection is closed after or before executing; hang: executed, no answer; rate_limit: 429;
    /// conflict: 409; unavailable: 503.
    #[arg(long, env = "SOUK_FAKE_STRIPE_FAULTS", default_value = "", hide_default_value = true)]
    faults: Rates,
    /// How long a call may take before it is executed, by chance, in milliseconds.
    #[arg(long, env = "SOUK_FAKE_STRIPE_LATENCY_MS", default_value_t = 0)]
    latency_ms: u64,
    /// How long a hanging call stays open, in milliseconds.
    #[arg(long, env = "SOUK_FAKE_STRIPE_HANG_MS", default_value_t = 30_000)]
    hang_ms: u64,
    /// Keeps what is asked of it in this file, and knows what is in it already. Without one it forgets everything when it ends.
    #[arg(long, env = "SOUK_FAKE_STRIPE_JOURNAL")]
    journal: Option<PathBuf>,
    /// What to log: a level, or directives such as `info,fake_stripe=debug`.
    #[arg(long, env = "SOUK_LOG", default_value = "info")]
    log: String,
    /// How log lines look.
    #[arg(long, env = "SOUK_LOG_FORMAT", default_value = "pretty")]
    log_format: Format,
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("not between 0 and 1".into()) }
}

impl FakeStripe {
    fn telemetry(&self) -> Telemetry {
        let format = match self.log_format {
            Format::Pretty => LogFormat::Pretty,
            Format::Json => LogFormat::Json,
        };
        Telemetry { filter: self.log.clone(), format, otlp_endpoint: None }
    }

    fn settings(self) -> Settings {
        let webhook = self.webhook_url.zip(self.webhook_secret);
        Settings {
            seed: self.seed,
            webhook: webhook.map(|(url, secret)| Webhook { url, secret }),
            delivery: Delivery {
                doubled: self.webhooks_doubled,
                late_ms_max: self.webhooks_late_ms,
                held: false,
            },
            faults: self.faults,
            latency_ms_max: self.latency_ms,
            hang_ms: self.hang_ms,
            journal: self.journal,
            ..Settings::default()
        }
    }
}

/// Serves the fake until somebody asks it to stop.
pub async fn run(options: FakeStripe) -> anyhow::Result<()> {
    let _telemetry =
        options.telemetry().start().map_err(|failure| anyhow!("logs cannot start: {failure}"))?;
    let (host, port) = (options.host.clone(), options.port);
    let listener = TcpListener::bind((host.as_str(), port)).await;
    let listener = listener.with_context(|| format!("cannot listen on {host}:{port}"))?;
    info!("FAKE STRIPE: no money moves. http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let served = fake_stripe::serve(listener, options.settings(), stop.clone());
    tokio::pin!(served);
    tokio::select! {
        ended = &mut served => return ended.context("the fake ended"),
        asked = asked_to_stop() => asked?,
    }
    stop.cancel();
    served.await.context("the fake did not end cleanly")
}
