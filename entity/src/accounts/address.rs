//! An entry of a user's address book.

use contract::{AddressId, UserId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "address")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AddressId,
    pub user_id: UserId,
    pub recipient_sealed: Vec<u8>,
    pub line1_sealed: Vec<u8>,
    pub line2_sealed: Option<Vec<u8>>,
    pub city_sealed: Vec<u8>,
    pub region_sealed: Option<Vec<u8>>,
    pub postal_code_sealed: Option<Vec<u8>>,
    pub phone_sealed: Option<Vec<u8>>,
    /// ISO 3166-1 alpha-2. Clear, for tax and shipping rules: it names nobody.
    pub country: String,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The addresses of `user`, and of nobody else.
    pub fn of(user: UserId) -> Select<Self> {
        Self::find().filter(Column::UserId.eq(user))
    }
}
