//! Feeds reach the marketplace at its one address.

use souk::serve::{Clients, Endpoint, Inner, Listen};

use super::*;

souk_test! {
    async fn a_batch_comes_through_the_router_byte_for_byte(market: &Market) {
        let mut site = Site::open(market).await;
        let offer = site.goods("Größe 42 👟", None).await;
        let inner = Inner::open(&market.souk).await.unwrap();
        let (host, allowed_origins) = ("127.0.0.1".into(), vec![]);
        let listen =
            Listen { host, port: 0, subgraphs_over_http: false, allowed_origins, clients: Clients::default() };
        let endpoint = Endpoint::open(&market.souk, &listen, &inner).await.unwrap();
        site.url = format!("{}/integrations/stock", endpoint.address());
        let feed = site.feed("SKU", "TIME").await;
        let strange = " {\r\n\t\"lines\" : [ {\"sku\":\"Gr\\u00f6\u{df}e 42 \u{1f45f}\",\"quantity\":5} ] }\n\n";
        let sent = feed.request("json", "application/json", strange).send().await.unwrap();
        assert_eq!(results(&answered(sent, StatusCode::OK).await), ["APPLIED"]);
        let answer = feed.send_csv("csv", "\u{feff}sku,quantity\r\n\"Größe 42 👟\",6\r\n").await;
        assert_eq!(results(&answer), ["STALE"], "of the same second, and another quantity");
        assert_eq!(site.shop.levels(offer).await, [5, 0, 5]);
        let unsigned = site.client.post(&site.url).body("{}").send().await.unwrap();
        answered(unsigned, StatusCode::UNAUTHORIZED).await;
        assert_eq!(site.client.get(&site.url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
        let large = feed.request("large", "text/csv", &"x".repeat(2_000_000)).send().await;
        assert!(large.is_err() || large.unwrap().status().is_client_error());
        endpoint.stop().await.unwrap();
    }
}
