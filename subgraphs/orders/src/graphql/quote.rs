//! What a cart costs, as shoppers see it.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::Env;
use chassis::auth::Viewer;
use contract::{CurrencyCode, Long, Money, OfferId, PromotionId};

use super::stubs::{Offer, Seller};
use super::user_error::user_error;
use crate::cart;
use crate::limits::is_country;
use crate::pricing;
use crate::quoting::{Counter, Priced, Problem};
use crate::rates::Destination;
use crate::tariff::Tariffs;

/// What to price.
#[derive(InputObject)]
pub struct QuoteInput {
    /// A guest's cart. Without it, the viewer's own.
    cart_token: Option<String>,
    /// Where parcels go: the country of ISO 3166-1, two capital letters.
    country: String,
    /// A part of the country that has a tax of its own, such as a state.
    region: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct QuotePayload {
    /// The price; null when something is in the way.
    quote: Option<Quote>,
    /// What is in the way; empty when there is a quote.
    user_errors: Vec<QuoteError>,
}

user_error! {
    /// Why there is no price, and why checking out would be refused.
    QuoteError (QuoteErrorCode) {
        /// There is no such cart.
        CartNotFound,
        /// The cart is empty.
        CartEmpty,
        /// The country is not two capital letters.
        CountryInvalid,
        /// An offer is not for sale any more; one error for each.
        NotForSale,
        /// There are fewer pieces than wanted; one error for each such line.
        SoldOut,
        /// A cart has one currency; one error for each of its lines.
        MixedCurrencies,
        /// A seller does not ship there; one error for each of their lines.
        CannotShip,
        /// The promotion on the cart has not begun, is over or used up: take its code off.
        PromotionExpired,
        /// The amounts are beyond 53 bits.
        TooLarge,
    }
    facts {
        /// The line that the error is about.
        offer_id: OfferId,
        /// Pieces of it in the cart.
        requested: Long,
        /// Pieces of it that are there.
        available: Long,
        /// Its currency.
        currency: CurrencyCode,
        /// The promotion's code.
        promotion_code: String,
    }
}

pub(super) fn problem(problem: Problem) -> QuoteError {
    use QuoteErrorCode as Code;
    let at = |code, field: &[&str]| QuoteError::new(code, field, &problem);
    let input = &["input"];
    match &problem {
        Problem::Empty => at(Code::CartEmpty, input),
        Problem::NotForSale { offer_id } => {
            QuoteError { offer_id: Some(*offer_id), ..at(Code::NotForSale, input) }
        }
        Problem::SoldOut { offer_id, requested, available } => QuoteError {
            offer_id: Some(*offer_id),
            requested: Some(Long(*requested)),
            available: Some(Long(*available)),
            ..at(Code::SoldOut, input)
        },
        Problem::MixedCurrencies { offer_id, currency } => QuoteError {
            offer_id: Some(*offer_id),
            currency: Some(*currency),
            ..at(Code::MixedCurrencies, input)
        },
        Problem::CannotShip { offer_id } => {
            QuoteError { offer_id: Some(*offer_id), ..at(Code::CannotShip, &["input", "country"]) }
        }
        Problem::PromotionOver { code } => {
            QuoteError { promotion_code: Some(code.clone()), ..at(Code::PromotionExpired, input) }
        }
        Problem::TooLarge => at(Code::TooLarge, input),
    }
}

/// What a cart costs now. Its parts add up to the total.
pub struct Quote(Priced);

impl Quote {
    fn money(&self, amount_minor: i64) -> Money {
        Money { amount_minor, currency: self.0.quote.currency }
    }
}

#[Object]
impl Quote {
    /// Goods at their price now, before discounts.
    async fn goods(&self) -> Money {
        self.money(self.0.quote.goods_minor())
    }

    /// Shipping of all sellers, before discounts.
    async fn shipping(&self) -> Money {
        self.money(self.0.quote.shipping_minor())
    }

    /// What promotions take off goods and shipping.
    async fn discount(&self) -> Money {
        self.money(self.0.quote.discount_minor())
    }

    /// Tax in the total. `taxIncluded` says whether prices had it in them.
    async fn tax(&self) -> Money {
        self.money(self.0.quote.tax_minor())
    }

    /// Whether goods and shipping have the tax in them: then total = goods + shipping - discount, else tax comes on top.
    async fn tax_included(&self) -> bool {
        let quote = &self.0.quote;
        quote.goods_minor() + quote.shipping_minor() - quote.discount_minor() == quote.total_minor()
    }

    /// What the buyer pays: pass it to `checkout` as `expectedTotal`.
    async fn total(&self) -> Money {
        self.money(self.0.quote.total_minor())
    }

    /// Each line's part.
    async fn lines(&self) -> Vec<QuoteLine> {
        self.0.quote.lines.iter().map(|line| self.line(line)).collect()
    }

    /// Each seller's part.
    async fn shares(&self) -> Vec<QuoteShare> {
        self.0.quote.shares.iter().map(|share| self.share(share)).collect()
    }

    /// Promotions that take something off.
    async fn promotions(&self) -> Vec<QuotePromotion> {
        let off = |id: PromotionId| {
            self.0.quote.discounts.iter().find(|(of, _)| *of == id).map_or(0, |(_, off)| *off)
        };
        let promotion = |row: &entity::orders::promotion::Model| QuotePromotion {
            id: row.id,
            name: row.name.clone(),
            code: row.code.clone(),
            discount: self.money(off(row.id)),
        };
        self.0.promotions.iter().map(promotion).collect()
    }
}

impl Quote {
    fn line(&self, line: &pricing::QuotedLine) -> QuoteLine {
        let then = self.0.changed.iter().find(|(offer, ..)| *offer == line.offer_id);
        QuoteLine {
            offer: Offer { id: line.offer_id },
            seller: Seller { id: line.seller_id },
            quantity: Long(line.quantity),
            unit_price: self.money(line.unit_minor),
            price_when_added: then.map_or_else(|| self.money(line.unit_minor), |(_, then, _)| *then),
            discount: self.money(line.discount_minor),
            tax: self.money(line.tax_minor),
            total: self.money(line.total_minor),
        }
    }

    fn share(&self, share: &pricing::QuotedShare) -> QuoteShare {
        QuoteShare {
            seller: Seller { id: share.seller_id },
            goods: self.money(share.goods_minor),
            shipping: self.money(share.shipping_minor),
            discount: self.money(share.discount_minor),
            tax: self.money(share.tax_minor),
            total: self.money(share.total_minor),
        }
    }
}

/// One line of a quote.
#[derive(SimpleObject)]
pub struct QuoteLine {
    /// The offer.
    offer: Offer,
    /// Who sells it.
    seller: Seller,
    /// How many pieces.
    quantity: Long,
    /// The price of a piece now.
    unit_price: Money,
    /// The price of a piece when it was put into the cart.
    price_when_added: Money,
    /// This line's part of what promotions take off.
    discount: Money,
    /// Tax in this line's total.
    tax: Money,
    /// What the buyer pays for this line.
    total: Money,
}

/// One seller's part of a quote: a parcel.
#[derive(SimpleObject)]
pub struct QuoteShare {
    /// Who sells and ships it.
    seller: Seller,
    /// Goods, before discounts.
    goods: Money,
    /// Shipping, before discounts.
    shipping: Money,
    /// What promotions take off goods and shipping.
    discount: Money,
    /// Tax in the total.
    tax: Money,
    /// What the buyer pays this seller.
    total: Money,
}

/// A promotion that takes something off.
#[derive(SimpleObject)]
pub struct QuotePromotion {
    /// The promotion's id.
    id: PromotionId,
    /// What it is called.
    name: String,
    /// Its code; null when it applies by itself.
    code: Option<String>,
    /// What it takes off.
    discount: Money,
}

#[derive(Default)]
pub struct QuoteQueries;

#[Object]
impl QuoteQueries {
    /// What a cart costs now: prices, shipping, tax and promotions of this moment, for a destination.
    async fn quote(&self, ctx: &Context<'_>, input: QuoteInput) -> Result<QuotePayload> {
        let error = |code, field: &str, message| QuotePayload {
            quote: None,
            user_errors: vec![QuoteError::new(code, &["input", field], message)],
        };
        if !is_country(&input.country) {
            return Ok(error(QuoteErrorCode::CountryInvalid, "country", "must be two capital letters"));
        }
        let env = ctx.data_unchecked::<Env>();
        let (db, now) = (env.db.read(), env.clock.now());
        let cart = match super::shopper(ctx, input.cart_token.as_deref()) {
            Some(shopper) => cart::find_row(db, &shopper).await?,
            None => None,
        };
        let Some(cart) = cart else {
            return Ok(error(QuoteErrorCode::CartNotFound, "cartToken", "there is no such cart"));
        };
        let place = Destination { country: input.country, region: input.region };
        let user = Viewer::maybe(ctx).map(|viewer| viewer.user);
        let counter = Counter::open(db, now, ctx.data_unchecked::<Tariffs>(), [cart.id]).await?;
        Ok(match counter.price(db, now, &counter.cart(&cart), &place, user).await? {
            Ok(priced) => QuotePayload { quote: Some(Quote(priced)), user_errors: vec![] },
            Err(problems) => {
                QuotePayload { quote: None, user_errors: problems.into_iter().map(problem).collect() }
            }
        })
    }
}
