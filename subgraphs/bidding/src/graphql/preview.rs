//! What a bid or an ask would come to, before it is placed.

use async_graphql::{Context, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::{Denied, Env};
use contract::{Long, MarketId, Money};
use entity::bidding::market as row;

use super::loaders::load;
use super::market::Market;
use crate::floor::Floor;
use crate::rules::BidPolicy;
use crate::{fee, sold};

/// What a bid for one piece would come to.
#[derive(SimpleObject)]
pub struct BidPreview {
    /// Whether it would be matched at once.
    matches_now: bool,
    /// What the piece would cost: the lowest ask if it is matched at once, else the price that you bid.
    price: Money,
    /// What you would pay in all.
    total: Money,
    /// Whether money is held for each piece, at the price that you bid, before the bid is in the book.
    is_held: bool,
    /// For so much somebody sells now.
    lowest_ask: Option<Money>,
    /// For so much somebody buys now.
    highest_bid: Option<Money>,
}

/// What an ask for one piece would come to, with the fees of today.
#[derive(SimpleObject)]
pub struct AskPreview {
    /// Whether it would be matched at once.
    matches_now: bool,
    /// What the piece would bring: the highest bid if it is matched at once, else the price that you ask.
    price: Money,
    /// Taken off for the sale: a share by your level.
    transaction_fee: Money,
    /// Taken off for the payment.
    processing_fee: Money,
    /// What you would get.
    payout: Money,
    /// Your level as a seller, 1 to 5: what you sold in this and the last quarter.
    level: Long,
    /// The fee schedule of today.
    fee_schedule: String,
    /// For so much somebody sells now.
    lowest_ask: Option<Money>,
    /// For so much somebody buys now.
    highest_bid: Option<Money>,
}

#[derive(Default)]
pub struct PreviewQueries;

#[Object]
impl PreviewQueries {
    /// What a bid would come to. Null when there is no such market.
    async fn bid_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The market.")] market_id: MarketId,
        #[graphql(desc = "What you would bid, in minor units.")] price_minor: Long,
    ) -> Result<Option<BidPreview>> {
        Viewer::required(ctx)?;
        let Some(market) = load(ctx, market_id).await? else { return Ok(None) };
        check_price(&market, price_minor.0)?;
        let quote = Market(market.clone()).quote(ctx).await?;
        let ask = quote.lowest_ask.filter(|ask| ask.amount_minor <= price_minor.0);
        let price = ask.unwrap_or_else(|| market.money(price_minor.0));
        Ok(Some(BidPreview {
            matches_now: ask.is_some(),
            price,
            total: price,
            is_held: ctx.data_unchecked::<Floor>().rules().bid_policy == BidPolicy::FullHold,
            lowest_ask: quote.lowest_ask,
            highest_bid: quote.highest_bid,
        }))
    }

    /// What an ask of yours would come to. Null when there is no such market.
    async fn ask_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The market.")] market_id: MarketId,
        #[graphql(desc = "What you would ask, in minor units.")] price_minor: Long,
    ) -> Result<Option<AskPreview>> {
        let viewer = Viewer::required(ctx)?;
        let Some(market) = load(ctx, market_id).await? else { return Ok(None) };
        check_price(&market, price_minor.0)?;
        let quote = Market(market.clone()).quote(ctx).await?;
        let bid = quote.highest_bid.filter(|bid| bid.amount_minor >= price_minor.0);
        let price = bid.unwrap_or_else(|| market.money(price_minor.0));
        let (env, currency) = (ctx.data_unchecked::<Env>(), market.currency());
        let now = env.clock.now();
        let schedule = fee::schedule_at(now);
        let level = sold::level(env.db.read(), schedule, viewer.user.0, currency, now).await?;
        let fees = schedule.fees(level, price.amount_minor, currency);
        Ok(Some(AskPreview {
            matches_now: bid.is_some(),
            price,
            transaction_fee: market.money(fees.transaction_minor),
            processing_fee: market.money(fees.processing_minor),
            payout: market.money(fees.payout_minor),
            level: Long(level.into()),
            fee_schedule: fees.schedule.into(),
            lowest_ask: quote.lowest_ask,
            highest_bid: quote.highest_bid,
        }))
    }
}

/// # Errors
/// `BAD_USER_INPUT`: the market takes no such price.
fn check_price(market: &row::Model, price_minor: i64) -> Result<(), Denied> {
    let (least, most, tick) = (market.price_min_minor, market.price_max_minor, market.tick_minor);
    match (least..=most).contains(&price_minor) && price_minor % tick == 0 {
        true => Ok(()),
        false => Err(Denied::bad_input(
            "priceMinor",
            format!("must be a multiple of {tick} from {least} to {most}"),
        )),
    }
}
