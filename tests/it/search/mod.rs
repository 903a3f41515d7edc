//! Search, through the graph.

mod changes;
mod facets;
mod merges;
mod pages;
mod proposals;
pub mod rebuild;
mod relevance;
mod typed;

use std::time::Duration;

use catalog::attribute::{Named, Value as Attribute};
use catalog::import::{NewListing, NewOffer, NewVariant, load};
use contract::{CurrencyCode, Money};
use entity::catalog::Condition;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::support::{Market, Person};

/// How long an index may take to see everything.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(120);

/// Lets the index of this market follow the catalog, as it does where jobs run.
pub fn follow(market: &souk::Market) {
    let jobs = market.services.iter().flat_map(|service| &service.subgraph.jobs);
    let job = jobs.into_iter().find(|job| job.name == "search").unwrap().clone();
    market.tasks.every(job.name, job.pause, move || (job.run)());
}

/// Waits until searches see everything that has changed.
pub async fn caught_up(market: &Market) {
    market.settle().await;
    indexed(market).await;
}

/// Waits until searches see everything that has changed in the catalog.
async fn indexed(market: &Market) {
    let query =
        "query($revision: Long) { search(minRevision: $revision, first: 1) { isStale isRebuilding } }";
    let revision = newest_revision(market).await;
    let seen = json!({ "search": { "isStale": false, "isRebuilding": false } });
    tokio::time::timeout(CATCH_UP_TIMEOUT, async {
        while ask(market, query, json!({ "revision": revision })).await != seen {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the index sees every change in the end");
}

/// The revision of the newest change.
async fn newest_revision(market: &Market) -> i64 {
    let db = market.env("catalog").db.read();
    let sql = "select coalesce(max(revision), 0) as newest from search_change";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get("", "newest").unwrap()
}

/// What anybody is answered.
async fn ask(market: &Market, query: &str, variables: Value) -> Value {
    market.data("catalog", None, query, variables).await
}

/// The titles that a search finds, in order.
async fn found(market: &Market, arguments: &str) -> Vec<String> {
    let query = format!("{{ search({arguments}) {{ nodes {{ title }} }} }}");
    titles(&ask(market, &query, json!({})).await["search"]["nodes"])
}

fn titles(nodes: &Value) -> Vec<String> {
    nodes.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

/// A product to find.
#[derive(Clone)]
struct Goods {
    title: &'static str,
    brand: Option<&'static str>,
    category: &'static [&'static str],
    color: Option<&'static str>,
    /// Size, condition, price in cents of a dollar.
    offers: Vec<(&'static str, Condition, i64)>,
}

impl Goods {
    fn titled(title: &'static str) -> Self {
        Self {
            title,
            brand: None,
            category: &["Goods"],
            color: None,
            offers: vec![("M", Condition::New, 1_000)],
        }
    }

    fn listing(&self, seller: &Person) -> NewListing {
        let mut variants: Vec<NewVariant> = vec![];
        for (size, condition, amount_minor) in &self.offers {
            let price = Money { amount_minor: *amount_minor, currency: CurrencyCode::USD };
            let offer = NewOffer { seller: seller.seller.unwrap(), condition: *condition, price };
            match variants.iter_mut().find(|variant| variant.size.as_deref() == Some(*size)) {
                Some(variant) => variant.offers.push(offer),
                None => variants.push(NewVariant {
                    size: Some((*size).into()),
                    offers: vec![offer],
                    ..Default::default()
                }),
            }
        }
        let handle: String = self.title.chars().filter(char::is_ascii_alphanumeric).collect();
        NewListing {
            handle: format!("{}-{}", handle.to_lowercase(), uuid::Uuid::now_v7().simple()),
            title: self.title.into(),
            brand: self.brand.map(str::to_owned),
            model: None,
            description: String::new(),
            category: self.category.iter().map(|name| (*name).to_owned()).collect(),
            attributes: self
                .color
                .map(|color| Named { name: "color".into(), value: Attribute::OneOf(color.into()) })
                .into_iter()
                .collect(),
            images: vec![],
            variants,
        }
    }
}

/// Puts goods into the catalog of a market that searches, in this order.
async fn sell(market: &Market, seller: &Person, goods: &[Goods]) {
    for one in goods {
        // One by one: ids tell the order.
        let loaded = load(market.env("catalog"), vec![one.listing(seller)]).await.unwrap();
        assert_eq!(loaded.refused, []);
    }
    caught_up(market).await;
}
