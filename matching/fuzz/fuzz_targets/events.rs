//! Any bytes as events: malformed, or written the same way again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use matching::{Codec, Event};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(events) = Vec::<Event>::decode_all(bytes) {
        let mut again = Vec::new();
        events.encode(&mut again);
        assert_eq!(again, bytes);
    }
});
