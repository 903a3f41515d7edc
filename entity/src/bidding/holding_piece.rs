//! What is held for one piece of a bid: a payment that belongs to no order yet.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holding_piece")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub payment_id: contract::PaymentId,
    pub holding_id: contract::HoldingId,
    /// From 0.
    pub position: i64,
    pub state: State,
    /// When the provider lets it go by itself.
    pub held_until: Option<DateTimeUtc>,
    /// The matched piece that took it.
    pub trade: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// It was asked for.
    Asked,
    /// It is held, for what the bid has in the book.
    Held,
    /// It goes with a match; whoever settles that takes it or gives it up.
    Matched,
    /// It was given up, or never came to be.
    Freed,
}

impl ActiveModelBehavior for ActiveModel {}
