//! The door: who calls, for which account, in which version, with which parameters.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::Fake;
use crate::answer::{RequestId, refuse};
use crate::call::Call;
use crate::error::{Answer, StripeError};
use crate::form::Params;
use crate::world::PLATFORM;

/// The longest idempotency key.
const KEY_MAX: usize = 255;
/// The oldest version whose payment intents look as ours do.
const OLDEST_VERSION: &str = "2022-11-15";

/// Lets a call in, or says why not.
pub async fn admit(State(fake): State<Arc<Fake>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // The wire has limited it.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let request = Request::from_parts(parts, Body::empty());
    match read(&fake, &request, &body) {
        Ok(call) => {
            let mut request = request;
            request.extensions_mut().insert(call);
            next.run(request).await
        }
        Err(error) => refuse(request.extensions(), &error),
    }
}

fn read(fake: &Fake, request: &Request, body: &[u8]) -> Answer<Call> {
    let headers = request.headers();
    known_key(headers)?;
    known_version(headers)?;
    let account = account(fake, headers)?;
    let query = request.uri().query().unwrap_or_default();
    if !body.is_empty() && !is_form(headers) {
        let message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you \
                       have any questions, we can help at https://support.stripe.com/.";
        return Err(StripeError::at_the_door(StatusCode::BAD_REQUEST, message));
    }
    let mut params = Params::parse(&[query.as_bytes(), body])?;
    let host = text(headers, HOST.as_str()).unwrap_or("127.0.0.1");
    Ok(Call {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        ids: vec![],
        given: params.clone(),
        expand: params.texts("expand")?.unwrap_or_default(),
        params,
        account,
        request_id: RequestId::of(request.extensions()),
        idempotency_key: key(headers)?,
        base_url: format!("http://{host}"),
    })
}

/// A test key, as bearer or as the user name. Any will do, so that no live key is ever sent here unnoticed.
fn known_key(headers: &HeaderMap) -> Answer<()> {
    let given = text(headers, AUTHORIZATION.as_str()).and_then(|given| given.split_once(' '));
    let key = match given {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Some(key.trim().to_owned()),
        Some((scheme, user)) if scheme.eq_ignore_ascii_case("basic") => user_name(user),
        _ => None,
    };
    let refused = |message: String| Err(StripeError::at_the_door(StatusCode::UNAUTHORIZED, message));
    match key.filter(|key| !key.is_empty()) {
        None => refused(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
             auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for \
             details, or we can help at https://support.stripe.com/."
                .into(),
        ),
        Some(key) if key.starts_with("sk_test_") || key.starts_with("rk_test_") => Ok(()),
        Some(key) => refused(format!("Invalid API Key provided: {}", masked(&key))),
    }
}

fn user_name(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    Some(decoded.split_once(':').map_or(decoded.clone(), |(user, _)| user.to_owned()))
}

/// The key's kind and its last letters.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let shown = |at: usize| at < 8 || at + 4 >= letters.len();
    letters.iter().enumerate().map(|(at, letter)| if shown(at) { *letter } else { '*' }).collect()
}

fn known_version(headers: &HeaderMap) -> Answer<()> {
    let Some(asked) = text(headers, "stripe-version") else { return Ok(()) };
    let date = asked.split('.').next().unwrap_or_default();
    let is_date = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_date && date >= OLDEST_VERSION {
        return Ok(());
    }
    let message =
        format!("Invalid Stripe API version: {asked}. This fake speaks those from {OLDEST_VERSION} on.");
    Err(StripeError::at_the_door(StatusCode::BAD_REQUEST, message))
}

fn account(fake: &Fake, headers: &HeaderMap) -> Answer<String> {
    match text(headers, "stripe-account") {
        None => Ok(PLATFORM.into()),
        Some(id) if fake.world().accounts.any(id).is_some() => Ok(id.to_owned()),
        Some(id) => Err(StripeError::no_access(format!(
            "The provided key does not have access to account '{id}' (or that account does not exist). Application \
             access may have been revoked."
        ))),
    }
}

fn key(headers: &HeaderMap) -> Answer<Option<String>> {
    match text(headers, "idempotency-key") {
        Some(key) if key.len() > KEY_MAX => Err(StripeError::idempotency(format!(
            "Idempotency keys can have up to {KEY_MAX} characters, but you passed in one that has {}.",
            key.len()
        ))),
        key => Ok(key.filter(|key| !key.is_empty()).map(str::to_owned)),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    text(headers, CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_refused_key_is_shown_in_part() {
        assert_eq!(masked("sk_live_abcdefgh1234"), "sk_live_********1234");
    }
}
