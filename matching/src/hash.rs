//! A fast hash for integers, and digests.
//!
//! Not for keys that an attacker can choose freely: ids come from the server, idempotency keys through a cryptographic hash.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Integers>>;

const FOLD: u64 = 0x9e37_79b9_7f4a_7c15;
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

/// Multiplies to 128 bits and folds: every bit of the input reaches every bit of the output.
#[inline]
pub(crate) fn mix(state: u64, word: u64) -> u64 {
    let wide = u128::from(state.rotate_left(29) ^ word ^ SEED) * u128::from(FOLD);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// The hash of an id by which [`Index`](crate::index::Index) goes.
#[inline]
pub(crate) fn hash_of_id(id: u128) -> u32 {
    (mix(id as u64, (id >> 64) as u64) >> 32) as u32
}

/// [`hash_of_id`] of a pair.
#[inline]
pub(crate) fn hash_of_ids(one: u128, other: u128) -> u32 {
    let first = mix(one as u64, (one >> 64) as u64);
    (mix(first, (other as u64).wrapping_add(((other >> 64) as u64).wrapping_mul(FOLD))) >> 32) as u32
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Integers(u64);

impl Hasher for Integers {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0, number);
    }

    #[inline]
    fn write_u128(&mut self, number: u128) {
        self.write_u64(number as u64 ^ ((number >> 64) as u64).wrapping_mul(SEED));
    }

    #[inline]
    fn write_i64(&mut self, number: i64) {
        self.write_u64(number as u64);
    }
}

/// A digest of bytes: the same on every machine. It finds faults, not forgeries.
pub fn digest_of(bytes: &[u8]) -> u64 {
    let mut hasher = Integers(bytes.len() as u64);
    hasher.write(bytes);
    hasher.0
}
