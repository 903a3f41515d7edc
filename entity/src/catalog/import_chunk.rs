//! Batches of rows that wait for their turn.

use contract::ImportJobId;

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_chunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: ImportJobId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The rows, as JSON.
    #[sea_orm(column_type = "Text")]
    pub batch: String,
}

impl ActiveModelBehavior for ActiveModel {}
