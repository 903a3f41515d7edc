//! Markets, as clients see them.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object, Result, SimpleObject};
use chassis::page::{Cursor, Page};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, MarketId, Money, VariantId};
use entity::bidding::{market as row, ticker};

use super::loaders::{MarketOf, TickerOf, load};
use super::market_data::{
    self, CandleFill, CandleInterval, MarketCandle, MarketDepth, MarketStats, MarketTrade,
};
use super::stubs::{Condition, Variant};
use crate::engine::Ticker;
use crate::floor::Floor;
use crate::market::CURRENCY_DEFAULT;

/// Where one variant in one condition is bid for, in one currency.
pub struct Market(pub row::Model);

#[Object]
impl Market {
    /// The market's id.
    async fn id(&self) -> MarketId {
        self.0.id
    }

    /// What is bought and sold.
    async fn variant(&self) -> Variant {
        Variant { id: self.0.variant_id }
    }

    /// The state of the goods.
    async fn condition(&self) -> Condition {
        self.0.condition.into()
    }

    /// The currency of all its prices.
    async fn currency(&self) -> CurrencyCode {
        self.0.currency()
    }

    /// Every price is a multiple of this.
    async fn tick(&self) -> Money {
        self.0.money(self.0.tick_minor)
    }

    /// No price is lower.
    async fn price_min(&self) -> Money {
        self.0.money(self.0.price_min_minor)
    }

    /// No price is higher.
    async fn price_max(&self) -> Money {
        self.0.money(self.0.price_max_minor)
    }

    /// For so much somebody sells now. Null: nobody does.
    async fn lowest_ask(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        Ok(self.quote(ctx).await?.lowest_ask)
    }

    /// For so much somebody buys now. Null: nobody does.
    async fn highest_bid(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        Ok(self.quote(ctx).await?.highest_bid)
    }

    /// The latest match. Null: there was none.
    async fn last_sale(&self, ctx: &Context<'_>) -> Result<Option<MarketSale>> {
        Ok(self.quote(ctx).await?.last_sale)
    }

    /// What rests in it, at the best prices.
    async fn depth(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Best prices of each side: 1 to 200, 20 without it.")] levels: Option<i32>,
    ) -> Result<MarketDepth> {
        market_data::depth(ctx, &self.0, market_data::levels(levels)?).await
    }

    /// Every trade, the newest first.
    async fn trades(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<i64>, MarketTrade>> {
        market_data::trades(ctx, &self.0, Page::read(first, after.as_deref())?).await
    }

    /// A stretch of its chart: at most 1,000 candles, in UTC.
    async fn candles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How long each is.")] interval: CandleInterval,
        #[graphql(desc = "A time in the first of them.")] from: DateTime<Utc>,
        #[graphql(desc = "They begin before this; now without it.")] to: Option<DateTime<Utc>>,
        #[graphql(desc = "What an interval without a trade shows.", default_with = "CandleFill::None")]
        fill: CandleFill,
    ) -> Result<Vec<MarketCandle>> {
        market_data::candles(ctx, &self.0, interval, (from, to), fill).await
    }

    /// Numbers about its sales, as of now.
    async fn stats(&self, ctx: &Context<'_>) -> Result<MarketStats> {
        market_data::market_stats(ctx, &self.0).await
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime<Utc> {
        self.0.opened_at
    }
}

/// A price at which a piece changed hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SimpleObject)]
pub struct MarketSale {
    /// The price of one piece.
    pub price: Money,
    /// When it was matched.
    pub at: DateTime<Utc>,
}

/// A market's best prices now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    pub lowest_ask: Option<Money>,
    pub highest_bid: Option<Money>,
    pub last_sale: Option<MarketSale>,
}

impl Market {
    /// What is acknowledged where the market's partition is written here, or was told to a command of this process; else what
    /// its rows say.
    pub(super) async fn quote(&self, ctx: &Context<'_>) -> Result<Quote> {
        let floor = ctx.data_unchecked::<Floor>();
        let here = floor.ticker(&self.0);
        if let Some(ticker @ Ticker { last_match: Some(_), .. }) = here {
            return Ok(self.as_quote(ticker));
        }
        let kept = load(ctx, TickerOf(self.0.id)).await?.map(as_ticker).unwrap_or_default();
        let told = here.or_else(|| floor.ticker_elsewhere(&self.0, kept.seq)).unwrap_or(kept);
        Ok(self.as_quote(Ticker { last_match: told.last_match.or(kept.last_match), ..told }))
    }

    fn as_quote(&self, ticker: Ticker) -> Quote {
        let money = |minor: i64| self.0.money(minor);
        let sale =
            |(minor, at)| Some(MarketSale { price: money(minor), at: DateTime::from_timestamp_micros(at)? });
        Quote {
            lowest_ask: ticker.lowest_ask.map(money),
            highest_bid: ticker.highest_bid.map(money),
            last_sale: ticker.last_match.and_then(sale),
        }
    }
}

/// A market's ticker as its row has it.
fn as_ticker(row: ticker::Model) -> Ticker {
    let last_match = row.last_sale_minor.zip(row.last_sale_at);
    Ticker {
        seq: row.sequence as u64,
        lowest_ask: row.lowest_ask_minor,
        highest_bid: row.highest_bid_minor,
        last_match: last_match.map(|(price, at)| (price, at.timestamp_micros())),
    }
}

#[derive(Default)]
pub struct MarketQueries;

#[Object]
impl MarketQueries {
    /// The market of a variant. Null until somebody opens it with `openMarket`.
    async fn market(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is bought and sold.")] variant_id: VariantId,
        #[graphql(desc = "The state of the goods.", default_with = "Condition::New")] condition: Condition,
        #[graphql(desc = "The market's currency; USD without it.")] currency: Option<CurrencyCode>,
    ) -> Result<Option<Market>> {
        let currency = currency.unwrap_or(CURRENCY_DEFAULT);
        let key = MarketOf { variant: variant_id, condition: condition.into(), currency };
        Ok(load(ctx, key).await?.map(Market))
    }

    #[graphql(entity)]
    async fn find_market_by_id(&self, ctx: &Context<'_>, id: MarketId) -> Result<Option<Market>> {
        Ok(load(ctx, id).await?.map(Market))
    }

    #[graphql(entity)]
    async fn find_variant_by_id(&self, id: VariantId) -> Variant {
        Variant { id }
    }
}
