//! Markets as they move, through the graph.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use contract::MarketId;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::{Value, json};

use super::pit::{Pit, again, code, status};
use crate::support::{Market, Person};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

const WATCH: &str = "subscription($id: ID!, $after: Long, $levels: Int, $pause: Int) {
    it: market(id: $id, afterSeq: $after, levels: $levels, minIntervalMs: $pause) {
        kind seq prevSeq firstSeq checksum bids { price { amountMinor } quantity } asks { price { amountMinor } quantity }
        trades { seq price { amountMinor } quantity makerSide } } }";
const MINE: &str = "subscription($after: Long) { it: myBookOrders(afterSeq: $after) { seq order { id side status remaining } } }";

fn watch(pit: &Pit<'_>, after: Option<i64>) -> BoxStream<'static, Value> {
    pit.market.subscribe("bidding", None, WATCH, json!({ "id": pit.id, "after": after }))
}

async fn next(feed: &mut BoxStream<'static, Value>) -> Value {
    loop {
        let mut answer = tokio::time::timeout(PATIENCE, feed.next())
            .await
            .expect("an update comes")
            .expect("it is no end");
        assert!(answer.get("errors").is_none(), "{answer:#}");
        let update = answer["data"]["it"].take();
        if update["kind"] != "HEARTBEAT" {
            return update;
        }
    }
}

/// The refusal that a subscription begins with.
async fn refused(market: &Market, by: Option<&Person>, query: &str, variables: Value) -> String {
    let mut feed = market.subscribe("bidding", by, query, variables);
    let answer = tokio::time::timeout(PATIENCE, feed.next()).await.expect("an answer comes").unwrap();
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned()
}

/// A book as a browser keeps it: it knows nothing but the published rules.
#[derive(Default)]
struct Browser {
    seq: i64,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    trades: Vec<i64>,
}

impl Browser {
    fn hear(&mut self, update: &Value) {
        match update["kind"].as_str().unwrap() {
            "SNAPSHOT" => {
                self.bids.clear();
                self.asks.clear();
            }
            "DELTA" => {
                assert_eq!(update["prevSeq"], json!(self.seq), "{update}");
                assert_eq!(update["firstSeq"], json!(self.seq + 1), "{update}");
            }
            other => panic!("{other}"),
        }
        for (side, levels) in [(&mut self.bids, &update["bids"]), (&mut self.asks, &update["asks"])] {
            for level in levels.as_array().unwrap() {
                let price = level["price"]["amountMinor"].as_i64().unwrap();
                match level["quantity"].as_i64().unwrap() {
                    0 => _ = side.remove(&price),
                    quantity => _ = side.insert(price, quantity),
                }
            }
        }
        let sold = update["trades"].as_array().unwrap().iter().map(|trade| trade["seq"].as_i64().unwrap());
        self.trades.extend(sold);
        self.seq = update["seq"].as_i64().unwrap();
        assert_eq!(update["checksum"], json!(self.checksum()), "{update}");
    }

    /// As the documentation of `MarketDepth.checksum` says.
    fn checksum(&self) -> String {
        let text = |levels: Vec<(&i64, &i64)>| {
            levels
                .iter()
                .take(10)
                .map(|(price, quantity)| format!("{price}:{quantity}"))
                .collect::<Vec<_>>()
                .join(",")
        };
        let (bids, asks) = (text(self.bids.iter().rev().collect()), text(self.asks.iter().collect()));
        let mut crc = u32::MAX;
        for byte in format!("{bids}|{asks}").bytes() {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        format!("{:08x}", !crc)
    }

    fn levels(&self) -> Value {
        let level = |(price, quantity): (&i64, &i64)| json!({ "price": { "amountMinor": price }, "quantity": quantity });
        let (bids, asks): (Vec<_>, Vec<_>) =
            (self.bids.iter().rev().map(level).collect(), self.asks.iter().map(level).collect());
        json!({ "seq": self.seq, "bids": bids, "asks": asks, "checksum": self.checksum() })
    }
}

async fn depth(pit: &Pit<'_>) -> Value {
    let query = "query($id: ID!) { market(variantId: $id) { depth { seq checksum bids { price { amountMinor } quantity } asks { price { amountMinor } quantity } } } }";
    pit.market.data("bidding", None, query, json!({ "id": pit.variant })).await["market"]["depth"].take()
}

async fn data(pit: &Pit<'_>, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ market(variantId: $id) {{ {fields} }} }}");
    pit.market.data("bidding", None, &query, json!({ "id": pit.variant })).await["market"].take()
}

async fn set_retail(pit: &Pit<'_>, by: &Person, minor: i64) -> Value {
    let query = "mutation($input: SetRetailPriceInput!) { it: setRetailPrice(input: $input) { market { id } userErrors { code } } }";
    let input = json!({ "input": { "marketId": pit.id, "retailPriceMinor": minor } });
    pit.market.ask("bidding", Some(by), query, input).await
}

souk_test! {
    async fn a_browser_keeps_the_book_and_goes_on_after_a_broken_connection(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
        let mut feed = watch(&pit, None);
        let mut browser = Browser::default();
        browser.hear(&next(&mut feed).await);
        assert_eq!(browser.levels(), depth(&pit).await);
        assert_eq!(browser.asks, BTreeMap::from([(20_000, 1)]));

        let mut wanted = pit.bid_input(20_500);
        wanted["quantity"] = json!(3);
        pit.place("placeBid", "PlaceBidInput", &buyer, wanted).await;
        browser.hear(&next(&mut feed).await);
        assert_eq!((browser.trades.len(), browser.bids.clone()), (1, BTreeMap::from([(20_500, 2)])));
        drop(feed);

        for price in [19_000, 19_500, 20_000] {
            assert_eq!(status(&pit.bid(&buyer, price).await), "OPEN");
        }
        assert_eq!(status(&pit.sell_now(&pit.seller, 20_500).await), "FILLED");
        let mut feed = watch(&pit, Some(browser.seq));
        let missed = next(&mut feed).await;
        assert_eq!(missed["kind"], "DELTA", "{missed}");
        browser.hear(&missed);
        assert_eq!((browser.levels(), browser.trades.len()), (depth(&pit).await, 2));
        let mut stranger = watch(&pit, Some(browser.seq + 1_000));
        assert_eq!(next(&mut stranger).await["kind"], "SNAPSHOT", "nobody has seen what is yet to come");
    }

    async fn tickers_tell_best_prices_and_the_last_sale(market: &Market) {
        let pit = Pit::open(market).await;
        let query = "subscription($ids: [ID!]!) { it: tickers(marketIds: $ids) {
            market { id } lowestAsk { amountMinor } highestBid { amountMinor } lastSale { price { amountMinor } } } }";
        let mut feed = market.subscribe("bidding", None, query, json!({ "ids": [pit.id, pit.id] }));
        let first = next(&mut feed).await;
        assert_eq!(first, json!({ "market": { "id": pit.id }, "lowestAsk": null, "highestBid": null, "lastSale": null }));
        pit.ask(&pit.seller, 20_000).await;
        assert_eq!(next(&mut feed).await["lowestAsk"]["amountMinor"], 20_000);
        pit.bid(&market.buyer(), 20_000).await;
        let mut sold = next(&mut feed).await;
        while sold["lastSale"].is_null() {
            sold = next(&mut feed).await;
        }
        assert_eq!((&sold["lastSale"]["price"]["amountMinor"], &sold["lowestAsk"]), (&json!(20_000), &Value::Null));
    }

    async fn a_candle_changes_with_each_trade(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        let sell = async |price| {
            pit.ask(&pit.seller, price).await;
            assert_eq!(status(&pit.bid(&buyer, price).await), "FILLED");
        };
        sell(20_000).await;
        let query = "subscription($id: ID!) { it: candle(id: $id, interval: MINUTE) { start end open { amountMinor }
            high { amountMinor } low { amountMinor } close { amountMinor } volume turnover { amountMinor } trades } }";
        let mut feed = market.subscribe("bidding", None, query, json!({ "id": pit.id }));
        let first = next(&mut feed).await;
        assert_eq!((&first["open"]["amountMinor"], &first["volume"]), (&json!(20_000), &json!(1)));
        sell(21_000).await;
        let second = next(&mut feed).await;
        let prices = ["open", "high", "low", "close"].map(|field| second[field]["amountMinor"].as_i64().unwrap());
        assert_eq!(prices, [20_000, 21_000, 20_000, 21_000]);
        assert_eq!((&second["volume"], &second["turnover"]["amountMinor"], &second["trades"]), (&json!(2), &json!(41_000), &json!(2)));
        market.clock.advance(TimeDelta::minutes(1));
        sell(22_000).await;
        let third = next(&mut feed).await;
        assert_eq!((&third["start"], &third["open"]["amountMinor"]), (&second["end"], &json!(22_000)));
    }

    async fn only_the_owner_hears_of_their_orders(market: &Market) {
        let pit = Pit::open(market).await;
        let (buyer, other) = (market.buyer(), market.buyer());
        pit.bid(&buyer, 18_000).await;
        pit.bid(&other, 17_000).await;
        market.settle().await;
        let mut feed = market.subscribe("bidding", Some(&buyer), MINE, json!({}));
        let first = next(&mut feed).await;
        assert_eq!((&first["order"]["status"], &first["order"]["remaining"]), (&json!("OPEN"), &json!(1)));
        assert_eq!(status(&pit.sell_now(&pit.seller, 18_000).await), "FILLED");
        let sold = next(&mut feed).await;
        assert_eq!((&sold["order"]["id"], &sold["order"]["status"]), (&first["order"]["id"], &json!("FILLED")));
        assert!(sold["seq"].as_i64() > first["seq"].as_i64(), "{sold}");
        drop(feed);

        let bid = pit.bid(&buyer, 16_000).await;
        assert_eq!(status(&bid), "OPEN");
        let mut feed = market.subscribe("bidding", Some(&buyer), MINE, json!({ "after": sold["seq"] }));
        let missed = next(&mut feed).await;
        assert_eq!(missed["order"]["id"], bid["order"]["id"], "the other's bid is not among them");
        pit.cancel(&buyer, &bid["order"]["id"]).await;
        assert_eq!(next(&mut feed).await["order"]["status"], "CANCELLED");
        assert_eq!(refused(market, None, MINE, json!({})).await, "UNAUTHENTICATED");
    }

    async fn a_market_shows_its_trades_and_its_chart(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        for price in [20_000, 22_000, 21_000] {
            pit.ask(&pit.seller, price).await;
            pit.bid(&buyer, price).await;
            market.clock.advance(TimeDelta::minutes(2));
        }
        market.settle().await;
        let page = data(&pit, "trades(first: 2) { nodes { seq price { amountMinor } quantity makerSide } pageInfo { hasNextPage endCursor } }").await;
        let prices: Vec<&Value> = page["trades"]["nodes"].as_array().unwrap().iter().map(|trade| &trade["price"]["amountMinor"]).collect();
        assert_eq!(prices, [21_000, 22_000]);
        assert_eq!((&page["trades"]["nodes"][0]["makerSide"], &page["trades"]["pageInfo"]["hasNextPage"]), (&json!("ASK"), &json!(true)));
        let cursor = page["trades"]["pageInfo"]["endCursor"].as_str().unwrap();
        let rest = data(&pit, &format!("trades(after: \"{cursor}\") {{ nodes {{ price {{ amountMinor }} }} pageInfo {{ hasNextPage }} }}")).await;
        assert_eq!(rest["trades"], json!({ "nodes": [{ "price": { "amountMinor": 20_000 } }], "pageInfo": { "hasNextPage": false } }));

        let from = (market.clock.now() - TimeDelta::minutes(10)).to_rfc3339();
        let chart = async |arguments: &str| {
            let fields = format!("candles(interval: MINUTE, from: \"{from}\"{arguments}) {{ close {{ amountMinor }} volume }}");
            let found = data(&pit, &fields).await;
            let candles = found["candles"].as_array().unwrap().clone();
            candles.iter().map(|candle| (candle["close"]["amountMinor"].as_i64().unwrap(), candle["volume"].as_i64().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(chart("").await, [(20_000, 1), (22_000, 1), (21_000, 1)]);
        assert_eq!(
            chart(", fill: PREVIOUS").await,
            [(20_000, 1), (20_000, 0), (22_000, 1), (22_000, 0), (21_000, 1), (21_000, 0)],
            "up to now, and not before the first trade"
        );
    }

    async fn a_market_knows_its_numbers(market: &Market) {
        let pit = Pit::open(market).await;
        let fields = "stats { high52Weeks { amountMinor } low52Weeks { amountMinor } sales72Hours meanPrice90Days { amountMinor }
            change24Hours { amountMinor } volatility retailPrice { amountMinor } premium lastSale { price { amountMinor } } }";
        let empty = data(&pit, fields).await;
        assert_eq!((&empty["stats"]["high52Weeks"], &empty["stats"]["sales72Hours"], &empty["stats"]["premium"]), (&Value::Null, &json!(0), &Value::Null));
        let buyer = market.buyer();
        for price in [20_000, 25_000] {
            pit.ask(&again(market, &pit.seller), price).await;
            pit.bid(&again(market, &buyer), price).await;
            market.clock.advance(TimeDelta::hours(24));
        }
        market.settle().await;
        assert_eq!(set_retail(&pit, &market.admin(), 10_000).await["data"]["it"]["userErrors"], json!([]));
        let stats = data(&pit, fields).await["stats"].take();
        let minor = |field: &str| stats[field]["amountMinor"].as_i64();
        assert_eq!([minor("high52Weeks"), minor("low52Weeks"), minor("meanPrice90Days")], [Some(25_000), Some(20_000), Some(22_500)]);
        assert_eq!((minor("change24Hours"), &stats["sales72Hours"], &stats["volatility"]), (Some(0), &json!(2), &Value::Null));
        assert_eq!((minor("retailPrice"), stats["premium"].as_f64()), (Some(10_000), Some(1.5)));

        let denied = set_retail(&pit, &again(market, &buyer), 10_000).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN", "{denied}");
        assert_eq!(code(&set_retail(&pit, &market.admin(), 0).await["data"]["it"]), "PRICE_INVALID");
    }

    async fn what_cannot_be_watched_is_refused(market: &Market) {
        let pit = Pit::open(market).await;
        for variables in [
            json!({ "id": pit.id, "levels": 0 }),
            json!({ "id": pit.id, "levels": 201 }),
            json!({ "id": pit.id, "after": -1 }),
            json!({ "id": pit.id, "pause": -1 }),
            json!({ "id": pit.id, "pause": 60_001 }),
            json!({ "id": MarketId::new() }),
        ] {
            assert_eq!(refused(market, None, WATCH, variables.clone()).await, "BAD_USER_INPUT", "{variables}");
        }
        let tickers = "subscription($ids: [ID!]!) { tickers(marketIds: $ids) { seq } }";
        for ids in [vec![], vec![pit.id.clone(); 101], vec![MarketId::new().to_string()]] {
            assert_eq!(refused(market, None, tickers, json!({ "ids": ids })).await, "BAD_USER_INPUT");
        }
        let long = "query($id: ID!) { market(variantId: $id) { candles(interval: MINUTE, from: \"2020-01-01T00:00:00Z\") { start } } }";
        let answer = market.ask("bidding", None, long, json!({ "id": pit.variant })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
}
