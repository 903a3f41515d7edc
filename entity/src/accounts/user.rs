//! A person or organisation that can sign in.

use contract::{AddressId, UserId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Keyed hash of the normalised e-mail address, by which a user is found. Null when erased.
    #[sea_orm(unique)]
    pub email_hash: Option<Vec<u8>>,
    pub email_sealed: Option<Vec<u8>>,
    /// In the PHC string format. Null when erased.
    pub password_hash: Option<String>,
    /// Public.
    pub display_name: String,
    pub phone_sealed: Option<Vec<u8>>,
    /// BCP 47: how numbers, dates and addresses look.
    pub locale: String,
    /// ISO 4217: the currency in which prices are shown.
    pub currency: String,
    /// BCP 47: the language of texts and messages.
    pub language: String,
    pub marketing_opt_in: bool,
    pub default_shipping_id: Option<AddressId>,
    pub default_billing_id: Option<AddressId>,
    pub created_at: DateTimeUtc,
    pub last_login_at: Option<DateTimeUtc>,
    pub erased_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Users who have not erased their account.
    pub fn present() -> Select<Self> {
        Self::find().filter(Column::ErasedAt.is_null())
    }
}
