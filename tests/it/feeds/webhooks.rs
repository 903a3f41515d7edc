//! Webhooks against a receiver that listens on a real socket.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use chassis::Reach;
use chrono::TimeDelta;
use entity::inventory::{webhook, webhook_change};
use entity::shared::audit_event;
use inventory::webhook::deliver::Deliverer;
use sea_orm::{EntityTrait, PaginatorTrait};
use tokio::sync::Notify;

use super::*;

/// Somebody outside who is told.
#[derive(Clone)]
struct Receiver {
    url: String,
    /// What it answers; 0: nothing, it hangs.
    status: Arc<AtomicU16>,
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    came: Arc<Notify>,
}

impl Receiver {
    async fn listen(market: &Market) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let status = Arc::new(AtomicU16::new(200));
        let receiver = Self { url, status, got: Arc::default(), came: Arc::default() };
        let pages = axum::Router::new().fallback(hear).with_state(receiver.clone());
        let stop = market.souk.tasks.stopping().clone();
        market.souk.tasks.spawn(souk::serve::serve_http(listener, pages, stop));
        receiver
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What came since the last look: the delivery's id and the message.
    fn heard(&self) -> Vec<(String, Value)> {
        let got = std::mem::take(&mut *self.got.lock().unwrap());
        got.into_iter()
            .map(|(headers, body)| {
                let id = headers["souk-delivery"].to_str().unwrap().to_owned();
                (id, serde_json::from_slice(&body).unwrap())
            })
            .collect()
    }
}

async fn hear(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    receiver.got.lock().unwrap().push((headers, body));
    receiver.came.notify_one();
    let status = receiver.status.load(Ordering::SeqCst);
    if status == 0 {
        std::future::pending::<()>().await;
    }
    (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")])
}

/// The webhook of a shop with one offer, and its receiver.
struct Told<'m> {
    shop: Shop<'m>,
    offer: OfferId,
    receiver: Receiver,
    deliverer: Deliverer,
    id: String,
    secret: String,
}

impl<'m> Told<'m> {
    async fn open(market: &'m Market) -> Self {
        let shop = Shop::open(market, "Telling").await;
        let offer = shop.stocked(10).await;
        let receiver = Receiver::listen(market).await;
        let made = does(market, &shop.seller, "createStockWebhook", json!({ "url": receiver.url })).await;
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let (id, secret) = (text(&made["webhook"]["id"]), text(&made["secret"]));
        let deliverer = Deliverer::new(market.env("inventory")).unwrap();
        Self { shop, offer, receiver, deliverer, id, secret }
    }

    async fn adjust(&self, delta: i64) {
        let by = chassis::tx::run(&self.shop.market.env("inventory").db, async |tx| {
            let location_id = self.shop.location.parse().unwrap();
            let keeper = inventory::Keeper::System("test");
            let shelf = inventory::shelf::Shelf { keeper, offer_id: self.offer, location_id };
            inventory::shelf::adjust(tx, self.shop.market.clock.now(), shelf, delta, "test".into()).await
        });
        by.await.unwrap().unwrap();
    }

    async fn round(&self) -> Vec<(String, Value)> {
        self.deliverer.round().await.unwrap();
        self.receiver.heard()
    }

    async fn row(&self) -> webhook::Model {
        webhook::Entity::find().one(self.shop.market.env("inventory").db.read()).await.unwrap().unwrap()
    }

    /// State, attempts, status and error of each delivery, newest first, as its seller or an admin sees them.
    async fn log(&self, by: &Person) -> Vec<Value> {
        let query = "query($id: ID!) { stockWebhookDeliveries(webhookId: $id) { edges { node \
            { id state attempts lastStatus lastError offers nextAttemptAt } } } }";
        let data = self.shop.market.data("inventory", Some(by), query, json!({ "id": self.id })).await;
        let edges = data["stockWebhookDeliveries"]["edges"].as_array().unwrap();
        edges.iter().map(|edge| edge["node"].clone()).collect()
    }
}

souk_test! {
    async fn a_webhook_is_told_everything_and_then_the_latest_of_each_offer(market: &Market) {
        let told = Told::open(market).await;
        let other = told.shop.stocked(3).await;
        told.deliverer.round().await.unwrap();
        let (headers, body) = told.receiver.got.lock().unwrap()[0].clone();
        let timestamp = headers["souk-timestamp"].to_str().unwrap().parse().unwrap();
        let signature = headers["souk-signature"].to_str().unwrap();
        assert!(inventory::signature::is_right(std::slice::from_ref(&told.secret), timestamp, &body, signature));
        assert_eq!(headers["souk-webhook"].to_str().unwrap(), told.id);
        let heard = told.receiver.heard();
        assert_eq!(heard.len(), 1);
        let mut offers: Vec<_> = heard[0].1["changes"].as_array().unwrap().iter().map(|change| (change["offerId"].as_str().unwrap().to_owned(), change["available"].as_i64().unwrap())).collect();
        offers.sort_by_key(|(_, available)| *available);
        assert_eq!(offers, [(other.to_string(), 3), (told.offer.to_string(), 10)]);
        assert_eq!(told.round().await.len(), 0, "there is no news");
        for delta in [1, 5, -2] {
            told.adjust(delta).await;
        }
        told.shop.reserve(told.offer, 4).await;
        let heard = told.round().await;
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].1["changes"].as_array().unwrap().len(), 1);
        let change = &heard[0].1["changes"][0];
        let numbers = ["onHand", "reserved", "available", "sequence"].map(|name| change[name].as_i64().unwrap());
        assert_eq!(numbers, [14, 4, 10, 5]);
        let log = told.log(&told.shop.seller).await;
        assert_eq!((&log[0]["state"], &log[0]["attempts"], &log[0]["lastStatus"]), (&json!("DELIVERED"), &json!(1), &json!(200)));
    }

    async fn what_is_not_taken_is_sent_again_alike_and_newer_stock_waits_behind_it(market: &Market) {
        let told = Told::open(market).await;
        told.receiver.answers(503);
        let first = told.round().await;
        told.adjust(1).await;
        assert_eq!(told.round().await.len(), 0, "it pauses");
        told.adjust(1).await;
        market.clock.advance(TimeDelta::minutes(2));
        let second = told.round().await;
        assert_eq!(first, second, "the same id and the same message");
        let log = told.log(&told.shop.seller).await;
        assert_eq!(log.len(), 1);
        assert_eq!((&log[0]["state"], &log[0]["attempts"], &log[0]["lastStatus"]), (&json!("WAITING"), &json!(2), &json!(503)));
        assert!(told.row().await.failing_since.is_some());
        told.receiver.answers(204);
        market.clock.advance(TimeDelta::minutes(2));
        assert_eq!(told.round().await, first);
        let news = told.round().await;
        assert_eq!(news[0].1["changes"][0]["available"], 12, "the latest, once");
        assert_eq!(told.row().await.failing_since, None);
        assert_eq!(told.round().await.len(), 0);
    }

    async fn a_webhook_that_fails_for_days_is_switched_off_and_told_everything_when_it_is_back(market: &Market) {
        let told = Told::open(market).await;
        told.receiver.answers(500);
        for _ in 0..14 {
            told.adjust(1).await;
            told.round().await;
            market.clock.advance(TimeDelta::hours(6));
        }
        let row = told.row().await;
        assert!(!row.enabled && row.given_up);
        let db = market.env("inventory").db.read();
        let audited = audit_event::Entity::find().all(db).await.unwrap();
        assert_eq!(audited.iter().filter(|event| event.action == "webhook.given_up" && event.subject == told.id).count(), 1);
        let admin = market.admin();
        assert!(told.log(&admin).await.iter().any(|delivery| delivery["state"] == "FAILED"));
        let waiting = webhook_change::Entity::find().count(db).await.unwrap();
        told.receiver.answers(200);
        told.adjust(-9).await;
        assert_eq!(webhook_change::Entity::find().count(db).await.unwrap(), waiting, "nothing gathers for it");
        assert_eq!(told.round().await.len(), 0);
        let on = does(market, &admin, "changeStockWebhook", json!({ "id": told.id, "enabled": true })).await;
        assert_eq!((&on["webhook"]["enabled"], &on["webhook"]["givenUp"]), (&json!(true), &json!(false)));
        let mut last = Value::Null;
        loop {
            let heard = told.round().await;
            let Some((_, message)) = heard.into_iter().next_back() else { break };
            last = message;
            market.clock.advance(TimeDelta::hours(1));
        }
        assert_eq!(last["changes"][0]["available"], 10 + 14 - 9);
    }

    async fn two_processes_send_a_message_once(market: &Market) {
        let told = Told::open(market).await;
        let others: Vec<_> = (0..6).map(|_| Deliverer::new(market.env("inventory")).unwrap()).collect();
        for number in 0..5 {
            let rounds = futures::future::join_all(others.iter().map(|other| other.round())).await;
            assert!(rounds.iter().all(Result::is_ok));
            assert_eq!(told.receiver.heard().len(), 1, "round {number}");
            told.adjust(1).await;
        }
    }

    async fn a_process_that_dies_while_it_sends_is_followed_by_another(market: &Market) {
        let told = Told::open(market).await;
        told.receiver.answers(0);
        let dying = told.deliverer.round();
        tokio::select! {
            _ = dying => panic!("it waits for an answer"),
            () = told.receiver.came.notified() => {}
        }
        let sent = told.receiver.heard();
        told.receiver.answers(200);
        assert_eq!(told.round().await.len(), 0, "nobody knows yet that it died");
        market.clock.advance(TimeDelta::seconds(61));
        assert_eq!(told.round().await, sent, "the same message again");
        assert_eq!(told.round().await.len(), 0);
    }

    async fn no_call_goes_into_a_private_network_or_follows_a_redirect(market: &Market) {
        let told = Told::open(market).await;
        told.receiver.answers(302);
        assert_eq!(told.round().await.len(), 1, "the other address is not called");
        assert_eq!(told.log(&told.shop.seller).await[0]["lastStatus"], 302);
        let careful = Deliverer::new(&chassis::Env { reach: Reach::Public, ..market.env("inventory").clone() }).unwrap();
        let port = told.receiver.url.split([':', '/']).nth(4).unwrap();
        for (url, why) in [
            (told.receiver.url.clone(), "must begin with https://"),
            (format!("https://127.0.0.1:{port}/"), "leads into a private network"),
            (format!("https://localhost:{port}/"), "leads into a private network"),
        ] {
            does(market, &told.shop.seller, "changeStockWebhook", json!({ "id": told.id, "url": url })).await;
            market.clock.advance(TimeDelta::minutes(2));
            careful.round().await.unwrap();
            let log = told.log(&told.shop.seller).await;
            assert_eq!((&log[0]["lastError"], &log[0]["lastStatus"]), (&json!(why), &Value::Null), "{url}");
        }
        assert_eq!(told.receiver.heard(), []);
    }

    async fn a_delivery_is_sent_again_when_its_seller_asks(market: &Market) {
        let told = Told::open(market).await;
        let first = told.round().await;
        let id = &told.log(&told.shop.seller).await[0]["id"];
        let stranger = market.seller("Stranger").await;
        assert_eq!(refusal(&does(market, &stranger, "redeliverToStockWebhook", json!({ "id": id })).await), "NOT_FOUND");
        let again = async || does(market, &told.shop.seller, "redeliverToStockWebhook", json!({ "id": id })).await;
        assert_eq!(again().await["delivery"]["state"], "WAITING");
        assert_eq!(refusal(&again().await), "WAITING");
        assert_eq!(told.round().await, first);
        told.receiver.answers(500);
        told.adjust(1).await;
        told.round().await;
        assert_eq!(refusal(&again().await), "ANOTHER_WAITS");
    }

    async fn webhooks_are_their_sellers(market: &Market) {
        let told = Told::open(market).await;
        let stranger = market.seller("Stranger").await;
        let query = "query($id: ID!) { stockWebhooks { edges { node { id url } } } stockWebhookDeliveries(webhookId: $id) { edges { node { id } } } }";
        let theirs = market.data("inventory", Some(&stranger), query, json!({ "id": told.id })).await;
        assert_eq!(theirs, json!({ "stockWebhooks": { "edges": [] }, "stockWebhookDeliveries": null }));
        let mine = market.data("inventory", Some(&told.shop.seller), query, json!({ "id": told.id })).await;
        assert_eq!(mine["stockWebhooks"]["edges"][0]["node"], json!({ "id": told.id, "url": told.receiver.url }));
        for mutation in ["changeStockWebhook", "rotateStockWebhookSecret"] {
            assert_eq!(refusal(&does(market, &stranger, mutation, json!({ "id": told.id })).await), "NOT_FOUND");
        }
        for url in ["", "nonsense", "ftp://example.org/", "https://me:secret@example.org/"] {
            assert_eq!(refusal(&does(market, &stranger, "createStockWebhook", json!({ "url": url })).await), "URL_INVALID", "{url}");
        }
        does(market, &told.shop.seller, "rotateStockWebhookSecret", json!({ "id": told.id })).await;
        told.deliverer.round().await.unwrap();
        let (headers, body) = told.receiver.got.lock().unwrap()[0].clone();
        let timestamp = headers["souk-timestamp"].to_str().unwrap().parse().unwrap();
        let signature = headers["souk-signature"].to_str().unwrap();
        assert_eq!(signature.split(',').count(), 2, "with both secrets");
        assert!(inventory::signature::is_right(std::slice::from_ref(&told.secret), timestamp, &body, signature));
        let stale = does(market, &told.shop.seller, "changeStockWebhook", json!({ "id": told.id, "expectedVersion": 7 })).await;
        assert_eq!(refusal(&stale), "STALE_VERSION");
    }
}
