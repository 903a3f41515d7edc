//! Roles that an admin gave. Everybody is a buyer, and a verified shop makes a seller: neither has a row.

use contract::UserId;

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_role")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: Granted,
    pub granted_at: DateTimeUtc,
    /// A user id, or the command that did it.
    pub granted_by: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Granted {
    Authenticator,
    Admin,
}

impl ActiveModelBehavior for ActiveModel {}
