//! The table from every side: each ask failing, each answer twice, each silence, each deadline, and every road to its end.

use std::collections::{HashSet, VecDeque};

use super::Heard::{self, *};
use super::State::{self, *};
use super::*;
use crate::trade::rules::Rules;

/// What payments answers.
const ANSWERS: [Heard; 9] = [
    MoneyHeld,
    BuyerMustConfirm,
    MoneyRefused,
    MoneyTaken,
    MoneyNotTaken,
    MoneyLetGo,
    MoneyReturned,
    MoneyNotReturned,
    SellerPaid,
];

/// What sellers, the centre and buyers do.
const DEEDS: [Heard; 6] = [Shipped, Arrived, Passed, Failed, Heard::Dispatched, Delivered];

/// What the clock says.
const TIMES: [Heard; 3] = [TimeUp, Silence, GaveUp];

/// What operators do.
const OPERATORS: [Heard; 5] = [Cancel, Retry, Skip, ResolveCompleted, ResolveUndone];

fn everything() -> impl Iterator<Item = Heard> {
    ANSWERS.into_iter().chain(DEEDS).chain(TIMES).chain(OPERATORS)
}

/// Hears one after the other from the beginning: the states passed, and what followed. What is no move is passed over.
#[track_caller]
fn check(heard: &[Heard], passed: &[State], followed: &[Then]) {
    let (mut state, mut states, mut then) = (Authorising, vec![], vec![]);
    for heard in heard {
        if let Some((next, more)) = next(state, *heard) {
            state = next;
            states.push(next);
            then.extend_from_slice(more);
        }
    }
    assert_eq!((states.as_slice(), then.as_slice()), (passed, followed));
}

#[test]
fn a_match_is_paid_shipped_looked_at_sent_on_and_paid_out() {
    let deeds = [Shipped, Arrived, Passed, Heard::Dispatched, Delivered, SellerPaid];
    let passed =
        [AwaitingShipment, InTransit, Authenticating, Authentic, State::Dispatched, Releasing, Completed];
    let followed = [Then::Authorise, Then::Capture, Then::SellStock, Then::OpenTask, Then::PaySeller];
    let paid = [MoneyHeld, MoneyTaken];
    check(&[&paid[..], &deeds].concat(), &[&[Capturing][..], &passed].concat(), &followed[1..]);
    let confirmed = [BuyerMustConfirm, MoneyHeld, MoneyTaken];
    check(
        &[&confirmed[..], &deeds].concat(),
        &[&[Confirming, Capturing][..], &passed].concat(),
        &followed[1..],
    );
}

#[test]
fn a_buyer_who_cannot_pay_gets_a_strike_and_the_seller_nothing() {
    check(&[MoneyRefused], &[PaymentFailed], &[Then::StrikeBuyer]);
    check(&[BuyerMustConfirm, MoneyRefused], &[Confirming, PaymentFailed], &[Then::StrikeBuyer]);
    check(&[MoneyHeld, MoneyNotTaken], &[Capturing, PaymentFailed], &[Then::Capture, Then::StrikeBuyer]);
    check(
        &[BuyerMustConfirm, TimeUp, MoneyLetGo],
        &[Confirming, Voiding, PaymentFailed],
        &[Then::Void, Then::StrikeBuyer],
    );
}

#[test]
fn a_provider_that_does_not_answer_is_nobody_s_fault() {
    check(
        &[Silence, GaveUp, MoneyLetGo],
        &[Authorising, Voiding, PaymentFailed],
        &[Then::Authorise, Then::Void],
    );
    check(&[GaveUp, MoneyHeld, MoneyLetGo], &[Voiding, PaymentFailed], &[Then::Void]);
}

#[test]
fn a_seller_who_does_not_keep_to_it_pays_for_it_and_the_buyer_does_not() {
    let paid = [MoneyHeld, MoneyTaken];
    let burden = [Then::FineSeller, Then::StrikeSeller];
    check(
        &[&paid[..], &[TimeUp, MoneyReturned]].concat(),
        &[Capturing, AwaitingShipment, Refunding, Refunded],
        &[&[Then::Capture, Then::Refund, Then::FreeStock][..], &burden].concat(),
    );
    check(
        &[&paid[..], &[Shipped, TimeUp, MoneyReturned]].concat(),
        &[Capturing, AwaitingShipment, InTransit, Refunding, Refunded],
        &[&[Then::Capture, Then::SellStock, Then::Refund][..], &burden].concat(),
    );
    check(
        &[&paid[..], &[Shipped, Arrived, Failed, MoneyReturned]].concat(),
        &[Capturing, AwaitingShipment, InTransit, Authenticating, Refunding, Refunded],
        &[&[Then::Capture, Then::SellStock, Then::OpenTask, Then::Refund][..], &burden].concat(),
    );
}

#[test]
fn a_parcel_that_nobody_speaks_of_is_delivered() {
    assert_eq!(next(State::Dispatched, TimeUp), next(State::Dispatched, Delivered));
}

#[test]
fn what_staff_undo_costs_nobody_anything() {
    for state in State::ALL {
        if let Some((then, follows)) = next(state, Cancel) {
            assert!(matches!(then, Voiding | Refunding), "{state:?}");
            let blames =
                |then: &Then| matches!(then, Then::StrikeBuyer | Then::StrikeSeller | Then::FineSeller);
            assert!(!follows.iter().any(blames), "{state:?}");
        }
    }
}

#[test]
fn each_ask_that_is_never_answered_is_undone_or_waits_for_an_operator() {
    for (state, then) in [
        (Authorising, Voiding),
        (Capturing, StuckCapturing),
        (Voiding, StuckVoiding),
        (Refunding, StuckRefunding),
        (Releasing, StuckReleasing),
    ] {
        assert_eq!(next(state, GaveUp).unwrap().0, then);
    }
    for (state, then) in [
        (Confirming, Voiding),
        (AwaitingShipment, Refunding),
        (InTransit, Refunding),
        (State::Dispatched, Releasing),
    ] {
        assert_eq!(next(state, TimeUp).unwrap().0, then);
    }
}

#[test]
fn every_state_that_waits_ends_its_wait_and_no_other_hears_the_clock() {
    let rules = Rules::default();
    for state in State::ALL {
        let waits = pause(&rules, state, 0, 0).is_some();
        let heard: HashSet<Heard> = (0..100).map(|repeats| due(state, repeats)).collect();
        assert_eq!(waits, TIMES.iter().any(|time| next(state, *time).is_some()), "{state:?}");
        if waits {
            assert!(heard.iter().all(|heard| next(state, *heard).is_some()), "{state:?} {heard:?}");
            assert!(heard.contains(&TimeUp) != heard.contains(&GaveUp), "{state:?} {heard:?}");
        }
        let centre = matches!(state, Authenticating | Authentic);
        assert_eq!(waits, !state.is_over() && !state.needs_operator() && !centre, "{state:?}");
    }
}

#[test]
fn repeats_of_an_ask_wait_longer_and_never_longer_than_a_minute() {
    let rules = Rules::default();
    for state in [Authorising, Capturing, Voiding, Refunding, Releasing] {
        for (repeats, roll) in
            (0..30).flat_map(|repeats| [(repeats, 0), (repeats, u64::MAX), (repeats, 1_234_567)])
        {
            let wait = pause(&rules, state, repeats, roll).unwrap();
            assert!(
                wait >= chrono::TimeDelta::seconds(1) && wait <= chrono::TimeDelta::seconds(60),
                "{wait}"
            );
        }
    }
}

#[test]
fn asking_again_asks_for_the_same_and_stays() {
    for state in State::ALL {
        if let Some((then, follows)) = next(state, Silence) {
            assert_eq!((then, follows.len()), (state, 1));
        }
    }
}

/// Delivered twice, the second time is no move. So nothing is charged, fined or struck twice.
#[test]
fn every_answer_and_every_deed_may_come_twice() {
    for state in State::ALL {
        for heard in ANSWERS.into_iter().chain(DEEDS) {
            if let Some((once, _)) = next(state, heard) {
                assert_eq!(next(once, heard), None, "{state:?} -{heard:?}-> {once:?}");
            }
        }
    }
}

#[test]
fn what_is_over_stays_over() {
    for state in State::ALL.into_iter().filter(|state| state.is_over()) {
        assert!(everything().all(|heard| next(state, heard).is_none()), "{state:?}");
    }
}

#[test]
fn an_operator_can_move_whatever_is_stuck_and_nothing_else() {
    for state in State::ALL {
        for action in [Retry, Skip, ResolveCompleted, ResolveUndone] {
            assert_eq!(next(state, action).is_some(), state.needs_operator(), "{state:?} {action:?}");
        }
    }
}

#[test]
fn every_state_can_be_reached() {
    let (mut seen, mut queue) = (HashSet::from([Authorising]), VecDeque::from([Authorising]));
    while let Some(state) = queue.pop_front() {
        for (then, _) in everything().filter_map(|heard| next(state, heard)) {
            if seen.insert(then) {
                queue.push_back(then);
            }
        }
    }
    assert_eq!(seen.len(), State::ALL.len());
}

/// Where the buyer's money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Money {
    Unasked,
    Held,
    Taken,
    Gone,
    Back,
    Sellers,
}

/// Where the piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Reserved,
    Free,
    Sent,
}

/// A trade with everything around it: what is on its way to payments, and what counts against whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    state: State,
    money: Money,
    piece: Piece,
    asks: Vec<Then>,
    strikes: [u8; 2],
    fines: u8,
}

impl World {
    /// The answers that the oldest ask can get, and where the money is after each.
    fn answers(&self) -> Vec<(Heard, Money)> {
        match (self.asks.first(), self.money) {
            (None, _) => vec![],
            (Some(Then::Authorise), Money::Unasked) => vec![
                (MoneyHeld, Money::Held),
                (MoneyRefused, Money::Gone),
                (BuyerMustConfirm, Money::Unasked),
            ],
            (Some(Then::Authorise), Money::Held) => vec![(MoneyHeld, Money::Held)],
            (Some(Then::Authorise), Money::Taken) => vec![(MoneyTaken, Money::Taken)],
            (Some(Then::Authorise), money) => vec![(MoneyRefused, money)],
            (Some(Then::Capture), Money::Held) => {
                vec![(MoneyTaken, Money::Taken), (MoneyNotTaken, Money::Gone)]
            }
            (Some(Then::Capture | Then::Void), Money::Taken) => vec![(MoneyTaken, Money::Taken)],
            (Some(Then::Capture), money) => vec![(MoneyNotTaken, money)],
            (Some(Then::Void), Money::Unasked | Money::Held) => vec![(MoneyLetGo, Money::Gone)],
            (Some(Then::Void), money) => vec![(MoneyLetGo, money)],
            (Some(Then::Refund), Money::Taken) => {
                vec![(MoneyReturned, Money::Back), (MoneyNotReturned, Money::Taken)]
            }
            (Some(Then::Refund), money) => vec![(MoneyReturned, money)],
            (Some(Then::PaySeller), Money::Taken) => vec![(SellerPaid, Money::Sellers)],
            (Some(Then::PaySeller), money) => vec![(SellerPaid, money)],
            (Some(other), _) => unreachable!("{other:?} is not asked of payments"),
        }
    }

    fn hear(&self, heard: Heard) -> Self {
        let mut world = self.clone();
        let Some((state, follows)) = next(self.state, heard) else { return world };
        world.state = state;
        for then in follows {
            match then {
                Then::SellStock => world.piece = Piece::Sent,
                Then::FreeStock if world.piece == Piece::Reserved => world.piece = Piece::Free,
                Then::FreeStock | Then::OpenTask => {}
                Then::StrikeBuyer => world.strikes[0] += 1,
                Then::StrikeSeller => world.strikes[1] += 1,
                Then::FineSeller => world.fines += 1,
                ask => world.asks.push(*ask),
            }
        }
        world
    }

    fn nexts(&self) -> Vec<Self> {
        let mut worlds = vec![];
        for (heard, money) in self.answers() {
            let rest = Self { money, asks: self.asks[1..].to_vec(), ..self.clone() };
            worlds.push(rest.hear(heard));
        }
        // The bank decides what the buyer was to confirm.
        if self.state == Confirming && self.money == Money::Unasked {
            worlds.push(Self { money: Money::Held, ..self.clone() }.hear(MoneyHeld));
            worlds.push(Self { money: Money::Gone, ..self.clone() }.hear(MoneyRefused));
        }
        let deeds = DEEDS.into_iter().chain([TimeUp, Cancel]);
        let heard = deeds.filter(|heard| next(self.state, *heard).is_some());
        worlds.extend(heard.map(|heard| self.hear(heard)));
        if self.asks.len() < 3 {
            worlds.push(self.hear(Silence));
        }
        worlds.push(self.hear(GaveUp));
        worlds
    }

    fn is_fair(&self) {
        let Self { state, money, piece, strikes: [buyer, seller], fines, .. } = self;
        assert!(*buyer <= 1 && *seller <= 1 && buyer + seller <= 1, "{self:?}");
        assert_eq!(fines, seller, "a fine and a seller's strike go together: {self:?}");
        match state {
            Completed => assert_eq!((*money, *piece), (Money::Sellers, Piece::Sent), "{self:?}"),
            PaymentFailed => {
                assert_eq!(*piece, Piece::Reserved, "it is the ask's still: {self:?}");
                assert!(matches!(money, Money::Unasked | Money::Gone), "{self:?}");
                assert_eq!(*fines, 0, "{self:?}");
            }
            Refunded => {
                assert_eq!((*money, *buyer), (Money::Back, 0), "{self:?}");
                assert_ne!(*piece, Piece::Reserved, "{self:?}");
            }
            _ => {}
        }
    }
}

/// Whatever comes in whatever order, no trade ends with the piece gone and the money back, or with money taken for nothing;
/// and who kept to the match has neither strike nor fine.
#[test]
fn no_order_of_events_ends_with_one_side_empty_handed() {
    let start = World {
        state: Authorising,
        money: Money::Unasked,
        piece: Piece::Reserved,
        asks: vec![Then::Authorise],
        strikes: [0, 0],
        fines: 0,
    };
    let held = World { state: Capturing, money: Money::Held, asks: vec![Then::Capture], ..start.clone() };
    let (mut seen, mut queue) = (HashSet::from([start.clone(), held.clone()]), VecDeque::from([start, held]));
    while let Some(world) = queue.pop_front() {
        if world.asks.is_empty() {
            world.is_fair();
        }
        for next in world.nexts() {
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    assert!(seen.len() > 100, "{} worlds are too few to show anything", seen.len());
}
