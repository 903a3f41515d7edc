//! Life in the demo's shops: pieces are sold over the counter and delivered, most of them of the best-known goods.

use std::time::Duration;

use catalog::import::LoadedOffer;
use chassis::{Env, Failure, tx};
use inventory::shelf::{self, Shelf};
use rand::Rng;
use rand::rngs::StdRng;

use super::stock::{KEEPER, Rooms};

/// The wait between two movements, at most.
const PAUSE_MS_MAX: u64 = 600;
/// Offers at the end of the list that most movements are about: those of the first page.
const POPULAR: usize = 30;
/// Of a hundred movements, those about a popular offer.
const POPULAR_PERCENT: u32 = 80;
/// Of a hundred movements, those that bring goods.
const DELIVERED_PERCENT: u32 = 25;

/// Moves stock until the process stops.
pub(super) async fn live(
    inventory: &Env,
    rooms: &Rooms,
    offers: &[LoadedOffer],
    mut random: StdRng,
) -> Result<(), Failure> {
    loop {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..PAUSE_MS_MAX))).await;
        let Some(offer) = pick(offers, &mut random) else { return Ok(()) };
        let shelf = Shelf { keeper: KEEPER, offer_id: offer.offer, location_id: rooms[&offer.seller] };
        let (pieces, reason) = match random.random_range(0..100) < DELIVERED_PERCENT {
            true => (random.random_range(1..6), "delivered"),
            false => (-1, "sold over the counter"),
        };
        let now = inventory.clock.now();
        let moved =
            tx::run(&inventory.db, async |tx| shelf::adjust(tx, now, shelf, pieces, reason.into()).await);
        if let Err(refusal) = moved.await? {
            tracing::debug!("The demo's shelf of {} stays as it is: {refusal}", offer.offer);
        }
    }
}

fn pick<'o>(offers: &'o [LoadedOffer], random: &mut StdRng) -> Option<&'o LoadedOffer> {
    let popular = random.random_range(0..100) < POPULAR_PERCENT;
    let from = if popular { offers.len().saturating_sub(POPULAR) } else { 0 };
    rand::seq::IndexedRandom::choose(&offers[from..], random)
}
