//! What came of an order that was placed, or why it was not.

use async_graphql::{Context, Result, SimpleObject};
use chassis::Denied;
use chrono::{DateTime, Utc};
use contract::{Long, Money};
use entity::bidding::market as row;
use matching::{Reason, Refusal};

use crate::backing::NotPlaced;
use crate::graphql::market::Market;
use crate::graphql::order::BookOrder;
use crate::graphql::user_error::user_error;
use crate::order::Done;
use crate::selling::{CannotSell, Suspended};

/// What came of it.
#[derive(SimpleObject)]
pub struct PlaceOrderPayload {
    /// The order as it is right after; null when it was not taken in.
    order: Option<BookOrder>,
    /// What it was matched with at once. With an offer, the answer to a repeat may leave it out.
    matches: Vec<BookMatch>,
    /// What is wrong; empty when it was done. With an order: why the rest of it was cancelled.
    user_errors: Vec<PlaceOrderError>,
}

/// Pieces that were matched at one price.
#[derive(SimpleObject)]
pub struct BookMatch {
    /// The price of a piece.
    price: Money,
    /// How many pieces.
    quantity: Long,
}

user_error! {
    /// Why an order was not taken in, or not as a whole.
    PlaceOrderError (PlaceOrderErrorCode) {
        /// There is no such market.
        MarketNotFound,
        /// The price is no multiple of `tick`.
        PriceOffTick,
        /// The price is not `priceMin` to `priceMax`.
        PriceOutOfRange,
        /// Nothing can be had at this price any more: see `lowestAsk` and `highestBid`.
        PriceMoved,
        /// The quantity is not 1 to 1,000.
        QuantityOutOfRange,
        /// The order does not live for 1, 3, 7, 14 or 30 days.
        ExpiryInvalid,
        /// Price times quantity is beyond what can be counted.
        TooLarge,
        /// The payment method is not 1 to 255 characters.
        PaymentMethodInvalid,
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
        /// It met an order of your own: what was left of it is cancelled.
        SelfTrade,
        /// You have `max` orders in this market.
        TooManyInMarket,
        /// You have `max` orders.
        TooMany,
        /// The market takes no more orders for now.
        Full,
        /// The shop has no such offer of what the market trades in.
        OfferNotFound,
        /// There are only `available` pieces of the offer.
        OutOfStock,
        /// Money could not be held for each piece, and none is held: `declineCode` says why.
        PaymentDeclined,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// For so much somebody sells now.
        lowest_ask: Money,
        /// For so much somebody buys now.
        highest_bid: Money,
        /// Every price is a multiple of this.
        tick: Money,
        /// The lowest price.
        price_min: Money,
        /// The highest price.
        price_max: Money,
        /// The most that you can have.
        max: Long,
        /// Pieces of the offer that there are.
        available: Long,
        /// The bank's or the provider's word: `card_declined`, `insufficient_funds`, `authentication_required`.
        decline_code: String,
        /// When you can take part again.
        suspended_until: DateTime<Utc>,
    }
}

use PlaceOrderErrorCode as Code;

/// What clients hear when nobody came back for their order in time.
const LATE: &str = "no answer came in time and nothing was placed: try again with another key";

pub(super) fn error(code: Code, field: &str, message: impl std::fmt::Display) -> PlaceOrderError {
    PlaceOrderError::new(code, &["input", field], message)
}

pub(super) fn nothing(error: PlaceOrderError) -> PlaceOrderPayload {
    PlaceOrderPayload { order: None, matches: vec![], user_errors: vec![error] }
}

pub(super) fn cannot_sell(why: CannotSell) -> PlaceOrderError {
    let code = match why {
        CannotSell::NoShop => Code::ShopNotFound,
        CannotSell::NotVerified => Code::SellerNotVerified,
        CannotSell::NoPayoutAccount => Code::PayoutAccountNeeded,
        CannotSell::Paused => Code::SellingPaused,
        CannotSell::Suspended(suspended) => return is_suspended(suspended),
    };
    error(code, "sellerId", why)
}

fn out_of_stock(available: i64) -> PlaceOrderError {
    let told = error(Code::OutOfStock, "offerId", format!("there are {available} pieces"));
    PlaceOrderError { available: Some(Long(available)), ..told }
}

pub(super) fn declined(code: String, message: String) -> PlaceOrderError {
    PlaceOrderError { decline_code: Some(code), ..error(Code::PaymentDeclined, "paymentMethod", message) }
}

pub(super) fn is_suspended(why: Suspended) -> PlaceOrderError {
    PlaceOrderError { suspended_until: Some(why.until), ..error(Code::Suspended, "marketId", why) }
}

pub(super) async fn payload(
    ctx: &Context<'_>,
    market: row::Model,
    price_field: &str,
    done: std::result::Result<Done, NotPlaced>,
) -> Result<PlaceOrderPayload> {
    let done = match done {
        Ok(done) => done,
        Err(NotPlaced::OutOfStock { available }) => return Ok(nothing(out_of_stock(available))),
        Err(NotPlaced::Late) => return Err(Denied::NotNow(LATE).into()),
        Err(NotPlaced::Refused(refusal)) => {
            let told = refused(&market, price_field, refusal);
            return Ok(nothing(with_prices(ctx, market, told).await?));
        }
    };
    let matched = |(price, quantity): (i64, u32)| BookMatch {
        price: market.money(price),
        quantity: Long(quantity.into()),
    };
    let matches = done.matches.into_iter().map(matched).collect();
    let user_errors = match done.reason {
        Some(Reason::SelfTrade) => {
            let told = error(Code::SelfTrade, price_field, "it met an order of your own");
            vec![with_prices(ctx, market, told).await?]
        }
        _ => vec![],
    };
    Ok(PlaceOrderPayload { order: Some(BookOrder(done.order)), matches, user_errors })
}

/// Every refusal tells the prices of now.
async fn with_prices(
    ctx: &Context<'_>,
    market: row::Model,
    told: PlaceOrderError,
) -> Result<PlaceOrderError> {
    let quote = Market(market).quote(ctx).await?;
    Ok(PlaceOrderError { lowest_ask: quote.lowest_ask, highest_bid: quote.highest_bid, ..told })
}

/// The engine's word in those of the API.
fn refused(market: &row::Model, price_field: &str, refusal: Refusal) -> PlaceOrderError {
    let money = |minor: i64| Some(market.money(minor));
    match refusal {
        Refusal::PriceOffTick { tick } => PlaceOrderError {
            tick: money(tick),
            ..error(Code::PriceOffTick, price_field, format!("must be a multiple of {tick} minor units"))
        },
        Refusal::PriceOutOfRange { price_min, price_max } => PlaceOrderError {
            price_min: money(price_min),
            price_max: money(price_max),
            ..error(
                Code::PriceOutOfRange,
                price_field,
                format!("must be {price_min} to {price_max} minor units"),
            )
        },
        Refusal::PriceMoved { .. } => {
            error(Code::PriceMoved, price_field, "nothing can be had at this price any more")
        }
        Refusal::TooManyInMarket { max } => PlaceOrderError {
            max: Some(Long(max.into())),
            ..error(Code::TooManyInMarket, "marketId", format!("you have {max} orders in this market"))
        },
        Refusal::TooMany { max } => PlaceOrderError {
            max: Some(Long(max.into())),
            ..error(Code::TooMany, "marketId", format!("you have {max} orders"))
        },
        Refusal::QuantityZero => error(Code::QuantityOutOfRange, "quantity", "must be at least 1"),
        Refusal::TooLarge => error(Code::TooLarge, price_field, "price times quantity is too large"),
        Refusal::ExpiryOutOfRange { .. } => error(Code::ExpiryInvalid, "expiresInDays", "is too long"),
        Refusal::SellingPaused => error(Code::SellingPaused, "sellerId", "your selling is paused"),
        Refusal::UnknownMarket | Refusal::BadRules | Refusal::BadLimits => {
            error(Code::MarketNotFound, "marketId", "there is no such market")
        }
        Refusal::IdempotencyConflict => {
            error(Code::IdempotencyConflict, "idempotencyKey", "the key was used with another request")
        }
        Refusal::Full
        | Refusal::NotActive { .. }
        | Refusal::NotAboveFilled { .. }
        | Refusal::NotLess
        | Refusal::UnknownTrade
        | Refusal::AlreadyFailed => error(Code::Full, "marketId", "the market takes no more orders for now"),
    }
}
