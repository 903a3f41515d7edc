//! What tells a command from another of the same account with the same key.

use crate::hash::mix;
use crate::{Action, Amend, Cancel, Life, Place, Price, SelfTrade, Side, Timestamp};

/// A digest of all that a command asks for. States remember it: never change one.
pub(crate) fn fingerprint(action: &Action) -> u64 {
    match action {
        Action::Place(place) => of_place(place),
        // Whoever asks for a change does not ask how far it may go.
        Action::Amend(amend) | Action::Reduce(amend) => of_amend(amend),
        Action::Cancel(Cancel { account: _, key: _, order }) => fold([3, order.0]),
        // The others have no keys.
        _ => 0,
    }
}

fn of_place(place: &Place) -> u64 {
    let Place { account: _, key: _, market, side, price, quantity, life, self_trade, returns } = *place;
    let (life, until) = match life {
        Life::Rest { expires_at: None } => (0, 0),
        Life::Rest { expires_at: Some(at) } => (1, at),
        Life::RestFor { lifetime_us } => (2, lifetime_us),
        Life::Immediate => (3, 0),
    };
    let choices = [1, life, bit(side == Side::Ask), bit(self_trade == SelfTrade::ExpireMaker), bit(returns)];
    let (high, low) = ((market.0 >> 64) as u64, market.0 as u64);
    fold([bytes(choices), high, low, price as u64, quantity.into(), until as u64])
}

fn of_amend(amend: &Amend) -> u64 {
    let Amend { account: _, key: _, order, price, quantity, expires_at } = *amend;
    let given = [2, bit(price.is_some()), bit(quantity.is_some()), bit(expires_at.is_some()), 0];
    let number = |given: Option<Price>| given.unwrap_or(0) as u64;
    let at: Option<Timestamp> = expires_at;
    fold([bytes(given), order.0, number(price), quantity.unwrap_or(0).into(), number(at)])
}

fn bit(is: bool) -> u8 {
    u8::from(is)
}

fn bytes([first, second, third, fourth, fifth]: [u8; 5]) -> u64 {
    u64::from_le_bytes([first, second, third, fourth, fifth, 0, 0, 0])
}

fn fold<const N: usize>(words: [u64; N]) -> u64 {
    words.into_iter().fold(0, mix)
}
