//! Identical queries in flight share one execution; nothing else does.

use futures::future::join_all;
use serde_json::{Value, json};

use super::world::{Subgraphs, World};

async fn ask_as(world: &World, viewer: Option<&str>, query: &str) -> Value {
    let mut request = world.post(&json!({ "query": query }));
    if let Some(viewer) = viewer {
        request = request.header("authorization", viewer);
    }
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn identical_queries_in_flight_are_executed_once() {
    let world = World::start(Subgraphs::Local).await;
    let answers = join_all((0..8).map(|_| ask_as(&world, None, "{ slow }"))).await;
    for answer in answers {
        assert_eq!(answer, json!({ "data": { "slow": "nobody" } }));
    }
    assert_eq!(world.counts().of(|counts| &counts.slow), 1);
}

#[tokio::test]
async fn different_queries_share_what_they_ask_a_subgraph() {
    let world = World::start(Subgraphs::Local).await;
    let queries = ["{ slow warehouses }", "{ slow a: warehouses }", "{ slow b: warehouses }"];
    join_all(queries.map(|query| ask_as(&world, None, query))).await;
    assert_eq!(world.counts().of(|counts| &counts.slow), 1);
}

#[tokio::test]
async fn two_viewers_never_share() {
    let world = World::start(Subgraphs::Local).await;
    let viewers = ["Bearer a", "Bearer b", "Bearer a"];
    let answers = join_all(viewers.map(|viewer| ask_as(&world, Some(viewer), "{ slow }"))).await;
    for (viewer, answer) in viewers.iter().zip(answers) {
        assert_eq!(answer, json!({ "data": { "slow": viewer } }));
    }
    assert_eq!(world.counts().of(|counts| &counts.slow), 2);
}

#[tokio::test]
async fn a_query_that_comes_later_is_executed_again() {
    let world = World::start(Subgraphs::Local).await;
    world.ask("{ slow }").await;
    world.ask("{ slow }").await;
    assert_eq!(world.counts().of(|counts| &counts.slow), 2);
}

#[tokio::test]
async fn mutations_are_never_shared() {
    let world = World::start(Subgraphs::Local).await;
    let mutation = "mutation { rename(id: \"1\", title: \"x\") { id } }";
    join_all((0..4).map(|_| ask_as(&world, None, mutation))).await;
    assert_eq!(world.counts().of(|counts| &counts.renamed), 4);
}

#[tokio::test]
async fn those_who_wait_are_served_when_the_first_goes_away() {
    let world = World::start(Subgraphs::Local).await;
    let first = world.post(&json!({ "query": "{ slow }" })).timeout(std::time::Duration::from_millis(50));
    let (first, second) = futures::join!(first.send(), ask_as(&world, None, "{ slow }"));
    assert!(first.is_err());
    assert_eq!(second, json!({ "data": { "slow": "nobody" } }));
}

#[tokio::test]
async fn those_who_share_get_the_form_that_each_accepts() {
    let world = World::start(Subgraphs::Local).await;
    let ask = async |media: &'static str| {
        let request = world.post(&json!({ "query": "{ slow }" })).header("accept", media);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], media);
    };
    let (json, response) = ("application/json", "application/graphql-response+json");
    futures::join!(ask(json), ask(response), ask("text/event-stream"), ask(response), ask(json));
    assert_eq!(world.counts().of(|counts| &counts.slow), 1, "the subgraph is asked once");
}
