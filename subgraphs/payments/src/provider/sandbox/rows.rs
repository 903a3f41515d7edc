//! The sandbox's rows: what requests are about, and what was kept.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Failure, Tx};
use entity::payments::{sandbox_call, sandbox_object, sandbox_setting};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::faults::Faults;
use super::world::{Asked, World};

/// The row with the faults.
pub(super) const FAULTS: &str = "faults";

pub(super) async fn calls(
    tx: &Tx,
    asked: &[Asked],
) -> Result<BTreeMap<String, sandbox_call::Model>, Failure> {
    let keys: BTreeSet<&str> = asked.iter().map(|asked| asked.key.as_str()).collect();
    let rows = sandbox_call::Entity::find()
        .filter(sandbox_call::Column::Key.is_in(keys))
        .order_by_asc(sandbox_call::Column::Key)
        .lock_exclusive()
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.key.clone(), row)).collect())
}

/// What the requests name, and what was made of it.
pub(super) async fn objects(
    tx: &Tx,
    asked: &[Asked],
) -> Result<BTreeMap<String, sandbox_object::Model>, Failure> {
    let named: BTreeSet<&str> = asked.iter().filter_map(|asked| asked.request.names()).collect();
    if named.is_empty() {
        return Ok(BTreeMap::new());
    }
    let these = Condition::any()
        .add(sandbox_object::Column::Id.is_in(named.iter().copied()))
        .add(sandbox_object::Column::Parent.is_in(named.iter().copied()));
    let rows = sandbox_object::Entity::find()
        .filter(these)
        .order_by_asc(sandbox_object::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), row)).collect())
}

pub(super) async fn store(
    tx: &Tx,
    calls: BTreeMap<String, sandbox_call::Model>,
    world: &World,
) -> Result<(), Failure> {
    use sandbox_object::Column::{AmountMinor, BalanceMinor, FeeMinor, HeldUntil, Status};
    let answer = OnConflict::column(sandbox_call::Column::Key)
        .update_columns([sandbox_call::Column::Answer, sandbox_call::Column::Seen])
        .to_owned();
    sandbox_call::Entity::insert_many(calls.into_values().map(IntoActiveModel::into_active_model))
        .on_conflict(answer)
        .exec_without_returning(tx)
        .await?;
    if world.changed.is_empty() {
        return Ok(());
    }
    let changed = OnConflict::column(sandbox_object::Column::Id)
        .update_columns([Status, AmountMinor, FeeMinor, BalanceMinor, HeldUntil])
        .to_owned();
    let rows = world.changed.iter().filter_map(|id| world.objects.get(id)).cloned();
    sandbox_object::Entity::insert_many(rows.map(IntoActiveModel::into_active_model))
        .on_conflict(changed)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

pub(super) async fn faults(db: &impl ConnectionTrait) -> Result<Faults, Failure> {
    let row = sandbox_setting::Entity::find_by_id(FAULTS.to_owned()).one(db).await?;
    row.map_or_else(|| Ok(Faults::default()), |row| Ok(serde_json::from_str(&row.value)?))
}
