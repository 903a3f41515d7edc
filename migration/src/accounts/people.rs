//! People: users, the roles they were given, their addresses.

use sea_orm_migration::{prelude::*, schema::*};

/// `user_account`, `user_role` and `address`.
pub struct People;

impl MigrationName for People {
    fn name(&self) -> &str {
        "m0011_accounts_people"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for People {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(user_account()).await?;
        manager.create_table(user_role()).await?;
        manager.create_table(address()).await?;
        let db = manager.get_connection();
        db.execute_unprepared("create index user_role_role on user_role (role)").await?;
        db.execute_unprepared("create index address_user on address (user_id, id)").await?;
        Ok(())
    }
}

fn user_account() -> TableCreateStatement {
    Table::create()
        .table("user_account")
        .col(uuid("id").primary_key())
        .col(blob_null("email_hash").unique_key())
        .col(blob_null("email_sealed"))
        .col(text_null("password_hash"))
        .col(text("display_name"))
        .col(blob_null("phone_sealed"))
        .col(text("locale"))
        .col(text("currency"))
        .col(text("language"))
        .col(boolean("marketing_opt_in"))
        .col(uuid_null("default_shipping_id"))
        .col(uuid_null("default_billing_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("last_login_at"))
        .col(timestamp_with_time_zone_null("erased_at"))
        // Who is erased has nothing left that names or admits them.
        .check(Expr::cust(
            "erased_at is null or (email_hash is null and email_sealed is null \
             and phone_sealed is null and password_hash is null)",
        ))
        .take()
}

fn user_role() -> TableCreateStatement {
    Table::create()
        .table("user_role")
        .col(uuid("user_id"))
        .col(text("role").check(Expr::col("role").is_in(["authenticator", "admin"])))
        .col(timestamp_with_time_zone("granted_at"))
        .col(text("granted_by"))
        .primary_key(Index::create().col("user_id").col("role"))
        .foreign_key(ForeignKey::create().from("user_role", "user_id").to("user_account", "id"))
        .take()
}

fn address() -> TableCreateStatement {
    Table::create()
        .table("address")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(blob("recipient_sealed"))
        .col(blob("line1_sealed"))
        .col(blob_null("line2_sealed"))
        .col(blob("city_sealed"))
        .col(blob_null("region_sealed"))
        .col(blob_null("postal_code_sealed"))
        .col(blob_null("phone_sealed"))
        .col(text("country"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(ForeignKey::create().from("address", "user_id").to("user_account", "id"))
        .take()
}
