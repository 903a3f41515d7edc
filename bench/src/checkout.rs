//! Buying: a guest's cart of two lines from two shops, from the first line to the paid order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use futures::future::try_join_all;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use crate::client::Client;
use crate::process;
use crate::summary::Summary;

/// Offers of each shop that are bought.
const OFFERS: usize = 20;
/// Pieces that each of them gets, so that none sells out.
const PIECES: i64 = 100_000;
/// Buyers of the last pieces of one offer, and those pieces.
const BUYERS: usize = 100;
const LAST_PIECES: i64 = 10;
/// The services whose SQL statements an order is made of.
const SERVICES: [&str; 3] = ["orders", "inventory", "payments"];
/// How long to wait until every service knows how much there is.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);
/// How long a look lasts, how many more statements than usual in it are rest, and how long to wait for that.
const LOOK: Duration = Duration::from_millis(500);
const QUIET: u64 = 10;
const QUIET_WITHIN: Duration = Duration::from_secs(60);

#[derive(Args)]
pub struct Checkout {
    /// The marketplace, without a path.
    #[arg(long, default_value = "http://localhost:4000")]
    url: String,
    /// The processes whose CPU time counts.
    #[arg(long = "pid")]
    pids: Vec<u32>,
    #[arg(long, default_value_t = 16)]
    connections: usize,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// The two shops; the demo's by default.
    #[arg(long = "seller", default_values_t = ["campus@demo.example".to_owned(), "spine@demo.example".to_owned()])]
    sellers: Vec<String>,
    #[arg(long, default_value = "souk-demo-password")]
    password: String,
}

/// An offer with enough pieces.
#[derive(Clone)]
struct Offer {
    id: String,
    price_minor: i64,
}

/// A shop's side: who keeps it, its store room, what it sells.
struct Shop {
    keeper: Client,
    location: String,
    offers: Vec<Offer>,
}

/// A filled cart.
struct Cart {
    token: String,
    total_minor: i64,
}

/// What is measured over a load.
struct Load {
    times: Summary,
    wall: Duration,
    cpu: Duration,
    statements: u64,
}

impl Checkout {
    pub async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.graphql());
        let shops = try_join_all(self.sellers.iter().map(|email| self.open(email))).await?;
        ensure!(shops.len() == 2, "an order is of two shops");
        agreed(&client, &shops).await?;
        self.closed(&client, &shops, Duration::from_secs(2)).await?;
        let full = self.measured(self.closed(&client, &shops, Duration::from_secs(self.seconds))).await?;
        println!("{} connections: {full}", self.connections);
        let rate = full.times.count() as f64 / full.wall.as_secs_f64() / 2.0;
        let half = self.measured(self.at_rate(&client, &shops, rate)).await?;
        println!("at half of that, {rate:.0}/s: {half}");
        self.last_pieces(&client, &shops[0]).await
    }

    fn graphql(&self) -> String {
        format!("{}/graphql", self.url)
    }

    /// Signs a shop in and stocks some of its offers.
    async fn open(&self, email: &str) -> anyhow::Result<Shop> {
        let keeper = Client::new(&self.graphql()).signed_in(email, &self.password).await?;
        let query = "query($first: Int) { myLocations(first: 1) { nodes { id } } \
            myOffers(first: $first, publication: PUBLISHED) { nodes { id price { amountMinor } } } }";
        let data = keeper.ask(query, json!({ "first": OFFERS })).await?;
        let location = text(&data["myLocations"]["nodes"][0]["id"])?;
        let nodes = data["myOffers"]["nodes"].as_array().context("no offers")?;
        let offers: Vec<Offer> = nodes
            .iter()
            .filter_map(|node| {
                Some(Offer {
                    id: text(&node["id"]).ok()?,
                    price_minor: node["price"]["amountMinor"].as_i64()?,
                })
            })
            .collect();
        ensure!(!offers.is_empty(), "{email} sells nothing: fill the marketplace with `souk demo`");
        let shop = Shop { keeper, location, offers };
        try_join_all(shop.offers.iter().map(|offer| shop.receive(&offer.id))).await?;
        Ok(shop)
    }

    /// What `load` took, and what it cost.
    async fn measured(
        &self,
        load: impl Future<Output = anyhow::Result<Vec<Duration>>>,
    ) -> anyhow::Result<Load> {
        let idle = self.statements_a_look().await?;
        let (cpu, statements, started) = (self.cpu()?, self.statements().await?, Instant::now());
        let times = Summary::new(load.await?);
        let wall = started.elapsed();
        self.quiet(idle).await?;
        // What goes on without anybody buying is not the orders'.
        let looks = started.elapsed().as_secs_f64() / LOOK.as_secs_f64();
        let (cpu, statements) = (self.cpu()? - cpu, self.statements().await? - statements);
        let statements = statements.saturating_sub((idle as f64 * looks) as u64);
        Ok(Load { times, wall, cpu, statements })
    }

    /// Statements of one look's time.
    async fn statements_a_look(&self) -> anyhow::Result<u64> {
        let before = self.statements().await?;
        tokio::time::sleep(LOOK).await;
        Ok(self.statements().await? - before)
    }

    /// Waits until nothing more happens than when nobody buys: what orders leave behind is theirs too.
    async fn quiet(&self, idle: u64) -> anyhow::Result<()> {
        let until = Instant::now() + QUIET_WITHIN;
        while self.statements_a_look().await? > 2 * idle + QUIET {
            ensure!(Instant::now() < until, "it does not come to rest");
        }
        Ok(())
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        self.pids.iter().map(|pid| process::cpu(*pid)).sum()
    }

    async fn statements(&self) -> anyhow::Result<u64> {
        let metrics = reqwest::get(format!("{}/metrics", self.url)).await?.text().await?;
        let of = |service: &&str| {
            let name = format!("souk_sql_statements_total{{service=\"{service}\"}} ");
            metrics.lines().find_map(|line| line.strip_prefix(name.as_str())?.parse::<u64>().ok())
        };
        Ok(SERVICES.iter().filter_map(of).sum())
    }

    /// Each connection buys one order after the other.
    async fn closed(
        &self,
        client: &Client,
        shops: &[Shop],
        how_long: Duration,
    ) -> anyhow::Result<Vec<Duration>> {
        let until = Instant::now() + how_long;
        let one = async |_| {
            let mut times = vec![];
            while Instant::now() < until {
                let began = Instant::now();
                buy(client, shops).await?;
                times.push(began.elapsed());
            }
            anyhow::Ok(times)
        };
        Ok(try_join_all((0..self.connections).map(one)).await?.into_iter().flatten().collect())
    }

    /// Orders begin in even steps, however long those before take; each time counts from when it was to begin.
    async fn at_rate(&self, client: &Client, shops: &[Shop], rate: f64) -> anyhow::Result<Vec<Duration>> {
        let orders = (rate * self.seconds as f64).ceil().max(1.0) as u64;
        let (began, next) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        // More than ever are under way: a buyer that waits holds up nobody else.
        let one = async |_| {
            let mut times = vec![];
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= orders {
                    return anyhow::Ok(times);
                }
                let due = began + Duration::from_secs_f64(number as f64 / rate);
                tokio::time::sleep_until(due.into()).await;
                buy(client, shops).await?;
                times.push(due.elapsed());
            }
        };
        Ok(try_join_all((0..4 * self.connections).map(one)).await?.into_iter().flatten().collect())
    }

    /// A hundred buyers want the last ten pieces of an offer.
    async fn last_pieces(&self, client: &Client, shop: &Shop) -> anyhow::Result<()> {
        let offer = &shop.offers[0];
        shop.count(&offer.id, LAST_PIECES).await?;
        let known = async {
            while available(client, &offer.id).await? != LAST_PIECES {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(KNOWN_WITHIN, known).await.context("the count does not arrive")??;
        let hot = [offer];
        let carts = try_join_all((0..BUYERS).map(|_| fill(client, &hot))).await?;
        let began = Instant::now();
        let done = try_join_all(carts.iter().map(|cart| check_out(client, cart))).await?;
        let wall = began.elapsed();
        let paid = done.iter().filter(|done| done["order"]["status"] == "PAID").count();
        let sold_out = done.iter().filter(|done| done["userErrors"][0]["code"] == "SOLD_OUT").count();
        println!(
            "{BUYERS} buyers of the last {LAST_PIECES} pieces: {paid} paid, {sold_out} told that it is sold out, in {:.2} s",
            wall.as_secs_f64()
        );
        ensure!((paid, sold_out) == (LAST_PIECES as usize, BUYERS - LAST_PIECES as usize), "sold wrongly");
        Ok(())
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let orders = self.times.count().max(1) as f64;
        write!(
            f,
            "{} orders, {:.1}/s, {:.2} ms CPU an order, {:.1} statements an order, {}",
            self.times.count(),
            orders / self.wall.as_secs_f64(),
            self.cpu.as_secs_f64() * 1_000.0 / orders,
            self.statements as f64 / orders,
            self.times,
        )
    }
}

impl Shop {
    async fn receive(&self, offer: &str) -> anyhow::Result<()> {
        let query =
            "mutation($input: ReceiveStockInput!) { receiveStock(input: $input) { userErrors { message } } }";
        let input = json!({ "idempotencyKey": key(), "offerId": offer, "locationId": self.location, "quantity": PIECES });
        let data = self.keeper.ask(query, json!({ "input": input })).await?;
        done(&data["receiveStock"])
    }

    async fn count(&self, offer: &str, counted: i64) -> anyhow::Result<()> {
        let query =
            "mutation($input: CountStockInput!) { countStock(input: $input) { userErrors { message } } }";
        let input = json!({ "idempotencyKey": key(), "offerId": offer, "locationId": self.location, "counted": counted });
        let data = self.keeper.ask(query, json!({ "input": input })).await?;
        done(&data["countStock"])
    }
}

/// A total is the sum of its prices here: a marketplace that takes more is measured with something else.
async fn agreed(client: &Client, shops: &[Shop]) -> anyhow::Result<()> {
    let all: Vec<&Offer> = shops.iter().flat_map(|shop| &shop.offers).collect();
    let cart = fill(client, &all).await?;
    let until = Instant::now() + KNOWN_WITHIN;
    let total = loop {
        let (total, data) = quoted(client, &cart).await?;
        match total {
            Some(total) => break total,
            // What was received just now may be on its way.
            None => ensure!(Instant::now() < until, "the goods cannot be bought: {data:#}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    ensure!(total == cart.total_minor, "shipping, tax and promotions are not looked at: {total}");
    Ok(())
}

/// What a cart costs, if it can be bought.
async fn quoted(client: &Client, cart: &Cart) -> anyhow::Result<(Option<i64>, Value)> {
    let query = "query($input: QuoteInput!) { quote(input: $input) { quote { total { amountMinor } } userErrors { message } } }";
    let data = client.ask(query, json!({ "input": { "cartToken": cart.token, "country": "US" } })).await?;
    Ok((data["quote"]["quote"]["total"]["amountMinor"].as_i64(), data))
}

/// One line of each shop, bought and paid.
async fn buy(client: &Client, shops: &[Shop]) -> anyhow::Result<()> {
    let lines: Vec<&Offer> = shops.iter().filter_map(|shop| shop.offers.choose(&mut rand::rng())).collect();
    let cart = fill(client, &lines).await?;
    let done = check_out(client, &cart).await?;
    ensure!(done["order"]["status"] == "PAID", "{done:#}");
    Ok(())
}

async fn fill(client: &Client, offers: &[&Offer]) -> anyhow::Result<Cart> {
    let lines: Vec<Value> =
        offers.iter().map(|offer| json!({ "offerId": offer.id, "quantity": 1 })).collect();
    let query = "mutation($input: SetCartLinesInput!) { setCartLines(input: $input) { cartToken userErrors { message } } }";
    let data = client.ask(query, json!({ "input": { "lines": lines } })).await?;
    let token = text(&data["setCartLines"]["cartToken"]).with_context(|| format!("{data:#}"))?;
    Ok(Cart { token, total_minor: offers.iter().map(|offer| offer.price_minor).sum() })
}

async fn check_out(client: &Client, cart: &Cart) -> anyhow::Result<Value> {
    let query = "mutation($input: CheckoutInput!) { checkout(input: $input) { order { id status } userErrors { code message } } }";
    let input = json!({
        "idempotencyKey": key(),
        "cartToken": cart.token,
        "email": "buyer@example.org",
        "address": { "recipient": "A. Buyer", "line1": "Main Street 1", "city": "Springfield", "country": "US" },
        "paymentMethod": "pm_card_visa",
        "expectedTotal": { "amountMinor": cart.total_minor, "currency": "USD" },
        "waitMs": 10_000,
    });
    Ok(client.ask(query, json!({ "input": input })).await?["checkout"].take())
}

/// What a checkout would meet: pieces as the cart shows them.
async fn available(client: &Client, offer: &str) -> anyhow::Result<i64> {
    let query = "mutation($input: SetCartLinesInput!) { setCartLines(input: $input) { cart { lines { available } } } }";
    let input = json!({ "lines": [{ "offerId": offer, "quantity": 1 }] });
    let data = client.ask(query, json!({ "input": input })).await?;
    data["setCartLines"]["cart"]["lines"][0]["available"].as_i64().with_context(|| format!("{data:#}"))
}

fn done(payload: &Value) -> anyhow::Result<()> {
    ensure!(payload["userErrors"].as_array().is_some_and(Vec::is_empty), "{payload:#}");
    Ok(())
}

fn key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("no text")?.to_owned())
}
