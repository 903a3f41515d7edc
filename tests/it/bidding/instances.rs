//! Several processes on one PostgreSQL: one of them decides about a market.

use chassis::Engine;
use chassis::auth::Role;
use serde_json::json;

use super::pit::{Pit, status};
use crate::support::{self, Market, Person, Relays};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_answers_reads_and_takes_over_at_the_end() {
    let Some(store) = support::store(Engine::Postgres).await else { return };
    let (one, other) =
        (Market::start(&store, Relays::Running).await, Market::start(&store, Relays::Silent).await);
    let pit = Pit::open(&one).await;
    assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
    one.settle().await;

    let seller = Person {
        token: other.minter.token(pit.seller.user, &[Role::Buyer, Role::Seller], other.clock.now()),
        ..pit.seller.clone()
    };
    let query = "mutation($input: PlaceAskInput!) { placeAsk(input: $input) { order { status } } }";
    let place =
        async || other.ask("bidding", Some(&seller), query, json!({ "input": pit.ask_input(19_000) })).await;
    let elsewhere = place().await;
    let extensions = &elsewhere["errors"][0]["extensions"];
    assert_eq!(
        (extensions["code"].as_str(), extensions["retryable"].as_bool()),
        (Some("UNAVAILABLE"), Some(true)),
        "{elsewhere}"
    );
    let read = "query($id: ID!) { market(variantId: $id) { lowestAsk { amountMinor } } }";
    let seen = other.data("bidding", None, read, json!({ "id": pit.variant })).await;
    assert_eq!(seen["market"]["lowestAsk"]["amountMinor"], 20_000);

    one.stop().await;
    let taken = place().await;
    assert_eq!(taken["data"]["placeAsk"]["order"]["status"], "OPEN", "{taken}");
    let seen = other.data("bidding", None, read, json!({ "id": pit.variant })).await;
    assert_eq!(seen["market"]["lowestAsk"]["amountMinor"], 19_000, "what was there is there");
    other.stop().await;
    store.remove().await;
}
