//! The changes of each account's orders, numbered: a private feed goes on from a number.

use std::collections::BTreeMap;

use chassis::{Failure, Tx};
use entity::bidding::account;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::projection::Orders;

/// Accounts in one statement.
const ROWS_MAX: usize = 1_000;

/// Gives every order of a batch the next number of its account. Until the transaction ends nobody else numbers changes of
/// these accounts, so that a lower number is never seen later.
pub(super) async fn number(tx: &Tx, orders: &mut Orders) -> Result<(), Failure> {
    let mut changes: BTreeMap<Uuid, i64> = BTreeMap::new();
    for order in orders.values() {
        *changes.entry(order.account).or_default() += 1;
    }
    let mut next = first_numbers(tx, changes).await?;
    for order in orders.values_mut() {
        let seq = next.get_mut(&order.account).ok_or_else(|| Failure::msg("an account's row vanished"))?;
        order.account_seq = *seq;
        *seq += 1;
    }
    Ok(())
}

/// Takes as many numbers for each account as it has changes: the first of them. In the order of the accounts, so that two
/// partitions never wait for each other.
async fn first_numbers(tx: &Tx, changes: BTreeMap<Uuid, i64>) -> Result<BTreeMap<Uuid, i64>, Failure> {
    let mut first = BTreeMap::new();
    let rows: Vec<account::Model> =
        changes.iter().map(|(account, seq)| account::Model { account: *account, seq: *seq }).collect();
    for rows in rows.chunks(ROWS_MAX) {
        let on_conflict = OnConflict::column(account::Column::Account)
            .value(account::Column::Seq, Expr::cust("bidding_account.seq + excluded.seq"))
            .to_owned();
        let taken =
            account::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
                .on_conflict(on_conflict)
                .exec_with_returning(tx)
                .await?;
        first.extend(taken.into_iter().map(|row| (row.account, row.seq - changes[&row.account] + 1)));
    }
    Ok(first)
}
