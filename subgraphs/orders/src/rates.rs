//! What sellers take for shipping, and what the state and the platform take, from when on.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{OfferId, SellerId};
use entity::orders::platform_rate::{self, Kind};
use entity::orders::{offer, parcel_weight, shipping_rate};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::keeper::Keeper;
use crate::limits::{
    AMOUNT_MAX, GRAMS_MAX, LINE_LENGTH_MAX, LINES_MAX, RATES_MAX, is_country, is_line_of_text,
};
use crate::pricing::{Rate, Tax, WHOLE_BPS};
use crate::tariff;

/// Where a parcel goes, as far as prices need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub region: Option<String>,
}

/// Why a seller's rates are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetRatesRefusal {
    #[error("there is no such shop of yours")]
    SellerNotFound,
    #[error("there may be at most {RATES_MAX}, one for each country and currency")]
    RatesInvalid,
    #[error("must be a country of ISO 3166-1, two capital letters")]
    CountryInvalid { rate: usize },
    #[error("must be 0 to {AMOUNT_MAX}")]
    AmountOutOfRange { rate: usize },
}

/// Replaces a seller's rates.
pub async fn set_shipping(
    tx: &Tx,
    keeper: Keeper,
    seller: Option<SellerId>,
    rates: Vec<Rate>,
) -> Outcome<SellerId, SetRatesRefusal> {
    if let Err(refusal) = check(&rates) {
        return Ok(Err(refusal));
    }
    let Some(seller_id) = keeper.shop(tx, seller).await? else {
        return Ok(Err(SetRatesRefusal::SellerNotFound));
    };
    tariff::change(tx, Some(seller_id)).await?;
    shipping_rate::Entity::delete_many()
        .filter(shipping_rate::Column::SellerId.eq(seller_id))
        .exec(tx)
        .await?;
    if !rates.is_empty() {
        let rows = rates.into_iter().map(|rate| row(seller_id, rate).into_active_model());
        shipping_rate::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(Ok(seller_id))
}

fn check(rates: &[Rate]) -> Result<(), SetRatesRefusal> {
    let places: BTreeSet<_> = rates.iter().map(|rate| (&rate.country, rate.currency.as_str())).collect();
    if rates.len() > RATES_MAX || places.len() < rates.len() {
        return Err(SetRatesRefusal::RatesInvalid);
    }
    let bad_country = |rate: &Rate| rate.country.as_deref().is_some_and(|country| !is_country(country));
    if let Some(rate) = rates.iter().position(bad_country) {
        return Err(SetRatesRefusal::CountryInvalid { rate });
    }
    let bad_amount = |rate: &Rate| {
        let amounts = [rate.base_minor, rate.per_kilogram_minor, rate.free_from_minor.unwrap_or(0)];
        amounts.iter().any(|amount| !(0..=AMOUNT_MAX).contains(amount))
    };
    match rates.iter().position(bad_amount) {
        Some(rate) => Err(SetRatesRefusal::AmountOutOfRange { rate }),
        None => Ok(()),
    }
}

fn row(seller_id: SellerId, rate: Rate) -> shipping_rate::Model {
    shipping_rate::Model {
        seller_id,
        country: rate.country.unwrap_or_default(),
        currency: rate.currency.to_string(),
        base_minor: rate.base_minor,
        per_kilogram_minor: rate.per_kilogram_minor,
        free_from_minor: rate.free_from_minor,
    }
}

/// The rates of `sellers`.
pub async fn shipping(
    db: &impl ConnectionTrait,
    sellers: impl IntoIterator<Item = SellerId>,
) -> Result<BTreeMap<SellerId, Vec<Rate>>, Failure> {
    let rows = shipping_rate::Entity::find()
        .filter(shipping_rate::Column::SellerId.is_in(sellers))
        .order_by_asc(shipping_rate::Column::Country)
        .order_by_asc(shipping_rate::Column::Currency)
        .all(db)
        .await?;
    let mut rates: BTreeMap<SellerId, Vec<Rate>> = BTreeMap::new();
    for row in rows {
        rates.entry(row.seller_id).or_default().push(Rate {
            country: Some(row.country).filter(|country| !country.is_empty()),
            currency: row.currency.parse()?,
            base_minor: row.base_minor,
            per_kilogram_minor: row.per_kilogram_minor,
            free_from_minor: row.free_from_minor,
        });
    }
    Ok(rates)
}

/// Why a weight is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeighRefusal {
    #[error("must name 1 to {LINES_MAX} offers")]
    OffersOutOfRange,
    #[error("there is no such offer of yours")]
    OfferNotFound,
    #[error("must be 0 to {GRAMS_MAX}")]
    GramsOutOfRange,
}

/// Sets what one piece of each of `offers` weighs, packed.
pub async fn weigh(tx: &Tx, keeper: Keeper, offers: Vec<OfferId>, grams: i64) -> Outcome<(), WeighRefusal> {
    let offers: BTreeSet<OfferId> = offers.into_iter().collect();
    if !(1..=LINES_MAX).contains(&offers.len()) {
        return Ok(Err(WeighRefusal::OffersOutOfRange));
    }
    if !(0..=GRAMS_MAX).contains(&grams) {
        return Ok(Err(WeighRefusal::GramsOutOfRange));
    }
    let own = offer::Entity::find()
        .filter(offer::Column::OfferId.is_in(offers.iter().copied()))
        .filter(keeper.keeps(offer::Column::SellerId));
    if own.all(tx).await?.len() < offers.len() {
        return Ok(Err(WeighRefusal::OfferNotFound));
    }
    let rows =
        offers.into_iter().map(|offer_id| parcel_weight::Model { offer_id, grams }.into_active_model());
    let there = OnConflict::column(parcel_weight::Column::OfferId)
        .update_column(parcel_weight::Column::Grams)
        .to_owned();
    parcel_weight::Entity::insert_many(rows).on_conflict(there).exec_without_returning(tx).await?;
    Ok(Ok(()))
}

/// A rate of the state or of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformRate {
    Tax { place: Destination, tax: Tax },
    Fee { rate_bps: i64 },
}

/// Why a rate is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformRefusal {
    #[error("must be 0 to 10,000 hundredths of a percent")]
    RateOutOfRange,
    #[error("must be a country of ISO 3166-1, two capital letters")]
    CountryInvalid,
    #[error("must be 1 to {LINE_LENGTH_MAX} characters")]
    RegionInvalid,
}

/// Sets a rate from a time on. What was quoted and ordered before keeps its price.
pub async fn set_platform(
    tx: &Tx,
    now: DateTime<Utc>,
    rate: PlatformRate,
    valid_from: DateTime<Utc>,
) -> Outcome<(), PlatformRefusal> {
    let (kind, place, tax) = match rate {
        PlatformRate::Tax { place, tax } => (Kind::Tax, Some(place), tax),
        PlatformRate::Fee { rate_bps } => (Kind::Fee, None, Tax { rate_bps, inclusive: true }),
    };
    if !(0..=WHOLE_BPS).contains(&tax.rate_bps) {
        return Ok(Err(PlatformRefusal::RateOutOfRange));
    }
    if place.as_ref().is_some_and(|place| !is_country(&place.country)) {
        return Ok(Err(PlatformRefusal::CountryInvalid));
    }
    let region = place.as_ref().and_then(|place| place.region.clone());
    if region.as_ref().is_some_and(|region| !is_line_of_text(region, LINE_LENGTH_MAX)) {
        return Ok(Err(PlatformRefusal::RegionInvalid));
    }
    let row = platform_rate::Model {
        id: Uuid::now_v7(),
        kind,
        country: place.map(|place| place.country).unwrap_or_default(),
        region: region.unwrap_or_default(),
        rate_bps: tax.rate_bps,
        inclusive: tax.inclusive,
        valid_from,
        created_at: now,
    };
    tariff::change(tx, None).await?;
    platform_rate::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(Ok(()))
}

/// Every rate that there is, of all times: the latest first.
pub async fn all_platform(db: &impl ConnectionTrait) -> Result<Vec<platform_rate::Model>, Failure> {
    use platform_rate::Column::*;
    Ok(platform_rate::Entity::find().order_by_desc(ValidFrom).order_by_desc(Id).all(db).await?)
}

/// Tax at the destination and the platform's fee, as they are at `now`, of all `rates`. Without any rate there is none.
pub fn platform(rates: &[platform_rate::Model], now: DateTime<Utc>, place: &Destination) -> (Tax, i64) {
    let valid = || rates.iter().filter(move |row| row.valid_from <= now);
    let tax_of = |region: &str| {
        let mut taxes = valid().filter(|row| row.kind == Kind::Tax && row.country == place.country);
        taxes.find(|row| row.region == region)
    };
    let tax =
        place.region.as_deref().filter(|region| !region.is_empty()).and_then(tax_of).or_else(|| tax_of(""));
    let tax = tax.map(|row| Tax { rate_bps: row.rate_bps, inclusive: row.inclusive }).unwrap_or_default();
    let fee = valid().find(|row| row.kind == Kind::Fee);
    (tax, fee.map_or(0, |row| row.rate_bps))
}
