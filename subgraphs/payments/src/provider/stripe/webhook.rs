//! Stripe's events: as they come by themselves, and as they are listed, for those that did not arrive.

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::client::Got;
use super::form::Form;
use super::shape::{Event, ours};
use super::{NAME, Stripe};
use crate::hint::{Hint, Tells};
use crate::webhook::{Untrusted, verify};

const SIGNATURE: &str = "stripe-signature";
/// What may change a payment without our doing. Stripe takes at most twenty.
const TELLING: [&str; 13] = [
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "charge.captured",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
];

/// What a kind of event may be news of. Each payment comes with some that are none.
fn tells(kind: &str) -> Tells {
    match kind {
        "payment_intent.created" | "charge.updated" => Tells::Nothing,
        "payment_intent.amount_capturable_updated" | "charge.succeeded" => Tells::Held,
        "payment_intent.succeeded" | "charge.captured" => Tells::Captured,
        _ => Tells::Anything,
    }
}

impl Stripe {
    /// What happened since then.
    pub(super) async fn events(&self, since: DateTime<Utc>) -> Got<Vec<Hint>> {
        let query = Form::new().set("created[gte]", since.timestamp());
        let query = TELLING.iter().fold(query, |query, kind| query.set("types[]", kind));
        let events: Vec<Event> = self.client.list("/v1/events", query).await?;
        Ok(events.into_iter().map(about).collect())
    }
}

pub fn hint(
    secrets: &[SecretString],
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Hint, Untrusted> {
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.expose_secret().as_bytes()).collect();
    verify(signature, body, &secrets, now)?;
    serde_json::from_slice(body).map(about).map_err(|_| Untrusted::Unreadable)
}

/// What an event is about. The rest of it (names, addresses, parts of card numbers) is not ours to keep.
fn about(event: Event) -> Hint {
    let object = event.data.object;
    let own = object.id.clone().filter(|_| object.object == "payment_intent");
    let reference = object.payment_intent.as_ref().map(|intent| intent.name().to_owned()).or(own);
    let body = json!({
        "id": event.id,
        "type": event.kind,
        "created": event.created,
        "object": { "id": object.id, "object": object.object, "status": object.status },
    });
    Hint {
        tells: tells(&event.kind),
        provider: NAME,
        event_id: event.id,
        kind: event.kind,
        payment_id: ours(&object.metadata, "payment_id"),
        reference,
        body: body.to_string(),
    }
}
