//! Tax and fees, from a time on. A later row replaces an earlier one.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "platform_rate")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: Kind,
    /// Of a tax: ISO 3166-1 alpha-2 of the destination. Empty for fees.
    pub country: String,
    /// Of a tax: a part of the country with a rate of its own. Empty: the country's.
    pub region: String,
    /// Hundredths of a percent.
    pub rate_bps: i64,
    /// Prices have the tax in them.
    pub inclusive: bool,
    pub valid_from: DateTimeUtc,
    pub created_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Tax,
    Fee,
}

impl ActiveModelBehavior for ActiveModel {}
