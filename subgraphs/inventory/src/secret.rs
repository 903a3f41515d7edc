//! Secrets shared with systems outside: made here, shown once, kept sealed. While one is replaced, two are valid.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chassis::seal::{Key, Place, Root};
use chassis::{Env, Failure, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use entity::inventory::shared_secret::{Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use uuid::Uuid;

/// How long a replaced secret stays valid.
pub const OVERLAP: TimeDelta = TimeDelta::hours(24);
/// So that scanners of leaked secrets know one when they see it.
const PREFIX: &str = "souk_";

/// Makes and opens secrets.
pub struct Secrets(Key);

impl Secrets {
    pub fn new(env: &Env) -> Self {
        Self(Root::new(&env.master_key, "souk inventory").key())
    }

    /// A new secret of `owner`; the one before stays valid for [`OVERLAP`], or ends now. Gives the new one's id.
    pub async fn replace(
        &self,
        tx: &Tx,
        now: DateTime<Utc>,
        owner: Uuid,
        end_old_now: bool,
    ) -> Result<Uuid, Failure> {
        let of_owner = Column::OwnerId.eq(owner);
        let ended = if end_old_now {
            Condition::all().add(of_owner.clone())
        } else {
            Condition::all().add(of_owner.clone()).add(Column::ValidUntil.is_not_null())
        };
        Entity::delete_many().filter(ended).exec(tx).await?;
        Entity::update_many()
            .col_expr(Column::ValidUntil, Expr::val(now + OVERLAP))
            .filter(of_owner)
            .exec(tx)
            .await?;
        let id = Uuid::now_v7();
        let sealed = self.0.seal_text(place(id), &new_text());
        let row = Model { id, owner_id: owner, sealed, valid_until: None, created_at: now };
        Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
        Ok(id)
    }

    /// The text of a secret; `None`: it was replaced.
    pub async fn text(&self, db: &impl ConnectionTrait, id: Uuid) -> Result<Option<String>, Failure> {
        let row = Entity::find_by_id(id).one(db).await?;
        row.map(|row| self.open(&row)).transpose()
    }

    /// The secrets of `owner` that are valid, newest first.
    pub async fn valid(
        &self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        owner: Uuid,
    ) -> Result<Vec<String>, Failure> {
        let rows = Entity::find()
            .filter(Column::OwnerId.eq(owner))
            .filter(Condition::any().add(Column::ValidUntil.is_null()).add(Column::ValidUntil.gt(now)))
            .order_by_desc(Column::Id)
            .all(db)
            .await?;
        rows.iter().map(|row| self.open(row)).collect()
    }

    fn open(&self, row: &Model) -> Result<String, Failure> {
        self.0.open_text(place(row.id), &row.sealed)
    }
}

fn place(id: Uuid) -> Place {
    Place { table: "shared_secret", column: "sealed", id }
}

/// 256 random bits.
fn new_text() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system has randomness");
    format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
