//! Who may sell, who opens markets, and asks that come back.

use chassis::outbox::about;
use chrono::TimeDelta;
use contract::event::accounts::SellerStatus;
use contract::event::orders::{Struck, TradeFailed, TradeFailure};
use contract::event::payments::PayeeChanged;
use contract::{TradeId, VariantId};
use entity::bidding::{failed_trade, sold};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use super::pit::{Pit, again, code, open_market, say, status, tell_engine};
use crate::support::{Market, Person};

souk_test! {
    async fn only_verified_sellers_ask(market: &Market) {
        let pit = Pit::open(market).await;
        assert_eq!(code(&pit.ask(&market.buyer(), 20_000).await), "SHOP_NOT_FOUND");
        assert_eq!(code(&pit.sell_now(&market.buyer(), 20_000).await), "SHOP_NOT_FOUND");
        assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");

        market.say_seller(&pit.seller, "Pit", SellerStatus::Suspended, 2).await;
        market.settle().await;
        assert_eq!(code(&pit.ask(&pit.seller, 20_000).await), "SELLER_NOT_VERIFIED");
        tell_engine(market).await;
        assert_eq!(pit.quote().await[0], None, "a suspended seller has no asks");

        market.say_seller(&pit.seller, "Pit", SellerStatus::Verified, 3).await;
        market.settle().await;
        tell_engine(market).await;
        assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
    }

    async fn only_those_ask_who_can_be_paid(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        pit.bid(&buyer, 15_000).await;
        let seller_id = pit.seller.seller.unwrap();
        let now_is = async |ready: bool, version: i64| {
            say(market, "payments", about("payee", seller_id, version), PayeeChanged { seller_id, ready }).await;
        };
        now_is(false, 2).await;
        let seller = &pit.seller;
        let (ask, sale, batch) = futures::join!(pit.ask(seller, 20_000), pit.sell_now(seller, 15_000), list(market, &pit));
        for refused in [ask, sale, batch] {
            assert_eq!(code(&refused), "PAYOUT_ACCOUNT_NEEDED");
        }
        now_is(true, 1).await;
        assert_eq!(code(&pit.ask(&pit.seller, 20_000).await), "PAYOUT_ACCOUNT_NEEDED", "that was said before");
        now_is(true, 3).await;
        assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
        assert_eq!(status(&pit.bid(&pit.seller, 10_000).await), "OPEN", "a bid needs no account");
    }

    async fn whoever_is_suspended_takes_no_part_until_it_is_over(market: &Market) {
        let pit = Pit::open(market).await;
        let (seller, other) = (&pit.seller, market.buyer());
        pit.bid(&other, 12_000).await;
        let bid = pit.bid(seller, 10_000).await["order"]["id"].clone();
        assert_eq!(status(&pit.ask(seller, 20_000).await), "OPEN");
        let struck = async |strikes: u64, days: Option<i64>| {
            let (user_id, trade_id) = (seller.user, TradeId::new());
            let suspended_until = days.map(|days| market.clock.now() + TimeDelta::days(days));
            let struck = Struck { user_id, trade_id, strikes, suspended_until };
            say(market, "orders", about("trade", trade_id, 1), struck).await;
            tell_engine(market).await;
            suspended_until
        };
        struck(1, None).await;
        assert_eq!(pit.quote().await, [Some(20_000), Some(12_000), None], "in good standing still");
        let until = struck(3, Some(2)).await.unwrap();
        struck(3, Some(1)).await;
        assert_eq!(pit.quote().await, [None, Some(12_000), None]);
        for refused in [
            pit.bid(seller, 10_000).await,
            pit.buy_now(seller, 30_000).await,
            pit.ask(seller, 20_000).await,
            pit.sell_now(seller, 12_000).await,
            pit.amend(seller, &bid, json!({ "priceMinor": 10_100 })).await,
            list(market, &pit).await,
        ] {
            assert_eq!(code(&refused), "SUSPENDED", "{refused}");
            assert_eq!(refused["userErrors"][0]["suspendedUntil"], json!(until.to_rfc3339()), "{refused}");
        }
        let mine = "{ mySelling { paused barred suspendedUntil } myBids { edges { node { status reason } } } }";
        let seen = market.data("bidding", Some(seller), mine, json!({})).await;
        assert_eq!(seen["mySelling"], json!({ "paused": false, "barred": false, "suspendedUntil": until.to_rfc3339() }));
        assert_eq!(seen["myBids"]["edges"], json!([{ "node": { "status": "CANCELLED", "reason": "AUTH_LAPSED" } }]));

        market.clock.advance(TimeDelta::days(2));
        tell_engine(market).await;
        let seller = again(market, seller);
        assert_eq!(status(&pit.ask(&seller, 20_000).await), "OPEN");
        assert_eq!(status(&pit.bid(&seller, 10_000).await), "OPEN");
    }

    async fn a_pause_takes_every_ask_away(market: &Market) {
        let pit = Pit::open(market).await;
        for price in [20_000, 21_000] {
            pit.ask(&pit.seller, price).await;
        }
        assert_eq!(status(&pit.bid(&pit.seller, 10_000).await), "OPEN");
        for _ in 0..2 {
            assert_eq!(switch(market, &pit.seller, "pauseSelling").await, true);
            assert_eq!(pit.quote().await, [None, Some(10_000), None], "bids stay");
        }
        assert_eq!(code(&pit.ask(&pit.seller, 20_000).await), "SELLING_PAUSED");
        assert_eq!(switch(market, &pit.seller, "resumeSelling").await, false);
        assert_eq!(pit.quote().await[0], None, "nothing comes back by itself");
        assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
        let asks = "query { myAsks(status: CANCELLED) { edges { node { reason } } } }";
        market.settle().await;
        let seen = market.data("bidding", Some(&pit.seller), asks, json!({})).await;
        let gone = json!({ "node": { "reason": "SELLING_PAUSED" } });
        assert_eq!(seen["myAsks"]["edges"], json!([gone, gone]));
    }

    async fn there_is_one_market_of_each_kind(market: &Market) {
        let pit = Pit::open(market).await;
        let other = market.buyer();
        let again = open_market(market, &other, json!({ "variantId": pit.variant })).await;
        assert_eq!(again["market"]["id"], pit.id);
        let used = open_market(market, &other, json!({ "variantId": pit.variant, "condition": "GOOD" })).await;
        assert_ne!(used["market"]["id"], pit.id);
        let unknown = open_market(market, &other, json!({ "variantId": VariantId::new() })).await;
        assert_eq!(code(&unknown), "VARIANT_NOT_FOUND");

        let rules = json!({ "tickMinor": 500, "priceMinMinor": 1_000, "priceMaxMinor": 50_000 });
        let query = "mutation($input: OpenMarketInput!) { openMarket(input: $input) { market { id } } }";
        let own = json!({ "input": { "variantId": pit.variant, "condition": "ACCEPTABLE", "rules": rules } });
        let denied = market.ask("bidding", Some(&other), query, own).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN", "{denied}");
        let stranger = market.ask("bidding", None, query, json!({ "input": { "variantId": pit.variant } })).await;
        assert_eq!(stranger["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{stranger}");
    }

    async fn new_rules_are_for_new_orders(market: &Market) {
        let pit = Pit::open(market).await;
        let (buyer, admin) = (market.buyer(), market.admin());
        assert_eq!(status(&pit.bid(&buyer, 15_100).await), "OPEN");
        let query = "mutation($input: SetMarketRulesInput!) { it: setMarketRules(input: $input) { market { tick { amountMinor } } userErrors { code } } }";
        let set = async |tick: i64, least: i64, most: i64| {
            let rules = json!({ "tickMinor": tick, "priceMinMinor": least, "priceMaxMinor": most });
            let input = json!({ "input": { "marketId": pit.id, "rules": rules } });
            market.data("bidding", Some(&admin), query, input).await["it"].take()
        };
        for (tick, least, most) in [(0, 100, 1_000), (100, 0, 1_000), (100, 200, 100), (1_000, 1_100, 1_900), (1, 1, i64::from(u32::MAX) * 1_000)] {
            assert_eq!(code(&set(tick, least, most).await), "RULES_INVALID", "{tick} {least} {most}");
        }
        assert_eq!(set(500, 1_000, 50_000).await["market"]["tick"]["amountMinor"], 500);
        assert_eq!(code(&pit.bid(&buyer, 15_100).await), "PRICE_OFF_TICK");
        assert_eq!(pit.quote().await[1], Some(15_100), "what waits stays");
        assert_eq!(status(&pit.bid(&buyer, 15_500).await), "OPEN");
    }

    async fn an_ask_whose_buyer_cannot_pay_comes_back(market: &Market) {
        let pit = Pit::open(market).await;
        pit.ask(&pit.seller, 20_000).await;
        pit.bid(&market.buyer(), 20_000).await;
        let matched = pit.matched().await.remove(0);
        assert_eq!(pit.quote().await[0], None);
        for version in [1, 2] {
            let failed = TradeFailed {
                trade_id: matched.trade_id,
                buyer_id: matched.buyer_id,
                seller_id: matched.seller_id,
                because: TradeFailure::PaymentFailed,
            };
            say_failed(market, failed, version).await;
            tell_engine(market).await;
            assert_eq!(pit.quote().await[0], Some(20_000), "heard {version} times");
        }
        let db = market.env("bidding").db.read();
        assert_eq!(failed_trade::Entity::find().filter(failed_trade::Column::Due.eq(true)).count(db).await.unwrap(), 0, "nothing is left to tell");
        let sold = sold::Entity::find().one(db).await.unwrap().unwrap();
        assert_eq!((sold.pieces, sold.turnover_minor), (0, 0), "it is no sale, once");
        let status = "query { myAsks { edges { node { status remaining filled } } } }";
        market.settle().await;
        let seen = market.data("bidding", Some(&pit.seller), status, json!({})).await;
        assert_eq!(seen["myAsks"]["edges"], json!([{ "node": { "status": "OPEN", "remaining": 1, "filled": 0 } }]));
    }

    async fn a_trade_that_fails_is_no_sale(market: &Market) {
        let pit = Pit::open(market).await;
        for _ in 0..2 {
            pit.ask(&pit.seller, 20_000).await;
            pit.bid(&market.buyer(), 20_000).await;
        }
        let matched = pit.matched().await;
        let failed = TradeFailed {
            trade_id: matched[0].trade_id,
            buyer_id: matched[0].buyer_id,
            seller_id: matched[0].seller_id,
            because: TradeFailure::NotShipped,
        };
        say_failed(market, failed, 1).await;
        tell_engine(market).await;
        let sold = sold::Entity::find().all(market.env("bidding").db.read()).await.unwrap();
        assert_eq!(sold.iter().map(|row| (row.pieces, row.turnover_minor)).collect::<Vec<_>>(), [(1, 20_000)]);
        assert_eq!(pit.quote().await[0], None, "the seller's fault brings no ask back");
    }

    async fn a_seller_rises_by_what_they_sold(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        // 1,500 in whole units is the second level.
        for _ in 0..2 {
            pit.ask(&pit.seller, 75_000).await;
            pit.bid(&buyer, 75_000).await;
        }
        pit.ask(&pit.seller, 20_000).await;
        pit.bid(&buyer, 20_000).await;
        let levels: Vec<(u8, i64)> = pit.matched().await.iter().map(|matched| (matched.fees.level, matched.fees.payout_minor)).collect();
        assert_eq!(levels, [(1, 66_000), (1, 66_000), (2, 17_700)]);
    }
}

async fn list(market: &Market, pit: &Pit<'_>) -> Value {
    let query = "mutation($input: ListAsksInput!) { it: listAsks(input: $input) { batch { id } userErrors { code suspendedUntil } } }";
    let asks = json!([{ "marketId": pit.id, "priceMinor": 20_000 }]);
    let input = json!({ "input": { "idempotencyKey": pit.key(), "asks": asks } });
    market.data("bidding", Some(&pit.seller), query, input).await["it"].take()
}

async fn say_failed(market: &Market, failed: TradeFailed, version: i64) {
    say(market, "orders", about("trade", failed.trade_id, version), failed).await;
}

async fn switch(market: &Market, by: &Person, mutation: &str) -> Value {
    let query = format!("mutation {{ it: {mutation} {{ selling {{ paused }} }} }}");
    market.data("bidding", Some(by), &query, json!({})).await["it"]["selling"]["paused"].take()
}
