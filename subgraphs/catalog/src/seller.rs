//! Sellers as accounts tells of them, and who may change what.

use chassis::auth::{Role, Viewer};
use chassis::{Failure, Outcome, Tx};
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

/// Why somebody makes no offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSelling {
    /// Neither an admin nor a verified seller; or the seller that an admin named is not verified.
    NotVerified,
    /// An admin named no seller, or a seller named another one.
    NotFound,
}

/// What `viewer` acts as, and whose offers they make: their own, or as an admin those of the seller they name.
pub(crate) async fn selling(
    tx: &Tx,
    viewer: &Viewer,
    named: Option<SellerId>,
) -> Outcome<(Actor, SellerId), NotSelling> {
    let Some(actor) = acting(tx, viewer).await? else {
        return Ok(Err(NotSelling::NotVerified));
    };
    let seller = match actor {
        Actor::Admin => named,
        Actor::Seller(own) => Some(own).filter(|own| named.is_none_or(|named| named == *own)),
    };
    let Some(seller) = seller else {
        return Ok(Err(NotSelling::NotFound));
    };
    if actor == Actor::Admin && !is_verified(tx, seller).await? {
        return Ok(Err(NotSelling::NotVerified));
    }
    Ok(Ok((actor, seller)))
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
