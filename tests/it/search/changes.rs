//! What changes in the catalog is found by search, and what is gone is not.

use chassis::outbox::{self, about};
use chassis::tx;
use contract::event::accounts::SellerStatus;
use contract::event::inventory::StockChanged;

use super::*;

/// A search that must see a change.
async fn seen(market: &Market, revision: &Value, arguments: &str) -> Vec<String> {
    let query = format!(
        "query($revision: Long) {{ search({arguments}, minRevision: $revision) {{ isStale nodes {{ title }} }} }}"
    );
    let answer = ask(market, &query, json!({ "revision": revision })).await["search"].take();
    assert_eq!(answer["isStale"], false);
    titles(&answer["nodes"])
}

async fn change(market: &Market, by: &Person, mutation: &str) -> Value {
    let mut data = market.data("catalog", Some(by), &format!("mutation {{ {mutation} }}"), json!({})).await;
    let payload = data.as_object_mut().unwrap().values_mut().next().unwrap().take();
    assert_eq!(payload["userErrors"], json!([]), "{mutation}");
    payload
}

/// The id and version of the product, variant and offer called `title`.
async fn ids(market: &Market, title: &str) -> Value {
    let query = "query($title: String) { search(query: $title) { nodes { id version title variants { id version offers { nodes { id version } } } } } }";
    let mut answer = ask(market, query, json!({ "title": title })).await;
    answer["search"]["nodes"][0].take()
}

async fn say_stock(market: &Market, by: &Person, product: &Value, available: i64, sequence: i64) {
    let variant = &product["variants"][0];
    let said = StockChanged {
        offer_id: variant["offers"]["nodes"][0]["id"].as_str().unwrap().parse().unwrap(),
        variant_id: variant["id"].as_str().unwrap().parse().unwrap(),
        seller_id: by.seller.unwrap(),
        on_hand: available,
        reserved: 0,
        available,
        sequence,
    };
    let now = market.clock.now();
    tx::apply(&market.env("inventory").db, async |tx| {
        outbox::say(tx, now, about("stock_level", said.offer_id, sequence), said.clone()).await
    })
    .await
    .unwrap();
    caught_up(market).await;
}

souk_test! {
    async fn a_seller_finds_what_they_just_changed(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter")]).await;
        let admin = market.admin();
        let product = ids(market, "potter").await;
        let (id, version) = (product["id"].as_str().unwrap(), &product["version"]);
        let fields = "userErrors { code } product { version searchRevision }";
        let renamed = change(market, &admin, &format!("changeProduct(input: {{ id: \"{id}\", expectedVersion: {version}, title: \"Emma\" }}) {{ {fields} }}")).await;
        let (version, revision) = (&renamed["product"]["version"], &renamed["product"]["searchRevision"]);
        assert_eq!(seen(market, revision, "query: \"emma\"").await, ["Emma"]);
        assert_eq!(seen(market, revision, "query: \"potter\"").await, Vec::<String>::new());
        let hidden = change(market, &admin, &format!("archiveProduct(input: {{ id: \"{id}\", expectedVersion: {version} }}) {{ {fields} }}")).await;
        assert_eq!(seen(market, &hidden["product"]["searchRevision"], "query: \"emma\"").await, Vec::<String>::new());
    }

    async fn prices_and_offers_are_those_of_now(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter")]).await;
        let product = ids(market, "potter").await;
        let offer = &product["variants"][0]["offers"]["nodes"][0];
        let (id, version) = (offer["id"].as_str().unwrap(), &offer["version"]);
        let cheap = "filter: { priceRange: { currency: \"USD\", maxMinor: 999 } }";
        assert_eq!(found(market, cheap).await, Vec::<String>::new());
        let fields = "userErrors { code } offer { version searchRevision }";
        let changed = change(market, &ada, &format!("changeOffer(input: {{ id: \"{id}\", expectedVersion: {version}, price: {{ amountMinor: 900, currency: \"USD\" }} }}) {{ {fields} }}")).await;
        assert_eq!(seen(market, &changed["offer"]["searchRevision"], cheap).await, ["Harry Potter"]);
        let version = &changed["offer"]["version"];
        let gone = change(market, &ada, &format!("archiveOffer(input: {{ id: \"{id}\", expectedVersion: {version} }}) {{ {fields} }}")).await;
        assert_eq!(seen(market, &gone["offer"]["searchRevision"], cheap).await, Vec::<String>::new());
    }

    async fn a_hit_shows_what_is_there_now_however_often_it_was_shown(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter")]).await;
        let query = "{ search { nodes { title lowestOffer { price { amountMinor } } } } }";
        let shown = async || {
            let hit = ask(market, query, json!({})).await["search"]["nodes"][0].take();
            (hit["title"].as_str().unwrap().to_owned(), hit["lowestOffer"]["price"]["amountMinor"].as_i64())
        };
        for _ in 0..3 {
            assert_eq!(shown().await, ("Harry Potter".to_owned(), Some(1_000)));
        }
        let product = ids(market, "potter").await;
        let offer = &product["variants"][0]["offers"]["nodes"][0];
        let (id, version) = (offer["id"].as_str().unwrap(), &offer["version"]);
        let fields = "userErrors { code } offer { version }";
        let changed = change(market, &ada, &format!("changeOffer(input: {{ id: \"{id}\", expectedVersion: {version}, price: {{ amountMinor: 900, currency: \"USD\" }} }}) {{ {fields} }}")).await;
        assert_eq!(shown().await, ("Harry Potter".to_owned(), Some(900)), "without a wait for the index");
        let version = &changed["offer"]["version"];
        change(market, &ada, &format!("archiveOffer(input: {{ id: \"{id}\", expectedVersion: {version} }}) {{ {fields} }}")).await;
        assert_eq!(shown().await, ("Harry Potter".to_owned(), None));
        let (id, version) = (product["id"].as_str().unwrap(), &product["version"]);
        change(market, &market.admin(), &format!("changeProduct(input: {{ id: \"{id}\", expectedVersion: {version}, title: \"Emma\" }}) {{ userErrors {{ code }} product {{ id }} }}")).await;
        assert_eq!(shown().await, ("Emma".to_owned(), None));
    }

    async fn facets_show_the_names_of_now(market: &Market) {
        let (ada, admin) = (market.seller("Ada's").await, market.admin());
        follow(&market.souk);
        sell(market, &ada, &[Goods { color: Some("red"), ..Goods::titled("Runner") }]).await;
        let query = "{ search { facets { categories { category { name } count } attributes { label values { value count } } } } }";
        let shown = async || {
            let facets = ask(market, query, json!({})).await["search"]["facets"].take();
            let (category, attribute) = (&facets["categories"][0], &facets["attributes"][0]);
            assert_eq!((&category["count"], &attribute["values"]), (&json!(1), &json!([{ "value": "red", "count": 1 }])));
            [category["category"]["name"].clone(), attribute["label"].clone()]
        };
        let [name, label] = shown().await;
        assert_eq!([name, label.clone()], [json!("Goods"), label]);
        let category = ask(market, "{ category(handle: \"goods\") { id version } }", json!({})).await["category"].take();
        let (id, version) = (category["id"].as_str().unwrap(), &category["version"]);
        change(market, &admin, &format!("changeCategory(input: {{ id: \"{id}\", expectedVersion: {version}, name: \"Trainers\" }}) {{ userErrors {{ code }} category {{ id }} }}")).await;
        let color = "name: \"color\", label: \"Colour\", kind: ONE_OF, options: [\"red\"]";
        change(market, &admin, &format!("defineAttribute(input: {{ {color} }}) {{ userErrors {{ code }} attribute {{ label }} }}")).await;
        caught_up(market).await;
        assert_eq!(shown().await, [json!("Trainers"), json!("Colour")]);
    }

    async fn stock_that_comes_and_goes_is_seen(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter")]).await;
        let product = ids(market, "potter").await;
        let (in_stock, sold_out) = ("filter: { inStock: true }", "filter: { inStock: false }");
        assert!(found(market, in_stock).await.is_empty());
        assert_eq!(found(market, sold_out).await, ["Harry Potter"]);
        say_stock(market, &ada, &product, 3, 1).await;
        assert_eq!(found(market, in_stock).await, ["Harry Potter"]);
        assert!(found(market, sold_out).await.is_empty());
        let before = newest_revision(market).await;
        say_stock(market, &ada, &product, 2, 2).await;
        assert_eq!(newest_revision(market).await, before, "what no search shows makes no new document");
        say_stock(market, &ada, &product, 0, 3).await;
        assert!(found(market, in_stock).await.is_empty());
    }

    async fn a_suspended_seller_sells_nothing(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter")]).await;
        let offered = "filter: { sizes: [\"M\"] }";
        assert_eq!(found(market, offered).await, ["Harry Potter"]);
        market.say_seller(&ada, "Ada's", SellerStatus::Suspended, 2).await;
        caught_up(market).await;
        assert!(found(market, offered).await.is_empty());
        assert_eq!(found(market, "query: \"potter\"").await, ["Harry Potter"], "the product is still there");
    }

    async fn a_category_that_moves_takes_its_products_along(market: &Market) {
        let (ada, admin) = (market.seller("Ada's").await, market.admin());
        follow(&market.souk);
        sell(market, &ada, &[
            Goods { category: &["Shoes", "Sneakers"], ..Goods::titled("Runner") },
            Goods { category: &["Sport"], ..Goods::titled("Ball") },
        ]).await;
        let category = |handle: &'static str| async move {
            let query = "query($handle: String!) { category(handle: $handle) { id version } }";
            ask(market, query, json!({ "handle": handle })).await["category"].take()
        };
        let (sneakers, sport) = (category("sneakers").await, category("sport").await);
        let under = format!("filter: {{ categoryId: \"{}\" }}, sort: NEWEST", sport["id"].as_str().unwrap());
        assert_eq!(found(market, &under).await, ["Ball"]);
        let (id, version, parent) = (sneakers["id"].as_str().unwrap(), &sneakers["version"], sport["id"].as_str().unwrap());
        change(market, &admin, &format!("changeCategory(input: {{ id: \"{id}\", expectedVersion: {version}, parentId: \"{parent}\", name: \"Trainers\" }}) {{ userErrors {{ code }} category {{ id }} }}")).await;
        caught_up(market).await;
        assert_eq!(found(market, &under).await, ["Ball", "Runner"]);
        assert_eq!(found(market, "query: \"trainers\"").await, ["Runner"]);
    }

    async fn a_change_that_never_comes_is_told_apart(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter")]).await;
        let query = "query($revision: Long) { search(minRevision: $revision) { isStale lagMs nodes { title } } }";
        let answer = ask(market, query, json!({ "revision": (1_i64 << 53) - 1 })).await["search"].take();
        assert_eq!(answer["isStale"], true);
        assert_eq!(titles(&answer["nodes"]), ["Harry Potter"]);
        assert_eq!(answer["lagMs"], 0, "the clock of this test stands still");
    }

    async fn a_change_that_commits_late_is_not_lost(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("First"), Goods::titled("Second")]).await;
        let (db, now) = (&market.env("catalog").db, market.clock.now());
        if db.engine() == chassis::Engine::Sqlite {
            // One writer at a time: nobody commits late.
            return;
        }
        let (first, second) = (ids(market, "first").await, ids(market, "second").await);
        let admin = market.admin();
        // The transaction that began first ends last.
        tx::apply(db, async |slow| {
            let target = catalog::product::Target { id: first["id"].as_str().unwrap().parse().unwrap(), expected_version: first["version"].as_i64().unwrap() };
            let change = catalog::product::Change { title: Some("Late".into()), ..Default::default() };
            let viewer = market.souk.keys.viewer(&crate::support::headers(Some(&admin))).unwrap().unwrap();
            catalog::product::change(slow, now, &viewer, target, change).await?.unwrap();
            let (id, version) = (second["id"].as_str().unwrap(), &second["version"]);
            let renamed = self::change(market, &admin, &format!("changeProduct(input: {{ id: \"{id}\", expectedVersion: {version}, title: \"Early\" }}) {{ userErrors {{ code }} product {{ searchRevision }} }}")).await;
            assert_eq!(seen(market, &renamed["product"]["searchRevision"], "query: \"early\"").await, ["Early"]);
            assert_eq!(found(market, "query: \"late\"").await, Vec::<String>::new());
            Ok(())
        }).await.unwrap();
        let query = "query($id: ID!) { product(id: $id) { searchRevision } }";
        let late = ask(market, query, json!({ "id": first["id"] })).await["product"]["searchRevision"].take();
        assert_eq!(seen(market, &late, "query: \"late\"").await, ["Late"]);
    }
}
