//! The pages that people see: their bank's, where they authenticate, and Stripe's, where sellers tell about themselves.

use std::sync::Arc;

use axum::extract::{Form, Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::control::Refusal;
use crate::payment_intent::{Authentication, authenticate};
use crate::{Fake, account};

pub fn routes() -> Router<Arc<Fake>> {
    Router::new()
        .route("/_fake/authenticate/{id}", get(bank).post(decide))
        .route("/_fake/onboard/{id}", get(form).post(onboard))
}

/// One page with buttons.
fn page(title: &str, text: &str, buttons: &[(&str, &str)]) -> Html<String> {
    let buttons: String = buttons
        .iter()
        .map(|(value, label)| format!(r#"<button name="decision" value="{value}">{label}</button> "#))
        .collect();
    Html(format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="font:16px system-ui;max-width:30em;margin:4em auto"><h1>{title}</h1><p>{text}</p>
<p><strong>This is a test: no money moves.</strong></p><form method="post">{buttons}</form></body></html>"#
    ))
}

async fn bank(State(fake): State<Arc<Fake>>, Path(id): Path<String>) -> Result<Html<String>, Refusal> {
    let world = fake.world();
    let intent =
        world.intents.any(&id).ok_or_else(|| Refusal::NotThere(format!("no payment intent {id}")))?;
    let amount = crate::money::written(intent.amount_minor, &intent.currency);
    let buttons = [("complete", "Complete authentication"), ("fail", "Fail authentication")];
    Ok(page("3D Secure 2 test page", &format!("A payment of {amount}."), &buttons))
}

#[derive(Deserialize)]
struct Decision {
    decision: Choice,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Complete,
    Fail,
}

/// Sends the buyer back to where they came from, as Stripe does.
async fn decide(
    State(fake): State<Arc<Fake>>,
    Path(id): Path<String>,
    Form(Decision { decision }): Form<Decision>,
) -> Result<Response, Refusal> {
    let authentication = match decision {
        Choice::Complete => Authentication::Complete,
        Choice::Fail => Authentication::Fail,
    };
    let mut world = fake.world();
    let back = authenticate(&mut world, &id, authentication);
    let back =
        back.ok_or_else(|| Refusal::NotThere(format!("no payment intent {id} that waits for its buyer")))?;
    world.tick();
    let intent = world.intents.any(&id).cloned();
    drop(world);
    fake.news.notify_one();
    let Some(intent) = intent else { return Err(Refusal::NotThere(id)) };
    let succeeded = intent.last_error.is_none();
    let Some(back) = back else { return Ok(Json(json!({ "status": intent.status.word() })).into_response()) };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("payment_intent", &id)
        .append_pair("payment_intent_client_secret", &intent.client_secret)
        .append_pair("redirect_status", if succeeded { "succeeded" } else { "failed" })
        .finish();
    let joint = if back.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{back}{joint}{query}")).into_response())
}

async fn form(State(fake): State<Arc<Fake>>, Path(id): Path<String>) -> Result<Html<String>, Refusal> {
    match fake.world().accounts.any(&id) {
        Some(_) => Ok(page(
            "Tell about yourself",
            "Everything that Stripe wants to know about you.",
            &[("complete", "Tell everything")],
        )),
        None => Err(Refusal::NotThere(format!("no account {id}"))),
    }
}

#[derive(Deserialize)]
struct Back {
    return_url: Option<String>,
}

async fn onboard(
    State(fake): State<Arc<Fake>>,
    Path(id): Path<String>,
    Query(Back { return_url }): Query<Back>,
) -> Result<Response, Refusal> {
    account::onboard(&mut fake.world(), &id).ok_or_else(|| Refusal::NotThere(format!("no account {id}")))?;
    fake.news.notify_one();
    Ok(match return_url {
        Some(back) => Redirect::to(&back).into_response(),
        None => Json(json!({ "onboarded": id })).into_response(),
    })
}
