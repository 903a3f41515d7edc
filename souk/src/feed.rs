//! `souk feed`: files of feeds, by the same code as what comes over HTTP.

#![expect(clippy::print_stdout, reason = "the command's own output")]

use std::path::Path;

use anyhow::{Context, bail};
use contract::FeedId;
use inventory::Keeper;
use inventory::feed::batch::{self, Sent, Taken};
use inventory::feed::line::Format;
use inventory::feed::report::{BatchAnswer, LineResult};

use crate::market::{Market, ServiceName};
use crate::settings::Settings;

/// Applies a file as a batch of the feed `id` and prints what became of its lines.
pub async fn apply(settings: &Settings, id: FeedId, file: &Path, key: Option<String>) -> anyhow::Result<()> {
    let format = match file.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        _ => bail!("the file's name must end in .csv or .json"),
    };
    let body = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let market = settings.open_existing_market().await?;
    let taken = take(&market, id, format, &body, key).await;
    market.stop().await;
    let taken = taken?;
    print(&taken.answer);
    if taken.repeated {
        println!("It was applied before: this is its answer again, and nothing was done.");
    }
    match taken.answer.refused {
        0 => Ok(()),
        refused => bail!("{refused} of {} lines were refused", taken.answer.lines),
    }
}

async fn take(
    market: &Market,
    id: FeedId,
    format: Format,
    body: &[u8],
    key: Option<String>,
) -> anyhow::Result<Taken> {
    let inventory = market.service(ServiceName::Inventory).context("inventory runs in every market")?;
    let (env, operator) = (&inventory.env, Keeper::System("command line"));
    let feed = inventory::feed::find(env.db.read(), operator, id).await.map_err(anyhow::Error::msg)?;
    let feed = feed.with_context(|| format!("there is no feed {id}"))?;
    anyhow::ensure!(feed.enabled, "the feed {} is switched off", feed.name);
    let key = key.unwrap_or_else(|| batch::key_of_file(body));
    let sent = Sent { feed, key, sent_at: env.clock.now(), format, body };
    Ok(batch::take(env, sent).await.map_err(anyhow::Error::msg)??)
}

fn print(answer: &BatchAnswer) {
    let silent = [LineResult::Applied, LineResult::Unchanged];
    for line in answer.results.iter().filter(|line| !silent.contains(&line.result)) {
        let why = match (&line.field, &line.message) {
            (Some(field), Some(message)) => format!("{field} {message}"),
            _ => line.offer_id.map(|offer| offer.to_string()).unwrap_or_default(),
        };
        println!("line {:>5}  {:<10} {why}", line.line, format!("{:?}", line.result));
    }
    println!(
        "{} lines: {} applied, {} limited by reservations, {} unchanged, {} stale, {} refused ({})",
        answer.lines,
        answer.applied,
        answer.limited,
        answer.unchanged,
        answer.stale,
        answer.refused,
        answer.batch_id
    );
}
