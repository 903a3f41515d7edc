//! What every command needs to know: where rows are kept, the master key, who moves money, what to log.

mod markets;
mod payments;
mod trades;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use chassis::telemetry::{self, LogFormat, Telemetry};
use chassis::{Clock, MasterKey, Reach, Tasks};
use clap::{Args, ValueEnum};
use rand::TryRngCore;
use secrecy::SecretBox;

use crate::market::{ALL, Market, Plan, ServiceName};
pub use markets::MarketSettings;
pub use payments::{PaymentSettings, Provider};
pub use trades::TradeSettings;

/// What speaks only when asked by name.
#[cfg(feature = "router")]
const QUIET: &str = router::LOG_FILTER;
#[cfg(not(feature = "router"))]
const QUIET: &str = "warn";
/// Steps of migrations at a first start.
const MIGRATIONS: &str = "sea_orm_migration=warn,sqlx=warn";

/// Where rows are kept and what is logged.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// The folder for databases and keys; made when it is missing.
    #[arg(long, env = "SOUK_DATA_DIR", default_value = "souk-data")]
    pub data_dir: PathBuf,
    /// One PostgreSQL database for all services, each in a schema of its own: `postgres://user:password@host/souk`.
    /// SQLite files in the data folder when it is not given.
    #[arg(long, env = "SOUK_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The database of accounts, when it has one of its own.
    #[arg(long, env = "SOUK_ACCOUNTS_DATABASE_URL", hide_env_values = true)]
    pub accounts_database_url: Option<String>,
    /// The database of bidding, when it has one of its own.
    #[arg(long, env = "SOUK_BIDDING_DATABASE_URL", hide_env_values = true)]
    pub bidding_database_url: Option<String>,
    /// The database of catalog, when it has one of its own.
    #[arg(long, env = "SOUK_CATALOG_DATABASE_URL", hide_env_values = true)]
    pub catalog_database_url: Option<String>,
    /// The database of inventory, when it has one of its own.
    #[arg(long, env = "SOUK_INVENTORY_DATABASE_URL", hide_env_values = true)]
    pub inventory_database_url: Option<String>,
    /// The database of orders, when it has one of its own.
    #[arg(long, env = "SOUK_ORDERS_DATABASE_URL", hide_env_values = true)]
    pub orders_database_url: Option<String>,
    /// The database of payments, when it has one of its own.
    #[arg(long, env = "SOUK_PAYMENTS_DATABASE_URL", hide_env_values = true)]
    pub payments_database_url: Option<String>,
    /// The file with the key that seals personal data: 64 hexadecimal digits. `master.key` in the data folder when it is
    /// not given; made when it is missing. Keep a copy: without it personal data cannot be read.
    #[arg(long, env = "SOUK_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// Sends webhooks to private addresses and over http as well; for development.
    #[arg(long, env = "SOUK_ALLOW_PRIVATE_WEBHOOKS")]
    pub allow_private_webhooks: bool,
    #[command(flatten)]
    pub payments: PaymentSettings,
    #[command(flatten)]
    pub trades: TradeSettings,
    #[command(flatten)]
    pub markets: MarketSettings,
    /// What to log: a level, or directives such as `info,chassis=debug`.
    #[arg(long, env = "SOUK_LOG", default_value = "info,tantivy=error")]
    pub log: String,
    /// How log lines look.
    #[arg(long, env = "SOUK_LOG_FORMAT", default_value = "pretty")]
    pub log_format: Format,
    /// An OpenTelemetry collector for traces: `http://localhost:4318/v1/traces`.
    #[arg(long, env = "SOUK_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// Starts logs, traces and metrics.
    pub fn telemetry(&self) -> anyhow::Result<telemetry::Guard> {
        let format = match self.log_format {
            Format::Pretty => LogFormat::Pretty,
            Format::Json => LogFormat::Json,
        };
        let filter = format!("{MIGRATIONS},{QUIET},{}", self.log);
        let telemetry = Telemetry { filter, format, otlp_endpoint: self.otlp_endpoint.clone() };
        telemetry.start().map_err(|failure| anyhow::anyhow!("logs and traces cannot start: {failure}"))
    }

    /// The database URL of a service.
    pub fn database(&self, service: ServiceName) -> anyhow::Result<String> {
        let own = match service {
            ServiceName::Accounts => &self.accounts_database_url,
            ServiceName::Bidding => &self.bidding_database_url,
            ServiceName::Catalog => &self.catalog_database_url,
            ServiceName::Inventory => &self.inventory_database_url,
            ServiceName::Orders => &self.orders_database_url,
            ServiceName::Payments => &self.payments_database_url,
        };
        let Some(url) = own.as_ref().or(self.database_url.as_ref()) else {
            return Ok(format!("sqlite://{}", self.data_dir.join(format!("{service}.db")).display()));
        };
        if !["postgres://", "postgresql://", "sqlite://"].iter().any(|scheme| url.starts_with(scheme)) {
            bail!("the database URL of {service} must begin with postgres:// or sqlite://");
        }
        Ok(url.clone())
    }

    /// Makes the data folder and the master key when they are missing, and says where everything is.
    pub fn plan(&self, services: &[ServiceName]) -> anyhow::Result<Plan> {
        let (payments, trades) = (self.payments.setup()?, self.trades.rules()?);
        let markets = self.markets.rules(&trades)?;
        let folder = self.data_dir.display();
        fs::create_dir_all(&self.data_dir)
            .with_context(|| format!("the data folder {folder} cannot be made"))?;
        let databases = services.iter().map(|service| Ok((*service, self.database(*service)?)));
        let databases = databases.collect::<anyhow::Result<_>>()?;
        let reach = if self.allow_private_webhooks { Reach::Anywhere } else { Reach::Public };
        Ok(Plan {
            databases,
            master_key: self.master_key()?,
            data_dir: Some(self.data_dir.clone()),
            reach,
            payments,
            trades,
            markets,
            peers: None,
        })
    }

    /// Every service, open and not yet running.
    pub async fn open_market(&self) -> anyhow::Result<Market> {
        Ok(Market::open(&self.plan(&ALL)?, Clock::System, Tasks::new()).await?)
    }

    /// [`open_market`](Self::open_market) for commands that work on what is there.
    pub async fn open_existing_market(&self) -> anyhow::Result<Market> {
        let folder = self.data_dir.display();
        anyhow::ensure!(
            self.data_dir.is_dir(),
            "there is no data folder {folder}; name yours with --data-dir"
        );
        self.open_market().await
    }

    /// Keeps a second server away from the data folder until the file is dropped.
    pub fn lock(&self) -> anyhow::Result<File> {
        let path = self.data_dir.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                bail!("the data folder {} is in use by another souk", self.data_dir.display())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} cannot be locked", path.display()))
            }
        }
    }

    /// A new key would open nothing that the old one sealed.
    fn ensure_nothing_is_sealed(&self, key: &Path) -> anyhow::Result<()> {
        let accounts = self.data_dir.join("accounts.db");
        let (key, sealed) = (key.display(), accounts.display());
        anyhow::ensure!(
            !accounts.exists(),
            "the master key {key} is missing, and {sealed} was sealed with it: put it back"
        );
        Ok(())
    }

    fn master_key(&self) -> anyhow::Result<MasterKey> {
        let path = self.master_key_file.clone().unwrap_or_else(|| self.data_dir.join("master.key"));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.ensure_nothing_is_sealed(&path)?;
                make_master_key(&path)
                    .with_context(|| format!("the master key {} cannot be made", path.display()))?
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("the master key {} cannot be read", path.display()));
            }
        };
        let key = parse_master_key(text.trim())
            .with_context(|| format!("the master key {} is not 64 hexadecimal digits", path.display()))?;
        Ok(Arc::new(SecretBox::new(Box::new(key))))
    }
}

/// Written whole under another name first, so that a crash leaves no half a key.
fn make_master_key(path: &Path) -> io::Result<String> {
    let mut key = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut key).map_err(io::Error::other)?;
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let draft = path.with_extension("draft");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    Ok(text)
}

fn parse_master_key(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(key)
}
