//! What is said over the socket, as JSON. What a message carries is taken as it stands, and read where it is needed.

use std::{borrow::Cow, collections::BTreeMap};

use hive_router::{
    GraphQLError,
    ntex::http::{
        HeaderMap,
        header::{HeaderName, HeaderValue},
    },
    sonic_rs,
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{config, errors};

pub(super) const ACK: &str = r#"{"type":"connection_ack"}"#;
pub(super) const PONG: &str = r#"{"type":"pong"}"#;

/// What a client says.
pub(super) enum Heard {
    /// With the headers that stand for those of a request.
    Init(HeaderMap),
    Ping,
    Pong,
    /// `operation` is the body of a request, in JSON.
    Subscribe {
        id: String,
        operation: String,
    },
    Complete {
        id: String,
    },
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// Enough of an operation to know that it is one.
#[derive(Deserialize)]
struct Operation<'a> {
    #[serde(rename = "query", borrow)]
    _query: Cow<'a, str>,
}

/// `None`: it is not of the protocol.
pub(super) fn read(text: &str) -> Option<Heard> {
    let said: Said = serde_json::from_str(text).ok()?;
    let id = || said.id.as_deref().filter(|id| !id.is_empty()).map(str::to_owned);
    Some(match said.kind.as_ref() {
        "connection_init" => Heard::Init(match said.payload {
            Some(payload) => headers(serde_json::from_str(payload.get()).ok()?),
            None => HeaderMap::new(),
        }),
        "ping" => Heard::Ping,
        "pong" => Heard::Pong,
        "subscribe" => {
            let operation = said.payload?.get();
            serde_json::from_str::<Operation>(operation).ok()?;
            Heard::Subscribe { id: id()?, operation: operation.to_owned() }
        }
        "complete" => Heard::Complete { id: id()? },
        _ => return None,
    })
}

/// Those of the payload, or of its `headers`, that somebody looks at.
fn headers(mut payload: Map<String, Value>) -> HeaderMap {
    let payload = match payload.get_mut("headers") {
        Some(Value::Object(headers)) => std::mem::take(headers),
        _ => payload,
    };
    let headers = payload.iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name.as_str()).ok().filter(config::is_passed_on)?;
        let value = match value {
            Value::String(text) => HeaderValue::try_from(text.as_str()).ok()?,
            Value::Number(_) | Value::Bool(_) => HeaderValue::try_from(value.to_string()).ok()?,
            _ => return None,
        };
        Some((name, value))
    });
    headers.collect()
}

/// The errors of an answer that has nothing but errors: the operation was not begun.
pub(super) fn refusal(answer: &str) -> Option<&str> {
    let parts: BTreeMap<Cow<str>, &RawValue> = serde_json::from_str(answer).ok()?;
    if parts.contains_key("data") { None } else { Some(parts.get("errors")?.get()) }
}

pub(super) fn next(id: &str, answer: &str) -> String {
    about(id, "next", answer)
}

pub(super) fn errors(id: &str, errors: &str) -> String {
    about(id, "error", errors)
}

pub(super) fn error(id: &str, mut error: GraphQLError) -> String {
    errors::complete(&mut error);
    errors(id, &sonic_rs::to_string(&[error]).unwrap_or_else(|_| "[]".to_owned()))
}

fn about(id: &str, kind: &str, payload: &str) -> String {
    format!(r#"{{"id":{},"type":"{kind}","payload":{payload}}}"#, Value::from(id))
}

pub(super) fn complete(id: &str) -> String {
    format!(r#"{{"id":{},"type":"complete"}}"#, Value::from(id))
}
