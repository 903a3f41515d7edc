//! Proposals of products. `Open` becomes `Approved`, `Rejected` or `Merged`, once.

use contract::{ListingId, ProductId, ProposalId, SellerId, UserId, VariantId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProposalId,
    /// The draft, which is the seller's to complete until it is decided about.
    #[sea_orm(unique)]
    pub product_id: ProductId,
    pub variant_id: VariantId,
    pub seller_id: SellerId,
    pub proposed_by: UserId,
    pub state: State,
    /// Why it is none of the products that it looks like.
    pub new_because: Option<String>,
    /// How the seller wants to offer it once it is there, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub terms: Option<String>,
    /// What came of the terms.
    pub listing_id: Option<ListingId>,
    /// Why it was decided so.
    pub decision: Option<String>,
    pub decided_by: Option<UserId>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Open,
    Approved,
    Rejected,
    Merged,
}

impl ActiveModelBehavior for ActiveModel {}
