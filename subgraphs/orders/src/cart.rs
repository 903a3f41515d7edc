//! Carts: of users, found by who they are, and of guests, found by a token. A cart survives restarts, sign-ins and
//! checkouts that come to nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chassis::{Env, Failure, Job, Outcome, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CartId, CurrencyCode, Money, OfferId, OrderId, UserId};
use entity::orders::cart::{self, Column, Entity, State};
use entity::orders::cart_line;
use futures::FutureExt;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::goods::{self, Goods};
use crate::limits::{LINES_MAX, QUANTITY_MAX};
use crate::secrets;

/// How long a guest's cart is kept that nobody touches.
const GUESTS_KEPT: TimeDelta = TimeDelta::days(30);
/// Carts removed in one transaction.
const SWEEP_BATCH: u64 = 1_000;
/// How often to look for them.
const SWEEP_PAUSE: Duration = Duration::from_secs(600);

/// Whose cart: every finder takes one, so that forgetting whose it is cannot happen.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// So many pieces of an offer; 0: none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Wanted {
    pub offer_id: OfferId,
    pub quantity: i64,
}

/// Why a cart is not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetRefusal {
    #[error("there is no such cart")]
    NotFound,
    #[error("an order is being made of this cart")]
    CheckingOut { order_id: Option<OrderId> },
    #[error("must be 0 to {QUANTITY_MAX}")]
    QuantityOutOfRange { line: usize },
    #[error("there is no such offer for sale")]
    OfferNotFound { line: usize },
    #[error("a cart holds at most {LINES_MAX} offers")]
    TooManyLines,
    #[error("a cart has one currency")]
    MixedCurrencies { offers: Vec<(OfferId, CurrencyCode)> },
}

/// The cart of `shopper`.
pub async fn find(db: &impl ConnectionTrait, shopper: &Shopper) -> Result<Option<Cart>, Failure> {
    with_lines(db, Entity::find().filter(shopper.is()).one(db).await?).await
}

/// The open cart of `shopper`, from now on an order's: nobody changes it or buys it again until it is known what becomes of
/// the order. `None`: there is none, or it is another order's.
pub async fn claim(
    tx: &Tx,
    now: DateTime<Utc>,
    shopper: &Shopper,
    order: OrderId,
) -> Result<Option<cart::Model>, Failure> {
    let claimed = Entity::update_many()
        .col_expr(Column::State, Expr::val(State::CheckingOut))
        .col_expr(Column::OrderId, Expr::val(order.0))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::UpdatedAt, Expr::val(now))
        .filter(shopper.is())
        .filter(Column::State.eq(State::Open))
        .exec_with_returning(tx)
        .await?;
    Ok(claimed.into_iter().next())
}

/// [`find`], locked until the transaction ends.
pub async fn lock(tx: &Tx, shopper: &Shopper) -> Result<Option<Cart>, Failure> {
    with_lines(tx, Entity::find().filter(shopper.is()).lock_exclusive().one(tx).await?).await
}

pub(crate) async fn with_lines(
    db: &impl ConnectionTrait,
    row: Option<cart::Model>,
) -> Result<Option<Cart>, Failure> {
    let Some(row) = row else { return Ok(None) };
    let lines = cart_line::Entity::find()
        .filter(cart_line::Column::CartId.eq(row.id))
        .order_by_asc(cart_line::Column::AddedAt)
        .order_by_asc(cart_line::Column::OfferId)
        .all(db)
        .await?;
    Ok(Some(Cart { row, lines }))
}

/// Makes the quantities of some offers what is `wanted`. Doing it twice is doing it once. Without a `shopper` it begins a
/// guest's cart; the token is for the guest alone.
pub async fn set(
    tx: &Tx,
    now: DateTime<Utc>,
    shopper: Option<Shopper>,
    wanted: Vec<Wanted>,
) -> Outcome<(Cart, Option<String>), SetRefusal> {
    if let Some(line) = wanted.iter().position(|line| !(0..=QUANTITY_MAX).contains(&line.quantity)) {
        return Ok(Err(SetRefusal::QuantityOutOfRange { line }));
    }
    let (cart, token) = match shopper {
        Some(shopper) => (of(tx, now, &shopper).await?, None),
        None => {
            let token = secrets::new_cart_token();
            (Some(begin(tx, now, None, secrets::cart_token_hash(&token)).await?), Some(token))
        }
    };
    let Some(cart) = cart else { return Ok(Err(SetRefusal::NotFound)) };
    if cart.row.state != State::Open {
        return Ok(Err(SetRefusal::CheckingOut { order_id: cart.row.order_id }));
    }
    Ok(write(tx, now, cart, wanted).await?.map(|cart| (cart, token)))
}

/// The shopper's cart; a user without one gets one.
async fn of(tx: &Tx, now: DateTime<Utc>, shopper: &Shopper) -> Result<Option<Cart>, Failure> {
    if let Some(cart) = lock(tx, shopper).await? {
        return Ok(Some(cart));
    }
    let Shopper::User(user) = shopper else { return Ok(None) };
    begin(tx, now, Some(*user), None).await?;
    // Two at once: the index lets one of the rows in, and both find it.
    lock(tx, shopper).await
}

async fn begin(
    tx: &Tx,
    now: DateTime<Utc>,
    user_id: Option<UserId>,
    token_hash: Option<Vec<u8>>,
) -> Result<Cart, Failure> {
    let row = cart::Model {
        id: CartId::new(),
        user_id,
        token_hash,
        promotion_code: None,
        state: State::Open,
        order_id: None,
        version: 1,
        updated_at: now,
    };
    Entity::insert(row.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(Cart { row, lines: vec![] })
}

async fn write(
    tx: &Tx,
    now: DateTime<Utc>,
    mut cart: Cart,
    wanted: Vec<Wanted>,
) -> Outcome<Cart, SetRefusal> {
    let offers: BTreeSet<OfferId> =
        wanted.iter().map(|line| line.offer_id).chain(cart.lines.iter().map(|line| line.offer_id)).collect();
    let goods = goods::find(tx, offers).await?;
    let quantities: BTreeMap<OfferId, i64> =
        wanted.iter().map(|line| (line.offer_id, line.quantity)).collect();
    let for_sale = |offer| goods.get(&offer).is_some_and(|goods: &Goods| goods.for_sale);
    if let Some(line) = wanted.iter().position(|line| line.quantity > 0 && !for_sale(line.offer_id)) {
        return Ok(Err(SetRefusal::OfferNotFound { line }));
    }
    merge(now, &mut cart, &quantities, &goods);
    if cart.lines.len() > LINES_MAX {
        return Ok(Err(SetRefusal::TooManyLines));
    }
    if let Some(offers) = mixed(&cart, &goods) {
        return Ok(Err(SetRefusal::MixedCurrencies { offers }));
    }
    store(tx, now, &mut cart, &quantities).await?;
    Ok(Ok(cart))
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

async fn store(
    tx: &Tx,
    now: DateTime<Utc>,
    cart: &mut Cart,
    quantities: &BTreeMap<OfferId, i64>,
) -> Result<(), Failure> {
    let gone: Vec<OfferId> =
        quantities.iter().filter(|(_, quantity)| **quantity == 0).map(|(offer, _)| *offer).collect();
    if !gone.is_empty() {
        cart_line::Entity::delete_many()
            .filter(cart_line::Column::CartId.eq(cart.row.id))
            .filter(cart_line::Column::OfferId.is_in(gone))
            .exec(tx)
            .await?;
    }
    let changed: Vec<_> = cart
        .lines
        .iter()
        .filter(|line| quantities.contains_key(&line.offer_id))
        .map(|line| line.clone().into_active_model())
        .collect();
    if !changed.is_empty() {
        let there = OnConflict::columns([cart_line::Column::CartId, cart_line::Column::OfferId])
            .update_column(cart_line::Column::Quantity)
            .to_owned();
        cart_line::Entity::insert_many(changed).on_conflict(there).exec_without_returning(tx).await?;
    }
    // A cart that was begun just now is as new as it can be.
    if cart.row.updated_at == now && cart.row.version == 1 {
        return Ok(());
    }
    cart.row.version += 1;
    cart.row.updated_at = now;
    Entity::update_many()
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::UpdatedAt, Expr::val(now))
        .filter(Column::Id.eq(cart.row.id))
        .exec(tx)
        .await?;
    Ok(())
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
    let mut own = own;
    merge(now, &mut own, &quantities, &goods);
    if own.lines.len() > LINES_MAX {
        return Ok(Err(MergeRefusal::TooManyLines));
    }
    if let Some(offers) = mixed(&own, &goods) {
        return Ok(Err(MergeRefusal::MixedCurrencies { offers }));
    }
    store(tx, now, &mut own, &quantities).await?;
    Ok(Ok(own))
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
