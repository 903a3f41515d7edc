//! The authentication centre: pieces to look at, who looks at which, and what they found. One at a time looks at a piece;
//! a claim that ran out lets somebody else.

use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{TradeId, UserId};
use entity::orders::authentication_task::{Column, Entity, Model, Verdict};
use entity::orders::trade;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::drive::{self, News};
use super::failure::Why;
use super::rules::Rules;
use super::saga::Heard;
use super::{Place, lock};
use crate::limits::{LINE_LENGTH_MAX, is_line_of_text};

/// Photos of one piece.
pub const PHOTOS_MAX: usize = 20;
/// Characters of a photo's address.
pub const URL_LENGTH_MAX: usize = 2_000;

/// What is looked at, and whether it is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    pub box_right: bool,
    pub markers_right: bool,
    pub size_right: bool,
}

impl Checks {
    fn all_right(self) -> bool {
        self.box_right && self.markers_right && self.size_right
    }
}

/// What somebody found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    pub checks: Checks,
    /// Where photos of the piece are.
    pub photos: Vec<String>,
    /// Why it is not what it was sold as.
    pub reason: Option<String>,
}

impl Findings {
    /// As they are kept. `None`: nothing is.
    pub fn read(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }
}

/// A task that nobody has looked at yet.
pub fn task(trade_id: TradeId, now: DateTime<Utc>) -> Model {
    Model {
        trade_id,
        opened_at: now,
        claimed_by: None,
        claimed_until: None,
        verdict: None,
        findings: None,
        completed_at: None,
    }
}

/// How far a task is. Follows from its claim; nobody sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Anybody may claim it.
    Open,
    /// Somebody looks at it.
    Claimed,
    Completed,
}

pub fn progress(row: &Model, now: DateTime<Utc>) -> Progress {
    match (row.completed_at, row.claimed_until) {
        (Some(_), _) => Progress::Completed,
        (None, Some(until)) if until > now => Progress::Claimed,
        _ => Progress::Open,
    }
}

/// Tasks that are `progress` at `now`, oldest first, after `after`.
pub async fn list(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    progress: Progress,
    after: Option<Place>,
    rows: u64,
) -> Result<Vec<Model>, Failure> {
    let which = match progress {
        Progress::Open => Condition::all().add(Column::CompletedAt.is_null()).add(unclaimed(now)),
        Progress::Claimed => {
            Condition::all().add(Column::CompletedAt.is_null()).add(Column::ClaimedUntil.gt(now))
        }
        Progress::Completed => Condition::all().add(Column::CompletedAt.is_not_null()),
    };
    let mut tasks = Entity::find().filter(which);
    if let Some((at, id)) = after {
        let place = Expr::tuple([Expr::col(Column::OpenedAt), Expr::col(Column::TradeId)]);
        tasks = tasks.filter(place.gt(Expr::tuple([Expr::val(at), Expr::val(id.0)])));
    }
    let oldest = tasks.order_by_asc(Column::OpenedAt).order_by_asc(Column::TradeId);
    Ok(oldest.limit(rows).all(db).await?)
}

fn unclaimed(now: DateTime<Utc>) -> Condition {
    Condition::any().add(Column::ClaimedUntil.is_null()).add(Column::ClaimedUntil.lte(now))
}

/// Why a task was not claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRefusal {
    #[error("there is no such task")]
    NotFound,
    #[error("you are a party of this trade")]
    OwnTrade,
    #[error("somebody else looks at it")]
    Claimed { until: DateTime<Utc> },
    #[error("it has been looked at")]
    Completed,
}

/// Takes a task, or keeps it longer. Of two at once, one gets it.
pub async fn claim(
    tx: &Tx,
    rules: &Rules,
    now: DateTime<Utc>,
    staff: UserId,
    id: TradeId,
) -> Outcome<Model, ClaimRefusal> {
    let Some((mut trade, mut row)) = open(tx, id).await? else { return Ok(Err(ClaimRefusal::NotFound)) };
    if is_party(&trade, staff) {
        return Ok(Err(ClaimRefusal::OwnTrade));
    }
    match (progress(&row, now), row.claimed_until) {
        (Progress::Completed, _) => return Ok(Err(ClaimRefusal::Completed)),
        (Progress::Claimed, Some(until)) if row.claimed_by != Some(staff) => {
            return Ok(Err(ClaimRefusal::Claimed { until }));
        }
        (Progress::Claimed, _) => {}
        (Progress::Open, _) => {
            drive::note(tx, now, &mut trade, "claimed", &staff.to_string(), json!({})).await?;
        }
    }
    (row.claimed_by, row.claimed_until) = (Some(staff), Some(now + rules.claim_for));
    store(tx, &row).await?;
    Ok(Ok(row))
}

/// Look at a piece, and say what it is.
#[derive(Clone, Debug)]
pub struct Complete {
    pub trade_id: TradeId,
    pub verdict: Verdict,
    pub findings: Findings,
}

/// Why nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompleteRefusal {
    #[error("there is no such task")]
    NotFound,
    #[error("claim it first: your claim ran out, or somebody else has it")]
    NotClaimed,
    #[error("it was found to be something else")]
    Completed,
    #[error("a piece passes when every check does, and fails when one does not")]
    VerdictInvalid,
    #[error("must be 1 to {LINE_LENGTH_MAX} characters when it fails, and is left out when it passes")]
    ReasonInvalid,
    #[error(
        "must be 1 to {PHOTOS_MAX} addresses that begin with https://, of at most {URL_LENGTH_MAX} characters"
    )]
    PhotosInvalid,
}

/// Says what a piece is: it goes on to the buyer, or the money goes back. Saying the same twice is saying it once.
pub async fn complete(
    tx: &Tx,
    rules: &Rules,
    now: DateTime<Utc>,
    staff: UserId,
    command: Complete,
) -> Outcome<Model, CompleteRefusal> {
    if let Err(refusal) = checked(&command) {
        return Ok(Err(refusal));
    }
    let Complete { trade_id, verdict, findings } = command;
    let Some((_, mut row)) = open(tx, trade_id).await? else { return Ok(Err(CompleteRefusal::NotFound)) };
    let findings_text = serde_json::to_string(&findings)?;
    match progress(&row, now) {
        Progress::Completed => {
            let same = row.claimed_by == Some(staff)
                && row.verdict == Some(verdict)
                && row.findings.as_ref() == Some(&findings_text);
            return Ok(if same { Ok(row) } else { Err(CompleteRefusal::Completed) });
        }
        Progress::Claimed if row.claimed_by == Some(staff) => {}
        Progress::Claimed | Progress::Open => return Ok(Err(CompleteRefusal::NotClaimed)),
    }
    (row.verdict, row.findings, row.completed_at) = (Some(verdict), Some(findings_text), Some(now));
    store(tx, &row).await?;
    let moved = drive::hear(tx, rules, now, vec![found(trade_id, staff, verdict, findings)]).await?;
    match moved {
        0 => Err(Failure::msg(format!("{trade_id} has a task, and is not at the centre"))),
        _ => Ok(Ok(row)),
    }
}

fn checked(command: &Complete) -> Result<(), CompleteRefusal> {
    let Findings { checks, photos, reason } = &command.findings;
    let passes = command.verdict == Verdict::Pass;
    if checks.all_right() != passes {
        return Err(CompleteRefusal::VerdictInvalid);
    }
    let reason_fits = match reason {
        Some(reason) => !passes && is_line_of_text(reason, LINE_LENGTH_MAX),
        None => passes,
    };
    if !reason_fits {
        return Err(CompleteRefusal::ReasonInvalid);
    }
    match (1..=PHOTOS_MAX).contains(&photos.len()) && photos.iter().all(|url| is_photo(url)) {
        true => Ok(()),
        false => Err(CompleteRefusal::PhotosInvalid),
    }
}

/// An address that a browser may load. It is only kept and shown; nothing here opens it.
fn is_photo(url: &str) -> bool {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| !host.is_empty())
        && is_line_of_text(url, URL_LENGTH_MAX)
        && !url.contains(char::is_whitespace)
}

fn found(trade: TradeId, staff: UserId, verdict: Verdict, findings: Findings) -> News {
    let actor = staff.to_string();
    match verdict {
        Verdict::Pass => News::new(trade, Heard::Passed).by(actor),
        Verdict::Fail => {
            let reason = findings.reason.unwrap_or_default();
            News::new(trade, Heard::Failed).because(Why::NotAuthentic { reason }).by(actor)
        }
    }
}

/// The trade under its lock, and its task.
async fn open(tx: &Tx, id: TradeId) -> Result<Option<(trade::Model, Model)>, Failure> {
    let Some(trade) = lock(tx, id).await? else { return Ok(None) };
    Ok(Entity::find_by_id(id).one(tx).await?.map(|row| (trade, row)))
}

fn is_party(trade: &trade::Model, user: UserId) -> bool {
    trade.buyer_id == user || trade.seller_user_id == user
}

async fn store(tx: &Tx, row: &Model) -> Result<(), Failure> {
    row.clone().into_active_model().reset_all().update(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: Checks = Checks { box_right: true, markers_right: true, size_right: true };
    const WRONG: Checks = Checks { markers_right: false, ..RIGHT };

    fn check(
        verdict: Verdict,
        checks: Checks,
        reason: Option<&str>,
        photos: &[&str],
    ) -> Result<(), CompleteRefusal> {
        let photos = photos.iter().map(|url| (*url).to_owned()).collect();
        let findings = Findings { checks, photos, reason: reason.map(str::to_owned) };
        checked(&Complete { trade_id: TradeId::new(), verdict, findings })
    }

    #[test]
    fn findings_must_say_what_the_verdict_says() {
        use CompleteRefusal::*;
        let photos = &["https://photos.example.org/1.jpg"][..];
        let many = ["https://photos.example.org/1.jpg"; PHOTOS_MAX + 1];
        for (verdict, checks, reason, photos, answer) in [
            (Verdict::Pass, RIGHT, None, photos, Ok(())),
            (Verdict::Fail, WRONG, Some("glue"), photos, Ok(())),
            (Verdict::Pass, WRONG, None, photos, Err(VerdictInvalid)),
            (Verdict::Fail, RIGHT, Some("glue"), photos, Err(VerdictInvalid)),
            (Verdict::Fail, WRONG, None, photos, Err(ReasonInvalid)),
            (Verdict::Fail, WRONG, Some(" "), photos, Err(ReasonInvalid)),
            (Verdict::Pass, RIGHT, Some("fine"), photos, Err(ReasonInvalid)),
            (Verdict::Pass, RIGHT, None, &photos[..0], Err(PhotosInvalid)),
            (Verdict::Pass, RIGHT, None, &many[..], Err(PhotosInvalid)),
            (Verdict::Pass, RIGHT, None, &["http://photos.example.org/1.jpg"][..], Err(PhotosInvalid)),
            (Verdict::Pass, RIGHT, None, &["https:///1.jpg"][..], Err(PhotosInvalid)),
            (Verdict::Pass, RIGHT, None, &["https://photos.example.org/1 2.jpg"][..], Err(PhotosInvalid)),
        ] {
            assert_eq!(
                check(verdict, checks, reason, photos),
                answer,
                "{verdict:?} {checks:?} {reason:?} {photos:?}"
            );
        }
    }
}
