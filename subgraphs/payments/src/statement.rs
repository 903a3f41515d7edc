//! What a seller's accounts say: balances, entries, and a statement to take away.

use std::collections::BTreeMap;

use chassis::Failure;
use chassis::page::Page;
use chrono::{DateTime, SecondsFormat, Utc};
use contract::{CurrencyCode, Money, SellerId, TransferId};
use entity::payments::ledger_account::Kind as AccountKind;
use entity::payments::ledger_transfer::{self, Column, Entity, Kind};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::ledger;

/// Lines of one statement.
pub const LINES_MAX: u64 = 10_000;

/// A seller's money in one currency, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    pub held_minor: i64,
    pub payable_minor: i64,
    pub in_transit_minor: i64,
    pub owed_minor: i64,
}

/// A seller's money, by currency.
pub async fn balances(
    db: &impl ConnectionTrait,
    seller_id: SellerId,
) -> Result<BTreeMap<String, Balance>, Failure> {
    let mut balances: BTreeMap<String, Balance> = BTreeMap::new();
    for account in ledger::of_seller(db, seller_id).await? {
        let credit = account.credits_posted - account.debits_posted;
        let balance = balances.entry(account.currency).or_default();
        match account.kind {
            AccountKind::Held => balance.held_minor += credit,
            AccountKind::Payable => balance.payable_minor += credit,
            AccountKind::Transit => balance.in_transit_minor += credit,
            AccountKind::Receivable => balance.owed_minor -= credit,
            _ => {}
        }
    }
    Ok(balances)
}

/// What has moved: nothing that is only kept back.
fn posted(seller_id: SellerId) -> Select<Entity> {
    Entity::find()
        .filter(Column::SellerId.eq(seller_id))
        .filter(Column::Kind.is_in([Kind::Posted, Kind::Post]))
}

/// A page of a seller's entries, newest first.
pub async fn entries(
    db: &impl ConnectionTrait,
    seller_id: SellerId,
    page: &Page<TransferId>,
) -> Result<Vec<ledger_transfer::Model>, Failure> {
    let mut entries = posted(seller_id).order_by_desc(Column::Id).limit(page.rows());
    if let Some(after) = page.after {
        entries = entries.filter(Column::Id.lt(after));
    }
    Ok(entries.all(db).await?)
}

/// A seller's entries of a time as CSV, oldest first, with a header. `None`: more than [`LINES_MAX`].
pub async fn csv(
    db: &impl ConnectionTrait,
    seller_id: SellerId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<String>, Failure> {
    let rows = posted(seller_id)
        .filter(Column::At.gte(from))
        .filter(Column::At.lt(until))
        .order_by_asc(Column::Id)
        .limit(LINES_MAX + 1)
        .all(db)
        .await?;
    if rows.len() as u64 > LINES_MAX {
        return Ok(None);
    }
    let mut csv = csv::Writer::from_writer(vec![]);
    csv.write_record(["id", "at", "reason", "from", "to", "amount", "currency", "order", "payment"])?;
    for row in rows {
        csv.write_record(line(&row)?)?;
    }
    let bytes = csv.into_inner().map_err(|error| Failure::msg(error.to_string()))?;
    Ok(Some(String::from_utf8(bytes)?))
}

fn line(row: &ledger_transfer::Model) -> Result<[String; 9], Failure> {
    let currency: CurrencyCode = row.currency.parse()?;
    Ok([
        row.id.to_string(),
        row.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        row.reason.to_value(),
        kind_of(&row.credit).into(),
        kind_of(&row.debit).into(),
        Money { amount_minor: row.amount_minor, currency }.decimal(),
        row.currency.clone(),
        row.order_id.map(|id| id.to_string()).unwrap_or_default(),
        row.payment_id.map(|id| id.to_string()).unwrap_or_default(),
    ])
}

/// The kind of account in a row's id.
pub fn kind_of(account: &str) -> &str {
    account.split(':').next().unwrap_or_default()
}
