//! What providers tell by themselves: only hints, and only theirs.

use chrono::TimeDelta;
use entity::payments::{payment_step, provider_event};
use payments::webhook::sign;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Sale;
use crate::support::Market;

/// The key that seals the sandbox's webhooks in tests.
pub(super) const SECRET: [u8; 32] = [7; 32];

/// The marketplace's pages over HTTP.
pub(super) async fn pages(market: &Market) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    serve(market, listener);
    format!("http://{address}")
}

/// [`pages`] where somebody knows already that they will be.
pub(super) fn serve(market: &Market, listener: TcpListener) {
    let (pages, stop) = (market.souk.pages(), market.souk.tasks.stopping().clone());
    market.souk.tasks.spawn(async move {
        axum::serve(listener, pages).with_graceful_shutdown(stop.cancelled_owned()).await.unwrap();
    });
}

async fn tell(pages: &str, event: &Value, signature: String) -> u16 {
    let request = reqwest::Client::new()
        .post(format!("{pages}/provider/webhook/sandbox"))
        .header("sandbox-signature", signature)
        .body(event.to_string());
    request.send().await.unwrap().status().as_u16()
}

fn event(id: usize, sale: &Sale<'_>) -> Value {
    json!({ "id": format!("evt_{id}"), "type": "payment.changed", "payment_id": sale.payment })
}

souk_test! {
    async fn a_webhook_is_taken_once_and_only_from_the_provider(market: &Market) {
        let pages = pages(market).await;
        let sale = Sale::with_card(market, "pm_card_visa").await;
        let now = market.clock.now();
        let event = event(1, &sale);
        let body = event.to_string();
        let good = sign(body.as_bytes(), &SECRET, now);
        for (forged, why) in [
            (String::new(), "unsigned"),
            (sign(body.as_bytes(), b"another secret", now), "forged"),
            (sign(b"another body", &SECRET, now), "forged"),
            (sign(body.as_bytes(), &SECRET, now - TimeDelta::seconds(301)), "stale"),
            (sign(body.as_bytes(), &SECRET, now + TimeDelta::seconds(301)), "early"),
        ] {
            assert_eq!(tell(&pages, &event, forged).await, 400, "{why}");
        }
        let db = market.env("payments").db.read();
        assert_eq!(provider_event::Entity::find().count(db).await.unwrap(), 0);
        let before = payment_step::Entity::find().count(db).await.unwrap();
        for _ in 0..3 {
            assert_eq!(tell(&pages, &event, good.clone()).await, 200);
        }
        market.settle().await;
        assert_eq!(provider_event::Entity::find().count(db).await.unwrap(), 1);
        assert_eq!(payment_step::Entity::find().count(db).await.unwrap(), before + 1, "it is read once");
        assert_eq!(sale.answers().await, ["authorised"], "nothing new is no news");
    }

    async fn hints_in_any_order_about_anything_change_nothing_wrongly(market: &Market) {
        let pages = pages(market).await;
        let sales = [Sale::paid(market, "pm_card_visa").await, Sale::with_card(market, "pm_card_visa").await];
        let stranger = Sale::new(market);
        let told = (0..60).map(|at| event(at * 7 % 20, [&sales[0], &sales[1], &stranger][at % 3]));
        for event in told {
            let signature = sign(event.to_string().as_bytes(), &SECRET, market.clock.now());
            assert_eq!(tell(&pages, &event, signature).await, 200);
        }
        market.settle().await;
        assert_eq!(sales[0].answers().await, ["authorised", "captured"]);
        assert_eq!(sales[1].answers().await, ["authorised"]);
    }

    async fn the_page_of_the_sandbox_bank_confirms_and_says_what_it_is(market: &Market) {
        let pages = pages(market).await;
        let sale = Sale::with_card(market, "pm_card_threeDSecure2Required").await;
        let page = format!("{pages}{}", sale.said_last().await["redirect_url"].as_str().unwrap());
        let shown = reqwest::get(&page).await.unwrap().text().await.unwrap();
        assert!(shown.contains("SANDBOX"), "{shown}");
        let post = reqwest::Client::new().post(&page).body("accept=true");
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(post.send().await.unwrap().status(), 200);
        market.settle().await;
        assert_eq!(sale.answers().await, ["needs_action", "authorised"]);
        assert_eq!(reqwest::get(format!("{page}0")).await.unwrap().status(), 404);
    }
}
