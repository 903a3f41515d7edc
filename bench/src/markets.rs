//! Markets through the whole endpoint: bids until they are durable, and a price change on its way to subscribers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::live::{Socket, next, open, send};
use crate::process;
use crate::summary::Summary;

/// How long the last event may take.
const DRAIN: Duration = Duration::from_secs(3);
/// Accounts share prices below this one; nobody sells.
const PRICE_MINOR: u64 = 20_000;
/// Bids of one account in one market stay below the marketplace's cap.
const BIDS_MAX: u64 = 90;

#[derive(Args)]
pub struct Markets {
    #[arg(long, default_value = "http://localhost:4000/graphql")]
    url: String,
    /// The process whose CPU time counts.
    #[arg(long)]
    pid: u32,
    /// An administrator; the demo's by default.
    #[arg(long, default_value = "admin@demo.example")]
    email: String,
    #[arg(long, default_value = "souk-demo-password")]
    password: String,
    #[arg(long, default_value_t = 32)]
    connections: usize,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    /// Price changes, ten in a second.
    #[arg(long, default_value_t = 100)]
    changes: u64,
}

impl Markets {
    pub async fn run(self) -> anyhow::Result<()> {
        let admin = Client::new(&self.url).signed_in(&self.email, &self.password).await?;
        let buyers = try_join_all((0..self.connections).map(|number| self.buyer(number))).await?;
        let markets = open_markets(&admin, 1 + self.markets_needed()).await?;
        let (quiet, busy) = markets.split_first().context("a market")?;
        self.bids(&buyers, busy).await?;
        self.watch(&buyers[0], quiet).await
    }

    /// Each account may have only so many orders in a market.
    fn markets_needed(&self) -> usize {
        // More than any machine of ours does in a second, for each connection.
        let bids_max = 200 * self.seconds;
        usize::try_from(bids_max.div_ceil(BIDS_MAX)).unwrap_or(usize::MAX)
    }

    async fn buyer(&self, number: usize) -> anyhow::Result<Client> {
        let email = format!("bench-{number}-{}@demo.example", std::process::id());
        let input = json!({ "input": { "email": email, "password": self.password, "displayName": "Bench" } });
        let query = "mutation($input: RegisterInput!) { register(input: $input) { userErrors { message } } }";
        let client = Client::new(&self.url);
        let data = client.ask(query, input).await?;
        ensure!(data["register"]["userErrors"] == json!([]), "{data:#}");
        client.signed_in(&email, &self.password).await
    }

    /// Bids from all connections at once, as fast as they are answered.
    async fn bids(&self, buyers: &[Client], markets: &[String]) -> anyhow::Result<()> {
        let (cpu, began) = (process::cpu(self.pid)?, Instant::now());
        let end = began + Duration::from_secs(self.seconds);
        let connection = async |buyer: &Client| {
            let mut times = Vec::new();
            let mut number = 0;
            while Instant::now() < end && number < BIDS_MAX * markets.len() as u64 {
                let market = &markets[(number / BIDS_MAX) as usize];
                let sent = Instant::now();
                bid(buyer, market, PRICE_MINOR - 100 * (number % 50)).await?;
                times.push(sent.elapsed());
                number += 1;
            }
            anyhow::Ok(times)
        };
        let times = Summary::new(try_join_all(buyers.iter().map(connection)).await?.concat());
        let wall = began.elapsed().as_secs_f64();
        let cpu = (process::cpu(self.pid)? - cpu).as_secs_f64() * 1_000.0 / times.count() as f64;
        let rate = times.count() as f64 / wall;
        println!("{} connections: {rate:.0} durable bids/s, {times}, {cpu:.2} ms CPU each", self.connections);
        Ok(())
    }

    /// A bid that is the best, ten times in a second, at every subscriber.
    async fn watch(&self, buyer: &Client, market: &str) -> anyhow::Result<()> {
        let log = Arc::new(Log::default());
        let mut listening = JoinSet::new();
        for _ in 0..self.subscribers {
            let socket = subscribe(&self.url, market).await?;
            listening.spawn(listen(socket, log.clone()));
        }
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        for number in 0..self.changes.min(BIDS_MAX) {
            ticks.tick().await;
            let price = PRICE_MINOR + 100 * number;
            log.sent.lock().expect("nobody panics with the log").insert(price, Instant::now());
            bid(buyer, market, price).await?;
        }
        tokio::time::sleep(DRAIN).await;
        listening.abort_all();
        log.report(self.subscribers);
        Ok(())
    }
}

/// When each price was sent, and how long it took to each subscriber.
#[derive(Default)]
struct Log {
    sent: Mutex<HashMap<u64, Instant>>,
    times: Mutex<Vec<Duration>>,
    messages: AtomicU64,
}

impl Log {
    fn came(&self, delta: &Value) {
        let came = Instant::now();
        self.messages.fetch_add(1, Ordering::Relaxed);
        let sent = self.sent.lock().expect("nobody panics with the log");
        // A level that falls out of the ten best is no news of a price.
        let levels = delta["bids"].as_array().into_iter().flatten().filter(|level| level["quantity"] != 0);
        let prices = levels.filter_map(|level| level["price"]["amountMinor"].as_u64());
        let times = prices.filter_map(|price| Some(came - *sent.get(&price)?));
        self.times.lock().expect("nobody panics with the log").extend(times);
    }

    fn report(&self, subscribers: usize) {
        let sent = self.sent.lock().expect("nobody panics with the log").len();
        let times =
            Summary::new(std::mem::take(&mut *self.times.lock().expect("nobody panics with the log")));
        println!(
            "{subscribers} subscribers, {sent} price changes at 10/s: {} of {} came in {} messages, {times} from sending the bid",
            times.count(),
            subscribers * sent,
            self.messages.load(Ordering::Relaxed),
        );
    }
}

/// Opens as many markets as wanted, for variants of the catalog, each with its rules as they are by default.
async fn open_markets(admin: &Client, wanted: usize) -> anyhow::Result<Vec<String>> {
    let query = "query($first: Int) { products(first: $first) { nodes { variants { id } } } }";
    let data = admin.ask(query, json!({ "first": 100 })).await?;
    let variants: Vec<&Value> = data["products"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|product| product["variants"].as_array().into_iter().flatten())
        .map(|variant| &variant["id"])
        .take(wanted)
        .collect();
    ensure!(variants.len() == wanted, "the marketplace is empty: fill it with `souk demo`");
    let open = async |variant: &Value| {
        let query = "mutation($input: OpenMarketInput!) { openMarket(input: $input) { market { id } userErrors { message } } }";
        // A condition in which the demo's traders do not trade.
        let input = json!({ "input": { "variantId": variant, "condition": "ACCEPTABLE" } });
        let data = admin.ask(query, input).await?;
        let id = data["openMarket"]["market"]["id"].as_str();
        id.map(str::to_owned).with_context(|| format!("{data:#}"))
    };
    let mut markets = Vec::new();
    for variant in variants {
        markets.push(open(variant).await?);
    }
    Ok(markets)
}

async fn bid(buyer: &Client, market: &str, price_minor: u64) -> anyhow::Result<()> {
    static KEYS: AtomicU64 = AtomicU64::new(0);
    let query = "mutation($input: PlaceBidInput!) { placeBid(input: $input) { order { id } userErrors { code message } } }";
    let key = format!("bench {} {}", std::process::id(), KEYS.fetch_add(1, Ordering::Relaxed));
    let input = json!({ "input": {
        "idempotencyKey": key, "marketId": market, "priceMinor": price_minor, "paymentMethod": "pm_card_visa",
        "addressId": contract::AddressId::new(),
    } });
    let data = buyer.ask(query, input).await?;
    ensure!(data["placeBid"]["order"]["id"].is_string(), "{data:#}");
    Ok(())
}

async fn subscribe(url: &str, market: &str) -> anyhow::Result<Socket> {
    let query = "subscription($id: ID!) { market(id: $id, levels: 10) { kind seq bids { quantity price { amountMinor } } } }";
    let (mut socket, start) = (open(url).await?, json!({ "query": query, "variables": { "id": market } }));
    send(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": start })).await?;
    let first = next(&mut socket).await?.context("no first event")?;
    ensure!(first["payload"]["data"]["market"]["kind"] == "SNAPSHOT", "{first:#}");
    Ok(socket)
}

async fn listen(mut socket: Socket, log: Arc<Log>) {
    while let Ok(Some(event)) = next(&mut socket).await {
        let update = &event["payload"]["data"]["market"];
        if update["kind"] == "DELTA" {
            log.came(update);
        }
    }
}
