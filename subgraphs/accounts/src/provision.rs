//! Accounts, and what belongs to them, that are made from the command line rather than through the graph.

use chassis::{Env, Failure, Outcome, tx};
use contract::{AddressId, SellerId, UserId};
use entity::accounts::user_role::Granted;
use entity::accounts::{seller as shop, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::address::{self, Defaults, Postal};
use crate::email::{Email, InvalidEmail};
use crate::password::{Password, Passwords};
use crate::role;
use crate::seller::{self, Decision};
use crate::text::Invalid;
use crate::user::{Register, RegisterRefusal};
use crate::vault::Vault;

/// What made these accounts, in the audit trail.
const ACTOR: &str = "command line";

/// Why there is no new admin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateAdminRefusal {
    #[error("the e-mail address {0}")]
    Email(#[from] InvalidEmail),
    #[error(transparent)]
    Password(#[from] Invalid),
}

/// Makes an admin with this e-mail address and password. An existing user becomes one, and keeps their own password.
pub async fn create_admin(env: &Env, email: &str, password: &str) -> Outcome<UserId, CreateAdminRefusal> {
    let (email, password) = match credentials(email, password) {
        Ok(credentials) => credentials,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let user = ensure_user(env, email, password, "Administrator").await?;
    let now = env.clock.now();
    let granted =
        tx::run(&env.db, async |tx| role::grant(tx, now, ACTOR, user.id, Granted::Admin).await).await?;
    granted.map_err(|refusal| Failure::msg(refusal.to_string()))?;
    Ok(Ok(user.id))
}

/// A verified seller with this e-mail address, made when missing: asking twice is asking once. The password counts for
/// a new user only.
///
/// # Errors
/// The e-mail address, the password or the name of the shop is not valid, or the shop was rejected or suspended.
pub async fn ensure_seller(
    env: &Env,
    email: &str,
    password: &str,
    shop_name: &str,
) -> Result<(UserId, SellerId), Failure> {
    let (email, password) = credentials(email, password)?;
    let user = ensure_user(env, email, password, shop_name).await?;
    let known = shop::Entity::find().filter(shop::Column::UserId.eq(user.id)).one(env.db.read()).await?;
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| {
        let id = match &known {
            Some(known) => known.id,
            None => seller::apply(tx, now, user.id, shop_name).await??,
        };
        if known.is_none_or(|known| known.status != shop::Status::Verified) {
            seller::decide(tx, now, ACTOR, id, Decision::Verify).await??;
        }
        Ok((user.id, id))
    })
    .await
}

/// An address of a user: one that they have, or `postal` when they have none.
///
/// # Errors
/// The address is not valid, or the account was erased.
pub async fn ensure_address(env: &Env, user: UserId, postal: Postal) -> Result<AddressId, Failure> {
    let (now, vault) = (env.clock.now(), Vault::new(&env.master_key));
    tx::apply(&env.db, async |tx| match address::of(tx, user).await?.first() {
        Some(known) => Ok(known.id),
        None => Ok(address::add(tx, now, &vault, user, postal, Defaults::default()).await??),
    })
    .await
}

fn credentials(email: &str, password: &str) -> Result<(Email, Password), CreateAdminRefusal> {
    Ok((email.parse()?, Password::new("the password", password)?))
}

async fn ensure_user(
    env: &Env,
    email: Email,
    password: Password,
    name: &str,
) -> Result<user::Model, Failure> {
    let vault = Vault::new(&env.master_key);
    if let Some(known) = crate::user::by_email(env.db.read(), &vault, &email).await? {
        return Ok(known);
    }
    let password_hash = Passwords::new().hash(password).await?;
    let command = Register { email: email.clone(), password_hash, display_name: name.into(), language: None };
    let now = env.clock.now();
    let registered =
        tx::run(&env.db, async |tx| crate::user::register(tx, now, &vault, command).await).await?;
    match registered {
        Err(RegisterRefusal::EmailTaken) => crate::user::by_email(env.db.read(), &vault, &email)
            .await?
            .ok_or_else(|| Failure::msg("the account was taken and erased at this moment")),
        registered => Ok(registered?),
    }
}
