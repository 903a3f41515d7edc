//! What resolvers look up by key: one statement for all that a level of the query asks for.

use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use chassis::auth::Role;
use chassis::graph::{self, Found, failure};
use chassis::{Database, Failure};
use contract::{AddressId, SellerId, UserId};
use entity::accounts::{address, data_key, seller, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::vault::{Key, Vault};
use crate::{Accounts, role};

/// Reads the database for loaders.
pub(super) struct Rows {
    db: Database,
    vault: Arc<Vault>,
}

/// The loaders of the schema. They keep nothing.
pub(super) fn new(accounts: &Accounts) -> DataLoader<Rows> {
    let rows = Rows { db: accounts.env.db.clone(), vault: accounts.vault.clone() };
    graph::loader::<Rows, UserId>(rows)
}

/// What is there for `key`, read together with what others of the same level ask for.
pub(super) async fn load<K>(
    ctx: &Context<'_>,
    key: K,
) -> async_graphql::Result<Option<<Rows as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Rows: Loader<K, Error = Arc<Failure>>,
{
    graph::load::<Rows, K>(ctx, key).await
}

impl Loader<UserId> for Rows {
    type Value = user::Model;
    type Error = Arc<Failure>;

    async fn load(&self, ids: &[UserId]) -> Found<UserId, user::Model> {
        let users = user::Entity::find().filter(user::Column::Id.is_in(ids.iter().copied()));
        let users = users.all(self.db.read()).await.map_err(failure)?;
        Ok(users.into_iter().map(|user| (user.id, user)).collect())
    }
}

impl Loader<AddressId> for Rows {
    type Value = address::Model;
    type Error = Arc<Failure>;

    async fn load(&self, ids: &[AddressId]) -> Found<AddressId, address::Model> {
        let addresses = address::Entity::find().filter(address::Column::Id.is_in(ids.iter().copied()));
        let addresses = addresses.all(self.db.read()).await.map_err(failure)?;
        Ok(addresses.into_iter().map(|address| (address.id, address)).collect())
    }
}

/// The data key of a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct KeyOf(pub UserId);

impl Loader<KeyOf> for Rows {
    type Value = Arc<Key>;
    type Error = Arc<Failure>;

    async fn load(&self, of: &[KeyOf]) -> Found<KeyOf, Arc<Key>> {
        let keys = data_key::Entity::find().filter(data_key::Column::UserId.is_in(of.iter().map(|of| of.0)));
        let keys = keys.all(self.db.read()).await.map_err(failure)?;
        let opened = keys.iter().map(|row| Ok((KeyOf(row.user_id), Arc::new(self.vault.data_key(row)?))));
        opened.collect::<Result<_, Failure>>().map_err(Arc::new)
    }
}

/// The roles of a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RolesOf(pub UserId);

impl Loader<RolesOf> for Rows {
    type Value = Vec<Role>;
    type Error = Arc<Failure>;

    async fn load(&self, of: &[RolesOf]) -> Found<RolesOf, Vec<Role>> {
        let users: Vec<UserId> = of.iter().map(|of| of.0).collect();
        let roles = role::of_all(self.db.read(), &users).await.map_err(Arc::new)?;
        Ok(roles.into_iter().map(|(user, roles)| (RolesOf(user), roles)).collect())
    }
}

impl Loader<SellerId> for Rows {
    type Value = seller::Model;
    type Error = Arc<Failure>;

    async fn load(&self, ids: &[SellerId]) -> Found<SellerId, seller::Model> {
        let sellers = seller::Entity::find().filter(seller::Column::Id.is_in(ids.iter().copied()));
        let sellers = sellers.all(self.db.read()).await.map_err(failure)?;
        Ok(sellers.into_iter().map(|seller| (seller.id, seller)).collect())
    }
}

/// The shop of a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ShopOf(pub UserId);

impl Loader<ShopOf> for Rows {
    type Value = seller::Model;
    type Error = Arc<Failure>;

    async fn load(&self, of: &[ShopOf]) -> Found<ShopOf, seller::Model> {
        let sellers = seller::Entity::find().filter(seller::Column::UserId.is_in(of.iter().map(|of| of.0)));
        let sellers = sellers.all(self.db.read()).await.map_err(failure)?;
        Ok(sellers.into_iter().map(|seller| (ShopOf(seller.user_id), seller)).collect())
    }
}
