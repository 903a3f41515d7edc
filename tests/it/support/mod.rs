//! A marketplace for each test, on a database of its own.

pub mod cluster;
pub mod goods;
mod identity;
mod market;
pub mod postgres;
mod sqlite;

use std::io::Write;

use bidding::rules::BidPolicy;
use chassis::Engine;
use futures::future::BoxFuture;
use payments::provider::Setup;

pub use identity::Person;
pub use market::{Market, headers, plan, start};

/// A test on both engines: `souk_test! { async fn a_sentence(market: &Market) { … } }` becomes `a_sentence::sqlite` and
/// `a_sentence::postgres`. With `silent` before `async`, no relay runs: the test delivers by hand. With `held`, money is held
/// for bids.
macro_rules! souk_test {
    ($(#[$meta:meta])* async fn $name:ident($market:ident: &Market) $body:block $($more:tt)*) => {
        souk_test! { @engines Running, VerifyOnly, $(#[$meta])* $name $market $body }
        souk_test! { $($more)* }
    };
    ($(#[$meta:meta])* held async fn $name:ident($market:ident: &Market) $body:block $($more:tt)*) => {
        souk_test! { @engines Running, FullHold, $(#[$meta])* $name $market $body }
        souk_test! { $($more)* }
    };
    ($(#[$meta:meta])* silent async fn $name:ident($market:ident: &Market) $body:block $($more:tt)*) => {
        souk_test! { @engines Silent, VerifyOnly, $(#[$meta])* $name $market $body }
        souk_test! { $($more)* }
    };
    (@engines $relays:ident, $policy:ident, $(#[$meta:meta])* $name:ident $market:ident $body:block) => {
        mod $name {
            use super::*;

            async fn test($market: &$crate::support::Market) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let relays = $crate::support::Relays::$relays;
                let policy = ::bidding::rules::BidPolicy::$policy;
                $crate::support::run(chassis::Engine::Sqlite, relays, policy, |market| Box::pin(test(market))).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let relays = $crate::support::Relays::$relays;
                let policy = ::bidding::rules::BidPolicy::$policy;
                $crate::support::run(chassis::Engine::Postgres, relays, policy, |market| Box::pin(test(market))).await;
            }
        }
    };
    () => {};
}

/// Whether events are delivered by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relays {
    Running,
    Silent,
}

/// Runs `test` on a new marketplace. When it ends nothing waits: every event has been delivered, and
/// the books are right.
pub async fn run(
    engine: Engine,
    relays: Relays,
    bid_policy: BidPolicy,
    test: impl for<'m> FnOnce(&'m Market) -> BoxFuture<'m, ()>,
) {
    let Some(store) = store(engine).await else { return };
    let market = Market::start_under(&store, relays, start(), Setup::Sandbox, bid_policy).await;
    test(&market).await;
    if relays == Relays::Running {
        market.settle().await;
        let books = payments::ledger::verify(&market.env("payments").db).await.unwrap();
        assert!(books.is_right(), "{books}");
    }
    market.stop().await;
    store.remove().await;
}

/// A place for rows. `None`: there is no server, and that was said.
pub async fn store(engine: Engine) -> Option<Store> {
    match engine {
        Engine::Sqlite => Some(sqlite::store()),
        Engine::Postgres => postgres::store().await,
    }
}

/// Says that a test was skipped, or fails when the environment demands the server.
pub fn skip(server: &str, why: &str) {
    let required = std::env::var("SOUK_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == server.to_lowercase()),
        "{server} is required: {why}"
    );
    // Past the test runner, which would hide it with the rest of what a passing test says.
    std::io::stderr().write_all(format!("skipped: no {server} {why}\n").as_bytes()).unwrap();
}

/// Where a test's rows are.
pub enum Store {
    Sqlite(sqlite::Folder),
    Postgres(postgres::Scratch),
    /// A server of the test's own.
    Cluster(cluster::Cluster),
}

impl Store {
    pub fn url(&self, service: &str) -> String {
        match self {
            Self::Sqlite(folder) => folder.url(service),
            Self::Postgres(scratch) => scratch.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    pub async fn remove(self) {
        if let Self::Postgres(scratch) = self {
            scratch.remove().await;
        }
    }
}
