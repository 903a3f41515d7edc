//! Who keeps shop: a seller their own, an admin everybody's.

use std::time::Duration;

use chassis::{Database, Failure};
use contract::{SellerId, UserId};
use entity::orders::seller;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

/// How often to look whether a shop's event has arrived.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Somebody who sells. Every finder of sellers' things takes one, so that forgetting whose they are cannot happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The user behind a shop: that shop only.
    Seller(UserId),
    Admin(UserId),
}

impl Keeper {
    /// The name in logs.
    pub fn actor(self) -> String {
        match self {
            Self::Seller(user) | Self::Admin(user) => user.to_string(),
        }
    }

    /// The rows whose `seller` column names a shop of this keeper.
    pub fn keeps(self, seller: impl ColumnTrait) -> Condition {
        let Self::Seller(user) = self else {
            return Condition::all();
        };
        let shops = Query::select()
            .column((seller::Entity, seller::Column::SellerId))
            .from(seller::Entity)
            .and_where(Expr::col((seller::Entity, seller::Column::UserId)).eq(user))
            .take();
        Condition::all().add(seller.in_subquery(shops))
    }

    /// The shop to act for: `named` if it is this keeper's, else the only one they have. `None`: no such shop.
    pub async fn shop(
        self,
        db: &impl ConnectionTrait,
        named: Option<SellerId>,
    ) -> Result<Option<SellerId>, Failure> {
        let shops = match (self, named) {
            (_, Some(seller)) => {
                seller::Entity::find_by_id(seller).filter(self.keeps(seller::Column::SellerId))
            }
            (Self::Seller(_), None) => seller::Entity::find().filter(self.keeps(seller::Column::SellerId)),
            (Self::Admin(_), None) => return Ok(None),
        };
        let shops = shops.all(db).await?;
        Ok(match shops.as_slice() {
            [shop] => Some(shop.seller_id),
            _ => None,
        })
    }

    /// Whether one of `sellers` is this keeper's.
    pub async fn shop_in(
        self,
        db: &impl ConnectionTrait,
        sellers: impl IntoIterator<Item = SellerId>,
    ) -> Result<bool, Failure> {
        let own = seller::Entity::find()
            .filter(seller::Column::SellerId.is_in(sellers))
            .filter(self.keeps(seller::Column::SellerId));
        Ok(own.one(db).await?.is_some())
    }

    /// Waits until [`shop`](Self::shop) finds one, at most `timeout`: a seller verified a moment ago may begin at once.
    pub async fn wait_for_shop(
        self,
        db: &Database,
        named: Option<SellerId>,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let looking = async {
            while self.shop(db.read(), named).await?.is_none() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Ok(())
        };
        tokio::time::timeout(timeout, looking).await.unwrap_or(Ok(()))
    }
}
