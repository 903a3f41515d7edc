//! Signing in, going on and signing out.

use async_graphql::connection::Connection;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::graph::ClientAddress;
use chassis::page::{Cursor, Page};
use chassis::{Failure, tx};
use chrono::{DateTime, Utc};
use contract::SessionId;
use entity::accounts::session::{self as row, End};

use super::user::User;
use crate::login::{self, LogIn};
use crate::refresh::RefreshToken;
use crate::session::{self, Granted, Refreshed};
use crate::{Accounts, text};

/// What a client needs to go on. Keep it where scripts of other origins cannot read it.
#[derive(SimpleObject)]
pub(crate) struct Tokens {
    /// For the header `Authorization: Bearer <access token>`.
    access_token: String,
    /// When the access token ends; refresh before.
    access_token_expires_at: DateTime<Utc>,
    /// For `refreshSession`, once. Each refresh gives a new one.
    refresh_token: String,
    /// When the session ends unless it is refreshed.
    refresh_token_expires_at: DateTime<Utc>,
}

impl Tokens {
    pub(super) fn new(accounts: &Accounts, granted: Granted) -> std::result::Result<Self, Failure> {
        let now = accounts.env.clock.now();
        let access = accounts.signer.sign(now, granted.user, granted.session, &granted.roles)?;
        Ok(Self {
            access_token: access.text,
            access_token_expires_at: access.expires_at,
            refresh_token: granted.refresh_token.reveal(),
            refresh_token_expires_at: granted.expires_at,
        })
    }
}

/// One sign-in on one device.
#[derive(SimpleObject)]
pub(crate) struct Session {
    /// The session's id.
    id: SessionId,
    /// What the device was called at the sign-in.
    device: Option<String>,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last refreshed.
    last_used_at: DateTime<Utc>,
    /// When it ends unless it is refreshed.
    expires_at: DateTime<Utc>,
    /// Whether this request belongs to it.
    is_current: bool,
}

impl Session {
    fn new(row: row::Model, viewer: &Viewer) -> Self {
        Self {
            id: row.id,
            device: row.device,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            is_current: row.id == viewer.session,
        }
    }
}

#[derive(Default)]
pub(super) struct SessionQuery;

#[Object]
impl SessionQuery {
    /// Where you are signed in, newest first.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to go on.")] after: Option<String>,
    ) -> Result<Connection<Cursor<SessionId>, Session>> {
        let (viewer, accounts) = (Viewer::required(ctx)?, ctx.data_unchecked::<Accounts>());
        let page = Page::read(first, after.as_deref())?;
        let now = accounts.env.clock.now();
        let rows = session::going_on(accounts.env.db.read(), now, viewer.user, &page).await?;
        Ok(page.connection(rows, |row| row.id, |row| Session::new(row, viewer)))
    }
}

/// Who signs in.
#[derive(InputObject)]
struct LogInInput {
    /// Upper and lower case are the same.
    email: String,
    /// The password.
    password: String,
    /// What this device is called in the list of sessions, at most 100 characters.
    device: Option<String>,
}

/// What came of `logIn`.
#[derive(SimpleObject)]
struct LogInPayload {
    /// Who signed in.
    user: Option<User>,
    /// What to send with further requests.
    tokens: Option<Tokens>,
    /// Why nobody signed in.
    user_errors: Vec<LogInError>,
}

refusals! {
    /// Why nobody signed in.
    LogInError,
    /// Why nobody signed in.
    LogInErrorCode {
        /// The e-mail address or the password is wrong. Which of them is not told.
        BadCredentials,
        /// The name of the device is too long or has control characters.
        Invalid,
    }
}

/// What carries a session on.
#[derive(InputObject)]
struct RefreshSessionInput {
    /// The refresh token from the last answer.
    refresh_token: String,
}

/// What came of `refreshSession`.
#[derive(SimpleObject)]
struct RefreshSessionPayload {
    /// What to send with further requests.
    tokens: Option<Tokens>,
    /// Why the session does not go on.
    user_errors: Vec<RefreshSessionError>,
}

refusals! {
    /// Why a session does not go on.
    RefreshSessionError,
    /// Why a session does not go on.
    RefreshSessionErrorCode {
        /// Not a refresh token, used before, expired, or its session has ended: sign in again.
        BadToken,
    }
}

/// Which session to end. Without a field: the one that this request belongs to.
#[derive(InputObject, Default)]
struct LogOutInput {
    /// Ends the session of this token. It needs no access token, so that an expired one is no obstacle.
    refresh_token: Option<String>,
    /// Ends another session of yours.
    session_id: Option<SessionId>,
}

/// What came of `logOut` or `logOutEverywhere`.
#[derive(SimpleObject)]
struct LogOutPayload {
    /// How many sessions ended. Access tokens that are out go on until they expire, 10 minutes at most.
    ended_sessions: i32,
    /// Why none ended.
    user_errors: Vec<LogOutError>,
}

refusals! {
    /// Why no session ended.
    LogOutError,
    /// Why no session ended.
    LogOutErrorCode {
        /// You have no such session, or it has ended.
        NotFound,
    }
}

impl LogOutPayload {
    fn of(ended: bool) -> Self {
        if ended {
            return Self { ended_sessions: 1, user_errors: vec![] };
        }
        let error = LogOutError::new(LogOutErrorCode::NotFound, &["input"], "there is no such session");
        Self { ended_sessions: 0, user_errors: vec![error] }
    }
}

#[derive(Default)]
pub(super) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Signs in with e-mail address and password. Limited for each account and each client address: `RATE_LIMITED` with
    /// `retryAfterMs`.
    async fn log_in(&self, ctx: &Context<'_>, input: LogInInput) -> Result<LogInPayload> {
        let accounts = ctx.data_unchecked::<Accounts>();
        accounts.throttle.address(ctx.data_opt::<ClientAddress>())?;
        let email = input.email.parse().ok();
        if let Some(email) = &email {
            accounts.throttle.account(&accounts.vault.email_hash(email))?;
        }
        let device = match text::optional_line("device", input.device.as_deref(), session::DEVICE_CHARS_MAX) {
            Ok(device) => device,
            Err(invalid) => {
                let field = ["input", invalid.field];
                return Ok(LogInPayload::refused(LogInErrorCode::Invalid, &field, invalid.message));
            }
        };
        let (db, now) = (&accounts.env.db, accounts.env.clock.now());
        let command = LogIn { email, password: input.password, device };
        match login::log_in(db, now, &accounts.vault, &accounts.passwords, command).await? {
            Ok((user, granted)) => Ok(LogInPayload {
                user: Some(User::own(user)),
                tokens: Some(Tokens::new(accounts, granted)?),
                user_errors: vec![],
            }),
            Err(refusal) => Ok(LogInPayload::refused(LogInErrorCode::BadCredentials, &["input"], refusal)),
        }
    }

    /// Trades a refresh token for new tokens. A refresh token is good once; sent again within 30 seconds it gives the same
    /// successor, later it ends the session.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        input: RefreshSessionInput,
    ) -> Result<RefreshSessionPayload> {
        let accounts = ctx.data_unchecked::<Accounts>();
        let (now, vault) = (accounts.env.clock.now(), &accounts.vault);
        let refreshed = match RefreshToken::read(&input.refresh_token) {
            Some(token) => {
                tx::apply(&accounts.env.db, async |tx| session::refresh(tx, now, vault, token).await).await?
            }
            None => Refreshed::Refused,
        };
        Ok(match refreshed {
            Refreshed::Goes(granted) => {
                RefreshSessionPayload { tokens: Some(Tokens::new(accounts, granted)?), user_errors: vec![] }
            }
            Refreshed::Refused => {
                let (code, field) = (RefreshSessionErrorCode::BadToken, ["input", "refreshToken"]);
                let error = RefreshSessionError::new(code, &field, "the refresh token is not good any more");
                RefreshSessionPayload { tokens: None, user_errors: vec![error] }
            }
        })
    }

    /// Ends a session.
    async fn log_out(&self, ctx: &Context<'_>, input: LogOutInput) -> Result<LogOutPayload> {
        let accounts = ctx.data_unchecked::<Accounts>();
        let (db, now) = (&accounts.env.db, accounts.env.clock.now());
        let ended = if let Some(token) = input.refresh_token {
            match RefreshToken::read(&token) {
                Some(token) => tx::apply(db, async |tx| session::end_by_token(tx, now, &token).await).await?,
                None => false,
            }
        } else {
            let viewer = Viewer::required(ctx)?;
            let id = input.session_id.unwrap_or(viewer.session);
            tx::apply(db, async |tx| session::end_own(tx, now, viewer.user, id).await).await?
        };
        Ok(LogOutPayload::of(ended))
    }

    /// Ends all your sessions, this one included.
    async fn log_out_everywhere(&self, ctx: &Context<'_>) -> Result<LogOutPayload> {
        let (viewer, accounts) = (Viewer::required(ctx)?, ctx.data_unchecked::<Accounts>());
        let (db, now, user) = (&accounts.env.db, accounts.env.clock.now(), viewer.user);
        let ended =
            tx::apply(db, async |tx| session::end_all(tx, now, user, End::LoggedOut, None).await).await?;
        let ended_sessions = i32::try_from(ended).unwrap_or(i32::MAX);
        Ok(LogOutPayload { ended_sessions, user_errors: vec![] })
    }
}

impl LogInPayload {
    fn refused(code: LogInErrorCode, field: &[&str], message: impl std::fmt::Display) -> Self {
        Self { user: None, tokens: None, user_errors: vec![LogInError::new(code, field, message)] }
    }
}
