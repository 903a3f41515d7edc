//! Telling webhooks: one message at a time for each, sent again with growing pauses until it is taken.
//!
//! A process claims a webhook for as long as a call can take. What it sends is a row first, so that a crash between
//! sending and noting the answer sends the same message again, with the same id.

use std::error::Error;

use chassis::reach::OutOfReach;
use chassis::{Env, Failure, Reach, Tx, audit, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{DeliveryId, OfferId, VariantId, WebhookId};
use entity::inventory::webhook_delivery::{self, State};
use entity::inventory::{webhook, webhook_change};
use futures::StreamExt;
use rand::Rng;
use reqwest::header::CONTENT_TYPE;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::Serialize;
use serde_json::json;
use tracing::warn;

use crate::secret::Secrets;
use crate::signature;

/// Webhooks of one round.
const ROUND_MAX: u64 = 32;
/// Calls at the same time.
const CALLS_MAX: usize = 8;
/// Offers in one message.
const CHANGES_MAX: u64 = 500;
/// How long a process that died keeps a webhook: longer than any call.
const CLAIM: TimeDelta = TimeDelta::seconds(60);
/// The longest pause after the first failure; it doubles with each further one, up to [`BACKOFF_MAX`].
const BACKOFF: TimeDelta = TimeDelta::seconds(5);
const BACKOFF_MAX: TimeDelta = TimeDelta::hours(1);
/// How long a message is tried.
const TRIED: TimeDelta = TimeDelta::hours(24);
/// A webhook that takes nothing for so long is switched off.
const FAILING_MAX: TimeDelta = TimeDelta::days(3);

/// Delivers to the webhooks of one database.
pub struct Deliverer {
    env: Env,
    reach: Reach,
    client: reqwest::Client,
    secrets: Secrets,
}

/// What a webhook is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    r#type: &'static str,
    delivery_id: DeliveryId,
    webhook_id: WebhookId,
    created_at: DateTime<Utc>,
    changes: Vec<Change>,
}

/// The stock of one offer: absolute numbers, of which the highest sequence is the newest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    offer_id: OfferId,
    variant_id: VariantId,
    on_hand: i64,
    reserved: i64,
    available: i64,
    sequence: i64,
    changed_at: DateTime<Utc>,
}

impl From<&webhook_change::Model> for Change {
    fn from(row: &webhook_change::Model) -> Self {
        Self {
            offer_id: row.offer_id,
            variant_id: row.variant_id,
            on_hand: row.on_hand,
            reserved: row.reserved,
            available: row.available,
            sequence: row.sequence,
            changed_at: row.changed_at,
        }
    }
}

impl Deliverer {
    /// # Errors
    /// TLS cannot start.
    pub fn new(env: &Env) -> Result<Self, Failure> {
        let (env, secrets) = (env.clone(), Secrets::new(env));
        Ok(Self { reach: env.reach, client: env.reach.client()?, secrets, env })
    }

    /// Sends one message to each webhook that has something due.
    pub async fn round(&self) -> Result<(), Failure> {
        let due = self.due().await?;
        futures::stream::iter(due)
            .for_each_concurrent(CALLS_MAX, |webhook| async move {
                if let Err(failure) = self.serve(&webhook).await {
                    warn!(webhook.id = %webhook.id, error = %failure, "Webhook {} will be tried again", webhook.id);
                }
            })
            .await;
        Ok(())
    }

    /// Webhooks that nobody serves, with a message whose time has come or with news for a new one.
    async fn due(&self) -> Result<Vec<webhook::Model>, Failure> {
        let now = self.env.clock.now();
        let this = || Expr::col((webhook::Entity, webhook::Column::Id));
        let waiting = || {
            Query::select()
                .expr(Expr::val(1))
                .from(webhook_delivery::Entity)
                .and_where(webhook_delivery::Column::WebhookId.into_expr().eq(this()))
                .and_where(webhook_delivery::Column::State.eq(State::Waiting))
                .take()
        };
        let ripe = waiting().and_where(webhook_delivery::Column::NextAttemptAt.lte(now)).take();
        let news = Query::select()
            .expr(Expr::val(1))
            .from(webhook_change::Entity)
            .and_where(webhook_change::Column::WebhookId.into_expr().eq(this()))
            .take();
        let has_news = Condition::all().add(Expr::exists(waiting()).not()).add(Expr::exists(news));
        let due = webhook::Entity::find()
            .filter(webhook::Column::Enabled.eq(true))
            .filter(webhook::Column::ClaimedUntil.lte(now))
            .filter(Condition::any().add(Expr::exists(ripe)).add(has_news))
            .order_by_asc(webhook::Column::ClaimedUntil)
            .limit(ROUND_MAX);
        Ok(due.all(self.env.db.read()).await?)
    }

    async fn serve(&self, webhook: &webhook::Model) -> Result<(), Failure> {
        let now = self.env.clock.now();
        let claim = now + CLAIM;
        if !self.claim(webhook.id, now, claim).await? {
            return Ok(());
        }
        let delivery = tx::apply(&self.env.db, async |tx| next(tx, now, webhook.id).await).await?;
        let Some(delivery) = delivery else {
            return tx::apply(&self.env.db, async |tx| give_back(tx, webhook.id, claim, now).await).await;
        };
        let answer = self.send(webhook, &delivery, now).await?;
        let now = self.env.clock.now();
        tx::apply(&self.env.db, async |tx| {
            note_answer(tx, now, delivery, answer).await?;
            give_back(tx, webhook.id, claim, now).await
        })
        .await
    }

    async fn claim(&self, id: WebhookId, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool, Failure> {
        let claimed = webhook::Entity::update_many()
            .col_expr(webhook::Column::ClaimedUntil, Expr::val(until))
            .filter(webhook::Column::Id.eq(id))
            .filter(webhook::Column::Enabled.eq(true))
            .filter(webhook::Column::ClaimedUntil.lte(now))
            .exec(self.env.db.write())
            .await?;
        Ok(claimed.rows_affected == 1)
    }

    /// The status that the other side answered, or why there was none. What else it answers is not read.
    async fn send(
        &self,
        webhook: &webhook::Model,
        delivery: &webhook_delivery::Model,
        now: DateTime<Utc>,
    ) -> Result<Result<u16, String>, Failure> {
        let url = match self.reach.check(&webhook.url) {
            Ok(url) => url,
            Err(refusal) => return Ok(Err(refusal.to_string())),
        };
        let secrets = self.secrets.valid(self.env.db.read(), now, webhook.id.0).await?;
        let timestamp = now.timestamp();
        let sent = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("souk-webhook", webhook.id.to_string())
            .header("souk-delivery", delivery.id.to_string())
            .header("souk-timestamp", timestamp)
            .header("souk-signature", signature::header(&secrets, timestamp, delivery.body.as_bytes()))
            .body(delivery.body.clone())
            .send()
            .await;
        Ok(sent.map(|response| response.status().as_u16()).map_err(|error| said(&error)))
    }
}

/// In words that tell a seller what to mend, and nothing of our network.
fn said(error: &reqwest::Error) -> String {
    match out_of_reach(error) {
        Some(refusal) => refusal.to_string(),
        None if error.is_timeout() => "no answer in time".into(),
        None if error.is_connect() => "no connection".into(),
        None => "the answer was no HTTP".into(),
    }
}

/// Whether the resolver refused the address.
fn out_of_reach(error: &(dyn Error + 'static)) -> Option<OutOfReach> {
    error.downcast_ref().copied().or_else(|| error.source().and_then(out_of_reach))
}

/// The message whose turn it is: the one that waits, or a new one of what there is to tell. `None`: nothing is due.
async fn next(
    tx: &Tx,
    now: DateTime<Utc>,
    id: WebhookId,
) -> Result<Option<webhook_delivery::Model>, Failure> {
    let waiting = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::WebhookId.eq(id))
        .filter(webhook_delivery::Column::State.eq(State::Waiting))
        .one(tx)
        .await?;
    match waiting {
        Some(waiting) => Ok(Some(waiting).filter(|waiting| waiting.next_attempt_at <= now)),
        None => gather(tx, now, id).await,
    }
}

/// A new message. Offers that somebody changes right now are left for the next: whoever waits for nobody cannot wait in a
/// circle.
async fn gather(
    tx: &Tx,
    now: DateTime<Utc>,
    webhook_id: WebhookId,
) -> Result<Option<webhook_delivery::Model>, Failure> {
    use webhook_change::{Column, Entity};
    let changes = Entity::find()
        .filter(Column::WebhookId.eq(webhook_id))
        .order_by_asc(Column::OfferId)
        .limit(CHANGES_MAX)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    if changes.is_empty() {
        return Ok(None);
    }
    Entity::delete_many()
        .filter(Column::WebhookId.eq(webhook_id))
        .filter(Column::OfferId.is_in(changes.iter().map(|change| change.offer_id)))
        .exec(tx)
        .await?;
    let id = DeliveryId::new();
    let message = Message {
        r#type: "stock.changed",
        delivery_id: id,
        webhook_id,
        created_at: now,
        changes: changes.iter().map(Change::from).collect(),
    };
    let delivery = webhook_delivery::Model {
        id,
        webhook_id,
        body: serde_json::to_string(&message)?,
        changes: changes.len() as i32,
        state: State::Waiting,
        attempts: 0,
        began_at: now,
        next_attempt_at: now,
        last_attempt_at: None,
        last_status: None,
        last_error: None,
        created_at: now,
    };
    webhook_delivery::Entity::insert(delivery.clone().into_active_model()).exec_without_returning(tx).await?;
    Ok(Some(delivery))
}

/// Writes down what came of sending.
async fn note_answer(
    tx: &Tx,
    now: DateTime<Utc>,
    delivery: webhook_delivery::Model,
    answer: Result<u16, String>,
) -> Result<(), Failure> {
    let taken = answer.as_ref().is_ok_and(|status| (200..300).contains(status));
    let state = match taken {
        true => State::Delivered,
        false if now - delivery.began_at >= TRIED => State::Failed,
        false => State::Waiting,
    };
    let result = if taken { "delivered" } else { "failed" };
    metrics::counter!("souk_webhook_calls_total", "result" => result).increment(1);
    let (attempts, webhook_id) = (delivery.attempts + 1, delivery.webhook_id);
    let mut row = delivery.into_active_model();
    (row.state, row.attempts) = (Set(state), Set(attempts));
    (row.last_attempt_at, row.next_attempt_at) = (Set(Some(now)), Set(now + pause(attempts)));
    row.last_status = Set(answer.as_ref().ok().map(|status| i32::from(*status)));
    row.last_error = Set(answer.err());
    row.update(tx).await?;
    if taken { note_success(tx, webhook_id).await } else { note_failure(tx, now, webhook_id).await }
}

async fn note_success(tx: &Tx, id: WebhookId) -> Result<(), Failure> {
    webhook::Entity::update_many()
        .col_expr(webhook::Column::FailingSince, Expr::val(None::<DateTime<Utc>>))
        .filter(webhook::Column::Id.eq(id))
        .filter(webhook::Column::FailingSince.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

async fn note_failure(tx: &Tx, now: DateTime<Utc>, id: WebhookId) -> Result<(), Failure> {
    webhook::Entity::update_many()
        .col_expr(webhook::Column::FailingSince, Expr::val(now))
        .filter(webhook::Column::Id.eq(id))
        .filter(webhook::Column::FailingSince.is_null())
        .exec(tx)
        .await?;
    let given_up = webhook::Entity::update_many()
        .col_expr(webhook::Column::Enabled, Expr::val(false))
        .col_expr(webhook::Column::GivenUp, Expr::val(true))
        .col_expr(webhook::Column::Version, Expr::col(webhook::Column::Version).add(1))
        .filter(webhook::Column::Id.eq(id))
        .filter(webhook::Column::Enabled.eq(true))
        .filter(webhook::Column::FailingSince.lte(now - FAILING_MAX))
        .exec(tx)
        .await?;
    if given_up.rows_affected == 0 {
        return Ok(());
    }
    warn!(webhook.id = %id, "Webhook {id} failed for {} days and is switched off", FAILING_MAX.num_days());
    let details = json!({ "failingDays": FAILING_MAX.num_days() });
    audit::record(tx, now, "webhooks", "webhook.given_up", &id.to_string(), details).await
}

/// Gives the claim back, if it is still this process's.
async fn give_back(tx: &Tx, id: WebhookId, claim: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Failure> {
    webhook::Entity::update_many()
        .col_expr(webhook::Column::ClaimedUntil, Expr::val(now))
        .filter(webhook::Column::Id.eq(id))
        .filter(webhook::Column::ClaimedUntil.eq(claim))
        .exec(tx)
        .await?;
    Ok(())
}

/// Anything up to the longest pause: webhooks that failed together do not come back together.
fn pause(attempts: i32) -> TimeDelta {
    let longest = (BACKOFF * 2_i32.pow((attempts - 1).clamp(0, 16) as u32)).min(BACKOFF_MAX);
    TimeDelta::milliseconds(rand::rng().random_range(1_000..=longest.num_milliseconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_no_further() {
        for (attempts, longest) in [(1, 5), (2, 10), (5, 80), (10, 2_560), (11, 3_600), (1_000, 3_600)] {
            for _ in 0..100 {
                let pause = pause(attempts);
                assert!(pause >= TimeDelta::seconds(1) && pause <= TimeDelta::seconds(longest), "{pause}");
            }
        }
    }
}
