//! A market of one variant, and people who trade in it through the graph.

use std::sync::atomic::{AtomicU64, Ordering};

use chassis::auth::Role;
use chassis::{outbox, tx};
use contract::event::bidding::{Matched, Ticker};
use contract::{AddressId, Aggregate, Envelope, Event, OfferId, VariantId};
use entity::shared::outbox as outbox_row;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::orders::levels;
use crate::support::goods::Goods;
use crate::support::{Market, Person};

/// What every mutation of an order is asked for.
const PAYLOAD: &str =
    "order { id side status reason price { amountMinor } quantity remaining filled expiresAt }";
const PLACED: &str = "matches { price { amountMinor } quantity } userErrors { code field lowestAsk { amountMinor } \
                      highestBid { amountMinor } tick { amountMinor } priceMin { amountMinor } priceMax { amountMinor } max suspendedUntil available declineCode }";

pub struct Pit<'m> {
    pub market: &'m Market,
    pub id: String,
    pub variant: VariantId,
    pub seller: Person,
    /// What the seller has on the shelf of it.
    pub offer: OfferId,
    currency: String,
    keys: AtomicU64,
}

impl<'m> Pit<'m> {
    /// Opens the market of a new variant of which a new seller has three in stock.
    pub async fn open(market: &'m Market) -> Self {
        Self::stocked(market, 3).await
    }

    /// [`open`](Self::open) with so many pieces in stock.
    pub async fn stocked(market: &'m Market, pieces: i64) -> Self {
        Self::stocked_in(market, "USD", pieces).await
    }

    pub async fn stocked_in(market: &'m Market, currency: &str, pieces: i64) -> Self {
        let seller = market.seller("Pit").await;
        let Goods { variant, offer, .. } = Goods::stock(market, &seller, "Runner 42", pieces).await;
        let opened =
            open_market(market, &market.admin(), json!({ "variantId": variant, "currency": currency })).await;
        assert_eq!(opened["userErrors"], json!([]), "{opened}");
        let id = opened["market"]["id"].as_str().unwrap().to_owned();
        Self { market, id, variant, seller, currency: currency.into(), offer, keys: AtomicU64::new(0) }
    }

    /// The same in another process.
    pub fn moved_to(self, market: &Market) -> Pit<'_> {
        let Self { id, variant, seller, currency, offer, keys, .. } = self;
        let seller = again(market, &seller);
        Pit { market, id, variant, seller, currency, offer, keys }
    }

    /// A key that nobody used.
    pub fn key(&self) -> String {
        format!("key {}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// What a bid says, to be changed.
    pub fn bid_input(&self, price: i64) -> Value {
        json!({
            "idempotencyKey": self.key(), "marketId": self.id, "priceMinor": price,
            "paymentMethod": "pm_card_visa", "addressId": AddressId(uuid::Uuid::nil()),
        })
    }

    /// What an ask says, to be changed.
    pub fn ask_input(&self, price: i64) -> Value {
        json!({ "idempotencyKey": self.key(), "marketId": self.id, "priceMinor": price })
    }

    pub async fn bid(&self, by: &Person, price: i64) -> Value {
        self.place("placeBid", "PlaceBidInput", by, self.bid_input(price)).await
    }

    pub async fn ask(&self, by: &Person, price: i64) -> Value {
        self.place("placeAsk", "PlaceAskInput", by, self.ask_input(price)).await
    }

    /// What an ask with so many pieces of stock behind it says.
    pub fn backed_input(&self, price: i64, quantity: i64) -> Value {
        let mut input = self.ask_input(price);
        (input["offerId"], input["quantity"]) = (json!(self.offer), json!(quantity));
        input
    }

    pub async fn ask_backed(&self, price: i64, quantity: i64) -> Value {
        self.place("placeAsk", "PlaceAskInput", &self.seller, self.backed_input(price, quantity)).await
    }

    /// On hand, reserved and available, once everything is said.
    pub async fn stock(&self) -> [i64; 3] {
        self.market.settle().await;
        levels(self.market, self.offer).await
    }

    pub async fn buy_now(&self, by: &Person, max_price: i64) -> Value {
        let mut input = self.bid_input(max_price);
        input["maxPriceMinor"] = input.as_object_mut().unwrap().remove("priceMinor").unwrap();
        self.place("buyNow", "BuyNowInput", by, input).await
    }

    pub async fn sell_now(&self, by: &Person, min_price: i64) -> Value {
        let mut input = self.ask_input(min_price);
        input["minPriceMinor"] = input.as_object_mut().unwrap().remove("priceMinor").unwrap();
        self.place("sellNow", "SellNowInput", by, input).await
    }

    pub async fn place(&self, mutation: &str, kind: &str, by: &Person, input: Value) -> Value {
        let query =
            format!("mutation($input: {kind}!) {{ it: {mutation}(input: $input) {{ {PAYLOAD} {PLACED} }} }}");
        self.mutate(&query, by, input).await
    }

    pub async fn amend(&self, by: &Person, id: &Value, change: Value) -> Value {
        let mut input = change;
        input["id"] = id.clone();
        input["idempotencyKey"] = json!(self.key());
        let query = format!(
            "mutation($input: AmendBookOrderInput!) {{ it: amendBookOrder(input: $input) {{ {PAYLOAD}
                userErrors {{ code field status filled suspendedUntil lowestAsk {{ amountMinor }} highestBid {{ amountMinor }} }} }} }}"
        );
        self.mutate(&query, by, input).await
    }

    pub async fn cancel(&self, by: &Person, id: &Value) -> Value {
        let query = format!(
            "mutation($input: CancelBookOrderInput!) {{ it: cancelBookOrder(input: $input) {{ {PAYLOAD} userErrors {{ code field status }} }} }}"
        );
        self.mutate(&query, by, json!({ "id": id, "idempotencyKey": self.key() })).await
    }

    async fn mutate(&self, query: &str, by: &Person, input: Value) -> Value {
        self.market.data("bidding", Some(by), query, json!({ "input": input })).await["it"].take()
    }

    /// The lowest ask, the highest bid and the last sale.
    pub async fn quote(&self) -> [Option<i64>; 3] {
        let query = "query($id: ID!, $currency: CurrencyCode) { market(variantId: $id, currency: $currency) { lowestAsk { amountMinor } highestBid { amountMinor } lastSale { price { amountMinor } } } }";
        let seen = self
            .market
            .data("bidding", None, query, json!({ "id": self.variant, "currency": self.currency }))
            .await;
        let market = &seen["market"];
        [&market["lowestAsk"], &market["highestBid"], &market["lastSale"]["price"]]
            .map(|money| money["amountMinor"].as_i64())
    }

    /// Every piece that was matched, in the order in which it was said.
    pub async fn matched(&self) -> Vec<Matched> {
        let said = self.said("bidding.matched").await;
        let matched = said.into_iter().map(|event| match event {
            Event::Matched(matched) => matched,
            other => panic!("{other:?}"),
        });
        matched.collect()
    }

    /// Every ticker that was said.
    pub async fn tickers(&self) -> Vec<Ticker> {
        let said = self.said("bidding.ticker").await;
        let tickers = said.into_iter().map(|event| match event {
            Event::Ticker(ticker) => ticker,
            other => panic!("{other:?}"),
        });
        tickers.collect()
    }

    async fn said(&self, kind: &str) -> Vec<Event> {
        self.market.settle().await;
        let rows = outbox_row::Entity::find()
            .filter(outbox_row::Column::Kind.eq(kind))
            .order_by_asc(outbox_row::Column::Seq)
            .all(self.market.env("bidding").db.read())
            .await
            .unwrap();
        rows.iter().map(|row| serde_json::from_str::<Envelope>(&row.envelope).unwrap().event).collect()
    }
}

/// Runs the job that tells the engine what it has not heard.
pub async fn tell_engine(market: &Market) {
    run_job(market, "bidding.floor").await;
}

/// Runs a job once.
pub async fn run_job(market: &Market, name: &str) {
    let jobs = market.souk.services.iter().flat_map(|service| &service.subgraph.jobs);
    for job in jobs.filter(|job| job.name == name) {
        (job.run)().await.unwrap();
    }
    market.settle().await;
}

/// Says something as another service would, about an aggregate of this version.
pub async fn say(market: &Market, service: &str, aggregate: Aggregate, event: impl Into<Event>) {
    let (now, event) = (market.clock.now(), event.into());
    tx::apply(&market.env(service).db, async |tx| outbox::say(tx, now, aggregate, event).await)
        .await
        .unwrap();
    market.settle().await;
}

/// The same person with a token that is good now.
pub fn again(market: &Market, person: &Person) -> Person {
    let roles = if person.seller.is_some() { &[Role::Buyer, Role::Seller][..] } else { &[Role::Buyer] };
    let token = market.minter.token(person.user, roles, market.clock.now());
    Person { token, ..person.clone() }
}

pub async fn open_market(market: &Market, by: &Person, input: Value) -> Value {
    let query = "mutation($input: OpenMarketInput!) { it: openMarket(input: $input) { market { id currency condition tick { amountMinor } variant { id } } userErrors { code field } } }";
    market.data("bidding", Some(by), query, json!({ "input": input })).await["it"].take()
}

/// The code of the only error.
pub fn code(payload: &Value) -> &str {
    assert_eq!(payload["userErrors"].as_array().map(Vec::len), Some(1), "{payload}");
    payload["userErrors"][0]["code"].as_str().unwrap()
}

/// The status of an order that was taken in without an error.
pub fn status(payload: &Value) -> &str {
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["order"]["status"].as_str().unwrap()
}
