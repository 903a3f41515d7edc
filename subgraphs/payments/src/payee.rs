//! Whether sellers can be paid: what markets want to know before they let somebody sell. Said when it is first known, and
//! whenever it changes.

use chassis::outbox::{self, about};
use chassis::tx::{self, insert_unless_there};
use chassis::{Env, Failure, Tx};
use chrono::{DateTime, Utc};
use contract::SellerId;
use contract::event::payments::PayeeChanged;
use entity::payments::payee::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use crate::provider::PaymentProvider;

/// Sellers in one round.
const ROUND_MAX: u64 = 256;

/// Whoever is new has no account yet: whether that matters is the provider's to say.
pub(crate) async fn meet(
    tx: &Tx,
    now: DateTime<Utc>,
    provider: &dyn PaymentProvider,
    sellers: impl Iterator<Item = SellerId>,
) -> Result<(), Failure> {
    for seller_id in sellers {
        let row = first(seller_id, provider, provider.pays_without_account());
        if insert_unless_there(tx, row.clone()).await? {
            say(tx, now, &row).await?;
        }
    }
    Ok(())
}

/// Notes whether the provider can pay a seller, and says so if that is news.
pub(crate) async fn note(
    env: &Env,
    seller_id: SellerId,
    provider: &dyn PaymentProvider,
    ready: bool,
) -> Result<(), Failure> {
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| change(tx, now, first(seller_id, provider, ready)).await).await
}

/// Who pays may be another now than when it was said: sellers begin there anew. One round; how many.
pub(crate) async fn follow_provider(env: &Env, provider: &dyn PaymentProvider) -> Result<usize, Failure> {
    let elsewhere = || Entity::find().filter(Column::Provider.ne(provider.name())).limit(ROUND_MAX);
    let rows = elsewhere().all(env.db.look()).await?;
    for row in &rows {
        note(env, row.seller_id, provider, provider.pays_without_account()).await?;
    }
    Ok(rows.len())
}

async fn change(tx: &Tx, now: DateTime<Utc>, row: Model) -> Result<(), Failure> {
    if insert_unless_there(tx, row.clone()).await? {
        return say(tx, now, &row).await;
    }
    let differs = Condition::any().add(Column::Provider.ne(&row.provider)).add(Column::Ready.ne(row.ready));
    let changed = Entity::update_many()
        .col_expr(Column::Provider, Expr::val(&row.provider))
        .col_expr(Column::Ready, Expr::val(row.ready))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::SellerId.eq(row.seller_id))
        .filter(differs)
        .exec(tx)
        .await?;
    match Entity::find_by_id(row.seller_id).one(tx).await?.filter(|_| changed.rows_affected == 1) {
        Some(row) => say(tx, now, &row).await,
        None => Ok(()),
    }
}

fn first(seller_id: SellerId, provider: &dyn PaymentProvider, ready: bool) -> Model {
    Model { seller_id, provider: provider.name().into(), ready, version: 1 }
}

async fn say(tx: &Tx, now: DateTime<Utc>, row: &Model) -> Result<(), Failure> {
    let said = PayeeChanged { seller_id: row.seller_id, ready: row.ready };
    outbox::say(tx, now, about("payee", row.seller_id, row.version), said).await
}
