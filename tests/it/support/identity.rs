//! People for tests: tokens signed with a key of the test's own, without the cost of passwords.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chassis::auth::{ACCESS_TOKEN_TTL, AUDIENCE, Claims, ISSUER, Keys, PublicKey, Role};
use chrono::{DateTime, Utc};
use contract::{SellerId, SessionId, UserId};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub user: UserId,
    pub token: String,
    /// The person's shop, if it is a seller.
    pub seller: Option<SellerId>,
}

/// Signs tokens that the marketplace accepts.
pub struct Minter {
    key: EncodingKey,
}

const KID: &str = "test";

impl Minter {
    /// Adds a key to those that the marketplace trusts.
    pub fn new(keys: &Keys) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let mut published = keys.published();
        published.push(PublicKey::ed25519(KID, x));
        keys.publish(published);
        Self { key: EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref()) }
    }

    pub fn token(&self, user: UserId, roles: &[Role], now: DateTime<Utc>) -> String {
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: user,
            sid: SessionId::new(),
            iat: now.timestamp(),
            exp: (now + ACCESS_TOKEN_TTL).timestamp(),
            scope: roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" "),
        };
        self.sign(&claims)
    }

    pub fn sign(&self, claims: &Claims) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".into());
        header.kid = Some(KID.into());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}
