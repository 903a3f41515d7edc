//! What a call to a subgraph costs: an operation that one subgraph answers without its database, so that little but the way
//! there and back is left.

use std::time::{Duration, Instant};

use clap::Args;
use futures::future::try_join_all;
use serde_json::json;

use crate::process;

const QUERY: &str = "{ me { id } }";

#[derive(Args)]
pub struct Hop {
    #[arg(long, default_value = "http://localhost:4000/graphql")]
    url: String,
    /// The process whose CPU time counts.
    #[arg(long)]
    pid: u32,
    #[arg(long, default_value_t = 16)]
    connections: usize,
    #[arg(long, default_value_t = 20_000)]
    requests: usize,
}

impl Hop {
    pub async fn run(self) -> anyhow::Result<()> {
        self.load(self.requests / 10).await?;
        let (cpu, started) = (process::cpu(self.pid)?, Instant::now());
        self.load(self.requests).await?;
        let (cpu, wall) = (process::cpu(self.pid)? - cpu, started.elapsed());
        println!(
            "{} requests, {:.0}/s, {:.3} ms CPU a request",
            self.requests,
            self.requests as f64 / wall.as_secs_f64(),
            per_request_ms(cpu, self.requests),
        );
        Ok(())
    }

    async fn load(&self, requests: usize) -> anyhow::Result<()> {
        let client = reqwest::Client::new();
        let share = requests / self.connections;
        try_join_all((0..self.connections).map(|worker| self.some(client.clone(), worker, share))).await?;
        Ok(())
    }

    async fn some(&self, client: reqwest::Client, worker: usize, requests: usize) -> anyhow::Result<()> {
        for number in 0..requests {
            // What an answer may depend on differs: no two requests in flight share an execution.
            let request = client.post(&self.url).header("accept-language", format!("x-{worker}-{number}"));
            let answer = request.json(&json!({ "query": QUERY })).send().await?.text().await?;
            anyhow::ensure!(answer == r#"{"data":{"me":null}}"#, "{answer}");
        }
        Ok(())
    }
}

fn per_request_ms(cpu: Duration, requests: usize) -> f64 {
    cpu.as_secs_f64() * 1_000.0 / requests as f64
}
