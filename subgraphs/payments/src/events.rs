//! What payments hears: sellers, which it mirrors, and asks, which it answers.

use std::sync::Arc;

use chassis::inbox::Consumer;
use chassis::{Env, Failure, Tx};
use contract::{Envelope, Event};
use futures::FutureExt;

use crate::asks;
use crate::courier::Courier;
use crate::seller;

/// The ears of payments.
pub fn consumers(env: &Env, courier: &Arc<Courier>) -> Vec<Consumer> {
    let courier = courier.clone();
    vec![
        Consumer::new(env, "payments.accounts", &["accounts.seller_changed"], |tx, _, events| {
            hear_sellers(tx, events).boxed()
        }),
        Consumer::new(
            env,
            "payments.asks",
            &[
                "payments.authorise",
                "payments.capture",
                "payments.void",
                "payments.refund",
                "payments.release",
                "payments.fine_seller",
            ],
            move |tx, now, events| {
                let courier = courier.clone();
                async move { asks::hear(tx, now, events, &courier).await }.boxed()
            },
        ),
    ]
}

async fn hear_sellers(tx: &Tx, events: &[Envelope]) -> Result<(), Failure> {
    let changes = events.iter().filter_map(|envelope| match &envelope.event {
        Event::SellerChanged(change) => Some((change, envelope.aggregate.version)),
        _ => None,
    });
    seller::hear(tx, changes).await
}
