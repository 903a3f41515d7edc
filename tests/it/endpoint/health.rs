//! Ready is who can do the work: a database that only answers questions is not enough.

use sea_orm::ConnectionTrait;
use serde_json::json;

use super::*;

souk_test! {
    async fn a_database_that_takes_no_writes_makes_its_service_unready(market: &Market) {
        let site = Site::open(market, Subgraphs::InProcess).await;
        let env = market.env("catalog");
        let rename = async |from: &str, to: &str| {
            let sql = format!("alter table {from} rename to {to}");
            env.db.write().execute_unprepared(&sql).await.unwrap();
        };
        assert_eq!(ready(&site).await, (200, json!("ready"), json!("ready")));
        rename("lease", "elsewhere").await;
        assert!(chassis::probe::run(env.clone()).await.is_err());
        assert_eq!(ready(&site).await, (503, json!("database cannot be written"), json!("ready")));
        rename("elsewhere", "lease").await;
        chassis::probe::run(env.clone()).await.unwrap();
        assert_eq!(ready(&site).await, (200, json!("ready"), json!("ready")));
        site.close().await;
    }
}

/// The status, and what is said of catalog and of inventory.
async fn ready(site: &Site) -> (u16, Value, Value) {
    let url = site.url.replace("/graphql", "/health/ready");
    let response = site.client.get(url).send().await.unwrap();
    let status = response.status().as_u16();
    let mut answer: Value = response.json().await.unwrap();
    let mut of = |service: &str| answer["services"][service].take();
    (status, of("catalog"), of("inventory"))
}
