//! A market of one variant, and people who trade in it through the graph.

use std::sync::atomic::{AtomicU64, Ordering};

use chassis::auth::Role;
use contract::event::bidding::{Matched, Ticker};
use contract::{AddressId, Envelope, Event, VariantId};
use entity::shared::outbox;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::goods::Goods;
use crate::support::{Market, Person};

/// What every mutation of an order is asked for.
const PAYLOAD: &str =
    "order { id side status reason price { amountMinor } quantity remaining filled expiresAt }";
const PLACED: &str = "matches { price { amountMinor } quantity } userErrors { code field lowestAsk { amountMinor } \
                      highestBid { amountMinor } tick { amountMinor } priceMin { amountMinor } priceMax { amountMinor } max }";

pub struct Pit<'m> {
    pub market: &'m Market,
    pub id: String,
    pub variant: VariantId,
    pub seller: Person,
    keys: AtomicU64,
}

impl<'m> Pit<'m> {
    /// Opens the market of a new variant that a new seller has in stock.
    pub async fn open(market: &'m Market) -> Self {
        let seller = market.seller("Pit").await;
        let variant = Goods::stock(market, &seller, "Runner 42", 3).await.variant;
        let opened = open_market(market, &seller, json!({ "variantId": variant })).await;
        assert_eq!(opened["userErrors"], json!([]), "{opened}");
        let id = opened["market"]["id"].as_str().unwrap().to_owned();
        Self { market, id, variant, seller, keys: AtomicU64::new(0) }
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
                userErrors {{ code field status filled lowestAsk {{ amountMinor }} highestBid {{ amountMinor }} }} }} }}"
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
        let query = "query($id: ID!) { market(variantId: $id) { lowestAsk { amountMinor } highestBid { amountMinor } lastSale { price { amountMinor } } } }";
        let seen = self.market.data("bidding", None, query, json!({ "id": self.variant })).await;
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
        let rows = outbox::Entity::find()
            .filter(outbox::Column::Kind.eq(kind))
            .order_by_asc(outbox::Column::Seq)
            .all(self.market.env("bidding").db.read())
            .await
            .unwrap();
        rows.iter().map(|row| serde_json::from_str::<Envelope>(&row.envelope).unwrap().event).collect()
    }
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
