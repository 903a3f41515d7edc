//! Sessions and the refresh tokens that carry them on.

use sea_orm_migration::{prelude::*, schema::*};

/// `session` and `refresh_token`.
pub struct Sessions;

impl MigrationName for Sessions {
    fn name(&self) -> &str {
        "m0012_accounts_sessions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sessions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(session()).await?;
        manager.create_table(refresh_token()).await?;
        let db = manager.get_connection();
        db.execute_unprepared("create index session_of_user on session (user_id, id)").await?;
        db.execute_unprepared("create index session_expiry on session (expires_at)").await?;
        db.execute_unprepared("create index refresh_token_session on refresh_token (session_id)").await?;
        db.execute_unprepared("create index refresh_token_used on refresh_token (used_at)").await?;
        Ok(())
    }
}

fn session() -> TableCreateStatement {
    Table::create()
        .table("session")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(text_null("device"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_used_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(text_null("end_reason"))
        .foreign_key(ForeignKey::create().from("session", "user_id").to("user_account", "id"))
        .take()
}

fn refresh_token() -> TableCreateStatement {
    Table::create()
        .table("refresh_token")
        .col(blob("hash").primary_key())
        .col(uuid("session_id"))
        .col(timestamp_with_time_zone("issued_at"))
        .col(timestamp_with_time_zone_null("used_at"))
        .col(blob_null("successor_sealed"))
        .foreign_key(
            ForeignKey::create()
                .from("refresh_token", "session_id")
                .to("session", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
