//! Users: registering, changing what they say about themselves, and being forgotten.

use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::event::accounts::UserRegistered;
use contract::{CurrencyCode, UserId};
use entity::accounts::session::End;
use entity::accounts::{address, data_key, user, user_role};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use crate::email::Email;
use crate::text::{self, Invalid};
use crate::vault::{Key, Place, Vault};
use crate::{role, seller, session};

const DISPLAY_NAME_CHARS_MAX: usize = 100;
const LANGUAGE_DEFAULT: &str = "en";
/// What an erased user is called.
const ERASED_NAME: &str = "deleted user";

/// Somebody new.
pub struct Register {
    pub email: Email,
    /// In the PHC string format.
    pub password_hash: String,
    pub display_name: String,
    pub language: Option<String>,
}

/// Why nobody was registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterRefusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("this e-mail address has an account already")]
    EmailTaken,
}

/// Makes an account. Of two at once with one e-mail address, one is refused.
pub async fn register(
    tx: &Tx,
    now: DateTime<Utc>,
    vault: &Vault,
    command: Register,
) -> Outcome<user::Model, RegisterRefusal> {
    let row = match new_user(now, vault, command) {
        Ok(row) => row,
        Err(invalid) => return Ok(Err(invalid.into())),
    };
    let (user, key) = row;
    let inserted = user::Entity::insert(user.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 0 {
        return Ok(Err(RegisterRefusal::EmailTaken));
    }
    data_key::Entity::insert(key.into_active_model()).exec_without_returning(tx).await?;
    outbox::say(tx, now, about("user", user.id, 1), UserRegistered { user_id: user.id }).await?;
    Ok(Ok(user))
}

fn new_user(
    now: DateTime<Utc>,
    vault: &Vault,
    command: Register,
) -> Result<(user::Model, data_key::Model), Invalid> {
    let id = UserId::new();
    let display_name = text::line("displayName", &command.display_name, 1..=DISPLAY_NAME_CHARS_MAX)?;
    let language = match &command.language {
        Some(language) => text::language_tag("language", language)?,
        None => LANGUAGE_DEFAULT.to_owned(),
    };
    let (key, key_row) = vault.new_data_key(id);
    let user = user::Model {
        id,
        email_hash: Some(vault.email_hash(&command.email)),
        email_sealed: Some(key.seal_text(place(id, "email_sealed"), command.email.as_str())),
        password_hash: Some(command.password_hash),
        display_name,
        phone_sealed: None,
        locale: language.clone(),
        currency: CurrencyCode::EUR.to_string(),
        language,
        marketing_opt_in: false,
        default_shipping_id: None,
        default_billing_id: None,
        created_at: now,
        last_login_at: None,
        erased_at: None,
    };
    Ok((user, key_row))
}

/// The user with this e-mail address.
pub async fn by_email(
    db: &impl ConnectionTrait,
    vault: &Vault,
    email: &Email,
) -> Result<Option<user::Model>, Failure> {
    let hash = vault.email_hash(email);
    Ok(user::Entity::present().filter(user::Column::EmailHash.eq(hash)).one(db).await?)
}

/// A user who has not erased their account.
pub async fn present(db: &impl ConnectionTrait, id: UserId) -> Result<Option<user::Model>, Failure> {
    Ok(user::Entity::present().filter(user::Column::Id.eq(id)).one(db).await?)
}

/// The clear e-mail address; `None`: erased.
pub fn email(user: &user::Model, key: &Key) -> Result<Option<String>, Failure> {
    let sealed = user.email_sealed.as_deref();
    sealed.map(|sealed| key.open_text(place(user.id, "email_sealed"), sealed)).transpose()
}

/// The clear telephone number, if there is one.
pub fn phone(user: &user::Model, key: &Key) -> Result<Option<String>, Failure> {
    let sealed = user.phone_sealed.as_deref();
    sealed.map(|sealed| key.open_text(place(user.id, "phone_sealed"), sealed)).transpose()
}

/// What a user says about themselves. `None` stays as it is.
#[derive(Default)]
pub struct UpdateProfile {
    pub display_name: Option<String>,
    /// `Some(None)` removes it.
    pub phone: Option<Option<String>>,
    pub locale: Option<String>,
}

/// Why a profile was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateProfileRefusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("the account was erased")]
    Erased,
}

/// Changes the parts of the profile that are given.
pub async fn update_profile(
    tx: &Tx,
    vault: &Vault,
    id: UserId,
    command: UpdateProfile,
) -> Outcome<user::Model, UpdateProfileRefusal> {
    let (Some(user), Some(key)) = (lock(tx, id).await?, vault.data_key_of(tx, id).await?) else {
        return Ok(Err(UpdateProfileRefusal::Erased));
    };
    match changed_profile(&user, &key, command) {
        Ok(change) => Ok(Ok(change.update(tx).await?)),
        Err(invalid) => Ok(Err(invalid.into())),
    }
}

fn changed_profile(
    user: &user::Model,
    key: &Key,
    command: UpdateProfile,
) -> Result<user::ActiveModel, Invalid> {
    let mut change = user.clone().into_active_model();
    if let Some(name) = command.display_name {
        change.display_name = Set(text::line("displayName", &name, 1..=DISPLAY_NAME_CHARS_MAX)?);
    }
    if let Some(locale) = command.locale {
        change.locale = Set(text::language_tag("locale", &locale)?);
    }
    if let Some(phone) = command.phone {
        let phone = phone.map(|phone| text::phone("phone", &phone)).transpose()?;
        change.phone_sealed = Set(phone.map(|phone| key.seal_text(place(user.id, "phone_sealed"), &phone)));
    }
    Ok(change)
}

/// How a user wants things. `None` stays as it is.
#[derive(Default)]
pub struct UpdatePreferences {
    pub currency: Option<CurrencyCode>,
    pub language: Option<String>,
    pub marketing_opt_in: Option<bool>,
}

/// Why preferences were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdatePreferencesRefusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("the account was erased")]
    Erased,
}

/// Changes the preferences that are given.
pub async fn update_preferences(
    tx: &Tx,
    id: UserId,
    command: UpdatePreferences,
) -> Outcome<user::Model, UpdatePreferencesRefusal> {
    let Some(user) = lock(tx, id).await? else {
        return Ok(Err(UpdatePreferencesRefusal::Erased));
    };
    let mut change = user.into_active_model();
    if let Some(currency) = command.currency {
        change.currency = Set(currency.to_string());
    }
    if let Some(opt_in) = command.marketing_opt_in {
        change.marketing_opt_in = Set(opt_in);
    }
    if let Some(language) = command.language {
        match text::language_tag("language", &language) {
            Ok(language) => change.language = Set(language),
            Err(invalid) => return Ok(Err(invalid.into())),
        }
    }
    Ok(Ok(change.update(tx).await?))
}

/// Why an account was not erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EraseRefusal {
    #[error("the account was erased already")]
    Erased,
    #[error("the last admin stays one")]
    LastAdmin,
}

/// Forgets a user: the data key is destroyed, and with it what it sealed; sessions end, a shop closes, the name goes.
/// The row stays, so that what refers to it still does.
pub async fn erase(tx: &Tx, now: DateTime<Utc>, id: UserId) -> Outcome<(), EraseRefusal> {
    if lock(tx, id).await?.is_none() {
        return Ok(Err(EraseRefusal::Erased));
    }
    if role::is_last_admin(tx, id).await? {
        return Ok(Err(EraseRefusal::LastAdmin));
    }
    anonymise(tx, now, id).await?;
    data_key::Entity::delete_by_id(id).exec(tx).await?;
    address::Entity::delete_many().filter(address::Column::UserId.eq(id)).exec(tx).await?;
    user_role::Entity::delete_many().filter(user_role::Column::UserId.eq(id)).exec(tx).await?;
    session::end_all(tx, now, id, End::Erased, None).await?;
    seller::close(tx, now, id).await?;
    audit::record(tx, now, &id.to_string(), "user.erase", &id.to_string(), json!({})).await?;
    Ok(Ok(()))
}

async fn anonymise(tx: &Tx, now: DateTime<Utc>, id: UserId) -> Result<(), Failure> {
    let blank = user::ActiveModel {
        id: Unchanged(id),
        email_hash: Set(None),
        email_sealed: Set(None),
        password_hash: Set(None),
        display_name: Set(ERASED_NAME.into()),
        phone_sealed: Set(None),
        marketing_opt_in: Set(false),
        default_shipping_id: Set(None),
        default_billing_id: Set(None),
        erased_at: Set(Some(now)),
        ..Default::default()
    };
    blank.update(tx).await?;
    Ok(())
}

/// The user, whom nobody else changes until the end of the transaction.
pub async fn lock(tx: &Tx, id: UserId) -> Result<Option<user::Model>, Failure> {
    use sea_orm::QuerySelect;
    Ok(user::Entity::present().filter(user::Column::Id.eq(id)).lock_exclusive().one(tx).await?)
}

/// Replaces the password hash `known`, unless it is no longer the one.
pub async fn replace_password(tx: &Tx, id: UserId, known: &str, new: String) -> Result<bool, Failure> {
    let replaced = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::val(new))
        .filter(user::Column::Id.eq(id))
        .filter(user::Column::PasswordHash.eq(known))
        .exec(tx)
        .await?;
    Ok(replaced.rows_affected == 1)
}

fn place(id: UserId, column: &'static str) -> Place {
    Place { table: "user_account", column, id: id.0 }
}
