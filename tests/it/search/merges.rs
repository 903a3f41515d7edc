//! A merge reaches every index once, however often and in which order its events come.

use contract::event::accounts::SellerStatus;
use contract::{Envelope, LocationId, SellerId};
use entity::shared::outbox;
use inventory::location::{self, Create};
use inventory::{Arrival, receive_many};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use sea_orm::{EntityTrait, QueryOrder};

use super::*;
use crate::support::goods::KEEPER;

/// How often everything is delivered.
const TIMES: usize = 2;

/// Everything that catalog and inventory have said so far, and accounts before them.
pub(super) async fn said(market: &Market) -> Vec<Envelope> {
    let mut all = vec![];
    for service in ["accounts", "catalog", "inventory"] {
        let rows = outbox::Entity::find()
            .order_by_asc(outbox::Column::Seq)
            .all(market.env(service).db.read())
            .await
            .unwrap();
        all.extend(rows.into_iter().map(|row| serde_json::from_str::<Envelope>(&row.envelope).unwrap()));
    }
    all
}

/// Gives each event to whoever wants it, one by one. What cannot be heard yet comes again after the others.
pub(super) async fn deliver(market: &Market, events: Vec<Envelope>) {
    let services = market
        .souk
        .services
        .iter()
        .filter(|service| ["catalog", "inventory"].contains(&service.name.as_str()));
    for consumer in services.flat_map(|service| &service.subgraph.consumers) {
        let mut waiting: Vec<&Envelope> = events.iter().filter(|event| consumer.wants(event)).collect();
        while !waiting.is_empty() {
            let mut early = vec![];
            for event in &waiting {
                if consumer.deliver(vec![(*event).clone()]).await.is_err() {
                    early.push(*event);
                }
            }
            assert!(early.len() < waiting.len(), "{early:?}");
            waiting = early;
        }
    }
}

/// Delivers everything, each event twice and in a random order, until nobody says anything new.
async fn deliver_badly(market: &Market, random: &mut StdRng) {
    let mut known = 0;
    loop {
        let events = said(market).await;
        if events.len() == known {
            return;
        }
        known = events.len();
        let mut events: Vec<Envelope> = std::iter::repeat_n(events, TIMES).flatten().collect();
        events.shuffle(random);
        deliver(market, events).await;
    }
}

/// A verified seller, and a place for goods.
async fn shop(market: &Market) -> (Person, LocationId) {
    let mut ada = market.person(&[chassis::auth::Role::Buyer, chassis::auth::Role::Seller]);
    ada.seller = Some(SellerId::new());
    market.say_seller(&ada, "Ada's", SellerStatus::Verified, 1).await;
    deliver(market, said(market).await).await;
    let command = Create { keeper: KEEPER, seller_id: ada.seller, name: "Store".into() };
    let (db, now) = (&market.env("inventory").db, market.clock.now());
    let place =
        chassis::tx::run(db, async |tx| location::create(tx, now, command).await).await.unwrap().unwrap();
    (ada, place.id)
}

const QUERY: &str =
    "{ search(query: \"harry\") { totalCount nodes { id title } facets { inStock sizes { value count } } } }";

souk_test! {
    silent async fn a_merge_is_found_once_though_its_events_come_twice_and_shuffled(market: &Market) {
        let (ada, location_id) = shop(market).await;
        follow(&market.souk);
        let listings = ["Harry Potter", "Harry Poter Book"].map(|title| Goods::titled(title).listing(&ada));
        let loaded = load(market.env("catalog"), listings.into()).await.unwrap();
        deliver(market, said(market).await).await;
        let offer_id = loaded.offers[1].offer;
        let arrival = Arrival { offer_id, location_id, quantity: 3 };
        receive_many(market.env("inventory"), KEEPER, "three", vec![arrival]).await.unwrap().unwrap();
        deliver(market, said(market).await).await;
        indexed(market).await;
        let before = ask(market, QUERY, json!({})).await["search"].take();
        assert_eq!((&before["totalCount"], &before["facets"]["inStock"]), (&json!(2), &json!(1)));

        let products = "{ products(sort: TITLE) { nodes { id version title } } }";
        let nodes = ask(market, products, json!({})).await["products"]["nodes"].take();
        let (goes, stays) = (&nodes[0], &nodes[1]);
        let merge = "mutation($input: MergeProductsInput!) { mergeProducts(input: $input) { product { id } userErrors { code } } }";
        let input = json!({ "id": goes["id"], "expectedVersion": goes["version"], "intoId": stays["id"], "reason": "one book", "variants": [] });
        let merged = market.data("catalog", Some(&market.admin()), merge, json!({ "input": input })).await;
        assert_eq!(merged["mergeProducts"]["userErrors"], json!([]));
        let mut random = StdRng::seed_from_u64(5);
        deliver_badly(market, &mut random).await;
        indexed(market).await;
        let expected = json!({ "totalCount": 1, "nodes": [{ "id": stays["id"], "title": "Harry Potter" }],
            "facets": { "inStock": 1, "sizes": [{ "value": "M", "count": 1 }] } });
        assert_eq!(ask(market, QUERY, json!({})).await["search"], expected);
        assert_eq!(found(market, "query: \"poter book\"").await, ["Harry Potter"], "as a typo");
        let levels = entity::inventory::stock_level::Entity::find().all(market.env("inventory").db.read()).await.unwrap();
        assert_eq!(levels.iter().map(|level| level.on_hand).sum::<i64>(), 3, "no piece twice");

        let (revision, said_before) = (newest_revision(market).await, said(market).await.len());
        let mut again: Vec<Envelope> = std::iter::repeat_n(said(market).await, TIMES).flatten().collect();
        again.shuffle(&mut random);
        deliver(market, again).await;
        assert_eq!((newest_revision(market).await, said(market).await.len()), (revision, said_before), "nothing new came of it");
        assert_eq!(ask(market, QUERY, json!({})).await["search"], expected);
    }
}
