//! Carts, as shoppers see them.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::graph::shared;
use chassis::{Env, tx};
use chrono::{DateTime, Utc};
use contract::{CartId, CurrencyCode, Long, Money, OfferId, OrderId};
use entity::orders::cart::State;
use entity::orders::cart_line;

use super::loaders::load;
use super::stubs::{Offer, Seller, Variant};
use super::user_error::user_error;
use crate::cart::{self, Carts, CodeRefusal, MergeRefusal, Set, SetRefusal, Wanted};
use crate::limits::{LINES_MAX, MIRROR_WAIT};
use crate::{mirror, promotion, secrets};

/// What somebody means to buy. A cart keeps nothing in stock: checking out does.
pub struct Cart(cart::Cart);

#[Object]
impl Cart {
    /// The cart's id.
    async fn id(&self) -> CartId {
        self.0.row.id
    }

    /// What is in it, in the order in which it was put in.
    async fn lines(&self) -> Vec<CartLine> {
        self.0.lines.iter().cloned().map(CartLine).collect()
    }

    /// The promotion's code on it.
    async fn promotion_code(&self) -> Option<&str> {
        self.0.row.promotion_code.as_deref()
    }

    /// The order that is being made of it. Until that is paid or comes to nothing, the cart cannot be changed.
    async fn checking_out(&self) -> Option<OrderId> {
        self.0.row.order_id.filter(|_| self.0.row.state == State::CheckingOut)
    }

    /// Counts up with every change.
    async fn version(&self) -> Long {
        Long(self.0.row.version)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.row.updated_at
    }
}

/// So many pieces of one offer.
pub struct CartLine(cart_line::Model);

#[Object]
impl CartLine {
    /// The offer.
    async fn offer(&self) -> Offer {
        Offer { id: self.0.offer_id }
    }

    /// What it sells. Null when the offer has gone.
    async fn variant(&self, ctx: &Context<'_>) -> Result<Option<Variant>> {
        Ok(load(ctx, self.0.offer_id).await?.map(|goods| Variant { id: goods.variant_id }))
    }

    /// Who sells it. Null when the offer has gone.
    async fn seller(&self, ctx: &Context<'_>) -> Result<Option<Seller>> {
        Ok(load(ctx, self.0.offer_id).await?.map(|goods| Seller { id: goods.seller_id }))
    }

    /// How many pieces.
    async fn quantity(&self) -> Long {
        Long(self.0.quantity)
    }

    /// The price of a piece when it was put in.
    async fn price_when_added(&self) -> Result<Money> {
        cart::added_price(&self.0).map_err(failed)
    }

    /// The price of a piece now. Null when it is not for sale any more.
    async fn price_now(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        Ok(load(ctx, self.0.offer_id).await?.filter(|goods| goods.for_sale).map(|goods| goods.price))
    }

    /// Pieces that could be bought, as this service last heard. 0 when it is not for sale any more.
    async fn available(&self, ctx: &Context<'_>) -> Result<Long> {
        let goods = load(ctx, self.0.offer_id).await?.filter(|goods| goods.for_sale);
        Ok(Long(goods.map_or(0, |goods| goods.available)))
    }

    /// When it was put in.
    async fn added_at(&self) -> DateTime<Utc> {
        self.0.added_at
    }
}

fn failed(failure: chassis::Failure) -> async_graphql::Error {
    failure.into()
}

/// What a cart is to hold.
#[derive(InputObject)]
pub struct SetCartLinesInput {
    /// A guest's cart. Without it, the viewer's own; for a guest, a new one.
    cart_token: Option<String>,
    /// Offers and how many pieces the cart is to hold of each: 1 to 50. What is not named stays as it is.
    lines: Vec<CartLineInput>,
}

/// So many pieces of an offer.
#[derive(InputObject)]
pub struct CartLineInput {
    /// The offer.
    offer_id: OfferId,
    /// Pieces in the cart from now on, 1 to 1,000; 0 takes it out.
    quantity: Long,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetCartLinesPayload {
    /// The cart afterwards; null when something is wrong.
    cart: Option<Cart>,
    /// By which a guest finds the new cart again. Given once: keep it, and show it to nobody.
    cart_token: Option<String>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetCartLinesError>,
}

user_error! {
    /// Why a cart was not changed.
    SetCartLinesError (SetCartLinesErrorCode) {
        /// There is no such cart.
        CartNotFound,
        /// An order is being made of the cart.
        CheckingOut,
        /// There are no lines, or more than 50 in the cart.
        LinesOutOfRange,
        /// A quantity is not 0 to 1,000.
        QuantityOutOfRange,
        /// There is no such offer for sale.
        OfferNotFound,
        /// A cart has one currency; one error for each of its lines.
        MixedCurrencies,
    }
    facts {
        /// The order that is being made of the cart.
        order_id: OrderId,
        /// The line that the error is about.
        offer_id: OfferId,
        /// That line's currency.
        currency: CurrencyCode,
    }
}

fn set_errors(refusal: SetRefusal) -> Vec<SetCartLinesError> {
    use SetCartLinesErrorCode as Code;
    let at = |code, field: &[&str]| SetCartLinesError::new(code, field, &refusal);
    let at_line = |code, line: usize, field| at(code, &["input", "lines", &line.to_string(), field]);
    match &refusal {
        SetRefusal::NotFound => vec![at(Code::CartNotFound, &["input", "cartToken"])],
        SetRefusal::CheckingOut { order_id } => {
            vec![SetCartLinesError { order_id: *order_id, ..at(Code::CheckingOut, &["input"]) }]
        }
        SetRefusal::QuantityOutOfRange { line } => vec![at_line(Code::QuantityOutOfRange, *line, "quantity")],
        SetRefusal::OfferNotFound { line } => vec![at_line(Code::OfferNotFound, *line, "offerId")],
        SetRefusal::TooManyLines => vec![at(Code::LinesOutOfRange, &["input", "lines"])],
        SetRefusal::MixedCurrencies { offers } => offers
            .iter()
            .map(|(offer, currency)| SetCartLinesError {
                offer_id: Some(*offer),
                currency: Some(*currency),
                ..at(Code::MixedCurrencies, &["input", "lines"])
            })
            .collect(),
    }
}

/// A promotion's code for a cart.
#[derive(InputObject)]
pub struct SetCartPromotionInput {
    /// A guest's cart. Without it, the viewer's own.
    cart_token: Option<String>,
    /// The code, in any case; null takes it off.
    code: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetCartPromotionPayload {
    /// The cart afterwards; null when something is wrong.
    cart: Option<Cart>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetCartPromotionError>,
}

user_error! {
    /// Why a code was not taken.
    SetCartPromotionError (SetCartPromotionErrorCode) {
        /// There is no such cart.
        CartNotFound,
        /// An order is being made of the cart.
        CheckingOut,
        /// There is no such promotion, or it has not begun, is over or used up.
        CodeUnknown,
    }
}

/// Which guest's cart becomes part of the viewer's.
#[derive(InputObject)]
pub struct MergeCartInput {
    /// The guest's cart. It is gone afterwards.
    cart_token: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct MergeCartPayload {
    /// The viewer's cart afterwards; null when something is wrong, and then both carts are as they were.
    cart: Option<Cart>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<MergeCartError>,
}

user_error! {
    /// Why carts were not merged.
    MergeCartError (MergeCartErrorCode) {
        /// There is no such guest's cart.
        CartNotFound,
        /// An order is being made of one of the carts.
        CheckingOut,
        /// Together they have more than 50 lines.
        LinesOutOfRange,
        /// A cart has one currency.
        MixedCurrencies,
    }
}

#[derive(Default)]
pub struct CartQueries;

#[Object]
impl CartQueries {
    /// A guest's cart by its token, or the viewer's own. Null when there is none.
    async fn cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The guest's token.")] cart_token: Option<String>,
    ) -> Result<Option<Cart>> {
        let Some(shopper) = super::shopper(ctx, cart_token.as_deref()) else { return Ok(None) };
        Ok(cart::find(ctx.data_unchecked::<Env>().db.read(), &shopper).await?.map(Cart))
    }
}

#[derive(Default)]
pub struct CartMutations;

#[Object]
impl CartMutations {
    /// Puts offers into a cart, changes how many, or takes them out. The same call twice leaves the same cart. A guest
    /// without a cart gets one, and its token.
    async fn set_cart_lines(
        &self,
        ctx: &Context<'_>,
        input: SetCartLinesInput,
    ) -> Result<SetCartLinesPayload> {
        let wanted: Vec<Wanted> = input
            .lines
            .iter()
            .map(|line| Wanted { offer_id: line.offer_id, quantity: line.quantity.0 })
            .collect();
        if !(1..=LINES_MAX).contains(&wanted.len()) {
            return Ok(refused(SetRefusal::TooManyLines));
        }
        let shopper = super::shopper(ctx, input.cart_token.as_deref());
        if shopper.is_none() && input.cart_token.is_some() {
            return Ok(refused(SetRefusal::NotFound));
        }
        let env = ctx.data_unchecked::<Env>();
        let set = async || {
            let change = Set { shopper: shopper.clone(), wanted: wanted.clone() };
            ctx.data_unchecked::<Carts>().set(change).await.map_err(shared)
        };
        let mut done = set().await?;
        if let Err(SetRefusal::OfferNotFound { .. }) = done {
            // Its event may be on its way.
            let offers: Vec<OfferId> = wanted.iter().map(|line| line.offer_id).collect();
            mirror::wait_until_known(&env.db, &offers, MIRROR_WAIT).await?;
            done = set().await?;
        }
        Ok(match done {
            Ok((cart, cart_token)) => {
                SetCartLinesPayload { cart: Some(Cart(cart)), cart_token, user_errors: vec![] }
            }
            Err(refusal) => refused(refusal),
        })
    }

    /// Puts a promotion's code on a cart, in place of the one before, or takes it off. What it takes off, the quote says.
    async fn set_cart_promotion(
        &self,
        ctx: &Context<'_>,
        input: SetCartPromotionInput,
    ) -> Result<SetCartPromotionPayload> {
        use SetCartPromotionErrorCode as Code;
        let error = |code, field, refusal: &CodeRefusal| SetCartPromotionPayload {
            cart: None,
            user_errors: vec![SetCartPromotionError::new(code, &["input", field], refusal)],
        };
        let Some(shopper) = super::shopper(ctx, input.cart_token.as_deref()) else {
            return Ok(error(Code::CartNotFound, "cartToken", &CodeRefusal::NotFound));
        };
        let code = match input.code.as_deref().map(promotion::code) {
            Some(None) => return Ok(error(Code::CodeUnknown, "code", &CodeRefusal::Unknown)),
            code => code.flatten(),
        };
        let env = ctx.data_unchecked::<Env>();
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| cart::set_code(tx, now, &shopper, code).await).await?;
        Ok(match done {
            Ok(cart) => SetCartPromotionPayload { cart: Some(Cart(cart)), user_errors: vec![] },
            Err(refusal @ CodeRefusal::NotFound) => error(Code::CartNotFound, "cartToken", &refusal),
            Err(refusal @ CodeRefusal::CheckingOut { .. }) => error(Code::CheckingOut, "cartToken", &refusal),
            Err(refusal @ CodeRefusal::Unknown) => error(Code::CodeUnknown, "code", &refusal),
        })
    }

    /// Moves a guest's cart into the viewer's, after signing in. Pieces of one offer add up, to at most 1,000; what is not
    /// for sale any more is left behind.
    async fn merge_cart(&self, ctx: &Context<'_>, input: MergeCartInput) -> Result<MergeCartPayload> {
        use MergeCartErrorCode as Code;
        let viewer = Viewer::required(ctx)?;
        let error = |code, refusal: MergeRefusal| MergeCartPayload {
            cart: None,
            user_errors: vec![MergeCartError::new(code, &["input", "cartToken"], refusal)],
        };
        let Some(hash) = secrets::cart_token_hash(&input.cart_token) else {
            return Ok(error(Code::CartNotFound, MergeRefusal::NotFound));
        };
        let env = ctx.data_unchecked::<Env>();
        let (now, user) = (env.clock.now(), viewer.user);
        let done = tx::run(&env.db, async |tx| cart::merge_guest(tx, now, user, hash).await).await?;
        Ok(match done {
            Ok(cart) => MergeCartPayload { cart: Some(Cart(cart)), user_errors: vec![] },
            Err(refusal @ MergeRefusal::NotFound) => error(Code::CartNotFound, refusal),
            Err(refusal @ MergeRefusal::CheckingOut { .. }) => error(Code::CheckingOut, refusal),
            Err(refusal @ MergeRefusal::TooManyLines) => error(Code::LinesOutOfRange, refusal),
            Err(refusal @ MergeRefusal::MixedCurrencies { .. }) => error(Code::MixedCurrencies, refusal),
        })
    }
}

fn refused(refusal: SetRefusal) -> SetCartLinesPayload {
    SetCartLinesPayload { cart: None, cart_token: None, user_errors: set_errors(refusal) }
}
