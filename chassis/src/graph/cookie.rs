//! Cookies of a request: what a browser sends back of what it was told to keep.

use axum::http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};

/// The `Cookie` headers of a request. They hold secrets: there is no way to print them.
#[derive(Clone)]
pub struct Cookies(SecretString);

impl Cookies {
    /// `None`: none came.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let lines: Vec<&str> = lines.collect();
        (!lines.is_empty()).then(|| Self(lines.join("; ").into()))
    }

    /// The value of the cookie `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.expose_secret().split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(given, _)| *given == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let lines =
            ["a=1; __Host-b=2", "c=x=y;d"].map(|line| (header::COOKIE, HeaderValue::from_static(line)));
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value);
        }
        let cookies = Cookies::of(&headers).expect("two lines of cookies came");
        for (name, value) in
            [("a", Some("1")), ("__Host-b", Some("2")), ("b", None), ("c", Some("x=y")), ("d", None)]
        {
            assert_eq!(cookies.get(name), value, "{name}");
        }
        assert!(Cookies::of(&HeaderMap::new()).is_none());
    }
}
