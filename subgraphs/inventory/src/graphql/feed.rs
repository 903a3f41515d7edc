//! Stock feeds and what they sent, as clients see them.

mod change;
mod create;
mod rotate;

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chassis::idempotency::{Request, once};
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{FeedBatchId, FeedId, Long};
use entity::inventory::feed::{Column, MatchesBy, Model, OrdersBy};
use entity::inventory::{feed_batch, feed_batch_chunk};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use self::change::{ChangeStockFeedInput, ChangeStockFeedPayload};
use self::create::{CreateStockFeedInput, CreateStockFeedPayload};
use self::rotate::{RotateStockFeedSecretInput, RotateStockFeedSecretPayload};
use super::loaders::load;
use super::location::Location;
use super::offer::{Offer, Seller};
use crate::feed::report::{LineAnswer, LineResult};
use crate::feed::{self, Change, Create};
use crate::secret::Secrets;

/// How the lines of a feed name goods.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "MatchesBy")]
pub enum StockFeedMatch {
    /// By `sku`, as it is in the catalogue.
    Sku,
    /// By `gtin`: an ISBN-13 or EAN-13, with or without hyphens, or a UPC.
    Gtin,
    /// By `offerId`.
    OfferId,
}

/// What tells an old line of a feed from a new one.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "OrdersBy")]
pub enum StockFeedOrder {
    /// Each line has a `sequence`, which the sender counts up.
    Sequence,
    /// Each line may have an `observedAt`; one without is as old as its batch.
    Time,
}

/// A system outside that reports how many pieces lie at a location, to `POST /integrations/stock`.
pub struct StockFeed(Model);

impl From<Model> for StockFeed {
    fn from(feed: Model) -> Self {
        Self(feed)
    }
}

/// A system outside that reports how many pieces lie at a location, to `POST /integrations/stock`.
#[Object]
impl StockFeed {
    /// The feed's id: the header `Souk-Feed`.
    async fn id(&self) -> FeedId {
        self.0.id
    }

    /// Whose it is.
    async fn seller(&self) -> Seller {
        Seller { id: self.0.seller_id }
    }

    /// The location whose shelves it reports.
    async fn location(&self, ctx: &Context<'_>) -> Result<Option<Location>> {
        Ok(load(ctx, self.0.location_id).await?.map(Location::from))
    }

    /// What the seller calls it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How its lines name goods.
    async fn matches_by(&self) -> StockFeedMatch {
        self.0.matches_by.into()
    }

    /// What tells an old line from a new one.
    async fn orders_by(&self) -> StockFeedOrder {
        self.0.orders_by.into()
    }

    /// Whether what it sends is taken.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Counts up by one with every change; the expected version of `changeStockFeed`.
    async fn version(&self) -> Long {
        Long(self.0.version)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// What a feed sent under one idempotency key.
#[derive(SimpleObject)]
pub struct StockFeedBatch {
    /// The batch's id.
    id: FeedBatchId,
    /// The sender's idempotency key.
    idempotency_key: String,
    /// When the sender signed it.
    sent_at: DateTime<Utc>,
    /// When it came first.
    received_at: DateTime<Utc>,
    /// When its last line was applied. Null: it was interrupted, and sending it again completes it.
    finished_at: Option<DateTime<Utc>>,
    /// How many lines it has.
    lines: i32,
    /// Lines that changed a shelf.
    applied: i32,
    /// Lines that changed a shelf only as far as reservations allow.
    limited: i32,
    /// Lines that said what was so already.
    unchanged: i32,
    /// Lines older than what the feed had said.
    stale: i32,
    /// Lines that name no goods, several, or nothing that can be understood.
    refused: i32,
}

impl From<feed_batch::Model> for StockFeedBatch {
    fn from(batch: feed_batch::Model) -> Self {
        Self {
            id: batch.id,
            idempotency_key: batch.key,
            sent_at: batch.sent_at,
            received_at: batch.received_at,
            finished_at: batch.finished_at,
            lines: batch.lines,
            applied: batch.applied,
            limited: batch.limited,
            unchanged: batch.unchanged,
            stale: batch.stale,
            refused: batch.refused,
        }
    }
}

/// What became of one line of a batch.
#[derive(SimpleObject)]
pub struct StockFeedLine {
    /// Its place in the batch, from 1. The header of a CSV is not counted.
    line: i32,
    /// What became of it.
    result: LineResult,
    /// The offer that it names.
    offer: Option<Offer>,
    /// Pieces at the feed's location after it.
    on_hand: Option<Long>,
    /// Pieces of the offer that could be bought after it.
    available: Option<Long>,
    /// The field at fault, when it is not understood.
    field: Option<String>,
    /// What is wrong with it.
    message: Option<String>,
}

impl From<LineAnswer> for StockFeedLine {
    fn from(answer: LineAnswer) -> Self {
        Self {
            line: answer.line,
            result: answer.result,
            offer: answer.offer_id.map(|id| Offer { id }),
            on_hand: answer.on_hand.map(Long),
            available: answer.available.map(Long),
            field: answer.field,
            message: answer.message,
        }
    }
}

#[derive(Default)]
pub struct FeedQueries;

#[Object]
impl FeedQueries {
    /// The stock feeds of the viewer's shops, oldest first; for admins, everybody's.
    async fn stock_feeds(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<FeedId>, StockFeed>> {
        let page = Page::<FeedId>::read(first, after.as_deref())?;
        let mut feeds = feed::kept_by(super::keeper(ctx)?).order_by_asc(Column::Id).limit(page.rows());
        if let Some(after) = page.after {
            feeds = feeds.filter(Column::Id.gt(after));
        }
        let rows = feeds.all(ctx.data_unchecked::<Env>().db.read()).await.map_err(Failure::from)?;
        Ok(page.connection(rows, |row| row.id, StockFeed))
    }

    /// What a stock feed sent in the last 30 days, newest first. Null when there is no such feed of the viewer's.
    async fn stock_feed_batches(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The feed.")] feed_id: FeedId,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<Cursor<FeedBatchId>, StockFeedBatch>>> {
        let page = Page::<FeedBatchId>::read(first, after.as_deref())?;
        let db = ctx.data_unchecked::<Env>().db.read();
        if feed::find(db, super::keeper(ctx)?, feed_id).await?.is_none() {
            return Ok(None);
        }
        let mut batches = feed_batch::Entity::find()
            .filter(feed_batch::Column::FeedId.eq(feed_id))
            .order_by_desc(feed_batch::Column::Id)
            .limit(page.rows());
        if let Some(after) = page.after {
            batches = batches.filter(feed_batch::Column::Id.lt(after));
        }
        let rows = batches.all(db).await.map_err(Failure::from)?;
        Ok(Some(page.connection(rows, |row| row.id, StockFeedBatch::from)))
    }

    /// What became of the lines of a batch, in their order. Null when there is no such batch of the viewer's.
    async fn stock_feed_lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The batch.")] batch_id: FeedBatchId,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<Cursor<i32>, StockFeedLine>>> {
        let page = Page::<i32>::read(first, after.as_deref())?;
        let db = ctx.data_unchecked::<Env>().db.read();
        let batch = feed_batch::Entity::find_by_id(batch_id).one(db).await.map_err(Failure::from)?;
        let Some(batch) = batch else { return Ok(None) };
        if feed::find(db, super::keeper(ctx)?, batch.feed_id).await?.is_none() {
            return Ok(None);
        }
        let after = page.after.unwrap_or(0);
        let lines = lines_after(db, batch_id, after, page.rows() as usize).await?;
        Ok(Some(page.connection(lines, |answer| answer.line, StockFeedLine::from)))
    }
}

/// At most `many` answers after line `after`: they are in the chunk that holds it, and in those that follow.
async fn lines_after(
    db: &sea_orm::DatabaseConnection,
    batch_id: FeedBatchId,
    after: i32,
    many: usize,
) -> Result<Vec<LineAnswer>, Failure> {
    use feed_batch_chunk::Column;
    let of_batch = || feed_batch_chunk::Entity::find().filter(Column::BatchId.eq(batch_id));
    let holding = of_batch()
        .filter(Column::FirstLine.lte(after.max(1)))
        .order_by_desc(Column::FirstLine)
        .one(db)
        .await?;
    let Some(holding) = holding else { return Ok(vec![]) };
    let next = of_batch()
        .filter(Column::FirstLine.gt(holding.first_line))
        .order_by_asc(Column::FirstLine)
        .one(db)
        .await?;
    let mut lines = Vec::new();
    for chunk in [Some(holding), next].into_iter().flatten() {
        lines.extend(serde_json::from_str::<Vec<LineAnswer>>(&chunk.answers)?);
    }
    Ok(lines.into_iter().filter(|answer| answer.line > after).take(many).collect())
}

#[derive(Default)]
pub struct FeedMutations;

#[Object]
impl FeedMutations {
    /// Makes a stock feed. Its secret is shown here and nowhere else: keep it.
    async fn create_stock_feed(
        &self,
        ctx: &Context<'_>,
        input: CreateStockFeedInput,
    ) -> Result<CreateStockFeedPayload> {
        let keeper = super::keeper(ctx)?;
        let (env, secrets) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Secrets>());
        let (matches_by, orders_by) = (MatchesBy::from(input.matches_by), OrdersBy::from(input.orders_by));
        let body = (input.location_id, &input.name, matches_by, orders_by);
        let request = Request::new("createStockFeed", keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let command =
            Create { keeper, location_id: input.location_id, name: input.name, matches_by, orders_by };
        let done = tx::run(&env.db, async |tx| {
            once(tx, now, request, || feed::create(tx, now, secrets, command)).await
        })
        .await?;
        Ok(match done {
            Ok(keyed) => {
                let secret = secrets.text(env.db.read(), keyed.secret_id).await?;
                CreateStockFeedPayload { feed: Some(keyed.feed.into()), secret, user_errors: vec![] }
            }
            Err(refusal) => {
                CreateStockFeedPayload { feed: None, secret: None, user_errors: vec![refusal.into()] }
            }
        })
    }

    /// Gives a stock feed a new secret. The one before stays valid for 24 hours, unless it is ended now.
    async fn rotate_stock_feed_secret(
        &self,
        ctx: &Context<'_>,
        input: RotateStockFeedSecretInput,
    ) -> Result<RotateStockFeedSecretPayload> {
        let keeper = super::keeper(ctx)?;
        let (env, secrets) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Secrets>());
        let body = (input.id, input.end_old_now);
        let request = Request::new("rotateStockFeedSecret", keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            let work = || feed::rotate(tx, now, secrets, keeper, input.id, input.end_old_now);
            once(tx, now, request, work).await
        })
        .await?;
        Ok(match done {
            Ok(keyed) => {
                let secret = secrets.text(env.db.read(), keyed.secret_id).await?;
                RotateStockFeedSecretPayload { feed: Some(keyed.feed.into()), secret, user_errors: vec![] }
            }
            Err(refusal) => {
                RotateStockFeedSecretPayload { feed: None, secret: None, user_errors: vec![refusal.into()] }
            }
        })
    }

    /// Renames a stock feed, or switches it off or on.
    async fn change_stock_feed(
        &self,
        ctx: &Context<'_>,
        input: ChangeStockFeedInput,
    ) -> Result<ChangeStockFeedPayload> {
        let command = Change {
            keeper: super::keeper(ctx)?,
            id: input.id,
            expected_version: input.expected_version.map(|version| version.0),
            name: input.name,
            enabled: input.enabled,
        };
        let env = ctx.data_unchecked::<Env>();
        let now = env.clock.now();
        Ok(match tx::run(&env.db, async |tx| feed::change(tx, now, command).await).await? {
            Ok(feed) => ChangeStockFeedPayload { feed: Some(feed.into()), user_errors: vec![] },
            Err(refusal) => ChangeStockFeedPayload { feed: None, user_errors: vec![refusal.into()] },
        })
    }
}
