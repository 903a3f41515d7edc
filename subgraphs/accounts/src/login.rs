//! Signing in with a password. An unknown user and a wrong password are one answer, in text and in time.

use chassis::{Database, Failure, Outcome, audit, tx};
use chrono::{DateTime, Utc};
use contract::{SessionId, UserId};
use entity::accounts::session::End;
use entity::accounts::user;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::email::Email;
use crate::password::{NotDone, Password, Passwords};
use crate::session::{self, Granted};
use crate::text::Invalid;
use crate::vault::Vault;

/// Who wants in.
pub struct LogIn {
    /// `None`: the text was no e-mail address.
    pub email: Option<Email>,
    pub password: String,
    pub device: Option<String>,
}

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogInRefusal {
    #[error("the e-mail address or the password is wrong")]
    BadCredentials,
}

/// Checks the password and starts a session.
///
/// # Errors
/// `RATE_LIMITED` when too many passwords wait to be checked.
pub async fn log_in(
    db: &Database,
    now: DateTime<Utc>,
    vault: &Vault,
    passwords: &Passwords,
    command: LogIn,
) -> Result<Result<(user::Model, Granted), LogInRefusal>, NotDone> {
    let user = match &command.email {
        Some(email) => crate::user::by_email(db.read(), vault, email).await?,
        None => None,
    };
    let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let fits = passwords.fits(&command.password, hash).await?;
    let known = user.as_ref().map(|user| user.id);
    let admitted = match (user, fits) {
        (Some(user), true) => admit(db, now, user, command.device).await?,
        _ => None,
    };
    if admitted.is_none() {
        record_failure(db, now, known).await?;
    }
    Ok(admitted.ok_or(LogInRefusal::BadCredentials))
}

/// Starts the session, unless the password was changed while it was checked.
async fn admit(
    db: &Database,
    now: DateTime<Utc>,
    user: user::Model,
    device: Option<String>,
) -> Result<Option<(user::Model, Granted)>, Failure> {
    tx::apply(db, async |tx| {
        let same = user::Entity::update_many()
            .col_expr(user::Column::LastLoginAt, Expr::val(now))
            .filter(user::Column::Id.eq(user.id))
            .filter(user::Column::PasswordHash.eq(user.password_hash.clone()))
            .exec(tx)
            .await?;
        if same.rows_affected == 0 {
            return Ok(None);
        }
        let granted = session::start(tx, now, user.id, device).await?;
        let actor = user.id.to_string();
        audit::record(tx, now, &actor, "login", &granted.session.to_string(), json!({})).await?;
        Ok(Some((user, granted)))
    })
    .await
}

/// Without the e-mail address, which may be anybody's, or a password typed into the wrong field.
async fn record_failure(db: &Database, now: DateTime<Utc>, user: Option<UserId>) -> Result<(), Failure> {
    let subject = user.map_or_else(|| "unknown".to_owned(), |user| user.to_string());
    tx::apply(db, async |tx| audit::record(tx, now, "anonymous", "login.failed", &subject, json!({})).await)
        .await
}

/// Why a password was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangePasswordRefusal {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("the current password is wrong")]
    BadCredentials,
}

/// Replaces the password and ends every session but the one that asks.
///
/// # Errors
/// As [`log_in`].
pub async fn change_password(
    db: &Database,
    now: DateTime<Utc>,
    passwords: &Passwords,
    (user, session): (UserId, SessionId),
    current: &str,
    new: &str,
) -> Result<Result<user::Model, ChangePasswordRefusal>, NotDone> {
    let new = match Password::new("newPassword", new) {
        Ok(new) => new,
        Err(invalid) => return Ok(Err(invalid.into())),
    };
    let Some((user, known)) = confirm(db, passwords, user, current).await? else {
        return Ok(Err(ChangePasswordRefusal::BadCredentials));
    };
    let hash = passwords.hash(new).await?;
    let changed = replace(db, now, &user, session, &known, hash).await?;
    Ok(changed.map(|()| user))
}

async fn replace(
    db: &Database,
    now: DateTime<Utc>,
    user: &user::Model,
    session: SessionId,
    known: &str,
    hash: String,
) -> Outcome<(), ChangePasswordRefusal> {
    tx::run(db, async |tx| {
        if !crate::user::replace_password(tx, user.id, known, hash).await? {
            return Ok(Err(ChangePasswordRefusal::BadCredentials));
        }
        session::end_all(tx, now, user.id, End::PasswordChanged, Some(session)).await?;
        let id = user.id.to_string();
        audit::record(tx, now, &id, "password.change", &id, json!({})).await?;
        Ok(Ok(()))
    })
    .await
}

/// The user and the password hash, when `password` is right.
///
/// # Errors
/// As [`log_in`].
pub async fn confirm(
    db: &Database,
    passwords: &Passwords,
    user: UserId,
    password: &str,
) -> Result<Option<(user::Model, String)>, NotDone> {
    let user = crate::user::present(db.read(), user).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let fits = passwords.fits(password, hash.as_deref()).await?;
    Ok(user.zip(hash).filter(|_| fits))
}
