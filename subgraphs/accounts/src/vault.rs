//! Sealing: personal data and private keys are kept as AES-256-GCM, with a key that is not in the same row.
//!
//! Each user has a data key; it seals that user's data and is itself sealed with the process's master key. Erasing a
//! person is destroying that one key, in backups of other tables as well.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac, rand};
use chassis::{Failure, MasterKey};
use contract::UserId;
use entity::accounts::data_key;
use sea_orm::{ConnectionTrait, EntityTrait};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::email::Email;

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
    fn new(id: Uuid, bytes: &[u8; 32]) -> Self {
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

/// What is derived from the master key, each part for one use.
pub struct Vault {
    /// Seals data keys, signing keys and successors of refresh tokens.
    pub master: Key,
    lookup: hmac::Key,
}

impl Vault {
    pub fn new(master: &MasterKey) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"souk accounts").extract(master.expose_secret());
        let id = derive(&root, "key id");
        let id = Uuid::from_slice(&id[..KEY_ID_BYTES]).expect("a uuid has 16 bytes");
        Self {
            master: Key::new(id, &derive(&root, "seal")),
            lookup: hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, "lookup")),
        }
    }

    /// By which a user is found. Without the master key nobody can tell whether an e-mail address has an account.
    pub fn email_hash(&self, email: &Email) -> Vec<u8> {
        self.fingerprint("email", email.as_str().as_bytes())
    }

    /// A hash that tells equal values of one `kind` and, without the master key, nothing else.
    pub fn fingerprint(&self, kind: &str, value: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.lookup);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(value);
        context.sign().as_ref().to_vec()
    }

    /// A new data key for `user`, and the row that keeps it.
    pub fn new_data_key(&self, user: UserId) -> (Key, data_key::Model) {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).expect("the system has randomness");
        let id = Uuid::now_v7();
        let key_sealed = self.master.seal(data_key_place(user), &bytes);
        (Key::new(id, &bytes), data_key::Model { user_id: user, key_id: id, key_sealed })
    }

    /// # Errors
    /// The row was sealed with another master key.
    pub fn data_key(&self, row: &data_key::Model) -> Result<Key, Failure> {
        let bytes = self.master.open(data_key_place(row.user_id), &row.key_sealed)?;
        let bytes = bytes.try_into().map_err(|_| Failure::msg("a data key has 256 bits"))?;
        Ok(Key::new(row.key_id, &bytes))
    }

    /// The data key of `user`; `None`: it was destroyed.
    pub async fn data_key_of(&self, db: &impl ConnectionTrait, user: UserId) -> Result<Option<Key>, Failure> {
        let row = data_key::Entity::find_by_id(user).one(db).await?;
        row.map(|row| self.data_key(&row)).transpose()
    }
}

fn data_key_place(user: UserId) -> Place {
    Place { table: "data_key", column: "key_sealed", id: user.0 }
}

fn derive(root: &hkdf::Prk, purpose: &str) -> [u8; 32] {
    let mut key = [0; 32];
    root.expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("32 bytes are within what HKDF gives");
    key
}

#[cfg(test)]
mod tests;
