//! Sessions: from a sign-in to its end, carried on by refresh tokens that are each good once.

use chassis::auth::Role;
use chassis::{Failure, Tx, audit};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{SessionId, UserId};
use entity::accounts::session::End;
use entity::accounts::{refresh_token, session};
use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::json;

use crate::refresh::RefreshToken;
use crate::role;
use crate::vault::Vault;

/// How long a session lives without being used.
pub const TTL: TimeDelta = TimeDelta::days(30);
/// The longest name of a device.
pub const DEVICE_CHARS_MAX: usize = 100;
/// How long a used refresh token gives the same successor again: the first answer may have been lost.
pub const GRACE: TimeDelta = TimeDelta::seconds(30);

/// What lets a client go on. The refresh token is known here and to the client only.
pub struct Granted {
    pub user: UserId,
    pub session: SessionId,
    pub roles: Vec<Role>,
    pub refresh_token: RefreshToken,
    pub expires_at: DateTime<Utc>,
}

/// What came of a refresh. Both are committed: a reused token ends its session.
pub enum Refreshed {
    Goes(Granted),
    /// Unknown, expired, ended or used before: no difference to the caller.
    Refused,
}

/// Starts a session of `user`.
pub async fn start(
    tx: &Tx,
    now: DateTime<Utc>,
    user: UserId,
    device: Option<String>,
) -> Result<Granted, Failure> {
    let session = session::Model {
        id: SessionId::new(),
        user_id: user,
        device,
        created_at: now,
        last_used_at: now,
        expires_at: now + TTL,
        ended_at: None,
        end_reason: None,
    };
    session::Entity::insert(session.clone().into_active_model()).exec_without_returning(tx).await?;
    let refresh_token = RefreshToken::generate();
    keep(tx, now, session.id, &refresh_token).await?;
    granted(tx, session, refresh_token).await
}

/// Trades a refresh token for its successor. A token that comes again after [`GRACE`] has been stolen, or its successor
/// has: the session ends.
pub async fn refresh(
    tx: &Tx,
    now: DateTime<Utc>,
    vault: &Vault,
    token: RefreshToken,
) -> Result<Refreshed, Failure> {
    let hash = token.hash();
    let Some(known) = refresh_token::Entity::find_by_id(hash.clone()).one(tx).await? else {
        return Ok(Refreshed::Refused);
    };
    // Also takes the session's row lock: two uses of one family take turns.
    let Some(session) = touch(tx, now, known.session_id).await? else {
        return Ok(Refreshed::Refused);
    };
    let successor = RefreshToken::generate();
    if use_up(tx, now, &hash, successor.sealed(vault, &hash)).await? {
        keep(tx, now, session.id, &successor).await?;
        return Ok(Refreshed::Goes(granted(tx, session, successor).await?));
    }
    match successor_again(tx, now, vault, hash).await? {
        Some(successor) => Ok(Refreshed::Goes(granted(tx, session, successor).await?)),
        None => {
            end(tx, now, session.id, End::TokenReused).await?;
            let actor = session.user_id.to_string();
            audit::record(tx, now, &actor, "session.token_reused", &session.id.to_string(), json!({}))
                .await?;
            Ok(Refreshed::Refused)
        }
    }
}

async fn granted(tx: &Tx, session: session::Model, refresh_token: RefreshToken) -> Result<Granted, Failure> {
    let (user, expires_at) = (session.user_id, session.expires_at);
    Ok(Granted { user, session: session.id, roles: role::of(tx, user).await?, refresh_token, expires_at })
}

async fn keep(tx: &Tx, now: DateTime<Utc>, session: SessionId, token: &RefreshToken) -> Result<(), Failure> {
    let row = refresh_token::Model {
        hash: token.hash(),
        session_id: session,
        issued_at: now,
        used_at: None,
        successor_sealed: None,
    };
    refresh_token::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Moves the session's end on; `None`: it has ended.
async fn touch(tx: &Tx, now: DateTime<Utc>, id: SessionId) -> Result<Option<session::Model>, Failure> {
    let touched = session::Entity::update_many()
        .col_expr(session::Column::LastUsedAt, Expr::val(now))
        .col_expr(session::Column::ExpiresAt, Expr::val(now + TTL))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .exec_with_returning(tx)
        .await?;
    Ok(touched.into_iter().next())
}

/// Marks a token as used; `false`: it was used before.
async fn use_up(tx: &Tx, now: DateTime<Utc>, hash: &[u8], successor: Vec<u8>) -> Result<bool, Failure> {
    let used = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::val(now))
        .col_expr(refresh_token::Column::SuccessorSealed, Expr::val(successor))
        .filter(refresh_token::Column::Hash.eq(hash))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    Ok(used.rows_affected == 1)
}

/// The successor that a used token was given, while that may be asked.
async fn successor_again(
    tx: &Tx,
    now: DateTime<Utc>,
    vault: &Vault,
    hash: Vec<u8>,
) -> Result<Option<RefreshToken>, Failure> {
    let used = refresh_token::Entity::find_by_id(hash.clone()).one(tx).await?;
    let fresh = used.filter(|used| used.used_at.is_some_and(|at| now - at <= GRACE));
    let sealed = fresh.and_then(|used| used.successor_sealed);
    sealed.map(|sealed| RefreshToken::open(vault, &hash, &sealed)).transpose()
}

/// Ends the session that a refresh token belongs to; `false`: there is none that goes on.
pub async fn end_by_token(tx: &Tx, now: DateTime<Utc>, token: &RefreshToken) -> Result<bool, Failure> {
    match refresh_token::Entity::find_by_id(token.hash()).one(tx).await? {
        Some(known) => end(tx, now, known.session_id, End::LoggedOut).await,
        None => Ok(false),
    }
}

/// Ends one session of `user`; `false`: the user has no such session that goes on.
pub async fn end_own(tx: &Tx, now: DateTime<Utc>, user: UserId, id: SessionId) -> Result<bool, Failure> {
    let own = session::Entity::find_by_id(id).filter(session::Column::UserId.eq(user)).one(tx).await?;
    match own {
        Some(own) => end(tx, now, own.id, End::LoggedOut).await,
        None => Ok(false),
    }
}

async fn end(tx: &Tx, now: DateTime<Utc>, id: SessionId, why: End) -> Result<bool, Failure> {
    Ok(end_where(tx, now, session::Column::Id.eq(id), why).await? > 0)
}

/// Ends the sessions of `user`, all but `except`. Gives how many.
pub async fn end_all(
    tx: &Tx,
    now: DateTime<Utc>,
    user: UserId,
    why: End,
    except: Option<SessionId>,
) -> Result<u64, Failure> {
    let mut which = Condition::all().add(session::Column::UserId.eq(user));
    if let Some(kept) = except {
        which = which.add(session::Column::Id.ne(kept));
    }
    end_where(tx, now, which, why).await
}

async fn end_where(tx: &Tx, now: DateTime<Utc>, which: impl IntoCondition, why: End) -> Result<u64, Failure> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::val(now))
        .col_expr(session::Column::EndReason, Expr::val(why))
        .filter(which)
        .filter(session::Column::EndedAt.is_null())
        .exec(tx)
        .await?;
    Ok(ended.rows_affected)
}

/// Sessions of `user` that go on, newest first.
pub async fn going_on(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    user: UserId,
    page: &chassis::page::Page<SessionId>,
) -> Result<Vec<session::Model>, Failure> {
    let mut sessions = session::Entity::find()
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .order_by_desc(session::Column::Id)
        .limit(page.rows());
    if let Some(after) = page.after {
        sessions = sessions.filter(session::Column::Id.lt(after));
    }
    Ok(sessions.all(db).await?)
}

/// Whether this session of `user` has not ended.
pub async fn goes_on(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    user: UserId,
    id: SessionId,
) -> Result<bool, Failure> {
    let found = session::Entity::find_by_id(id).filter(session::Column::UserId.eq(user)).one(db).await?;
    Ok(found.is_some_and(|session| session.ended_at.is_none() && session.expires_at > now))
}

/// Removes successors that may no longer be given again, and tokens and sessions that ended long ago.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), Failure> {
    use refresh_token::Column;
    refresh_token::Entity::update_many()
        .col_expr(Column::SuccessorSealed, Expr::val(Option::<Vec<u8>>::None))
        .filter(Column::SuccessorSealed.is_not_null())
        .filter(Column::UsedAt.lt(now - GRACE))
        .exec(db)
        .await?;
    refresh_token::Entity::delete_many().filter(Column::UsedAt.lt(now - TTL)).exec(db).await?;
    session::Entity::delete_many().filter(session::Column::ExpiresAt.lt(now - TTL)).exec(db).await?;
    Ok(())
}
