//! Who is believed: whoever signs with a valid secret, now.

use chrono::TimeDelta;
use entity::shared::audit_event;
use sea_orm::EntityTrait;

use super::*;

const BODY: &str = r#"{"lines":[{"sku":"A","quantity":5}]}"#;
const JSON: &str = "application/json";

/// What the audit trail says of refused batches: the subject and the reason.
async fn refused(market: &Market) -> Vec<(String, String)> {
    let events = audit_event::Entity::find().all(market.env("inventory").db.read()).await.unwrap();
    let refused = events.into_iter().filter(|event| event.action == "feed.batch_refused");
    refused
        .map(|event| {
            let details: Value = serde_json::from_str(&event.details).unwrap();
            (event.subject, details["reason"].as_str().unwrap().to_owned())
        })
        .collect()
}

souk_test! {
    async fn whoever_is_not_believed_learns_nothing(market: &Market) {
        let site = Site::open(market).await;
        let offer = site.goods("A", None).await;
        let (feed, off) = (site.feed("SKU", "TIME").await, site.feed("SKU", "SEQUENCE").await);
        does(market, &site.shop.seller, "changeStockFeed", json!({ "id": off.id, "enabled": false })).await;
        let unknown = Sender { id: contract::FeedId::new().to_string(), ..feed.clone() };
        let nonsense = Sender { id: "fed_1".into(), ..feed.clone() };
        let forger = Sender { secret: "souk_guess".into(), ..feed.clone() };
        let others = Sender { secret: off.secret.clone(), ..feed.clone() };
        let now = feed.now();
        let tampered = feed.request("k", JSON, BODY).body(BODY.replace('5', "6"));
        let unsigned = site.client.post(&site.url).header("souk-feed", &feed.id).header("content-type", JSON).body(BODY);
        let mut answers = vec![];
        for request in [
            unknown.request("k", JSON, BODY),
            nonsense.request("k", JSON, BODY),
            forger.request("k", JSON, BODY),
            others.request("k", JSON, BODY),
            off.request("k", JSON, BODY),
            feed.request_at(now - 301, "k", JSON, BODY),
            feed.request_at(now + 301, "k", JSON, BODY),
            feed.request_at(i64::MAX, "k", JSON, BODY),
            feed.request_at(i64::MIN, "k", JSON, BODY),
            tampered,
            unsigned,
            site.client.post(&site.url),
        ] {
            let mut answer = answered(request.send().await.unwrap(), StatusCode::UNAUTHORIZED).await;
            assert!(answer["error"]["requestId"].take().is_string());
            answers.push(answer);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        assert_eq!(answers[0]["error"]["code"], "UNAUTHENTICATED");
        assert_eq!(site.shop.levels(offer).await, [0, 0, 0]);
        let mut said = refused(market).await;
        said.sort();
        let mut expected = [
            (feed.id.clone(), "timestamp out of tolerance".to_owned()),
            (feed.id.clone(), "wrong signature".into()),
            (off.id.clone(), "feed is off".into()),
            ("unknown feed".into(), "unknown feed".into()),
        ];
        expected.sort();
        assert_eq!(said, expected, "each once, however many there were");
        for within in [now - 300, now + 300] {
            let sent = feed.request_at(within, &within.to_string(), JSON, BODY).send().await.unwrap();
            answered(sent, StatusCode::OK).await;
        }
        assert_eq!(chassis::audit::first_broken(market.env("inventory").db.read()).await.unwrap(), None);
    }

    async fn what_is_refused_whole_is_in_the_audit_trail_and_cannot_flood_it(market: &Market) {
        let site = Site::open(market).await;
        let feed = site.feed("SKU", "TIME").await;
        for _ in 0..20 {
            let sent = feed.request("k", JSON, "{").send().await.unwrap();
            answered(sent, StatusCode::BAD_REQUEST).await;
        }
        assert_eq!(refused(market).await, [(feed.id.clone(), "BODY_MALFORMED".to_owned())]);
        market.clock.advance(TimeDelta::minutes(2));
        answered(feed.request("k", JSON, "{").send().await.unwrap(), StatusCode::BAD_REQUEST).await;
        let events = audit_event::Entity::find().all(market.env("inventory").db.read()).await.unwrap();
        let last: Value = serde_json::from_str(&events.last().unwrap().details).unwrap();
        assert_eq!(last, json!({ "reason": "BODY_MALFORMED", "unwrittenBefore": 19 }));
    }

    async fn while_a_secret_is_replaced_two_are_valid(market: &Market) {
        let site = Site::open(market).await;
        let old = site.feed("SKU", "TIME").await;
        let rotate = async |by: &Person, input: Value| {
            let payload = does(market, by, "rotateStockFeedSecret", input).await;
            Sender { secret: payload["secret"].as_str().unwrap().into(), ..old.clone() }
        };
        let is_believed = async |sender: &Sender<'_>| {
            let key = uuid::Uuid::now_v7().to_string();
            sender.request(&key, JSON, BODY).send().await.unwrap().status() == StatusCode::OK
        };
        let seller = &site.shop.seller;
        let new = rotate(seller, json!({ "id": old.id, "idempotencyKey": "lost" })).await;
        assert_ne!(new.secret, old.secret);
        let again = rotate(seller, json!({ "id": old.id, "idempotencyKey": "lost" })).await;
        assert_eq!(again.secret, new.secret, "a lost answer can be had again");
        assert!(is_believed(&old).await && is_believed(&new).await);
        market.clock.advance(TimeDelta::hours(25));
        assert!(!is_believed(&old).await && is_believed(&new).await);
        // The seller's token has ended.
        let newest = rotate(&market.admin(), json!({ "id": old.id, "endOldNow": true })).await;
        assert!(!is_believed(&new).await && is_believed(&newest).await);
    }

    async fn secrets_are_in_no_table_as_they_are(market: &Market) {
        let site = Site::open(market).await;
        let feed = site.feed("SKU", "TIME").await;
        let db = market.env("inventory").db.read();
        let kept = entity::shared::idempotency::Entity::find().all(db).await.unwrap();
        let audited = audit_event::Entity::find().all(db).await.unwrap();
        let sealed = entity::inventory::shared_secret::Entity::find().all(db).await.unwrap();
        assert!(!kept.is_empty() && !audited.is_empty() && !sealed.is_empty());
        assert!(!format!("{kept:?}{audited:?}").contains(&feed.secret));
        let holds = |row: &[u8]| row.windows(feed.secret.len()).any(|some| some == feed.secret.as_bytes());
        assert!(!sealed.iter().any(|secret| holds(&secret.sealed)));
    }
}
