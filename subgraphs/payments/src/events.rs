//! What payments hears: sellers, which it mirrors, and asks, which it answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::inbox::Consumer;
use chassis::{Env, Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{Envelope, Event, SellerId};
use futures::FutureExt;

use crate::asks;
use crate::courier::Courier;
use crate::{payee, seller};

/// The ears of payments.
pub fn consumers(env: &Env, courier: &Arc<Courier>) -> Vec<Consumer> {
    let (courier, of_sellers) = (courier.clone(), courier.clone());
    vec![
        Consumer::new(env, "payments.accounts", &["accounts.seller_changed"], move |tx, now, events| {
            let courier = of_sellers.clone();
            async move { hear_sellers(tx, now, events, &courier).await }.boxed()
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
                "payments.hold",
                "payments.capture_hold",
            ],
            move |tx, now, events| {
                let courier = courier.clone();
                async move { asks::hear(tx, now, events, &courier).await }.boxed()
            },
        ),
    ]
}

async fn hear_sellers(
    tx: &Tx,
    now: DateTime<Utc>,
    events: &[Envelope],
    courier: &Courier,
) -> Result<(), Failure> {
    let changes: Vec<_> = events
        .iter()
        .filter_map(|envelope| match &envelope.event {
            Event::SellerChanged(change) => Some((change, envelope.aggregate.version)),
            _ => None,
        })
        .collect();
    let sellers: BTreeSet<SellerId> = changes.iter().map(|(change, _)| change.seller_id).collect();
    seller::hear(tx, changes.into_iter()).await?;
    payee::meet(tx, now, courier.providers().first(), sellers.into_iter()).await
}
