//! What the caller may choose, and what `hive-router` is told about it.

use std::{collections::BTreeMap, sync::Arc};

use hive_router::{config::HiveRouterConfig, ntex::http::header::HeaderName};
use http::HeaderValue;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{CheckAuthorization, LocalSubgraph, Network, Pages};

/// For a `tracing` filter, beside a level: silences what the router and its server tell about themselves, and their
/// warnings about what clients do wrong.
pub const LOG_FILTER: &str = "ntex=warn,router::core=warn,router::request=warn,router::http_server=error,router::graphql_parsing=error,\
    router::graphql_validation=error,router::websocket_server=error";

/// Where GraphQL is served, over HTTP and WebSocket.
pub(crate) const GRAPHQL_PATH: &str = "/graphql";

/// Headers of the client that subgraphs get. Over WebSocket the payload of `connection_init` stands for the headers.
/// Whatever an answer may depend on is here, so two queries that agree in all of these may share one execution.
const ANSWER_DEPENDS_ON: [&str; 2] = ["authorization", "accept-language"];

/// Reaches the subgraphs that [`Options::cookies_of`] names, for the same reason.
const COOKIE: &str = "cookie";

/// Also passed on, but no answer depends on them.
const CORRELATION: [&str; 4] = ["x-request-id", "traceparent", "tracestate", "baggage"];

/// Whether anybody behind the router looks at a header of the client.
pub(crate) fn is_passed_on(name: &HeaderName) -> bool {
    ANSWER_DEPENDS_ON.contains(&name.as_str()) || CORRELATION.contains(&name.as_str())
}

/// With one of these, a request cannot come from a plain form of another site.
const NOT_FROM_A_FORM: [&str; 3] =
    ["graphql-require-preflight", "apollo-require-preflight", "x-requested-with"];

/// A router to be started.
pub struct Options {
    /// A name or an address to listen on.
    pub host: String,
    /// `0` lets the system choose; [`crate::Running::address`] says what it chose.
    pub port: u16,
    /// The supergraph, in SDL: from [`crate::compose`] or from anywhere else.
    pub supergraph: String,
    /// By the name of the subgraph, instead of the URL in the supergraph. Subscriptions go to the same URL over
    /// WebSocket, and so do the lookups that complete their events, over HTTP, also when the subgraph is local.
    pub subgraph_urls: BTreeMap<String, String>,
    /// By the name of the subgraph: those in this process. Queries and mutations reach them without HTTP.
    pub local: BTreeMap<String, Arc<dyn LocalSubgraph>>,
    /// `None`: credentials are passed on without a look.
    pub check_authorization: Option<CheckAuthorization>,
    /// Answers what is neither GraphQL nor GraphiQL.
    pub pages: Pages,
    /// Browser origins, beyond the router's own, that may send operations, such as `https://shop.example`.
    pub allowed_origins: Vec<String>,
    /// Whose word is taken for where a request comes from (`X-Forwarded-For`): proxies in front of this router.
    pub trusted_proxies: Vec<Network>,
    /// By the name of the subgraph: those that see the client's cookies and may set some. A browser's cookies count only for
    /// pages of the router's own origin and of those that are allowed.
    pub cookies_of: Vec<String>,
    /// Headers of every call to a subgraph, subscriptions included, beside the client's own.
    pub to_subgraphs: Vec<(http::HeaderName, HeaderValue)>,
    /// Whether clients may ask for the schema.
    pub introspection: bool,
    pub limits: Limits,
    /// Cancelling it stops the router: no new connections, what is running is finished.
    pub stop: CancellationToken,
}

/// What one client may ask for. Beyond a limit the answer is an error that says which one, before anything is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nesting of fields, introspection not counted. `MAX_DEPTH_EXCEEDED`
    pub depth: usize,
    /// Lexical tokens in the document. `TOKEN_LIMIT_EXCEEDED`
    pub tokens: usize,
    /// Aliases in an operation. `MAX_ALIASES_EXCEEDED`
    pub aliases: usize,
    /// Directives in an operation. `MAX_DIRECTIVES_EXCEEDED`
    pub directives: usize,
    /// Fields at the root of an operation. `MAX_ROOT_FIELDS_EXCEEDED`
    pub root_fields: usize,
    /// Fields and spreads of an operation or a fragment, each fragment counted where it is spread. `MAX_FIELDS_EXCEEDED`
    pub fields: usize,
    /// Selection sets within each other, each fragment counted where it is spread. `MAX_NESTING_EXCEEDED`; the parser
    /// reads no more than 50 brackets within each other anyway.
    pub nesting: usize,
    /// Fragments that have a name. `MAX_FRAGMENTS_EXCEEDED`
    pub fragments: usize,
    /// Objects and lists within each other, in the JSON of an HTTP request. `JSON_TOO_DEEP`
    pub json_nesting: usize,
    /// `PAYLOAD_TOO_LARGE_CONTENT_LENGTH`, `PAYLOAD_TOO_LARGE_BODY_STREAM`
    pub body_bytes: usize,
    /// `REQUEST_HEADER_FIELDS_TOO_LARGE`
    pub header_bytes: usize,
    /// A request as a whole, subscriptions excepted. `GATEWAY_TIMEOUT`
    pub request_ms: u64,
    /// One call to one subgraph. `SUBGRAPH_REQUEST_TIMEOUT`
    pub subgraph_ms: u64,
    /// Points that one operation may cost, as estimated; `0`: any. `COST_TOO_HIGH`
    pub cost: u64,
    /// Points that one signed-in viewer may spend in a second; `0`: any. `RATE_LIMITED`
    pub viewer_points_per_s: u32,
    /// Points that one address may spend in a second, of all its viewers; `0`: any. `RATE_LIMITED`
    pub address_points_per_s: u32,
    /// So many seconds' points may be spent at once.
    pub burst_s: u32,
    /// Subscriptions that one signed-in viewer may have open; `0`: any. `TOO_MANY_SUBSCRIPTIONS`
    pub subscriptions_per_viewer: usize,
    /// Subscriptions that one address may have open; `0`: any. `TOO_MANY_SUBSCRIPTIONS`
    pub subscriptions_per_address: usize,
    /// WebSockets that one address may have open; `0`: any. `TOO_MANY_CONNECTIONS`
    pub sockets_per_address: usize,
    /// Operations that may run on one WebSocket. `TOO_MANY_OPERATIONS`
    pub operations_per_socket: usize,
    /// A message over WebSocket. The socket is closed with 1009.
    pub message_bytes: usize,
    /// WebSockets that are open, and as many subscriptions. One more is answered with 503.
    pub long_lived_clients: usize,
    /// Events of one subscription that wait for a slow client; the oldest go first.
    pub events_waiting: usize,
    /// How long a stop waits for requests that run. Subscriptions are ended without a wait.
    pub stop_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            depth: 16,
            tokens: 5_000,
            aliases: 50,
            directives: 50,
            root_fields: 20,
            fields: 2_000,
            nesting: 50,
            fragments: 100,
            json_nesting: 64,
            body_bytes: 1024 * 1024,
            header_bytes: 16 * 1024,
            request_ms: 30_000,
            subgraph_ms: 15_000,
            cost: 20_000,
            viewer_points_per_s: 10_000,
            address_points_per_s: 50_000,
            burst_s: 20,
            subscriptions_per_viewer: 200,
            subscriptions_per_address: 2_000,
            sockets_per_address: 1_000,
            operations_per_socket: 100,
            message_bytes: 64 * 1024,
            long_lived_clients: 20_000,
            events_waiting: 32,
            stop_ms: 5_000,
        }
    }
}

/// The configuration of `hive-router`. Its structs are closed to other crates, but can be read from JSON.
pub(crate) fn hive(options: &Options) -> HiveRouterConfig {
    let limits = &options.limits;
    let shared_only_with = [ANSWER_DEPENDS_ON.as_slice(), &[COOKIE]].concat();
    let config = json!({
        "supergraph": { "source": "plugin" },
        "http": { "graphql_endpoint": GRAPHQL_PATH },
        "laboratory": { "enabled": false },
        "introspection": options.introspection,
        "csrf": { "enabled": true, "required_headers": NOT_FROM_A_FORM },
        "cors": cors(&options.allowed_origins),
        "error_masking": { "enabled": false },
        "headers": headers(options),
        "limits": {
            "max_depth": { "n": limits.depth, "ignore_introspection": true, "flatten_fragments": true },
            "max_tokens": { "n": limits.tokens },
            "max_aliases": { "n": limits.aliases },
            "max_directives": { "n": limits.directives },
            "max_request_body_size": bytes(limits.body_bytes),
            "max_request_header_size": bytes(limits.header_bytes),
        },
        "override_subgraph_urls": { "subgraphs": urls(&options.subgraph_urls) },
        "subscriptions": {
            "enabled": true,
            "broadcast_capacity": limits.events_waiting,
            "websocket": { "all": {} },
        },
        "traffic_shaping": {
            // A socket for each subscription: what a subgraph is told of the request comes when its socket is opened.
            "all": {
                "request_timeout": milliseconds(limits.subgraph_ms),
                "websocket": { "reuse_connections": false },
            },
            "router": {
                "dedupe": { "enabled": true, "headers": { "include": shared_only_with } },
                "max_long_lived_clients": limits.long_lived_clients,
                "request_timeout": milliseconds(limits.request_ms),
            },
        },
        // Ours: see the module `websocket`.
        "websocket": { "enabled": false },
    });
    serde_json::from_value(config).expect("every value above has the type that hive-router declares for it")
}

fn headers(options: &Options) -> Value {
    let passed_on = [ANSWER_DEPENDS_ON.as_slice(), &CORRELATION].concat();
    let added = options.to_subgraphs.iter().map(|(name, value)| {
        let value = value.to_str().expect("what the caller adds is text");
        json!({ "insert": { "name": name.as_str(), "value": value } })
    });
    let request: Vec<Value> =
        [json!({ "propagate": { "named": passed_on } })].into_iter().chain(added).collect();
    let cookies = json!({
        "request": [{ "propagate": { "named": COOKIE } }],
        "response": [{ "propagate": { "named": "set-cookie", "algorithm": "append" } }],
    });
    let subgraphs: Value = options.cookies_of.iter().map(|name| (name.clone(), cookies.clone())).collect();
    json!({ "all": { "request": request }, "subgraphs": subgraphs })
}

fn cors(origins: &[String]) -> Value {
    json!({
        "enabled": !origins.is_empty(),
        "policies": [{ "origins": origins, "allow_credentials": true, "expose_headers": ["x-request-id"] }],
    })
}

fn urls(urls: &BTreeMap<String, String>) -> Value {
    urls.iter().map(|(name, url)| (name.clone(), json!({ "url": url }))).collect()
}

fn milliseconds(count: u64) -> String {
    format!("{count}ms")
}

fn bytes(count: usize) -> String {
    format!("{count} B")
}
