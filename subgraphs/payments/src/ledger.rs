//! The ledger: double entry, append-only. A transfer and what it does to its two accounts are one transaction with the
//! thing that it is for.

mod account;
mod verify;

use std::collections::BTreeMap;

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, OrderId, PaymentId, SellerId, TransferId};
use entity::payments::ledger_account::{self, Column, Entity, Floor};
pub use entity::payments::ledger_transfer::Reason;
use entity::payments::ledger_transfer::{self, Kind};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

pub use account::Account;
pub use verify::{Difference, Report, verify};

/// Accounts by their ids.
type Accounts = BTreeMap<String, ledger_account::Model>;
type Rows = Vec<ledger_account::Model>;

/// Rows of one insert: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;

/// How an entry counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posting {
    /// At once.
    Now,
    /// Keeps the money back under this id, until it is posted or voided.
    Pending(TransferId),
    /// What was kept back moves.
    Post(TransferId),
    /// What was kept back stays.
    Void(TransferId),
}

/// An amount that one account is debited and the other credited. Seen from those whose money it is, it goes from the
/// debited account to the credited one. A correction is a new entry.
#[derive(Clone, Debug)]
pub struct Entry {
    pub posting: Posting,
    pub debit: Account,
    pub credit: Account,
    pub amount_minor: i64,
    pub reason: Reason,
    /// What it is for: the same subject and reason between two accounts is booked once.
    pub subject: String,
}

/// Which payment entries are about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub currency: CurrencyCode,
}

/// The entries of one transaction, collected before they are booked together.
#[derive(Debug, Default)]
pub struct Book {
    transfers: Vec<ledger_transfer::Model>,
    changes: BTreeMap<String, ledger_account::Model>,
}

impl Book {
    /// Takes an entry up. One of nothing is left out.
    pub fn enter(&mut self, now: DateTime<Utc>, about: About, seller_id: Option<SellerId>, entry: Entry) {
        if entry.amount_minor == 0 {
            return;
        }
        let (kind, pending_id) = match entry.posting {
            Posting::Now => (Kind::Posted, None),
            Posting::Pending(_) => (Kind::Pending, None),
            Posting::Post(pending) => (Kind::Post, Some(pending)),
            Posting::Void(pending) => (Kind::Void, Some(pending)),
        };
        let change = change(kind, entry.amount_minor);
        let debit = self.account(entry.debit, about.currency);
        debit.debits_posted += change.0;
        debit.debits_pending += change.1;
        let debit = debit.id.clone();
        let credit = self.account(entry.credit, about.currency);
        credit.credits_posted += change.0;
        credit.credits_pending += change.1;
        let credit = credit.id.clone();
        let word = sea_orm::ActiveEnum::to_value(&entry.reason);
        let step = sea_orm::ActiveEnum::to_value(&kind);
        self.transfers.push(ledger_transfer::Model {
            id: match entry.posting {
                Posting::Pending(id) => id,
                _ => TransferId::new(),
            },
            kind,
            pending_id,
            key: format!("{}:{word}:{step}:{debit}:{credit}", entry.subject),
            debit,
            credit,
            amount_minor: entry.amount_minor,
            currency: about.currency.to_string(),
            reason: entry.reason,
            payment_id: Some(about.payment_id),
            order_id: Some(about.order_id),
            seller_id,
            at: now,
        });
    }

    fn account(&mut self, account: Account, currency: CurrencyCode) -> &mut ledger_account::Model {
        let empty = account.empty(currency);
        self.changes.entry(empty.id.clone()).or_insert(empty)
    }

    /// [`close`](Self::close) on accounts in memory; the entries.
    pub(crate) fn post(self, accounts: &mut Accounts) -> Result<Vec<ledger_transfer::Model>, Failure> {
        let (changed, new) = weigh(self.changes, accounts)?;
        accounts.extend(changed.into_iter().chain(new).map(|account| (account.id.clone(), account)));
        Ok(self.transfers)
    }

    /// Books everything: accounts in the order of their ids, then the entries.
    ///
    /// # Errors
    /// Besides the database's: an account would fall below its floor, or the same thing is booked twice.
    pub async fn close(self, tx: &Tx) -> Result<(), Failure> {
        if self.transfers.is_empty() {
            return Ok(());
        }
        let known = lock(tx, self.changes.keys()).await?;
        let (changed, new) = weigh(self.changes, &known)?;
        open(tx, new).await?;
        replace(tx, changed).await?;
        let rows: Vec<_> = self.transfers.into_iter().map(IntoActiveModel::into_active_model).collect();
        for some in rows.chunks(ROWS_MAX) {
            ledger_transfer::Entity::insert_many(some.iter().cloned()).exec_without_returning(tx).await?;
        }
        Ok(())
    }
}

/// What accounts are after some changes: those that are known, and those that are new.
fn weigh(
    changes: BTreeMap<String, ledger_account::Model>,
    known: &Accounts,
) -> Result<(Rows, Rows), Failure> {
    let (mut changed, mut new) = (vec![], vec![]);
    for (id, change) in changes {
        match known.get(&id) {
            Some(account) => changed.push(covered(sum(account, &change))?),
            None => new.push(covered(change)?),
        }
    }
    Ok((changed, new))
}

/// What an entry adds to what is posted and what is pending.
pub(super) fn change(kind: Kind, amount_minor: i64) -> (i64, i64) {
    match kind {
        Kind::Posted => (amount_minor, 0),
        Kind::Pending => (0, amount_minor),
        Kind::Post => (amount_minor, -amount_minor),
        Kind::Void => (0, -amount_minor),
    }
}

async fn lock(tx: &Tx, ids: impl Iterator<Item = &String>) -> Result<Accounts, Failure> {
    let rows = Entity::find()
        .filter(Column::Id.is_in(ids))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), row)).collect())
}

fn sum(account: &ledger_account::Model, change: &ledger_account::Model) -> ledger_account::Model {
    let mut sum = account.clone();
    sum.debits_posted += change.debits_posted;
    sum.credits_posted += change.credits_posted;
    sum.debits_pending += change.debits_pending;
    sum.credits_pending += change.credits_pending;
    sum
}

/// What may still leave the account, or come to it: never below zero on the side that its floor names.
pub(super) fn above_floor(account: &ledger_account::Model) -> bool {
    match account.floor {
        Floor::None => true,
        Floor::Credit => account.credits_posted - account.debits_posted - account.debits_pending >= 0,
        Floor::Debit => account.debits_posted - account.credits_posted - account.credits_pending >= 0,
    }
}

fn covered(account: ledger_account::Model) -> Result<ledger_account::Model, Failure> {
    match above_floor(&account) {
        true => Ok(account),
        false => Err(Failure::msg(format!("the account {} would fall below zero", account.id))),
    }
}

/// Another transaction may have opened one of them since we looked: then the two add up.
async fn open(tx: &Tx, new: Vec<ledger_account::Model>) -> Result<(), Failure> {
    let add = |column: Column| Expr::col((Entity, column)).add(Expr::col(("excluded", column)));
    let both = OnConflict::column(Column::Id)
        .value(Column::DebitsPosted, add(Column::DebitsPosted))
        .value(Column::CreditsPosted, add(Column::CreditsPosted))
        .value(Column::DebitsPending, add(Column::DebitsPending))
        .value(Column::CreditsPending, add(Column::CreditsPending))
        .to_owned();
    insert(tx, new, both).await
}

/// Their rows are locked, so the sums are still right.
async fn replace(tx: &Tx, changed: Vec<ledger_account::Model>) -> Result<(), Failure> {
    let replace = OnConflict::column(Column::Id)
        .update_columns([
            Column::DebitsPosted,
            Column::CreditsPosted,
            Column::DebitsPending,
            Column::CreditsPending,
        ])
        .to_owned();
    insert(tx, changed, replace).await
}

async fn insert(tx: &Tx, rows: Vec<ledger_account::Model>, conflict: OnConflict) -> Result<(), Failure> {
    let rows: Vec<_> = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
    for some in rows.chunks(ROWS_MAX) {
        Entity::insert_many(some.iter().cloned())
            .on_conflict(conflict.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// The accounts of a seller.
pub async fn of_seller(
    db: &impl sea_orm::ConnectionTrait,
    seller_id: SellerId,
) -> Result<Vec<ledger_account::Model>, Failure> {
    Ok(Entity::find().filter(Column::SellerId.eq(seller_id)).order_by_asc(Column::Id).all(db).await?)
}
