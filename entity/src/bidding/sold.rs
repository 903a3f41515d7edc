//! What sellers have sold in each quarter: their level follows from it.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sold")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub currency: String,
    /// Its first second.
    #[sea_orm(primary_key, auto_increment = false)]
    pub quarter: DateTimeUtc,
    pub pieces: i64,
    pub turnover_minor: i64,
}

impl ActiveModelBehavior for ActiveModel {}
