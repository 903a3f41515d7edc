//! SANDBOX: the page on which a buyer confirms a payment with their bank.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use chassis::{Env, tx};
use serde::Deserialize;
use tokio::sync::Notify;

use super::hand::confirm;
use crate::provider::Standing;

/// What the buyer needs to confirm: a secret that only the buyer is told, and the page that takes it.
pub fn confirmation(intent: &str) -> Standing {
    let secret = secret(intent);
    let redirect_url = Some(format!("/provider/sandbox/confirm/{secret}"));
    Standing::NeedsAction { redirect_url, client_secret: Some(secret) }
}

/// As with Stripe: the name of the intent, and what only its buyer knows. It protects nothing that is worth anything.
fn secret(intent: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("SANDBOX secret of {intent}").as_bytes());
    let text: String = hash.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("{intent}_secret_{text}")
}

/// The intent of a secret, if it is one.
pub(super) fn intent_of(given: &str) -> Option<String> {
    let (intent, _) = given.split_once("_secret_")?;
    (secret(intent) == given).then(|| intent.to_owned())
}

#[derive(Clone)]
struct Desk {
    env: Env,
    news: Arc<Notify>,
}

#[derive(Deserialize)]
struct Decision {
    accept: bool,
}

/// The page, at `/provider/sandbox/confirm/<client secret>`.
pub fn routes(env: &Env, news: Arc<Notify>) -> Router {
    Router::new()
        .route("/provider/sandbox/confirm/{secret}", get(show).post(decide))
        .with_state(Desk { env: env.clone(), news })
}

const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
<title>SANDBOX bank</title><style>body{font:1.1rem system-ui;max-width:30rem;margin:4rem auto;padding:0 1rem}\
button{font:inherit;padding:.5rem 1rem;margin-right:.5rem}</style><h1>SANDBOX</h1>\
<p>This stands for the page of the buyer's bank. No money moves.</p>";

async fn show(Path(secret): Path<String>) -> Response {
    match intent_of(&secret) {
        Some(_) => Html(format!(
            "{PAGE}<form method=post><button name=accept value=true>Confirm the payment</button>\
             <button name=accept value=false>Refuse</button></form>"
        ))
        .into_response(),
        None => not_found(),
    }
}

async fn decide(
    State(Desk { env, news }): State<Desk>,
    Path(secret): Path<String>,
    Form(Decision { accept }): Form<Decision>,
) -> Response {
    let now = env.clock.now();
    let decided = tx::apply(&env.db, async |tx| confirm(tx, now, &news, &secret, accept).await).await;
    match decided {
        Ok(true) => Html(format!("{PAGE}<p>Done. You can close this page.</p>")).into_response(),
        Ok(false) => not_found(),
        Err(failure) => {
            tracing::error!(error = %failure, "A sandbox confirmation failed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Html(format!("{PAGE}<p>There is nothing to confirm here.</p>"))).into_response()
}
