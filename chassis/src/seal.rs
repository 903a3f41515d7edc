//! Sealing: what must not be read from the tables alone is kept as AES-256-GCM, with a key that is not in the same row.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::{Failure, MasterKey};

/// The first byte of a sealed value: how it is laid out. Version, key id, nonce, ciphertext, tag.
const LAYOUT: u8 = 1;
const KEY_ID_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_LEN;

/// Where a sealed value belongs. Moved to another row or column it does not open.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    pub id: Uuid,
}

impl Place {
    fn bytes(self) -> Vec<u8> {
        format!("{}|{}|{}", self.table, self.column, self.id).into_bytes()
    }
}

/// Seals and opens.
pub struct Key {
    id: Uuid,
    cipher: RandomizedNonceKey,
}

impl Key {
    pub fn new(id: Uuid, bytes: &[u8; 32]) -> Self {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, bytes).expect("the key has 256 bits");
        Self { id, cipher }
    }

    pub fn seal(&self, place: Place, secret: &[u8]) -> Vec<u8> {
        let mut text = secret.to_vec();
        let nonce = self
            .cipher
            .seal_in_place_append_tag(Aad::from(place.bytes()), &mut text)
            .expect("what is sealed here is far shorter than the cipher's limit");
        let header = [&[LAYOUT][..], self.id.as_bytes(), nonce.as_ref()];
        header.into_iter().chain([text.as_slice()]).flatten().copied().collect()
    }

    /// # Errors
    /// Sealed with another key, for another place, or altered.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        let refuse =
            |why: &str| Failure::msg(format!("{}.{} does not open: {why}", place.table, place.column));
        let (header, text) = sealed.split_at_checked(HEADER_BYTES).ok_or_else(|| refuse("too short"))?;
        if header[0] != LAYOUT {
            return Err(refuse("unknown layout"));
        }
        if header[1..=KEY_ID_BYTES] != self.id.as_bytes()[..] {
            return Err(refuse("it was sealed with another key"));
        }
        let nonce =
            Nonce::try_assume_unique_for_key(&header[1 + KEY_ID_BYTES..]).map_err(|_| refuse("no nonce"))?;
        let mut text = text.to_vec();
        let opened = self
            .cipher
            .open_in_place(nonce, Aad::from(place.bytes()), &mut text)
            .map_err(|_| refuse("it was altered or belongs elsewhere"))?;
        Ok(opened.to_vec())
    }

    pub fn seal_text(&self, place: Place, text: &str) -> Vec<u8> {
        self.seal(place, text.as_bytes())
    }

    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_text(&self, place: Place, sealed: &[u8]) -> Result<String, Failure> {
        Ok(String::from_utf8(self.open(place, sealed)?)?)
    }
}

/// What is derived from the master key for one service, each part for one use.
pub struct Root(hkdf::Prk);

impl Root {
    /// `salt` names the service, and never changes: what was sealed would not open again.
    pub fn new(master: &MasterKey, salt: &str) -> Self {
        Self(hkdf::Salt::new(hkdf::HKDF_SHA256, salt.as_bytes()).extract(master.expose_secret()))
    }

    /// The key that seals what has no key of its own.
    pub fn key(&self) -> Key {
        let id = self.derive("key id");
        let id = Uuid::from_slice(&id[..KEY_ID_BYTES]).expect("a uuid has 16 bytes");
        Key::new(id, &self.derive("seal"))
    }

    /// 256 bits for one `purpose`.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        self.0
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key))
            .expect("32 bytes are within what HKDF gives");
        key
    }
}
