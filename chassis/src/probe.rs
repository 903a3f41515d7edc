//! Whether a service's database takes writes. Tried now and then, so that asking for it costs nothing: a database on a full
//! disk still answers every question.

use std::sync::Arc;
use std::time::Duration;

use entity::shared::lease;
use futures::FutureExt;
use sea_orm::sea_query::OnConflict;
use sea_orm::sqlx;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, RuntimeErr};
use uuid::Uuid;

use crate::{Env, Failure, Job};

/// How often to write.
const PAUSE: Duration = Duration::from_secs(10);
/// The row that is written: nobody holds this lease.
const ROW: &str = "probe";

/// Why a database does not take writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    DiskFull,
    /// Read-only, damaged, without rights.
    Refused,
}

impl Unwritable {
    /// For a health page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DiskFull => "disk full",
            Self::Refused => "database cannot be written",
        }
    }
}

/// Writes a row, and lets the database remember how that went.
pub fn job(env: &Env) -> Job {
    let env = env.clone();
    Job { name: "probe", pause: PAUSE, run: Arc::new(move || run(env.clone()).boxed()) }
}

/// One round of the [`job`].
pub async fn run(env: Env) -> Result<(), Failure> {
    let row = lease::ActiveModel {
        name: Set(ROW.into()),
        holder: Set(Uuid::nil()),
        expires_at: Set(env.clock.now()),
        epoch: Set(0),
    };
    let newer = OnConflict::column(lease::Column::Name).update_column(lease::Column::ExpiresAt).to_owned();
    let written = lease::Entity::insert(row).on_conflict(newer).exec_without_returning(env.db.write()).await;
    match &written {
        Ok(_) => env.db.note_writable(None),
        Err(error) => {
            if let Some(why) = why(error) {
                env.db.note_writable(Some(why));
            }
        }
    }
    Ok(written.map(drop)?)
}

/// `None`: the statement was not even tried, because the database is away or busy. That is for the ping to find out.
fn why(error: &DbErr) -> Option<Unwritable> {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(refused) = &**cause else { return None };
    Some(match refused.code().as_deref() {
        // SQLite: full. PostgreSQL: disk full.
        Some("13" | "53100") => Unwritable::DiskFull,
        // SQLite: another process writes. PostgreSQL: it is going down or has no connection left.
        Some("5" | "261" | "517" | "57P01" | "57P03" | "53300") => return None,
        _ => Unwritable::Refused,
    })
}
