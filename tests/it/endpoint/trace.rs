//! One id from the client's request to the consumer's transaction.

use std::sync::OnceLock;

use chassis::telemetry::{Guard, LogFormat, Telemetry};
use entity::shared::inbox;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::*;
use crate::support::goods::Goods;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Traces, once for all tests, and no logs.
static TRACING: OnceLock<Guard> = OnceLock::new();

fn start_tracing() {
    TRACING.get_or_init(|| {
        let telemetry = Telemetry { filter: "off".into(), format: LogFormat::Json, otlp_endpoint: None };
        telemetry.start().unwrap()
    });
}

souk_test! {
    async fn the_client_s_trace_reaches_the_consumer_of_another_service(market: &Market) {
        start_tracing();
        let seller = market.seller("Traced").await;
        let goods = Goods::stock(market, &seller, "Traced goods", 5).await;
        let site = Site::open(market, Subgraphs::InProcess).await;
        let query = "mutation($input: AdjustStockInput!) { adjustStock(input: $input) { userErrors { code } } }";
        let input = json!({ "offerId": goods.offer, "locationId": goods.location, "delta": -1, "reason": "traced",
            "idempotencyKey": "traced" });
        let request = site.request(Some(&seller), query, json!({ "input": input }));
        let response = request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01")).send().await.unwrap();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["data"]["adjustStock"]["userErrors"], json!([]), "{answer}");
        market.settle().await;
        let heard = inbox::Entity::find()
            .filter(inbox::Column::Traceparent.contains(TRACE))
            .all(market.env("catalog").db.read())
            .await
            .unwrap();
        assert_eq!(heard.len(), 1, "catalog has heard of the change under the client's trace");
        site.close().await;
    }

    async fn a_request_keeps_its_id_in_answer_and_error(market: &Market) {
        let site = Site::open(market, Subgraphs::InProcess).await;
        let request = site.request(None, "{ products(first: 101) { edges { node { id } } } }", json!({}));
        let response = request.header("x-request-id", "mine-1").send().await.unwrap();
        assert_eq!(response.headers()["x-request-id"], "mine-1");
        let answer: Value = response.json().await.unwrap();
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!((&extensions["requestId"], &extensions["code"]), (&json!("mine-1"), &json!("BAD_USER_INPUT")), "{answer}");
        site.close().await;
    }
}
