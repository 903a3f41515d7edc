//! Carts that become orders, many at once.

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{CartId, OrderId};
use entity::orders::cart::{Column, Entity, Model, State};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Shopper;

impl Shopper {
    pub fn owns(&self, cart: &Model) -> bool {
        match self {
            Self::User(user) => cart.user_id == Some(*user),
            Self::Guest(hash) => cart.token_hash.as_ref() == Some(hash),
        }
    }
}

fn of(shoppers: &[&Shopper], state: State) -> Condition {
    let users = shoppers.iter().filter_map(|shopper| match shopper {
        Shopper::User(user) => Some(*user),
        Shopper::Guest(_) => None,
    });
    let guests = shoppers.iter().filter_map(|shopper| match shopper {
        Shopper::User(_) => None,
        Shopper::Guest(hash) => Some(hash.clone()),
    });
    let theirs = Condition::any().add(Column::UserId.is_in(users)).add(Column::TokenHash.is_in(guests));
    Condition::all().add(Column::State.eq(state)).add(theirs)
}

/// The open carts of `shoppers`, locked until the transaction ends, in the order of their ids.
pub async fn lock_open(tx: &Tx, shoppers: &[&Shopper]) -> Result<Vec<Model>, Failure> {
    let carts = Entity::find().filter(of(shoppers, State::Open)).order_by_asc(Column::Id);
    Ok(carts.lock_exclusive().all(tx).await?)
}

/// The carts of `shoppers` of which orders are being made.
pub async fn checking_out(tx: &Tx, shoppers: &[&Shopper]) -> Result<Vec<Model>, Failure> {
    match shoppers.is_empty() {
        true => Ok(vec![]),
        false => Ok(Entity::find().filter(of(shoppers, State::CheckingOut)).all(tx).await?),
    }
}

/// Gives open carts to orders: nobody changes one or buys it again until it is known what becomes of its order. The caller
/// has locked them.
pub async fn claim(tx: &Tx, now: DateTime<Utc>, claims: &[(CartId, OrderId)]) -> Result<(), Failure> {
    let order = claims.iter().fold(CaseStatement::new(), |orders, (cart, order)| {
        orders.case(Column::Id.eq(*cart), Expr::val(order.0))
    });
    let claimed = Entity::update_many()
        .col_expr(Column::State, Expr::val(State::CheckingOut))
        .col_expr(Column::OrderId, order.into())
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::UpdatedAt, Expr::val(now))
        .filter(Column::Id.is_in(claims.iter().map(|(cart, _)| *cart)))
        .filter(Column::State.eq(State::Open))
        .exec(tx)
        .await?;
    match claimed.rows_affected == claims.len() as u64 {
        true => Ok(()),
        false => Err(Failure::msg("a cart changed under its lock")),
    }
}
