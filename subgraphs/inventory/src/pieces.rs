//! Pieces under a reservation each, all or none: for whoever sells them one by one, to buyers who are not known yet.

use chassis::outbox::{self, about};
use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::Event;
use contract::event::inventory::{Line, PiecesRejected, PiecesReserved, ReservePieces};
use entity::inventory::reservation::State;

use crate::asks::settle;
use crate::desk::{Ask, Reservation, Reserve};
use crate::limits::LINES_MAX;

/// What is asked of inventory's desk, in the order in which it is asked.
pub enum Wish<'e> {
    Ask(Ask),
    Pieces(&'e ReservePieces),
}

/// Answers everything. What was asked for first is had first: a release may come right after what it releases.
pub async fn settle_all(
    tx: &Tx,
    now: DateTime<Utc>,
    actor: &str,
    wishes: Vec<Wish<'_>>,
) -> Result<(), Failure> {
    let mut asks = Vec::new();
    for wish in wishes {
        match wish {
            Wish::Ask(ask) => asks.push(ask),
            Wish::Pieces(pieces) => {
                settle(tx, now, std::mem::take(&mut asks)).await?;
                reserve(tx, now, actor, pieces).await?;
            }
        }
    }
    settle(tx, now, asks).await.map(drop)
}

async fn reserve(tx: &Tx, now: DateTime<Utc>, actor: &str, ask: &ReservePieces) -> Result<(), Failure> {
    let reservations = ask.reservations.clone();
    let Some(first) = reservations.first().copied().filter(|_| reservations.len() <= LINES_MAX) else {
        return Err(Failure::msg(format!("pieces are reserved 1 to {LINES_MAX} at a time")));
    };
    let answers = settle(tx, now, ask.reservations.iter().map(|id| one(ask, *id, actor)).collect()).await?;
    let event: Event = match answers.iter().all(is_kept) {
        true => PiecesReserved { reservations }.into(),
        false => {
            let given_back = answers.iter().filter(|answer| answer.state == State::Active);
            let given_back = given_back.map(|answer| release(answer, actor)).collect();
            settle(tx, now, given_back).await?;
            PiecesRejected { reservations, offer_id: ask.offer_id, available: available(&answers) }.into()
        }
    };
    outbox::say(tx, now, about("pieces", first, 1), event).await
}

fn one(ask: &ReservePieces, reservation_id: contract::ReservationId, actor: &str) -> Ask {
    Ask::Reserve(Reserve {
        reservation_id,
        order_id: None,
        seller_id: None,
        lines: vec![Line { offer_id: ask.offer_id, quantity: 1 }],
        expires_at: ask.expires_at,
        actor: actor.into(),
    })
}

fn is_kept(answer: &Reservation) -> bool {
    matches!(answer.state, State::Active | State::Committed)
}

fn release(answer: &Reservation, actor: &str) -> Ask {
    Ask::Release { reservation_id: answer.id, actor: actor.into(), reason: "not all were there".into() }
}

/// What there was before this ask: the pieces that it could have, and what was left when it could have no more.
fn available(answers: &[Reservation]) -> i64 {
    let had = answers.iter().filter(|answer| answer.state != State::Rejected).count();
    let left = answers.iter().filter_map(|answer| answer.lines.first()?.short_available).min().unwrap_or(0);
    had as i64 + left
}
