//! `POST /provider/webhook/<provider>`: where providers tell what happened. Who is not the provider is turned away by the
//! signature over the raw body; what is taken is stored before the answer.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chassis::{Env, tx};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tracing::{error, warn};

use crate::courier::Courier;
use crate::hint::take;

/// How far a signature's time may be from ours, before or after.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(300);
/// Signatures of one scheme in one header: a secret and the one before it.
const SIGNATURES_MAX: usize = 8;

/// Why a webhook was not taken. Nobody but us is told more than "no".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    #[error("there is no signature of a known form")]
    Unsigned,
    #[error("no signature is of a secret that we know")]
    Forged,
    #[error("it was signed too long ago, or in the future")]
    Stale,
    #[error("its body is not an event")]
    Unreadable,
    #[error("this provider sends none")]
    NotExpected,
}

#[derive(Clone)]
struct Desk {
    env: Env,
    courier: Arc<Courier>,
    news: Arc<Notify>,
}

pub fn routes(env: &Env, courier: Arc<Courier>, news: Arc<Notify>) -> Router {
    let desk = Desk { env: env.clone(), courier, news };
    Router::new().route("/provider/webhook/{provider}", post(hear)).with_state(desk)
}

/// 200: it is stored. 400: it is not from the provider. 404: there is no such provider. 503: try again.
async fn hear(
    State(Desk { env, courier, news }): State<Desk>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let now = env.clock.now();
    let Some(provider) = courier.providers().named(&provider) else { return StatusCode::NOT_FOUND };
    let hint = match provider.webhook(&headers, &body, now) {
        Ok(hint) => hint,
        Err(untrusted) => {
            warn!(provider = provider.name(), why = %untrusted, "A webhook was turned away");
            metrics::counter!("souk_webhooks_refused_total", "provider" => provider.name()).increment(1);
            return StatusCode::BAD_REQUEST;
        }
    };
    match tx::apply(&env.db, async |tx| take(tx, now, &hint, &news).await).await {
        Ok(()) => StatusCode::OK,
        Err(failure) => {
            error!(provider = provider.name(), error = %failure, "A webhook could not be stored");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Checks a header of the form `t=<seconds>,v1=<hex>[,v1=<hex>…]`: HMAC-SHA256 over `<seconds>.<body>`, in constant time.
pub fn verify(header: &str, body: &[u8], secrets: &[&[u8]], now: DateTime<Utc>) -> Result<(), Untrusted> {
    let fields = || header.split(',').filter_map(|field| field.trim().split_once('='));
    let at = fields().find(|(name, _)| *name == "t").map(|(_, value)| value).ok_or(Untrusted::Unsigned)?;
    let given: Vec<Vec<u8>> = fields()
        .filter(|(name, _)| *name == "v1")
        .take(SIGNATURES_MAX)
        .filter_map(|(_, value)| bytes(value))
        .collect();
    if given.is_empty() {
        return Err(Untrusted::Unsigned);
    }
    let signed = [at.as_bytes(), b".", body].concat();
    let good = |secret: &&[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        given.iter().any(|signature| hmac::verify(&key, &signed, signature).is_ok())
    };
    if !secrets.iter().any(good) {
        return Err(Untrusted::Forged);
    }
    let at = at.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    match at {
        Some(at) if (now - at).abs() <= TOLERANCE => Ok(()),
        _ => Err(Untrusted::Stale),
    }
}

/// Signs a body as [`verify`] wants it.
pub fn sign(body: &[u8], secret: &[u8], now: DateTime<Utc>) -> String {
    let at = now.timestamp().to_string();
    let signed = [at.as_bytes(), b".", body].concat();
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &signed);
    let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || hex.len() != 64 {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_a_moment_ago_with_our_secret_is_trusted() {
        let now = DateTime::<Utc>::from_timestamp(1_800_000_000, 0).expect("a valid time");
        let (body, secret) = (b"{}".as_slice(), b"secret".as_slice());
        let good = sign(body, secret, now);
        let check = |header: &str, body: &[u8], now| verify(header, body, &[b"older", secret], now);
        assert_eq!(check(&good, body, now), Ok(()));
        assert_eq!(check(&format!("{good},v1={}", "0".repeat(64)), body, now), Ok(()), "several are fine");
        for late in [TOLERANCE, -TOLERANCE] {
            assert_eq!(check(&good, body, now + late), Ok(()));
            assert_eq!(check(&good, body, now + late * 2), Err(Untrusted::Stale));
        }
        assert_eq!(check(&good, b"{ }", now), Err(Untrusted::Forged));
        assert_eq!(check(&sign(body, b"other", now), body, now), Err(Untrusted::Forged));
        let shifted = good.replacen("t=18", "t=19", 1);
        assert_eq!(check(&shifted, body, now), Err(Untrusted::Forged));
        for bad in ["", "t=1", "v1=00", "t=,v1=", "t=1,v1=é", "nonsense"] {
            assert_eq!(check(bad, body, now), Err(Untrusted::Unsigned), "{bad}");
        }
    }
}
