//! What is not GraphQL: GraphiQL from the executable, and the caller's pages.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{Subgraphs, World};

#[tokio::test]
async fn graphiql_comes_from_the_executable() {
    let world = World::start(Subgraphs::Local).await;
    for path in ["/graphiql", "/graphiql/"] {
        let page = world.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers()["cache-control"], "no-cache");
        assert!(
            page.headers().get("content-encoding").is_none(),
            "this client does not say that it takes gzip"
        );
        let page = page.text().await.unwrap();
        let script = page.split('"').find(|part| part.ends_with(".js")).unwrap().to_owned();
        let script = world.get(&script).await;
        assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
        assert!(script.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(world.get("/graphiql/assets/nothing.js").await.status(), 404);
    for path in [
        "/graphiql/../Cargo.toml",
        "/graphiql//",
        "/graphiql/%2e%2e/x",
        "/graphiqlx",
        "/graphiql/index.html/",
    ] {
        assert_ne!(world.get(path).await.status(), 500, "{path}");
    }
}

#[tokio::test]
async fn graphiql_is_sent_compressed_and_once() {
    let world = World::start(Subgraphs::Local).await;
    let url = format!("{}/graphiql", world.url);
    let page = world.client.get(&url).header("accept-encoding", "gzip, br").send().await.unwrap();
    assert_eq!(page.headers()["content-encoding"], "gzip");
    let etag = page.headers()["etag"].clone();
    assert!(page.bytes().await.unwrap().starts_with(&[0x1f, 0x8b]));
    let again = world.client.get(&url).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn a_browser_that_opens_the_endpoint_is_shown_graphiql() {
    let world = World::start(Subgraphs::Local).await;
    let url = format!("{}/graphql", world.url);
    let page = world.client.get(&url).header("accept", "text/html,*/*;q=0.8").send().await.unwrap();
    assert_eq!(page.url().path(), "/graphiql");
    assert_eq!(page.status(), 200);
}

#[tokio::test]
async fn other_paths_are_the_callers() {
    let world = World::start(Subgraphs::Local).await;
    let live = world.get("/health/live").await;
    assert_eq!(live.headers()["x-page"], "ours");
    assert!(live.headers().contains_key("x-request-id"));
    assert_eq!(live.text().await.unwrap(), "GET from 127.0.0.1");
    let echo =
        world.client.post(format!("{}/integrations/echo", world.url)).body("signed").send().await.unwrap();
    assert_eq!(echo.text().await.unwrap(), "signed");
    assert_eq!(world.get("/nowhere").await.status(), 404);
    assert_eq!(world.get("/panic").await.status(), 500);
}

#[tokio::test]
async fn no_path_is_too_strange() {
    let world = World::start(Subgraphs::Local).await;
    for path in [
        "/",
        "//",
        "/graphql/",
        "/graphql/x",
        "/graphql//x",
        "/%00",
        "/graphql%2f",
        "/a/../b",
        "/graphql?query=",
    ] {
        let status = world.get(path).await.status().as_u16();
        assert!((200..500).contains(&status), "{path}: {status}");
    }
}

#[tokio::test]
async fn a_method_that_has_no_meaning_is_refused() {
    let world = World::start(Subgraphs::Local).await;
    for method in ["POST", "DELETE", "TRACE", "CONNECT"] {
        let answer = raw(&world, &format!("{method} /graphiql HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 405"), "{method}: {answer}");
    }
    for target in ["/graphql", "/health/live", "example.com:443"] {
        let answer = raw(&world, &format!("CONNECT {target} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{target}: {answer}");
    }
}

/// The beginning of the answer to a request without a body.
async fn raw(world: &World, line: &str) -> String {
    let mut stream = TcpStream::connect(world.running.address).await.unwrap();
    stream.write_all(format!("{line}\r\nhost: souk\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test]
async fn only_origins_that_are_allowed_may_read_answers() {
    let world = World::start_with(Subgraphs::Local, |options| {
        options.allowed_origins = vec!["https://shop.example".to_owned()];
    })
    .await;
    let allowed = async |origin: &str| {
        let request = world.post(&serde_json::json!({ "query": "{ warehouses }" })).header("origin", origin);
        let response = request.send().await.unwrap();
        response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(allowed("https://shop.example").await.as_deref(), Some("https://shop.example"));
    assert_eq!(allowed("https://evil.example").await.filter(|origin| origin != "null"), None);
}

#[tokio::test]
async fn a_body_that_is_too_large_for_a_page_is_refused_with_a_code() {
    let world = World::start(Subgraphs::Local).await;
    let answer =
        world.client.post(format!("{}/pages", world.url)).body(vec![b' '; 2_000_000]).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let answer: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(answer["error"]["code"], "BODY_TOO_LARGE");
}
