//! The table from every side: each ask failing, each answer twice, each silence, and every road to its end.

use std::collections::{HashSet, VecDeque};

use super::Heard::*;
use super::State::*;
use super::*;

const HEARD: [Heard; 20] = [
    StockReserved,
    NothingToPay,
    StockRefused,
    StockSold,
    StockGivenBack,
    MoneyHeld,
    BuyerMustConfirm,
    MoneyRefused,
    MoneyTaken,
    MoneyNotTaken,
    MoneyLetGo,
    MoneyReturned,
    MoneyNotReturned,
    Silence,
    GaveUp,
    Cancel,
    Retry,
    Skip,
    ResolvePaid,
    ResolveCancelled,
];

/// What comes from others or from the clock, not from an operator.
const UNATTENDED: [Heard; 15] = [
    StockReserved,
    NothingToPay,
    StockRefused,
    StockSold,
    StockGivenBack,
    MoneyHeld,
    BuyerMustConfirm,
    MoneyRefused,
    MoneyTaken,
    MoneyNotTaken,
    MoneyLetGo,
    MoneyReturned,
    MoneyNotReturned,
    Silence,
    GaveUp,
];

/// Hears one after the other from the beginning: the states passed, and where it ends. What is no move is passed over.
#[track_caller]
fn check(heard: &[Heard], passed: &[State], asked: &[Ask]) {
    let (mut state, mut states, mut asks) = (Reserving, vec![], vec![]);
    for heard in heard {
        if let Some((then, more)) = next(state, *heard) {
            state = then;
            states.push(then);
            asks.extend_from_slice(more);
        }
    }
    assert_eq!((states.as_slice(), asks.as_slice()), (passed, asked));
}

#[test]
fn an_order_is_reserved_held_taken_and_sold() {
    check(
        &[StockReserved, MoneyHeld, MoneyTaken, StockSold],
        &[Authorising, Capturing, Committing, Settled],
        &[Ask::Authorise, Ask::Capture, Ask::Commit],
    );
    check(
        &[StockReserved, BuyerMustConfirm, MoneyHeld, MoneyTaken, StockSold],
        &[Authorising, Confirming, Capturing, Committing, Settled],
        &[Ask::Authorise, Ask::Capture, Ask::Commit],
    );
    check(&[NothingToPay, StockSold], &[Committing, Settled], &[Ask::Commit]);
}

#[test]
fn an_order_that_is_sold_out_asks_for_no_money() {
    check(&[StockRefused], &[Cancelled], &[]);
}

#[test]
fn a_declined_card_gives_the_stock_back() {
    let asked = [Ask::Authorise, Ask::Release];
    check(&[StockReserved, MoneyRefused, StockGivenBack], &[Authorising, Releasing, Cancelled], &asked);
    let passed = [Authorising, Confirming, Releasing, Cancelled];
    check(&[StockReserved, BuyerMustConfirm, MoneyRefused, StockGivenBack], &passed, &asked);
}

#[test]
fn a_buyer_who_does_not_confirm_is_charged_nothing() {
    check(
        &[StockReserved, BuyerMustConfirm, GaveUp, MoneyLetGo, StockGivenBack],
        &[Authorising, Confirming, Voiding, Releasing, Cancelled],
        &[Ask::Authorise, Ask::Void, Ask::Release],
    );
}

#[test]
fn money_that_is_held_too_late_is_not_taken() {
    check(
        &[StockReserved, GaveUp, MoneyHeld, MoneyLetGo, StockGivenBack],
        &[Authorising, Voiding, Releasing, Cancelled],
        &[Ask::Authorise, Ask::Void, Ask::Release],
    );
}

#[test]
fn a_lapsed_hold_cancels_the_order() {
    check(
        &[StockReserved, MoneyHeld, MoneyNotTaken, StockGivenBack],
        &[Authorising, Capturing, Releasing, Cancelled],
        &[Ask::Authorise, Ask::Capture, Ask::Release],
    );
}

#[test]
fn stock_that_expires_before_the_money_is_taken_is_not_paid_for() {
    check(
        &[StockReserved, StockGivenBack, MoneyLetGo, StockGivenBack],
        &[Authorising, Voiding, Releasing, Cancelled],
        &[Ask::Authorise, Ask::Void, Ask::Release],
    );
}

#[test]
fn stock_that_expires_after_the_money_was_taken_sends_the_money_back() {
    check(
        &[StockReserved, MoneyHeld, MoneyTaken, StockGivenBack, MoneyReturned, StockGivenBack],
        &[Authorising, Capturing, Committing, Refunding, Releasing, Cancelled],
        &[Ask::Authorise, Ask::Capture, Ask::Commit, Ask::Refund, Ask::Release],
    );
    check(
        &[StockReserved, MoneyHeld, StockGivenBack, MoneyTaken, MoneyReturned, StockGivenBack],
        &[Authorising, Capturing, CapturingUnstocked, Refunding, Releasing, Cancelled],
        &[Ask::Authorise, Ask::Capture, Ask::Capture, Ask::Refund, Ask::Release],
    );
}

#[test]
fn each_ask_that_is_never_answered_is_undone_or_waits_for_an_operator() {
    for (state, then) in [
        (Reserving, Releasing),
        (Authorising, Voiding),
        (Confirming, Voiding),
        (Capturing, StuckCapturing),
        (CapturingUnstocked, Voiding),
        (Committing, StuckCommitting),
        (Voiding, StuckVoiding),
        (Refunding, StuckRefunding),
        (Releasing, StuckReleasing),
    ] {
        assert_eq!(next(state, GaveUp).unwrap().0, then);
    }
}

#[test]
fn every_state_that_waits_gives_up_in_the_end_and_no_other_waits() {
    for state in State::ALL {
        let waits = pause(state, 0, 0).is_some();
        assert_eq!(waits, next(state, GaveUp).is_some(), "{state:?}");
        assert_eq!(waits, !state.is_over() && !state.needs_operator(), "{state:?}");
        if waits {
            let repeats = (0..).take_while(|repeats| due(state, *repeats) == Due::Silence).count();
            assert_eq!(repeats == 0, next(state, Silence).is_none(), "{state:?}");
        }
    }
}

#[test]
fn asking_again_asks_for_the_same_and_stays() {
    for state in State::ALL {
        if let Some((then, asks)) = next(state, Silence) {
            assert_eq!((then, asks.len()), (state, 1));
        }
    }
}

/// Delivered twice, the second time is no move, or leads where the first one led without asking for anything new that
/// could take money or stock.
#[test]
fn every_answer_may_come_twice() {
    for state in State::ALL {
        for heard in &UNATTENDED[..13] {
            let Some((once, _)) = next(state, *heard) else { continue };
            if let Some((twice, asks)) = next(once, *heard) {
                let harmless = asks.iter().all(|ask| matches!(ask, Ask::Release | Ask::Void | Ask::Refund));
                assert!(harmless, "{state:?} -{heard:?}-> {once:?} -{heard:?}-> {twice:?} asks {asks:?}");
            }
        }
    }
}

#[test]
fn what_is_over_stays_over() {
    for state in State::ALL.into_iter().filter(|state| state.is_over()) {
        assert!(HEARD.iter().all(|heard| next(state, *heard).is_none()), "{state:?}");
    }
}

#[test]
fn an_operator_can_move_whatever_is_stuck() {
    for stuck in State::ALL.into_iter().filter(|state| state.needs_operator()) {
        for action in [Retry, Skip, ResolvePaid, ResolveCancelled] {
            assert!(next(stuck, action).is_some(), "{stuck:?} {action:?}");
        }
    }
    for state in State::ALL.into_iter().filter(|state| !state.needs_operator()) {
        for action in [Retry, Skip, ResolvePaid, ResolveCancelled] {
            assert_eq!(next(state, action), None, "{state:?} {action:?}");
        }
    }
}

#[test]
fn a_buyer_may_cancel_until_the_money_is_being_taken() {
    let may: Vec<State> = State::ALL.into_iter().filter(|state| next(*state, Cancel).is_some()).collect();
    // The last one is an operator's.
    assert_eq!(may, [Reserving, Authorising, Confirming, StuckCapturing]);
}

/// Everything that can be reached, whatever is heard in whatever order.
fn reachable(heard: &[Heard]) -> HashSet<State> {
    let (mut seen, mut queue) = (HashSet::from([Reserving]), VecDeque::from([Reserving]));
    while let Some(state) = queue.pop_front() {
        for (then, _) in heard.iter().filter_map(|heard| next(state, *heard)) {
            if seen.insert(then) {
                queue.push_back(then);
            }
        }
    }
    seen
}

#[test]
fn every_state_can_be_reached() {
    assert_eq!(reachable(&HEARD).len(), State::ALL.len());
}

/// What is true of the world, as far as answers tell: whatever comes in whatever order, an order never ends with the money
/// taken and the stock gone, or with the stock sold and the money not taken.
#[test]
fn no_order_of_answers_ends_with_one_side_empty_handed() {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    enum Stock {
        Unasked,
        Reserved,
        Sold,
        Back,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    enum Money {
        Unasked,
        Held,
        Taken,
        Gone,
    }

    /// The answers that `ask` can get, and the world after each.
    fn answers(ask: Ask, stock: Stock, money: Money) -> Vec<(Heard, Stock, Money)> {
        match (ask, stock, money) {
            (Ask::Reserve, Stock::Unasked, _) => {
                vec![(StockReserved, Stock::Reserved, money), (StockRefused, Stock::Back, money)]
            }
            (Ask::Reserve, Stock::Reserved, _) => vec![(StockReserved, stock, money)],
            (Ask::Commit, Stock::Reserved | Stock::Sold, _) => vec![(StockSold, Stock::Sold, money)],
            (Ask::Release, Stock::Sold, _) => vec![(StockSold, stock, money)],
            (Ask::Reserve | Ask::Commit | Ask::Release, _, _) => vec![(StockGivenBack, Stock::Back, money)],
            (Ask::Authorise, _, Money::Unasked) => vec![
                (MoneyHeld, stock, Money::Held),
                (MoneyRefused, stock, Money::Gone),
                (BuyerMustConfirm, stock, money),
            ],
            (Ask::Authorise, _, Money::Held) => vec![(MoneyHeld, stock, money)],
            (Ask::Authorise, _, Money::Taken) => vec![(MoneyTaken, stock, money)],
            (Ask::Authorise, _, Money::Gone) => vec![(MoneyRefused, stock, money)],
            (Ask::Capture, _, Money::Held) => {
                vec![(MoneyTaken, stock, Money::Taken), (MoneyNotTaken, stock, Money::Gone)]
            }
            (Ask::Capture | Ask::Void, _, Money::Taken) => vec![(MoneyTaken, stock, money)],
            (Ask::Capture, ..) => vec![(MoneyNotTaken, stock, Money::Gone)],
            (Ask::Void, ..) => vec![(MoneyLetGo, stock, Money::Gone)],
            (Ask::Refund, _, Money::Taken) => {
                vec![(MoneyReturned, stock, Money::Gone), (MoneyNotReturned, stock, money)]
            }
            (Ask::Refund, ..) => vec![(MoneyReturned, stock, Money::Gone)],
        }
    }

    // A world: the order's state, stock, money, and asks on their way.
    type World = (State, Stock, Money, Vec<Ask>);
    let start: World = (Reserving, Stock::Unasked, Money::Unasked, vec![Ask::Reserve]);
    let (mut seen, mut queue) = (HashSet::from([start.clone()]), VecDeque::from([start]));
    while let Some((state, stock, money, asks)) = queue.pop_front() {
        let mut worlds = Vec::new();
        let mut go = |heard: Heard, stock: Stock, money: Money, asks: &[Ask]| {
            let (state, more) = next(state, heard).unwrap_or((state, &[]));
            worlds.push((state, stock, money, [asks, more].concat()));
        };
        // The oldest ask is answered. Asks of one order keep their order.
        if let Some((first, rest)) = asks.split_first() {
            answers(*first, stock, money)
                .into_iter()
                .for_each(|(heard, stock, money)| go(heard, stock, money, rest));
        }
        // The reservation's time is up.
        if stock == Stock::Reserved {
            go(StockGivenBack, Stock::Back, money, &asks);
        }
        // The buyer confirms or does not; nobody answers; the buyer changes their mind.
        if state == Confirming && money == Money::Unasked {
            go(MoneyHeld, stock, Money::Held, &asks);
            go(MoneyRefused, stock, Money::Gone, &asks);
        }
        if asks.len() < 3 {
            go(Silence, stock, money, &asks);
        }
        go(GaveUp, stock, money, &asks);
        go(Cancel, stock, money, &asks);
        if asks.is_empty() {
            match state {
                Settled => assert_eq!((stock, money), (Stock::Sold, Money::Taken)),
                Cancelled => {
                    assert!(matches!(stock, Stock::Unasked | Stock::Back), "cancelled with {stock:?}");
                    assert!(matches!(money, Money::Unasked | Money::Gone), "cancelled with {money:?}");
                }
                _ => {}
            }
        }
        for world in worlds {
            if seen.insert(world.clone()) {
                queue.push_back(world);
            }
        }
    }
    assert!(seen.len() > 300, "{} worlds are too few to show anything", seen.len());
}
