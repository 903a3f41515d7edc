//! The mirror of accounts' sellers: whose stock it is and whether they may sell.

use std::collections::HashMap;

use chassis::{Failure, Tx};
use contract::event::accounts::{SellerChanged, SellerStatus};
use entity::inventory::seller::{self, Status};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel};

/// Takes over what accounts said, each with the version of its seller. What is older than the mirror changes nothing.
pub async fn hear(tx: &Tx, changes: impl Iterator<Item = (&SellerChanged, i64)>) -> Result<(), Failure> {
    let mut newest: HashMap<_, seller::Model> = HashMap::new();
    for (change, version) in changes {
        if newest.get(&change.seller_id).is_none_or(|known| known.version < version) {
            newest.insert(change.seller_id, mirrored(change, version));
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let older = Expr::col((seller::Entity, seller::Column::Version))
        .lt(Expr::col(("excluded", seller::Column::Version)));
    let take_over = OnConflict::column(seller::Column::SellerId)
        .update_columns([seller::Column::UserId, seller::Column::Status, seller::Column::Version])
        .action_and_where(older)
        .to_owned();
    seller::Entity::insert_many(newest.into_values().map(IntoActiveModel::into_active_model))
        .on_conflict(take_over)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn mirrored(change: &SellerChanged, version: i64) -> seller::Model {
    seller::Model {
        seller_id: change.seller_id,
        user_id: change.user_id,
        status: match change.status {
            SellerStatus::Pending => Status::Pending,
            SellerStatus::Verified => Status::Verified,
            SellerStatus::Rejected => Status::Rejected,
            SellerStatus::Suspended => Status::Suspended,
        },
        version,
    }
}
