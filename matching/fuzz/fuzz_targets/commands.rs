//! Any bytes as commands: what can be read is written the same way again, and no command breaks a state.

#![no_main]

use libfuzzer_sys::fuzz_target;
use matching::{Codec, Command, Limits, State, apply};

fuzz_target!(|bytes: &[u8]| {
    let mut state = State::new(Limits::default());
    let mut rest = bytes;
    loop {
        let before = rest;
        let Ok(command) = Command::decode(&mut rest) else { break };
        let mut again = Vec::new();
        command.encode(&mut again);
        assert_eq!(again, before[..before.len() - rest.len()]);
        let mut events = Vec::new();
        apply(&mut state, &command, &mut events);
        assert!(!events.is_empty());
    }
    state.audit().expect("every invariant holds");
    let read = State::decode(&state.encode()).expect("a state can be read again");
    assert_eq!(read.digest(), state.digest());
});
