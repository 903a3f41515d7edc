//! Webhooks and their deliveries, as clients see them.

mod change;
mod create;
mod redeliver;
mod rotate;

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chassis::idempotency::{Request, once};
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{DeliveryId, Long, WebhookId};
use entity::inventory::webhook::{Column, Model};
use entity::inventory::webhook_delivery::{self, State};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use self::change::{ChangeStockWebhookInput, ChangeStockWebhookPayload};
use self::create::{CreateStockWebhookInput, CreateStockWebhookPayload};
use self::redeliver::{RedeliverToStockWebhookInput, RedeliverToStockWebhookPayload};
use self::rotate::{RotateStockWebhookSecretInput, RotateStockWebhookSecretPayload};
use super::offer::Seller;
use crate::limits::MIRROR_WAIT;
use crate::secret::Secrets;
use crate::webhook::{self, Change, Create};

/// An address outside that is told of a seller's stock, with signed messages of the latest numbers.
#[derive(SimpleObject)]
pub struct StockWebhook {
    /// The webhook's id: the header `Souk-Webhook`.
    id: WebhookId,
    /// Whose stock it is told of.
    seller: Seller,
    /// The address.
    url: String,
    /// Whether it is told.
    enabled: bool,
    /// Whether it was switched off because it took nothing for three days.
    given_up: bool,
    /// Since when it has taken nothing; null when the last message was taken.
    failing_since: Option<DateTime<Utc>>,
    /// Counts up by one with every change; the expected version of `changeStockWebhook`.
    version: Long,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<Model> for StockWebhook {
    fn from(webhook: Model) -> Self {
        Self {
            id: webhook.id,
            seller: Seller { id: webhook.seller_id },
            url: webhook.url,
            enabled: webhook.enabled,
            given_up: webhook.given_up,
            failing_since: webhook.failing_since,
            version: Long(webhook.version),
            created_at: webhook.created_at,
        }
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum StockWebhookDeliveryState {
    /// It will be sent, or sent again. Becomes `DELIVERED` or, after a day of tries, `FAILED`.
    Waiting,
    /// It was taken: the answer was a status of 200 to 299.
    Delivered,
    /// It was not taken in a day of tries.
    Failed,
}

/// A message to a webhook. It is sent again with the same id and the same body until it is taken.
#[derive(SimpleObject)]
pub struct StockWebhookDelivery {
    /// The message's id: the header `Souk-Delivery`.
    id: DeliveryId,
    /// Where it stands.
    state: StockWebhookDeliveryState,
    /// Offers whose stock it tells.
    offers: i32,
    /// What is sent.
    body: String,
    /// How often it was sent since it was made or asked for again.
    attempts: i32,
    /// The HTTP status of the last answer. Null: there was none.
    last_status: Option<i32>,
    /// Why there was no answer.
    last_error: Option<String>,
    /// When it was sent last.
    last_attempt_at: Option<DateTime<Utc>>,
    /// When it is sent next; null when it is not.
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<webhook_delivery::Model> for StockWebhookDelivery {
    fn from(row: webhook_delivery::Model) -> Self {
        Self {
            id: row.id,
            state: row.state.into(),
            offers: row.changes,
            body: row.body,
            attempts: row.attempts,
            last_status: row.last_status,
            last_error: row.last_error,
            last_attempt_at: row.last_attempt_at,
            next_attempt_at: (row.state == State::Waiting).then_some(row.next_attempt_at),
            created_at: row.created_at,
        }
    }
}

#[derive(Default)]
pub struct WebhookQueries;

#[Object]
impl WebhookQueries {
    /// The webhooks of the viewer's shops, oldest first; for admins, everybody's.
    async fn stock_webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<WebhookId>, StockWebhook>> {
        let page = Page::<WebhookId>::read(first, after.as_deref())?;
        let mut webhooks = webhook::kept_by(super::keeper(ctx)?).order_by_asc(Column::Id).limit(page.rows());
        if let Some(after) = page.after {
            webhooks = webhooks.filter(Column::Id.gt(after));
        }
        let rows = webhooks.all(ctx.data_unchecked::<Env>().db.read()).await.map_err(Failure::from)?;
        Ok(page.connection(rows, |row| row.id, StockWebhook::from))
    }

    /// What a webhook was sent in the last 30 days, newest first. Null when there is no such webhook of the viewer's.
    async fn stock_webhook_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The webhook.")] webhook_id: WebhookId,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<Cursor<DeliveryId>, StockWebhookDelivery>>> {
        let page = Page::<DeliveryId>::read(first, after.as_deref())?;
        let db = ctx.data_unchecked::<Env>().db.read();
        if webhook::find(db, super::keeper(ctx)?, webhook_id).await?.is_none() {
            return Ok(None);
        }
        let mut deliveries = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::WebhookId.eq(webhook_id))
            .order_by_desc(webhook_delivery::Column::Id)
            .limit(page.rows());
        if let Some(after) = page.after {
            deliveries = deliveries.filter(webhook_delivery::Column::Id.lt(after));
        }
        let rows = deliveries.all(db).await.map_err(Failure::from)?;
        Ok(Some(page.connection(rows, |row| row.id, StockWebhookDelivery::from)))
    }
}

#[derive(Default)]
pub struct WebhookMutations;

#[Object]
impl WebhookMutations {
    /// Makes a webhook, which is told all of the shop's stock and then every change. Its secret is shown here and nowhere
    /// else: keep it.
    async fn create_stock_webhook(
        &self,
        ctx: &Context<'_>,
        input: CreateStockWebhookInput,
    ) -> Result<CreateStockWebhookPayload> {
        let keeper = super::keeper(ctx)?;
        let (env, secrets) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Secrets>());
        let body = (input.seller_id, &input.url);
        let request = Request::new("createStockWebhook", keeper.actor(), &input.idempotency_key, &body)?;
        keeper.wait_for_shop(&env.db, input.seller_id, MIRROR_WAIT).await?;
        let now = env.clock.now();
        let command = Create { keeper, seller_id: input.seller_id, url: input.url, reach: env.reach };
        let done = tx::run(&env.db, async |tx| {
            once(tx, now, request, || webhook::create(tx, now, secrets, command)).await
        })
        .await?;
        Ok(match done {
            Ok(keyed) => {
                let secret = secrets.text(env.db.read(), keyed.secret_id).await?;
                CreateStockWebhookPayload { webhook: Some(keyed.webhook.into()), secret, user_errors: vec![] }
            }
            Err(refusal) => {
                CreateStockWebhookPayload { webhook: None, secret: None, user_errors: vec![refusal.into()] }
            }
        })
    }

    /// Gives a webhook a new secret. For 24 hours messages are signed with both, unless the one before is ended now.
    async fn rotate_stock_webhook_secret(
        &self,
        ctx: &Context<'_>,
        input: RotateStockWebhookSecretInput,
    ) -> Result<RotateStockWebhookSecretPayload> {
        let keeper = super::keeper(ctx)?;
        let (env, secrets) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Secrets>());
        let body = (input.id, input.end_old_now);
        let request =
            Request::new("rotateStockWebhookSecret", keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            let work = || webhook::rotate(tx, now, secrets, keeper, input.id, input.end_old_now);
            once(tx, now, request, work).await
        })
        .await?;
        Ok(match done {
            Ok(keyed) => {
                let (webhook, secret) =
                    (Some(keyed.webhook.into()), secrets.text(env.db.read(), keyed.secret_id).await?);
                RotateStockWebhookSecretPayload { webhook, secret, user_errors: vec![] }
            }
            Err(refusal) => {
                let user_errors = vec![refusal.into()];
                RotateStockWebhookSecretPayload { webhook: None, secret: None, user_errors }
            }
        })
    }

    /// Moves a webhook to another address, or switches it off or on. One that is switched on is told all of the shop's
    /// stock.
    async fn change_stock_webhook(
        &self,
        ctx: &Context<'_>,
        input: ChangeStockWebhookInput,
    ) -> Result<ChangeStockWebhookPayload> {
        let env = ctx.data_unchecked::<Env>();
        let command = Change {
            keeper: super::keeper(ctx)?,
            id: input.id,
            expected_version: input.expected_version.map(|version| version.0),
            url: input.url,
            enabled: input.enabled,
            reach: env.reach,
        };
        let now = env.clock.now();
        Ok(match tx::run(&env.db, async |tx| webhook::change(tx, now, command).await).await? {
            Ok(webhook) => ChangeStockWebhookPayload { webhook: Some(webhook.into()), user_errors: vec![] },
            Err(refusal) => ChangeStockWebhookPayload { webhook: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Sends a message again that was delivered or has failed.
    async fn redeliver_to_stock_webhook(
        &self,
        ctx: &Context<'_>,
        input: RedeliverToStockWebhookInput,
    ) -> Result<RedeliverToStockWebhookPayload> {
        let (env, keeper) = (ctx.data_unchecked::<Env>(), super::keeper(ctx)?);
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| webhook::redeliver(tx, now, keeper, input.id).await).await?;
        Ok(match done {
            Ok(delivery) => {
                RedeliverToStockWebhookPayload { delivery: Some(delivery.into()), user_errors: vec![] }
            }
            Err(refusal) => {
                RedeliverToStockWebhookPayload { delivery: None, user_errors: vec![refusal.into()] }
            }
        })
    }
}
