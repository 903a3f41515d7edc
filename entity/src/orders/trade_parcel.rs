//! A parcel with a traded piece: at most one for each way that it can go.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trade_parcel")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub trade_id: contract::TradeId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub way: Way,
    pub carrier: String,
    pub tracking: String,
    pub sent_at: DateTimeUtc,
    pub arrived_at: Option<DateTimeUtc>,
}

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Way {
    /// From the seller to the authentication centre.
    ToCentre,
    /// From the centre to the buyer.
    ToBuyer,
    /// From the centre back to the seller.
    ToSeller,
}

impl Way {
    /// As it is kept and logged.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToCentre => "to_centre",
            Self::ToBuyer => "to_buyer",
            Self::ToSeller => "to_seller",
        }
    }
}

impl ActiveModelBehavior for ActiveModel {}
