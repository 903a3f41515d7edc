//! The audit trail, for admins.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chrono::{DateTime, Utc};
use contract::Long;
use entity::shared::audit_event as row;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::Accounts;

/// Who did what to whom in accounts. Entries are never changed; each one's hash covers the one before it.
#[derive(SimpleObject)]
struct AuditEvent {
    /// The entry's number; later ones are larger.
    sequence: Long,
    /// When it was done.
    at: DateTime<Utc>,
    /// A user's id, `anonymous`, or what acted by itself.
    actor: String,
    /// What was done, such as `login`, `login.failed`, `role.grant`, `seller.verify`.
    action: String,
    /// The id of what it was done to.
    subject: String,
    /// Further facts, as JSON.
    details: String,
}

impl From<row::Model> for AuditEvent {
    fn from(row: row::Model) -> Self {
        let row::Model { seq, at, actor, action, subject, details, .. } = row;
        Self { sequence: Long(seq), at, actor, action, subject, details }
    }
}

#[derive(Default)]
pub(super) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit trail of accounts, newest first. For admins.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to go on.")] after: Option<String>,
    ) -> Result<Connection<Cursor<i64>, AuditEvent>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let mut events = row::Entity::find().order_by_desc(row::Column::Seq).limit(page.rows());
        if let Some(after) = page.after {
            events = events.filter(row::Column::Seq.lt(after));
        }
        let rows = events.all(ctx.data_unchecked::<Accounts>().env.db.read()).await?;
        Ok(page.connection(rows, |row| row.seq, AuditEvent::from))
    }
}
