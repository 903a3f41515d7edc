//! `POST /integrations/stock`: where feeds bring their batches.
//!
//! To the outside, every reason not to believe a sender looks alike. What it was is in the audit trail.

mod refused;

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chassis::graph::RequestId;
use chassis::{Env, Failure};
use chrono::{DateTime, TimeDelta, Utc};
use contract::FeedId;
use entity::inventory::feed;
use sea_orm::EntityTrait;
use serde_json::json;
use tracing::error;

use self::refused::Refused;
use crate::feed::batch::{self, BatchRefusal, Sent, Taken};
use crate::feed::line::{Format, Unreadable};
use crate::secret::Secrets;
use crate::signature::{self, TOLERANCE_SECONDS};

/// The address.
pub const PATH: &str = "/integrations/stock";
/// The largest batch: the same as the router's largest request.
const BODY_BYTES_MAX: usize = 1024 * 1024;

const FEED: &str = "souk-feed";
const TIMESTAMP: &str = "souk-timestamp";
const SIGNATURE: &str = "souk-signature";
const KEY: &str = "idempotency-key";
const DIGEST: &str = "content-digest";
const REPLAYED: &str = "idempotent-replayed";

struct Door {
    env: Env,
    secrets: Secrets,
    refused: Refused,
}

pub fn routes(env: &Env) -> Router {
    let door = Door { env: env.clone(), secrets: Secrets::new(env), refused: Refused::default() };
    Router::new()
        .route(PATH, post(receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(door))
}

/// Why a batch is not taken.
enum NotTaken {
    /// The sender is not believed; the reason stays here.
    Unbelieved(Option<FeedId>, &'static str),
    /// The sender is known, and what came is not taken.
    Refused(FeedId, StatusCode, &'static str, Box<serde_json::Value>),
    /// Nothing was read of it.
    Unread(StatusCode, &'static str, String),
    Failed(Failure),
}

impl From<Failure> for NotTaken {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

async fn receive(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match door.take(&headers, body).await {
        Ok(taken) => {
            let replayed = if taken.repeated { "true" } else { "false" };
            ([(REPLAYED, replayed)], Json(taken.answer)).into_response()
        }
        Err(not_taken) => door.refuse(&headers, not_taken).await,
    }
}

impl Door {
    async fn take(
        &self,
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Taken, NotTaken> {
        let body = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => NotTaken::Unread(
                StatusCode::PAYLOAD_TOO_LARGE,
                "BODY_TOO_LARGE",
                format!("at most {BODY_BYTES_MAX} bytes"),
            ),
            _ => {
                NotTaken::Unread(StatusCode::BAD_REQUEST, "BODY_INCOMPLETE", "the body did not arrive".into())
            }
        })?;
        let (feed, sent_at) = self.believe(headers, &body).await?;
        let refuse = |status, code, message: &str| {
            NotTaken::Refused(feed.id, status, code, Box::new(json!({ "message": message })))
        };
        if !is_whole(headers, &body) {
            let message = "the body is not the one that Content-Digest describes";
            return Err(refuse(StatusCode::BAD_REQUEST, "DIGEST_MISMATCH", message));
        }
        let Some(format) = format(headers) else {
            let message = "the Content-Type must be application/json or text/csv";
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message));
        };
        let id = feed.id;
        let key = text(headers, KEY).unwrap_or_default().to_owned();
        let sent = Sent { feed, key, sent_at, format, body: &body };
        batch::take(&self.env, sent).await?.map_err(|refusal| not_taken(id, refusal))
    }

    /// The feed that signed the body, and when.
    async fn believe(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(feed::Model, DateTime<Utc>), NotTaken> {
        let (db, now) = (self.env.db.read(), self.env.clock.now());
        let id = text(headers, FEED).and_then(|id| id.parse::<FeedId>().ok());
        let feed = match id {
            Some(id) => feed::Entity::find_by_id(id).one(db).await.map_err(Failure::from)?,
            None => None,
        };
        let known = feed.as_ref().map(|feed| feed.id);
        let secrets = match known {
            Some(id) => self.secrets.valid(db, now, id.0).await?,
            // Nobody's, so that an unknown feed costs the same work.
            None => vec![String::new()],
        };
        let timestamp = text(headers, TIMESTAMP).and_then(|text| text.parse::<i64>().ok());
        let signed = text(headers, SIGNATURE).unwrap_or_default();
        let is_right = signature::is_right(&secrets, timestamp.unwrap_or_default(), body, signed);
        let sent_at = timestamp.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let tolerance = TimeDelta::seconds(TOLERANCE_SECONDS);
        match (feed, sent_at) {
            (None, _) => Err(NotTaken::Unbelieved(None, "unknown feed")),
            (Some(_), _) if !is_right => Err(NotTaken::Unbelieved(known, "wrong signature")),
            (Some(feed), _) if !feed.enabled => Err(NotTaken::Unbelieved(known, "feed is off")),
            (Some(feed), Some(sent_at)) if (now - sent_at).abs() <= tolerance => Ok((feed, sent_at)),
            _ => Err(NotTaken::Unbelieved(known, "timestamp out of tolerance")),
        }
    }

    async fn refuse(&self, headers: &HeaderMap, not_taken: NotTaken) -> Response {
        let id = RequestId::of(headers).0;
        let (status, code, mut details) = match not_taken {
            NotTaken::Unbelieved(feed, reason) => {
                self.refused.record(&self.env, feed, reason).await;
                let message = "the signature, its time or the feed is not valid";
                (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", json!({ "message": message }))
            }
            NotTaken::Refused(feed, status, code, details) => {
                self.refused.record(&self.env, Some(feed), code).await;
                (status, code, *details)
            }
            NotTaken::Unread(status, code, message) => (status, code, json!({ "message": message })),
            NotTaken::Failed(failure) => {
                error!(request.id = id, error = %failure, "Request {id} failed");
                let (status, code) = match failure.is_retryable() {
                    true => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
                    false => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
                };
                (status, code, json!({ "message": "something failed on our side: send it again" }))
            }
        };
        details["code"] = code.into();
        details["retryable"] = status.is_server_error().into();
        details["requestId"] = id.into();
        (status, Json(json!({ "error": details }))).into_response()
    }
}

fn not_taken(feed: FeedId, refusal: BatchRefusal) -> NotTaken {
    let message = refusal.to_string();
    let (status, code, details) = match refusal {
        BatchRefusal::KeyInvalid => {
            (StatusCode::BAD_REQUEST, "IDEMPOTENCY_KEY_INVALID", json!({ "message": message }))
        }
        BatchRefusal::IdempotencyConflict => {
            (StatusCode::CONFLICT, "IDEMPOTENCY_CONFLICT", json!({ "message": message }))
        }
        BatchRefusal::Unreadable(Unreadable::TooManyLines) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "TOO_MANY_LINES", json!({ "message": message }))
        }
        BatchRefusal::Unreadable(Unreadable::CutOff) => {
            (StatusCode::BAD_REQUEST, "BODY_INCOMPLETE", json!({ "message": message }))
        }
        BatchRefusal::Unreadable(Unreadable::Malformed { message, line, column }) => {
            let details = json!({ "message": message, "line": line, "column": column });
            (StatusCode::BAD_REQUEST, "BODY_MALFORMED", details)
        }
    };
    NotTaken::Refused(feed, status, code, Box::new(details))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn format(headers: &HeaderMap) -> Option<Format> {
    let kind = text(headers, header::CONTENT_TYPE.as_str())?.split(';').next()?.trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => Some(Format::Json),
        "text/csv" => Some(Format::Csv),
        _ => None,
    }
}

/// Whether the body is what `Content-Digest` (RFC 9530) says, where a sender gives one: `sha-256=:…:`.
fn is_whole(headers: &HeaderMap, body: &[u8]) -> bool {
    let Some(given) = headers.get(DIGEST) else { return true };
    let hash = digest::digest(&digest::SHA256, body);
    let right = format!("sha-256=:{}:", BASE64_STANDARD.encode(hash.as_ref()));
    given.to_str().is_ok_and(|given| given.split(',').any(|one| one.trim() == right))
}
