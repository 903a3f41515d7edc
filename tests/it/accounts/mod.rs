//! The accounts subgraph, through its graph.

mod addresses;
mod admins;
mod passwords;
mod privacy;
mod registration;
mod sellers;
mod sessions;
mod throttling;
mod tokens;

use serde_json::{Value, json};

use crate::support::{Market, Person};

/// Every member's password unless a test says otherwise.
const PASSWORD: &str = "correct horse battery";

/// Somebody who registered.
struct Member {
    person: Person,
    email: String,
    refresh_token: String,
}

/// Calls a mutation with one input and gives its payload.
async fn mutate(
    market: &Market,
    by: Option<&Person>,
    field: &str,
    input_type: &str,
    input: Value,
    selection: &str,
) -> Value {
    let query = format!(
        "mutation($input: {input_type}!) {{
            it: {field}(input: $input) {{ {selection} userErrors {{ code field message }} }}
        }}"
    );
    market.data("accounts", by, &query, json!({ "input": input })).await["it"].take()
}

const SIGNED_IN: &str = "user { id email displayName roles }
    tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt }";

async fn register(market: &Market, input: Value) -> Value {
    mutate(market, None, "register", "RegisterInput", input, SIGNED_IN).await
}

async fn log_in(market: &Market, email: &str, password: &str) -> Value {
    let input = json!({ "email": email, "password": password });
    mutate(market, None, "logIn", "LogInInput", input, SIGNED_IN).await
}

async fn refresh(market: &Market, token: &str) -> Value {
    let input = json!({ "refreshToken": token });
    mutate(
        market,
        None,
        "refreshSession",
        "RefreshSessionInput",
        input,
        "tokens { accessToken refreshToken }",
    )
    .await
}

/// A new member called `name`, with an e-mail address made of it.
async fn member(market: &Market, name: &str) -> Member {
    let email = format!("{name}@example.org");
    let input = json!({ "email": email, "password": PASSWORD, "displayName": name });
    let payload = register(market, input).await;
    assert_eq!(payload["userErrors"], json!([]));
    signed_in(&payload, email)
}

fn signed_in(payload: &Value, email: String) -> Member {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let user = text(&payload["user"]["id"]).parse().unwrap();
    let person = Person { user, token: text(&payload["tokens"]["accessToken"]), seller: None };
    Member { person, email, refresh_token: text(&payload["tokens"]["refreshToken"]) }
}

/// Somebody who signs in again, with the roles that count now.
async fn again(market: &Market, member: &Member) -> Person {
    signed_in(&log_in(market, &member.email, PASSWORD).await, member.email.clone()).person
}

/// An admin who has an account.
async fn admin(market: &Market) -> Member {
    let made = accounts::create_admin(market.env("accounts"), "root@example.org", PASSWORD).await;
    made.unwrap().unwrap();
    signed_in(&log_in(market, "root@example.org", PASSWORD).await, "root@example.org".into())
}

/// The codes of a payload's user errors.
fn codes(payload: &Value) -> Vec<&str> {
    let errors = payload["userErrors"].as_array().unwrap();
    errors.iter().map(|error| error["code"].as_str().unwrap()).collect()
}

/// The code of the first top-level error.
fn denied(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("no error")
}

async fn me(market: &Market, by: Option<&Person>, selection: &str) -> Value {
    let query = format!("{{ me {{ {selection} }} }}");
    market.data("accounts", by, &query, json!({})).await["me"].take()
}
