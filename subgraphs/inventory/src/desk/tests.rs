use super::*;

/// Plays a script of asks on 10 pieces of offer `a` (7 on shelf 1, 3 on shelf 2) and 2 of offer `b` (on shelf 1):
/// `reserve <reservation> <offer>=<pieces> …`, `commit <reservation>`, `release <reservation>`, `expire <reservation>`.
/// Each line answers with the state and what is then available of both.
fn check(script: &str, answers: &str) {
    let mut desk = desk();
    let played: Vec<String> = script.lines().map(|line| play(&mut desk, line.trim())).collect();
    let expected: Vec<&str> = answers.lines().map(str::trim).collect();
    assert_eq!(played, expected);
}

fn play(desk: &mut Desk, line: &str) -> String {
    let answer = desk.answer(now(), ask(line)).map(|reservation| reservation.state);
    let left = |name| desk.available[&offer(name)];
    match answer {
        Ok(state) => format!("{state:?} {} {}", left("a"), left("b")),
        Err(short) => short.to_string(),
    }
}

fn ask(line: &str) -> Ask {
    let mut words = line.split(' ');
    let verb = words.next().unwrap();
    let reservation_id = ReservationId(uuid::Uuid::from_u128(words.next().unwrap().parse().unwrap()));
    let actor = "test".to_owned();
    match verb {
        "reserve" => Ask::Reserve(Reserve {
            reservation_id,
            order_id: None,
            seller_id: None,
            lines: words.map(asked).collect(),
            expires_at: now(),
            actor,
        }),
        "commit" => Ask::Commit { reservation_id, actor },
        "release" => Ask::Release { reservation_id, actor, reason: "test".into() },
        "expire" => Ask::Expire { reservation_id, actor },
        _ => panic!("no such verb: {verb}"),
    }
}

fn asked(word: &str) -> Line {
    let (name, pieces) = word.split_once('=').unwrap();
    Line { offer_id: offer(name), quantity: pieces.parse().unwrap() }
}

fn desk() -> Desk {
    let (first, second) = (LocationId(uuid::Uuid::from_u128(1)), LocationId(uuid::Uuid::from_u128(2)));
    Desk {
        available: [(offer("a"), 10), (offer("b"), 2)].into(),
        shelves: [
            (offer("a"), BTreeMap::from([(first, 7), (second, 3)])),
            (offer("b"), BTreeMap::from([(first, 2)])),
        ]
        .into(),
        ..Default::default()
    }
}

fn offer(name: &str) -> OfferId {
    OfferId(uuid::Uuid::from_u128(name.bytes().map(u128::from).sum()))
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

#[test]
fn the_last_piece_is_promised_once() {
    check("reserve 1 a=10\nreserve 2 a=1\nreserve 1 a=10", "Active 0 2\nRejected 0 2\nActive 0 2");
}

#[test]
fn all_lines_are_reserved_or_none() {
    check("reserve 1 a=1 b=3\nreserve 2 a=1 b=2", "Rejected 10 2\nActive 9 0");
}

#[test]
fn lines_of_one_offer_count_together() {
    check("reserve 1 a=6 a=6\nreserve 2 a=5 a=5", "Rejected 10 2\nActive 0 2");
}

#[test]
fn a_quantity_below_one_or_beyond_reason_is_rejected() {
    check(
        "reserve 1 a=0\nreserve 2 a=-5\nreserve 3 a=9223372036854775807 a=9223372036854775807\nreserve 4",
        "Rejected 10 2\nRejected 10 2\nRejected 10 2\nRejected 10 2",
    );
}

#[test]
fn what_is_given_back_can_be_promised_again() {
    check(
        "reserve 1 a=10\nrelease 1\nrelease 1\nreserve 2 a=10\nexpire 2",
        "Active 0 2\nReleased 10 2\nReleased 10 2\nActive 0 2\nExpired 10 2",
    );
}

#[test]
fn a_settled_reservation_stays_as_it_is() {
    check(
        "reserve 1 a=4\ncommit 1\nrelease 1\nexpire 1\ncommit 1\ncommit 7",
        "Active 6 2\nCommitted 6 2\nCommitted 6 2\nCommitted 6 2\nCommitted 6 2\nReleased 6 2",
    );
}

#[test]
fn a_commit_empties_the_fullest_shelf_first() {
    let mut desk = desk();
    play(&mut desk, "reserve 1 a=9");
    play(&mut desk, "commit 1");
    let taken: Vec<(i64, i64)> =
        desk.moves[1..].iter().map(|one| (one.on_hand_delta, one.reserved_delta)).collect();
    assert_eq!(taken, [(-7, -7), (-2, -2)]);
}

#[test]
fn shelves_that_hold_less_than_was_promised_are_a_failure() {
    let mut desk = desk();
    play(&mut desk, "reserve 1 a=9");
    desk.shelves.clear();
    assert!(play(&mut desk, "commit 1").ends_with("hold less than is reserved"));
}
