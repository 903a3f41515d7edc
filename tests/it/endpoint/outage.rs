//! A database that goes away in the middle: a clear code, and everything goes on when it is back.

use std::time::Duration;

use chassis::Engine;
use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use serde_json::json;

use super::*;
use crate::support::goods::Goods;
use crate::support::{self, Relays, Store};

/// How long the marketplace may take to find its database again.
const BACK_TIMEOUT: Duration = Duration::from_secs(20);

const QUERY: &str = "{ products(first: 1) { edges { node { title } } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_back_is_used_again() {
    let Some(store) = support::store(Engine::Postgres).await else { return };
    let Store::Postgres(scratch) = &store else { unreachable!("it is a PostgreSQL store") };
    let market = Market::start(&store, Relays::Running).await;
    let seller = market.seller("Unlucky").await;
    Goods::stock(&market, &seller, "Lasting", 1).await;
    let site = Site::open(&market, Subgraphs::InProcess).await;
    let before = site.ask(None, QUERY, json!({})).await;
    assert_eq!(before["data"]["products"]["edges"][0]["node"]["title"], "Lasting", "{before}");

    allow_connections(&scratch.name, false).await;
    let during = site.ask(None, QUERY, json!({})).await;
    let extensions = &during["errors"][0]["extensions"];
    assert_eq!(
        (&extensions["code"], &extensions["retryable"]),
        (&json!("UNAVAILABLE"), &json!(true)),
        "{during}"
    );

    allow_connections(&scratch.name, true).await;
    // A connection that died a moment ago may cost a request or two.
    let back = tokio::time::timeout(BACK_TIMEOUT, async {
        while site.ask(None, QUERY, json!({})).await["data"] != before["data"] {}
    });
    back.await.expect("it recovers by itself");
    market.settle().await;
    site.close().await;
    market.stop().await;
    store.remove().await;
}

/// Ends every connection to the database when it allows none.
async fn allow_connections(name: &str, allow: bool) {
    let mut options = ConnectOptions::new(support::postgres::server_url());
    options.max_connections(1).sqlx_logging(false);
    let server = Database::connect(options).await.unwrap();
    server.execute_unprepared(&format!("alter database {name} allow_connections {allow}")).await.unwrap();
    if !allow {
        let end = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
        server.execute_unprepared(&end).await.unwrap();
    }
    server.close().await.unwrap();
}
