//! What an operator does by command. Each works while the marketplace runs.

#![expect(clippy::print_stdout, reason = "the commands' own output")]

mod sagas;

use std::io::Read;

use anyhow::{Context, bail};
use chassis::page::Page;
use chassis::{dead_letter, outbox};
use chrono::{DateTime, Utc};
use contract::EventId;

pub use sagas::{SagaId, act_on_saga, list_sagas};

use crate::market::{ALL, ServiceName};
use crate::settings::Settings;

/// Who acts, in the audit trail.
const ACTOR: &str = "command line";

/// Brings the databases up to date.
pub async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_market().await?;
    market.stop().await;
    println!("The databases of {} services are up to date.", ALL.len());
    Ok(())
}

/// Makes an administrator, or makes an existing user one.
pub async fn create_admin(settings: &Settings, email: &str, password: Option<String>) -> anyhow::Result<()> {
    let password = match password {
        Some(password) => password,
        None => read_password()?,
    };
    let market = settings.open_market().await?;
    let accounts = market.service(ServiceName::Accounts).context("accounts runs in every market")?;
    let made = accounts::create_admin(&accounts.env, email, &password).await;
    market.stop().await;
    match made.map_err(|failure| anyhow::anyhow!("{failure}"))? {
        Ok(user) => println!("{email} is an administrator ({user})."),
        Err(refusal) => bail!("{email} cannot be an administrator: {refusal}"),
    }
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    println!("The new administrator's password, then Enter (and Ctrl-D):");
    let mut text = String::new();
    std::io::stdin().take(4_096).read_to_string(&mut text).context("the password cannot be read")?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Replays the event log of stock and compares it with the levels.
pub async fn verify_inventory(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let inventory = market.service(ServiceName::Inventory).context("inventory runs in every market")?;
    let report = inventory::verify(&inventory.env.db).await;
    market.stop().await;
    let report = report.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    println!("{report}");
    if !report.is_right() {
        bail!("the levels do not follow from the movements");
    }
    Ok(())
}

/// Replays the journals of markets and compares trades and candles with them.
pub async fn verify_markets(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let bidding = market.service(ServiceName::Bidding).context("bidding runs in every market")?;
    let report = bidding::recount::verify(&bidding.env.db).await;
    market.stop().await;
    let report = report.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    println!("{report}");
    if !report.is_right() {
        bail!("trades and candles do not follow from the journals: `souk markets rebuild` makes them right");
    }
    Ok(())
}

/// Replays the journals of markets and makes trades and candles what follows from them.
pub async fn rebuild_markets(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let bidding = market.service(ServiceName::Bidding).context("bidding runs in every market")?;
    let report = bidding::recount::rebuild(&bidding.env.db).await;
    market.stop().await;
    let report = report.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    println!("{report}");
    if !report.is_right() {
        println!("made right");
    }
    Ok(())
}

/// Adds the ledger up and compares it with accounts and payments.
pub async fn verify_ledger(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let payments = market.service(ServiceName::Payments).context("payments runs in every market")?;
    let report = payments::ledger::verify(&payments.env.db).await;
    market.stop().await;
    let report = report.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    println!("{report}");
    if !report.is_right() {
        bail!("the books are not right");
    }
    Ok(())
}

/// Builds the search index of this data folder anew. A marketplace that runs on it follows within a moment.
pub async fn rebuild_search(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let catalog = market.service(ServiceName::Catalog).context("catalog runs in every market")?;
    let rebuilt = catalog::search::rebuild(&catalog.env).await;
    market.stop().await;
    let rebuilt = rebuilt.map_err(anyhow::Error::msg)?;
    println!("The search index has {} products, built in {} ms.", rebuilt.products, rebuilt.took.as_millis());
    Ok(())
}

/// Shows the dead letters that wait, of every service.
pub async fn list_dead_letters(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let mut waiting = 0;
    for service in &market.services {
        let mut page = Page { first: chassis::page::FIRST_MAX, after: None };
        loop {
            let letters = dead_letter::list(&service.env.db, &page).await.map_err(anyhow::Error::msg)?;
            for letter in letters.iter().take(page.first as usize) {
                println!("{}  {}  {}  {}", letter.event_id, letter.consumer, letter.kind, letter.error);
                waiting += 1;
            }
            if letters.len() as u64 <= page.first {
                break;
            }
            page.after = letters.get(page.first as usize - 1).map(|letter| letter.event_id);
        }
    }
    market.stop().await;
    println!("{waiting} dead letters wait.");
    Ok(())
}

/// Delivers a dead letter again.
pub async fn retry_dead_letter(settings: &Settings, id: EventId) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let consumers = market.consumers();
    for service in &market.services {
        let now = service.env.clock.now();
        let retried = dead_letter::retry(&service.env.db, &consumers, now, id, ACTOR.into()).await;
        if retried.map_err(|failure| anyhow::anyhow!("it fails still: {failure}"))?.is_ok() {
            println!("{id} is applied by {}.", service.name);
            market.stop().await;
            return Ok(());
        }
    }
    market.stop().await;
    bail!("{id} is not a dead letter that waits");
}

/// Gives a dead letter up.
pub async fn drop_dead_letter(settings: &Settings, id: EventId, reason: String) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    for service in &market.services {
        let now = service.env.clock.now();
        let dropped = dead_letter::drop(&service.env.db, now, id, reason.clone(), ACTOR.into()).await;
        if dropped.map_err(anyhow::Error::msg)?.is_ok() {
            println!("{id} is dropped from {}.", service.name);
            market.stop().await;
            return Ok(());
        }
    }
    market.stop().await;
    bail!("{id} is not a dead letter that waits");
}

/// Marks what was said since a time as unsaid: the relay of the running marketplace delivers it again.
pub async fn replay_events(settings: &Settings, since: DateTime<Utc>) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    for service in &market.services {
        let events = outbox::replay(&service.env.db, since).await.map_err(anyhow::Error::msg)?;
        println!("{}: {events} events will be delivered again", service.name);
    }
    market.stop().await;
    Ok(())
}

/// Signs with the next key from now on.
pub async fn rotate_keys(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let accounts = market.service(ServiceName::Accounts).context("accounts runs in every market")?;
    let rotated = accounts::rotate_keys(&accounts.env, ACTOR).await;
    market.stop().await;
    let kid = rotated.map_err(anyhow::Error::msg)?;
    println!(
        "Access tokens are signed with {kid} from now on. A running marketplace follows within a minute."
    );
    Ok(())
}
