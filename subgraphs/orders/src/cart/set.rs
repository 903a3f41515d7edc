//! Changing what is in carts: whoever changes theirs while others do is served with the next ones, in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chassis::together::{Answered, rounds};
use chassis::{Env, Failure, Together, Tx, tx};
use chrono::{DateTime, Utc};
use contract::{CartId, CurrencyCode, OfferId, OrderId};
use entity::orders::cart::{self, Column, Entity};
use entity::orders::cart_line;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::{Cart, Shopper, blank, claim, merge, mixed};
use crate::goods::{self, Goods};
use crate::limits::{LINES_MAX, QUANTITY_MAX};
use crate::secrets;

/// Carts changed in one transaction.
const TOGETHER_MAX: usize = 64;
/// Rows of one insert: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;
/// How often a cart is looked for that somebody else began at the same time.
const TRIES: usize = 3;

/// So many pieces of an offer; 0: none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Wanted {
    pub offer_id: OfferId,
    pub quantity: i64,
}

/// Makes the quantities of some offers what is `wanted`. Doing it twice is doing it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// `None` begins a guest's cart.
    pub shopper: Option<Shopper>,
    pub wanted: Vec<Wanted>,
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

/// The cart afterwards. A guest who begins one gets its token, which is for them alone.
pub type Done = Result<(Cart, Option<String>), SetRefusal>;

/// Changes carts.
pub struct Carts(Together<Set, Done>);

impl Carts {
    pub fn new(env: &Env) -> Self {
        let env_of_all = env.clone();
        Self(Together::new(&env.tasks, TOGETHER_MAX, move |sets: Vec<Set>| {
            let env = env_of_all.clone();
            async move { serve(&env, sets).await }
        }))
    }

    /// Changes a cart, or says why not.
    pub async fn set(&self, set: Set) -> Answered<Done> {
        self.0.ask(set).await
    }
}

/// Changes of one cart come one after the other.
async fn serve(env: &Env, sets: Vec<Set>) -> Vec<Answered<Done>> {
    let numbered: Vec<(usize, Set)> = sets.into_iter().enumerate().collect();
    let mut answers: HashMap<usize, Answered<Done>> = HashMap::new();
    for some in rounds(&numbered, |(_, set)| set.shopper.clone()) {
        let changes: Vec<&Set> = some.iter().map(|(_, set)| set).collect();
        let done = serve_round(env, &changes).await;
        answers.extend(some.iter().map(|(number, _)| *number).zip(done));
    }
    let missing = || Err(Arc::new(Failure::msg("a change of a cart was not answered")));
    (0..numbered.len()).map(|number| answers.remove(&number).unwrap_or_else(missing)).collect()
}

/// All together; one by one when that fails, so that one that cannot be changed holds up no other.
async fn serve_round(env: &Env, some: &[&Set]) -> Vec<Answered<Done>> {
    let failure = match change(env, some).await {
        Ok(done) => return done.into_iter().map(Ok).collect(),
        Err(failure) => Arc::new(failure),
    };
    let mut answers = vec![];
    for one in some {
        // A database that is away is away for each of them.
        answers.push(match some.len() == 1 || failure.is_retryable() {
            true => Err(failure.clone()),
            false => change(env, &[*one]).await.map(|mut done| done.remove(0)).map_err(Arc::new),
        });
    }
    answers
}

/// Changes carts of different shoppers.
async fn change(env: &Env, some: &[&Set]) -> Result<Vec<Done>, Failure> {
    for _ in 0..TRIES {
        let now = env.clock.now();
        let done = tx::apply(&env.db, async |tx| set_all(tx, now, some).await).await;
        match done {
            Err(failure) if failure.is::<BegunByAnother>() => {}
            done => return done,
        }
    }
    Err(BegunByAnother.into())
}

/// Two at once: the index lets one of the carts in, and the next look finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("somebody else began this shopper's cart at the same time")]
struct BegunByAnother;

/// A cart that changes.
pub(super) struct Change {
    pub cart: Cart,
    pub is_new: bool,
    /// What its lines are made.
    pub quantities: BTreeMap<OfferId, i64>,
}

/// Decides on all in memory, then writes once.
async fn set_all(tx: &Tx, now: DateTime<Utc>, sets: &[&Set]) -> Result<Vec<Done>, Failure> {
    let known = Known::read(tx, sets).await?;
    let mut drafts: Vec<Result<(Change, Option<String>), SetRefusal>> =
        sets.iter().map(|set| known.draft(now, set)).collect();
    let goods = goods_of(tx, &drafts).await?;
    for (draft, set) in drafts.iter_mut().zip(sets) {
        let refusal = match draft {
            Ok((change, _)) => fill(now, change, &set.wanted, &goods).err(),
            Err(_) => None,
        };
        if let Some(refusal) = refusal {
            *draft = Err(refusal);
        }
    }
    let changes = drafts.iter_mut().filter_map(|draft| Some(&mut draft.as_mut().ok()?.0));
    store(tx, now, changes.collect()).await?;
    Ok(drafts.into_iter().map(|draft| draft.map(|(change, token)| (change.cart, token))).collect())
}

/// The shoppers' carts.
struct Known {
    open: Vec<Cart>,
    checking_out: Vec<cart::Model>,
}

impl Known {
    /// Open ones are locked until the transaction ends.
    async fn read(tx: &Tx, sets: &[&Set]) -> Result<Self, Failure> {
        let shoppers: Vec<&Shopper> = sets.iter().filter_map(|set| set.shopper.as_ref()).collect();
        if shoppers.is_empty() {
            return Ok(Self { open: vec![], checking_out: vec![] });
        }
        let rows = claim::lock_open(tx, &shoppers).await?;
        let without: Vec<&Shopper> =
            shoppers.into_iter().filter(|shopper| !rows.iter().any(|row| shopper.owns(row))).collect();
        let checking_out = claim::checking_out(tx, &without).await?;
        Ok(Self { open: with_lines(tx, rows).await?, checking_out })
    }

    fn draft(&self, now: DateTime<Utc>, set: &Set) -> Result<(Change, Option<String>), SetRefusal> {
        if let Some(line) = set.wanted.iter().position(|line| !(0..=QUANTITY_MAX).contains(&line.quantity)) {
            return Err(SetRefusal::QuantityOutOfRange { line });
        }
        let quantities = set.wanted.iter().map(|line| (line.offer_id, line.quantity)).collect();
        let begun = |row| Cart { row, lines: vec![] };
        let Some(shopper) = &set.shopper else {
            let token = secrets::new_cart_token();
            let cart = begun(blank(now, None, secrets::cart_token_hash(&token)));
            return Ok((Change { cart, is_new: true, quantities }, Some(token)));
        };
        if let Some(cart) = self.open.iter().find(|cart| shopper.owns(&cart.row)) {
            return Ok((Change { cart: cart.clone(), is_new: false, quantities }, None));
        }
        match (self.checking_out.iter().find(|cart| shopper.owns(cart)), shopper) {
            (Some(cart), _) => Err(SetRefusal::CheckingOut { order_id: cart.order_id }),
            (None, Shopper::User(user)) => {
                let cart = begun(blank(now, Some(*user), None));
                Ok((Change { cart, is_new: true, quantities }, None))
            }
            (None, Shopper::Guest(_)) => Err(SetRefusal::NotFound),
        }
    }
}

async fn with_lines(tx: &Tx, rows: Vec<cart::Model>) -> Result<Vec<Cart>, Failure> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let mut lines: HashMap<CartId, Vec<cart_line::Model>> = HashMap::new();
    let found = cart_line::Entity::find()
        .filter(cart_line::Column::CartId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(cart_line::Column::AddedAt)
        .order_by_asc(cart_line::Column::OfferId);
    for line in found.all(tx).await? {
        lines.entry(line.cart_id).or_default().push(line);
    }
    let cart = |row: cart::Model| Cart { lines: lines.remove(&row.id).unwrap_or_default(), row };
    Ok(rows.into_iter().map(cart).collect())
}

async fn goods_of(
    tx: &Tx,
    drafts: &[Result<(Change, Option<String>), SetRefusal>],
) -> Result<HashMap<OfferId, Goods>, Failure> {
    let offers: BTreeSet<OfferId> = drafts
        .iter()
        .flatten()
        .flat_map(|(change, _)| {
            change.quantities.keys().copied().chain(change.cart.lines.iter().map(|line| line.offer_id))
        })
        .collect();
    match offers.is_empty() {
        true => Ok(HashMap::new()),
        false => goods::find(tx, offers).await,
    }
}

/// Makes the cart's lines what is wanted, if it may.
fn fill(
    now: DateTime<Utc>,
    change: &mut Change,
    wanted: &[Wanted],
    goods: &HashMap<OfferId, Goods>,
) -> Result<(), SetRefusal> {
    let for_sale = |offer| goods.get(&offer).is_some_and(|goods: &Goods| goods.for_sale);
    if let Some(line) = wanted.iter().position(|line| line.quantity > 0 && !for_sale(line.offer_id)) {
        return Err(SetRefusal::OfferNotFound { line });
    }
    merge(now, &mut change.cart, &change.quantities, goods);
    if change.cart.lines.len() > LINES_MAX {
        return Err(SetRefusal::TooManyLines);
    }
    match mixed(&change.cart, goods) {
        Some(offers) => Err(SetRefusal::MixedCurrencies { offers }),
        None => Ok(()),
    }
}

/// Writes carts with what has changed in them. Those that are not new are locked.
pub(super) async fn store(tx: &Tx, now: DateTime<Utc>, mut changes: Vec<&mut Change>) -> Result<(), Failure> {
    begin(tx, changes.iter().filter(|change| change.is_new).map(|change| &change.cart.row)).await?;
    drop_lines(tx, &changes).await?;
    write_lines(tx, &changes).await?;
    let mut touched = vec![];
    // A cart that was begun just now is as new as it can be.
    for change in changes.iter_mut().filter(|change| !change.is_new) {
        change.cart.row.version += 1;
        change.cart.row.updated_at = now;
        touched.push(change.cart.row.id);
    }
    if touched.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::UpdatedAt, Expr::val(now))
        .filter(Column::Id.is_in(touched))
        .exec(tx)
        .await?;
    Ok(())
}

async fn begin(tx: &Tx, rows: impl Iterator<Item = &cart::Model>) -> Result<(), Failure> {
    let rows: Vec<_> = rows.cloned().map(IntoActiveModel::into_active_model).collect();
    let many = rows.len() as u64;
    if many == 0 {
        return Ok(());
    }
    let begun = Entity::insert_many(rows)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if begun == many { Ok(()) } else { Err(BegunByAnother.into()) }
}

async fn drop_lines(tx: &Tx, changes: &[&mut Change]) -> Result<(), Failure> {
    let mut gone = Condition::any();
    for change in changes.iter().filter(|change| !change.is_new) {
        let offers =
            change.quantities.iter().filter(|(_, quantity)| **quantity == 0).map(|(offer, _)| *offer);
        let offers: HashSet<OfferId> = offers.collect();
        if !offers.is_empty() {
            let of_cart = cart_line::Column::CartId.eq(change.cart.row.id);
            gone = gone.add(of_cart.and(cart_line::Column::OfferId.is_in(offers)));
        }
    }
    if !gone.is_empty() {
        cart_line::Entity::delete_many().filter(gone).exec(tx).await?;
    }
    Ok(())
}

async fn write_lines(tx: &Tx, changes: &[&mut Change]) -> Result<(), Failure> {
    let there = OnConflict::columns([cart_line::Column::CartId, cart_line::Column::OfferId])
        .update_column(cart_line::Column::Quantity)
        .to_owned();
    let changed = changes.iter().flat_map(|change| {
        change.cart.lines.iter().filter(|line| change.quantities.contains_key(&line.offer_id))
    });
    let lines: Vec<_> = changed.cloned().map(IntoActiveModel::into_active_model).collect();
    for some in lines.chunks(ROWS_MAX) {
        cart_line::Entity::insert_many(some.iter().cloned())
            .on_conflict(there.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}
