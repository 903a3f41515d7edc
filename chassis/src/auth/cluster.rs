//! Who may talk to a subgraph over HTTP: whoever knows the secret of the cluster, which is the router and the subgraphs.

use aws_lc_rs::{constant_time, digest, rand};
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

/// The fewest characters of a secret.
pub const SECRET_CHARS_MIN: usize = 32;

/// What the router shows to the subgraphs of its cluster.
#[derive(Clone, Debug)]
pub struct ClusterSecret {
    current: SecretString,
    /// Accepted too, while the secret is exchanged.
    previous: Option<SecretString>,
}

/// Why a text is no secret of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSecret {
    #[error("the cluster secret has {0} characters, at least {SECRET_CHARS_MIN} are needed")]
    Short(usize),
    #[error("the cluster secret must be printable ASCII without spaces")]
    Unprintable,
}

impl ClusterSecret {
    /// Over HTTP a header, over WebSocket a field in the payload of `connection_init`.
    pub const HEADER: &str = "x-souk-cluster-secret";

    /// # Errors
    /// Too short, or not fit for a header.
    pub fn new(current: SecretString, previous: Option<SecretString>) -> Result<Self, NoSecret> {
        for secret in previous.iter().chain([&current]) {
            let text = secret.expose_secret();
            if text.len() < SECRET_CHARS_MIN {
                return Err(NoSecret::Short(text.len()));
            }
            if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(NoSecret::Unprintable);
            }
        }
        Ok(Self { current, previous })
    }

    /// A secret that nobody else knows.
    pub fn random() -> Self {
        let mut bytes = [0_u8; 32];
        rand::fill(&mut bytes).expect("the system has randomness");
        Self { current: BASE64_URL_SAFE_NO_PAD.encode(bytes).into(), previous: None }
    }

    /// For the header; marked so that it is not printed.
    pub fn header(&self) -> HeaderValue {
        header(&self.current)
    }

    /// [`header`](Self::header), and then the same of the previous secret.
    pub fn headers(&self) -> impl Iterator<Item = HeaderValue> {
        [&self.current].into_iter().chain(&self.previous).map(header)
    }

    /// Whether the request comes from somebody who knows the secret.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(given) = headers.get(Self::HEADER) else { return false };
        let given = hash(given.as_bytes());
        let known = self.previous.iter().chain([&self.current]);
        // No early end: how long it takes says nothing about the secrets.
        known.fold(false, |admitted, secret| {
            let same = hash(secret.expose_secret().as_bytes());
            admitted | constant_time::verify_slices_are_equal(given.as_ref(), same.as_ref()).is_ok()
        })
    }
}

fn header(secret: &SecretString) -> HeaderValue {
    let mut value = HeaderValue::from_str(secret.expose_secret()).expect("a secret is printable ASCII");
    value.set_sensitive(true);
    value
}

fn hash(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        text.repeat(32).into()
    }

    #[test]
    fn the_current_and_the_previous_secret_are_admitted_and_no_other() {
        let both = ClusterSecret::new(secret("a"), Some(secret("b"))).expect("both are long enough");
        for (text, admitted) in [("a", true), ("b", true), ("c", false), ("", false)] {
            let value = HeaderValue::from_str(&text.repeat(32)).expect("it is ASCII");
            let headers = [(ClusterSecret::HEADER.parse().expect("it is a name"), value)];
            assert_eq!(both.admits(&HeaderMap::from_iter(headers)), admitted, "{text}");
        }
        assert!(!both.admits(&HeaderMap::new()));
    }

    #[test]
    fn a_short_or_unprintable_secret_is_refused_and_none_is_printed() {
        let refused = |text: &str| ClusterSecret::new(text.to_owned().into(), None).err();
        assert_eq!(refused("short"), Some(NoSecret::Short(5)));
        assert_eq!(refused(&"ä".repeat(32)), Some(NoSecret::Unprintable));
        assert_eq!(refused(&" ".repeat(32)), Some(NoSecret::Unprintable));
        let secret = ClusterSecret::new(secret("x"), None).expect("it is long enough");
        assert!(!format!("{secret:?} {:?}", secret.header()).contains("xxx"));
    }
}
