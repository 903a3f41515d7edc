//! Systems outside that report stock and are told of it, over real HTTP.

mod batches;
mod owners;
#[cfg(feature = "router")]
mod router;
mod trust;
mod webhooks;

use chassis::outbox::{self, about};
use chassis::tx;
use contract::event::catalog::{Publication, VariantChanged};
use contract::{OfferId, ProductId, VariantId};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::inventory::Shop;
use crate::support::{Market, Person};

/// A shop, the marketplace's pages over HTTP, and a client.
struct Site<'m> {
    market: &'m Market,
    shop: Shop<'m>,
    url: String,
    client: reqwest::Client,
}

impl<'m> Site<'m> {
    async fn open(market: &'m Market) -> Self {
        let shop = Shop::open(market, "Feeding").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/integrations/stock", listener.local_addr().unwrap());
        let stop = market.souk.tasks.stopping().clone();
        market.souk.tasks.spawn(souk::serve::serve_http(listener, market.souk.pages(), stop));
        Self { market, shop, url, client: reqwest::Client::new() }
    }

    /// An offer, without stock, of a variant with these numbers.
    async fn goods(&self, sku: &str, gtin: Option<&str>) -> OfferId {
        let variant_id = VariantId::new();
        let (sku, gtin) = (Some(sku.to_owned()), gtin.map(str::to_owned));
        let changed = VariantChanged { variant_id, product_id: ProductId::new(), sku, gtin };
        let now = self.market.clock.now();
        tx::apply(&self.market.env("catalog").db, async |tx| {
            outbox::say(tx, now, about("variant", variant_id, 1), changed).await
        })
        .await
        .unwrap();
        let offer = self.shop.offer_of(variant_id, Publication::Published).await;
        self.market.settle().await;
        offer
    }

    async fn feed(&self, matches_by: &str, orders_by: &str) -> Sender<'_> {
        let input = json!({ "name": format!("{matches_by} by {orders_by}"), "locationId": self.shop.location,
            "matchesBy": matches_by, "ordersBy": orders_by });
        let made = does(self.market, &self.shop.seller, "createStockFeed", input).await;
        let id = made["feed"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        Sender { site: self, id, secret: made["secret"].as_str().unwrap().to_owned() }
    }
}

/// A system outside with its feed's secret.
#[derive(Clone)]
struct Sender<'s> {
    site: &'s Site<'s>,
    id: String,
    secret: String,
}

impl Sender<'_> {
    fn now(&self) -> i64 {
        self.site.market.clock.now().timestamp()
    }

    /// A batch, signed now.
    fn request(&self, key: &str, kind: &str, body: &str) -> reqwest::RequestBuilder {
        self.request_at(self.now(), key, kind, body)
    }

    fn request_at(&self, timestamp: i64, key: &str, kind: &str, body: &str) -> reqwest::RequestBuilder {
        let signature =
            inventory::signature::header(std::slice::from_ref(&self.secret), timestamp, body.as_bytes());
        let request = self.site.client.post(&self.site.url).header("souk-feed", &self.id);
        request
            .header("souk-timestamp", timestamp)
            .header("souk-signature", signature)
            .header("idempotency-key", key)
            .header("content-type", kind)
            .body(body.to_owned())
    }

    async fn send(&self, key: &str, lines: Value) -> Value {
        let body = json!({ "lines": lines }).to_string();
        answered(self.request(key, "application/json", &body).send().await.unwrap(), StatusCode::OK).await
    }

    async fn send_csv(&self, key: &str, csv: &str) -> Value {
        let sent = self.request(key, "text/csv; charset=utf-8", csv).send().await.unwrap();
        answered(sent, StatusCode::OK).await
    }
}

async fn answered(response: Response, status: StatusCode) -> Value {
    let got = response.status();
    let answer = response.json().await.unwrap();
    assert_eq!(got, status, "{answer}");
    answer
}

/// The results of the lines, in their order.
fn results(answer: &Value) -> Vec<&str> {
    answer["results"].as_array().unwrap().iter().map(|line| line["result"].as_str().unwrap()).collect()
}

/// Calls a mutation of feeds and webhooks, with a new idempotency key where it takes one: its payload.
async fn does(market: &Market, by: &Person, mutation: &str, input: Value) -> Value {
    let thing = match mutation {
        "createStockFeed" | "rotateStockFeedSecret" => "secret feed { id name enabled version }",
        "changeStockFeed" => "feed { id name enabled version }",
        "createStockWebhook" | "rotateStockWebhookSecret" => "secret webhook { id url enabled version }",
        "changeStockWebhook" => "webhook { id url enabled givenUp version }",
        "redeliverToStockWebhook" => "delivery { id state attempts }",
        other => panic!("nobody knows {other}"),
    };
    let mut input = input;
    let takes_key = !mutation.starts_with("change") && !mutation.starts_with("redeliver");
    if takes_key && input.get("idempotencyKey").is_none() {
        input["idempotencyKey"] = uuid::Uuid::now_v7().to_string().into();
    }
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {thing} userErrors {{ code field message }} }} }}"
    );
    market.data("inventory", Some(by), &query, json!({ "input": input })).await[mutation].take()
}

/// The code of the first user error.
fn refusal(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("done")
}

/// A shop with a feed by SKU and sequence, and its offers `SKU 0`, `SKU 1` and so on.
pub async fn killed_shop(market: &Market, goods: usize) -> Vec<OfferId> {
    let site = Site::open(market).await;
    site.feed("SKU", "SEQUENCE").await;
    let mut offers = vec![];
    for number in 0..goods {
        offers.push(site.goods(&format!("SKU {number}"), None).await);
    }
    offers
}
