//! A guest's cart becomes part of the cart of a user who signs in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, OfferId, OrderId, UserId};
use entity::orders::cart::{Column, Entity, State};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::set::{Change, store};
use super::{Cart, Shopper, merge, mixed, of, with_lines};
use crate::goods;
use crate::limits::{LINES_MAX, QUANTITY_MAX};

/// Why a guest's cart is not merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeRefusal {
    #[error("there is no such cart")]
    NotFound,
    #[error("an order is being made of a cart")]
    CheckingOut { order_id: Option<OrderId> },
    #[error("a cart holds at most {LINES_MAX} offers")]
    TooManyLines,
    #[error("a cart has one currency")]
    MixedCurrencies { offers: Vec<(OfferId, CurrencyCode)> },
}

/// Moves a guest's lines into the user's cart; pieces of one offer add up. Merging twice is merging once.
pub async fn merge_guest(
    tx: &Tx,
    now: DateTime<Utc>,
    user: UserId,
    token_hash: Vec<u8>,
) -> Outcome<Cart, MergeRefusal> {
    let guest = Entity::find().filter(Column::TokenHash.eq(token_hash)).lock_exclusive().one(tx).await?;
    let Some(guest) = with_lines(tx, guest).await? else { return Ok(Err(MergeRefusal::NotFound)) };
    let Some(own) = of(tx, now, &Shopper::User(user)).await? else {
        return Err(Failure::msg("a user's cart vanished"));
    };
    match guest.row.state {
        State::Merged if guest.row.user_id == Some(user) => return Ok(Ok(own)),
        State::Open if own.row.state == State::Open => {}
        State::CheckingOut => return Ok(Err(MergeRefusal::CheckingOut { order_id: guest.row.order_id })),
        State::Open => return Ok(Err(MergeRefusal::CheckingOut { order_id: own.row.order_id })),
        State::Merged | State::Ordered => return Ok(Err(MergeRefusal::NotFound)),
    }
    close(tx, now, &guest, user).await?;
    add(tx, now, own, &guest).await
}

/// The guest's cart is the user's from now on, and empty for everybody else.
async fn close(tx: &Tx, now: DateTime<Utc>, guest: &Cart, user: UserId) -> Result<(), Failure> {
    Entity::update_many()
        .col_expr(Column::State, Expr::val(State::Merged))
        .col_expr(Column::UserId, Expr::val(user.0))
        .col_expr(Column::UpdatedAt, Expr::val(now))
        .filter(Column::Id.eq(guest.row.id))
        .exec(tx)
        .await?;
    Ok(())
}

async fn add(tx: &Tx, now: DateTime<Utc>, own: Cart, guest: &Cart) -> Outcome<Cart, MergeRefusal> {
    let before: HashMap<OfferId, i64> = own.lines.iter().map(|line| (line.offer_id, line.quantity)).collect();
    let offers: BTreeSet<OfferId> = guest.lines.iter().chain(&own.lines).map(|line| line.offer_id).collect();
    let goods = goods::find(tx, offers).await?;
    let quantities: BTreeMap<OfferId, i64> = guest
        .lines
        .iter()
        // What is not for sale any more is left behind.
        .filter(|line| goods.get(&line.offer_id).is_some_and(|goods| goods.for_sale))
        .map(|line| {
            let sum = before.get(&line.offer_id).unwrap_or(&0) + line.quantity;
            (line.offer_id, Ord::min(sum, QUANTITY_MAX))
        })
        .collect();
    let mut change = Change { cart: own, is_new: false, quantities };
    merge(now, &mut change.cart, &change.quantities, &goods);
    if change.cart.lines.len() > LINES_MAX {
        return Ok(Err(MergeRefusal::TooManyLines));
    }
    if let Some(offers) = mixed(&change.cart, &goods) {
        return Ok(Err(MergeRefusal::MixedCurrencies { offers }));
    }
    store(tx, now, vec![&mut change]).await?;
    Ok(Ok(change.cart))
}
