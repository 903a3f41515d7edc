//! What every entity is written with.

pub(crate) use sea_orm::entity::prelude::*;

/// The relations of an entity: none. A join says what it joins, where it is made; `#[sea_orm::model]` would write a second
/// model for each table that follows relations, and be most of what this crate costs to build.
#[derive(Clone, Copy, Debug, EnumIter)]
pub enum Relation {}

impl RelationTrait for Relation {
    fn def(&self) -> RelationDef {
        match *self {}
    }
}
