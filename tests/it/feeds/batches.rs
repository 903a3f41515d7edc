//! What lines do to shelves, and that a batch does it once.

use entity::inventory::{feed_batch, stock_movement};
use inventory::feed::batch::{self, Sent};
use inventory::feed::line::Format;
use sea_orm::{EntityTrait, PaginatorTrait};

use super::*;
use crate::inventory::books_are_right;
use crate::support::{self, Relays};

souk_test! {
    async fn lines_become_movements_and_levels(market: &Market) {
        let site = Site::open(market).await;
        let (a, b) = (site.goods("A-1", None).await, site.goods("B-2", Some("9780439023481")).await);
        let by_sku = site.feed("SKU", "SEQUENCE").await;
        let answer = by_sku.send("one", json!([
            { "sku": "A-1", "quantity": 5, "sequence": 1 },
            { "sku": "B-2", "quantity": "7", "sequence": 1 },
        ])).await;
        assert_eq!(results(&answer), ["APPLIED", "APPLIED"], "{answer}");
        assert_eq!((&answer["lines"], &answer["applied"], &answer["refused"]), (&json!(2), &json!(2), &json!(0)));
        assert_eq!(answer["results"][1]["offerId"], b.to_string());
        let by_gtin = site.feed("GTIN", "TIME").await;
        let answer = by_gtin.send_csv("two", "gtin,quantity\r\n978-0-43902-348-1,3\r\n").await;
        assert_eq!(results(&answer), ["APPLIED"], "{answer}");
        let by_offer = site.feed("OFFER_ID", "TIME").await;
        let answer = by_offer.send_csv("three", &format!("offerId,quantity\n{a},0\n")).await;
        assert_eq!(results(&answer), ["APPLIED"], "{answer}");
        assert_eq!(site.shop.levels(a).await, [0, 0, 0]);
        assert_eq!(site.shop.levels(b).await, [3, 0, 3]);
        let query = "query($offer: ID!) { stockMovements(offerId: $offer) { edges { node { kind onHandDelta actor reason } } } }";
        let log = market.data("inventory", Some(&site.shop.seller), query, json!({ "offer": b })).await;
        let newest = &log["stockMovements"]["edges"][0]["node"];
        assert_eq!((&newest["kind"], &newest["onHandDelta"]), (&json!("ADJUSTED"), &json!(-4)));
        assert_eq!(newest["actor"], by_gtin.id);
        books_are_right(market).await;
    }

    async fn each_line_is_answered_by_itself(market: &Market) {
        let site = Site::open(market).await;
        let good = site.goods("GOOD", None).await;
        let (twin, other_twin) = (site.goods("TWIN", None).await, site.goods("TWIN", None).await);
        let stranger = Shop::open(market, "Stranger").await;
        let theirs = stranger.offer().await;
        let feed = site.feed("SKU", "SEQUENCE").await;
        let answer = feed.send("mixed", json!([
            { "sku": "NOBODY", "quantity": 5, "sequence": 1 },
            { "sku": "GOOD", "quantity": -5, "sequence": 1 },
            { "sku": "TWIN", "quantity": 5, "sequence": 1 },
            { "sku": "GOOD", "quantity": 5, "sequence": 2 },
            { "sku": "GOOD", "quantity": 9, "sequence": 1 },
            { "sku": "GOOD", "quantity": 5, "sequence": 3 },
        ])).await;
        assert_eq!(results(&answer), ["NOT_FOUND", "INVALID", "AMBIGUOUS", "APPLIED", "STALE", "UNCHANGED"]);
        let counts = ["applied", "limited", "unchanged", "stale", "refused"].map(|name| answer[name].as_i64().unwrap());
        assert_eq!(counts, [1, 0, 1, 1, 3]);
        assert_eq!(answer["results"][1]["field"], "quantity");
        assert_eq!(answer["results"][4]["newest"], 2);
        let by_offer = site.feed("OFFER_ID", "SEQUENCE").await;
        let answer = by_offer.send("theirs", json!([
            { "offerId": theirs, "quantity": 5, "sequence": 1 },
            { "offerId": twin, "quantity": 6, "sequence": 1 },
            { "offerId": "off_nonsense", "quantity": 6, "sequence": 1 },
        ])).await;
        assert_eq!(results(&answer), ["NOT_FOUND", "APPLIED", "INVALID"]);
        assert_eq!(stranger.levels(theirs).await, [0, 0, 0], "another shop's stock stays");
        assert_eq!((site.shop.levels(good).await, site.shop.levels(other_twin).await), ([5, 0, 5], [0, 0, 0]));
    }

    async fn an_old_line_never_overwrites_a_newer_one(market: &Market) {
        let site = Site::open(market).await;
        let offer = site.goods("A", None).await;
        let feed = site.feed("SKU", "TIME").await;
        let line = |quantity: i64, at: &str| json!([{ "sku": "A", "quantity": quantity, "observedAt": at }]);
        assert_eq!(results(&feed.send("noon", line(8, "2026-12-31T12:00:00Z")).await), ["APPLIED"]);
        assert_eq!(results(&feed.send("late", line(20, "2026-12-31T11:59:59.9Z")).await), ["STALE"]);
        // Sold meanwhile: what was said before is not said again.
        site.shop.does("adjustStock", json!({ "offerId": offer, "locationId": site.shop.location, "delta": -2, "reason": "sold" })).await;
        assert_eq!(results(&feed.send("noon again", line(8, "2026-12-31T12:00:00Z")).await), ["UNCHANGED"]);
        assert_eq!(site.shop.levels(offer).await, [6, 0, 6]);
        // A recorded request under another key says nothing new, for it was signed at the same time.
        let body = json!({ "lines": [{ "sku": "A", "quantity": 4 }] }).to_string();
        let recorded = feed.request("recorded", "application/json", &body).send().await.unwrap();
        assert_eq!(results(&answered(recorded, StatusCode::OK).await), ["APPLIED"]);
        market.clock.advance(chrono::TimeDelta::seconds(10));
        feed.send("newer", json!([{ "sku": "A", "quantity": 3 }])).await;
        let replayed = feed.request_at(feed.now() - 10, "replayed", "application/json", &body).send().await.unwrap();
        assert_eq!(results(&answered(replayed, StatusCode::OK).await), ["STALE"]);
        assert_eq!(site.shop.levels(offer).await, [3, 0, 3]);
    }

    async fn promised_pieces_stay_and_nothing_more_is_sold(market: &Market) {
        let site = Site::open(market).await;
        let offer = site.goods("A", None).await;
        let feed = site.feed("SKU", "SEQUENCE").await;
        feed.send("ten", json!([{ "sku": "A", "quantity": 10, "sequence": 1 }])).await;
        site.shop.reserve(offer, 4).await;
        let answer = feed.send("three", json!([{ "sku": "A", "quantity": 3, "sequence": 2 }])).await;
        assert_eq!(results(&answer), ["LIMITED"]);
        let line = &answer["results"][0];
        assert_eq!([&line["onHand"], &line["available"], &line["reserved"]], [&json!(4), &json!(0), &json!(4)]);
        assert_eq!(site.shop.levels(offer).await, [4, 4, 0]);
        books_are_right(market).await;
    }

    async fn a_repeat_is_answered_alike_and_does_nothing(market: &Market) {
        let site = Site::open(market).await;
        let offer = site.goods("A", None).await;
        let feed = site.feed("SKU", "TIME").await;
        let body = r#"{"lines":[{"sku":"A","quantity":5},{"sku":"B","quantity":1}]}"#;
        let first = feed.request("once", "application/json", body).send().await.unwrap();
        assert_eq!(first.headers()["idempotent-replayed"], "false");
        let first = first.bytes().await.unwrap();
        site.goods("B", None).await;
        market.clock.advance(chrono::TimeDelta::minutes(8));
        let again = feed.request("once", "application/json", body).send().await.unwrap();
        assert_eq!(again.headers()["idempotent-replayed"], "true");
        assert_eq!(again.bytes().await.unwrap(), first);
        let other = body.replace("5", "6");
        let refused = feed.request("once", "application/json", &other).send().await.unwrap();
        assert_eq!(answered(refused, StatusCode::CONFLICT).await["error"]["code"], "IDEMPOTENCY_CONFLICT");
        assert_eq!(site.shop.levels(offer).await, [5, 0, 5]);
        let movements = stock_movement::Entity::find().count(market.env("inventory").db.read()).await.unwrap();
        assert_eq!(movements, 1);
    }

    async fn the_same_batch_ten_times_at_once_is_applied_once(market: &Market) {
        let site = Site::open(market).await;
        for number in 0..3 {
            site.goods(&format!("SKU {number}"), None).await;
        }
        let feed = site.feed("SKU", "SEQUENCE").await;
        // Several chunks, each of which names every offer often.
        let lines: Vec<_> = (0..1_800).map(|number| {
            json!({ "sku": format!("SKU {}", number % 3), "quantity": number % 7, "sequence": number })
        }).collect();
        let body = json!({ "lines": lines }).to_string();
        let sending = (0..10).map(|_| async {
            let sent = feed.request("race", "application/json", &body).send().await.unwrap();
            answered(sent, StatusCode::OK).await
        });
        let answers = futures::future::join_all(sending).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "everybody has the same answer");
        assert_eq!(answers[0]["results"].as_array().unwrap().len(), 1_800);
        let moved = answers[0]["applied"].as_u64().unwrap();
        let db = market.env("inventory").db.read();
        assert_eq!(stock_movement::Entity::find().count(db).await.unwrap(), moved);
        assert_eq!(feed_batch::Entity::find().count(db).await.unwrap(), 1);
        books_are_right(market).await;
    }

    async fn what_is_not_whole_is_not_taken(market: &Market) {
        let site = Site::open(market).await;
        let offer = site.goods("A", None).await;
        let feed = site.feed("SKU", "TIME").await;
        let (json, csv) = ("application/json", "text/csv");
        for (kind, body, status, code) in [
            (csv, "sku,quantity\nA,12".to_owned(), 400, "BODY_INCOMPLETE"),
            (json, r#"{"lines":[{"sku":"A","quantity":12}"#.to_owned(), 400, "BODY_MALFORMED"),
            (json, "[]".to_owned(), 400, "BODY_MALFORMED"),
            (csv, "sku;quantity\nA;12\n".to_owned(), 400, "BODY_MALFORMED"),
            (csv, "sku,quantity\n".to_owned() + &"A,12\n".repeat(10_001), 413, "TOO_MANY_LINES"),
            (csv, "sku,quantity\n".to_owned() + &" ".repeat(1_100_000), 413, "BODY_TOO_LARGE"),
            ("text/plain", "sku,quantity\nA,12\n".to_owned(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ] {
            let sent = feed.request("bad", kind, &body).send().await.unwrap();
            let status = StatusCode::from_u16(status).unwrap();
            let answer = answered(sent, status).await;
            assert_eq!(answer["error"]["code"], code, "{answer}");
        }
        let good = "sku,quantity\nA,12\n";
        for key in ["", "a\tb", &"k".repeat(256)] {
            let sent = feed.request(key, csv, good).send().await.unwrap();
            let answer = answered(sent, StatusCode::BAD_REQUEST).await;
            assert_eq!(answer["error"]["code"], "IDEMPOTENCY_KEY_INVALID", "{key:?}");
        }
        let digest = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
        let sent = feed.request("digest", csv, good).header("content-digest", digest).send().await.unwrap();
        assert_eq!(answered(sent, StatusCode::BAD_REQUEST).await["error"]["code"], "DIGEST_MISMATCH");
        assert_eq!(site.shop.levels(offer).await, [0, 0, 0]);
        let sent = feed.request("digest", csv, good).header("content-digest", right_digest(good)).send().await.unwrap();
        assert_eq!(results(&answered(sent, StatusCode::OK).await), ["APPLIED"]);
        let empty = feed.send("empty", json!([])).await;
        assert_eq!((&empty["lines"], results(&empty).len()), (&json!(0), 0));
    }
}

fn right_digest(body: &str) -> String {
    use base64::Engine as _;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    format!("sha-256=:{}:", base64::prelude::BASE64_STANDARD.encode(hash.as_ref()))
}

async fn the_number_of_statements_does_not_depend_on_the_lines(engine: chassis::Engine) {
    let Some(store) = support::store(engine).await else { return };
    let market = &Market::start(&store, Relays::Running).await;
    const GOODS: usize = 40;
    let offers = killed_shop(market, GOODS).await;
    market.souk.tasks.stop().await;
    let env = market.env("inventory");
    let feed = entity::inventory::feed::Entity::find().one(env.db.read()).await.unwrap().unwrap();
    let mut sequence = 0;
    let mut statements = async |lines: usize, quantity: i64| {
        sequence += 1;
        let rows: String = (0..lines).map(|line| format!("SKU {line},{quantity},{sequence}\n")).collect();
        let body = format!("sku,quantity,sequence\n{rows}");
        let (key, sent_at) = (sequence.to_string(), market.clock.now());
        let sent = Sent { feed: feed.clone(), key, sent_at, format: Format::Csv, body: body.as_bytes() };
        let before = env.db.statements();
        let taken = batch::take(env, sent).await.unwrap().unwrap();
        assert_eq!(taken.answer.applied, lines as i32);
        env.db.statements() - before
    };
    // More of everything, then less: pieces are put on shelves and taken off.
    let few = [statements(2, 5).await, statements(2, 3).await];
    let many = [statements(GOODS, 7).await, statements(GOODS, 2).await];
    assert_eq!(few, many);
    for offer in offers {
        let level =
            entity::inventory::stock_level::Entity::find_by_id(offer).one(env.db.read()).await.unwrap();
        assert_eq!(level.unwrap().on_hand, 2);
    }
    let report = inventory::verify(&env.db).await.unwrap();
    assert!(report.is_right(), "{report}");
    market.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_statements_does_not_depend_on_the_lines_on_sqlite() {
    the_number_of_statements_does_not_depend_on_the_lines(chassis::Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_statements_does_not_depend_on_the_lines_on_postgres() {
    the_number_of_statements_does_not_depend_on_the_lines(chassis::Engine::Postgres).await;
}
