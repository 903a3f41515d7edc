//! Amending and cancelling bids and asks.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::{Env, Failure};
use chrono::{DateTime, Utc};
use contract::{BookOrderId, Long, Money};
use entity::bidding::{market as market_row, order as row};
use matching::{Reason, Refusal};
use sea_orm::EntityTrait;

use super::market::Market;
use super::order::{BookOrder, BookOrderStatus};
use super::place::{check_key, shown};
use super::user_error::user_error;
use crate::floor::Floor;
use crate::limits::QUANTITY_MAX;
use crate::number::order_of;
use crate::order::{AmendOrder, Done, amend, cancel};
use crate::selling::suspension;
use crate::throttle::Throttle;

/// What to change about a bid or an ask of yours. Null leaves a field as it is.
#[derive(InputObject)]
pub struct AmendBookOrderInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    idempotency_key: String,
    /// The bid or the ask.
    id: BookOrderId,
    /// The new price, in minor units. It loses the place in the queue, and is matched at once if it crosses.
    price_minor: Option<Long>,
    /// The new total of pieces, 1 to 1,000, what is matched already included. More than before loses the place in the queue.
    quantity: Option<i32>,
    /// When it dies, at most 30 days from now.
    expires_at: Option<DateTime<Utc>>,
}

/// Which bid or ask of yours to take back.
#[derive(InputObject)]
pub struct CancelBookOrderInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    idempotency_key: String,
    /// The bid or the ask.
    id: BookOrderId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct AmendBookOrderPayload {
    /// The order as it is now; null when something is wrong, and then it is as it was.
    order: Option<BookOrder>,
    /// What is wrong; empty when it was done. With an order: why the rest of it was cancelled.
    user_errors: Vec<AmendBookOrderError>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CancelBookOrderPayload {
    /// The order as it is now; null when something is wrong, and then it is as it was.
    order: Option<BookOrder>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<CancelBookOrderError>,
}

user_error! {
    /// Why an order was not changed.
    AmendBookOrderError (AmendBookOrderErrorCode) {
        /// You have no such order in the book; `status` tells how it ended, as long as that is remembered.
        NotActive,
        /// The price is no multiple of the market's tick.
        PriceOffTick,
        /// The price is outside of the market's range.
        PriceOutOfRange,
        /// The quantity is not 1 to 1,000.
        QuantityOutOfRange,
        /// So many pieces are matched already: `filled`.
        NotAboveFilled,
        /// The time is not after now, or more than 30 days away.
        ExpiryInvalid,
        /// Price times quantity is beyond what can be counted.
        TooLarge,
        /// It met an order of your own: what was left of it is cancelled.
        SelfTrade,
        /// A piece of stock is reserved for each piece: the ask can become smaller and end sooner, not more and later.
        BackedByStock,
        /// Money is held for each piece: the bid can become smaller, cheaper and end sooner, not more, dearer and later.
        BackedByHold,
        /// You did not keep to matches too often: until `suspendedUntil` orders can only be taken back.
        Suspended,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// When you can take part again.
        suspended_until: DateTime<Utc>,
        /// How the order ended.
        status: BookOrderStatus,
        /// Pieces that are matched.
        filled: Long,
        /// For so much somebody sells now.
        lowest_ask: Money,
        /// For so much somebody buys now.
        highest_bid: Money,
    }
}

user_error! {
    /// Why an order was not taken back.
    CancelBookOrderError (CancelBookOrderErrorCode) {
        /// You have no such order in the book; `status` tells how it ended, as long as that is remembered.
        NotActive,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// How the order ended.
        status: BookOrderStatus,
    }
}

use AmendBookOrderErrorCode as Code;

#[derive(Default)]
pub struct ChangeMutations;

#[Object]
impl ChangeMutations {
    /// Changes a bid or an ask of yours. A lower quantity and another time keep its place in the queue.
    async fn amend_book_order(
        &self,
        ctx: &Context<'_>,
        input: AmendBookOrderInput,
    ) -> Result<AmendBookOrderPayload> {
        let viewer = Viewer::required(ctx)?;
        check_key(&input.idempotency_key)?;
        ctx.data_unchecked::<Throttle>().command(viewer.user)?;
        if input.quantity.is_some_and(|quantity| !(1..=QUANTITY_MAX).contains(&quantity)) {
            let message = format!("must be 1 to {QUANTITY_MAX}");
            let error = AmendBookOrderError::new(Code::QuantityOutOfRange, &["input", "quantity"], message);
            return Ok(AmendBookOrderPayload { order: None, user_errors: vec![error] });
        }
        let (user, id) = (viewer.user, input.id);
        let env = ctx.data_unchecked::<Env>();
        if let Some(why) = suspension(env.db.read(), env.clock.now(), user).await? {
            let error = AmendBookOrderError::new(Code::Suspended, &["input", "id"], why);
            let error = AmendBookOrderError { suspended_until: Some(why.until), ..error };
            return Ok(AmendBookOrderPayload { order: None, user_errors: vec![error] });
        }
        let command = AmendOrder {
            user,
            key: input.idempotency_key,
            id,
            price_minor: input.price_minor.map(|price| price.0),
            quantity: input.quantity.map(i32::unsigned_abs),
            expires_at: input.expires_at,
        };
        let done = amend(ctx.data_unchecked(), ctx.data_unchecked::<Floor>(), command).await?;
        let error = match &done {
            Ok(Done { reason: Some(Reason::SelfTrade), .. }) => {
                let message = "it met an order of your own";
                Some(AmendBookOrderError::new(Code::SelfTrade, &["input", "priceMinor"], message))
            }
            Ok(_) => None,
            Err(Refusal::NotLess) => Some(not_less(env, id).await?),
            Err(refusal) => Some(not_amended(*refusal)),
        };
        let user_errors = match error {
            Some(error) => vec![with_prices(ctx, user, id, error).await?],
            None => vec![],
        };
        Ok(AmendBookOrderPayload { order: done.ok().map(|done| BookOrder(done.order)), user_errors })
    }

    /// Takes a bid or an ask of yours out of the book. What is matched stays matched.
    async fn cancel_book_order(
        &self,
        ctx: &Context<'_>,
        input: CancelBookOrderInput,
    ) -> Result<CancelBookOrderPayload> {
        let viewer = Viewer::required(ctx)?;
        check_key(&input.idempotency_key)?;
        ctx.data_unchecked::<Throttle>().command(viewer.user)?;
        let floor = ctx.data_unchecked::<Floor>();
        let done = cancel(ctx.data_unchecked(), floor, viewer.user, &input.idempotency_key, input.id).await?;
        Ok(match done {
            Ok(done) => CancelBookOrderPayload { order: Some(BookOrder(done.order)), user_errors: vec![] },
            Err(refusal) => CancelBookOrderPayload { order: None, user_errors: vec![not_cancelled(refusal)] },
        })
    }
}

/// Why an order cannot become more: what is kept for it is not enough.
async fn not_less(env: &Env, id: BookOrderId) -> std::result::Result<AmendBookOrderError, Failure> {
    let key = order_of(id).map(|(partition, number)| (partition as i32, number.0 as i64));
    let order = match key {
        Some(key) => row::Entity::find_by_id(key).one(env.db.read()).await?,
        None => None,
    };
    let (code, message) = match order.is_some_and(|order| order.holding_id.is_some()) {
        true => {
            let message = "money is held for so many pieces, so much and so long: place another bid";
            (Code::BackedByHold, message)
        }
        false => {
            let message = "stock is reserved for so many pieces and so long: place another ask";
            (Code::BackedByStock, message)
        }
    };
    Ok(AmendBookOrderError::new(code, &["input", "id"], message))
}

fn not_amended(refusal: Refusal) -> AmendBookOrderError {
    let at = |code, field: &str, message: &str| AmendBookOrderError::new(code, &["input", field], message);
    match refusal {
        Refusal::NotActive { status } => AmendBookOrderError {
            status: status.map(shown),
            ..at(Code::NotActive, "id", "you have no such order in the book")
        },
        Refusal::PriceOffTick { .. } => at(Code::PriceOffTick, "priceMinor", "is no multiple of the tick"),
        Refusal::PriceOutOfRange { .. } => at(Code::PriceOutOfRange, "priceMinor", "is out of range"),
        Refusal::NotAboveFilled { filled } => AmendBookOrderError {
            filled: Some(Long(filled.into())),
            ..at(Code::NotAboveFilled, "quantity", "so many pieces are matched already")
        },
        Refusal::ExpiryOutOfRange { .. } => {
            at(Code::ExpiryInvalid, "expiresAt", "must be after now, at most 30 days away")
        }
        Refusal::QuantityZero => at(Code::QuantityOutOfRange, "quantity", "must be at least 1"),
        Refusal::IdempotencyConflict => {
            at(Code::IdempotencyConflict, "idempotencyKey", "the key was used with another request")
        }
        _ => at(Code::TooLarge, "quantity", "price times quantity is too large"),
    }
}

fn not_cancelled(refusal: Refusal) -> CancelBookOrderError {
    match refusal {
        Refusal::IdempotencyConflict => CancelBookOrderError::new(
            CancelBookOrderErrorCode::IdempotencyConflict,
            &["input", "idempotencyKey"],
            "the key was used with another request",
        ),
        refusal => {
            let status = match refusal {
                Refusal::NotActive { status } => status.map(shown),
                _ => None,
            };
            let (code, message) = (CancelBookOrderErrorCode::NotActive, "you have no such order in the book");
            CancelBookOrderError { status, ..CancelBookOrderError::new(code, &["input", "id"], message) }
        }
    }
}

/// Tells the prices of now, where the order is the viewer's.
async fn with_prices(
    ctx: &Context<'_>,
    user: contract::UserId,
    id: BookOrderId,
    error: AmendBookOrderError,
) -> Result<AmendBookOrderError> {
    let db = ctx.data_unchecked::<Env>().db.read();
    let Some((partition, number)) = order_of(id) else { return Ok(error) };
    let order =
        row::Entity::find_by_id((partition as i32, number.0 as i64)).one(db).await.map_err(Failure::from)?;
    let Some(order) = order.filter(|order| order.account == user.0) else { return Ok(error) };
    let market = market_row::Entity::find_by_id(contract::MarketId(order.market)).one(db).await;
    let Some(market) = market.map_err(Failure::from)? else { return Ok(error) };
    let quote = Market(market).quote(ctx).await?;
    Ok(AmendBookOrderError { lowest_ask: quote.lowest_ask, highest_bid: quote.highest_bid, ..error })
}
