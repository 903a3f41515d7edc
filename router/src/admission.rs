//! Whether one more operation of this client is let in: what the client has spent, and what it holds open.

use std::{
    net::IpAddr,
    sync::{Arc, Weak},
    time::Duration,
};

use hive_router::{
    GraphQLError,
    executor::plugins::plugin_context::PluginContext,
    ntex::http::{Response, header::HeaderValue},
    telemetry::logging::request_id::REQUEST_IDENTIFIERS,
};
use http::{StatusCode, header::RETRY_AFTER};

use crate::{
    Limits, cost, errors,
    meter::{Client, Held, Meter},
    pages::ClientAddress,
};

/// Somebody who is signed in, by the subject of a credential that was found good.
pub(crate) struct Viewer(pub Arc<str>);

/// When to try again what is refused for being one too many: when something ends is for the client to know.
const WHEN_SOMETHING_ENDS: Duration = Duration::from_secs(5);

/// Of one router.
pub(crate) struct Admission {
    limits: Limits,
    viewers: Option<Meter>,
    addresses: Option<Meter>,
    subscriptions: Held,
    sockets: Held,
}

impl Admission {
    pub(crate) fn new(limits: Limits) -> Self {
        Admission {
            viewers: Meter::new(limits.viewer_points_per_s, limits.burst_s),
            addresses: Meter::new(limits.address_points_per_s, limits.burst_s),
            subscriptions: Held::default(),
            sockets: Held::default(),
            limits,
        }
    }

    /// What every request costs its address, before it is read. `Some`: the answer to give instead.
    pub(crate) fn knock(&self, context: &PluginContext) -> Option<Response> {
        let address = address(context)?;
        let charged = self.addresses.as_ref()?.charge(&Client::at(address), cost::REQUEST);
        charged.err().map(rate_limited)
    }

    /// `Some`: the answer to give instead of executing what may cost so many points.
    pub(crate) fn refuse(
        &self,
        cost: u64,
        is_subscription: bool,
        context: &PluginContext,
    ) -> Option<Response> {
        let viewer = context.get_ref::<Viewer>().map(|viewer| viewer.0.clone());
        let viewer = viewer.map(Client::Viewer);
        let address = address(context).map(Client::at);
        let bills = [
            (&self.viewers, &viewer, cost),
            // The address has paid for the request already.
            (&self.addresses, &address, cost.saturating_sub(cost::REQUEST)),
        ];
        let charged = bills.into_iter().try_for_each(|(meter, client, points)| match (meter, client) {
            (Some(meter), Some(client)) => meter.charge(client, points),
            _ => Ok(()),
        });
        match charged {
            Err(wait) => Some(rate_limited(wait)),
            Ok(()) if is_subscription => self.subscribe(viewer, address),
            Ok(()) => None,
        }
    }

    /// A subscription lives as long as the identifiers of its request are held by whoever sends its events.
    fn subscribe(&self, viewer: Option<Client>, address: Option<Client>) -> Option<Response> {
        let request = REQUEST_IDENTIFIERS.try_with(Arc::downgrade).ok()?;
        let clients = [
            (viewer, self.limits.subscriptions_per_viewer),
            (address, self.limits.subscriptions_per_address),
        ];
        let clients = limited(clients);
        let has_room = self.subscriptions.enter(request, &clients);
        (!has_room).then(|| too_many("TOO_MANY_SUBSCRIPTIONS", "too many subscriptions are open"))
    }

    /// A WebSocket, open as long as `socket` is held. `Some`: the answer to give instead.
    pub(crate) fn open(&self, socket: Weak<()>, address: Option<IpAddr>) -> Option<Response> {
        let clients = limited([(address.map(Client::at), self.limits.sockets_per_address)]);
        let has_room = self.sockets.enter(socket, &clients);
        (!has_room)
            .then(|| too_many("TOO_MANY_CONNECTIONS", "too many connections are open from this address"))
    }
}

/// Those that are known and have a limit.
fn limited<const N: usize>(clients: [(Option<Client>, usize); N]) -> Vec<(Client, usize)> {
    let limited = clients.into_iter().filter(|(_, max)| *max > 0);
    limited.filter_map(|(client, max)| Some((client?, max))).collect()
}

fn address(context: &PluginContext) -> Option<IpAddr> {
    context.get_ref::<ClientAddress>().map(|address| address.0.ip())
}

fn rate_limited(wait: Duration) -> Response {
    let error = GraphQLError::from_message_and_code("too much at once: try again later", "RATE_LIMITED");
    later(error, wait)
}

fn too_many(code: &str, message: &str) -> Response {
    later(GraphQLError::from_message_and_code(message, code), WHEN_SOMETHING_ENDS)
}

/// A 429, whatever the client accepts: it is the status that says when to come back.
fn later(mut error: GraphQLError, wait: Duration) -> Response {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    error.append_extensions([("retryAfterMs".to_owned(), wait_ms.into())].into());
    let mut response = errors::response(StatusCode::TOO_MANY_REQUESTS, vec![error]);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait_ms.div_ceil(1_000)));
    response
}
