//! Carts: of users, found by who they are, and of guests, found by a token. A cart survives restarts, sign-ins and
//! checkouts that come to nothing.

pub mod claim;
mod guest;
mod set;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chassis::{Env, Failure, Job, Outcome, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CartId, CurrencyCode, Money, OfferId, OrderId, UserId};
use entity::orders::cart::{self, Column, Entity, State};
use entity::orders::cart_line;
use futures::FutureExt;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::goods::Goods;
pub use guest::{MergeRefusal, merge_guest};
pub use set::{Carts, Set, SetRefusal, Wanted};

/// How long a guest's cart is kept that nobody touches.
const GUESTS_KEPT: TimeDelta = TimeDelta::days(30);
/// Carts removed in one transaction.
const SWEEP_BATCH: u64 = 1_000;
/// How often to look for them.
const SWEEP_PAUSE: Duration = Duration::from_secs(600);

/// Whose cart: every finder takes one, so that forgetting whose it is cannot happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shopper {
    User(UserId),
    /// Somebody who shows the token with this hash.
    Guest(Vec<u8>),
}

impl Shopper {
    fn is(&self) -> Condition {
        let live = Condition::all().add(Column::State.is_in([State::Open, State::CheckingOut]));
        match self {
            Self::User(user) => live.add(Column::UserId.eq(*user)),
            Self::Guest(hash) => live.add(Column::TokenHash.eq(hash.clone())),
        }
    }
}

/// A cart and what is in it, in the order in which it was put in.
#[derive(Clone, Debug)]
pub struct Cart {
    pub row: cart::Model,
    pub lines: Vec<cart_line::Model>,
}

/// The cart of `shopper`.
pub async fn find(db: &impl ConnectionTrait, shopper: &Shopper) -> Result<Option<Cart>, Failure> {
    with_lines(db, find_row(db, shopper).await?).await
}

/// [`find`], without what is in it.
pub async fn find_row(db: &impl ConnectionTrait, shopper: &Shopper) -> Result<Option<cart::Model>, Failure> {
    Ok(Entity::find().filter(shopper.is()).one(db).await?)
}

/// [`find`], locked until the transaction ends.
pub async fn lock(tx: &Tx, shopper: &Shopper) -> Result<Option<Cart>, Failure> {
    with_lines(tx, Entity::find().filter(shopper.is()).lock_exclusive().one(tx).await?).await
}

async fn with_lines(db: &impl ConnectionTrait, row: Option<cart::Model>) -> Result<Option<Cart>, Failure> {
    let Some(row) = row else { return Ok(None) };
    let lines = cart_line::Entity::find()
        .filter(cart_line::Column::CartId.eq(row.id))
        .order_by_asc(cart_line::Column::AddedAt)
        .order_by_asc(cart_line::Column::OfferId)
        .all(db)
        .await?;
    Ok(Some(Cart { row, lines }))
}

/// The shopper's cart; a user without one gets one.
async fn of(tx: &Tx, now: DateTime<Utc>, shopper: &Shopper) -> Result<Option<Cart>, Failure> {
    if let Some(cart) = lock(tx, shopper).await? {
        return Ok(Some(cart));
    }
    let Shopper::User(user) = shopper else { return Ok(None) };
    Entity::insert(blank(now, Some(*user), None).into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    // Two at once: the index lets one of the rows in, and both find it.
    lock(tx, shopper).await
}

/// A cart with nothing in it.
fn blank(now: DateTime<Utc>, user_id: Option<UserId>, token_hash: Option<Vec<u8>>) -> cart::Model {
    cart::Model {
        id: CartId::new(),
        user_id,
        token_hash,
        promotion_code: None,
        state: State::Open,
        order_id: None,
        version: 1,
        updated_at: now,
    }
}

fn merge(
    now: DateTime<Utc>,
    cart: &mut Cart,
    quantities: &BTreeMap<OfferId, i64>,
    goods: &HashMap<OfferId, Goods>,
) {
    for (offer_id, quantity) in quantities {
        match cart.lines.iter().position(|line| line.offer_id == *offer_id) {
            Some(at) if *quantity == 0 => _ = cart.lines.remove(at),
            Some(at) => cart.lines[at].quantity = *quantity,
            None if *quantity == 0 => {}
            None => cart.lines.push(cart_line::Model {
                cart_id: cart.row.id,
                offer_id: *offer_id,
                quantity: *quantity,
                added_minor: goods[offer_id].price.amount_minor,
                added_currency: goods[offer_id].price.currency.to_string(),
                added_at: now,
            }),
        }
    }
}

/// The currency of each line, when there is more than one.
fn mixed(cart: &Cart, goods: &HashMap<OfferId, Goods>) -> Option<Vec<(OfferId, CurrencyCode)>> {
    let currencies: Vec<(OfferId, CurrencyCode)> = cart
        .lines
        .iter()
        .filter_map(|line| Some((line.offer_id, goods.get(&line.offer_id)?.price.currency)))
        .collect();
    let first = currencies.first()?.1;
    currencies.iter().any(|(_, currency)| *currency != first).then_some(currencies)
}

/// Why a code is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    #[error("there is no such cart")]
    NotFound,
    #[error("an order is being made of this cart")]
    CheckingOut { order_id: Option<OrderId> },
    #[error("there is no such promotion now")]
    Unknown,
}

/// Puts a promotion's code on the cart in place of what was there; `None` takes it off.
pub async fn set_code(
    tx: &Tx,
    now: DateTime<Utc>,
    shopper: &Shopper,
    code: Option<String>,
) -> Outcome<Cart, CodeRefusal> {
    let Some(mut cart) = lock(tx, shopper).await? else { return Ok(Err(CodeRefusal::NotFound)) };
    if cart.row.state != State::Open {
        return Ok(Err(CodeRefusal::CheckingOut { order_id: cart.row.order_id }));
    }
    if let Some(code) = &code
        && !crate::promotion::is_running(tx, now, code).await?
    {
        return Ok(Err(CodeRefusal::Unknown));
    }
    cart.row.promotion_code = code;
    cart.row.version += 1;
    cart.row.updated_at = now;
    Entity::update(cart.row.clone().into_active_model().reset_all()).exec(tx).await?;
    Ok(Ok(cart))
}

/// The price of a line when it was put in.
pub fn added_price(line: &cart_line::Model) -> Result<Money, Failure> {
    Ok(Money { amount_minor: line.added_minor, currency: line.added_currency.parse()? })
}

/// Removes guests' carts that nobody has touched for long.
pub fn sweeper(env: &Env) -> Job {
    let env = env.clone();
    Job {
        name: "orders cart sweeper",
        pause: SWEEP_PAUSE,
        run: Arc::new(move || {
            let env = env.clone();
            async move { sweep(&env).await }.boxed()
        }),
    }
}

/// One round of the [`sweeper`].
pub async fn sweep(env: &Env) -> Result<(), Failure> {
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| {
        let old: Vec<CartId> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::UserId.is_null())
            .filter(Column::State.eq(State::Open))
            .filter(Column::UpdatedAt.lt(now - GUESTS_KEPT))
            .limit(SWEEP_BATCH)
            .into_tuple()
            .all(tx)
            .await?;
        if old.is_empty() {
            return Ok(());
        }
        cart_line::Entity::delete_many()
            .filter(cart_line::Column::CartId.is_in(old.clone()))
            .exec(tx)
            .await?;
        Entity::delete_many().filter(Column::Id.is_in(old)).exec(tx).await?;
        Ok(())
    })
    .await
}
