//! Products with their variants, images and attributes.

use sea_orm_migration::{prelude::*, schema::*};

use super::text_by_bytes;

pub(super) struct Products;

impl MigrationName for Products {
    fn name(&self) -> &str {
        "m0010_catalog_products"
    }
}

const INDEXES: [&str; 11] = [
    "create index product_newest on product (publication, id)",
    "create index product_by_title on product (publication, title_key, id)",
    "create index product_by_brand on product (brand_key, publication, id)",
    "create index product_by_seller on product (seller_id, id)",
    "create index variant_by_product on variant (product_id, position, id)",
    "create unique index variant_gtin on variant (gtin)",
    "create unique index variant_sku on variant (product_id, sku)",
    "create unique index image_by_product on image (product_id, position)",
    "create index product_attribute_text on product_attribute (name, text_value, product_id)",
    "create index product_attribute_number on product_attribute (name, number_micro, product_id)",
    "create index product_attribute_bool on product_attribute (name, bool_value, product_id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Products {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(product(manager)).await?;
        manager.create_table(variant()).await?;
        manager.create_table(image()).await?;
        manager.create_table(attribute(manager)).await?;
        manager.create_table(product_attribute(manager)).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn product(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("product")
        .col(uuid("id").primary_key())
        .col(text_by_bytes("handle", manager).not_null().unique_key())
        .col(text("title"))
        .col(text_by_bytes("title_key", manager).not_null())
        .col(text_null("brand"))
        .col(text_by_bytes("brand_key", manager).null())
        .col(text_null("model"))
        .col(text("description"))
        .col(text("publication"))
        .col(uuid_null("seller_id"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}

fn variant() -> TableCreateStatement {
    Table::create()
        .table("variant")
        .col(uuid("id").primary_key())
        .col(uuid("product_id"))
        .col(text_null("size"))
        .col(text_null("edition"))
        .col(text_null("sku"))
        .col(text_null("gtin"))
        .col(integer("position"))
        .col(big_integer("version"))
        .foreign_key(&mut of_product("variant_product"))
        .take()
}

fn image() -> TableCreateStatement {
    Table::create()
        .table("image")
        .col(uuid("id").primary_key())
        .col(uuid("product_id"))
        .col(integer("position"))
        .col(text("url"))
        .col(text("alt"))
        .foreign_key(&mut of_product("image_product"))
        .take()
}

fn attribute(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("attribute")
        .col(text_by_bytes("name", manager).not_null().primary_key())
        .col(text("label"))
        .col(text("kind"))
        .col(text("options"))
        .take()
}

fn product_attribute(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("product_attribute")
        .col(uuid("product_id"))
        .col(text_by_bytes("name", manager).not_null())
        .col(text("kind"))
        .col(text_null("text_value"))
        .col(big_integer_null("number_micro"))
        .col(boolean_null("bool_value"))
        .primary_key(Index::create().col("product_id").col("name"))
        .foreign_key(&mut of_product("product_attribute_product"))
        .foreign_key(
            ForeignKey::create()
                .name("product_attribute_attribute")
                .from("product_attribute", "name")
                .to("attribute", "name"),
        )
        .check(Expr::cust(
            "(text_value is not null and kind in ('text', 'one_of') and number_micro is null and bool_value is null) \
             or (number_micro is not null and kind = 'number' and text_value is null and bool_value is null) \
             or (bool_value is not null and kind = 'boolean' and text_value is null and number_micro is null)",
        ))
        .take()
}

fn of_product(name: &'static str) -> ForeignKeyCreateStatement {
    let table = name.trim_end_matches("_product").to_owned();
    ForeignKey::create().name(name).from(table, "product_id").to("product", "id").take()
}
