//! Looking again: payments that do not move, holds that nobody came for, and whether the provider's balance is ours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chassis::{Env, Failure, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CurrencyCode, PaymentId};
use entity::payments::difference as rows;
use entity::payments::difference::Kind;
use entity::payments::ledger_account;
use entity::payments::payment::{self, Column, State};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::Notify;
use tracing::{info, warn};
use uuid::Uuid;

use crate::courier::Courier;
use crate::desk::Desk;
use crate::difference::{self, About, Compared};
use crate::file::{File, Pen};
use crate::hint;
use crate::ledger::Account;
use crate::payment::state::Heard as Moved;
use crate::provider::{Answer, Holds, PaymentProvider, RemoteHold, Void};

/// Payments whose provider has not had its last word.
const UNDER_WAY: [State; 5] =
    [State::Authorising, State::NeedsAction, State::Authorised, State::Voiding, State::Capturing];
/// A payment that has not moved for so long is read from the provider.
const STILL: TimeDelta = TimeDelta::minutes(10);
/// How long after its time a hold is given up that nobody captured.
const ABANDONED: TimeDelta = TimeDelta::minutes(10);
/// Which holds are looked at once a day: each twice, so that one round may fail.
const HOLDS_SINCE: TimeDelta = TimeDelta::hours(49);
/// What is younger may still be on its way to us.
const HOLDS_UNTIL: TimeDelta = TimeDelta::hours(1);
/// How far back a process that starts asks what happened.
const HINTS_SINCE: TimeDelta = TimeDelta::days(1);
/// How much of what was listed is listed again: clocks differ, and events come late.
const HINTS_OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// Payments looked at in one transaction.
const BATCH: u64 = 256;

/// One round: reads what stands still, gives up what nobody came for; how many payments that were.
pub async fn look_again(env: &Env, courier: &Arc<Courier>) -> Result<usize, Failure> {
    let now = env.clock.now();
    // What is held for a bid rests for days: the provider tells when it lets go before its time.
    let rests = Condition::all()
        .add(Column::ForBid.eq(true))
        .add(Column::State.eq(State::Authorised))
        .add(Column::HeldUntil.gt(now));
    let still = Condition::all()
        .add(Column::State.is_in(UNDER_WAY))
        .add(Column::UpdatedAt.lt(now - STILL))
        .add(rests.not());
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
        file.hear(pen, Moved::AskedToVoid)
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
    let about = About {
        kind: Kind::Balance,
        provider: String::new(),
        currency: currency.to_string(),
        payment_id: None,
    };
    let differ = tx::apply(&env.db, async |tx| {
        let account = ledger_account::Entity::find_by_id(Account::Balance.id(currency)).one(tx).await?;
        let ledger_minor = account.map_or(0, |account| account.debits_posted - account.credits_posted);
        let details = "what the providers hold is not what the ledger says".into();
        difference::settle(tx, now, vec![Compared { about, ledger_minor, provider_minor, details }]).await
    });
    Ok(differ.await? > 0)
}

/// Gives up what providers hold for payments of ours that know nothing of it: nobody will come for it. How many there were.
pub async fn give_up_orphans(env: &Env, courier: &Arc<Courier>) -> Result<usize, Failure> {
    let now = env.clock.now();
    let made = Holds { since: now - HOLDS_SINCE, until: now - HOLDS_UNTIL };
    let mut orphans = 0;
    for provider in courier.providers().all() {
        let holds = match provider.holds(made).await {
            Answer::Done(holds) => holds,
            other => {
                warn!(provider = provider.name(), "The holds cannot be read: {other:?}");
                continue;
            }
        };
        for some in holds.chunks(BATCH as usize) {
            for hold in orphans_of(env, courier, provider.name(), some).await? {
                orphans += 1;
                give_up(env, provider.as_ref(), &hold).await?;
            }
        }
    }
    Ok(orphans)
}

/// Those that no payment knows. A payment that has ended and whose own hold is still there is read again: what follows is
/// in its table.
async fn orphans_of(
    env: &Env,
    courier: &Arc<Courier>,
    provider: &str,
    holds: &[RemoteHold],
) -> Result<Vec<RemoteHold>, Failure> {
    let ids = holds.iter().map(|hold| hold.payment_id);
    let rows = payment::Entity::find().filter(Column::Id.is_in(ids)).all(env.db.read()).await?;
    let rows: HashMap<PaymentId, payment::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut orphans = vec![];
    for hold in holds {
        let row = rows.get(&hold.payment_id).filter(|row| row.provider == provider);
        match row.map(|row| (row.reference.as_ref(), row.state)) {
            None => orphans.push(hold.clone()),
            Some((Some(known), _)) if *known != hold.reference => orphans.push(hold.clone()),
            Some((_, state)) if !UNDER_WAY.contains(&state) => {
                read(env, courier, hold.payment_id).await?;
            }
            Some(_) => {}
        }
    }
    Ok(orphans)
}

/// The row is there before the call, and its id is in the key.
async fn give_up(env: &Env, provider: &dyn PaymentProvider, hold: &RemoteHold) -> Result<(), Failure> {
    let now = env.clock.now();
    let row = tx::apply(&env.db, async |tx| orphan(tx, now, provider.name(), hold).await).await?;
    let key = format!("{}:orphan.{row}:1", hold.payment_id);
    match provider.void(Void { key: &key, reference: &hold.reference }).await {
        Answer::Done(()) => {
            info!(reference = hold.reference, "Nobody knew of the hold {}: it is given up", hold.reference);
            tx::apply(&env.db, async |tx| difference::resolve(tx, now, vec![row]).await).await
        }
        other => {
            warn!(reference = hold.reference, "The hold {} could not be given up: {other:?}", hold.reference);
            Ok(())
        }
    }
}

/// The open row of an orphan, written when it is new.
async fn orphan(tx: &Tx, now: DateTime<Utc>, provider: &str, hold: &RemoteHold) -> Result<Uuid, Failure> {
    let details = format!("{} is held and belongs to nothing", hold.reference);
    let known = rows::Entity::find()
        .filter(rows::Column::Kind.eq(Kind::OrphanHold))
        .filter(rows::Column::PaymentId.eq(hold.payment_id))
        .filter(rows::Column::Details.eq(details.as_str()))
        .filter(rows::Column::ResolvedAt.is_null())
        .one(tx)
        .await?;
    if let Some(known) = known {
        return Ok(known.id);
    }
    let about = About {
        kind: Kind::OrphanHold,
        provider: provider.into(),
        currency: hold.amount.currency.to_string(),
        payment_id: Some(hold.payment_id),
    };
    let provider_minor = hold.amount.amount_minor;
    let row = difference::row_of(now, Compared { about, ledger_minor: 0, provider_minor, details });
    let id = row.id;
    difference::write(tx, vec![row]).await?;
    Ok(id)
}

/// Takes up what happened at the providers and was not told: webhooks get lost. How many events were new.
pub async fn gather(
    env: &Env,
    courier: &Courier,
    news: &Arc<Notify>,
    heard: &Heard,
) -> Result<usize, Failure> {
    let mut new = 0;
    for provider in courier.providers().all() {
        let now = env.clock.now();
        let since = heard.until(provider.name()).unwrap_or(now - HINTS_SINCE) - HINTS_OVERLAP;
        match provider.hints(since).await {
            Answer::Done(hints) => {
                for some in hints.chunks(BATCH as usize) {
                    new += tx::apply(&env.db, async |tx| hint::take_all(tx, now, some, news).await).await?;
                }
                heard.all_until(provider.name(), now);
            }
            other => warn!(provider = provider.name(), "The events cannot be listed: {other:?}"),
        }
    }
    Ok(new)
}

/// Until when this process has heard of everything that each provider tells. A process that starts begins a day back.
#[derive(Debug, Default)]
pub struct Heard(Mutex<HashMap<&'static str, DateTime<Utc>>>);

impl Heard {
    fn until(&self, provider: &str) -> Option<DateTime<Utc>> {
        self.0.lock().expect("no code panics while it holds this lock").get(provider).copied()
    }

    fn all_until(&self, provider: &'static str, at: DateTime<Utc>) {
        self.0.lock().expect("no code panics while it holds this lock").insert(provider, at);
    }
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
