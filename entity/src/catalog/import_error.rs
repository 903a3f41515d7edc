//! What was wrong with rows of a file.

use contract::ImportJobId;

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_error")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: ImportJobId,
    /// Counts up from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub line: i64,
    pub column_number: Option<i32>,
    pub field: Option<String>,
    pub code: String,
    pub message: String,
}

impl ActiveModelBehavior for ActiveModel {}
