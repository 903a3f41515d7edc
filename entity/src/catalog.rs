//! Tables of catalog: products, their variants and the offers for them.

pub mod attribute;
pub mod category;
pub mod category_tree;
pub mod image;
pub mod import_chunk;
pub mod import_error;
pub mod import_job;
pub mod listing;
pub mod offer;
pub mod offer_price;
pub mod product;
pub mod product_attribute;
pub mod product_category;
pub mod proposal;
pub mod seller;
pub mod variant;

use contract::event::catalog as said;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// Whether buyers see a product or an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Publication {
    Draft,
    Published,
    Archived,
}

/// The state of the goods in an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Condition {
    New,
    LikeNew,
    VeryGood,
    Good,
    Acceptable,
}

impl From<Publication> for said::Publication {
    fn from(publication: Publication) -> Self {
        match publication {
            Publication::Draft => Self::Draft,
            Publication::Published => Self::Published,
            Publication::Archived => Self::Archived,
        }
    }
}

impl From<Condition> for said::Condition {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::New => Self::New,
            Condition::LikeNew => Self::LikeNew,
            Condition::VeryGood => Self::VeryGood,
            Condition::Good => Self::Good,
            Condition::Acceptable => Self::Acceptable,
        }
    }
}
