//! A hint of a provider that something happened. What happened is read from the provider.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    pub kind: String,
    /// The provider's name of what it is about.
    pub reference: Option<String>,
    pub body: String,
    pub state: State,
    pub received_at: DateTimeUtc,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// It is about a payment of ours: that is read, unless it tells what is known.
    Applied,
    /// It is about nothing of ours, or tells nothing.
    Ignored,
}

impl ActiveModelBehavior for ActiveModel {}
