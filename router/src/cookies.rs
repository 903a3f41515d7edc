//! Whose pages a browser's cookies count for.

use hive_router::ntex::http::HeaderMap;
use http::header::{COOKIE, HOST, ORIGIN};

/// Takes the cookies out of a request that a page of another origin sent. Browsers say the origin of whatever is not a
/// plain GET; who says none is no browser, and keeps its own cookies.
pub(crate) fn drop_foreign_cookies(headers: &mut HeaderMap, allowed: &[String]) {
    if !headers.contains_key(COOKIE) {
        return;
    }
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if text(ORIGIN).is_some_and(|origin| !is_trusted(origin, text(HOST), allowed)) {
        headers.remove(COOKIE);
    }
}

/// The host is compared without the scheme: behind a proxy that ends TLS, the request does not say it.
fn is_trusted(origin: &str, host: Option<&str>, allowed: &[String]) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    let is_own = authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host));
    is_own || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_own_origin_and_of_allowed_ones_are_trusted() {
        let allowed = ["https://shop.example".to_owned()];
        for (origin, host, trusted) in [
            ("https://api.example", Some("api.example"), true),
            ("http://localhost:4000", Some("LOCALHOST:4000"), true),
            ("https://shop.example", Some("api.example"), true),
            ("https://api.example:444", Some("api.example"), false),
            ("https://evil.example", Some("api.example"), false),
            ("https://shop.example.evil.example", Some("api.example"), false),
            ("https://api.example", None, false),
            ("null", Some("null"), false),
            ("", Some(""), false),
        ] {
            assert_eq!(is_trusted(origin, host, &allowed), trusted, "{origin} at {host:?}");
        }
    }
}
