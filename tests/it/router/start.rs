//! Starting, refusing to start, stopping.

use router::ServeError;

use super::toy::Shared;
use super::world::{Subgraphs, World, options};

#[tokio::test]
async fn a_port_in_use_is_said_at_once() {
    let first = World::start(Subgraphs::Local).await;
    let mut second = options(Subgraphs::Local, &Shared::default()).await;
    second.port = first.running.address.port();
    let Err(error) = router::serve(second).await else { panic!("it started") };
    assert!(matches!(error, ServeError::Listen { .. }), "{error}");
    assert!(error.to_string().contains(&first.running.address.port().to_string()), "{error}");
}

#[tokio::test]
async fn a_supergraph_that_is_none_is_said_at_once() {
    for sdl in ["type {", "type Thing { id: ID! }", ""] {
        let mut options = options(Subgraphs::Local, &Shared::default()).await;
        options.supergraph = sdl.to_owned();
        let Err(error) = router::serve(options).await else { panic!("it started with {sdl}") };
        assert!(matches!(error, ServeError::Supergraph(_)), "{error}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_said_at_once() {
    let mut options = options(Subgraphs::Local, &Shared::default()).await;
    options.host = "nowhere.invalid".to_owned();
    assert!(matches!(router::serve(options).await, Err(ServeError::Listen { .. })));
}

#[tokio::test]
async fn a_stop_lets_running_requests_finish() {
    let world = World::start(Subgraphs::Local).await;
    let request = world.ask("{ slow }");
    let stop = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        world.stop.cancel();
    };
    let (answer, ()) = futures::join!(request, stop);
    assert_eq!(answer["data"]["slow"], "nobody");
    let address = world.running.address;
    world.running.ended().await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_url_can_be_given_for_a_subgraph() {
    let elsewhere = World::start_with(Subgraphs::OverHttp, |options| {
        options.subgraph_urls = [("stock".to_owned(), "http://127.0.0.1:1/stock".to_owned())].into();
    })
    .await;
    let answer = elsewhere.ask("{ products { title stock } }").await;
    assert_eq!(answer["data"]["products"][0]["title"], "Product 1");
    assert!(answer["data"]["products"][0]["stock"].is_null());
    assert_eq!(super::world::code(&answer), "SUBREQUEST_HTTP_ERROR");
}

#[tokio::test]
async fn a_url_that_is_none_is_said_at_once() {
    let mut options = options(Subgraphs::OverHttp, &Shared::default()).await;
    options.subgraph_urls = [("stock".to_owned(), "not a url".to_owned())].into();
    let Err(error) = router::serve(options).await else { panic!("it started") };
    assert!(error.to_string().contains("not a url"), "{error}");
}

#[tokio::test]
async fn the_router_can_be_started_again_on_the_same_port() {
    let first = World::start(Subgraphs::Local).await;
    first.ask("{ warehouses }").await;
    let port = first.running.address.port();
    first.stop.cancel();
    first.running.ended().await.unwrap();
    let second = World::start_with(Subgraphs::Local, |options| options.port = port).await;
    assert_eq!(second.ask("{ warehouses }").await["data"]["warehouses"], 2);
}

#[tokio::test]
async fn a_subgraph_that_is_not_in_the_supergraph_is_said_at_once() {
    let mut options = options(Subgraphs::Local, &Shared::default()).await;
    options.subgraph_urls = [("stonk".to_owned(), "http://127.0.0.1:1/".to_owned())].into();
    let Err(error) = router::serve(options).await else { panic!("it started") };
    assert!(error.to_string().contains("`stonk`"), "{error}");
}
