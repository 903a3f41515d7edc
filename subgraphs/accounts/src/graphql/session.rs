//! Signing in, going on and signing out.

use async_graphql::connection::Connection;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::graph::ClientAddress;
use chassis::page::{Cursor, Page};
use chassis::{Denied, Failure, Tx, tx};
use chrono::{DateTime, Utc};
use contract::SessionId;
use entity::accounts::session::{self as row, End};

use super::cookie::{self, RefreshTokenDelivery};
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
    /// For `refreshSession`, once. Each refresh gives a new one. Null when it went into a cookie.
    refresh_token: Option<String>,
    /// When the session ends unless it is refreshed.
    refresh_token_expires_at: DateTime<Utc>,
}

impl Tokens {
    /// The tokens of a session; the refresh token goes where the client wants it.
    pub(super) fn deliver(
        ctx: &Context<'_>,
        granted: Granted,
        delivery: RefreshTokenDelivery,
    ) -> std::result::Result<Self, Failure> {
        let accounts = ctx.data_unchecked::<Accounts>();
        let now = accounts.env.clock.now();
        let refresh_token = match delivery {
            RefreshTokenDelivery::Body => Some(granted.refresh_token.reveal()),
            RefreshTokenDelivery::Cookie => {
                cookie::keep(ctx, &granted.refresh_token, granted.expires_at - now);
                None
            }
        };
        let access = accounts.signer.sign(now, granted.user, granted.session, &granted.roles)?;
        Ok(Self {
            access_token: access.text,
            access_token_expires_at: access.expires_at,
            refresh_token,
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
    /// Where the refresh token goes.
    #[graphql(default)]
    refresh_token_delivery: RefreshTokenDelivery,
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
        /// The name of the device is too short, too long, or has characters that cannot be seen.
        InvalidInput,
    }
}

/// What carries a session on.
#[derive(InputObject, Default)]
struct RefreshSessionInput {
    /// The refresh token from the last answer. Left out by browsers that keep it as a cookie. The next one comes the same
    /// way as this one.
    refresh_token: Option<String>,
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
        /// Not a refresh token, used before, expired, or its session has ended: sign in again. A cookie that held it is
        /// removed.
        BadToken,
        /// Neither the input nor a cookie has a refresh token: nobody is signed in here. A cookie counts only for pages of
        /// the endpoint's own origin and of those that its operator allows.
        NoToken,
    }
}

/// Which session to end. Without a field: the one of the access token and the one of the cookie, which is removed.
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
    /// How many sessions ended. Their access tokens change nothing in an account any more; other parts of the
    /// marketplace take them until they expire, 10 minutes at most.
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
    fn of(ended_sessions: i32) -> Self {
        if ended_sessions > 0 {
            return Self { ended_sessions, user_errors: vec![] };
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
                return Ok(LogInPayload::refused(LogInErrorCode::InvalidInput, &field, invalid.message));
            }
        };
        let (db, now, delivery) = (&accounts.env.db, accounts.env.clock.now(), input.refresh_token_delivery);
        let command = LogIn { email, password: input.password, device };
        match login::log_in(db, now, &accounts.vault, &accounts.passwords, command).await? {
            Ok((user, granted)) => Ok(LogInPayload {
                user: Some(User::own(user)),
                tokens: Some(Tokens::deliver(ctx, granted, delivery)?),
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
        #[graphql(default)] input: RefreshSessionInput,
    ) -> Result<RefreshSessionPayload> {
        use RefreshSessionErrorCode::{BadToken, NoToken};
        use RefreshTokenDelivery::{Body, Cookie};
        let accounts = ctx.data_unchecked::<Accounts>();
        let (text, delivery) = match (input.refresh_token.as_deref(), cookie::sent(ctx)) {
            (Some(text), _) => (text, Body),
            (None, Some(text)) => (text, Cookie),
            (None, None) => return Ok(RefreshSessionPayload::refused(NoToken, "there is no refresh token")),
        };
        let (now, vault) = (accounts.env.clock.now(), &accounts.vault);
        let refreshed = match RefreshToken::read(text) {
            Some(token) => {
                tx::apply(&accounts.env.db, async |tx| session::refresh(tx, now, vault, token).await).await?
            }
            None => Refreshed::Refused,
        };
        if let Refreshed::Goes(granted) = refreshed {
            let tokens = Some(Tokens::deliver(ctx, granted, delivery)?);
            return Ok(RefreshSessionPayload { tokens, user_errors: vec![] });
        }
        if delivery == Cookie {
            cookie::forget(ctx);
        }
        Ok(RefreshSessionPayload::refused(BadToken, "the refresh token is not good any more"))
    }

    /// Ends a session.
    async fn log_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] input: LogOutInput,
    ) -> Result<LogOutPayload> {
        let accounts = ctx.data_unchecked::<Accounts>();
        let (db, now) = (&accounts.env.db, accounts.env.clock.now());
        let ended = match (input.refresh_token, input.session_id) {
            (Some(text), _) => tx::apply(db, async |tx| end_by_text(tx, now, &text).await).await?,
            (None, Some(id)) => {
                let user = Viewer::required(ctx)?.user;
                tx::apply(db, async |tx| session::end_own(tx, now, user, id).await).await?.into()
            }
            (None, None) => end_here(ctx, accounts).await?,
        };
        Ok(LogOutPayload::of(ended))
    }

    /// Ends all your sessions, this one included.
    async fn log_out_everywhere(&self, ctx: &Context<'_>) -> Result<LogOutPayload> {
        let (viewer, accounts) = (Viewer::required(ctx)?, ctx.data_unchecked::<Accounts>());
        let (db, now, user) = (&accounts.env.db, accounts.env.clock.now(), viewer.user);
        let ended =
            tx::apply(db, async |tx| session::end_all(tx, now, user, End::LoggedOut, None).await).await?;
        cookie::forget(ctx);
        let ended_sessions = i32::try_from(ended).unwrap_or(i32::MAX);
        Ok(LogOutPayload { ended_sessions, user_errors: vec![] })
    }
}

impl LogInPayload {
    fn refused(code: LogInErrorCode, field: &[&str], message: impl std::fmt::Display) -> Self {
        Self { user: None, tokens: None, user_errors: vec![LogInError::new(code, field, message)] }
    }
}

impl RefreshSessionPayload {
    fn refused(code: RefreshSessionErrorCode, message: &str) -> Self {
        let error = RefreshSessionError::new(code, &["input", "refreshToken"], message);
        Self { tokens: None, user_errors: vec![error] }
    }
}

/// Ends the session of a refresh token. Gives how many ended.
async fn end_by_text(tx: &Tx, now: DateTime<Utc>, token: &str) -> std::result::Result<i32, Failure> {
    match RefreshToken::read(token) {
        Some(token) => Ok(session::end_by_token(tx, now, &token).await?.into()),
        None => Ok(0),
    }
}

/// Ends what this request belongs to by its access token and by its cookie: mostly one session, but a browser may have
/// signed in again beside a token that is still out. Gives how many ended.
async fn end_here(ctx: &Context<'_>, accounts: &Accounts) -> Result<i32> {
    let (viewer, cookie) = (Viewer::maybe(ctx), cookie::sent(ctx));
    if viewer.is_none() && cookie.is_none() {
        return Err(Denied::SignInFirst.into());
    }
    let now = accounts.env.clock.now();
    let ended = tx::apply(&accounts.env.db, async |tx| {
        let mut ended = 0;
        if let Some(viewer) = viewer {
            ended += i32::from(session::end_own(tx, now, viewer.user, viewer.session).await?);
        }
        if let Some(token) = cookie {
            ended += end_by_text(tx, now, token).await?;
        }
        Ok(ended)
    });
    let ended = ended.await?;
    cookie::forget(ctx);
    Ok(ended)
}
