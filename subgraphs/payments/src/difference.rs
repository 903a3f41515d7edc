//! Where a provider and we contradict each other: a row for an operator, until they agree again.

use std::collections::BTreeMap;

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::PaymentId;
use entity::payments::difference::{Column, Entity, Kind, Model};
use entity::payments::refund::State;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};
use tracing::warn;
use uuid::Uuid;

use crate::file::{File, Pen};
use crate::provider::{Remote, RemotePart, RemoteStanding};

/// What was compared, and what both sides said.
#[derive(Clone, Debug)]
pub struct Compared {
    pub about: About,
    pub ledger_minor: i64,
    pub provider_minor: i64,
    pub details: String,
}

/// What is compared: about one thing there is at most one open difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    pub kind: Kind,
    /// Empty: all of them.
    pub provider: String,
    pub currency: String,
    pub payment_id: Option<PaymentId>,
}

impl About {
    fn of(row: &Model) -> Self {
        let (provider, currency) = (row.provider.clone(), row.currency.clone());
        Self { kind: row.kind, provider, currency, payment_id: row.payment_id }
    }
}

/// Writes new differences down, leaves known ones, resolves those that are gone; how many are open of what was compared.
pub async fn settle(tx: &Tx, now: DateTime<Utc>, compared: Vec<Compared>) -> Result<usize, Failure> {
    if compared.is_empty() {
        return Ok(0);
    }
    // What was compared last counts.
    let compared: BTreeMap<About, Compared> =
        compared.into_iter().map(|compared| (compared.about.clone(), compared)).collect();
    let known = open(tx, compared.keys()).await?;
    let (mut gone, mut new, mut differ) = (vec![], vec![], 0);
    for (about, compared) in compared {
        let row = known.get(&about);
        let by = compared.ledger_minor - compared.provider_minor;
        differ += usize::from(by != 0);
        if row.is_some_and(|row| row.ledger_minor - row.provider_minor == by) {
            continue;
        }
        gone.extend(row.map(|row| row.id));
        if by != 0 {
            new.push(row_of(now, compared));
        }
    }
    resolve(tx, now, gone).await?;
    write(tx, new).await?;
    Ok(differ)
}

async fn open(tx: &Tx, about: impl Iterator<Item = &About>) -> Result<BTreeMap<About, Model>, Failure> {
    let (payments, balances): (Vec<_>, Vec<_>) = about.partition(|about| about.payment_id.is_some());
    let payments = payments.iter().filter_map(|about| about.payment_id);
    let mut which = Condition::any().add(Column::PaymentId.is_in(payments));
    if !balances.is_empty() {
        which = which.add(Column::PaymentId.is_null());
    }
    let rows = Entity::find().filter(which).filter(Column::ResolvedAt.is_null()).all(tx).await?;
    Ok(rows.into_iter().map(|row| (About::of(&row), row)).collect())
}

/// They agree again.
pub async fn resolve(tx: &Tx, now: DateTime<Utc>, rows: Vec<Uuid>) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::ResolvedAt, Expr::val(now))
        .filter(Column::Id.is_in(rows))
        .exec(tx)
        .await?;
    Ok(())
}

/// The row of a new difference.
pub fn row_of(now: DateTime<Utc>, compared: Compared) -> Model {
    let About { kind, provider, currency, payment_id } = compared.about;
    Model {
        id: Uuid::now_v7(),
        provider,
        kind,
        currency,
        payment_id,
        ledger_minor: compared.ledger_minor,
        provider_minor: compared.provider_minor,
        details: compared.details,
        found_at: now,
        resolved_at: None,
    }
}

/// Writes new differences down, and counts them.
pub async fn write(tx: &Tx, rows: Vec<Model>) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    for row in &rows {
        warn!(
            difference.id = %row.id,
            "We say {} and the provider {}: {}", row.ledger_minor, row.provider_minor, row.details
        );
    }
    metrics::counter!("souk_payment_differences_total").increment(rows.len() as u64);
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

impl File {
    fn compared(&self, kind: Kind, ledger_minor: i64, provider_minor: i64, details: String) -> Compared {
        let (provider, currency) = (self.payment.provider.clone(), self.payment.currency.clone());
        let about = About { kind, provider, currency, payment_id: Some(self.payment.id) };
        Compared { about, ledger_minor, provider_minor, details }
    }

    /// What was taken, as the provider says.
    pub fn compare_captured(&self, pen: &mut Pen, provider_minor: i64) {
        let ledger_minor = self.payment.captured_minor;
        let details = format!("what was taken for {}", self.payment.id);
        pen.compared.push(self.compared(Kind::Captured, ledger_minor, provider_minor, details));
    }

    /// Compares what was taken and what went back. Refunds that are under way are not compared yet.
    pub fn compare(&self, pen: &mut Pen, remote: &Remote) {
        if self.payment.captured_minor == 0 {
            return;
        }
        let captured_minor = match &remote.standing {
            RemoteStanding::Captured(captured) => captured.amount_minor,
            _ => 0,
        };
        self.compare_captured(pen, captured_minor);
        let ledger_minor = self.payment.refunded_minor;
        let unbooked: i64 = self.unbooked_refunds(remote).map(|part| part.amount_minor).sum();
        let provider_minor = ledger_minor + unbooked - self.missing_refunds(remote);
        let details = format!("what went back of {}", self.payment.id);
        pen.compared.push(self.compared(Kind::Refunded, ledger_minor, provider_minor, details));
    }

    /// What went back without us: somebody did it at the provider.
    pub fn unbooked_refunds<'r>(&self, remote: &'r Remote) -> impl Iterator<Item = &'r RemotePart> {
        let ours = move |part: &RemotePart| {
            self.refunds.iter().any(|refund| match refund.state {
                State::Succeeded => refund.reference.as_ref() == Some(&part.reference),
                State::Pending => refund.id.to_string() == part.subject,
                State::Failed => false,
            })
        };
        let given = remote.refunds.iter().filter(|part| part.done == Some(Ok(())));
        given.filter(move |part| !ours(part))
    }

    /// What we have booked and the provider does not show.
    fn missing_refunds(&self, remote: &Remote) -> i64 {
        let shown = |reference: &String| remote.refunds.iter().any(|part| part.reference == *reference);
        let given = self.refunds.iter().filter(|refund| refund.state == State::Succeeded);
        given
            .filter(|refund| !refund.reference.as_ref().is_some_and(shown))
            .map(|refund| refund.amount_minor)
            .sum()
    }
}
