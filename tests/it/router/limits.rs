//! What a client may not do, and the answer it gets.

use serde_json::{Value, json};

use super::world::{Subgraphs, World, code};

/// Sends it to a router with small limits and reads the status and the code.
async fn refused(query: &str) -> (u16, String) {
    let world = World::start_with(Subgraphs::Local, |options| {
        options.limits.depth = 4;
        options.limits.tokens = 200;
        options.limits.aliases = 3;
        options.limits.directives = 3;
        options.limits.root_fields = 5;
    })
    .await;
    let response = world.post(&json!({ "query": query })).send().await.unwrap();
    let status = response.status().as_u16();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(world.counts().of(|counts| &counts.local), 0, "{query} reached a subgraph");
    assert!(answer["errors"][0]["extensions"]["requestId"].is_string(), "{answer}");
    (status, code(&answer).to_owned())
}

async fn check(query: &str, expected: &str) {
    assert_eq!(refused(query).await, (200, expected.to_owned()), "{query}");
}

#[tokio::test]
async fn an_operation_beyond_a_limit_is_refused_before_it_is_planned() {
    check("{ products { similar { similar { similar { id } } } } }", "MAX_DEPTH_EXCEEDED").await;
    let spread =
        "{ products { ...A } } fragment A on Product { similar { ... { similar { similar { id } } } } }";
    check(spread, "MAX_DEPTH_EXCEEDED").await;
    check(&format!("{{ products {{ {} }} }}", "id ".repeat(300)), "TOKEN_LIMIT_EXCEEDED").await;
    check("{ products { a: id b: id c: id d: id } }", "MAX_ALIASES_EXCEEDED").await;
    check(&format!("{{ products {{ id {} }} }}", "@include(if: true) ".repeat(4)), "MAX_DIRECTIVES_EXCEEDED")
        .await;
    check(&format!("{{ {} }}", "warehouses ".repeat(6)), "MAX_ROOT_FIELDS_EXCEEDED").await;
    let spread =
        "{ ...A ...A ... { warehouses warehouses } } fragment A on Query { warehouses warehouses slow slow }";
    check(spread, "MAX_ROOT_FIELDS_EXCEEDED").await;
}

/// What a small document can become: chains, doubling, and brackets without end.
pub fn hostile() -> Vec<(String, &'static str)> {
    let chain = |length: usize, spreads: &str| {
        let fragments = (0..length)
            .map(|i| format!(" fragment F{i} on Query {{ {} }}", spreads.replace('#', &(i + 1).to_string())));
        format!("{{ ...F0 }}{} fragment F{length} on Query {{ warehouses }}", fragments.collect::<String>())
    };
    let nested = |levels: usize| format!("{{{}warehouses{}", "...{".repeat(levels), "}".repeat(levels + 1));
    let family = (0..12).map(|i| {
        let inner = format!("...P{}", i + 1);
        format!(" fragment P{i} on Product {{ similar {{ {inner} }} a: similar {{ {inner} }} }}")
    });
    let family =
        format!("{{ products {{ ...P0 }} }}{} fragment P12 on Product {{ id }}", family.collect::<String>());
    vec![
        (chain(600, "...F#"), "MAX_FRAGMENTS_EXCEEDED"),
        (chain(90, "...F#"), "MAX_NESTING_EXCEEDED"),
        (chain(30, "...F# ...F#"), "MAX_FIELDS_EXCEEDED"),
        (chain(30, "...F# ...F#").replace("warehouses", "...Missing"), "MAX_FIELDS_EXCEEDED"),
        (chain(30, "...F# ...F#").replace("{ ...F0 }", "{ warehouses }"), "MAX_FIELDS_EXCEEDED"),
        (family, "MAX_FIELDS_EXCEEDED"),
        (nested(1_000), "GRAPHQL_PARSE_FAILED"),
        (format!("{{ product(id: {}", "[".repeat(10_000)), "GRAPHQL_PARSE_FAILED"),
        (
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".into(),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("{ ...A } fragment A on Query { ...A }".into(), "GRAPHQL_VALIDATION_FAILED"),
    ]
}

#[tokio::test]
async fn what_a_small_document_becomes_is_known_before_it_is_validated() {
    let world = World::start(Subgraphs::Local).await;
    for (query, expected) in hostile() {
        assert_eq!(code(&world.ask(&query).await), expected, "{query}");
    }
    let nested = format!("{{{}warehouses{}", "...{".repeat(48), "}".repeat(49));
    assert_eq!(world.ask(&nested).await, json!({ "data": { "warehouses": 2 } }));
    assert_eq!(world.counts().of(|counts| &counts.http), 0);
}

#[tokio::test]
async fn the_schema_can_be_asked_for_under_the_default_limits() {
    let world = World::start(Subgraphs::Local).await;
    let answer = world.ask(INTROSPECTION).await;
    assert!(answer["errors"].is_null(), "{answer}");
    assert_eq!(answer["data"]["__schema"]["subscriptionType"]["name"], "Subscription");
}

#[tokio::test]
async fn the_schema_is_kept_back_where_introspection_is_off() {
    let world = World::start_with(Subgraphs::Local, |options| options.introspection = false).await;
    assert_eq!(code(&world.ask("{ __schema { queryType { name } } }").await), "INTROSPECTION_DISABLED");
    assert_eq!(world.ask("{ __typename }").await, json!({ "data": { "__typename": "Query" } }));
    let typo = world.ask("{ warehouse }").await.to_string();
    assert!(!typo.contains("Did you mean") && !typo.contains("warehouses"), "{typo}");
}

#[tokio::test]
async fn a_large_body_or_header_is_refused() {
    let world = World::start_with(Subgraphs::Local, |options| {
        options.limits.body_bytes = 1_000;
        options.limits.header_bytes = 2_000;
    })
    .await;
    let body = json!({ "query": "{ warehouses }", "extensions": { "padding": "x".repeat(2_000) } });
    let response = world.post(&body).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(code(&response.json().await.unwrap()), "PAYLOAD_TOO_LARGE_CONTENT_LENGTH");

    let request = world.post(&json!({ "query": "{ warehouses }" })).header("x-padding", "x".repeat(3_000));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 431);
    assert_eq!(code(&response.json().await.unwrap()), "REQUEST_HEADER_FIELDS_TOO_LARGE");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let world = World::start_with(Subgraphs::Local, |options| options.limits.request_ms = 50).await;
    assert_eq!(code(&world.ask("{ slow }").await), "GATEWAY_TIMEOUT");
}

#[tokio::test]
async fn a_subgraph_that_takes_too_long_is_given_up() {
    for subgraphs in [Subgraphs::Local, Subgraphs::OverHttp] {
        let world = World::start_with(subgraphs, |options| options.limits.subgraph_ms = 50).await;
        let answer = world.ask("{ slow warehouses }").await;
        assert_eq!(code(&answer), "SUBGRAPH_REQUEST_TIMEOUT");
        assert_eq!(answer["errors"][0]["extensions"]["retryable"], json!(true));
    }
}

#[tokio::test]
async fn a_batch_is_refused() {
    let world = World::start(Subgraphs::Local).await;
    let response = world.post(&json!([{ "query": "{ warehouses }" }])).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(code(&response.json().await.unwrap()), "BATCHING_NOT_SUPPORTED");
}

#[tokio::test]
async fn deeply_nested_json_is_refused_before_it_is_read() {
    let world = World::start(Subgraphs::Local).await;
    let post = async |body: String| {
        let request = world.client.post(format!("{}/graphql", world.url));
        let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
        (response.status().as_u16(), code(&response.json().await.unwrap()).to_owned())
    };
    let too_deep = (400, "JSON_TOO_DEEP".to_owned());
    for levels in [65, 10_000] {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        for key in ["variables", "extensions", "unknown", "query"] {
            assert_eq!(post(format!(r#"{{"{key}":{open}{close}}}"#)).await, too_deep, "{key}");
            let objects = format!(r#"{{"{key}":{{"a":"\\",{}"#, r#""b":{"#.repeat(levels));
            assert_eq!(post(objects).await, too_deep, "{key}");
        }
    }
    let deep = "%5B".repeat(1_000);
    let url = format!("{}/graphql?query=%7Bwarehouses%7D&variables={deep}", world.url);
    let response = world.client.get(url).header("graphql-require-preflight", "1").send().await.unwrap();
    assert_eq!(code(&response.json().await.unwrap()), "JSON_TOO_DEEP");
}

#[tokio::test]
async fn brackets_in_strings_are_not_nested() {
    let world = World::start(Subgraphs::Local).await;
    let body = json!({ "query": "{ warehouses }", "variables": { "a": "\"[{".repeat(100) } });
    let answer: Value = world.post(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "data": { "warehouses": 2 } }));
}

#[tokio::test]
async fn a_plain_form_of_another_site_is_refused() {
    let world = World::start(Subgraphs::Local).await;
    let url = format!("{}/graphql", world.url);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let body = r#"{"query":"mutation { signIn }"}"#;
        let response = world.client.post(&url).header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!(response.status(), 403, "{kind}");
        assert_eq!(code(&response.json().await.unwrap()), "CSRF_PREVENTION_FAILED");
    }
    let response = world.get("/graphql?query=%7Bwarehouses%7D").await;
    assert_eq!(response.status(), 403);
}

#[tokio::test]
async fn a_mutation_over_get_is_refused_and_a_query_is_not() {
    let world = World::start(Subgraphs::Local).await;
    let get = async |query: &str| {
        let url = format!("{}/graphql?query={query}", world.url);
        let request = world.client.get(url).header("graphql-require-preflight", "1");
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(code(&get("mutation%20%7BsignIn%7D").await), "MUTATION_NOT_ALLOWED_OVER_HTTP_GET");
    assert_eq!(get("%7Bwarehouses%7D").await, json!({ "data": { "warehouses": 2 } }));
}

#[tokio::test]
async fn json_that_is_not_graphql_is_refused() {
    let world = World::start(Subgraphs::Local).await;
    for body in
        ["", "{", "null", "7", "\"x\"", "{}", r#"{"query":7}"#, r#"{"query":"{warehouses}","variables":[]}"#]
    {
        let request =
            world.client.post(format!("{}/graphql", world.url)).header("content-type", "application/json");
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let answer: Value = response.json().await.unwrap();
        assert!(!code(&answer).is_empty(), "{body}: {answer}");
    }
}

const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } \
    subscriptionType { name } types { ...FullType } directives { name description locations args { ...InputValue } } } } \
    fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description \
    args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } inputFields { ...InputValue } \
    interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } \
    possibleTypes { ...TypeRef } } fragment InputValue on __InputValue { name description type { ...TypeRef } \
    defaultValue } fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name \
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
