//! Search as shops use it: a page of 20 with prices and facets; suggestions while somebody types; a change until it is found.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use futures::future::try_join_all;
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use crate::client::Client;
use crate::process;
use crate::summary::Summary;

const SEARCH: &str = "query Find($text: String, $filter: SearchFilter) { search(query: $text, filter: $filter, currency: \"USD\", \
    first: 20) { totalCount nodes { id title lowestOffer { price { amountMinor currency } } } facets { brands { value count } \
    categories { category { name } count } conditions { condition count } sizes { value count } prices { minMinor count } inStock \
    attributes { name values { value count } } } } }";
const SUGGEST: &str = "query Suggest($prefix: String!) { suggest(prefix: $prefix) { title } }";
/// Titles to make queries of.
const TITLES: usize = 3_000;

#[derive(Args)]
pub struct Search {
    #[arg(long, default_value = "http://localhost:4000/graphql")]
    url: String,
    /// The process whose CPU time counts.
    #[arg(long)]
    pid: u32,
    #[arg(long, default_value_t = 16)]
    connections: usize,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

impl Search {
    pub async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.url);
        let titles = titles(&client).await?;
        for (name, query, draw) in
            [("search with facets", SEARCH, a_search as Draw), ("suggest", SUGGEST, a_prefix as Draw)]
        {
            self.load(&client, query, draw, &titles, Duration::from_secs(2)).await?;
            let (cpu, started) = (process::cpu(self.pid)?, Instant::now());
            let times = self.load(&client, query, draw, &titles, Duration::from_secs(self.seconds)).await?;
            let (cpu, wall, times) = (process::cpu(self.pid)? - cpu, started.elapsed(), Summary::new(times));
            println!(
                "{name}: {} requests, {:.0}/s, {:.3} ms CPU a request, {times}",
                times.count(),
                times.count() as f64 / wall.as_secs_f64(),
                cpu.as_secs_f64() * 1_000.0 / times.count() as f64,
            );
        }
        Ok(())
    }

    async fn load(
        &self,
        client: &Client,
        query: &str,
        draw: Draw,
        titles: &[String],
        how_long: Duration,
    ) -> anyhow::Result<Vec<Duration>> {
        let until = Instant::now() + how_long;
        let one = async |_| {
            let mut times = vec![];
            while Instant::now() < until {
                let variables = draw(titles);
                let sent = Instant::now();
                client.ask(query, variables).await?;
                times.push(sent.elapsed());
            }
            anyhow::Ok(times)
        };
        Ok(try_join_all((0..self.connections).map(one)).await?.into_iter().flatten().collect())
    }
}

/// Draws the variables of a request.
type Draw = fn(&[String]) -> Value;

/// Some words of a title in their order; one in five with a typo, one in three under a filter.
fn a_search(titles: &[String]) -> Value {
    let mut random = rand::rng();
    let title = titles.choose(&mut random).map_or("", String::as_str);
    let words: Vec<&str> = title.split_whitespace().collect();
    let from = random.random_range(0..words.len().max(1));
    let mut text = words[from..words.len().min(from + random.random_range(1..4))].join(" ").to_lowercase();
    if random.random_ratio(1, 5) {
        let place = text.char_indices().map(|(at, _)| at).nth(2);
        text = place.map_or(text.clone(), |at| text[..at].to_owned() + "x" + &text[at..]);
    }
    let filter = match random.random_range(0..9) {
        0 => json!({ "inStock": true }),
        1 => json!({ "priceRange": { "currency": "USD", "maxMinor": 2_000 } }),
        2 => json!({ "conditions": ["NEW"], "inStock": true }),
        _ => Value::Null,
    };
    json!({ "text": text, "filter": filter })
}

/// The first letters of a title.
fn a_prefix(titles: &[String]) -> Value {
    let mut random = rand::rng();
    let title = titles.choose(&mut random).map_or("", String::as_str);
    let prefix: String = title.chars().take(random.random_range(1..12)).collect();
    json!({ "prefix": prefix })
}

/// Titles from the whole catalog: those that random pages show.
async fn titles(client: &Client) -> anyhow::Result<Vec<String>> {
    let query = "query($after: String) { products(first: 100, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } } }";
    let (mut titles, mut after) = (vec![], Value::Null);
    while titles.len() < TITLES {
        let mut page = client.ask(query, json!({ "after": after })).await?["products"].take();
        let nodes = page["nodes"].as_array().context("no products")?.iter();
        titles.extend(nodes.filter_map(|node| node["title"].as_str().map(str::to_owned)));
        if page["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
    anyhow::ensure!(!titles.is_empty(), "the marketplace is empty: fill it with `souk demo`");
    Ok(titles)
}

#[derive(Args)]
pub struct Seen {
    #[arg(long, default_value = "http://localhost:4000/graphql")]
    url: String,
    /// A seller of the marketplace; the demo's by default.
    #[arg(long, default_value = "campus@demo.example")]
    email: String,
    #[arg(long, default_value = "souk-demo-password")]
    password: String,
    /// Price changes a second.
    #[arg(long, default_value_t = 100)]
    rate: u64,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

/// An offer that is changed, and what finds it.
#[derive(Clone)]
struct Offered {
    id: String,
    title: String,
    version: i64,
}

/// Searches for one change at a time, that often.
const LOOK_EVERY: Duration = Duration::from_millis(3);
/// Connections that change prices.
const WRITERS: usize = 4;

impl Seen {
    pub async fn run(self) -> anyhow::Result<()> {
        let seller = Client::new(&self.url).signed_in(&self.email, &self.password).await?;
        let mut offers = own_offers(&seller).await?;
        let mut probed = offers.pop().context("the seller has no offers")?;
        let over = Arc::new(AtomicBool::new(false));
        let share = offers.len() / WRITERS;
        let writers = offers.chunks(share.max(1)).take(WRITERS).map(|own| {
            let pause = Duration::from_secs(1) / (self.rate as u32 / WRITERS as u32).max(1);
            write(seller.clone(), own.to_vec(), pause, over.clone())
        });
        let probe = async {
            let until = Instant::now() + Duration::from_secs(self.seconds);
            let mut times = vec![];
            while Instant::now() < until {
                let amount = 1_000_000_000 + rand::rng().random_range(0..1_000_000_000_i64);
                let sent = Instant::now();
                set_price(&seller, &mut probed, amount).await?;
                until_found(&seller, &probed.title, amount).await?;
                times.push(sent.elapsed());
            }
            over.store(true, Ordering::Relaxed);
            anyhow::Ok(Summary::new(times))
        };
        let (times, changes) = futures::try_join!(probe, try_join_all(writers))?;
        println!(
            "{} changes beside {:.0} others a second: found after {times}, from sending the mutation",
            times.count(),
            changes.iter().sum::<usize>() as f64 / self.seconds as f64,
        );
        Ok(())
    }
}

async fn own_offers(seller: &Client) -> anyhow::Result<Vec<Offered>> {
    let query = "{ myOffers(first: 100) { nodes { id version product { title } } } }";
    let data = seller.ask(query, json!({})).await?;
    let nodes = data["myOffers"]["nodes"].as_array().context("no offers")?;
    // One offer of each title: two changes of one product would be one.
    let by_title: HashMap<String, Offered> = nodes
        .iter()
        .filter_map(|node| {
            let title = node["product"]["title"].as_str()?.to_owned();
            let id = node["id"].as_str()?.to_owned();
            Some((title.clone(), Offered { id, title, version: node["version"].as_i64()? }))
        })
        .collect();
    Ok(by_title.into_values().collect())
}

async fn write(
    seller: Client,
    mut offers: Vec<Offered>,
    pause: Duration,
    over: Arc<AtomicBool>,
) -> anyhow::Result<usize> {
    let mut changes = 0;
    let mut next = Instant::now();
    while !over.load(Ordering::Relaxed) {
        let place = changes % offers.len();
        set_price(&seller, &mut offers[place], 1_000 + changes as i64).await?;
        changes += 1;
        next += pause;
        tokio::time::sleep_until(next.into()).await;
    }
    Ok(changes)
}

async fn set_price(seller: &Client, offer: &mut Offered, amount_minor: i64) -> anyhow::Result<()> {
    let query = "mutation($input: ChangeOfferInput!) { changeOffer(input: $input) { offer { version } userErrors { message } } }";
    let price = json!({ "amountMinor": amount_minor, "currency": "USD" });
    let input = json!({ "input": { "id": offer.id, "expectedVersion": offer.version, "price": price } });
    let data = seller.ask(query, input).await?;
    offer.version = data["changeOffer"]["offer"]["version"].as_i64().with_context(|| format!("{data:#}"))?;
    Ok(())
}

/// Searches until an offer at this price is found.
async fn until_found(client: &Client, title: &str, amount_minor: i64) -> anyhow::Result<()> {
    let query = "query($text: String, $filter: SearchFilter) { search(query: $text, filter: $filter, first: 1) { totalCount } }";
    let range = json!({ "currency": "USD", "minMinor": amount_minor, "maxMinor": amount_minor });
    let variables = json!({ "text": title, "filter": { "priceRange": range } });
    while client.ask(query, variables.clone()).await?["search"]["totalCount"] == 0 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
