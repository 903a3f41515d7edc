//! Files of goods on their way into the catalog. `Running` becomes `Done` or `Cancelled`, once.

use contract::{ImportJobId, SellerId, UserId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImportJobId,
    /// Whose it is. Null: the command line's.
    pub owner: Option<UserId>,
    /// Who offers the goods. Null: nobody.
    pub seller_id: Option<SellerId>,
    /// Whether it creates products; else it proposes them.
    pub creates: bool,
    /// Whether it changes nothing.
    pub dry_run: bool,
    /// The SHA-256 of the file.
    pub file_hash: String,
    pub state: State,
    /// Null: nobody has counted them.
    pub rows_total: Option<i64>,
    /// The batch that comes next.
    pub position: i64,
    pub rows_done: i64,
    pub rows_refused: i64,
    /// Errors found, of which the first ones are kept.
    pub errors: i64,
    pub products: i64,
    pub proposals: i64,
    pub offers_new: i64,
    pub offers_changed: i64,
    pub unchanged: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Running,
    Done,
    Cancelled,
}

impl ActiveModelBehavior for ActiveModel {}
