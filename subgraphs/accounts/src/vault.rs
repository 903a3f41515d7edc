//! Sealing of personal data and private keys.
//!
//! Each user has a data key; it seals that user's data and is itself sealed with the process's master key. Erasing a
//! person is destroying that one key, in backups of other tables as well.

use aws_lc_rs::{hmac, rand};
use chassis::seal::Root;
pub use chassis::seal::{Key, Place};
use chassis::{Failure, MasterKey};
use contract::UserId;
use entity::accounts::data_key;
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::email::Email;

/// What is derived from the master key, each part for one use.
pub struct Vault {
    /// Seals data keys, signing keys and successors of refresh tokens.
    pub master: Key,
    lookup: hmac::Key,
}

impl Vault {
    pub fn new(master: &MasterKey) -> Self {
        let root = Root::new(master, "souk accounts");
        Self { master: root.key(), lookup: hmac::Key::new(hmac::HMAC_SHA256, &root.derive("lookup")) }
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

#[cfg(test)]
mod tests;
