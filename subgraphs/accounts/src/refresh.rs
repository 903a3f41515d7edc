//! The refresh token: 256 random bits, of which only the SHA-256 is kept.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chassis::Failure;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::vault::{Place, Vault};

/// Before the random part, so that scanners for leaked secrets recognise one.
const PREFIX: &str = "souk_rt_";
/// Longer texts are not even hashed.
const LENGTH_MAX: usize = 128;

/// A refresh token. Its text is given to the client and to nobody else.
#[derive(Clone, Debug)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    pub fn generate() -> Self {
        let mut bytes = [0_u8; 32];
        rand::fill(&mut bytes).expect("the system has randomness");
        Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)).into())
    }

    /// A token as a client sends it; `None`: none of ours looks like this.
    pub fn read(text: &str) -> Option<Self> {
        (text.starts_with(PREFIX) && text.len() <= LENGTH_MAX).then(|| Self(text.into()))
    }

    /// For the client.
    pub fn reveal(&self) -> String {
        self.0.expose_secret().to_owned()
    }

    /// By which it is found.
    pub fn hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, self.0.expose_secret().as_bytes()).as_ref().to_vec()
    }

    /// To be kept beside the predecessor with the hash `before`, for a client that lost the answer.
    pub fn sealed(&self, vault: &Vault, before: &[u8]) -> Vec<u8> {
        vault.master.seal_text(successor_of(before), self.0.expose_secret())
    }

    /// # Errors
    /// Sealed beside another token or with another master key.
    pub fn open(vault: &Vault, before: &[u8], sealed: &[u8]) -> Result<Self, Failure> {
        Ok(Self(vault.master.open_text(successor_of(before), sealed)?.into()))
    }
}

/// A row without a uuid of its own is named by the first half of its hash.
fn successor_of(hash: &[u8]) -> Place {
    let id = hash.first_chunk().copied().map_or(Uuid::nil(), Uuid::from_bytes);
    Place { table: "refresh_token", column: "successor_sealed", id }
}
