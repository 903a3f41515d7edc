//! Sellers: an application, and what admins decide about it.

use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx, audit, idempotency};
use chrono::{DateTime, Utc};
use contract::event::accounts::SellerChanged;
use contract::{SellerId, UserId};
use entity::accounts::seller::{self, Status};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use crate::text::{self, Invalid};
use crate::user;

const NAME_CHARS_MAX: usize = 100;
const REASON_CHARS_MAX: usize = 500;

/// Why an application was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyRefusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("you have a shop already; it is {}", status_text(*.0))]
    AlreadyApplied(Status),
    #[error("the account was erased")]
    Erased,
    #[error("the idempotency key was used for another application")]
    KeyReused,
}

impl From<idempotency::Conflict> for ApplyRefusal {
    fn from(_: idempotency::Conflict) -> Self {
        Self::KeyReused
    }
}

/// Applies for a shop called `name`. Who was rejected may apply again.
pub async fn apply(tx: &Tx, now: DateTime<Utc>, user: UserId, name: &str) -> Outcome<SellerId, ApplyRefusal> {
    let name = match text::line("name", name, 1..=NAME_CHARS_MAX) {
        Ok(name) => name,
        Err(invalid) => return Ok(Err(invalid.into())),
    };
    if user::lock(tx, user).await?.is_none() {
        return Ok(Err(ApplyRefusal::Erased));
    }
    let applied = match insert(tx, now, user, &name).await? {
        Some(applied) => Some(applied),
        None => apply_again(tx, now, user, &name).await?,
    };
    let Some(applied) = applied else {
        let known = seller::Entity::find().filter(seller::Column::UserId.eq(user)).one(tx).await?;
        return Ok(Err(ApplyRefusal::AlreadyApplied(known.map_or(Status::Pending, |known| known.status))));
    };
    audit::record(tx, now, &user.to_string(), "seller.apply", &applied.id.to_string(), json!({})).await?;
    let id = applied.id;
    say(tx, now, applied).await?;
    Ok(Ok(id))
}

async fn insert(
    tx: &Tx,
    now: DateTime<Utc>,
    user: UserId,
    name: &str,
) -> Result<Option<seller::Model>, Failure> {
    let row = seller::Model {
        id: SellerId::new(),
        user_id: user,
        name: name.into(),
        status: Status::Pending,
        reason: None,
        applied_at: now,
        decided_at: None,
        version: 1,
    };
    let inserted = seller::Entity::insert(row.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok((inserted == 1).then_some(row))
}

async fn apply_again(
    tx: &Tx,
    now: DateTime<Utc>,
    user: UserId,
    name: &str,
) -> Result<Option<seller::Model>, Failure> {
    let again = moved(Status::Pending, None)
        .col_expr(seller::Column::Name, Expr::val(name))
        .col_expr(seller::Column::AppliedAt, Expr::val(now))
        .filter(seller::Column::UserId.eq(user))
        .filter(seller::Column::Status.eq(Status::Rejected))
        .exec_with_returning(tx)
        .await?;
    Ok(again.into_iter().next())
}

/// What an admin decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Verify,
    Reject { reason: String },
    Suspend { reason: String },
    Reinstate,
}

impl Decision {
    /// From where to where it moves a seller, what the audit calls it, and the reason.
    fn parts(self) -> (Status, Status, &'static str, Option<String>) {
        match self {
            Self::Verify => (Status::Pending, Status::Verified, "seller.verify", None),
            Self::Reject { reason } => (Status::Pending, Status::Rejected, "seller.reject", Some(reason)),
            Self::Suspend { reason } => (Status::Verified, Status::Suspended, "seller.suspend", Some(reason)),
            Self::Reinstate => (Status::Suspended, Status::Verified, "seller.reinstate", None),
        }
    }
}

/// Why a decision was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecideRefusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("there is no such seller")]
    NotFound,
    #[error("the seller is {}", status_text(*.0))]
    WrongStatus(Status),
    #[error("the owner has erased the account")]
    OwnerErased,
}

/// Carries out a decision of `actor`.
pub async fn decide(
    tx: &Tx,
    now: DateTime<Utc>,
    actor: &str,
    id: SellerId,
    decision: Decision,
) -> Outcome<seller::Model, DecideRefusal> {
    let (from, to, action, reason) = decision.parts();
    let reason = match reason.map(|reason| text::line("reason", &reason, 1..=REASON_CHARS_MAX)).transpose() {
        Ok(reason) => reason,
        Err(invalid) => return Ok(Err(invalid.into())),
    };
    let Some(known) = seller::Entity::find_by_id(id).one(tx).await? else {
        return Ok(Err(DecideRefusal::NotFound));
    };
    if to == Status::Verified && user::lock(tx, known.user_id).await?.is_none() {
        return Ok(Err(DecideRefusal::OwnerErased));
    }
    let decided = moved(to, reason)
        .col_expr(seller::Column::DecidedAt, Expr::val(now))
        .filter(seller::Column::Id.eq(id))
        .filter(seller::Column::Status.eq(from))
        .exec_with_returning(tx)
        .await?;
    let Some(decided) = decided.into_iter().next() else {
        return Ok(Err(DecideRefusal::WrongStatus(known.status)));
    };
    // The reason may name people: it stays in the seller's row.
    audit::record(tx, now, actor, action, &id.to_string(), json!({})).await?;
    say(tx, now, decided.clone()).await?;
    Ok(Ok(decided))
}

/// Closes the shop of a user who is being erased.
pub async fn close(tx: &Tx, now: DateTime<Utc>, user: UserId) -> Result<(), Failure> {
    let closed = moved(Status::Suspended, Some("the owner has erased the account".into()))
        .col_expr(seller::Column::Name, Expr::val("closed shop"))
        .col_expr(seller::Column::DecidedAt, Expr::val(now))
        .filter(seller::Column::UserId.eq(user))
        .exec_with_returning(tx)
        .await?;
    match closed.into_iter().next() {
        Some(closed) => say(tx, now, closed).await,
        None => Ok(()),
    }
}

/// The update that moves sellers to `status`.
fn moved(status: Status, reason: Option<String>) -> sea_orm::UpdateMany<seller::Entity> {
    seller::Entity::update_many()
        .col_expr(seller::Column::Status, Expr::val(status))
        .col_expr(seller::Column::Reason, Expr::val(reason))
        .col_expr(seller::Column::Version, Expr::col(seller::Column::Version).add(1))
}

async fn say(tx: &Tx, now: DateTime<Utc>, seller: seller::Model) -> Result<(), Failure> {
    let event = SellerChanged {
        seller_id: seller.id,
        user_id: seller.user_id,
        name: seller.name,
        status: seller.status.into(),
    };
    outbox::say(tx, now, about("seller", seller.id, seller.version), event).await
}

/// A status within a sentence.
fn status_text(status: Status) -> &'static str {
    match status {
        Status::Pending => "waiting for a decision",
        Status::Verified => "verified",
        Status::Rejected => "rejected",
        Status::Suspended => "suspended",
    }
}
