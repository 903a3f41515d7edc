//! Services in this process.

use std::time::Duration;

use chassis::{Clock, Tasks};
use entity::catalog::product;
use sea_orm::EntityTrait;
use tracing::info;

use super::{Among, Inner, Listen, asked_to_stop, serve_http};
use crate::demo::{Bank, Demo, shops};
use crate::market::{ALL, Market, ServiceName};
use crate::settings::Settings;

/// How often a subgraph asks accounts for its keys.
pub(super) const JWKS_PAUSE: Duration = Duration::from_secs(60);
/// Strikes that nobody in a demo comes to.
const DEMO_STRIKES: u32 = 1_000_000;

/// The whole marketplace behind one endpoint.
pub async fn everything(
    settings: &Settings,
    listen: &Listen,
    among: Option<&Among>,
    demo: Option<Demo>,
) -> anyhow::Result<()> {
    let _telemetry = settings.telemetry()?;
    let mut plan = settings.plan(&ALL)?;
    if let Some(among) = among {
        plan.peers = among.peers(listen.address().await, &settings.database(ServiceName::Bidding)?).await?;
    }
    let _lock = settings.lock()?;
    let bank = bank(settings, demo).await?;
    if let Some(bank) = &bank {
        plan.payments = bank.setup(format!("http://{}:{}/graphiql", listen.host, listen.port));
    }
    if demo.is_some() {
        // Its traders send nothing to anybody, and trade on.
        plan.trades.strikes_allowed = DEMO_STRIKES;
    }
    let market = Market::open(&plan, Clock::System, Tasks::new()).await?;
    let inner = Inner::open(&market).await?;
    let endpoint = Endpoint::open(&market, listen, &inner).await?;
    market.start();
    let bank_url = bank.as_ref().map(|bank| bank.url().to_owned());
    if let Some(bank) = bank {
        bank.open(&market.tasks, &endpoint.address());
    }
    welcome(settings, &market, &endpoint.address(), demo.is_some(), bank_url).await;
    if let Some(demo) = demo {
        demo.start(&market)?;
    }
    let asked = endpoint.until_stopped().await;
    market.stop().await;
    info!("Stopped");
    asked
}

/// A demo has a bank of its own, unless somebody says who takes its payments.
async fn bank(settings: &Settings, demo: Option<Demo>) -> anyhow::Result<Option<Bank>> {
    match (demo, settings.payments.payments_provider) {
        (Some(_), None) => Ok(Some(Bank::found(&settings.data_dir).await?)),
        _ => Ok(None),
    }
}

/// One subgraph of a cluster, over HTTP and WebSocket.
pub async fn subgraph(
    settings: &Settings,
    listen: &Listen,
    among: &Among,
    name: ServiceName,
    jwks_url: Option<String>,
) -> anyhow::Result<()> {
    let _telemetry = settings.telemetry()?;
    if name != ServiceName::Accounts && jwks_url.is_none() {
        anyhow::bail!("the {name} subgraph needs --jwks-url (SOUK_JWKS_URL) to know who signs access tokens");
    }
    let listener = listen.bind().await?;
    let address = listener.local_addr()?;
    let secret = among.cluster.secret_at(address.ip())?;
    let mut plan = settings.plan(&[name])?;
    plan.peers = among.peers(Some(address), &settings.database(name)?).await?;
    let market = Market::open(&plan, Clock::System, Tasks::new()).await?;
    if let Some(url) = jwks_url {
        market.keys.clone().follow(url, JWKS_PAUSE, &market.tasks);
    }
    for service in &market.services {
        service.start();
    }
    let pages = market.pages().merge(market.subgraphs(secret.as_ref()));
    market.tasks.spawn(serve_http(listener, pages, market.tasks.stopping().clone()));
    info!("The {name} subgraph is at http://{address}/subgraphs/{name}");
    if let (ServiceName::Bidding, Some(peers)) = (name, &plan.peers) {
        info!("Other bidding subgraphs reach this one at {}", peers.address());
    }
    asked_to_stop().await?;
    market.stop().await;
    Ok(())
}

/// Delivers what each service says to the others, for a cluster in which each runs by itself. Any number may run: one at a
/// time delivers what a service says.
pub async fn relay(settings: &Settings, listen: &Listen) -> anyhow::Result<()> {
    let _telemetry = settings.telemetry()?;
    let listener = listen.bind().await?;
    let address = listener.local_addr()?;
    let market = Market::open(&settings.plan(&ALL)?, Clock::System, Tasks::new()).await?;
    for service in &market.services {
        market.relay(service).start(&market.tasks);
    }
    market.tasks.spawn(serve_http(listener, market.pages(), market.tasks.stopping().clone()));
    info!("The relay delivers; its health is at http://{address}/health/ready");
    asked_to_stop().await?;
    market.stop().await;
    Ok(())
}

/// What clients talk to: the router, or each subgraph by itself in a build without it.
#[cfg(feature = "router")]
use super::supergraph::Endpoint;
#[cfg(not(feature = "router"))]
use without_router::Endpoint;

#[cfg(not(feature = "router"))]
mod without_router {
    use std::net::SocketAddr;

    use super::super::{Inner, Listen, asked_to_stop, serve_http};
    use crate::market::Market;

    pub struct Endpoint {
        address: SocketAddr,
    }

    impl Endpoint {
        pub async fn open(market: &Market, listen: &Listen, _: &Inner) -> anyhow::Result<Self> {
            let listener = listen.bind().await?;
            let address = listener.local_addr()?;
            let pages = market.pages().merge(market.subgraphs(None));
            market.tasks.spawn(serve_http(listener, pages, market.tasks.stopping().clone()));
            tracing::warn!("Built without the router: each subgraph is at /subgraphs/<name>");
            Ok(Self { address })
        }

        pub fn address(&self) -> String {
            format!("http://{}", self.address)
        }

        pub async fn until_stopped(self) -> anyhow::Result<()> {
            asked_to_stop().await
        }
    }
}

/// Says where everything is and, on an empty database, what to do next.
#[expect(clippy::print_stdout, reason = "the command's own output")]
async fn welcome(settings: &Settings, market: &Market, address: &str, demo: bool, bank: Option<String>) {
    let kept = match settings.database_url {
        Some(_) => "PostgreSQL, a schema for each service",
        None => "SQLite, a file for each service",
    };
    println!("Souk {} is open. Ctrl-C closes it.", env!("CARGO_PKG_VERSION"));
    println!("  GraphQL    {address}/graphql    queries, mutations, subscriptions (WebSocket, SSE)");
    println!("  GraphiQL   {address}/graphiql   try it in a browser");
    println!("  Health     {address}/health/ready, {address}/metrics");
    println!("  Data       {} ({kept})", crate::cli::shown(&settings.data_dir));
    match demo {
        true => println!("  Demo       {} and {}, password {}", shops::ADMIN, shops::SELLER, shops::PASSWORD),
        false if is_empty(market).await => println!("{NOTHING_TO_SELL}"),
        false => {}
    }
    if let Some(url) = bank {
        println!("  Payments   {url} (a Stripe to test against: no money moves)");
    }
}

/// What to do with an empty marketplace.
const NOTHING_TO_SELL: &str = "
There is nothing to sell yet. Either
  souk demo                                    fills it with real books and sneakers, or
  souk admin create --email you@example.org    makes the first administrator.";

async fn is_empty(market: &Market) -> bool {
    let Some(catalog) = market.service(ServiceName::Catalog) else { return false };
    matches!(product::Entity::find().one(catalog.env.db.read()).await, Ok(None))
}
