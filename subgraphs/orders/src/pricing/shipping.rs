//! What sellers take for shipping: one parcel each.

use std::collections::BTreeMap;

use contract::{CurrencyCode, SellerId};

use super::{AMOUNT_MAX, Basket, Part, Rules, Unpriceable};

const GRAMS_OF_A_KILOGRAM: i64 = 1_000;

/// What a seller takes for a parcel to a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// `None`: every country without a rate of its own.
    pub country: Option<String>,
    pub currency: CurrencyCode,
    pub base_minor: i64,
    /// For each kilogram begun.
    pub per_kilogram_minor: i64,
    /// Goods of this seller worth so much ship for nothing.
    pub free_from_minor: Option<i64>,
}

/// What each seller of the basket takes.
pub(super) fn parts(basket: &Basket, rules: &Rules) -> Result<BTreeMap<SellerId, Part>, Unpriceable> {
    let mut parcels: BTreeMap<SellerId, Parcel> = BTreeMap::new();
    for line in &basket.lines {
        let parcel = parcels.entry(line.seller_id).or_default();
        parcel.goods_minor += i128::from(line.unit_minor) * i128::from(line.quantity);
        parcel.grams += i128::from(line.weight_grams) * i128::from(line.quantity);
    }
    let no_rates = Vec::new();
    let (mut parts, mut cannot_ship) = (BTreeMap::new(), Vec::new());
    for (seller, parcel) in parcels {
        let rates = rules.shipping.get(&seller).unwrap_or(&no_rates);
        match price(rates, basket, &parcel)? {
            Some(price) => _ = parts.insert(seller, Part { price, ..Part::default() }),
            None => cannot_ship.push(seller),
        }
    }
    if cannot_ship.is_empty() { Ok(parts) } else { Err(Unpriceable::CannotShip(cannot_ship)) }
}

#[derive(Default)]
struct Parcel {
    goods_minor: i128,
    grams: i128,
}

fn price(rates: &[Rate], basket: &Basket, parcel: &Parcel) -> Result<Option<i64>, Unpriceable> {
    if rates.is_empty() {
        return Ok(Some(0));
    }
    let of = |country: Option<&str>| {
        rates.iter().find(|rate| rate.currency == basket.currency && rate.country.as_deref() == country)
    };
    let Some(rate) = of(Some(&basket.country)).or_else(|| of(None)) else {
        return Ok(None);
    };
    if rate.free_from_minor.is_some_and(|from| parcel.goods_minor >= i128::from(from)) {
        return Ok(Some(0));
    }
    let kilograms = (parcel.grams + i128::from(GRAMS_OF_A_KILOGRAM) - 1) / i128::from(GRAMS_OF_A_KILOGRAM);
    let price = i128::from(rate.base_minor) + kilograms * i128::from(rate.per_kilogram_minor);
    let fits = i64::try_from(price).ok().filter(|price| *price <= AMOUNT_MAX / 1_000);
    fits.map(Some).ok_or(Unpriceable::TooLarge)
}
