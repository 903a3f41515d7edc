//! What sellers take for shipping, and what the state and the platform take.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::{Env, audit, tx};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, Long, Money, OfferId, SellerId};
use serde_json::json;

use super::stubs::{Offer, Seller};
use super::user_error::user_error;
use crate::pricing::{Rate, Tax};
use crate::rates::{self, Destination, PlatformRate, PlatformRefusal, SetRatesRefusal, WeighRefusal};

/// What a seller takes for a parcel.
#[derive(SimpleObject)]
pub struct ShippingRate {
    /// To this country of ISO 3166-1; null: to every country without a rate of its own.
    country: Option<String>,
    /// The currency of carts that it is for.
    currency: CurrencyCode,
    /// For the parcel.
    base: Money,
    /// For each kilogram begun.
    per_kilogram: Money,
    /// Goods of this seller worth so much ship for nothing.
    free_from: Option<Money>,
}

impl From<Rate> for ShippingRate {
    fn from(rate: Rate) -> Self {
        let money = |amount_minor| Money { amount_minor, currency: rate.currency };
        Self {
            base: money(rate.base_minor),
            per_kilogram: money(rate.per_kilogram_minor),
            free_from: rate.free_from_minor.map(money),
            currency: rate.currency,
            country: rate.country,
        }
    }
}

/// A shop's rates. A shop without any ships everywhere for nothing; one with some, only where they say.
#[derive(InputObject)]
pub struct SetShippingRatesInput {
    /// The shop; a seller with one shop may leave it out.
    seller_id: Option<SellerId>,
    /// All its rates from now on: at most 300, one for each country and currency.
    rates: Vec<ShippingRateInput>,
}

/// What a seller takes for a parcel.
#[derive(InputObject)]
pub struct ShippingRateInput {
    /// To this country of ISO 3166-1, two capital letters; null: to every country without a rate of its own.
    country: Option<String>,
    /// The currency of carts that it is for.
    currency: CurrencyCode,
    /// For the parcel, in minor units.
    base_minor: Long,
    /// For each kilogram begun, in minor units.
    #[graphql(default_with = "Long(0)")]
    per_kilogram_minor: Long,
    /// Goods of this seller worth so many minor units ship for nothing.
    free_from_minor: Option<Long>,
}

impl From<ShippingRateInput> for Rate {
    fn from(input: ShippingRateInput) -> Self {
        Self {
            country: input.country,
            currency: input.currency,
            base_minor: input.base_minor.0,
            per_kilogram_minor: input.per_kilogram_minor.0,
            free_from_minor: input.free_from_minor.map(|minor| minor.0),
        }
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetShippingRatesPayload {
    /// The shop; null when something is wrong.
    seller: Option<Seller>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetShippingRatesError>,
}

user_error! {
    /// Why rates were not taken.
    SetShippingRatesError (SetShippingRatesErrorCode) {
        /// There is no such shop of yours.
        SellerNotFound,
        /// There are more than 300, or two for one country and currency.
        RatesInvalid,
        /// A country is not two capital letters.
        CountryInvalid,
        /// An amount is negative or too large.
        AmountOutOfRange,
    }
}

/// What pieces weigh.
#[derive(InputObject)]
pub struct SetParcelWeightInput {
    /// Offers of yours, 1 to 50.
    offer_ids: Vec<OfferId>,
    /// What one piece weighs, packed: 0 to 10,000,000 grams.
    grams: Long,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetParcelWeightPayload {
    /// The offers; empty when something is wrong.
    offers: Vec<Offer>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetParcelWeightError>,
}

user_error! {
    /// Why weights were not taken.
    SetParcelWeightError (SetParcelWeightErrorCode) {
        /// There are no offers, or more than 50.
        OffersOutOfRange,
        /// There is no such offer of yours.
        OfferNotFound,
        /// The weight is not 0 to 10,000,000 grams.
        GramsOutOfRange,
    }
}

/// A tax from a time on.
#[derive(InputObject)]
pub struct SetTaxRateInput {
    /// Of parcels to this country of ISO 3166-1, two capital letters.
    country: String,
    /// Of a part of the country that has a rate of its own, such as a state.
    region: Option<String>,
    /// Hundredths of a percent: 1900 is 19 %.
    rate_bps: i32,
    /// Whether prices and shipping have the tax in them; else it comes on top.
    inclusive: bool,
    /// From when on; from now on without it.
    valid_from: Option<DateTime<Utc>>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetTaxRatePayload {
    /// From when on it is valid; null when something is wrong.
    valid_from: Option<DateTime<Utc>>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetTaxRateError>,
}

user_error! {
    /// Why a tax was not taken.
    SetTaxRateError (SetTaxRateErrorCode) {
        /// The rate is not 0 to 10,000.
        RateOutOfRange,
        /// The country is not two capital letters.
        CountryInvalid,
        /// The region is empty or too long.
        RegionInvalid,
    }
}

/// The platform's fee from a time on.
#[derive(InputObject)]
pub struct SetPlatformFeeInput {
    /// Of goods after discounts, without tax, in hundredths of a percent: 500 is 5 %.
    rate_bps: i32,
    /// From when on; from now on without it.
    valid_from: Option<DateTime<Utc>>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetPlatformFeePayload {
    /// From when on it is valid; null when something is wrong.
    valid_from: Option<DateTime<Utc>>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetPlatformFeeError>,
}

user_error! {
    /// Why a fee was not taken.
    SetPlatformFeeError (SetPlatformFeeErrorCode) {
        /// The rate is not 0 to 10,000.
        RateOutOfRange,
    }
}

#[derive(Default)]
pub struct RateQueries;

#[Object]
impl RateQueries {
    /// What a seller takes for shipping. Empty: everywhere for nothing.
    async fn shipping_rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shop.")] seller_id: SellerId,
    ) -> Result<Vec<ShippingRate>> {
        let mut rates = rates::shipping(ctx.data_unchecked::<Env>().db.read(), [seller_id]).await?;
        Ok(rates.remove(&seller_id).unwrap_or_default().into_iter().map(ShippingRate::from).collect())
    }
}

#[derive(Default)]
pub struct RateMutations;

#[Object]
impl RateMutations {
    /// Replaces what a shop takes for shipping. Orders placed before keep their price.
    async fn set_shipping_rates(
        &self,
        ctx: &Context<'_>,
        input: SetShippingRatesInput,
    ) -> Result<SetShippingRatesPayload> {
        use SetShippingRatesErrorCode as Code;
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        keeper.wait_for_shop(&env.db, input.seller_id, crate::limits::MIRROR_WAIT).await?;
        let rates = input.rates.into_iter().map(Rate::from).collect();
        let done = tx::run(&env.db, async |tx| rates::set_shipping(tx, keeper, input.seller_id, rates).await)
            .await?;
        let refusal = match done {
            Ok(id) => {
                return Ok(SetShippingRatesPayload { seller: Some(Seller { id }), user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let error = |code, field: &[&str]| SetShippingRatesError::new(code, field, refusal);
        let error = match refusal {
            SetRatesRefusal::SellerNotFound => error(Code::SellerNotFound, &["input", "sellerId"]),
            SetRatesRefusal::RatesInvalid => error(Code::RatesInvalid, &["input", "rates"]),
            SetRatesRefusal::CountryInvalid { rate } => {
                error(Code::CountryInvalid, &["input", "rates", &rate.to_string(), "country"])
            }
            SetRatesRefusal::AmountOutOfRange { rate } => {
                error(Code::AmountOutOfRange, &["input", "rates", &rate.to_string()])
            }
        };
        Ok(SetShippingRatesPayload { seller: None, user_errors: vec![error] })
    }

    /// Says what a piece of some offers weighs, packed: shipping by weight counts with it. 0 until said.
    async fn set_parcel_weight(
        &self,
        ctx: &Context<'_>,
        input: SetParcelWeightInput,
    ) -> Result<SetParcelWeightPayload> {
        use SetParcelWeightErrorCode as Code;
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let (offers, grams) = (input.offer_ids, input.grams.0);
        let done = tx::run(&env.db, async |tx| rates::weigh(tx, keeper, offers.clone(), grams).await).await?;
        let (code, field, refusal) = match done {
            Ok(()) => {
                let offers = offers.into_iter().map(|id| Offer { id }).collect();
                return Ok(SetParcelWeightPayload { offers, user_errors: vec![] });
            }
            Err(refusal @ WeighRefusal::OffersOutOfRange) => (Code::OffersOutOfRange, "offerIds", refusal),
            Err(refusal @ WeighRefusal::OfferNotFound) => (Code::OfferNotFound, "offerIds", refusal),
            Err(refusal @ WeighRefusal::GramsOutOfRange) => (Code::GramsOutOfRange, "grams", refusal),
        };
        let error = SetParcelWeightError::new(code, &["input", field], refusal);
        Ok(SetParcelWeightPayload { offers: vec![], user_errors: vec![error] })
    }

    /// Sets a tax from a time on. Orders placed before keep their price. For admins.
    async fn set_tax_rate(&self, ctx: &Context<'_>, input: SetTaxRateInput) -> Result<SetTaxRatePayload> {
        use SetTaxRateErrorCode as Code;
        let tax = Tax { rate_bps: input.rate_bps.into(), inclusive: input.inclusive };
        let place = Destination { country: input.country, region: input.region };
        let done = set_platform(ctx, PlatformRate::Tax { place, tax }, input.valid_from).await?;
        let (code, field, refusal) = match done {
            Ok(valid_from) => {
                return Ok(SetTaxRatePayload { valid_from: Some(valid_from), user_errors: vec![] });
            }
            Err(refusal @ PlatformRefusal::RateOutOfRange) => (Code::RateOutOfRange, "rateBps", refusal),
            Err(refusal @ PlatformRefusal::CountryInvalid) => (Code::CountryInvalid, "country", refusal),
            Err(refusal @ PlatformRefusal::RegionInvalid) => (Code::RegionInvalid, "region", refusal),
        };
        let error = SetTaxRateError::new(code, &["input", field], refusal);
        Ok(SetTaxRatePayload { valid_from: None, user_errors: vec![error] })
    }

    /// Sets the platform's fee from a time on. For admins.
    async fn set_platform_fee(
        &self,
        ctx: &Context<'_>,
        input: SetPlatformFeeInput,
    ) -> Result<SetPlatformFeePayload> {
        let rate = PlatformRate::Fee { rate_bps: input.rate_bps.into() };
        Ok(match set_platform(ctx, rate, input.valid_from).await? {
            Ok(valid_from) => SetPlatformFeePayload { valid_from: Some(valid_from), user_errors: vec![] },
            Err(refusal) => {
                let code = SetPlatformFeeErrorCode::RateOutOfRange;
                let error = SetPlatformFeeError::new(code, &["input", "rateBps"], refusal);
                SetPlatformFeePayload { valid_from: None, user_errors: vec![error] }
            }
        })
    }
}

async fn set_platform(
    ctx: &Context<'_>,
    rate: PlatformRate,
    valid_from: Option<DateTime<Utc>>,
) -> Result<Result<DateTime<Utc>, PlatformRefusal>> {
    let viewer = Viewer::with_role(ctx, Role::Admin)?;
    let env = ctx.data_unchecked::<Env>();
    let now = env.clock.now();
    let valid_from = valid_from.unwrap_or(now);
    let (action, details) = match &rate {
        PlatformRate::Tax { place, tax } => (
            "orders.tax_set",
            json!({ "country": place.country, "region": place.region, "bps": tax.rate_bps, "from": valid_from }),
        ),
        PlatformRate::Fee { rate_bps } => ("orders.fee_set", json!({ "bps": rate_bps, "from": valid_from })),
    };
    let actor = viewer.user.to_string();
    let done = tx::run(&env.db, async |tx| {
        if let Err(refusal) = rates::set_platform(tx, now, rate, valid_from).await? {
            return Ok(Err(refusal));
        }
        audit::record(tx, now, &actor, action, "platform", details).await?;
        Ok(Ok(valid_from))
    });
    Ok(done.await?)
}
