//! Passwords: argon2id, a few at a time, and as much work for users who do not exist as for those who do.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use chassis::{Denied, Failure};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::text::Invalid;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes computed at once: each takes a core and 19 MiB.
const AT_ONCE_MAX: usize = 4;
/// Requests that wait for their turn or have it; further ones are told to come back.
const WAITING_MAX: usize = 128;
/// When to come back.
const RETRY_AFTER_MS: u64 = 2_000;

pub const CHARS_MIN: usize = 8;
pub const CHARS_MAX: usize = 256;

/// Checked in place of the hash of a user who does not exist: it costs as much and fits no password.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c291ayBkZWNveSBzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords, off the threads that serve requests.
#[derive(Clone)]
pub(crate) struct Passwords {
    waiting: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// A password as it came, within the limits. Never logged.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// Any text of 8 to 256 characters.
    pub fn new(field: &'static str, text: &str) -> Result<Self, Invalid> {
        if !(CHARS_MIN..=CHARS_MAX).contains(&text.chars().count()) {
            let message = format!("must have {CHARS_MIN} to {CHARS_MAX} characters");
            return Err(Invalid::new(field, message));
        }
        Ok(Self(text.into()))
    }
}

/// Why a password was not hashed or checked.
#[derive(Debug)]
pub enum NotDone {
    TooMany(Denied),
    Failed(Failure),
}

impl Passwords {
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            turns: Arc::new(Semaphore::new(cores.min(AT_ONCE_MAX))),
        }
    }

    /// The hash to keep, in the PHC string format.
    ///
    /// # Errors
    /// `RATE_LIMITED` when too many wait already.
    pub async fn hash(&self, password: Password) -> Result<String, NotDone> {
        self.off_thread(move || {
            let hash = argon2().hash_password(password.0.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| Failure::msg(error.to_string()))
        })
        .await
    }

    /// Whether `password` is the one that was hashed. `None`, no such user: as slow, and never.
    ///
    /// # Errors
    /// As [`hash`](Self::hash).
    pub async fn fits(&self, password: &str, hash: Option<&str>) -> Result<bool, NotDone> {
        let password = SecretString::from(password);
        let hash = hash.unwrap_or(DECOY).to_owned();
        self.off_thread(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| Failure::msg(error.to_string()))?;
            Ok(argon2().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, NotDone> {
        let waiting = self
            .waiting
            .clone()
            .try_acquire_owned()
            .map_err(|_| NotDone::TooMany(Denied::RateLimited { retry_after_ms: RETRY_AFTER_MS }))?;
        let turn = self.turns.clone().acquire_owned().await.expect("nobody closes this semaphore");
        // A client that gives up must not let another hash start beside this one: the work itself holds the turn.
        let held: [OwnedSemaphorePermit; 2] = [waiting, turn];
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        done.await.map_err(|error| NotDone::Failed(error.into()))?.map_err(NotDone::Failed)
    }
}

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

impl From<NotDone> for async_graphql::Error {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::TooMany(denied) => denied.into(),
            NotDone::Failed(failure) => failure.into(),
        }
    }
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<NotDone> for Failure {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::TooMany(denied) => denied.into(),
            NotDone::Failed(failure) => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new();
        let password = Password::new("password", "correct horse 🐎").unwrap();
        let hash = passwords.hash(password).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.fits("correct horse 🐎", Some(&hash)).await.unwrap());
        assert!(!passwords.fits("correct horse", Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn the_decoy_is_a_hash_like_any_other_and_fits_nothing() {
        let decoy = PasswordHash::new(DECOY).unwrap();
        assert_eq!(Params::try_from(&decoy).unwrap().m_cost(), MEMORY_KIB);
        assert!(!Passwords::new().fits("anything at all", None).await.unwrap());
    }

    #[test]
    fn a_password_has_8_to_256_characters_of_any_kind() {
        assert!(Password::new("p", "éééééééé").is_ok());
        assert!(Password::new("p", &"x".repeat(256)).is_ok());
        assert!(Password::new("p", "1234567").is_err());
        assert!(Password::new("p", &"x".repeat(257)).is_err());
    }
}
