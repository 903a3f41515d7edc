//! Sellers as accounts tells of them, and who may change what.

use chassis::auth::{Role, Viewer};
use chassis::{Failure, Tx};
use contract::event::accounts::SellerChanged;
use contract::{SellerId, UserId};
use entity::catalog::seller::{self, Status};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

/// Who changes the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// May change everything.
    Admin,
    /// A verified seller: may change what is theirs.
    Seller(SellerId),
}

impl Actor {
    /// Whether something that `owner` made (`None`: an admin did) is theirs to change.
    pub(crate) fn may_change(self, owner: Option<SellerId>) -> bool {
        match self {
            Self::Admin => true,
            Self::Seller(seller) => owner == Some(seller),
        }
    }

    /// The seller, unless an admin acts.
    pub(crate) fn seller(self) -> Option<SellerId> {
        match self {
            Self::Admin => None,
            Self::Seller(seller) => Some(seller),
        }
    }
}

/// What `viewer` acts as. `None`: neither an admin nor a verified seller.
pub(crate) async fn acting(tx: &Tx, viewer: &Viewer) -> Result<Option<Actor>, Failure> {
    if viewer.is(Role::Admin) {
        return Ok(Some(Actor::Admin));
    }
    let shop = of_user(tx, viewer.user).await?;
    let verified = shop.filter(|shop| shop.status == Status::Verified);
    Ok(verified.map(|shop| Actor::Seller(shop.id)))
}

/// The shop of a user.
pub(crate) async fn of_user(
    db: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<seller::Model>, Failure> {
    let shops = seller::Entity::find().filter(seller::Column::UserId.eq(user));
    Ok(shops.order_by_desc(seller::Column::Id).one(db).await?)
}

/// Whether offers of `seller` can be bought.
pub(crate) async fn is_verified(db: &impl ConnectionTrait, seller: SellerId) -> Result<bool, Failure> {
    let shop = seller::Entity::find_by_id(seller).one(db).await?;
    Ok(shop.is_some_and(|shop| shop.status == Status::Verified))
}

/// Keeps what accounts says, unless something newer is known.
pub(crate) async fn mirror(tx: &Tx, version: i64, said: &SellerChanged) -> Result<(), Failure> {
    let row = seller::Model {
        id: said.seller_id,
        user_id: said.user_id,
        name: said.name.clone(),
        status: said.status.into(),
        version,
    };
    let news =
        [seller::Column::UserId, seller::Column::Name, seller::Column::Status, seller::Column::Version];
    let mut newer = OnConflict::column(seller::Column::Id);
    newer
        .update_columns(news)
        .action_and_where(Expr::col((seller::Entity, seller::Column::Version)).lt(version));
    seller::Entity::insert(row.into_active_model()).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}
