//! Stock on its way: planned, received, cancelled.

use contract::OfferId;
use serde_json::{Value, json};

use super::{Shop, books_are_right};

fn id(payload: &Value) -> Value {
    payload["shipment"]["id"].clone()
}

impl Shop<'_> {
    async fn plan(&self, lines: &[(OfferId, i64)]) -> Value {
        let lines: Vec<_> =
            lines.iter().map(|(offer, quantity)| json!({ "offerId": offer, "quantity": quantity })).collect();
        self.does(
            "planShipment",
            json!({ "locationId": self.location, "lines": lines, "reference": "UPS 1" }),
        )
        .await
    }
}

souk_test! {
    async fn a_shipment_is_received_as_planned_or_as_counted_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (a, b) = (shop.offer().await, shop.offer().await);
        let planned = shop.plan(&[(a, 5), (b, 2), (b, 1)]).await;
        assert_eq!(planned["shipment"]["state"], "EXPECTED");
        assert_eq!(shop.levels(a).await, [0, 0, 0]);
        let counted = json!([{ "offerId": b, "quantity": 2 }]);
        let received = shop.does("receiveShipment", json!({ "id": id(&planned), "counted": counted })).await;
        assert_eq!(received["shipment"]["state"], "RECEIVED");
        assert_eq!((shop.levels(a).await[0], shop.levels(b).await[0]), (5, 2));
        assert_eq!(shop.refusal("receiveShipment", json!({ "id": id(&planned) })).await, "NOT_EXPECTED");
        assert_eq!(shop.refusal("cancelShipment", json!({ "id": id(&planned) })).await, "NOT_EXPECTED");
        books_are_right(market).await;
    }

    async fn a_cancelled_shipment_brings_nothing(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let a = shop.offer().await;
        let planned = shop.plan(&[(a, 5)]).await;
        let cancelled = shop.does("cancelShipment", json!({ "id": id(&planned) })).await;
        assert_eq!(cancelled["shipment"]["state"], "CANCELLED");
        assert_eq!(shop.refusal("receiveShipment", json!({ "id": id(&planned) })).await, "NOT_EXPECTED");
        let query = "query($state: InboundShipmentState) { inboundShipments(state: $state) { edges { node {
            state reference location { name } lines { expected received } } } } }";
        let data = market.data("inventory", Some(&shop.seller), query, json!({ "state": "CANCELLED" })).await;
        let shown = json!({ "state": "CANCELLED", "reference": "UPS 1", "location": { "name": "Warehouse" },
            "lines": [{ "expected": 5, "received": null }] });
        assert_eq!(data["inboundShipments"]["edges"][0]["node"], shown);
        let none = market.data("inventory", Some(&shop.seller), query, json!({ "state": "EXPECTED" })).await;
        assert_eq!(none["inboundShipments"]["edges"], json!([]));
    }

    async fn two_who_receive_at_once_receive_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let a = shop.offer().await;
        let planned = shop.plan(&[(a, 5)]).await;
        let receive = || shop.refusal("receiveShipment", json!({ "id": id(&planned) }));
        let (one, other) = futures::join!(receive(), receive());
        assert!([one, other].contains(&"NOT_EXPECTED".to_owned()));
        assert_eq!(shop.levels(a).await, [5, 0, 5]);
    }

    async fn bad_and_foreign_shipments_are_refused(market: &Market) {
        let (shop, other) = (Shop::open(market, "Shop").await, Shop::open(market, "Other").await);
        let (mine, theirs) = (shop.offer().await, other.offer().await);
        let code = |payload: Value| payload["userErrors"][0]["code"].as_str().unwrap_or("done").to_owned();
        assert_eq!(code(shop.plan(&[]).await), "LINES_OUT_OF_RANGE");
        assert_eq!(code(shop.plan(&vec![(mine, 1); 101]).await), "LINES_OUT_OF_RANGE");
        assert_eq!(code(shop.plan(&[(mine, 1), (mine, -1)]).await), "QUANTITY_OUT_OF_RANGE");
        assert_eq!(code(shop.plan(&[(mine, 1), (theirs, 1)]).await), "OFFER_NOT_FOUND");
        let planned = shop.plan(&[(mine, 5)]).await;
        assert_eq!(other.refusal("receiveShipment", json!({ "id": id(&planned) })).await, "NOT_FOUND");
        assert_eq!(other.refusal("cancelShipment", json!({ "id": id(&planned) })).await, "NOT_FOUND");
        let counted = json!([{ "offerId": theirs, "quantity": 1 }]);
        let input = json!({ "id": id(&planned), "counted": counted });
        assert_eq!(shop.refusal("receiveShipment", input).await, "OFFER_NOT_FOUND");
    }
}
