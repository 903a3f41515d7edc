//! Signatures of messages between inventory and systems outside, in both directions.
//!
//! A signature is the HMAC-SHA-256 of `<timestamp>.<body>` in hexadecimal, with the shared secret's text as the key. The
//! header names its version and may hold several, so that secrets can be replaced without a gap: `v1=…,v1=…`.

use aws_lc_rs::hmac;

/// How far the sender's clock may be from ours, in seconds, either way.
pub const TOLERANCE_SECONDS: i64 = 300;
/// Signatures of one message that are looked at.
const SIGNATURES_MAX: usize = 4;
const VERSION: &str = "v1=";

/// The value of the header: one signature for each of `secrets`.
pub fn header(secrets: &[String], timestamp: i64, body: &[u8]) -> String {
    let signatures = secrets.iter().map(|secret| {
        let tag = context(secret, timestamp, body).sign();
        format!("{VERSION}{}", hex(tag.as_ref()))
    });
    signatures.collect::<Vec<_>>().join(",")
}

/// Whether one of the signatures in `header` was made with one of `secrets`. Takes as long for a wrong one as for a right
/// one.
pub fn is_right(secrets: &[String], timestamp: i64, body: &[u8], header: &str) -> bool {
    let signed = header.split(',').filter_map(|part| part.trim().strip_prefix(VERSION)).filter_map(bytes);
    let message = [timestamp.to_string().as_bytes(), b".", body].concat();
    signed.take(SIGNATURES_MAX).fold(false, |right, tag| {
        secrets.iter().fold(right, |right, secret| right | hmac::verify(&key(secret), &message, &tag).is_ok())
    })
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

fn context(secret: &str, timestamp: i64, body: &[u8]) -> hmac::Context {
    let mut context = hmac::Context::with_key(&key(secret));
    context.update(timestamp.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    context
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests;
