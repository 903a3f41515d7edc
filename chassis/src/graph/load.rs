//! What a subgraph's loaders have in common.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::TokioSpawner;
use async_graphql::{Context, Error};

use super::batch::{NextTurn, WithTheRequest};
use crate::Failure;

/// What a loader found, by key. The failure of a batch is told to each that asked.
pub type Found<K, V> = Result<HashMap<K, V>, Arc<Failure>>;

/// A data loader that sends its batch as soon as every resolver of the level has asked, instead of after a millisecond.
pub fn loader<L, K>(loader: L) -> DataLoader<L>
where
    L: Loader<K>,
    K: Send + Sync + Hash + Eq + Clone + 'static,
{
    DataLoader::new(loader, WithTheRequest(TokioSpawner::current()), NextTurn)
}

/// What the schema's loader `L` has for `key`, read together with what others of the same level ask for.
pub async fn load<L, K>(ctx: &Context<'_>, key: K) -> async_graphql::Result<Option<L::Value>>
where
    L: Loader<K, Error = Arc<Failure>>,
    K: Send + Sync + Hash + Eq + Clone + 'static,
{
    ctx.data_unchecked::<DataLoader<L>>().load_one(key).await.map_err(shared)
}

/// What the schema's loader `L` has for each of `keys`.
pub async fn load_many<L, K>(
    ctx: &Context<'_>,
    keys: impl IntoIterator<Item = K>,
) -> async_graphql::Result<HashMap<K, L::Value>>
where
    L: Loader<K, Error = Arc<Failure>>,
    K: Send + Sync + Hash + Eq + Clone + 'static,
{
    ctx.data_unchecked::<DataLoader<L>>().load_many(keys).await.map_err(shared)
}

/// A failure that is told to several, as each one's error.
pub fn shared(failure: Arc<Failure>) -> Error {
    Error { message: failure.to_string(), source: Some(failure), extensions: None }
}

/// For `map_err` in a loader.
pub fn failure(error: impl Into<Failure>) -> Arc<Failure> {
    Arc::new(error.into())
}
