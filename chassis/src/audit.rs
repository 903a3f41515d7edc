//! The audit trail: who did what, in the transaction that did it. Each entry's hash covers the entry before it, so that a
//! removed or altered row shows.

use aws_lc_rs::digest;
use chrono::{DateTime, SecondsFormat, Utc};
use entity::shared::audit_event;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryOrder};
use serde_json::Value;

use crate::idempotency::hex;
use crate::{Engine, Failure, Tx};

/// The hash "before" the first entry.
const GENESIS: &str = "";

/// Records that `actor` did `action` to `subject`. `details` never holds secrets or personal data.
pub async fn record(
    tx: &Tx,
    now: DateTime<Utc>,
    actor: &str,
    action: &str,
    subject: &str,
    details: Value,
) -> Result<(), Failure> {
    one_at_a_time(tx).await?;
    let last = audit_event::Entity::find().order_by_desc(audit_event::Column::Seq).one(tx).await?;
    let previous_hash = last.map_or_else(|| GENESIS.to_owned(), |event| event.hash);
    let details = details.to_string();
    let hash = chain(&previous_hash, now, [actor, action, subject, &details]);
    let event = audit_event::ActiveModel {
        at: Set(now),
        actor: Set(actor.into()),
        action: Set(action.into()),
        subject: Set(subject.into()),
        details: Set(details),
        previous_hash: Set(previous_hash),
        hash: Set(hash),
        ..Default::default()
    };
    audit_event::Entity::insert(event).exec_without_returning(tx).await?;
    Ok(())
}

/// The first entry whose hash does not follow from what is before it; `None`: the trail is whole.
pub async fn first_broken(db: &impl ConnectionTrait) -> Result<Option<i64>, Failure> {
    let events = audit_event::Entity::find().order_by_asc(audit_event::Column::Seq).all(db).await?;
    let mut previous = GENESIS.to_owned();
    for event in events {
        let text = [&event.actor, &event.action, &event.subject, &event.details].map(String::as_str);
        if event.previous_hash != previous || event.hash != chain(&previous, event.at, text) {
            return Ok(Some(event.seq));
        }
        previous = event.hash;
    }
    Ok(None)
}

/// SQLite has one writer anyway; on PostgreSQL the chain needs a lock until the commit.
async fn one_at_a_time(tx: &Tx) -> Result<(), Failure> {
    if tx.engine() == Engine::Postgres {
        tx.execute_unprepared("lock table audit_event in share row exclusive mode").await?;
    }
    Ok(())
}

fn chain(previous: &str, at: DateTime<Utc>, text: [&str; 4]) -> String {
    let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let entry = serde_json::json!([previous, at, text]).to_string();
    hex(digest::digest(&digest::SHA256, entry.as_bytes()).as_ref())
}
