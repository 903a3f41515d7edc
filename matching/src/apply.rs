//! The one way to change a state.

use crate::fingerprint::fingerprint;
use crate::keys::Kept;
use crate::{AccountId, Action, Answer, Command, Event, Key, Refusal, State};

/// Applies one command: appends at least one event to `events`.
pub fn apply(state: &mut State, command: &Command, events: &mut Vec<Event>) {
    state.advance(command.ts, events);
    match &command.action {
        Action::Place(place) => {
            once(state, place.account, place.key, command, events, |state, events| {
                state.place(place, events)
            });
        }
        Action::Cancel(cancel) => {
            once(state, cancel.account, cancel.key, command, events, |state, events| {
                state.cancel(cancel, events)
            });
        }
        Action::Amend(amend) => {
            once(state, amend.account, amend.key, command, events, |state, events| {
                state.amend(amend, events)
            });
        }
        Action::Reduce(amend) => {
            once(state, amend.account, amend.key, command, events, |state, events| {
                state.reduce(amend, events)
            });
        }
        action => operate(state, action, events),
    }
}

/// What the system asks for: repeating it does no harm, so it has no keys.
fn operate(state: &mut State, action: &Action, events: &mut Vec<Event>) {
    let done = match *action {
        Action::SetMarket { market, rules } => state.set_market(market, rules, events),
        Action::SetLimits(limits) => state.set_limits(limits).map(|()| events.push(Event::LimitsSet(limits))),
        Action::PauseSelling { account } => {
            state.pause_selling(account, events);
            Ok(())
        }
        Action::ResumeSelling { account } => {
            state.accounts.resume(account);
            events.push(Event::SellingResumed { account });
            Ok(())
        }
        Action::AuthLapsed { order } => state.auth_lapsed(order, events),
        Action::PaymentFailed { trade } => state.payment_failed(trade, events),
        Action::Tick | Action::Place(_) | Action::Amend(_) | Action::Reduce(_) | Action::Cancel(_) => {
            events.push(Event::Ticked { ts: state.now });
            Ok(())
        }
    };
    if let Err(refusal) = done {
        events.push(Event::Refused { account: None, refusal });
    }
}

/// Does `work` unless its key came before.
#[inline]
fn once(
    state: &mut State,
    account: AccountId,
    key: Option<Key>,
    command: &Command,
    events: &mut Vec<Event>,
    work: impl FnOnce(&mut State, &mut Vec<Event>) -> Result<Answer, Refusal>,
) {
    let Some(key) = key else {
        if let Err(refusal) = work(state, events) {
            events.push(Event::Refused { account: Some(account), refusal });
        }
        return;
    };
    let fingerprint = fingerprint(&command.action);
    let retention_us = state.limits.retention_us;
    if let Some(kept) = state.keys.find(account, key, state.now, retention_us) {
        events.push(repeated(account, key, &kept, fingerprint));
        return;
    }
    let answer = work(state, events);
    if let Err(refusal) = answer {
        events.push(Event::Refused { account: Some(account), refusal });
    }
    state.keys.keep(account, key, Kept { ts: state.now, fingerprint, answer }, retention_us);
}

fn repeated(account: AccountId, key: Key, kept: &Kept, fingerprint: u64) -> Event {
    if kept.fingerprint == fingerprint {
        Event::Repeated { account, key, answer: kept.answer }
    } else {
        Event::Refused { account: Some(account), refusal: Refusal::IdempotencyConflict }
    }
}
