//! Calling a subgraph in process and calling it over HTTP give the same bytes.

use serde_json::json;

use super::*;
use crate::support::goods::Goods;

/// Operations over one subgraph and over several, good and bad.
const OPERATIONS: &[&str] = &[
    "{ __typename }",
    "{ __schema { queryType { fields { name description } } } }",
    "{ products(first: 2) { edges { cursor node { id title handle } } pageInfo { hasNextPage endCursor } } }",
    "query Page { products(first: 20) { edges { node { title variants { id sku lowestOffer { id price { amountMinor \
        currency decimal } available seller { id name } } stock { available } } } } } }",
    "{ a: products(first: 1) { edges { node { id } } } b: products(first: 1) { edges { node { title } } } }",
    "{ product(handle: \"nothing-of-that-name\") { id } }",
    "{ product(id: \"off_00000000000000000000000000\") { id } }",
    "{ products(first: 101) { edges { node { id } } } }",
    "{ nothingOfThatName }",
    "{ products(first: ",
    "{ me { id displayName } }",
    "mutation { logOut { userErrors { code } } }",
];

souk_test! {
    async fn a_subgraph_called_in_process_answers_as_it_does_over_http(market: &Market) {
        let seller = market.seller("Two Ways").await;
        for title in ["First", "Second", "Third"] {
            Goods::stock(market, &seller, title, 3).await;
        }
        let in_process = Site::open(market, Subgraphs::InProcess).await;
        let over_http = Site::open(market, Subgraphs::OverHttp).await;
        for operation in OPERATIONS {
            for by in [None, Some(&seller)] {
                let here = bytes(&in_process, by, operation).await;
                let there = bytes(&over_http, by, operation).await;
                assert_eq!(here, there, "{operation}");
            }
        }
        in_process.close().await;
        over_http.close().await;
    }

    async fn a_forged_token_is_refused_at_the_door(market: &Market) {
        let site = Site::open(market, Subgraphs::InProcess).await;
        let mut person = market.buyer();
        person.token.replace_range(person.token.len() - 8.., "AAAAAAAA");
        let answer = site.request(Some(&person), "{ me { id } }", json!({})).send().await.unwrap();
        assert_eq!(answer.status(), 401);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        site.close().await;
    }
}

/// Status and body, under one request id.
async fn bytes(site: &Site, by: Option<&Person>, operation: &str) -> (u16, String) {
    let request = site.request(by, operation, json!({})).header("x-request-id", "the-same-for-both");
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}
