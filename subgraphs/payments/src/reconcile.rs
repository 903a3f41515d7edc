//! Looking again: payments that do not move, holds that nobody came for, and whether the provider's balance is ours.

use std::sync::Arc;

use chassis::{Env, Failure, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CurrencyCode, PaymentId};
use entity::payments::difference::{self, Kind};
use entity::payments::ledger_account;
use entity::payments::payment::{self, Column, State};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use tracing::{info, warn};
use uuid::Uuid;

use crate::courier::Courier;
use crate::desk::Desk;
use crate::file::{File, Pen};
use crate::ledger::Account;
use crate::payment::state::Heard;
use crate::provider::Answer;

/// A payment that has not moved for so long is read from the provider.
const STILL: TimeDelta = TimeDelta::minutes(10);
/// How long after its time a hold is given up that nobody captured.
const ABANDONED: TimeDelta = TimeDelta::minutes(10);
/// Payments looked at in one transaction.
const BATCH: u64 = 256;

/// One round: reads what stands still, gives up what nobody came for; how many payments that were.
pub async fn look_again(env: &Env, courier: &Arc<Courier>) -> Result<usize, Failure> {
    let now = env.clock.now();
    let under_way =
        [State::Authorising, State::NeedsAction, State::Authorised, State::Voiding, State::Capturing];
    let still = Condition::all().add(Column::State.is_in(under_way)).add(Column::UpdatedAt.lt(now - STILL));
    let read = each(env, courier, now, still, |file, pen| {
        file.payment.updated_at = pen.now;
        file.send_read(pen);
        Ok(())
    });
    let read = read.await?;
    let abandoned = Condition::all()
        .add(Column::State.is_in([State::NeedsAction, State::Authorised]))
        .add(Column::ExpiresAt.lt(now - ABANDONED));
    let given_up = each(env, courier, now, abandoned, |file, pen| {
        info!(payment.id = %file.payment.id, "Nobody came for the hold of {}: it is given up", file.payment.id);
        file.payment.void_reason.get_or_insert("nobody came for it".into());
        file.hear(pen, Heard::AskedToVoid)
    });
    Ok(read + given_up.await?)
}

async fn each(
    env: &Env,
    courier: &Arc<Courier>,
    now: DateTime<Utc>,
    which: Condition,
    change: impl Fn(&mut File, &mut Pen) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let ids: Vec<PaymentId> = payment::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(which)
        .limit(BATCH)
        .into_tuple()
        .all(env.db.read())
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    tx::apply(&env.db, async |tx| {
        let mut desk = Desk::open(tx, now, ids.iter().copied().collect(), true).await?;
        for id in &ids {
            if let Some((file, pen)) = desk.file(*id) {
                change(file, pen)?;
            }
        }
        desk.close(tx, courier).await
    })
    .await?;
    Ok(ids.len())
}

/// Compares what providers hold with what the ledger says they do, in each currency. A difference is a row for an
/// operator; one that is gone is resolved. How many there are.
pub async fn compare_balances(env: &Env, courier: &Courier) -> Result<usize, Failure> {
    let accounts = ledger_account::Entity::find()
        .filter(ledger_account::Column::Kind.eq(ledger_account::Kind::Balance))
        .all(env.db.read())
        .await?;
    let mut different = 0;
    for account in accounts {
        let currency: CurrencyCode = account.currency.parse()?;
        let mut held = 0;
        for provider in courier.providers().all() {
            match provider.balance(currency).await {
                Answer::Done(balance) => held += balance,
                other => {
                    warn!(provider = provider.name(), "The balance cannot be read: {other:?}");
                    return Ok(different);
                }
            }
        }
        different += usize::from(settle(env, currency, held).await?);
    }
    Ok(different)
}

/// Writes down whether the two differ now.
async fn settle(env: &Env, currency: CurrencyCode, provider_minor: i64) -> Result<bool, Failure> {
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| {
        let id = Account::Balance.id(currency);
        let account = ledger_account::Entity::find_by_id(id).one(tx).await?;
        let ledger_minor = account.map_or(0, |account| account.debits_posted - account.credits_posted);
        let open = difference::Entity::find()
            .filter(difference::Column::Kind.eq(Kind::Balance))
            .filter(difference::Column::Currency.eq(currency.as_str()))
            .filter(difference::Column::ResolvedAt.is_null())
            .one(tx)
            .await?;
        let same = open
            .as_ref()
            .is_some_and(|open| open.ledger_minor - open.provider_minor == ledger_minor - provider_minor);
        if let Some(open) = open.filter(|_| !same) {
            difference::Entity::update_many()
                .col_expr(difference::Column::ResolvedAt, Expr::val(now))
                .filter(difference::Column::Id.eq(open.id))
                .exec(tx)
                .await?;
        }
        if ledger_minor == provider_minor || same {
            return Ok(same);
        }
        let row = difference::Model {
            id: Uuid::now_v7(),
            provider: String::new(),
            kind: Kind::Balance,
            currency: currency.to_string(),
            payment_id: None,
            ledger_minor,
            provider_minor,
            details: "what the providers hold is not what the ledger says".into(),
            found_at: now,
            resolved_at: None,
        };
        difference::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
        metrics::counter!("souk_payment_differences_total").increment(1);
        Ok(true)
    })
    .await
}

/// Has one payment read from its provider now. `false`: there is no such payment.
pub async fn read(env: &Env, courier: &Arc<Courier>, id: PaymentId) -> Result<bool, Failure> {
    let now = env.clock.now();
    let found = each(env, courier, now, Condition::all().add(Column::Id.eq(id)), |file, pen| {
        file.send_read(pen);
        Ok(())
    });
    Ok(found.await? == 1)
}
