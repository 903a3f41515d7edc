//! What users may do. Everybody buys; who has a verified shop sells; an admin gives the rest.

use std::collections::HashMap;

use chassis::auth::Role;
use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::UserId;
use entity::accounts::user_role::{self, Granted};
use entity::accounts::{seller, user};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use serde_json::json;

/// Why a role was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    #[error("there is no such user")]
    NotFound,
}

/// Why a role was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevokeRefusal {
    #[error("there is no such user")]
    NotFound,
    #[error("the last admin stays one")]
    LastAdmin,
}

/// The roles of each of `users`, lowest first. Two statements, however many users.
pub async fn of_all(
    db: &impl ConnectionTrait,
    users: &[UserId],
) -> Result<HashMap<UserId, Vec<Role>>, Failure> {
    let mut roles: HashMap<_, _> = users.iter().map(|user| (*user, vec![Role::Buyer])).collect();
    let ids = || users.iter().copied();
    let sellers = seller::Entity::find()
        .filter(seller::Column::UserId.is_in(ids()))
        .filter(seller::Column::Status.eq(seller::Status::Verified))
        .all(db)
        .await?;
    let granted = user_role::Entity::find().filter(user_role::Column::UserId.is_in(ids())).all(db).await?;
    let found = sellers
        .into_iter()
        .map(|seller| (seller.user_id, Role::Seller))
        .chain(granted.into_iter().map(|row| (row.user_id, role_of(row.role))));
    for (user, role) in found {
        roles.entry(user).or_default().push(role);
    }
    roles.values_mut().for_each(|roles| roles.sort());
    Ok(roles)
}

/// The roles of `user`, as a token names them.
pub async fn of(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<Role>, Failure> {
    Ok(of_all(db, &[user]).await?.remove(&user).unwrap_or_default())
}

/// Gives `user` a role; giving it twice is giving it once. Tokens carry it from the next sign-in or refresh on.
pub async fn grant(
    tx: &Tx,
    now: DateTime<Utc>,
    actor: &str,
    user: UserId,
    role: Granted,
) -> Outcome<user::Model, GrantRefusal> {
    let Some(found) = user::Entity::present().filter(user::Column::Id.eq(user)).one(tx).await? else {
        return Ok(Err(GrantRefusal::NotFound));
    };
    let row = user_role::Model { user_id: user, role, granted_at: now, granted_by: actor.into() };
    let inserted = user_role::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 1 {
        record(tx, now, actor, "role.grant", user, role).await?;
    }
    Ok(Ok(found))
}

/// Takes a role from `user`. A token that carries it goes on until it expires.
pub async fn revoke(
    tx: &Tx,
    now: DateTime<Utc>,
    actor: &str,
    user: UserId,
    role: Granted,
) -> Outcome<user::Model, RevokeRefusal> {
    let Some(found) = user::Entity::present().filter(user::Column::Id.eq(user)).one(tx).await? else {
        return Ok(Err(RevokeRefusal::NotFound));
    };
    if role == Granted::Admin && is_last_admin(tx, user).await? {
        return Ok(Err(RevokeRefusal::LastAdmin));
    }
    let revoked = user_role::Entity::delete_by_id((user, role)).exec(tx).await?;
    if revoked.rows_affected == 1 {
        record(tx, now, actor, "role.revoke", user, role).await?;
    }
    Ok(Ok(found))
}

/// Whether nobody but `user` is an admin. The answer holds until the end of the transaction.
pub async fn is_last_admin(tx: &Tx, user: UserId) -> Result<bool, Failure> {
    let admins = user_role::Entity::find()
        .filter(user_role::Column::Role.eq(Granted::Admin))
        .lock_exclusive()
        .all(tx)
        .await?;
    Ok(admins.iter().any(|row| row.user_id == user) && admins.iter().all(|row| row.user_id == user))
}

async fn record(
    tx: &Tx,
    now: DateTime<Utc>,
    actor: &str,
    action: &str,
    user: UserId,
    role: Granted,
) -> Result<(), Failure> {
    let details = json!({ "role": role_of(role).as_str() });
    audit::record(tx, now, actor, action, &user.to_string(), details).await
}

/// A granted role among all roles.
fn role_of(granted: Granted) -> Role {
    match granted {
        Granted::Authenticator => Role::Authenticator,
        Granted::Admin => Role::Admin,
    }
}
