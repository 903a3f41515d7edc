//! What a cart costs, and what is in the way.

use chrono::TimeDelta;
use contract::event::catalog::Publication;
use serde_json::json;

use super::*;

async fn ships_for(shop: &Shop<'_>, rates: Value) -> Value {
    call(shop.market, &shop.seller, "setShippingRates", "seller { id }", json!({ "rates": rates })).await
}

souk_test! {
    async fn a_quote_has_todays_prices_beside_those_of_when_it_was_added(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 2)]).await;
        shop.say(offer, eur(1_100), Publication::Published, 2).await;
        market.settle().await;
        let quote = guest.quote("DE").await;
        let line = &quote["quote"]["lines"][0];
        assert_eq!((&line["unitPrice"]["amountMinor"], &line["priceWhenAdded"]["amountMinor"]), (&json!(1_100), &json!(1_000)));
        assert_eq!(quote["quote"]["total"], json!({ "amountMinor": 2_200, "currency": "EUR" }));
    }

    async fn each_seller_ships_by_weight_and_country_and_the_state_takes_its_tax(market: &Market) {
        let (near, far) = (Shop::open(market, "Near").await, Shop::open(market, "Far").await);
        let (book, shoe) = (near.offer(1_000, 5).await, far.offer(2_000, 5).await);
        let rates = json!([
            { "country": "DE", "currency": "EUR", "baseMinor": 300, "perKilogramMinor": 100 },
            { "currency": "EUR", "baseMinor": 900 },
        ]);
        assert_eq!(codes(&ships_for(&near, rates).await), [""; 0]);
        assert_eq!(codes(&ships_for(&far, json!([{ "country": "DE", "currency": "EUR", "baseMinor": 500 }])).await), [""; 0]);
        let weight = json!({ "offerIds": [book], "grams": 700 });
        assert_eq!(codes(&call(market, &near.seller, "setParcelWeight", "offers { id }", weight.clone()).await), [""; 0]);
        assert_eq!(codes(&call(market, &far.seller, "setParcelWeight", "offers { id }", weight).await), ["OFFER_NOT_FOUND"]);
        let tax = json!({ "country": "DE", "rateBps": 1_900, "inclusive": true });
        assert_eq!(codes(&call(market, &market.admin(), "setTaxRate", "validFrom", tax).await), [""; 0]);
        let guest = Buyer::guest(market, &[(book, 2), (shoe, 1)]).await;
        // Two kilograms begun: 300 + 2 * 100, and 500 of the other. 19 % are in the 5,000.
        assert_eq!(guest.price("DE").await, [4_000, 0, 1_000, 798, 5_000]);
        let abroad = guest.quote("FR").await;
        assert_eq!(codes(&abroad), ["CANNOT_SHIP"]);
        assert_eq!(abroad["userErrors"][0]["offerId"], json!(shoe));
    }

    async fn a_tax_is_valid_from_its_day_on(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let from = market.clock.now() + TimeDelta::days(1);
        let tax = json!({ "country": "US", "rateBps": 825, "inclusive": false, "validFrom": from });
        assert_eq!(codes(&call(market, &market.admin(), "setTaxRate", "validFrom", tax).await), [""; 0]);
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        assert_eq!(guest.price("US").await, [1_000, 0, 0, 0, 1_000]);
        market.clock.advance(TimeDelta::days(1));
        assert_eq!(guest.price("US").await, [1_000, 0, 0, 83, 1_083]);
        assert_eq!(guest.quote("US").await["quote"]["taxIncluded"], false);
    }

    async fn what_was_priced_before_hides_nothing_that_changed_since(market: &Market) {
        let (shop, admin) = (Shop::open(market, "Shop").await, market.admin());
        let offer = shop.offer(1_000, 50).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        assert_eq!(guest.price("DE").await, [1_000, 0, 0, 0, 1_000]);
        assert_eq!(codes(&ships_for(&shop, json!([{ "currency": "EUR", "baseMinor": 300 }])).await), [""; 0]);
        assert_eq!(guest.price("DE").await, [1_000, 0, 300, 0, 1_300]);
        let tax = json!({ "country": "DE", "rateBps": 1_000, "inclusive": false });
        call(market, &admin, "setTaxRate", "validFrom", tax).await;
        assert_eq!(guest.price("DE").await, [1_000, 0, 300, 130, 1_430]);
        let mut off = vec![];
        for (by, bps) in [(&admin, 5_000), (&shop.seller, 1_000)] {
            let input = json!({
                "idempotencyKey": key(), "name": "Sale", "benefit": "PERCENT", "value": bps, "currency": "EUR",
            });
            off.push(call(market, by, "createPromotion", "promotionId", input).await["promotionId"].clone());
        }
        assert_eq!(guest.price("DE").await[1], 550);
        call(market, &admin, "endPromotion", "promotion { id }", json!({ "id": off[0] })).await;
        assert_eq!(guest.price("DE").await[1], 100);
        assert_eq!(codes(&ships_for(&shop, json!([])).await), [""; 0]);
        assert_eq!(guest.price("DE").await, [1_000, 100, 0, 90, 990]);
        assert_eq!(codes(&guest.buy(VISA, 1_000).await), ["PRICE_CHANGED"]);
        assert_eq!(guest.buy(VISA, 990).await["order"]["status"], "PAID");
    }

    async fn only_admins_set_taxes_and_bad_rates_are_refused(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let query = "mutation($input: SetTaxRateInput!) { setTaxRate(input: $input) { userErrors { code } } }";
        let input = |country: &str, bps: i64| json!({ "input": { "country": country, "rateBps": bps, "inclusive": true } });
        let answer = market.ask("orders", Some(&shop.seller), query, input("DE", 1)).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
        for (country, bps, code) in [("de", 1, "COUNTRY_INVALID"), ("DE", -1, "RATE_OUT_OF_RANGE"), ("DE", 10_001, "RATE_OUT_OF_RANGE")] {
            let answer = market.data("orders", Some(&market.admin()), query, input(country, bps)).await;
            assert_eq!(codes(&answer["setTaxRate"]), [code]);
        }
        let rate = |country: &str, base: i64| json!([{ "country": country, "currency": "EUR", "baseMinor": base }]);
        assert_eq!(codes(&ships_for(&shop, rate("Germany", 1)).await), ["COUNTRY_INVALID"]);
        assert_eq!(codes(&ships_for(&shop, rate("DE", -1)).await), ["AMOUNT_OUT_OF_RANGE"]);
    }

    async fn what_is_in_the_way_is_told_line_by_line(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (scarce, gone) = (shop.offer(1_000, 2).await, shop.offer(1_000, 2).await);
        let guest = Buyer::guest(market, &[(scarce, 3), (gone, 1)]).await;
        shop.say(gone, eur(1_000), Publication::Archived, 2).await;
        market.settle().await;
        let quote = guest.quote("DE").await;
        assert_eq!(codes(&quote), ["SOLD_OUT", "NOT_FOR_SALE"]);
        let short = &quote["userErrors"][0];
        assert_eq!((&short["offerId"], &short["requested"], &short["available"]), (&json!(scarce), &json!(3), &json!(2)));
        guest.set(&[(scarce, 0), (gone, 0)]).await;
        assert_eq!(codes(&guest.quote("DE").await), ["CART_EMPTY"]);
        assert_eq!(codes(&guest.quote("Germany").await), ["COUNTRY_INVALID"]);
    }
}
