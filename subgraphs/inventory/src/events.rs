//! What inventory hears: offers and sellers, which it mirrors, and asks, which it answers.

use chassis::inbox::Consumer;
use chassis::{Env, Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{Envelope, Event};
use futures::FutureExt;

use crate::desk::{Ask, Reserve};
use crate::pieces::{self, Wish};
use crate::{listing, offer, restock, seller, variant};

/// The name of other services' asks in the log of movements.
const ASKED: &str = "ask";

/// The ears of inventory.
pub fn consumers(env: &Env) -> Vec<Consumer> {
    vec![
        Consumer::new(env, "inventory.accounts", &["accounts.seller_changed"], |tx, now, events| {
            hear(tx, now, events).boxed()
        }),
        // One ear for all: an offer is known before pieces of it arrive.
        Consumer::new(
            env,
            "inventory.catalog",
            &[
                "catalog.offer_changed",
                "catalog.variant_changed",
                "inventory.receive_stock",
                "inventory.move_stock",
            ],
            |tx, now, events| hear(tx, now, events).boxed(),
        ),
        Consumer::new(
            env,
            "inventory.asks",
            &[
                "inventory.reserve_stock",
                "inventory.reserve_pieces",
                "inventory.commit_stock",
                "inventory.release_stock",
                "inventory.restock_sold",
            ],
            |tx, now, events| hear(tx, now, events).boxed(),
        ),
    ]
}

async fn hear(tx: &Tx, now: DateTime<Utc>, events: &[Envelope]) -> Result<(), Failure> {
    let (mut sellers, mut offers, mut variants, mut asked) = (vec![], vec![], vec![], vec![]);
    let (mut arrivals, mut moves, mut back) = (vec![], vec![], vec![]);
    for envelope in events {
        match &envelope.event {
            Event::SellerChanged(change) => sellers.push((change, envelope.aggregate.version)),
            Event::OfferChanged(change) => offers.push((change, envelope.aggregate.version)),
            Event::VariantChanged(change) => variants.push((change, envelope.aggregate.version)),
            Event::ReceiveStock(ask) => arrivals.push(ask),
            Event::MoveStock(ask) => moves.push(ask),
            Event::RestockSold(ask) => back.push(ask),
            Event::ReservePieces(ask) => asked.push(Wish::Pieces(ask)),
            event => asked.extend(ask(event).map(Wish::Ask)),
        }
    }
    seller::hear(tx, sellers.into_iter()).await?;
    variant::hear(tx, variants.into_iter()).await?;
    offer::hear(tx, offers.into_iter()).await?;
    listing::receive(tx, now, arrivals).await?;
    for ask in moves {
        listing::move_stock(tx, now, ask).await?;
    }
    pieces::settle_all(tx, now, ASKED, asked).await?;
    // After what was sold: the asks of an order come in their order.
    restock::hear(tx, now, back).await
}

/// What an event asks of the desk, if it is an ask.
fn ask(event: &Event) -> Option<Ask> {
    Some(match event.clone() {
        Event::ReserveStock(ask) => Ask::Reserve(Reserve {
            reservation_id: ask.reservation_id,
            order_id: ask.order_id,
            seller_id: None,
            lines: ask.lines,
            expires_at: ask.expires_at,
            actor: ASKED.into(),
        }),
        Event::CommitStock(ask) => Ask::Commit { reservation_id: ask.reservation_id, actor: ASKED.into() },
        Event::ReleaseStock(ask) => {
            Ask::Release { reservation_id: ask.reservation_id, actor: ASKED.into(), reason: ask.reason }
        }
        _ => return None,
    })
}
