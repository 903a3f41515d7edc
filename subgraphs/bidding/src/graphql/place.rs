//! Placing bids and asks.

mod input;
mod payload;

use async_graphql::{Context, Object, Result};
use chassis::auth::Viewer;
use chassis::{Denied, Env, Failure};
use contract::{Long, MarketId, OfferId, SellerId};
use entity::bidding::market as row;
use matching::{Side, Status};

use super::loaders::load;
use super::order::BookOrderStatus;
use crate::backing::{self, NotPlaced, PATIENCE, PIECES_MAX};
use crate::floor::Floor;
use crate::holding::{self, NoBid};
use crate::limits::{DAYS, KEY_LENGTH_MAX, METHOD_LENGTH_MAX, QUANTITY_MAX, is_line_of_text};
use crate::mirror::{wait_for_offer, wait_for_shop};
use crate::order::{Done, NewOrder, place};
use crate::rules::BidPolicy;
use crate::selling;
use crate::terms::{Terms, request_hash};
use crate::throttle::Throttle;
use input::{BuyNowInput, PlaceAskInput, PlaceBidInput, SellNowInput};
use payload::{
    PlaceOrderError, PlaceOrderErrorCode as Code, PlaceOrderPayload, cannot_sell, declined, error,
    is_suspended, nothing, payload,
};

/// What clients hear whose stock is still being asked for.
const NO_STOCK_YET: &str = "the stock has not answered yet: send the same once more";

/// What clients hear whose money is still being asked for.
const NO_HOLD_YET: &str = "the bank has not answered yet: send the same once more";

#[derive(Default)]
pub struct PlaceMutations;

#[Object]
impl PlaceMutations {
    /// Bids: matches asks at your price or less at once, at their prices, and leaves the rest in the book at yours. A match
    /// is binding. Where the marketplace holds money for bids (`bidPreview.isHeld`), what a piece may cost is held for each
    /// first, and the bid ends before its holds do, after some days.
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
        let (offer_id, request_hash) = (input.offer_id, request_hash(&input));
        let terms = Terms { offer_id, request_hash, ..Terms::default() };
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

    /// Buys at once for the price that you saw or less, or not at all: `PRICE_MOVED` tells the price now. Money is held first
    /// as for a bid, and what is not needed of it is let go.
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
        let (offer_id, request_hash) = (input.offer_id, request_hash(&input));
        let terms = Terms { offer_id, request_hash, ..Terms::default() };
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
        let env = ctx.data_unchecked::<Env>();
        let user = Viewer::required(ctx)?.user;
        if let Some(suspended) = selling::suspension(env.db.read(), env.clock.now(), user).await? {
            return Ok(nothing(is_suspended(suspended)));
        }
        let method = self.terms.payment_method.as_deref().unwrap_or_default();
        if !is_line_of_text(method, METHOD_LENGTH_MAX) {
            let message = format!("must be 1 to {METHOD_LENGTH_MAX} characters");
            return Ok(nothing(error(Code::PaymentMethodInvalid, "paymentMethod", message)));
        }
        self.send(ctx).await
    }

    async fn sell(mut self, ctx: &Context<'_>, named: Option<SellerId>) -> Result<PlaceOrderPayload> {
        let user = Viewer::required(ctx)?.user;
        let env = ctx.data_unchecked::<Env>();
        wait_for_shop(&env.db, user).await?;
        match selling::shop(env.db.read(), env.clock.now(), user, named).await? {
            Ok(shop) => self.terms.seller_id = Some(shop),
            Err(why) => return Ok(nothing(cannot_sell(why))),
        }
        self.send(ctx).await
    }

    async fn send(self, ctx: &Context<'_>) -> Result<PlaceOrderPayload> {
        let viewer = Viewer::required(ctx)?;
        check_key(&self.key)?;
        ctx.data_unchecked::<Throttle>().command(viewer.user)?;
        let (env, floor) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Floor>());
        let is_held_for = self.side == Side::Bid && floor.rules().bid_policy == BidPolicy::FullHold;
        if let Some(error) = self.wrong(is_held_for) {
            return Ok(nothing(error));
        }
        let Some(market) = load(ctx, self.market).await? else {
            return Ok(nothing(error(Code::MarketNotFound, "marketId", "there is no such market")));
        };
        let price_field = self.price_field;
        let new = NewOrder {
            user: viewer.user,
            operation: self.operation.into(),
            key: self.key,
            side: self.side,
            price_minor: self.price.0,
            quantity: self.quantity.unsigned_abs(),
            days: self.days.map(i64::from),
            rests_at_most: None,
            terms: self.terms,
        };
        let done = match new.terms.offer_id {
            None if is_held_for => match place_held(env, floor, &market, &new).await? {
                Err(NoBid::Declined { code, message }) => return Ok(nothing(declined(code, message))),
                Err(NoBid::NotPlaced(why)) => Err(why),
                Ok(done) => Ok(done),
            },
            None => place(env, floor, &market, new).await?.map_err(NotPlaced::Refused),
            Some(offer) if !can_back(env, &market, &new, offer).await? => {
                return Ok(nothing(error(
                    Code::OfferNotFound,
                    "offerId",
                    "there is no such offer of the shop",
                )));
            }
            Some(_) => match backing::place(env, floor, &market, &new, PATIENCE).await? {
                Some(done) => done,
                None => return Err(Denied::NotNow(NO_STOCK_YET).into()),
            },
        };
        payload(ctx, market, price_field, done).await
    }

    /// What the engine need not be asked for.
    fn wrong(&self, is_held_for: bool) -> Option<PlaceOrderError> {
        if !(1..=QUANTITY_MAX).contains(&self.quantity) {
            return Some(error(Code::QuantityOutOfRange, "quantity", format!("must be 1 to {QUANTITY_MAX}")));
        }
        if self.terms.offer_id.is_some() && i64::from(self.quantity) > PIECES_MAX {
            let message = format!("must be 1 to {PIECES_MAX} with an offer");
            return Some(error(Code::QuantityOutOfRange, "quantity", message));
        }
        if is_held_for && i64::from(self.quantity) > holding::PIECES_MAX {
            let message = format!("must be 1 to {}: money is held for each piece", holding::PIECES_MAX);
            return Some(error(Code::QuantityOutOfRange, "quantity", message));
        }
        let is_wrong = self.days.is_some_and(|days| !DAYS.contains(&days));
        is_wrong.then(|| error(Code::ExpiryInvalid, "expiresInDays", "must be 1, 3, 7, 14 or 30 days"))
    }
}

async fn place_held(
    env: &Env,
    floor: &Floor,
    market: &row::Model,
    new: &NewOrder,
) -> Result<std::result::Result<Done, NoBid>> {
    let placed = holding::place(env, floor, market, new, holding::PATIENCE).await?;
    placed.ok_or_else(|| Denied::NotNow(NO_HOLD_YET).into())
}

async fn can_back(
    env: &Env,
    market: &row::Model,
    new: &NewOrder,
    offer: OfferId,
) -> std::result::Result<bool, Failure> {
    wait_for_offer(&env.db, offer).await?;
    match new.terms.seller_id {
        Some(shop) => backing::can_back(env.db.read(), market, shop, offer).await,
        None => Ok(false),
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

/// How an order ended, as clients see it.
pub(super) fn shown(status: Status) -> BookOrderStatus {
    crate::order::status(status).into()
}
