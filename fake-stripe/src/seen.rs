//! The calls that came, for tests that count them.

use std::collections::VecDeque;

use axum::extract::Request;
use axum::response::Response;
use serde::Serialize;

use crate::faults::Fault;

/// How many calls are remembered; the oldest go first.
const SEEN_MAX: usize = 100_000;

/// A call, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub idempotency_key: Option<String>,
    pub status: u16,
    /// The answer was a key's first one, again.
    pub replayed: bool,
    pub fault: Option<Fault>,
}

impl Seen {
    pub fn of(request: &Request) -> Self {
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            idempotency_key: key.map(str::to_owned),
            status: 0,
            replayed: false,
            fault: None,
        }
    }

    pub fn answered(&mut self, response: &Response) {
        self.status = response.status().as_u16();
        self.replayed = response.headers().contains_key("idempotent-replayed");
    }
}

/// The last calls.
#[derive(Debug, Default)]
pub struct Calls(VecDeque<Seen>);

impl Calls {
    pub fn remember(&mut self, seen: Seen) {
        if self.0.len() == SEEN_MAX {
            self.0.pop_front();
        }
        self.0.push_back(seen);
    }

    pub fn all(&self) -> impl Iterator<Item = &Seen> {
        self.0.iter()
    }
}
