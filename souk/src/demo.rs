//! `souk demo`: a marketplace with real goods and live stock, for newcomers.
//!
//! Filling is idempotent: killed at any point, the next start goes on where this one ended.

mod bank;
mod books;
mod copies;
mod life;
pub mod shops;
mod sneakers;
mod stock;
mod traders;

use std::time::Instant;

use anyhow::Context;
use catalog::import::{LoadedOffer, NewListing};
use chassis::{Env, Failure};
use contract::SellerId;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tracing::{error, info};

use crate::market::{Market, ServiceName};
pub use bank::Bank;

/// Products that are loaded, and whose stock is received, before the next ones.
const CHUNK: usize = 1_000;
/// The same goods at the same prices on every machine.
const SEED: u64 = 20_260_101;

/// Fills an empty marketplace, keeps its stock moving and its traders trading.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// How many times over the books are there.
    pub copies: usize,
}

/// What the demo works with.
#[derive(Clone)]
struct Services {
    accounts: Env,
    catalog: Env,
    inventory: Env,
    traders: traders::Places,
}

impl Demo {
    /// Starts in the background: the endpoint answers at once and fills as you look.
    ///
    /// # Errors
    /// The market lacks a service.
    pub fn start(self, market: &Market) -> anyhow::Result<()> {
        let service = |name| market.service(name).context("the demo needs every service");
        let (accounts, catalog) = (service(ServiceName::Accounts)?, service(ServiceName::Catalog)?);
        let services = Services {
            accounts: accounts.env.clone(),
            catalog: catalog.env.clone(),
            inventory: service(ServiceName::Inventory)?.env.clone(),
            traders: traders::Places {
                accounts: accounts.env.clone(),
                catalog: catalog.env.clone(),
                bidding_api: service(ServiceName::Bidding)?.endpoint.clone(),
                payments_api: service(ServiceName::Payments)?.endpoint.clone(),
            },
        };
        let stop = market.tasks.stopping().clone();
        market.tasks.spawn(async move {
            let ended = stop.run_until_cancelled(run(&services, self.copies)).await;
            if let Some(Err(failure)) = ended {
                error!(error = %failure, "The demo stopped; start it again to go on");
            }
        });
        Ok(())
    }
}

async fn run(services: &Services, copies: usize) -> Result<(), Failure> {
    let started = Instant::now();
    let mut random = StdRng::seed_from_u64(SEED);
    let shops = shops::open(&services.accounts).await?;
    let rooms = stock::rooms(&services.inventory, &shops.all()).await?;
    let listings = listings(&shops, copies, &mut random)?;
    let mut offers = Vec::new();
    let mut products = 0;
    for chunk in listings.chunks(CHUNK) {
        let loaded = load(services, chunk).await?;
        stock::fill(&services.inventory, &rooms, &loaded, &mut random).await?;
        offers.extend(loaded);
        products += chunk.len();
        info!("The demo has loaded {products} of {} products", listings.len());
    }
    info!(
        "The demo is full: {products} products, {} offers, {} s",
        offers.len(),
        started.elapsed().as_secs()
    );
    let traders = traders::trade(&services.traders, StdRng::seed_from_u64(SEED));
    tokio::try_join!(life::live(&services.inventory, &rooms, &offers, random), traders)?;
    Ok(())
}

async fn load(services: &Services, listings: &[NewListing]) -> Result<Vec<LoadedOffer>, Failure> {
    let loaded = catalog::import::load(&services.catalog, listings.to_vec()).await?;
    for refused in &loaded.refused {
        error!("The demo's product {} is refused: {:?}", refused.handle, refused.problems);
    }
    Ok(loaded.offers)
}

/// The goods of the demo, as the shops with these ids would offer them.
///
/// # Errors
/// The goods cannot be read.
pub fn goods(books: Vec<SellerId>, sneakers: Vec<SellerId>) -> Result<Vec<NewListing>, Failure> {
    listings(&shops::Shops { books, sneakers }, 1, &mut StdRng::seed_from_u64(SEED))
}

/// The best-known books come last: the newest are on the first page.
fn listings(shops: &shops::Shops, copies: usize, random: &mut StdRng) -> Result<Vec<NewListing>, Failure> {
    let mut listings = sneakers::listings(shops, random)?;
    let mut books = books::listings(shops, random)?;
    books.reverse();
    for copy in 1..copies {
        listings.extend(copies::vary(&books, copy, random));
    }
    listings.extend(books);
    Ok(listings)
}
