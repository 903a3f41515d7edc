//! The page that every shop shows: 20 products with their variants, lowest offer and stock.

use std::time::{Duration, Instant};

use clap::Args;
use futures::future::try_join_all;
use rand::Rng;
use serde_json::json;

use crate::client::Client;
use crate::process;
use crate::summary::Summary;

const QUERY: &str = "query Page($after: String) { products(first: 20, after: $after) { edges { node { id title \
    variants { id lowestOffer { id price { amountMinor currency } } stock { available } } } } pageInfo { endCursor } } }";
/// Pages walked before the measurement, to start at random ones: no two requests in flight are alike.
const PAGES: usize = 200;

#[derive(Args)]
pub struct List {
    #[arg(long, default_value = "http://localhost:4000/graphql")]
    url: String,
    /// The processes whose CPU time counts.
    #[arg(long = "pid")]
    pids: Vec<u32>,
    #[arg(long, default_value_t = 16)]
    connections: usize,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

impl List {
    pub async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.url);
        let cursors = cursors(&client).await?;
        self.load(&client, &cursors, Duration::from_secs(2)).await?;
        let (cpu, started) = (self.cpu()?, Instant::now());
        let times = Summary::new(self.load(&client, &cursors, Duration::from_secs(self.seconds)).await?);
        let (cpu, wall) = (self.cpu()? - cpu, started.elapsed());
        println!(
            "{} requests, {:.0}/s, {:.3} ms CPU a request, {times}",
            times.count(),
            times.count() as f64 / wall.as_secs_f64(),
            cpu.as_secs_f64() * 1_000.0 / times.count() as f64,
        );
        Ok(())
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        self.pids.iter().map(|pid| process::cpu(*pid)).sum()
    }

    async fn load(
        &self,
        client: &Client,
        cursors: &[String],
        how_long: Duration,
    ) -> anyhow::Result<Vec<Duration>> {
        let until = Instant::now() + how_long;
        let times = try_join_all((0..self.connections).map(|_| one(client.clone(), cursors, until))).await?;
        Ok(times.into_iter().flatten().collect())
    }
}

async fn one(client: Client, cursors: &[String], until: Instant) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    while Instant::now() < until {
        let after = &cursors[rand::rng().random_range(0..cursors.len())];
        let sent = Instant::now();
        let page = client.ask(QUERY, json!({ "after": after })).await?;
        times.push(sent.elapsed());
        anyhow::ensure!(
            page["products"]["edges"].as_array().is_some_and(|edges| edges.len() == 20),
            "{page:#}"
        );
    }
    Ok(times)
}

/// The ends of the first pages.
async fn cursors(client: &Client) -> anyhow::Result<Vec<String>> {
    let mut cursors: Vec<String> = Vec::new();
    while cursors.len() < PAGES {
        let page = client.ask(QUERY, json!({ "after": cursors.last() })).await?;
        let Some(end) = page["products"]["pageInfo"]["endCursor"].as_str() else { break };
        cursors.push(end.to_owned());
    }
    // The last page may be short.
    cursors.pop();
    anyhow::ensure!(!cursors.is_empty(), "the marketplace is too small: fill it with `souk demo`");
    Ok(cursors)
}
