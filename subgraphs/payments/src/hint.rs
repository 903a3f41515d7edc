//! What providers tell by themselves. It is only a hint: the payment is read again, and what is read is taken over as far
//! as it goes forward. Forged, stale, doubled and shuffled hints change nothing wrongly.

use std::sync::Arc;

use chassis::tx::insert_unless_there;
use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{PaymentId, StepId};
use entity::payments::payment;
use entity::payments::payment_step::{self, Kind, State as StepState};
use entity::payments::provider_event::{self, State};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QuerySelect};
use tokio::sync::Notify;

/// An event of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub provider: &'static str,
    /// The provider's id of the event: the same one is taken once.
    pub event_id: String,
    pub kind: String,
    /// Our id, where the provider has kept it with the payment.
    pub payment_id: Option<PaymentId>,
    /// The provider's name of the payment.
    pub reference: Option<String>,
    /// As it came.
    pub body: String,
    pub tells: Tells,
}

/// What a hint may be news of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Nothing that changes a payment.
    Nothing,
    /// That the money is held.
    Held,
    /// That the money was taken.
    Captured,
    /// Who knows.
    Anything,
}

impl Tells {
    /// Whether nothing but what it tells can have happened, and we know that already: mostly it was our doing.
    fn is_known(self, state: payment::State) -> bool {
        use payment::State::*;
        let captured = matches!(state, Captured | PartlyRefunded | Refunded | Disputed);
        match self {
            Self::Nothing => true,
            Self::Held => captured || matches!(state, Authorised | Capturing),
            Self::Captured => captured,
            Self::Anything => false,
        }
    }
}

impl Hint {
    /// A hint about a payment of ours.
    pub fn of(
        provider: &'static str,
        event_id: &str,
        kind: &str,
        payment_id: PaymentId,
        reference: &str,
    ) -> Self {
        Self {
            provider,
            event_id: event_id.into(),
            kind: kind.into(),
            payment_id: Some(payment_id),
            reference: Some(reference.into()),
            body: String::new(),
            tells: Tells::Anything,
        }
    }
}

/// Stores a hint and, when it is new and may be news of a payment of ours, has the payment read, unless that is about to
/// happen. `news` wakes the courier after the commit.
pub async fn take(tx: &Tx, now: DateTime<Utc>, hint: &Hint, news: &Arc<Notify>) -> Result<(), Failure> {
    let about = match hint.tells {
        Tells::Nothing => None,
        _ => about(tx, hint).await?,
    };
    let row = provider_event::Model {
        provider: hint.provider.into(),
        event_id: hint.event_id.clone(),
        kind: hint.kind.clone(),
        reference: hint.reference.clone(),
        body: hint.body.clone(),
        state: if about.is_some() { State::Applied } else { State::Ignored },
        received_at: now,
    };
    let is_new = insert_unless_there(tx, row).await?;
    let Some(about) = about.filter(|_| is_new) else { return Ok(()) };
    if about.is_read_soon || hint.tells.is_known(about.state) {
        return Ok(());
    }
    let payment_id = about.id;
    payment_step::Entity::insert(reading(now, payment_id).into_active_model())
        .exec_without_returning(tx)
        .await?;
    let news = news.clone();
    tx.after_commit(move || news.notify_one());
    Ok(())
}

/// [`take`] for many, of which most may be known; how many were not.
pub async fn take_all(
    tx: &Tx,
    now: DateTime<Utc>,
    hints: &[Hint],
    news: &Arc<Notify>,
) -> Result<usize, Failure> {
    let Some(provider) = hints.first().map(|hint| hint.provider) else { return Ok(0) };
    let known: Vec<String> = provider_event::Entity::find()
        .select_only()
        .column(provider_event::Column::EventId)
        .filter(provider_event::Column::Provider.eq(provider))
        .filter(provider_event::Column::EventId.is_in(hints.iter().map(|hint| hint.event_id.as_str())))
        .into_tuple()
        .all(tx)
        .await?;
    let mut new = 0;
    for hint in hints.iter().filter(|hint| !known.contains(&hint.event_id)) {
        take(tx, now, hint, news).await?;
        new += 1;
    }
    Ok(new)
}

/// A payment of ours.
#[derive(FromQueryResult)]
struct About {
    id: PaymentId,
    state: payment::State,
    /// Nobody has begun to read it, and somebody will.
    is_read_soon: bool,
}

/// The payment of ours that a hint is about.
async fn about(tx: &Tx, hint: &Hint) -> Result<Option<About>, Failure> {
    let of_provider = payment::Entity::find().filter(payment::Column::Provider.eq(hint.provider));
    let found = match (hint.payment_id, &hint.reference) {
        (Some(id), _) => of_provider.filter(payment::Column::Id.eq(id)),
        (None, Some(reference)) => of_provider.filter(payment::Column::Reference.eq(reference)),
        (None, None) => return Ok(None),
    };
    let step = |column: payment_step::Column| Expr::col((payment_step::Entity, column));
    let reading = Query::select()
        .expr(Expr::val(1))
        .from(payment_step::Entity)
        .and_where(
            step(payment_step::Column::PaymentId).eq(Expr::col((payment::Entity, payment::Column::Id))),
        )
        .and_where(payment_step::Column::Kind.eq(Kind::Read))
        .and_where(payment_step::Column::State.eq(StepState::Waiting))
        .and_where(payment_step::Column::FirstSentAt.is_null())
        .take();
    let columns = found.select_only().columns([payment::Column::Id, payment::Column::State]);
    Ok(columns.expr_as(Expr::exists(reading), "is_read_soon").into_model::<About>().one(tx).await?)
}

fn reading(now: DateTime<Utc>, payment_id: PaymentId) -> payment_step::Model {
    let id = StepId::new();
    payment_step::Model {
        id,
        payment_id,
        subject: payment_id.0,
        kind: Kind::Read,
        key: format!("{payment_id}:read.{id}:1"),
        epoch: 1,
        state: StepState::Waiting,
        reads: true,
        amount_minor: 0,
        attempts: 0,
        next_run_at: now,
        claimed_by: None,
        claimed_until: None,
        first_sent_at: None,
        hold_id: None,
        last_error: None,
        created_at: now,
        finished_at: None,
    }
}
