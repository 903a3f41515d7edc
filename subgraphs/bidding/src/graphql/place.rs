//! Placing bids and asks.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::{Denied, Env};
use contract::{AddressId, Long, MarketId, Money, SellerId};
use entity::bidding::market as row;
use matching::{Reason, Refusal, Side, Status};
use serde::Serialize;

use super::loaders::load;
use super::market::Market;
use super::order::{BookOrder, BookOrderStatus};
use super::user_error::user_error;
use crate::floor::Floor;
use crate::limits::{DAYS, DAYS_DEFAULT, KEY_LENGTH_MAX, METHOD_LENGTH_MAX, QUANTITY_MAX, is_line_of_text};
use crate::mirror::wait_for_shop;
use crate::order::{Done, NewOrder, place};
use crate::selling::{self, CannotSell};
use crate::terms::{Terms, request_hash};
use crate::throttle::Throttle;

/// A bid: to buy at this price or less.
#[derive(InputObject, Serialize)]
pub struct PlaceBidInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    #[serde(skip)]
    idempotency_key: String,
    /// Where to bid.
    market_id: MarketId,
    /// What you pay for a piece at most, in minor units of the market's currency.
    #[serde(serialize_with = "number")]
    price_minor: Long,
    /// Pieces, 1 to 1,000.
    #[graphql(default = 1)]
    quantity: i32,
    /// When the bid dies: in 1, 3, 7, 14 or 30 days.
    #[graphql(default_with = "DAYS_DEFAULT")]
    expires_in_days: i32,
    /// What you pay with: a token of the payment provider, such as `pm_card_visa`. Never a card number. Nothing is taken
    /// before a match.
    payment_method: String,
    /// Where the goods go: an entry of your address book.
    address_id: AddressId,
}

/// An ask: to sell at this price or more.
#[derive(InputObject, Serialize)]
pub struct PlaceAskInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    #[serde(skip)]
    idempotency_key: String,
    /// Where to sell.
    market_id: MarketId,
    /// What you want for a piece at least, in minor units of the market's currency; the fees come out of it.
    #[serde(serialize_with = "number")]
    price_minor: Long,
    /// Pieces, 1 to 1,000.
    #[graphql(default = 1)]
    quantity: i32,
    /// When the ask dies: in 1, 3, 7, 14 or 30 days.
    #[graphql(default_with = "DAYS_DEFAULT")]
    expires_in_days: i32,
    /// The shop that sells. Without it, your only one.
    seller_id: Option<SellerId>,
}

/// To buy at once what is offered.
#[derive(InputObject, Serialize)]
pub struct BuyNowInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    #[serde(skip)]
    idempotency_key: String,
    /// Where to buy.
    market_id: MarketId,
    /// The lowest ask that you saw, in minor units of the market's currency: you pay no more for a piece.
    #[serde(serialize_with = "number")]
    max_price_minor: Long,
    /// Pieces, 1 to 1,000. What cannot be had at this price is not bought.
    #[graphql(default = 1)]
    quantity: i32,
    /// What you pay with: a token of the payment provider, such as `pm_card_visa`. Never a card number.
    payment_method: String,
    /// Where the goods go: an entry of your address book.
    address_id: AddressId,
}

/// To sell at once to who bids.
#[derive(InputObject, Serialize)]
pub struct SellNowInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    #[serde(skip)]
    idempotency_key: String,
    /// Where to sell.
    market_id: MarketId,
    /// The highest bid that you saw, in minor units of the market's currency: you get no less for a piece.
    #[serde(serialize_with = "number")]
    min_price_minor: Long,
    /// Pieces, 1 to 1,000. What cannot be sold at this price is not sold.
    #[graphql(default = 1)]
    quantity: i32,
    /// The shop that sells. Without it, your only one.
    seller_id: Option<SellerId>,
}

fn number<S: serde::Serializer>(long: &Long, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_i64(long.0)
}

/// What came of it.
#[derive(SimpleObject)]
pub struct PlaceOrderPayload {
    /// The order as it is right after; null when it was not taken in.
    order: Option<BookOrder>,
    /// What it was matched with at once. Empty in the answer to a repeat.
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
        /// Your selling is paused.
        SellingPaused,
        /// It met an order of your own: what was left of it is cancelled.
        SelfTrade,
        /// You have `max` orders in this market.
        TooManyInMarket,
        /// You have `max` orders.
        TooMany,
        /// The market takes no more orders for now.
        Full,
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
    }
}

use PlaceOrderErrorCode as Code;

#[derive(Default)]
pub struct PlaceMutations;

#[Object]
impl PlaceMutations {
    /// Bids: matches asks at your price or less at once, at their prices, and leaves the rest in the book at yours. A match
    /// is binding.
    async fn place_bid(&self, ctx: &Context<'_>, input: PlaceBidInput) -> Result<PlaceOrderPayload> {
        let terms = Terms {
            payment_method: Some(input.payment_method.clone()),
            address_id: Some(input.address_id),
            request_hash: request_hash(&input),
            ..Terms::default()
        };
        Asked {
            operation: "placeBid",
            key: input.idempotency_key,
            market: input.market_id,
            side: Side::Bid,
            price: input.price_minor,
            quantity: input.quantity,
            days: Some(input.expires_in_days),
            price_field: "priceMinor",
            terms,
        }
        .buy(ctx)
        .await
    }

    /// Asks: matches bids at your price or more at once, at their prices, and leaves the rest in the book at yours. A match
    /// is binding. For verified sellers.
    async fn place_ask(&self, ctx: &Context<'_>, input: PlaceAskInput) -> Result<PlaceOrderPayload> {
        let terms = Terms { request_hash: request_hash(&input), ..Terms::default() };
        Asked {
            operation: "placeAsk",
            key: input.idempotency_key,
            market: input.market_id,
            side: Side::Ask,
            price: input.price_minor,
            quantity: input.quantity,
            days: Some(input.expires_in_days),
            price_field: "priceMinor",
            terms,
        }
        .sell(ctx, input.seller_id)
        .await
    }

    /// Buys at once for the price that you saw or less, or not at all: `PRICE_MOVED` tells the price now.
    async fn buy_now(&self, ctx: &Context<'_>, input: BuyNowInput) -> Result<PlaceOrderPayload> {
        let terms = Terms {
            payment_method: Some(input.payment_method.clone()),
            address_id: Some(input.address_id),
            request_hash: request_hash(&input),
            ..Terms::default()
        };
        Asked {
            operation: "buyNow",
            key: input.idempotency_key,
            market: input.market_id,
            side: Side::Bid,
            price: input.max_price_minor,
            quantity: input.quantity,
            days: None,
            price_field: "maxPriceMinor",
            terms,
        }
        .buy(ctx)
        .await
    }

    /// Sells at once for the price that you saw or more, or not at all: `PRICE_MOVED` tells the price now. For verified
    /// sellers.
    async fn sell_now(&self, ctx: &Context<'_>, input: SellNowInput) -> Result<PlaceOrderPayload> {
        let terms = Terms { request_hash: request_hash(&input), ..Terms::default() };
        Asked {
            operation: "sellNow",
            key: input.idempotency_key,
            market: input.market_id,
            side: Side::Ask,
            price: input.min_price_minor,
            quantity: input.quantity,
            days: None,
            price_field: "minPriceMinor",
            terms,
        }
        .sell(ctx, input.seller_id)
        .await
    }
}

/// What the four mutations ask for.
struct Asked {
    operation: &'static str,
    key: String,
    market: MarketId,
    side: Side,
    price: Long,
    quantity: i32,
    days: Option<i32>,
    price_field: &'static str,
    terms: Terms,
}

impl Asked {
    async fn buy(self, ctx: &Context<'_>) -> Result<PlaceOrderPayload> {
        let method = self.terms.payment_method.as_deref().unwrap_or_default();
        if !is_line_of_text(method, METHOD_LENGTH_MAX) {
            let message = format!("must be 1 to {METHOD_LENGTH_MAX} characters");
            return Ok(nothing(error(Code::PaymentMethodInvalid, "paymentMethod", message)));
        }
        self.send(ctx).await
    }

    async fn sell(mut self, ctx: &Context<'_>, named: Option<SellerId>) -> Result<PlaceOrderPayload> {
        let user = Viewer::required(ctx)?.user;
        let db = &ctx.data_unchecked::<Env>().db;
        wait_for_shop(db, user).await?;
        match selling::shop(db.read(), user, named).await? {
            Ok(shop) => self.terms.seller_id = Some(shop),
            Err(why) => return Ok(nothing(cannot_sell(why))),
        }
        self.send(ctx).await
    }

    async fn send(self, ctx: &Context<'_>) -> Result<PlaceOrderPayload> {
        let viewer = Viewer::required(ctx)?;
        check_key(&self.key)?;
        ctx.data_unchecked::<Throttle>().command(viewer.user)?;
        if let Some(error) = self.wrong() {
            return Ok(nothing(error));
        }
        let Some(market) = load(ctx, self.market).await? else {
            return Ok(nothing(error(Code::MarketNotFound, "marketId", "there is no such market")));
        };
        let price_field = self.price_field;
        let new = NewOrder {
            user: viewer.user,
            operation: self.operation,
            key: self.key,
            side: self.side,
            price_minor: self.price.0,
            quantity: self.quantity.unsigned_abs(),
            days: self.days.map(i64::from),
            terms: self.terms,
        };
        let done = place(ctx.data_unchecked(), ctx.data_unchecked::<Floor>(), &market, new).await?;
        payload(ctx, market, price_field, done).await
    }

    /// What the engine need not be asked for.
    fn wrong(&self) -> Option<PlaceOrderError> {
        if !(1..=QUANTITY_MAX).contains(&self.quantity) {
            return Some(error(Code::QuantityOutOfRange, "quantity", format!("must be 1 to {QUANTITY_MAX}")));
        }
        let is_wrong = self.days.is_some_and(|days| !DAYS.contains(&days));
        is_wrong.then(|| error(Code::ExpiryInvalid, "expiresInDays", "must be 1, 3, 7, 14 or 30 days"))
    }
}

/// # Errors
/// `BAD_USER_INPUT`: the key is empty, too long or holds control characters.
pub(super) fn check_key(key: &str) -> std::result::Result<(), Denied> {
    match (1..=KEY_LENGTH_MAX).contains(&key.chars().count()) && !key.contains(char::is_control) {
        true => Ok(()),
        false => {
            Err(Denied::bad_input("idempotencyKey", "must have 1 to 255 characters, no control characters"))
        }
    }
}

fn error(code: Code, field: &str, message: impl std::fmt::Display) -> PlaceOrderError {
    PlaceOrderError::new(code, &["input", field], message)
}

fn nothing(error: PlaceOrderError) -> PlaceOrderPayload {
    PlaceOrderPayload { order: None, matches: vec![], user_errors: vec![error] }
}

fn cannot_sell(why: CannotSell) -> PlaceOrderError {
    let code = match why {
        CannotSell::NoShop => Code::ShopNotFound,
        CannotSell::NotVerified => Code::SellerNotVerified,
        CannotSell::Paused => Code::SellingPaused,
    };
    error(code, "sellerId", why)
}

async fn payload(
    ctx: &Context<'_>,
    market: row::Model,
    price_field: &str,
    done: std::result::Result<Done, Refusal>,
) -> Result<PlaceOrderPayload> {
    let done = match done {
        Ok(done) => done,
        Err(refusal) => {
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
        | Refusal::UnknownTrade
        | Refusal::AlreadyFailed => error(Code::Full, "marketId", "the market takes no more orders for now"),
    }
}

/// How an order ended, as clients see it.
pub(super) fn shown(status: Status) -> BookOrderStatus {
    crate::order::status(status).into()
}
