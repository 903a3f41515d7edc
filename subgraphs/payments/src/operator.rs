//! What operators do with payments that do not move by themselves. Each action is audited.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::PaymentId;
use entity::payments::payment_step::State as StepState;
use entity::payments::{payment, payout, refund};
use serde_json::json;

use crate::courier::Courier;
use crate::desk::Desk;
use crate::file::{File, Pen};

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends what waits again at once, under the same keys: for an answer that should come now. What is too old to be sent
    /// is only read.
    Retry,
    /// Reads first: what was done is taken over, and what was not is asked anew under the next key, however old it is.
    RetryAfterReconcile,
    /// Reads the payment from its provider.
    Reconcile,
    /// Nobody need look any more.
    Dismiss { reason: String },
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Retry => "payment.retry",
            Self::RetryAfterReconcile => "payment.retry_after_reconcile",
            Self::Reconcile => "payment.reconcile",
            Self::Dismiss { .. } => "payment.dismiss",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such payment")]
    NotFound,
}

/// Acts on a payment: as it is then.
pub async fn act(
    tx: &Tx,
    now: DateTime<Utc>,
    courier: &Arc<Courier>,
    id: PaymentId,
    action: &Action,
    actor: &str,
) -> Outcome<payment::Model, Refusal> {
    let mut desk = Desk::open(tx, now, BTreeSet::from([id]), true).await?;
    let Some((file, pen)) = desk.file(id) else { return Ok(Err(Refusal::NotFound)) };
    let attention = file.payment.attention.clone();
    match action {
        Action::Retry => file.retry(pen, false)?,
        Action::RetryAfterReconcile => file.retry(pen, true)?,
        Action::Reconcile => file.send_read(pen),
        Action::Dismiss { .. } => file.payment.attention = None,
    }
    let payment = file.payment.clone();
    desk.close(tx, courier).await?;
    let reason = match action {
        Action::Dismiss { reason } => Some(reason),
        _ => None,
    };
    let details = json!({ "attention": attention, "reason": reason });
    audit::record(tx, now, actor, action.name(), &id.to_string(), details).await?;
    Ok(Ok(payment))
}

impl File {
    /// Steps that wait run at once; what failed is sent again.
    fn retry(&mut self, pen: &mut Pen, reconcile: bool) -> Result<(), Failure> {
        self.payment.attention = None;
        for step in self.steps.iter_mut().filter(|step| step.state == StepState::Waiting) {
            step.attempts = 0;
            step.next_run_at = pen.now;
            if reconcile {
                step.reads |= step.first_sent_at.is_some();
                // An operator answers for it: it counts as sent now, so that what is absent may be asked anew.
                step.first_sent_at = step.first_sent_at.map(|_| pen.now);
            }
        }
        let failed = self.payouts.iter().filter(|payout| payout.state == payout::State::Failed);
        let failed: Vec<_> = failed.map(|payout| payout.id).collect();
        failed.into_iter().try_for_each(|payout| self.transfer_again(pen, payout))?;
        let owed = self.refunds.iter().filter(|refund| refund.state == refund::State::Failed);
        let owed: Vec<_> = owed.map(|refund| refund.id).filter(|id| self.came_back(*id)).collect();
        owed.into_iter().try_for_each(|refund| self.refund_again(pen, refund))
    }
}
