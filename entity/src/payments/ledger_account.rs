//! An account of the ledger: what its transfers add up to, written with them.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Says which it is: `held:EUR:ord_…:slr_…`.
    pub id: String,
    pub kind: Kind,
    pub currency: String,
    pub order_id: Option<contract::OrderId>,
    pub seller_id: Option<contract::SellerId>,
    pub debits_posted: i64,
    pub credits_posted: i64,
    pub debits_pending: i64,
    pub credits_pending: i64,
    /// The side whose balance may never fall below zero, what is pending included.
    pub floor: Floor,
}

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Clearing,
    Balance,
    Held,
    Payable,
    Receivable,
    PlatformFee,
    ProviderFee,
    Tax,
    DisputeReserve,
    Transit,
    Returned,
    Loss,
}

/// Which side must cover the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Floor {
    None,
    Debit,
    Credit,
}

impl ActiveModelBehavior for ActiveModel {}
