//! What a basket costs: values in, values out.
//!
//! Every amount is worked out once for the whole basket and then given to lines and sellers by largest remainder, so that
//! parts always add up to what they are parts of.

mod allocate;
mod promotion;
mod shipping;
mod tax;

use std::collections::BTreeMap;

use contract::{CurrencyCode, OfferId, PromotionId, SellerId};

pub use allocate::allocate;
pub use promotion::{Benefit, Promotion};
pub use shipping::Rate;
pub use tax::Tax;

/// The largest amount that clients keep exactly: 53 bits.
pub const AMOUNT_MAX: i64 = (1 << 53) - 1;
/// Hundredths of a percent in a whole.
pub const WHOLE_BPS: i64 = 10_000;

/// What somebody wants to buy, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basket {
    pub currency: CurrencyCode,
    pub lines: Vec<Line>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// So many pieces of one offer, at its price now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub offer_id: OfferId,
    pub seller_id: SellerId,
    /// Not negative.
    pub unit_minor: i64,
    /// At least 1.
    pub quantity: i64,
    /// Of one piece, packed.
    pub weight_grams: i64,
}

/// By what rules a basket is priced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What each seller takes for shipping. A seller without rates ships for nothing.
    pub shipping: BTreeMap<SellerId, Vec<Rate>>,
    /// The destination's.
    pub tax: Tax,
    /// In the order in which they apply, each to what those before it left.
    pub promotions: Vec<Promotion>,
    /// What the platform keeps of the goods without tax, in hundredths of a percent.
    pub fee_bps: i64,
}

/// What a basket costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub currency: CurrencyCode,
    /// In the order of the basket.
    pub lines: Vec<QuotedLine>,
    /// In the order of the sellers' ids.
    pub shares: Vec<QuotedShare>,
    /// Promotions that took something off, and how much.
    pub discounts: Vec<(PromotionId, i64)>,
}

/// One line's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotedLine {
    pub offer_id: OfferId,
    pub seller_id: SellerId,
    pub unit_minor: i64,
    pub quantity: i64,
    /// Unit price times quantity.
    pub goods_minor: i64,
    pub discount_minor: i64,
    /// Tax in the total.
    pub tax_minor: i64,
    /// What the buyer pays for this line.
    pub total_minor: i64,
}

/// One seller's part: their lines and their shipping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotedShare {
    pub seller_id: SellerId,
    pub goods_minor: i64,
    /// Taken off goods and shipping.
    pub discount_minor: i64,
    /// Before what promotions take off.
    pub shipping_minor: i64,
    /// What the buyer pays for shipping: the seller's total without their lines'.
    pub shipping_total_minor: i64,
    /// Tax in the total, of goods and shipping.
    pub tax_minor: i64,
    /// Of the total, what the platform keeps.
    pub fee_minor: i64,
    /// What the buyer pays this seller.
    pub total_minor: i64,
}

/// Why a basket has no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpriceable {
    /// These sellers do not ship to the destination in the basket's currency.
    CannotShip(Vec<SellerId>),
    /// The amounts are beyond what clients can keep.
    TooLarge,
}

impl Quote {
    pub fn goods_minor(&self) -> i64 {
        self.shares.iter().map(|share| share.goods_minor).sum()
    }

    pub fn discount_minor(&self) -> i64 {
        self.shares.iter().map(|share| share.discount_minor).sum()
    }

    pub fn shipping_minor(&self) -> i64 {
        self.shares.iter().map(|share| share.shipping_minor).sum()
    }

    pub fn tax_minor(&self) -> i64 {
        self.shares.iter().map(|share| share.tax_minor).sum()
    }

    pub fn total_minor(&self) -> i64 {
        self.shares.iter().map(|share| share.total_minor).sum()
    }
}

/// Something that is taxed: a line's goods or a seller's shipping, after discounts.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    price: i64,
    discount: i64,
    tax: i64,
}

impl Part {
    fn net(self) -> i64 {
        self.price - self.discount
    }
}

/// What `basket` costs by `rules`.
pub fn quote(basket: &Basket, rules: &Rules) -> Result<Quote, Unpriceable> {
    let mut lines = priced(basket)?;
    let mut shipping = shipping::parts(basket, rules)?;
    let discounts = promotion::take_off(&rules.promotions, basket, &mut lines, &mut shipping);
    tax::put_on(rules.tax, lines.iter_mut().chain(shipping.values_mut()));
    let lines: Vec<QuotedLine> =
        basket.lines.iter().zip(&lines).map(|(line, part)| quoted(line, *part, rules.tax)).collect();
    let shares = shipping.into_iter().map(|(seller, part)| share(seller, &lines, part, rules)).collect();
    let quote = Quote { currency: basket.currency, lines, shares, discounts };
    // Each part was checked; their sum may still be too much.
    match quote.shares.iter().map(|share| i128::from(share.total_minor)).sum::<i128>() {
        total if total <= i128::from(AMOUNT_MAX) => Ok(quote),
        _ => Err(Unpriceable::TooLarge),
    }
}

/// A third of the largest amount, so that shipping and tax on top still fit.
fn priced(basket: &Basket) -> Result<Vec<Part>, Unpriceable> {
    let mut sum: i64 = 0;
    let price = |line: &Line| {
        let price = line.unit_minor.checked_mul(line.quantity).ok_or(Unpriceable::TooLarge)?;
        sum = sum.checked_add(price).filter(|sum| *sum <= AMOUNT_MAX / 3).ok_or(Unpriceable::TooLarge)?;
        Ok(Part { price, ..Part::default() })
    };
    basket.lines.iter().map(price).collect()
}

fn quoted(line: &Line, part: Part, tax: Tax) -> QuotedLine {
    QuotedLine {
        offer_id: line.offer_id,
        seller_id: line.seller_id,
        unit_minor: line.unit_minor,
        quantity: line.quantity,
        goods_minor: part.price,
        discount_minor: part.discount,
        tax_minor: part.tax,
        total_minor: tax.total(part),
    }
}

fn share(seller_id: SellerId, lines: &[QuotedLine], shipping: Part, rules: &Rules) -> QuotedShare {
    let own = || lines.iter().filter(|line| line.seller_id == seller_id);
    let goods_total: i64 = own().map(|line| line.total_minor).sum();
    let goods_tax: i64 = own().map(|line| line.tax_minor).sum();
    let shipping_total_minor = rules.tax.total(shipping);
    QuotedShare {
        seller_id,
        goods_minor: own().map(|line| line.goods_minor).sum(),
        discount_minor: own().map(|line| line.discount_minor).sum::<i64>() + shipping.discount,
        shipping_minor: shipping.price,
        shipping_total_minor,
        tax_minor: goods_tax + shipping.tax,
        fee_minor: part_of(goods_total - goods_tax, rules.fee_bps),
        total_minor: goods_total + shipping_total_minor,
    }
}

/// So many hundredths of a percent of an amount, rounded down.
fn part_of(amount: i64, bps: i64) -> i64 {
    let part = i128::from(amount) * i128::from(bps) / i128::from(WHOLE_BPS);
    i64::try_from(part).expect("a part of an amount is not larger than the amount")
}

#[cfg(test)]
mod tests;
