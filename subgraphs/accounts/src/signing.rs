//! The keys that sign access tokens: one signs, the next is already published, earlier ones verify until their last
//! token has expired.

use std::sync::{Arc, RwLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chassis::auth::{ACCESS_TOKEN_TTL, AUDIENCE, Claims, ISSUER, Keys, PublicKey, Role};
use chassis::{Database, Failure, Tx, audit, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{SessionId, UserId};
use entity::accounts::signing_key::{self, State};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use crate::vault::{Place, Vault};

/// How long after its retirement a key still verifies: its last token's life, and the time in which another process
/// may go on signing with it.
const RETIRED_KEPT: TimeDelta = TimeDelta::minutes(15);
const _: () = assert!(RETIRED_KEPT.num_seconds() > ACCESS_TOKEN_TTL.num_seconds() + 2 * 60);

/// Signs access tokens with the current key.
pub struct Signer {
    current: RwLock<Arc<Current>>,
}

struct Current {
    kid: String,
    key: EncodingKey,
}

/// A signed access token.
#[derive(Clone)]
pub struct AccessToken {
    pub text: String,
    pub expires_at: DateTime<Utc>,
}

impl Signer {
    /// Reads the keys, makes them when there are none, and publishes them.
    pub async fn open(
        db: &Database,
        keys: &Keys,
        vault: &Vault,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        tx::apply(db, async |tx| found(tx, now, vault).await).await?;
        let current = read(db, keys, vault).await?;
        Ok(Self { current: RwLock::new(Arc::new(current)) })
    }

    /// Follows a rotation, also one of another process.
    pub async fn refresh(&self, db: &Database, keys: &Keys, vault: &Vault) -> Result<(), Failure> {
        let current = Arc::new(read(db, keys, vault).await?);
        *self.current.write().expect("no code panics while it holds this lock") = current;
        Ok(())
    }

    /// An access token of `session`, good for [`ACCESS_TOKEN_TTL`].
    pub fn sign(
        &self,
        now: DateTime<Utc>,
        user: UserId,
        session: SessionId,
        roles: &[Role],
    ) -> Result<AccessToken, Failure> {
        let expires_at = DateTime::from_timestamp((now + ACCESS_TOKEN_TTL).timestamp(), 0)
            .ok_or_else(|| Failure::msg("the clock is out of range"))?;
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: user,
            sid: session,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
            scope: roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" "),
        };
        let current = self.current.read().expect("no code panics while it holds this lock").clone();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".into());
        header.kid = Some(current.kid.clone());
        Ok(AccessToken { text: jsonwebtoken::encode(&header, &claims, &current.key)?, expires_at })
    }
}

/// Makes the first two keys. Of two processes that start at once, one makes them.
async fn found(tx: &Tx, now: DateTime<Utc>, vault: &Vault) -> Result<(), Failure> {
    for state in [State::Current, State::Next] {
        insert(tx, now, vault, state).await?;
    }
    Ok(())
}

/// Adds a new key in `state`, unless there is one already.
async fn insert(tx: &Tx, now: DateTime<Utc>, vault: &Vault, state: State) -> Result<(), Failure> {
    if signing_key::Entity::find().filter(signing_key::Column::State.eq(state)).one(tx).await?.is_some() {
        return Ok(());
    }
    signing_key::Entity::insert(new_key(now, vault, state)?.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The next key signs from now on, and a new one is next. Gives the id of the key that signs; when somebody else is
/// rotating at this moment, theirs.
pub async fn rotate(tx: &Tx, now: DateTime<Utc>, vault: &Vault, actor: &str) -> Result<String, Failure> {
    use signing_key::Column;
    signing_key::Entity::delete_many().filter(Column::RetiredAt.lt(now - RETIRED_KEPT)).exec(tx).await?;
    let retired = signing_key::Entity::update_many()
        .col_expr(Column::State, Expr::val(State::Previous))
        .col_expr(Column::RetiredAt, Expr::val(now))
        .filter(Column::State.eq(State::Current))
        .exec(tx)
        .await?;
    if retired.rows_affected == 1 {
        signing_key::Entity::update_many()
            .col_expr(Column::State, Expr::val(State::Current))
            .filter(Column::State.eq(State::Next))
            .exec(tx)
            .await?;
        insert(tx, now, vault, State::Next).await?;
    }
    let current = signing_key::Entity::find()
        .filter(Column::State.eq(State::Current))
        .one(tx)
        .await?
        .ok_or_else(|| Failure::msg("no key signs"))?;
    if retired.rows_affected == 1 {
        audit::record(tx, now, actor, "signing_key.rotate", &current.kid, json!({})).await?;
    }
    Ok(current.kid)
}

/// Publishes all keys and gives the one that signs.
async fn read(db: &Database, keys: &Keys, vault: &Vault) -> Result<Current, Failure> {
    // From the connection that writes: a replica could still be without the keys just made.
    let rows = signing_key::Entity::find().all(db.write()).await?;
    keys.publish(rows.iter().map(|row| PublicKey::ed25519(&row.kid, &row.public_x)).collect());
    let current = rows
        .into_iter()
        .find(|row| row.state == State::Current)
        .ok_or_else(|| Failure::msg("no key signs"))?;
    let pkcs8 = vault.master.open(place(&current.kid)?, &current.private_sealed)?;
    Ok(Current { kid: current.kid, key: EncodingKey::from_ed_der(&pkcs8) })
}

fn new_key(now: DateTime<Utc>, vault: &Vault, state: State) -> Result<signing_key::Model, Failure> {
    let kid = Uuid::now_v7().simple().to_string();
    let pair = Ed25519KeyPair::generate().map_err(|_| Failure::msg("no key could be generated"))?;
    let pkcs8 = pair.to_pkcs8().map_err(|_| Failure::msg("no key could be exported"))?;
    Ok(signing_key::Model {
        state,
        public_x: BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
        private_sealed: vault.master.seal(place(&kid)?, pkcs8.as_ref()),
        created_at: now,
        retired_at: None,
        kid,
    })
}

fn place(kid: &str) -> Result<Place, Failure> {
    Ok(Place { table: "signing_key", column: "private_sealed", id: kid.parse()? })
}
