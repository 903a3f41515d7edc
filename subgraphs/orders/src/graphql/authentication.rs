//! The authentication centre's work: tasks, claims and what was found.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Env, tx};
use chrono::{DateTime, Utc};
use contract::{TradeId, UserId};
use entity::orders::authentication_task::{self, Verdict};

use super::loaders::load;
use super::trade::Trade;
use super::user_error::user_error;
use crate::trade::Place;
use crate::trade::authentication::{self, ClaimRefusal, Complete, CompleteRefusal, Progress};
use crate::trade::rules::Rules;

/// How far a task is. A claim that ran out makes a task `OPEN` again.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Progress")]
pub enum AuthenticationTaskState {
    /// Anybody of the centre may claim it.
    Open,
    /// Somebody looks at it.
    Claimed,
    /// It was looked at.
    Completed,
}

/// Whether a piece is what it was sold as.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Verdict")]
pub enum AuthenticationVerdict {
    /// It goes on to the buyer.
    Pass,
    /// The buyer's money goes back, and the piece to the seller.
    Fail,
}

/// What somebody of the authentication centre found.
#[derive(SimpleObject)]
pub struct AuthenticationFindings {
    /// Whether it is what it was sold as.
    verdict: AuthenticationVerdict,
    /// The box is there and belongs to it.
    box_right: bool,
    /// Labels, seams, material and other markers are right.
    markers_right: bool,
    /// It is the size that was sold.
    size_right: bool,
    /// Where photos of it are.
    photos: Vec<String>,
    /// Why it failed. Null when it passed.
    reason: Option<String>,
    /// When.
    completed_at: DateTime<Utc>,
}

impl AuthenticationFindings {
    /// `None`: nothing was found yet.
    pub(super) fn of(row: authentication_task::Model) -> Option<Self> {
        let found = authentication::Findings::read(row.findings.as_deref())?;
        Some(Self {
            verdict: row.verdict?.into(),
            box_right: found.checks.box_right,
            markers_right: found.checks.markers_right,
            size_right: found.checks.size_right,
            photos: found.photos,
            reason: found.reason,
            completed_at: row.completed_at?,
        })
    }
}

/// A piece at the authentication centre that somebody looks at.
pub struct AuthenticationTask {
    row: authentication_task::Model,
    /// When it was read: claims run out.
    now: DateTime<Utc>,
}

#[Object]
impl AuthenticationTask {
    /// The trade.
    async fn trade(&self, ctx: &Context<'_>) -> Result<Option<Trade>> {
        Ok(load(ctx, self.row.trade_id).await?.map(Trade::for_staff))
    }

    /// How far it is.
    async fn state(&self) -> AuthenticationTaskState {
        authentication::progress(&self.row, self.now).into()
    }

    /// When the piece came.
    async fn opened_at(&self) -> DateTime<Utc> {
        self.row.opened_at
    }

    /// Who looks at it, or did. Null: nobody.
    async fn claimed_by_id(&self) -> Option<UserId> {
        let open = authentication::progress(&self.row, self.now) == Progress::Open;
        self.row.claimed_by.filter(|_| !open)
    }

    /// Until when nobody else may claim it. Null: nobody looks at it.
    async fn claimed_until(&self) -> Option<DateTime<Utc>> {
        let claimed = authentication::progress(&self.row, self.now) == Progress::Claimed;
        self.row.claimed_until.filter(|_| claimed)
    }

    /// What was found. Null until it is completed.
    async fn findings(&self) -> Option<AuthenticationFindings> {
        AuthenticationFindings::of(self.row.clone())
    }
}

/// Which task to claim.
#[derive(InputObject)]
pub struct ClaimAuthenticationTaskInput {
    /// The trade.
    trade_id: TradeId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ClaimAuthenticationTaskPayload {
    /// The task, yours until `claimedUntil`; null when something is wrong.
    task: Option<AuthenticationTask>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ClaimAuthenticationTaskError>,
}

user_error! {
    /// Why a task was not claimed.
    ClaimAuthenticationTaskError (ClaimAuthenticationTaskErrorCode) {
        /// There is no such task.
        NotFound,
        /// You bought or sold the piece.
        OwnTrade,
        /// Somebody else looks at it, until `claimedUntil`.
        Claimed,
        /// It was looked at.
        Completed,
    }
    facts {
        /// When somebody else's claim runs out.
        claimed_until: DateTime<Utc>,
    }
}

/// What you found.
#[derive(InputObject)]
pub struct CompleteAuthenticationTaskInput {
    /// The trade.
    trade_id: TradeId,
    /// Whether it is what it was sold as: `PASS` when every check is right, `FAIL` when one is not.
    verdict: AuthenticationVerdict,
    /// The box is there and belongs to it.
    box_right: bool,
    /// Labels, seams, material and other markers are right.
    markers_right: bool,
    /// It is the size that was sold.
    size_right: bool,
    /// Where photos of it are: 1 to 20 addresses that begin with `https://`.
    photos: Vec<String>,
    /// Why it fails: 1 to 200 characters. Buyer and seller see it. Left out when it passes.
    reason: Option<String>,
}

impl From<CompleteAuthenticationTaskInput> for Complete {
    fn from(input: CompleteAuthenticationTaskInput) -> Self {
        let checks = authentication::Checks {
            box_right: input.box_right,
            markers_right: input.markers_right,
            size_right: input.size_right,
        };
        let findings = authentication::Findings { checks, photos: input.photos, reason: input.reason };
        Self { trade_id: input.trade_id, verdict: input.verdict.into(), findings }
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CompleteAuthenticationTaskPayload {
    /// The task afterwards; null when something is wrong.
    task: Option<AuthenticationTask>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<CompleteAuthenticationTaskError>,
}

user_error! {
    /// Why a task was not completed.
    CompleteAuthenticationTaskError (CompleteAuthenticationTaskErrorCode) {
        /// There is no such task.
        NotFound,
        /// It is not yours: claim it first. A claim runs out.
        NotClaimed,
        /// It was completed with other findings.
        Completed,
        /// The checks say something else than the verdict.
        VerdictInvalid,
        /// The reason is missing, too long, or there without a failure.
        ReasonInvalid,
        /// There are no photos, too many, or one is no address.
        PhotosInvalid,
    }
}

#[derive(Default)]
pub struct AuthenticationQueries;

#[Object]
impl AuthenticationQueries {
    /// Pieces at the authentication centre, those that came first first. For authenticators.
    async fn authentication_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How far they are.", default_with = "AuthenticationTaskState::Open")]
        state: AuthenticationTaskState,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<Place>, AuthenticationTask>> {
        Viewer::with_role(ctx, Role::Authenticator)?;
        let page = Page::read(first, after.as_deref())?;
        let env = ctx.data_unchecked::<Env>();
        let (db, now) = (env.db.read(), env.clock.now());
        let rows = authentication::list(db, now, state.into(), page.after, page.rows()).await?;
        let place = |row: &authentication_task::Model| (row.opened_at, row.trade_id);
        Ok(page.connection(rows, place, |row| AuthenticationTask { row, now }))
    }
}

#[derive(Default)]
pub struct AuthenticationMutations;

#[Object]
impl AuthenticationMutations {
    /// Takes a task for a while, alone; claiming it again begins that while anew. For authenticators, but not for pieces
    /// that they trade themselves.
    async fn claim_authentication_task(
        &self,
        ctx: &Context<'_>,
        input: ClaimAuthenticationTaskInput,
    ) -> Result<ClaimAuthenticationTaskPayload> {
        use ClaimAuthenticationTaskErrorCode as Code;
        let staff = Viewer::with_role(ctx, Role::Authenticator)?.user;
        let (env, rules) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Rules>());
        let (now, id) = (env.clock.now(), input.trade_id);
        let done = tx::run(&env.db, async |tx| authentication::claim(tx, rules, now, staff, id).await);
        let refusal = match done.await? {
            Ok(row) => {
                let task = Some(AuthenticationTask { row, now });
                return Ok(ClaimAuthenticationTaskPayload { task, user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let at = |code| ClaimAuthenticationTaskError::new(code, &["input", "tradeId"], refusal);
        let error = match refusal {
            ClaimRefusal::NotFound => at(Code::NotFound),
            ClaimRefusal::OwnTrade => at(Code::OwnTrade),
            ClaimRefusal::Claimed { until } => {
                ClaimAuthenticationTaskError { claimed_until: Some(until), ..at(Code::Claimed) }
            }
            ClaimRefusal::Completed => at(Code::Completed),
        };
        Ok(ClaimAuthenticationTaskPayload { task: None, user_errors: vec![error] })
    }

    /// Says what a piece is, by whoever claimed it. It goes on to the buyer, or the buyer's money goes back, the piece to
    /// the seller, and the seller owes the penalty. For authenticators. Saying the same twice is saying it once.
    async fn complete_authentication_task(
        &self,
        ctx: &Context<'_>,
        input: CompleteAuthenticationTaskInput,
    ) -> Result<CompleteAuthenticationTaskPayload> {
        use CompleteAuthenticationTaskErrorCode as Code;
        let staff = Viewer::with_role(ctx, Role::Authenticator)?.user;
        let (env, rules) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Rules>());
        let (now, command) = (env.clock.now(), Complete::from(input));
        let done =
            tx::run(&env.db, async |tx| authentication::complete(tx, rules, now, staff, command).await);
        let refusal = match done.await? {
            Ok(row) => {
                let task = Some(AuthenticationTask { row, now });
                return Ok(CompleteAuthenticationTaskPayload { task, user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            CompleteRefusal::NotFound => (Code::NotFound, "tradeId"),
            CompleteRefusal::NotClaimed => (Code::NotClaimed, "tradeId"),
            CompleteRefusal::Completed => (Code::Completed, "tradeId"),
            CompleteRefusal::VerdictInvalid => (Code::VerdictInvalid, "verdict"),
            CompleteRefusal::ReasonInvalid => (Code::ReasonInvalid, "reason"),
            CompleteRefusal::PhotosInvalid => (Code::PhotosInvalid, "photos"),
        };
        let error = CompleteAuthenticationTaskError::new(code, &["input", field], refusal);
        Ok(CompleteAuthenticationTaskPayload { task: None, user_errors: vec![error] })
    }
}
