//! 50 real sneakers in the sizes they are traded in.

use catalog::attribute::{Named, Value};
use catalog::import::{NewListing, NewOffer, NewVariant};
use catalog::number::Number;
use chassis::Failure;
use contract::{CurrencyCode, Money};
use entity::catalog::Condition;
use rand::Rng;
use serde::Deserialize;

use super::shops::{self, Shops};

const CSV: &str = include_str!("../../demo/sneakers.csv");

#[derive(Deserialize)]
struct Sneaker {
    brand: String,
    line: String,
    model: String,
    /// Whole dollars.
    retail_price_usd: i64,
    release_date: String,
    /// Separated by spaces.
    us_sizes: String,
}

/// The handle of each sneaker and what it cost in the shop, in cents.
pub(super) fn retail_prices() -> Result<Vec<(String, i64)>, Failure> {
    let mut reader = csv::Reader::from_reader(CSV.as_bytes());
    let sneakers = reader.deserialize::<Sneaker>().enumerate();
    sneakers.map(|(number, sneaker)| Ok((handle(number), 100 * sneaker?.retail_price_usd))).collect()
}

fn handle(number: usize) -> String {
    format!("sneaker-{}", number + 1)
}

/// Every sneaker, each size offered by one or two of the sneaker shops.
pub(super) fn listings(shops: &Shops, random: &mut impl Rng) -> Result<Vec<NewListing>, Failure> {
    let mut reader = csv::Reader::from_reader(CSV.as_bytes());
    let sneakers = reader.deserialize::<Sneaker>().enumerate();
    sneakers.map(|(number, sneaker)| Ok(listing(number, sneaker?, shops, random))).collect()
}

fn listing(number: usize, sneaker: Sneaker, shops: &Shops, random: &mut impl Rng) -> NewListing {
    let variants = sneaker.us_sizes.split_whitespace().map(|size| NewVariant {
        size: Some(format!("US {size}")),
        offers: offers(sneaker.retail_price_usd, shops, random),
        ..Default::default()
    });
    let variants = variants.collect();
    NewListing {
        handle: handle(number),
        title: sneaker.model.clone(),
        brand: Some(sneaker.brand.clone()),
        model: Some(sneaker.model.clone()),
        description: format!("{} {}.", sneaker.brand, sneaker.line),
        category: vec!["Sneakers".into(), sneaker.line.clone()],
        attributes: attributes(&sneaker),
        images: Vec::new(),
        variants,
    }
}

/// Between nine tenths and three times the retail price.
fn offers(retail_usd: i64, shops: &Shops, random: &mut impl Rng) -> Vec<NewOffer> {
    let sellers = shops::some(&shops.sneakers, random).into_iter();
    let mut offer = |seller| {
        let amount_minor = retail_usd * random.random_range(90..300);
        NewOffer {
            seller,
            condition: Condition::New,
            price: Money { amount_minor, currency: CurrencyCode::USD },
        }
    };
    sellers.map(&mut offer).collect()
}

fn attributes(sneaker: &Sneaker) -> Vec<Named> {
    let retail = sneaker.retail_price_usd.to_string().parse::<Number>().ok().map(Value::Number);
    let attributes = [
        ("line", Some(Value::Text(sneaker.line.clone()))),
        ("released", Some(Value::Text(sneaker.release_date.clone()))),
        ("retail_price", retail),
    ];
    attributes
        .into_iter()
        .filter_map(|(name, value)| Some(Named { name: name.into(), value: value? }))
        .collect()
}
