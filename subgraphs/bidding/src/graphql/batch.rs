//! Listing many asks at once.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::idempotency::{Request, once_with};
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{AskBatchId, BookOrderId, Long, MarketId, Money, OfferId, SellerId};
use entity::bidding::{ask_batch as row, ask_batch_item as item};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::loaders::load;
use super::market::Market;
use super::user_error::user_error;
use crate::batch::{Ask, ListAsks, ListRefusal, take_in};
use crate::limits::DAYS_DEFAULT;
use crate::mirror::wait_for_shop;
use crate::number::order_id;
use crate::selling::CannotSell;

/// Asks to be placed.
#[derive(InputObject)]
pub struct ListAsksInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    idempotency_key: String,
    /// The shop that sells. Without it, your only one.
    seller_id: Option<SellerId>,
    /// The asks, 1 to 1,000. What is wrong with one of them keeps none of the others back.
    asks: Vec<ListedAskInput>,
}

/// One ask of many.
#[derive(InputObject)]
pub struct ListedAskInput {
    /// Where to sell.
    market_id: MarketId,
    /// What you want for a piece at least, in minor units of the market's currency.
    price_minor: Long,
    /// Pieces, 1 to 1,000.
    #[graphql(default = 1)]
    quantity: i32,
    /// When the ask dies: in 1, 3, 7, 14 or 30 days.
    #[graphql(default_with = "DAYS_DEFAULT")]
    expires_in_days: i32,
    /// The shop's offer whose stock backs the ask, as in `placeAsk`.
    offer_id: Option<OfferId>,
}

impl From<ListedAskInput> for Ask {
    fn from(input: ListedAskInput) -> Self {
        Self {
            market_id: input.market_id,
            price_minor: input.price_minor.0,
            quantity: input.quantity.into(),
            days: input.expires_in_days.into(),
            offer_id: input.offer_id,
        }
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ListAsksPayload {
    /// The batch, whose asks are placed one after the other; null when something is wrong.
    batch: Option<AskBatch>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ListAsksError>,
}

user_error! {
    /// Why a batch was not taken in.
    ListAsksError (ListAsksErrorCode) {
        /// There are no asks, or more than 1,000.
        AsksOutOfRange,
        /// You have no shop, or more than one and named none.
        ShopNotFound,
        /// The shop is not verified.
        SellerNotVerified,
        /// The shop has not said where it is paid: `setUpPayouts`.
        PayoutAccountNeeded,
        /// Your selling is paused.
        SellingPaused,
        /// You did not keep to matches too often, and take part again from `suspendedUntil` on.
        Suspended,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// When you can take part again.
        suspended_until: DateTime<Utc>,
    }
}

/// Where an ask of a batch stands. `WAITING` becomes one of the others, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "item::Status")]
pub enum AskBatchItemStatus {
    /// It is still to be placed.
    Waiting,
    /// It is an order.
    Placed,
    /// It was refused.
    Refused,
}

/// Why an ask of a batch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "item::Refusal")]
pub enum AskBatchItemErrorCode {
    /// There is no such market.
    MarketNotFound,
    /// The price is no multiple of the market's tick.
    PriceOffTick,
    /// The price is outside of the market's range.
    PriceOutOfRange,
    /// The quantity is not 1 to 1,000.
    QuantityOutOfRange,
    /// The ask does not live for 1, 3, 7, 14 or 30 days.
    ExpiryInvalid,
    /// Price times quantity is beyond what can be counted.
    TooLarge,
    /// You have too many orders in the market.
    TooManyInMarket,
    /// You have too many orders.
    TooMany,
    /// Your selling is paused.
    SellingPaused,
    /// The shop has no such offer of what the market trades in.
    OfferNotFound,
    /// There are not so many pieces of the offer.
    OutOfStock,
    /// The market takes no more orders for now.
    Full,
}

/// Asks that were sent at once.
pub struct AskBatch(row::Model);

#[Object]
impl AskBatch {
    /// Its id.
    async fn id(&self) -> AskBatchId {
        self.0.id
    }

    /// Asks in it.
    async fn total(&self) -> Long {
        Long(self.0.total)
    }

    /// Asks that are still to be placed. 0: it is done.
    async fn waiting(&self, ctx: &Context<'_>) -> Result<Long> {
        let waiting = item::Entity::find()
            .filter(item::Column::BatchId.eq(self.0.id))
            .filter(item::Column::Status.eq(item::Status::Waiting));
        let count = waiting.count(ctx.data_unchecked::<Env>().db.read()).await.map_err(Failure::from)?;
        Ok(Long(count as i64))
    }

    /// Its asks, in the order in which they were sent.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<i64>, AskBatchItem>> {
        let page = Page::read(first, after.as_deref())?;
        let rows = item::Entity::find()
            .filter(item::Column::BatchId.eq(self.0.id))
            .filter(item::Column::Position.gt(page.after.unwrap_or(-1)))
            .order_by_asc(item::Column::Position)
            .limit(page.rows())
            .all(ctx.data_unchecked::<Env>().db.read())
            .await
            .map_err(Failure::from)?;
        Ok(page.connection(rows, |row| row.position, AskBatchItem))
    }

    /// When it was sent.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// One ask of a batch.
pub struct AskBatchItem(item::Model);

#[Object]
impl AskBatchItem {
    /// Where it stood in the input, from 0.
    async fn position(&self) -> Long {
        Long(self.0.position)
    }

    /// Where it sells.
    async fn market(&self, ctx: &Context<'_>) -> Result<Option<Market>> {
        Ok(load(ctx, self.0.market_id).await?.map(Market))
    }

    /// What it wants for a piece. Null when there is no such market.
    async fn price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        Ok(load(ctx, self.0.market_id).await?.map(|market| market.money(self.0.price_minor)))
    }

    /// Where it stands.
    async fn status(&self) -> AskBatchItemStatus {
        self.0.status.into()
    }

    /// Why it was refused. Null: it was not.
    async fn error(&self) -> Option<AskBatchItemErrorCode> {
        self.0.refusal.map(AskBatchItemErrorCode::from)
    }

    /// The ask that it became, as in `myAsks`. Null: it is none, or not yet.
    async fn order_id(&self) -> Option<BookOrderId> {
        Some(order_id(self.0.partition?, self.0.number?))
    }
}

#[derive(Default)]
pub struct BatchQueries;

#[Object]
impl BatchQueries {
    /// A batch of asks that you sent. Null when there is no such one.
    async fn ask_batch(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The batch.")] id: AskBatchId,
    ) -> Result<Option<AskBatch>> {
        let viewer = Viewer::required(ctx)?;
        let own = row::Entity::find_by_id(id).filter(row::Column::UserId.eq(viewer.user));
        let found = own.one(ctx.data_unchecked::<Env>().db.read()).await.map_err(Failure::from)?;
        Ok(found.map(AskBatch))
    }
}

#[derive(Default)]
pub struct BatchMutations;

#[Object]
impl BatchMutations {
    /// Places many asks. They are taken in at once and placed within moments; follow them with `askBatch`. For verified
    /// sellers.
    async fn list_asks(&self, ctx: &Context<'_>, input: ListAsksInput) -> Result<ListAsksPayload> {
        let user = Viewer::required(ctx)?.user;
        let env = ctx.data_unchecked::<Env>();
        let asks: Vec<Ask> = input.asks.into_iter().map(Ask::from).collect();
        let request = Request::new("listAsks", user, &input.idempotency_key, &(input.seller_id, &asks))?;
        wait_for_shop(&env.db, user).await?;
        let (id, now) = (AskBatchId::new(), env.clock.now());
        let command = ListAsks { id, user, seller: input.seller_id, asks };
        let taken =
            tx::run(&env.db, async |tx| once_with(tx, now, request, id, || take_in(tx, now, command)).await);
        match taken.await? {
            Ok(id) => {
                let found = row::Entity::find_by_id(id).one(env.db.read()).await.map_err(Failure::from)?;
                Ok(ListAsksPayload { batch: found.map(AskBatch), user_errors: vec![] })
            }
            Err(refusal) => Ok(ListAsksPayload { batch: None, user_errors: vec![refused(refusal)] }),
        }
    }
}

fn refused(refusal: ListRefusal) -> ListAsksError {
    use ListAsksErrorCode as Code;
    let (code, field) = match refusal {
        ListRefusal::AsksOutOfRange => (Code::AsksOutOfRange, "asks"),
        ListRefusal::CannotSell(CannotSell::NoShop) => (Code::ShopNotFound, "sellerId"),
        ListRefusal::CannotSell(CannotSell::NotVerified) => (Code::SellerNotVerified, "sellerId"),
        ListRefusal::CannotSell(CannotSell::NoPayoutAccount) => (Code::PayoutAccountNeeded, "sellerId"),
        ListRefusal::CannotSell(CannotSell::Paused) => (Code::SellingPaused, "sellerId"),
        ListRefusal::CannotSell(CannotSell::Suspended(_)) => (Code::Suspended, "sellerId"),
        ListRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
    };
    let suspended_until = match refusal {
        ListRefusal::CannotSell(CannotSell::Suspended(suspended)) => Some(suspended.until),
        _ => None,
    };
    ListAsksError { suspended_until, ..ListAsksError::new(code, &["input", field], refusal) }
}
