//! GraphiQL, from files inside the executable: it works with the network unplugged.
//!
//! The files are kept compressed with gzip, as `<name>.gz`. Those in `assets/` have a hash in their name, so a browser may
//! keep them for ever.

use std::{borrow::Cow, io::Read};

use flate2::read::GzDecoder;
use hive_router::ntex::{
    http::Response,
    web::{DefaultError, HttpRequest, HttpResponse, WebRequest},
};
use http::{
    Method, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use rust_embed::Embed;

use crate::config::GRAPHQL_PATH;

/// Where the page is; its files are below it.
pub(crate) const PATH: &str = "/graphiql";

const PAGE: &str = "index.html";
const KEEP: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";
/// Files with a hash in their name.
const HASHED: &str = "assets/";
/// What the page may load and who may show it: itself, nobody else. Its editor writes styles as it runs.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'";

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// A file as it lies in the executable.
struct Stored {
    content: Cow<'static, [u8]>,
    is_gzip: bool,
    etag: String,
}

/// The page, or one of its files.
pub(crate) async fn answer(request: HttpRequest) -> HttpResponse {
    let name = match request.path().trim_start_matches(PATH).trim_start_matches('/') {
        "" => PAGE,
        name => name,
    };
    let Some(stored) = find(name) else {
        return HttpResponse::build(StatusCode::NOT_FOUND).body("not found");
    };
    if header(&request, IF_NONE_MATCH.as_str()).contains(&stored.etag) {
        return HttpResponse::build(StatusCode::NOT_MODIFIED).finish();
    }
    let mut response = HttpResponse::build(StatusCode::OK);
    response
        .header(CONTENT_TYPE, content_type(name))
        .header(CACHE_CONTROL, if name.starts_with(HASHED) { KEEP } else { ASK_AGAIN })
        .header(CONTENT_SECURITY_POLICY, POLICY)
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(ETAG, stored.etag.as_str())
        .header(VARY, "accept-encoding");
    if !stored.is_gzip {
        return response.body(stored.content.into_owned());
    }
    if header(&request, ACCEPT_ENCODING.as_str()).contains("gzip") {
        return response.header(CONTENT_ENCODING, "gzip").body(stored.content.into_owned());
    }
    match unpack(&stored.content) {
        Ok(plain) => response.body(plain),
        Err(_) => HttpResponse::build(StatusCode::INTERNAL_SERVER_ERROR).finish(),
    }
}

/// A person who opens the endpoint in a browser is shown the page instead of an error.
pub(crate) fn instead_of_endpoint(request: &WebRequest<DefaultError>) -> Option<Response> {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_visit = request.method() == Method::GET
        && request.path() == GRAPHQL_PATH
        && request.query_string().is_empty()
        && accepts.contains("text/html");
    is_visit.then(|| Response::build(StatusCode::SEE_OTHER).header(LOCATION, PATH).finish())
}

/// The page can only be looked at. A tunnel has no end of its body to wait for, wherever it leads.
pub(crate) fn refuse_method(request: &WebRequest<DefaultError>) -> Option<Response> {
    let method = request.method();
    let is_page =
        request.path().strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_refused = method == Method::CONNECT || is_page && method != Method::GET && method != Method::HEAD;
    is_refused.then(|| {
        let mut response = Response::build(StatusCode::METHOD_NOT_ALLOWED);
        response.header(ALLOW, if is_page { "GET" } else { "GET, POST" });
        response.force_close().finish()
    })
}

fn find(name: &str) -> Option<Stored> {
    let (file, is_gzip) = match Assets::get(&format!("{name}.gz")) {
        Some(file) => (file, true),
        None => (Assets::get(name)?, false),
    };
    let hash: String = file.metadata.sha256_hash()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Some(Stored { content: file.data, is_gzip, etag: format!("\"{hash}\"") })
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn unpack(gzip: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut plain)?;
    Ok(plain)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
