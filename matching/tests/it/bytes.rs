//! Bytes: what is written is read back, and nothing that is read does harm.

use matching::*;
use proptest::prelude::*;

use crate::model::{Commands, Draw, draws, open};

/// A life of a state: its commands, their events, and where it ended.
fn live(draws: &[Draw]) -> (Vec<Command>, Vec<Event>, State) {
    let mut state = State::new(Limits { lifetime_us: 400, retention_us: 300, ..Limits::default() });
    let (mut played, mut all, mut commands) = (Vec::new(), Vec::new(), Commands::new());
    for command in open() {
        apply(&mut state, &command, &mut all);
        played.push(command);
    }
    for draw in draws {
        let command = commands.command(draw);
        let from = all.len();
        apply(&mut state, &command, &mut all);
        commands.heard(&all[from..]);
        played.push(command);
    }
    (played, all, state)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn commands_and_events_come_back_from_their_bytes(draws in draws(1..60)) {
        let (commands, events, _) = live(&draws);
        let mut bytes = Vec::new();
        commands.encode(&mut bytes);
        prop_assert_eq!(Vec::<Command>::decode_all(&bytes), Ok(commands));
        bytes.clear();
        events.encode(&mut bytes);
        prop_assert_eq!(Vec::<Event>::decode_all(&bytes), Ok(events));
    }

    /// Whatever can be read is written the same way again, and does no harm to a state.
    #[test]
    fn any_bytes_are_commands_or_malformed(draws in draws(0..40), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (.., mut state) = live(&draws);
        let mut rest = bytes.as_slice();
        loop {
            let before = rest;
            let Ok(command) = Command::decode(&mut rest) else { break };
            let mut again = Vec::new();
            command.encode(&mut again);
            prop_assert_eq!(again.as_slice(), &before[..before.len() - rest.len()]);
            let mut events = Vec::new();
            apply(&mut state, &command, &mut events);
            prop_assert!(!events.is_empty());
            prop_assert_eq!(state.audit(), Ok(()));
        }
    }

    #[test]
    fn any_bytes_are_events_or_malformed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(events) = Vec::<Event>::decode_all(&bytes) {
            let mut again = Vec::new();
            events.encode(&mut again);
            prop_assert_eq!(again, bytes);
        }
    }

    /// Cut anywhere, or with any byte changed: refused, or a state in which every invariant holds and which goes on.
    #[test]
    fn a_damaged_state_is_refused_or_sound(draws in draws(1..80), at in any::<prop::sample::Index>(), to in any::<u8>(), more in draws(1..20)) {
        let (.., state) = live(&draws);
        let whole = state.encode();
        let cut = at.index(whole.len());
        prop_assert_eq!(State::decode(&whole[..cut]).err(), Some(Malformed));
        let mut flipped = whole.clone();
        flipped[cut] = to;
        if let Ok(mut read) = State::decode(&flipped) {
            prop_assert_eq!(read.encode(), flipped);
            let mut commands = Commands::new();
            for draw in &more {
                let mut events = Vec::new();
                apply(&mut read, &commands.command(draw), &mut events);
                commands.heard(&events);
            }
            prop_assert_eq!(read.audit(), Ok(()));
        }
    }
}

/// Journals of today must be readable tomorrow.
#[test]
fn the_layout_of_a_command_stays_as_it_is() {
    let place = Place {
        account: AccountId(0xA),
        key: Some(Key(0xB)),
        market: MarketId(0xC),
        side: Side::Ask,
        price: 20_000,
        quantity: 3,
        life: Life::Rest { expires_at: Some(64) },
        self_trade: SelfTrade::ExpireMaker,
        returns: true,
    };
    let mut bytes = Vec::new();
    Command { ts: 300, action: Action::Place(place) }.encode(&mut bytes);
    let id = |last: u8| [[0; 15].as_slice(), &[last]].concat();
    let expected = [
        [0xD8, 0x04, 2].as_slice(),
        &id(0xA),
        &[1],
        &id(0xB),
        &id(0xC),
        &[1, 0xC0, 0xB8, 0x02, 3, 0, 1, 0x80, 0x01, 1, 1],
    ];
    assert_eq!(bytes, expected.concat());
}

#[test]
fn a_number_has_one_way_to_be_written() {
    for bytes in [[0x80, 0x00].as_slice(), &[0xFF, 0x80, 0x00], &[0xFF; 10], &[0x80]] {
        assert_eq!(u64::decode_all(bytes), Err(Malformed), "{bytes:x?}");
    }
    for number in [0, 1, 127, 128, u64::MAX, u64::MAX / 2] {
        let mut bytes = Vec::new();
        number.encode(&mut bytes);
        assert_eq!(u64::decode_all(&bytes), Ok(number));
    }
    for number in [i64::MIN, -1, 0, 1, i64::MAX] {
        let mut bytes = Vec::new();
        number.encode(&mut bytes);
        assert_eq!(i64::decode_all(&bytes), Ok(number));
    }
}

#[test]
fn a_length_beyond_its_bytes_takes_no_memory() {
    let mut lie = Vec::new();
    u64::MAX.encode(&mut lie);
    assert_eq!(Vec::<Event>::decode_all(&lie), Err(Malformed));
    assert_eq!(State::decode(&[1]).err(), Some(Malformed));
}

#[test]
fn a_reduction_is_written_like_an_amendment_under_a_tag_of_its_own() {
    let (account, order) = (AccountId(0xA), OrderId(7));
    let amend = Amend { account, key: None, order, price: None, quantity: Some(2), expires_at: None };
    let written = |action| {
        let mut bytes = Vec::new();
        Command { ts: 300, action }.encode(&mut bytes);
        bytes
    };
    let (amended, reduced) = (written(Action::Amend(amend)), written(Action::Reduce(amend)));
    assert_eq!((amended[2], reduced[2]), (3, 10));
    assert_eq!(amended[3..], reduced[3..]);
}
