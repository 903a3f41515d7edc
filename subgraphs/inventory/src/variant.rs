//! The mirror of catalog's variants: the numbers by which systems outside name goods.

use std::collections::HashMap;

use chassis::{Failure, Tx};
use contract::event::catalog::VariantChanged;
use entity::inventory::variant::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel};

/// Takes over what catalog said, each with the version of its variant. What is older than the mirror changes nothing.
pub async fn hear(tx: &Tx, changes: impl Iterator<Item = (&VariantChanged, i64)>) -> Result<(), Failure> {
    let mut newest: HashMap<_, Model> = HashMap::new();
    for (change, version) in changes {
        if newest.get(&change.variant_id).is_none_or(|known| known.version < version) {
            let (sku, gtin) = (change.sku.clone(), change.gtin.clone());
            newest.insert(change.variant_id, Model { variant_id: change.variant_id, sku, gtin, version });
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let older = Expr::col((Entity, Column::Version)).lt(Expr::col(("excluded", Column::Version)));
    let take_over = OnConflict::column(Column::VariantId)
        .update_columns([Column::Sku, Column::Gtin, Column::Version])
        .action_and_where(older)
        .to_owned();
    Entity::insert_many(newest.into_values().map(IntoActiveModel::into_active_model))
        .on_conflict(take_over)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
