//! Making an account, guarding it and leaving it.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::graph::ClientAddress;
use chassis::tx;

use super::acting::acting;
use super::cookie::{self, RefreshTokenDelivery};
use super::session::Tokens;
use super::user::User;
use crate::email::Email;
use crate::login::{self, ChangePasswordRefusal};
use crate::password::Password;
use crate::text::{self, Invalid};
use crate::user::{self, EraseRefusal, Register, RegisterRefusal};
use crate::{Accounts, session};

/// Who registers.
#[derive(InputObject)]
struct RegisterInput {
    /// To sign in with; upper and lower case are the same.
    email: String,
    /// 8 to 256 characters of any kind.
    password: String,
    /// How you are called in public, 1 to 100 characters.
    display_name: String,
    /// The language tag of texts and messages, such as `de`; `en` when left out.
    language: Option<String>,
    /// What this device is called in the list of sessions, at most 100 characters.
    device: Option<String>,
    /// Where the refresh token goes.
    #[graphql(default)]
    refresh_token_delivery: RefreshTokenDelivery,
}

/// What came of `register`.
#[derive(SimpleObject)]
struct RegisterPayload {
    /// The new user, who is signed in.
    user: Option<User>,
    /// What to send with further requests.
    tokens: Option<Tokens>,
    /// Why nobody was registered.
    user_errors: Vec<RegisterError>,
}

refusals! {
    /// Why nobody was registered.
    RegisterError,
    /// Why nobody was registered.
    RegisterErrorCode {
        /// The e-mail address has an account already.
        EmailTaken,
        /// A value is too long, too short or not of the right form.
        InvalidInput,
    }
}

impl From<RegisterRefusal> for RegisterError {
    fn from(refusal: RegisterRefusal) -> Self {
        match refusal {
            RegisterRefusal::Invalid(invalid) => {
                Self::new(RegisterErrorCode::InvalidInput, &["input", invalid.field], invalid.message)
            }
            RegisterRefusal::EmailTaken => {
                Self::new(RegisterErrorCode::EmailTaken, &["input", "email"], refusal)
            }
        }
    }
}

/// A new password.
#[derive(InputObject)]
struct ChangePasswordInput {
    /// The password until now.
    current_password: String,
    /// 8 to 256 characters of any kind.
    new_password: String,
}

/// What came of `changePassword`.
#[derive(SimpleObject)]
struct ChangePasswordPayload {
    /// You.
    user: Option<User>,
    /// Why the password is the same.
    user_errors: Vec<ChangePasswordError>,
}

refusals! {
    /// Why a password was not changed.
    ChangePasswordError,
    /// Why a password was not changed.
    ChangePasswordErrorCode {
        /// The current password is wrong.
        BadCredentials,
        /// The new password is too short or too long.
        InvalidInput,
    }
}

impl From<ChangePasswordRefusal> for ChangePasswordError {
    fn from(refusal: ChangePasswordRefusal) -> Self {
        use ChangePasswordErrorCode::{BadCredentials, InvalidInput};
        match refusal {
            ChangePasswordRefusal::Invalid(invalid) => {
                Self::new(InvalidInput, &["input", invalid.field], invalid.message)
            }
            ChangePasswordRefusal::BadCredentials => {
                Self::new(BadCredentials, &["input", "currentPassword"], refusal)
            }
        }
    }
}

/// Confirms that it is you.
#[derive(InputObject)]
struct EraseAccountInput {
    /// Your password.
    password: String,
}

/// What came of `eraseAccount`.
#[derive(SimpleObject)]
struct EraseAccountPayload {
    /// Whether the account is gone.
    erased: bool,
    /// Why it is not.
    user_errors: Vec<EraseAccountError>,
}

refusals! {
    /// Why an account was not erased.
    EraseAccountError,
    /// Why an account was not erased.
    EraseAccountErrorCode {
        /// The password is wrong.
        BadCredentials,
        /// The last admin cannot go: make another one first.
        LastAdmin,
        /// It was erased already.
        Erased,
    }
}

impl From<EraseRefusal> for EraseAccountError {
    fn from(refusal: EraseRefusal) -> Self {
        let code = match refusal {
            EraseRefusal::Erased => EraseAccountErrorCode::Erased,
            EraseRefusal::LastAdmin => EraseAccountErrorCode::LastAdmin,
        };
        Self::new(code, &[], refusal)
    }
}

#[derive(Default)]
pub(super) struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Makes an account and signs it in. It needs no idempotency key: one e-mail address is one account, so a repeat is
    /// answered with `EMAIL_TAKEN`.
    async fn register(&self, ctx: &Context<'_>, input: RegisterInput) -> Result<RegisterPayload> {
        let accounts = ctx.data_unchecked::<Accounts>();
        accounts.throttle.address(ctx.data_opt::<ClientAddress>())?;
        let (email, password, device) = match checked(&input) {
            Ok(checked) => checked,
            Err(invalid) => return Ok(RegisterPayload::refused(invalid.into())),
        };
        let (display_name, language, delivery) =
            (input.display_name, input.language, input.refresh_token_delivery);
        let password_hash = accounts.passwords.hash(password).await?;
        let (now, vault) = (accounts.env.clock.now(), &accounts.vault);
        let registered = tx::run(&accounts.env.db, async |tx| {
            let command = Register { email, password_hash, display_name, language };
            let user = match user::register(tx, now, vault, command).await? {
                Ok(user) => user,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let granted = session::start(tx, now, user.id, device).await?;
            Ok(Ok((user, granted)))
        });
        Ok(match registered.await? {
            Ok((user, granted)) => RegisterPayload {
                user: Some(User::own(user)),
                tokens: Some(Tokens::deliver(ctx, granted, delivery)?),
                user_errors: vec![],
            },
            Err(refusal) => RegisterPayload::refused(refusal),
        })
    }

    /// Replaces your password and ends your other sessions.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let (viewer, accounts) = (acting(ctx).await?, ctx.data_unchecked::<Accounts>());
        accounts.throttle.account(viewer.user.0.as_bytes())?;
        let changed = login::change_password(
            &accounts.env.db,
            accounts.env.clock.now(),
            &accounts.passwords,
            (viewer.user, viewer.session),
            &input.current_password,
            &input.new_password,
        );
        Ok(match changed.await? {
            Ok(user) => ChangePasswordPayload { user: Some(User::own(user)), user_errors: vec![] },
            Err(refusal) => ChangePasswordPayload { user: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Erases your account for good: personal data becomes unreadable, sessions end, a shop closes. Orders and what others
    /// need to keep stay without your name.
    async fn erase_account(
        &self,
        ctx: &Context<'_>,
        input: EraseAccountInput,
    ) -> Result<EraseAccountPayload> {
        let (viewer, accounts) = (acting(ctx).await?, ctx.data_unchecked::<Accounts>());
        accounts.throttle.account(viewer.user.0.as_bytes())?;
        let db = &accounts.env.db;
        if login::confirm(db, &accounts.passwords, viewer.user, &input.password).await?.is_none() {
            let (code, field) = (EraseAccountErrorCode::BadCredentials, ["input", "password"]);
            let error = EraseAccountError::new(code, &field, "the password is wrong");
            return Ok(EraseAccountPayload { erased: false, user_errors: vec![error] });
        }
        let now = accounts.env.clock.now();
        Ok(match tx::run(db, async |tx| user::erase(tx, now, viewer.user).await).await? {
            Ok(()) => {
                cookie::forget(ctx);
                EraseAccountPayload { erased: true, user_errors: vec![] }
            }
            Err(refusal) => EraseAccountPayload { erased: false, user_errors: vec![refusal.into()] },
        })
    }
}

impl RegisterPayload {
    fn refused(refusal: RegisterRefusal) -> Self {
        Self { user: None, tokens: None, user_errors: vec![refusal.into()] }
    }
}

/// What can be told before the password is hashed.
fn checked(input: &RegisterInput) -> std::result::Result<(Email, Password, Option<String>), Invalid> {
    let email = input
        .email
        .parse()
        .map_err(|why: crate::email::InvalidEmail| Invalid::new("email", why.to_string()))?;
    let password = Password::new("password", &input.password)?;
    Ok((email, password, text::optional_line("device", input.device.as_deref(), session::DEVICE_CHARS_MAX)?))
}
