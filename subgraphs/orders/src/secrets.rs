//! What only this marketplace can read or make: sealed contacts of buyers, tokens of guests.
//!
//! Everything is derived from the process's master key, each part for one use.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{constant_time, digest, hkdf, hmac, rand};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chassis::{Failure, MasterKey};
use contract::OrderId;
use secrecy::ExposeSecret;

/// The first byte of a sealed value: how it is laid out. Version, nonce, ciphertext, tag.
const LAYOUT: u8 = 1;
/// Before the random part, so that scanners for leaked secrets recognise one.
const CART_PREFIX: &str = "souk_ct_";
const ORDER_PREFIX: &str = "souk_ot_";
/// Longer texts are not even hashed.
const TOKEN_LENGTH_MAX: usize = 128;

/// Seals, opens and signs.
pub struct Secrets {
    cipher: RandomizedNonceKey,
    orders: hmac::Key,
}

impl Secrets {
    pub fn new(master: &MasterKey) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"souk orders").extract(master.expose_secret());
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &derive(&root, "contact"));
        Self {
            cipher: cipher.expect("the key has 256 bits"),
            orders: hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, "order token")),
        }
    }

    /// A buyer's contact, readable only for this order.
    pub fn seal(&self, order: OrderId, text: &str) -> Vec<u8> {
        let mut sealed = text.as_bytes().to_vec();
        let nonce = self
            .cipher
            .seal_in_place_append_tag(Aad::from(order.0.as_bytes()), &mut sealed)
            .expect("what is sealed here is far shorter than the cipher's limit");
        [&[LAYOUT][..], nonce.as_ref(), &sealed].concat()
    }

    /// # Errors
    /// Sealed with another key, for another order, or altered.
    pub fn open(&self, order: OrderId, sealed: &[u8]) -> Result<String, Failure> {
        let refuse = || Failure::msg("the contact of an order does not open");
        let (header, text) = sealed.split_at_checked(1 + NONCE_LEN).ok_or_else(refuse)?;
        if header[0] != LAYOUT {
            return Err(refuse());
        }
        let nonce = Nonce::try_assume_unique_for_key(&header[1..]).map_err(|_| refuse())?;
        let mut text = text.to_vec();
        let opened = self.cipher.open_in_place(nonce, Aad::from(order.0.as_bytes()), &mut text);
        Ok(String::from_utf8(opened.map_err(|_| refuse())?.to_vec())?)
    }

    /// By which a guest shows that an order is theirs. The same each time it is asked for, and kept nowhere.
    pub fn order_token(&self, order: OrderId) -> String {
        let tag = hmac::sign(&self.orders, order.0.as_bytes());
        format!("{ORDER_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    pub fn is_order_token(&self, order: OrderId, token: &str) -> bool {
        let expected = self.order_token(order);
        constant_time::verify_slices_are_equal(expected.as_bytes(), token.as_bytes()).is_ok()
    }
}

/// A new token of a guest's cart: 256 random bits.
pub fn new_cart_token() -> String {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).expect("the system has randomness");
    format!("{CART_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// By which a cart is found. `None`: no token of ours looks like this.
pub fn cart_token_hash(token: &str) -> Option<Vec<u8>> {
    let looks_right = token.starts_with(CART_PREFIX) && token.len() <= TOKEN_LENGTH_MAX;
    looks_right.then(|| digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec())
}

fn derive(root: &hkdf::Prk, purpose: &str) -> [u8; 32] {
    let mut key = [0; 32];
    root.expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("32 bytes are within what HKDF gives");
    key
}
