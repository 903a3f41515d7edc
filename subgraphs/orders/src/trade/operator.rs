//! What operators do to a trade's saga.

use chassis::{Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::TradeId;
use entity::orders::trade::Model;
use serde_json::json;

use super::drive::{self, News};
use super::failure::Why;
use super::rules::Rules;
use super::saga::Heard;
use super::{again, lock};
use crate::limits::{LINE_LENGTH_MAX, is_line_of_text};

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask again, from the first repeat on.
    Retry,
    /// What was asked for has happened: go on.
    Skip,
    /// Undo the match, with nobody to blame.
    Undo,
    /// Settled by hand: the piece is the buyer's, the money the seller's.
    ResolveCompleted,
    /// Settled by hand: nothing is owed.
    ResolveUndone,
}

impl Action {
    fn heard(self) -> Heard {
        match self {
            Self::Retry => Heard::Retry,
            Self::Skip => Heard::Skip,
            Self::Undo => Heard::Cancel,
            Self::ResolveCompleted => Heard::ResolveCompleted,
            Self::ResolveUndone => Heard::ResolveUndone,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Undo => "undo",
            Self::ResolveCompleted => "resolve_completed",
            Self::ResolveUndone => "resolve_undone",
        }
    }
}

/// Why an operator's action is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActRefusal {
    #[error("there is no such trade")]
    NotFound,
    #[error("must be 1 to {LINE_LENGTH_MAX} characters, without control characters")]
    ReasonInvalid,
    #[error("this is no move from where the trade is")]
    NotNow,
}

/// Does what an operator says, and keeps who said so and why.
pub async fn act(
    tx: &Tx,
    rules: &Rules,
    now: DateTime<Utc>,
    id: TradeId,
    action: Action,
    actor: &str,
    reason: &str,
) -> Outcome<Model, ActRefusal> {
    if !is_line_of_text(reason, LINE_LENGTH_MAX) {
        return Ok(Err(ActRefusal::ReasonInvalid));
    }
    let Some(before) = lock(tx, id).await? else { return Ok(Err(ActRefusal::NotFound)) };
    let undoes = matches!(action, Action::Undo | Action::ResolveUndone);
    let news = News {
        why: undoes.then_some(Why::Undone),
        details: Some(json!({ "note": reason })),
        ..News::new(id, action.heard()).by(actor)
    };
    if drive::hear(tx, rules, now, vec![news]).await? == 0 {
        return Ok(Err(ActRefusal::NotNow));
    }
    let details = json!({ "reason": reason, "state": before.state.name() });
    audit::record(tx, now, actor, &format!("orders.trade_{}", action.name()), &id.to_string(), details)
        .await?;
    again(tx, id).await.map(Ok)
}
