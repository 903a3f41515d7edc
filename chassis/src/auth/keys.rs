//! The public keys that verify access tokens, and the tokens they have verified.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};

use super::token::{AUDIENCE, Claims, ISSUER};
use super::viewer::Viewer;
use crate::{Clock, Denied, Failure, Tasks};

/// Verified tokens kept, so that a token costs one signature check in its life.
const VERIFIED_MAX: u64 = 10_000;
/// How long accounts may take to tell its keys.
const FETCH_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
/// The length at which a text is no token of ours.
const TOKEN_LENGTH_MAX: usize = 4_096;

/// A public Ed25519 key in the form of RFC 8037.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    pub kid: String,
    pub kty: String,
    pub crv: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub usage: String,
    /// The key itself, base64url.
    pub x: String,
}

impl PublicKey {
    /// The key with the id `kid` and the coordinate `x` (base64url).
    pub fn ed25519(kid: impl Into<String>, x: impl Into<String>) -> Self {
        Self {
            kid: kid.into(),
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            alg: "EdDSA".into(),
            usage: "sig".into(),
            x: x.into(),
        }
    }
}

/// The keys of the process: published by accounts, read by every subgraph and the router.
#[derive(Clone)]
pub struct Keys {
    public: Arc<RwLock<HashMap<String, (PublicKey, DecodingKey)>>>,
    verified: moka::sync::Cache<[u8; 32], Arc<Viewer>>,
    clock: Clock,
}

impl Keys {
    /// No keys yet: every token is refused.
    pub fn new(clock: Clock) -> Self {
        // Another crate of the process may bring a second provider; the first to choose wins, and it is this one.
        _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        Self { public: Arc::default(), verified: moka::sync::Cache::new(VERIFIED_MAX), clock }
    }

    /// Replaces the keys. Tokens of a key that is gone are refused from now on.
    pub fn publish(&self, mut keys: Vec<PublicKey>) {
        keys.sort_by(|a, b| a.kid.cmp(&b.kid));
        if keys == self.published() {
            return;
        }
        let keys = keys.into_iter().filter_map(|key| {
            let decoding = DecodingKey::from_ed_components(&key.x).ok()?;
            Some((key.kid.clone(), (key, decoding)))
        });
        *self.public.write().expect("no code panics while it holds this lock") = keys.collect();
        self.verified.invalidate_all();
    }

    /// Fetches the keys from accounts' key set now and after each `pause`; keys that cannot be fetched stay as they are.
    pub fn follow(self, jwks_url: String, pause: std::time::Duration, tasks: &Tasks) {
        let client = reqwest::Client::new();
        tasks.every("keys", pause, move || fetch(self.clone(), client.clone(), jwks_url.clone()));
    }

    /// The keys that count now, by their ids.
    pub fn published(&self) -> Vec<PublicKey> {
        let public = self.public.read().expect("no code panics while it holds this lock");
        let mut keys: Vec<PublicKey> = public.values().map(|(key, _)| key.clone()).collect();
        keys.sort_by(|a, b| a.kid.cmp(&b.kid));
        keys
    }

    /// The keys as a JSON Web Key Set.
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": self.published() })
    }

    /// Who the request's `Authorization` header names; `None`: nobody signed in.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when there is a header that does not hold a valid token.
    pub fn viewer(&self, headers: &axum::http::HeaderMap) -> Result<Option<Arc<Viewer>>, Denied> {
        let Some(header) = headers.get(axum::http::header::AUTHORIZATION) else {
            return Ok(None);
        };
        let header = header.to_str().map_err(|_| Denied::BadToken("malformed"))?;
        self.viewer_of(header).map(Some)
    }

    /// Who the value of an `Authorization` header names.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` unless it is `Bearer` and a valid token.
    pub fn viewer_of(&self, header: &str) -> Result<Arc<Viewer>, Denied> {
        match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => self.verify(token.trim()),
            _ => Err(Denied::BadToken("expected `Bearer <token>`")),
        }
    }

    /// Who `token` names.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when it is malformed, forged, expired or not an access token.
    pub fn verify(&self, token: &str) -> Result<Arc<Viewer>, Denied> {
        if token.len() > TOKEN_LENGTH_MAX {
            return Err(Denied::BadToken("malformed"));
        }
        let hash = sha256(token);
        let viewer = match self.verified.get(&hash) {
            Some(viewer) => viewer,
            None => {
                let viewer = Arc::new(self.check(token)?);
                self.verified.insert(hash, viewer.clone());
                viewer
            }
        };
        if viewer.expires_at <= self.clock.now() {
            return Err(Denied::BadToken("expired"));
        }
        Ok(viewer)
    }

    fn check(&self, token: &str) -> Result<Viewer, Denied> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Denied::BadToken("malformed"))?;
        if header.typ.as_deref() != Some("at+jwt") {
            return Err(Denied::BadToken("not an access token"));
        }
        let public = self.public.read().expect("no code panics while it holds this lock");
        let (_, key) = header
            .kid
            .and_then(|kid| public.get(&kid))
            .ok_or(Denied::BadToken("signed with an unknown key"))?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules())
            .map_err(|_| Denied::BadToken("forged or meant for somebody else"))?
            .claims;
        Viewer::from_claims(claims).ok_or(Denied::BadToken("malformed"))
    }
}

async fn fetch(keys: Keys, client: reqwest::Client, url: String) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<PublicKey>,
    }
    let set: KeySet = client.get(url).timeout(FETCH_TIMEOUT).send().await?.error_for_status()?.json().await?;
    keys.publish(set.keys);
    Ok(())
}

/// The expiry is checked against our own clock, for cached tokens too.
fn rules() -> Validation {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.validate_exp = false;
    rules
}

fn sha256(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash
}
