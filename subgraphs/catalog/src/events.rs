//! What catalog hears: stock from inventory, sellers from accounts.

use std::collections::HashMap;

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::StockChanged;
use contract::{Envelope, Event, OfferId};

use crate::search::{self, Changed};
use crate::{listing, offer, seller};

/// Whom catalog listens to: the name of each consumer and what it hears.
pub(crate) const STOCK: (&str, &[&str]) = (
    "catalog.inventory",
    &["inventory.stock_changed", "inventory.stock_received", "inventory.stock_refused"],
);
pub(crate) const SELLERS: (&str, &[&str]) = ("catalog.accounts", &["accounts.seller_changed"]);

/// Applies a batch. Of many changes of one offer's stock only the last one matters.
pub(crate) async fn hear(tx: &Tx, now: DateTime<Utc>, events: &[Envelope]) -> Result<(), Failure> {
    let mut stock: HashMap<OfferId, &StockChanged> = HashMap::new();
    let mut sellers = vec![];
    let mut received = vec![];
    for envelope in events {
        match &envelope.event {
            Event::StockChanged(said) => {
                let last = stock.entry(said.offer_id).or_insert(said);
                if last.sequence < said.sequence {
                    *last = said;
                }
            }
            Event::SellerChanged(said) => {
                seller::mirror(tx, envelope.aggregate.version, said).await?;
                sellers.push(said.seller_id);
            }
            Event::StockReceived(said) => received.push(said),
            Event::StockRefused(said) => listing::refused(tx, now, said).await?,
            _ => {}
        }
    }
    let mut stock: Vec<_> = stock.into_values().collect();
    stock.sort_unstable_by_key(|said| said.offer_id);
    let mut turned = offer::mirror_stock(tx, &stock).await?;
    turned.sort_unstable();
    turned.dedup();
    search::note(tx, now, Changed::Products(&turned)).await?;
    for seller in sellers {
        search::note(tx, now, Changed::OfSeller(seller)).await?;
    }
    listing::received(tx, now, received).await
}
