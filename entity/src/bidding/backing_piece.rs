//! One reserved piece behind an ask.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "backing_piece")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub backing_id: contract::BackingId,
    /// From 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub reservation_id: contract::ReservationId,
    pub state: State,
    /// The matched piece that took it.
    pub trade: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// It is asked for or reserved, for what the ask has in the book.
    Kept,
    /// It goes with a match; whoever settles that commits or releases it.
    Matched,
    /// It was given back.
    Freed,
}

impl ActiveModelBehavior for ActiveModel {}
