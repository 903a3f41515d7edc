//! Who may do a job that only one process may do at a time.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub holder: Uuid,
    pub expires_at: DateTimeUtc,
    /// Rises with every change of holder.
    pub epoch: i64,
}

impl ActiveModelBehavior for ActiveModel {}
