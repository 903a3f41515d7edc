//! Where a request comes from, as the router tells it.

use std::net::IpAddr;

use axum::http::HeaderMap;

/// The address of the client's connection. Only for limits: never logged, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Set by the router, which passes on no such header of the client's own.
    pub const HEADER: &str = "x-client-address";

    /// The address that came with the request. `None`: nobody told.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        headers.get(Self::HEADER)?.to_str().ok()?.parse().ok().map(Self)
    }
}
