//! What people do to an order's saga: buyers before it is paid, operators when it is stuck.

use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::OrderId;
use serde_json::json;

use crate::drive::{self, News};
use crate::failure::Why;
use crate::limits::{LINE_LENGTH_MAX, is_line_of_text};
use crate::order::{self, Order, Reader};
use crate::payback;
use crate::settlement::Heard;

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask again, from the first repeat on.
    Retry,
    /// What was asked for has happened: go on.
    Skip,
    /// Undo it, as far as no money was taken for sure.
    Compensate,
    /// Settled by hand: the goods are the buyer's.
    ResolvePaid,
    /// Settled by hand: nothing is owed.
    ResolveCancelled,
}

impl Action {
    fn heard(self) -> Heard {
        match self {
            Self::Retry => Heard::Retry,
            Self::Skip => Heard::Skip,
            Self::Compensate => Heard::Cancel,
            Self::ResolvePaid => Heard::ResolvePaid,
            Self::ResolveCancelled => Heard::ResolveCancelled,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Compensate => "compensate",
            Self::ResolvePaid => "resolve_paid",
            Self::ResolveCancelled => "resolve_cancelled",
        }
    }
}

/// Why an operator's action is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActRefusal {
    #[error("there is no such order")]
    NotFound,
    #[error("must be 1 to {LINE_LENGTH_MAX} characters, without control characters")]
    ReasonInvalid,
    #[error("this is no move from where the order is")]
    NotNow,
}

/// Does what an operator says, and keeps who said so and why.
pub async fn act(
    tx: &Tx,
    now: DateTime<Utc>,
    id: OrderId,
    action: Action,
    actor: &str,
    reason: &str,
) -> Outcome<Order, ActRefusal> {
    if !is_line_of_text(reason, LINE_LENGTH_MAX) {
        return Ok(Err(ActRefusal::ReasonInvalid));
    }
    let Some(before) = order::find(tx, Reader::Admin, id).await? else {
        return Ok(Err(ActRefusal::NotFound));
    };
    let news = News { actor: actor.into(), note: Some(reason.into()), ..News::new(id, action.heard()) };
    let news = if action == Action::Compensate { news.because(Why::Cancelled) } else { news };
    if drive::hear(tx, now, vec![news]).await? == 0 {
        return Ok(Err(ActRefusal::NotNow));
    }
    let details = json!({ "reason": reason, "state": before.settlement.state.name() });
    let what = format!("orders.saga_{}", action.name());
    audit::record(tx, now, actor, &what, &id.to_string(), details).await?;
    again(tx, id).await.map(Ok)
}

/// Why an order is not cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CancelRefusal {
    #[error("there is no such order")]
    NotFound,
    #[error("it is too late to cancel the order")]
    TooLate,
}

/// A buyer wants an order undone: all of it until its money is being taken, what was not sent once it is paid. Cancelling
/// what is cancelled changes nothing.
pub async fn cancel(
    tx: &Tx,
    now: DateTime<Utc>,
    reader: Reader,
    id: OrderId,
) -> Outcome<Order, CancelRefusal> {
    let Some(before) = order::find(tx, reader, id).await? else {
        return Ok(Err(CancelRefusal::NotFound));
    };
    if is_undone(&before) {
        return Ok(Ok(before));
    }
    let actor = match reader {
        Reader::Buyer(user) => user.to_string(),
        Reader::TokenHolder => "guest".into(),
        Reader::Admin => "admin".into(),
    };
    let news = News { actor: actor.clone(), ..News::new(id, Heard::Cancel) }.because(Why::Cancelled);
    let moved = drive::hear(tx, now, vec![news]).await? > 0;
    let cancelled = moved || payback::cancel_unsent(tx, now, id, &actor).await?;
    let order = again(tx, id).await?;
    // Somebody else may have cancelled it since we looked.
    Ok(if cancelled || is_undone(&order) { Ok(order) } else { Err(CancelRefusal::TooLate) })
}

fn is_undone(order: &Order) -> bool {
    matches!(order.status(), order::Status::Cancelled | order::Status::Cancelling)
}

async fn again(tx: &Tx, id: OrderId) -> Result<Order, Failure> {
    order::find(tx, Reader::Admin, id).await?.ok_or_else(|| Failure::msg("an order vanished"))
}
