//! What follows from what a provider told: the payment moves, and the step is done, asked again, or asked anew.

use chassis::Failure;
use chrono::{DateTime, TimeDelta, Utc};
use contract::{PaymentId, PayoutId, RefundId};
use entity::payments::payment_step::{self, Kind, State};

use super::Errand;
use crate::file::{File, Pen};
use crate::payment::state::Heard;
use crate::payout::Reversal;
use crate::provider::{Captured, Hold, Remote, RemotePart, RemoteStanding, Why};

/// The wait after the first answer that told nothing; it doubles with each further one.
const BACKOFF: TimeDelta = TimeDelta::milliseconds(200);
const BACKOFF_MAX: TimeDelta = TimeDelta::minutes(1);
/// Answers that told nothing after which an operator should look; it is asked on.
const ATTEMPTS_BEFORE_ATTENTION: i32 = 10;
/// New keys for one step after which an operator should look.
const EPOCHS_BEFORE_ATTENTION: i32 = 3;
/// How often to look at what is too old to be sent again.
const OLD_PAUSE: TimeDelta = TimeDelta::hours(1);
/// How long to wait when a provider limits us and does not say for how long.
const LIMITED_PAUSE: TimeDelta = TimeDelta::seconds(1);

/// What a call told.
#[derive(Clone, Debug)]
pub enum Told {
    Held(Hold),
    Captured(Captured),
    Voided,
    Refunded(String),
    Transferred(String),
    Reversed,
    No {
        /// By a bank; otherwise by the provider: wrong state, bad request.
        declined: bool,
        why: Why,
    },
    Unknown {
        kept: bool,
        error: String,
    },
    Limited(Option<TimeDelta>),
    /// The provider is not called before then. It is not a try.
    Waits(DateTime<Utc>),
    /// It was not sent, and its time is over.
    Lapsed,
    Seen(Option<Remote>),
}

impl Told {
    /// For metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::No { declined: true, .. } => "declined",
            Self::No { declined: false, .. } => "rejected",
            Self::Unknown { .. } => "unknown",
            Self::Limited(_) => "rate_limited",
            Self::Waits(_) => "waits",
            Self::Lapsed => "lapsed",
            Self::Seen(_) => "read",
            _ => "done",
        }
    }
}

/// A call and what it told.
#[derive(Clone, Debug)]
pub struct Report {
    pub errand: Errand,
    pub told: Told,
}

impl Report {
    pub fn payment_id(&self) -> PaymentId {
        self.errand.payment.id
    }

    /// Whether the money may have been taken.
    pub fn may_capture(&self) -> bool {
        matches!(self.told, Told::Captured(_) | Told::Seen(_))
    }

    pub fn key(&self) -> &str {
        &self.errand.step.key
    }
}

/// Takes over what was told. A step that another process has finished meanwhile is not touched again.
pub fn apply(file: &mut File, pen: &mut Pen, report: &Report) -> Result<(), Failure> {
    let Some(step) = file.waiting(report.errand.step.id).map(|step| step.clone()) else {
        return late(file, pen, &report.told);
    };
    match &report.told {
        Told::Unknown { kept, error } => {
            again(file, pen, &step, *kept, error);
            Ok(())
        }
        Told::Limited(after) => {
            wait(file, &step, pen.now + after.unwrap_or(LIMITED_PAUSE));
            Ok(())
        }
        Told::Waits(until) => {
            wait(file, &step, *until);
            Ok(())
        }
        Told::Seen(remote) => seen(file, pen, &step, report, remote.as_ref()),
        // A state that does not fit: what is there decides.
        Told::No { declined: false, why } if matches!(step.kind, Kind::Capture | Kind::Void) => {
            again(file, pen, &step, true, &why.message);
            Ok(())
        }
        told => finish(file, pen, &step, told),
    }
}

/// An answer to what was given up: what it holds is given up as well.
fn late(file: &mut File, pen: &mut Pen, told: &Told) -> Result<(), Failure> {
    match told {
        Told::Held(hold) if file.payment.reference.as_ref().is_none_or(|known| *known == hold.reference) => {
            file.hold(pen, hold.clone())
        }
        Told::Held(hold) => {
            file.needs_attention(format!("{} is held as well", hold.reference));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn end(file: &mut File, pen: &Pen, step: &payment_step::Model, state: State) {
    if let Some(step) = file.waiting(step.id) {
        step.state = state;
        step.finished_at = Some(pen.now);
        step.claimed_until = None;
    }
}

/// The step has its answer.
fn finish(file: &mut File, pen: &mut Pen, step: &payment_step::Model, told: &Told) -> Result<(), Failure> {
    end(file, pen, step, State::Done);
    match (step.kind, told) {
        (_, Told::Held(hold)) => file.hold(pen, hold.clone()),
        (_, Told::Captured(captured)) => file.captured(pen, captured.clone()),
        (_, Told::Voided) => file.hear(pen, Heard::LetGo),
        (_, Told::Lapsed) => {
            let why = Why::new("expired", "the time for this payment is over");
            file.refused(pen, Heard::Impossible, why)
        }
        (Kind::Refund, Told::Refunded(reference)) => {
            file.refunded(pen, RefundId(step.subject), Ok(reference.clone()))
        }
        (Kind::Refund, Told::No { why, .. }) => file.refunded(pen, RefundId(step.subject), Err(why.clone())),
        (Kind::Transfer, Told::Transferred(reference)) => {
            file.transferred(pen, PayoutId(step.subject), &step.key, Ok(reference.clone()))
        }
        (Kind::Transfer, Told::No { why, .. }) => {
            file.transferred(pen, PayoutId(step.subject), &step.key, Err(why.clone()))
        }
        (Kind::Reverse, Told::Reversed | Told::No { .. }) => {
            let given = matches!(told, Told::Reversed);
            match reversal(step) {
                Some(reversal) => file.reversed(pen, reversal, given),
                None => Ok(()),
            }
        }
        (_, Told::No { declined, why }) => {
            let heard = if *declined { Heard::Declined } else { Heard::Impossible };
            file.refused(pen, heard, why.clone())
        }
        _ => Err(Failure::msg(format!("{} was answered with something else: {told:?}", step.key))),
    }
}

fn reversal(step: &payment_step::Model) -> Option<Reversal> {
    Some(Reversal {
        payout_id: PayoutId(step.subject),
        key: step.key.clone(),
        hold_id: step.hold_id?,
        amount_minor: step.amount_minor,
    })
}

/// Nothing is known: the same key again, or a look at what is there.
fn again(file: &mut File, pen: &Pen, step: &payment_step::Model, kept: bool, error: &str) {
    let attempts = step.attempts + 1;
    if let Some(step) = file.waiting(step.id) {
        step.attempts = attempts;
        step.reads |= kept;
        step.last_error = Some(error.chars().take(500).collect());
    }
    wait(file, step, pen.now + backoff(step, attempts));
    if attempts >= ATTEMPTS_BEFORE_ATTENTION {
        file.needs_attention(format!("{} is unanswered after {attempts} tries: {error}", step.key));
    }
}

fn wait(file: &mut File, step: &payment_step::Model, until: DateTime<Utc>) {
    if let Some(step) = file.waiting(step.id) {
        step.next_run_at = until;
        step.claimed_by = None;
        step.claimed_until = None;
    }
}

/// Full jitter, from the step's own id: two steps that failed together do not come back together.
fn backoff(step: &payment_step::Model, attempts: i32) -> TimeDelta {
    let most = (BACKOFF * 2_i32.pow(attempts.clamp(0, 12) as u32)).min(BACKOFF_MAX);
    let dice = (step.id.0.as_u128() as i64 ^ i64::from(attempts)).rem_euclid(1_000) as i32;
    BACKOFF / 4 + most * dice / 1_000
}

/// The provider's view is taken over, and the step is done, was never done, or goes on waiting.
fn seen(
    file: &mut File,
    pen: &mut Pen,
    step: &payment_step::Model,
    report: &Report,
    remote: Option<&Remote>,
) -> Result<(), Failure> {
    if let Some(remote) = remote {
        file.see(pen, remote)?;
    }
    if step.kind == Kind::Read {
        end(file, pen, step, State::Done);
        return Ok(());
    }
    match adopted(step, remote) {
        Adopted::Done(told) => finish(file, pen, step, &told),
        Adopted::Pending => {
            again(file, pen, step, true, "the provider is not done with it");
            Ok(())
        }
        Adopted::Absent => absent(file, pen, step, report),
    }
}

/// What a step came to, as the provider's view tells.
enum Adopted {
    Done(Told),
    Pending,
    /// It was not done.
    Absent,
}

fn adopted(step: &payment_step::Model, remote: Option<&Remote>) -> Adopted {
    let Some(remote) = remote else { return Adopted::Absent };
    let no = |why: &Why| Adopted::Done(Told::No { declined: true, why: why.clone() });
    let gone = Why::new("hold_lapsed", "the hold was let go");
    match (step.kind, &remote.standing) {
        (Kind::Refund, _) => part(step, &remote.refunds, RefundId(step.subject), Told::Refunded),
        (Kind::Transfer, _) => part(step, &remote.transfers, PayoutId(step.subject), Told::Transferred),
        (Kind::Reverse, _) => part(step, &remote.reversals, step.id, |_| Told::Reversed),
        (_, RemoteStanding::Pending) => Adopted::Pending,
        (_, RemoteStanding::Captured(captured)) => Adopted::Done(Told::Captured(captured.clone())),
        (Kind::Authorise, RemoteStanding::Hold(standing)) => {
            let (reference, standing) = (remote.reference.clone(), standing.clone());
            Adopted::Done(Told::Held(Hold { reference, standing }))
        }
        (_, RemoteStanding::Hold(_)) => Adopted::Absent,
        (Kind::Void, _) => Adopted::Done(Told::Voided),
        (_, RemoteStanding::Declined(why)) => no(why),
        (Kind::Authorise, RemoteStanding::Cancelled) => Adopted::Done(Told::Voided),
        (_, RemoteStanding::Cancelled) => no(&gone),
    }
}

/// That an earlier key failed says nothing of this one.
fn part(
    step: &payment_step::Model,
    parts: &[RemotePart],
    subject: impl std::fmt::Display,
    done: impl FnOnce(String) -> Told,
) -> Adopted {
    let subject = subject.to_string();
    let own = |part: &&RemotePart| part.key.as_ref().is_none_or(|key| *key == step.key);
    let failed = |part: &&RemotePart| matches!(part.done, Some(Err(_)));
    match parts.iter().find(|part| part.subject == subject && (own(part) || !failed(part))) {
        None => Adopted::Absent,
        Some(RemotePart { done: None, .. }) => Adopted::Pending,
        Some(RemotePart { done: Some(Err(why)), .. }) => {
            Adopted::Done(Told::No { declined: true, why: why.clone() })
        }
        Some(RemotePart { reference, .. }) => Adopted::Done(done(reference.clone())),
    }
}

/// It is proven that the key did nothing: a new one, unless it is too late for that.
fn absent(
    file: &mut File,
    pen: &mut Pen,
    step: &payment_step::Model,
    report: &Report,
) -> Result<(), Failure> {
    if step.kind == Kind::Authorise && pen.now >= file.payment.expires_at {
        return finish(file, pen, step, &Told::Lapsed);
    }
    if report.errand.is_too_old(pen.now) {
        file.needs_attention(format!("{} is too old to be sent again, and was not done", step.key));
        wait(file, step, pen.now + OLD_PAUSE);
        return Ok(());
    }
    raise_epoch(file, pen, step);
    Ok(())
}

/// Asks anew, under the next key.
pub fn raise_epoch(file: &mut File, pen: &mut Pen, step: &payment_step::Model) {
    end(file, pen, step, State::Dropped);
    let word = step.key.split(':').nth(1).unwrap_or_default().to_owned();
    let id = file.send(pen, step.kind, step.subject, &word, step.amount_minor);
    if let Some(new) = file.waiting(id) {
        new.hold_id = step.hold_id;
        new.next_run_at = pen.now + backoff(step, step.epoch - 1);
    }
    if step.epoch >= EPOCHS_BEFORE_ATTENTION {
        file.needs_attention(format!("{} did nothing, like {} keys before it", step.key, step.epoch - 1));
    }
}

impl File {
    /// Takes over what the provider says of the payment. Nothing goes back: what is known already changes nothing.
    pub fn see(&mut self, pen: &mut Pen, remote: &Remote) -> Result<(), Failure> {
        self.payment.reference.get_or_insert_with(|| remote.reference.clone());
        match &remote.standing {
            RemoteStanding::Hold(standing) => {
                let (reference, standing) = (remote.reference.clone(), standing.clone());
                self.hold(pen, Hold { reference, standing })?;
            }
            RemoteStanding::Captured(captured) => self.captured(pen, captured.clone())?,
            RemoteStanding::Cancelled => {
                self.refused(pen, Heard::LetGo, Why::new("hold_lapsed", "the hold was let go"))?;
            }
            RemoteStanding::Declined(why) => self.refused(pen, Heard::Declined, why.clone())?,
            RemoteStanding::Pending => {}
        }
        for part in &remote.refunds {
            let Ok(id) = part.subject.parse::<RefundId>() else { continue };
            match &part.done {
                Some(Ok(())) => self.refunded(pen, id, Ok(part.reference.clone()))?,
                // One that is under way is answered to its step.
                Some(Err(why)) => self.returned(pen, id, &part.reference, why)?,
                None => {}
            }
        }
        remote.disputes.iter().try_for_each(|dispute| self.see_dispute(pen, dispute))?;
        self.take_over_refunds(pen, remote)?;
        self.compare(pen, remote);
        Ok(())
    }
}
