//! The address book. Every field that names a person or a place is sealed with the user's data key.

use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{AddressId, UserId};
use entity::accounts::{address, user};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder,
};

use crate::text::{self, Invalid};
use crate::user as people;
use crate::vault::{Key, Place, Vault};

/// Addresses of one user.
pub const ADDRESSES_MAX: u64 = 50;
const LINE_CHARS_MAX: usize = 200;
const POSTAL_CODE_CHARS_MAX: usize = 20;

/// A postal address in clear.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Postal {
    pub recipient: String,
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub phone: Option<String>,
}

/// For which purposes an address is proposed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Defaults {
    pub shipping: bool,
    pub billing: bool,
}

impl Postal {
    /// The address with each text in its kept form.
    pub fn checked(self) -> Result<Self, Invalid> {
        let phone = self.phone.filter(|phone| !phone.trim().is_empty());
        Ok(Self {
            recipient: text::line("recipient", &self.recipient, 1..=LINE_CHARS_MAX)?,
            line1: text::line("line1", &self.line1, 1..=LINE_CHARS_MAX)?,
            line2: text::optional_line("line2", self.line2.as_deref(), LINE_CHARS_MAX)?,
            city: text::line("city", &self.city, 1..=LINE_CHARS_MAX)?,
            region: text::optional_line("region", self.region.as_deref(), LINE_CHARS_MAX)?,
            postal_code: text::optional_line(
                "postalCode",
                self.postal_code.as_deref(),
                POSTAL_CODE_CHARS_MAX,
            )?,
            country: text::country("country", &self.country)?,
            phone: phone.map(|phone| text::phone("phone", &phone)).transpose()?,
        })
    }
}

/// Why an address was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddRefusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("an address book holds at most {ADDRESSES_MAX} addresses")]
    Full,
    #[error("the account was erased")]
    Erased,
    #[error("the idempotency key was used for another address")]
    KeyReused,
}

impl From<chassis::idempotency::Conflict> for AddRefusal {
    fn from(_: chassis::idempotency::Conflict) -> Self {
        Self::KeyReused
    }
}

/// Adds an address; the first one becomes the default for everything.
pub async fn add(
    tx: &Tx,
    now: DateTime<Utc>,
    vault: &Vault,
    user: UserId,
    postal: Postal,
    defaults: Defaults,
) -> Outcome<AddressId, AddRefusal> {
    let postal = match postal.checked() {
        Ok(postal) => postal,
        Err(invalid) => return Ok(Err(invalid.into())),
    };
    // Under the user's lock the count holds.
    let (Some(owner), Some(key)) = (people::lock(tx, user).await?, vault.data_key_of(tx, user).await?) else {
        return Ok(Err(AddRefusal::Erased));
    };
    let others = address::Entity::of(user).count(tx).await?;
    if others >= ADDRESSES_MAX {
        return Ok(Err(AddRefusal::Full));
    }
    let row = sealed(AddressId::new(), user, now, &key, &postal);
    let id = row.id;
    address::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    let first = others == 0;
    let defaults = Defaults { shipping: defaults.shipping || first, billing: defaults.billing || first };
    set_defaults(tx, owner, id, defaults).await?;
    Ok(Ok(id))
}

/// Why an address was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("there is no such address in your address book")]
    NotFound,
}

/// Replaces an address of `user`. A default that is `false` here is left where it is.
pub async fn change(
    tx: &Tx,
    vault: &Vault,
    user: UserId,
    id: AddressId,
    postal: Postal,
    defaults: Defaults,
) -> Outcome<AddressId, ChangeRefusal> {
    let postal = match postal.checked() {
        Ok(postal) => postal,
        Err(invalid) => return Ok(Err(invalid.into())),
    };
    let (Some(owner), Some(key)) = (people::lock(tx, user).await?, vault.data_key_of(tx, user).await?) else {
        return Ok(Err(ChangeRefusal::NotFound));
    };
    let own = address::Entity::of(user).filter(address::Column::Id.eq(id)).one(tx).await?;
    let Some(own) = own else {
        return Ok(Err(ChangeRefusal::NotFound));
    };
    let row = sealed(id, user, own.created_at, &key, &postal);
    row.into_active_model().reset_all().update(tx).await?;
    set_defaults(tx, owner, id, defaults).await?;
    Ok(Ok(id))
}

/// Why an address was not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoveRefusal {
    #[error("there is no such address in your address book")]
    NotFound,
}

/// Removes an address of `user`; what it was the default for has none then.
pub async fn remove(tx: &Tx, user: UserId, id: AddressId) -> Outcome<AddressId, RemoveRefusal> {
    let Some(owner) = people::lock(tx, user).await? else {
        return Ok(Err(RemoveRefusal::NotFound));
    };
    let removed = address::Entity::delete_many()
        .filter(address::Column::Id.eq(id))
        .filter(address::Column::UserId.eq(user))
        .exec(tx)
        .await?;
    if removed.rows_affected == 0 {
        return Ok(Err(RemoveRefusal::NotFound));
    }
    let (shipping, billing) = (owner.default_shipping_id, owner.default_billing_id);
    let mut change = owner.into_active_model();
    if shipping == Some(id) {
        change.default_shipping_id = Set(None);
    }
    if billing == Some(id) {
        change.default_billing_id = Set(None);
    }
    change.update(tx).await?;
    Ok(Ok(id))
}

/// The address book of `user`, oldest first. At most [`ADDRESSES_MAX`].
pub async fn of(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<address::Model>, Failure> {
    Ok(address::Entity::of(user).order_by_asc(address::Column::Id).all(db).await?)
}

async fn set_defaults(tx: &Tx, owner: user::Model, id: AddressId, defaults: Defaults) -> Result<(), Failure> {
    let mut change = owner.into_active_model();
    if defaults.shipping {
        change.default_shipping_id = Set(Some(id));
    }
    if defaults.billing {
        change.default_billing_id = Set(Some(id));
    }
    change.update(tx).await?;
    Ok(())
}

fn sealed(
    id: AddressId,
    user: UserId,
    created_at: DateTime<Utc>,
    key: &Key,
    postal: &Postal,
) -> address::Model {
    let seal = |column, text: &str| key.seal_text(place(id, column), text);
    let seal_optional = |column, text: &Option<String>| text.as_deref().map(|text| seal(column, text));
    address::Model {
        id,
        user_id: user,
        recipient_sealed: seal("recipient_sealed", &postal.recipient),
        line1_sealed: seal("line1_sealed", &postal.line1),
        line2_sealed: seal_optional("line2_sealed", &postal.line2),
        city_sealed: seal("city_sealed", &postal.city),
        region_sealed: seal_optional("region_sealed", &postal.region),
        postal_code_sealed: seal_optional("postal_code_sealed", &postal.postal_code),
        phone_sealed: seal_optional("phone_sealed", &postal.phone),
        country: postal.country.clone(),
        created_at,
    }
}

/// The address in clear.
pub fn open(row: &address::Model, key: &Key) -> Result<Postal, Failure> {
    let open = |column, sealed: &Vec<u8>| key.open_text(place(row.id, column), sealed);
    let open_optional =
        |column, sealed: &Option<Vec<u8>>| sealed.as_ref().map(|sealed| open(column, sealed)).transpose();
    Ok(Postal {
        recipient: open("recipient_sealed", &row.recipient_sealed)?,
        line1: open("line1_sealed", &row.line1_sealed)?,
        line2: open_optional("line2_sealed", &row.line2_sealed)?,
        city: open("city_sealed", &row.city_sealed)?,
        region: open_optional("region_sealed", &row.region_sealed)?,
        postal_code: open_optional("postal_code_sealed", &row.postal_code_sealed)?,
        country: row.country.clone(),
        phone: open_optional("phone_sealed", &row.phone_sealed)?,
    })
}

fn place(id: AddressId, column: &'static str) -> Place {
    Place { table: "address", column, id: id.0 }
}
