//! What a cart costs now: its lines at today's prices, by today's rates and promotions, or what is in the way.

use std::collections::{BTreeSet, HashMap};

use chassis::Failure;
use chrono::{DateTime, Utc};
use contract::{CartId, CurrencyCode, Money, OfferId, SellerId, UserId};
use entity::orders::cart;
use entity::orders::promotion::Model as Promotion;
use sea_orm::ConnectionTrait;

use crate::cart::Cart;
use crate::goods::{self, Contents, Goods};
use crate::pricing::{self, Basket, Line, Quote, Rules, Unpriceable};
use crate::promotion;
use crate::rates::Destination;
use crate::tariff::{InForce, Tariffs};

/// A cart with its price.
#[derive(Clone, Debug)]
pub struct Priced {
    pub quote: Quote,
    pub goods: HashMap<OfferId, Goods>,
    /// Those that took something off, in the order in which they did.
    pub promotions: Vec<Promotion>,
    /// Lines whose price is another than when they were put in: the price then and the price now.
    pub changed: Vec<(OfferId, Money, Money)>,
}

/// What is in the way of buying a cart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("the cart is empty")]
    Empty,
    #[error("this offer is not for sale any more")]
    NotForSale { offer_id: OfferId },
    #[error("there are fewer pieces than wanted")]
    SoldOut { offer_id: OfferId, requested: i64, available: i64 },
    #[error("a cart has one currency")]
    MixedCurrencies { offer_id: OfferId, currency: CurrencyCode },
    #[error("the seller does not ship there")]
    CannotShip { offer_id: OfferId },
    #[error("the promotion is over, or used up")]
    PromotionOver { code: String },
    #[error("the amounts are too large")]
    TooLarge,
}

/// What carts are priced by: what lies in them, and the tariffs of now.
pub struct Counter {
    contents: Contents,
    in_force: InForce,
}

impl Counter {
    /// Looks up what lies in `carts`. Tariffs that did not change since are not read again.
    pub async fn open(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        tariffs: &Tariffs,
        carts: impl IntoIterator<Item = CartId>,
    ) -> Result<Self, Failure> {
        let contents = goods::in_carts(db, carts).await?;
        let in_force = tariffs.at(db, now, &contents.revisions).await?;
        Ok(Self { contents, in_force })
    }

    /// One of the carts, with its lines.
    pub fn cart(&self, row: &cart::Model) -> Cart {
        let lines = self.contents.lines.get(&row.id).cloned().unwrap_or_default();
        Cart { row: row.clone(), lines }
    }

    /// The price of `cart` for `user` at `place`.
    pub async fn price(
        &self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        cart: &Cart,
        place: &Destination,
        user: Option<UserId>,
    ) -> Result<Result<Priced, Vec<Problem>>, Failure> {
        let goods: HashMap<OfferId, Goods> = cart
            .lines
            .iter()
            .filter_map(|line| Some((line.offer_id, self.contents.goods.get(&line.offer_id)?.clone())))
            .collect();
        let problems = look(cart, &goods);
        if !problems.is_empty() {
            return Ok(Err(problems));
        }
        let basket = basket(cart, &goods, place);
        let code = cart.row.promotion_code.as_deref();
        let running = self.running(db, now, &basket, code, user).await?;
        if let Some(code) = code.filter(|code| !running.iter().any(|row| row.code.as_deref() == Some(*code)))
        {
            return Ok(Err(vec![Problem::PromotionOver { code: code.into() }]));
        }
        let (tax, fee_bps) = self.in_force.platform(now, place);
        let shipping = self.in_force.shipping(sellers(&basket));
        let promotions = running.iter().map(promotion::rule).collect();
        let quote = match pricing::quote(&basket, &Rules { shipping, tax, promotions, fee_bps }) {
            Ok(quote) => quote,
            Err(unpriceable) => return Ok(Err(in_the_way(unpriceable, &basket))),
        };
        let gave = |row: &Promotion| quote.discounts.iter().any(|(id, _)| *id == row.id);
        let promotions = running.into_iter().filter(gave).collect();
        let changed = changed(cart, &goods)?;
        Ok(Ok(Priced { quote, goods, promotions, changed }))
    }

    /// Promotions that run for `user`. Whether one with a limit is used up, and which one a code is, only the tables know.
    async fn running(
        &self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        basket: &Basket,
        code: Option<&str>,
        user: Option<UserId>,
    ) -> Result<Vec<Promotion>, Failure> {
        let automatic = self.in_force.automatic(now, basket.currency, sellers(basket));
        if code.is_none() && !automatic.iter().any(promotion::is_limited) {
            return Ok(automatic);
        }
        promotion::running(db, now, basket.currency, code, user).await
    }
}

fn sellers(basket: &Basket) -> BTreeSet<SellerId> {
    basket.lines.iter().map(|line| line.seller_id).collect()
}

fn in_the_way(unpriceable: Unpriceable, basket: &Basket) -> Vec<Problem> {
    match unpriceable {
        Unpriceable::TooLarge => vec![Problem::TooLarge],
        Unpriceable::CannotShip(sellers) => {
            let lines = basket.lines.iter().filter(|line| sellers.contains(&line.seller_id));
            lines.map(|line| Problem::CannotShip { offer_id: line.offer_id }).collect()
        }
    }
}

/// What can be seen without prices.
fn look(cart: &Cart, goods: &HashMap<OfferId, Goods>) -> Vec<Problem> {
    if cart.lines.is_empty() {
        return vec![Problem::Empty];
    }
    let mut problems = Vec::new();
    for line in &cart.lines {
        let offer_id = line.offer_id;
        match goods.get(&offer_id).filter(|goods| goods.for_sale) {
            None => problems.push(Problem::NotForSale { offer_id }),
            Some(goods) if goods.available < line.quantity => problems.push(Problem::SoldOut {
                offer_id,
                requested: line.quantity,
                available: goods.available,
            }),
            Some(_) => {}
        }
    }
    let currencies: Vec<(OfferId, CurrencyCode)> = cart
        .lines
        .iter()
        .filter_map(|line| Some((line.offer_id, goods.get(&line.offer_id)?.price.currency)))
        .collect();
    if currencies.windows(2).any(|two| two[0].1 != two[1].1) {
        let mixed = currencies.into_iter();
        problems.extend(mixed.map(|(offer_id, currency)| Problem::MixedCurrencies { offer_id, currency }));
    }
    problems
}

/// Of a cart in which nothing is in the way.
fn basket(cart: &Cart, goods: &HashMap<OfferId, Goods>, place: &Destination) -> Basket {
    let lines = cart.lines.iter().map(|line| {
        let goods = &goods[&line.offer_id];
        Line {
            offer_id: line.offer_id,
            seller_id: goods.seller_id,
            unit_minor: goods.price.amount_minor,
            quantity: line.quantity,
            weight_grams: goods.weight_grams,
        }
    });
    Basket {
        currency: goods[&cart.lines[0].offer_id].price.currency,
        lines: lines.collect(),
        country: place.country.clone(),
    }
}

fn changed(cart: &Cart, goods: &HashMap<OfferId, Goods>) -> Result<Vec<(OfferId, Money, Money)>, Failure> {
    let mut changed = Vec::new();
    for line in &cart.lines {
        let (then, now) = (crate::cart::added_price(line)?, goods[&line.offer_id].price);
        if then != now {
            changed.push((line.offer_id, then, now));
        }
    }
    Ok(changed)
}
