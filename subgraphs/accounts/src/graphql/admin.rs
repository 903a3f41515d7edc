//! What admins see of users and do with their roles.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Denied, Failure, tx};
use contract::UserId;
use entity::accounts::user as row;
use entity::accounts::user_role::Granted;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::acting::acting_as;
use super::user::User;
use crate::Accounts;
use crate::email::{Email, InvalidEmail};
use crate::role::{self, GrantRefusal, RevokeRefusal};

/// A role that admins give and take. The others come by themselves: everybody is a buyer, the owner of a verified shop
/// a seller.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Granted", name = "GrantableRole")]
enum GrantableRole {
    /// May check goods for authenticity.
    Authenticator,
    /// May decide about sellers and see to the marketplace.
    Admin,
}

#[derive(Default)]
pub(super) struct AdminQuery;

#[Object]
impl AdminQuery {
    /// Users, newest first. For admins.
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only the user with exactly this e-mail address.")] email: Option<String>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to go on.")] after: Option<String>,
    ) -> Result<Connection<Cursor<UserId>, User>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let email: Option<Email> = email
            .map(|email| email.parse())
            .transpose()
            .map_err(|why: InvalidEmail| Denied::bad_input("email", why.to_string()))?;
        let rows = list(ctx.data_unchecked::<Accounts>(), email, &page).await?;
        Ok(page.connection(rows, |row| row.id, User::new))
    }
}

async fn list(
    accounts: &Accounts,
    email: Option<Email>,
    page: &Page<UserId>,
) -> std::result::Result<Vec<row::Model>, Failure> {
    let mut users = row::Entity::find().order_by_desc(row::Column::Id).limit(page.rows());
    if let Some(email) = email {
        users = users.filter(row::Column::EmailHash.eq(accounts.vault.email_hash(&email)));
    }
    if let Some(after) = page.after {
        users = users.filter(row::Column::Id.lt(after));
    }
    Ok(users.all(accounts.env.db.read()).await?)
}

/// A role and who gets it.
#[derive(InputObject)]
struct GrantRoleInput {
    /// The user's id.
    user_id: UserId,
    /// The role.
    role: GrantableRole,
}

/// What came of `grantRole`.
#[derive(SimpleObject)]
struct GrantRolePayload {
    /// The user with the role.
    user: Option<User>,
    /// Why the role was not given.
    user_errors: Vec<GrantRoleError>,
}

refusals! {
    /// Why a role was not given.
    GrantRoleError,
    /// Why a role was not given.
    GrantRoleErrorCode {
        /// There is no such user.
        NotFound,
    }
}

impl From<GrantRefusal> for GrantRoleError {
    fn from(refusal: GrantRefusal) -> Self {
        match refusal {
            GrantRefusal::NotFound => Self::new(GrantRoleErrorCode::NotFound, &["input", "userId"], refusal),
        }
    }
}

/// A role and who loses it.
#[derive(InputObject)]
struct RevokeRoleInput {
    /// The user's id.
    user_id: UserId,
    /// The role.
    role: GrantableRole,
}

/// What came of `revokeRole`.
#[derive(SimpleObject)]
struct RevokeRolePayload {
    /// The user without the role.
    user: Option<User>,
    /// Why the role was not taken.
    user_errors: Vec<RevokeRoleError>,
}

refusals! {
    /// Why a role was not taken.
    RevokeRoleError,
    /// Why a role was not taken.
    RevokeRoleErrorCode {
        /// There is no such user.
        NotFound,
        /// There must be an admin: make another one first.
        LastAdmin,
    }
}

impl From<RevokeRefusal> for RevokeRoleError {
    fn from(refusal: RevokeRefusal) -> Self {
        match refusal {
            RevokeRefusal::NotFound => {
                Self::new(RevokeRoleErrorCode::NotFound, &["input", "userId"], refusal)
            }
            RevokeRefusal::LastAdmin => {
                Self::new(RevokeRoleErrorCode::LastAdmin, &["input", "role"], refusal)
            }
        }
    }
}

#[derive(Default)]
pub(super) struct AdminMutation;

#[Object]
impl AdminMutation {
    /// Gives a user a role, which counts from the user's next sign-in or refresh on. For admins.
    async fn grant_role(&self, ctx: &Context<'_>, input: GrantRoleInput) -> Result<GrantRolePayload> {
        let admin = acting_as(ctx, Role::Admin).await?;
        let accounts = ctx.data_unchecked::<Accounts>();
        let (now, actor) = (accounts.env.clock.now(), admin.user.to_string());
        let granted = tx::run(&accounts.env.db, async |tx| {
            role::grant(tx, now, &actor, input.user_id, input.role.into()).await
        });
        Ok(match granted.await? {
            Ok(user) => GrantRolePayload { user: Some(User::new(user)), user_errors: vec![] },
            Err(refusal) => GrantRolePayload { user: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Takes a role from a user. Access tokens that are out carry it until they expire, 10 minutes at most. For admins.
    async fn revoke_role(&self, ctx: &Context<'_>, input: RevokeRoleInput) -> Result<RevokeRolePayload> {
        let admin = acting_as(ctx, Role::Admin).await?;
        let accounts = ctx.data_unchecked::<Accounts>();
        let (now, actor) = (accounts.env.clock.now(), admin.user.to_string());
        let revoked = tx::run(&accounts.env.db, async |tx| {
            role::revoke(tx, now, &actor, input.user_id, input.role.into()).await
        });
        Ok(match revoked.await? {
            Ok(user) => RevokeRolePayload { user: Some(User::new(user)), user_errors: vec![] },
            Err(refusal) => RevokeRolePayload { user: None, user_errors: vec![refusal.into()] },
        })
    }
}
