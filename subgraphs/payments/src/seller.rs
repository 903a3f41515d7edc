//! The mirror of accounts' sellers: whose money it is. And who may look at it.

use std::collections::HashMap;

use chassis::auth::{Role, Viewer};
use chassis::{Denied, Failure, Tx};
use contract::event::accounts::SellerChanged;
use contract::{SellerId, UserId};
use entity::payments::seller::{self, Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

/// Takes over what accounts said, each with the version of its seller. What is older than the mirror changes nothing.
pub async fn hear(tx: &Tx, changes: impl Iterator<Item = (&SellerChanged, i64)>) -> Result<(), Failure> {
    let mut newest: HashMap<SellerId, seller::Model> = HashMap::new();
    for (change, version) in changes {
        if newest.get(&change.seller_id).is_none_or(|known| known.version < version) {
            let row = seller::Model { seller_id: change.seller_id, user_id: change.user_id, version };
            newest.insert(change.seller_id, row);
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let older = Expr::col((Entity, Column::Version)).lt(Expr::col(("excluded", Column::Version)));
    let take_over = OnConflict::column(Column::SellerId)
        .update_columns([Column::UserId, Column::Version])
        .action_and_where(older)
        .to_owned();
    Entity::insert_many(newest.into_values().map(IntoActiveModel::into_active_model))
        .on_conflict(take_over)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Somebody who may look at sellers' money: their own, or as an admin everybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bookkeeper {
    Seller(UserId),
    Admin,
}

impl Bookkeeper {
    /// # Errors
    /// `UNAUTHENTICATED` or `FORBIDDEN`.
    pub fn of(viewer: &Viewer) -> Result<Self, Denied> {
        if viewer.is(Role::Admin) {
            Ok(Self::Admin)
        } else if viewer.is(Role::Seller) {
            Ok(Self::Seller(viewer.user))
        } else {
            Err(Denied::RoleMissing(Role::Seller))
        }
    }

    /// The shop that is `named`, if it is theirs; without a name a seller's own.
    pub async fn shop(
        self,
        db: &impl ConnectionTrait,
        named: Option<SellerId>,
    ) -> Result<Option<SellerId>, Failure> {
        let theirs = match self {
            Self::Seller(user) => Condition::all().add(Column::UserId.eq(user)),
            Self::Admin => Condition::all(),
        };
        let wanted = match (self, named) {
            (_, Some(seller)) => Condition::all().add(Column::SellerId.eq(seller)),
            (Self::Seller(_), None) => Condition::all(),
            (Self::Admin, None) => return Ok(None),
        };
        let shops = Entity::find().filter(theirs).filter(wanted).all(db).await?;
        Ok(match shops.as_slice() {
            [shop] => Some(shop.seller_id),
            _ => None,
        })
    }
}
