//! Who moves the money.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use payments::provider::{Setup, stripe};
use secrecy::{ExposeSecret, SecretString};

/// The provider of new payments, and how it is reached.
#[derive(Clone, Debug, Args)]
pub struct PaymentSettings {
    /// Who takes new payments. Those that were made with another one go on there. Without it the sandbox; in the demo a
    /// Stripe of its own, which forgets them when the process ends.
    #[arg(long, env = "SOUK_PAYMENTS_PROVIDER")]
    pub payments_provider: Option<Provider>,
    /// The secret key of the account at Stripe: `sk_…`, or `rk_…`. Better in the environment or in a file: other users of
    /// the machine see command lines.
    #[arg(
        long,
        env = "SOUK_STRIPE_SECRET_KEY",
        hide_env_values = true,
        conflicts_with = "stripe_secret_key_file"
    )]
    pub stripe_secret_key: Option<SecretString>,
    /// A file with the secret key.
    #[arg(long, env = "SOUK_STRIPE_SECRET_KEY_FILE")]
    pub stripe_secret_key_file: Option<PathBuf>,
    /// The secret that signs Stripe's webhooks: `whsec_…`. While it is exchanged, both, with a comma between them.
    #[arg(
        long,
        env = "SOUK_STRIPE_WEBHOOK_SECRET",
        hide_env_values = true,
        conflicts_with = "stripe_webhook_secret_file"
    )]
    pub stripe_webhook_secret: Option<SecretString>,
    /// A file with that secret.
    #[arg(long, env = "SOUK_STRIPE_WEBHOOK_SECRET_FILE")]
    pub stripe_webhook_secret_file: Option<PathBuf>,
    /// Where Stripe is; another address for tests.
    #[arg(long, env = "SOUK_STRIPE_URL", default_value = stripe::BASE_URL)]
    pub stripe_url: String,
    /// How long one call to Stripe may last, in milliseconds: 1,000 to 29,000.
    #[arg(long, env = "SOUK_STRIPE_TIMEOUT_MS", default_value_t = 20_000)]
    pub stripe_timeout_ms: u64,
    /// Where a buyer's bank sends them back to after they have confirmed: a page of your shop. Without it your apps continue
    /// with `clientSecret` and Stripe's own library.
    #[arg(long, env = "SOUK_STRIPE_RETURN_URL")]
    pub stripe_return_url: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    /// Moves no money: for trying out.
    Sandbox,
    /// Stripe, with connected accounts for sellers.
    Stripe,
}

impl PaymentSettings {
    /// How the provider is reached.
    ///
    /// # Errors
    /// Something is missing, or does not look like what it should be.
    pub fn setup(&self) -> anyhow::Result<Setup> {
        match self.payments_provider.unwrap_or(Provider::Sandbox) {
            Provider::Sandbox => Ok(Setup::Sandbox),
            Provider::Stripe => Ok(Setup::Stripe(self.stripe()?)),
        }
    }

    fn stripe(&self) -> anyhow::Result<stripe::Settings> {
        let key = secret(self.stripe_secret_key.as_ref(), self.stripe_secret_key_file.as_deref())?;
        let key = key.context(
            "payments with Stripe need its secret key: --stripe-secret-key-file (SOUK_STRIPE_SECRET_KEY_FILE) or \
             SOUK_STRIPE_SECRET_KEY",
        )?;
        let known = ["sk_", "rk_"].iter().any(|prefix| key.expose_secret().starts_with(prefix));
        ensure!(known, "the secret key of Stripe begins with sk_ or rk_; pk_ is the key for browsers");
        let (timeout, webhook_secrets) = (self.timeout()?, self.webhook_secrets()?);
        Ok(stripe::Settings {
            base_url: address("--stripe-url", &self.stripe_url)?,
            timeout,
            return_url: self
                .stripe_return_url
                .as_deref()
                .map(|url| address("--stripe-return-url", url))
                .transpose()?,
            ..stripe::Settings::new(key, webhook_secrets)
        })
    }

    fn timeout(&self) -> anyhow::Result<Duration> {
        let timeout_ms = self.stripe_timeout_ms;
        ensure!(
            (1_000..=29_000).contains(&timeout_ms),
            "--stripe-timeout-ms must be 1,000 to 29,000, not {timeout_ms}: a step is taken over after 40 s"
        );
        Ok(Duration::from_millis(timeout_ms))
    }

    fn webhook_secrets(&self) -> anyhow::Result<Vec<SecretString>> {
        let given = secret(self.stripe_webhook_secret.as_ref(), self.stripe_webhook_secret_file.as_deref())?;
        let given = given.context(
            "payments with Stripe need the secret of its webhooks: --stripe-webhook-secret-file \
             (SOUK_STRIPE_WEBHOOK_SECRET_FILE) or SOUK_STRIPE_WEBHOOK_SECRET; the endpoint to name at Stripe is \
             POST /provider/webhook/stripe",
        )?;
        let all: Vec<&str> = given.expose_secret().split(',').map(str::trim).collect();
        if all.iter().any(|secret| !secret.starts_with("whsec_")) {
            bail!("the secret of Stripe's webhooks begins with whsec_");
        }
        Ok(all.into_iter().map(SecretString::from).collect())
    }
}

/// Money and secrets go over https, or to this machine.
fn address(option: &str, text: &str) -> anyhow::Result<String> {
    let host = text.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    let local = host.is_some_and(|host| matches!(host, "localhost" | "127.0.0.1"));
    ensure!(
        local || text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()),
        "{option} must begin with https://, or with http://localhost for tests, not {text}"
    );
    Ok(text.trim_end_matches('/').to_owned())
}

fn secret(given: Option<&SecretString>, file: Option<&Path>) -> anyhow::Result<Option<SecretString>> {
    // compose.yaml passes on what is empty.
    let given = given.filter(|secret| !secret.expose_secret().is_empty());
    let Some(path) = file.filter(|_| given.is_none()) else { return Ok(given.cloned()) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the secret in {} cannot be read", path.display()))?;
    Ok(Some(text.trim().into()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        payments: PaymentSettings,
    }

    fn setup(arguments: &str) -> Result<Setup, String> {
        let cli = Cli::try_parse_from(std::iter::once("souk").chain(arguments.split_whitespace()));
        cli.map_err(|error| error.to_string())?.payments.setup().map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_missing_or_wrong_is_said_at_the_start() {
        let whole =
            "--payments-provider stripe --stripe-secret-key sk_test_1 --stripe-webhook-secret whsec_1";
        for (arguments, said) in [
            ("--payments-provider paypal", "possible values: sandbox, stripe"),
            ("--payments-provider stripe", "SOUK_STRIPE_SECRET_KEY_FILE"),
            ("--payments-provider stripe --stripe-secret-key sk_1", "SOUK_STRIPE_WEBHOOK_SECRET_FILE"),
            (
                "--payments-provider stripe --stripe-secret-key pk_1 --stripe-webhook-secret whsec_1",
                "sk_ or rk_",
            ),
            ("--payments-provider stripe --stripe-secret-key sk_1 --stripe-webhook-secret sk_2", "whsec_"),
            ("--payments-provider stripe --stripe-secret-key-file /no/such/file", "/no/such/file"),
            (&format!("{whole} --stripe-url http://api.stripe.com"), "https://"),
            (&format!("{whole} --stripe-url http://localhost.evil.example"), "https://"),
            (&format!("{whole} --stripe-timeout-ms 30000"), "29,000"),
            (&format!("{whole} --stripe-return-url shop"), "--stripe-return-url"),
        ] {
            let error = setup(arguments).expect_err(arguments);
            assert!(error.contains(said), "{arguments}: {error}");
            assert!(!error.contains("sk_1") && !error.contains("whsec_1"), "secrets are not shown: {error}");
        }
    }

    #[test]
    fn what_is_there_is_taken() {
        assert!(matches!(setup(""), Ok(Setup::Sandbox)));
        let arguments = "--payments-provider stripe --stripe-secret-key rk_live_1 --stripe-webhook-secret whsec_1,whsec_2 \
             --stripe-url http://127.0.0.1:4242/ --stripe-timeout-ms 1000 --stripe-return-url https://shop.example/paid";
        let Ok(Setup::Stripe(settings)) = setup(arguments) else { panic!("it is whole") };
        assert_eq!(settings.base_url, "http://127.0.0.1:4242");
        assert_eq!((settings.webhook_secrets.len(), settings.timeout), (2, Duration::from_secs(1)));
        assert_eq!(settings.return_url.as_deref(), Some("https://shop.example/paid"));
    }
}
