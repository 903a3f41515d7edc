//! Any bytes as a state and commands after it: refused, or a state in which every invariant holds and which goes on.

#![no_main]

use libfuzzer_sys::fuzz_target;
use matching::{Codec, Command, State, apply};

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (bytes, commands) = input;
    let Ok(mut state) = State::decode(&bytes) else { return };
    assert_eq!(state.encode(), bytes);
    let mut rest = commands.as_slice();
    while let Ok(command) = Command::decode(&mut rest) {
        apply(&mut state, &command, &mut Vec::new());
    }
    state.audit().expect("every invariant holds");
});
