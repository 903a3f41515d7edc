//! Stripe's paths, and what each does.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use crate::answer::{self, refuse};
use crate::call::Call;
use crate::error::{Answer, StripeError};
use crate::event::Caller;
use crate::expand::expand;
use crate::world::World;
use crate::{
    Fake, account, balance, charge, dispute, event, gate, idempotency, payment_intent, payment_method,
    payout, refund, reversal, transfer, webhook_endpoint, wire,
};

/// An endpoint: reads its parameters, then acts.
type Action = fn(&mut World, &mut Call) -> Answer;

pub fn routes(fake: &Arc<Fake>) -> Router<Arc<Fake>> {
    Router::new()
        .route("/v1/payment_intents", posts(payment_intent::create).merge(gets(payment_intent::list)))
        .route(
            "/v1/payment_intents/{id}",
            posts(payment_intent::update).merge(gets(payment_intent::retrieve)),
        )
        .route("/v1/payment_intents/{id}/confirm", posts(payment_intent::confirm))
        .route("/v1/payment_intents/{id}/capture", posts(payment_intent::capture))
        .route("/v1/payment_intents/{id}/cancel", posts(payment_intent::cancel))
        .route("/v1/payment_methods", posts(payment_method::create))
        .route("/v1/payment_methods/{id}", gets(payment_method::retrieve))
        .route("/v1/charges", gets(charge::list))
        .route("/v1/charges/{id}", posts(charge::update).merge(gets(charge::retrieve)))
        .route("/v1/refunds", posts(refund::create).merge(gets(refund::list)))
        .route("/v1/refunds/{id}", posts(refund::update).merge(gets(refund::retrieve)))
        .route("/v1/transfers", posts(transfer::create).merge(gets(transfer::list)))
        .route("/v1/transfers/{id}", posts(transfer::update).merge(gets(transfer::retrieve)))
        .route("/v1/transfers/{id}/reversals", posts(reversal::create).merge(gets(reversal::list)))
        .route("/v1/transfers/{id}/reversals/{reversal}", gets(reversal::retrieve))
        .route("/v1/accounts", posts(account::create).merge(gets(account::list)))
        .route("/v1/accounts/{id}", posts(account::update).merge(gets(account::retrieve)))
        .route("/v1/account", gets(account::own))
        .route("/v1/account_links", posts(account::create_link))
        .route("/v1/payouts", posts(payout::create).merge(gets(payout::list)))
        .route("/v1/payouts/{id}", gets(payout::retrieve))
        .route("/v1/payouts/{id}/cancel", posts(payout::cancel))
        .route("/v1/balance", gets(balance::show))
        .route("/v1/balance_transactions", gets(balance::list))
        .route("/v1/balance_transactions/{id}", gets(balance::retrieve))
        .route("/v1/disputes", gets(dispute::list))
        .route("/v1/disputes/{id}", posts(dispute::update).merge(gets(dispute::retrieve)))
        .route("/v1/disputes/{id}/close", posts(dispute::close))
        .route("/v1/events", gets(event::list))
        .route("/v1/events/{id}", gets(event::retrieve))
        .route("/v1/webhook_endpoints", posts(webhook_endpoint::create).merge(gets(webhook_endpoint::list)))
        .route(
            "/v1/webhook_endpoints/{id}",
            posts(webhook_endpoint::update)
                .merge(gets(webhook_endpoint::retrieve))
                .merge(deletes(webhook_endpoint::delete)),
        )
        .fallback(unrecognized)
        .method_not_allowed_fallback(unrecognized)
        // The last is the outermost.
        .layer(from_fn_with_state(fake.clone(), idempotency::once))
        .layer(from_fn_with_state(fake.clone(), gate::admit))
        .layer(from_fn_with_state(fake.clone(), wire::transmit))
}

fn posts(action: Action) -> MethodRouter<Arc<Fake>> {
    post(move |fake, ids, request| act(action, fake, ids, request))
}

fn gets(action: Action) -> MethodRouter<Arc<Fake>> {
    get(move |fake, ids, request| act(action, fake, ids, request))
}

fn deletes(action: Action) -> MethodRouter<Arc<Fake>> {
    axum::routing::delete(move |fake, ids, request| act(action, fake, ids, request))
}

async fn act(
    action: Action,
    State(fake): State<Arc<Fake>>,
    ids: RawPathParams,
    request: Request,
) -> Response {
    let Some(mut call) = request.extensions().get::<Call>().cloned() else {
        return unrecognized(request).await;
    };
    call.ids = ids.iter().map(|(_, id)| id.to_owned()).collect();
    let request_id = call.request_id.clone();
    match perform(&fake, action, call) {
        Ok(shown) => answer::json(StatusCode::OK, &shown),
        Err(error) => answer::error(&error, &request_id),
    }
}

/// One call at a time: the world is locked from the first look to the last word.
fn perform(fake: &Fake, action: Action, mut call: Call) -> Answer {
    let mut world = fake.world();
    world.tick();
    world.caller =
        Caller { request_id: Some(call.request_id.clone()), idempotency_key: call.idempotency_key.clone() };
    let answered = action(&mut world, &mut call).and_then(|mut shown| {
        expand(&world, &mut shown, &call.expand)?;
        Ok(shown)
    });
    world.caller = Caller::default();
    world.tick();
    drop(world);
    fake.news.notify_one();
    answered
}

async fn unrecognized(request: Request) -> Response {
    let message = format!(
        "Unrecognized request URL ({}: {}). Please see https://stripe.com/docs or we can help at \
         https://support.stripe.com/.",
        request.method(),
        request.uri().path()
    );
    refuse(request.extensions(), &StripeError::at_the_door(StatusCode::NOT_FOUND, message))
}
