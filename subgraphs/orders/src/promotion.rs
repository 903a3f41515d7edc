//! Promotions: which run now, and how often they may still be used. Uses are counted in the transaction that places the
//! order, by guarded statements, and given back when the order comes to nothing.

use chassis::idempotency::Conflict;
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, OrderId, PromotionId, UserId};
use entity::orders::promotion::{Benefit, Column, Entity, Model};
use entity::orders::{promotion_buyer, promotion_use};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::keeper::Keeper;
use crate::limits::{AMOUNT_MAX, CODE_LENGTH_MAX, NAME_LENGTH_MAX, is_line_of_text};
use crate::pricing::{self, WHOLE_BPS};
use crate::tariff;

/// A code as it is kept: without space around it, in upper case. `None`: no code looks like this.
pub fn code(text: &str) -> Option<String> {
    let code = text.trim().to_uppercase();
    let fits = (1..=CODE_LENGTH_MAX).contains(&code.len());
    (fits && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte))).then_some(code)
}

fn now_running(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(Column::StartsAt.lte(now))
        .add(Condition::any().add(Column::EndsAt.is_null()).add(Column::EndsAt.gt(now)))
        .add(
            Condition::any()
                .add(Column::UsesMax.is_null())
                .add(Expr::col(Column::Uses).lt(Expr::col(Column::UsesMax))),
        )
}

/// Whether it has begun and is not over. Its uses may be used up.
pub fn runs(row: &Model, now: DateTime<Utc>) -> bool {
    row.starts_at <= now && row.ends_at.is_none_or(|end| end > now)
}

/// Whether it can be used up.
pub fn is_limited(row: &Model) -> bool {
    row.uses_max.is_some() || row.uses_per_buyer_max.is_some()
}

/// Promotions of `sellers`, and with `platform` those of everybody's goods, that apply by themselves, run or will run.
pub async fn automatic(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    sellers: &[contract::SellerId],
    platform: bool,
) -> Result<Vec<Model>, Failure> {
    let everybodys = platform.then(|| Column::SellerId.is_null());
    let theirs = Condition::any().add(Column::SellerId.is_in(sellers.iter().copied())).add_option(everybodys);
    let automatic = Entity::find()
        .filter(Column::Code.is_null())
        .filter(theirs)
        .filter(Condition::any().add(Column::EndsAt.is_null()).add(Column::EndsAt.gt(now)));
    Ok(automatic.all(db).await?)
}

pub async fn is_running(db: &impl ConnectionTrait, now: DateTime<Utc>, code: &str) -> Result<bool, Failure> {
    let running = Entity::find().filter(now_running(now)).filter(Column::Code.eq(code)).one(db).await?;
    Ok(running.is_some())
}

/// Promotions that run now for `user`: automatic ones first, then the one with `code`. One with a limit per buyer needs to
/// know the buyer: it is for users only.
pub async fn running(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    currency: CurrencyCode,
    code: Option<&str>,
    user: Option<UserId>,
) -> Result<Vec<Model>, Failure> {
    let wanted =
        Condition::any().add(Column::Code.is_null()).add_option(code.map(|code| Column::Code.eq(code)));
    let mut running = Entity::find()
        .filter(now_running(now))
        .filter(wanted)
        .filter(Column::Currency.eq(currency.as_str()))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    running.sort_by_key(|promotion| promotion.code.is_some());
    if running.iter().any(|promotion| promotion.uses_per_buyer_max.is_some()) {
        let used_up = used_up(db, &running, user).await?;
        running.retain(|promotion| !used_up.contains(&promotion.id));
    }
    Ok(running)
}

/// Those that this buyer may not use.
async fn used_up(
    db: &impl ConnectionTrait,
    running: &[Model],
    user: Option<UserId>,
) -> Result<Vec<PromotionId>, Failure> {
    let limited =
        || running.iter().filter_map(|promotion| Some((promotion.id, promotion.uses_per_buyer_max?)));
    let Some(user) = user else { return Ok(limited().map(|(id, _)| id).collect()) };
    let uses = promotion_buyer::Entity::find()
        .filter(promotion_buyer::Column::UserId.eq(user))
        .filter(promotion_buyer::Column::PromotionId.is_in(limited().map(|(id, _)| id)))
        .all(db)
        .await?;
    let is_used_up =
        |id: PromotionId, max: i64| uses.iter().any(|row| row.promotion_id == id && row.uses >= max);
    Ok(limited().filter(|(id, max)| is_used_up(*id, *max)).map(|(id, _)| id).collect())
}

/// A promotion as pricing takes it.
pub fn rule(row: &Model) -> pricing::Promotion {
    pricing::Promotion {
        id: row.id,
        seller_id: row.seller_id,
        benefit: match row.benefit {
            Benefit::Percent => pricing::Benefit::Percent(row.value),
            Benefit::Amount => pricing::Benefit::Amount(row.value),
            Benefit::FreeShipping => pricing::Benefit::FreeShipping,
        },
        minimum_minor: row.minimum_minor,
    }
}

/// An order that uses a promotion.
#[derive(Clone, Copy, Debug)]
pub struct Use<'p> {
    pub promotion: &'p Model,
    pub order: OrderId,
    pub user: Option<UserId>,
}

/// Counts orders against the limits of the promotions that they use. `Err`: an order whose promotion was used up meanwhile.
pub async fn count<'p>(tx: &Tx, mut uses: Vec<Use<'p>>) -> Result<Result<(), Use<'p>>, Failure> {
    uses.retain(|one| is_limited(one.promotion));
    // Whoever counts the same ones waits for the first of them, and never in a circle.
    uses.sort_by_key(|one| (one.promotion.id, one.order));
    for one in uses {
        if !count_one(tx, one.promotion, one.user).await? {
            return Ok(Err(one));
        }
        let Use { promotion, order, user } = one;
        let counted = promotion_use::Model { order_id: order, promotion_id: promotion.id, user_id: user };
        promotion_use::Entity::insert(counted.into_active_model()).exec_without_returning(tx).await?;
    }
    Ok(Ok(()))
}

async fn count_one(tx: &Tx, row: &Model, user: Option<UserId>) -> Result<bool, Failure> {
    if let (Some(max), Some(user_id)) = (row.uses_per_buyer_max, user) {
        let first = promotion_buyer::Model { promotion_id: row.id, user_id, uses: 1 };
        let uses = Expr::col((promotion_buyer::Entity, promotion_buyer::Column::Uses));
        let again =
            OnConflict::columns([promotion_buyer::Column::PromotionId, promotion_buyer::Column::UserId])
                .value(promotion_buyer::Column::Uses, uses.clone().add(1))
                .action_and_where(uses.lt(max))
                .to_owned();
        let counted = promotion_buyer::Entity::insert(first.into_active_model()).on_conflict(again);
        if counted.exec_without_returning(tx).await? == 0 {
            return Ok(false);
        }
    }
    let free = Condition::any()
        .add(Column::UsesMax.is_null())
        .add(Expr::col(Column::Uses).lt(Expr::col(Column::UsesMax)));
    let counted = Entity::update_many()
        .col_expr(Column::Uses, Expr::col(Column::Uses).add(1))
        .filter(Column::Id.eq(row.id))
        .filter(free)
        .exec(tx)
        .await?;
    Ok(counted.rows_affected == 1)
}

/// Gives back the uses of orders that came to nothing.
pub async fn give_back(tx: &Tx, orders: &[OrderId]) -> Result<(), Failure> {
    let of_orders = promotion_use::Column::OrderId.is_in(orders.iter().copied());
    let uses = promotion_use::Entity::find().filter(of_orders.clone()).all(tx).await?;
    if uses.is_empty() {
        return Ok(());
    }
    promotion_use::Entity::delete_many().filter(of_orders).exec(tx).await?;
    for used in uses {
        Entity::update_many()
            .col_expr(Column::Uses, Expr::col(Column::Uses).sub(1))
            .filter(Column::Id.eq(used.promotion_id))
            .exec(tx)
            .await?;
        let Some(user) = used.user_id else { continue };
        promotion_buyer::Entity::update_many()
            .col_expr(promotion_buyer::Column::Uses, Expr::col(promotion_buyer::Column::Uses).sub(1))
            .filter(promotion_buyer::Column::PromotionId.eq(used.promotion_id))
            .filter(promotion_buyer::Column::UserId.eq(user))
            .filter(promotion_buyer::Column::Uses.gt(0))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// A promotion to be.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Create {
    pub code: Option<String>,
    pub name: String,
    pub seller_id: Option<contract::SellerId>,
    #[serde(skip)]
    pub benefit: Benefit,
    pub value: i64,
    pub currency: CurrencyCode,
    pub minimum_minor: i64,
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub uses_max: Option<i64>,
    pub uses_per_buyer_max: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateRefusal {
    #[error("must be 1 to {CODE_LENGTH_MAX} letters, digits, `-`, `_` or `%`")]
    CodeInvalid,
    #[error("there is a promotion with this code")]
    CodeTaken,
    #[error("must be 1 to {NAME_LENGTH_MAX} characters, without control characters")]
    NameInvalid,
    #[error("there is no such shop of yours")]
    SellerNotFound,
    #[error("must be 1 to 10,000 hundredths of a percent, or 1 to {AMOUNT_MAX} minor units")]
    ValueOutOfRange,
    #[error("must not be negative, and limits must be at least 1")]
    LimitOutOfRange,
    #[error("must end after it starts")]
    DatesInvalid,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for CreateRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Creates a promotion: an admin for everybody's goods or one shop's, a seller for their own.
pub async fn create(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    command: Create,
) -> Outcome<PromotionId, CreateRefusal> {
    let starts_at = command.starts_at.unwrap_or(now);
    if let Err(refusal) = check(&command, starts_at) {
        return Ok(Err(refusal));
    }
    let seller_id = match (keeper, command.seller_id) {
        (Keeper::Admin(_), None) => None,
        (keeper, named) => match keeper.shop(tx, named).await? {
            Some(shop) => Some(shop),
            None => return Ok(Err(CreateRefusal::SellerNotFound)),
        },
    };
    let code = match command.code.as_deref().map(code) {
        Some(None) => return Ok(Err(CreateRefusal::CodeInvalid)),
        code => code.flatten(),
    };
    let row = Model {
        id: PromotionId::new(),
        code,
        name: command.name,
        seller_id,
        benefit: command.benefit,
        value: command.value,
        currency: command.currency.to_string(),
        minimum_minor: command.minimum_minor,
        starts_at,
        ends_at: command.ends_at,
        uses_max: command.uses_max,
        uses_per_buyer_max: command.uses_per_buyer_max,
        uses: 0,
        created_at: now,
    };
    let id = row.id;
    if row.code.is_none() {
        tariff::change(tx, seller_id).await?;
    }
    let inserted = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(if inserted == 1 { Ok(id) } else { Err(CreateRefusal::CodeTaken) })
}

fn check(command: &Create, starts_at: DateTime<Utc>) -> Result<(), CreateRefusal> {
    let value_max = match command.benefit {
        Benefit::Percent => WHOLE_BPS,
        Benefit::Amount => AMOUNT_MAX,
        Benefit::FreeShipping => 0,
    };
    let limits = [command.uses_max, command.uses_per_buyer_max];
    if !is_line_of_text(&command.name, NAME_LENGTH_MAX) {
        Err(CreateRefusal::NameInvalid)
    } else if !(Ord::min(value_max, 1)..=value_max).contains(&command.value) {
        Err(CreateRefusal::ValueOutOfRange)
    } else if !(0..=AMOUNT_MAX).contains(&command.minimum_minor)
        || limits.into_iter().flatten().any(|max| max < 1)
    {
        Err(CreateRefusal::LimitOutOfRange)
    } else if command.ends_at.is_some_and(|end| end <= starts_at) {
        Err(CreateRefusal::DatesInvalid)
    } else {
        Ok(())
    }
}

/// Ends a promotion now. `None`: there is no such promotion of the keeper's. Ending twice is ending once.
pub async fn end(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    id: PromotionId,
) -> Result<Option<Model>, Failure> {
    let found =
        Entity::find_by_id(id).filter(keeper.keeps(Column::SellerId)).lock_exclusive().one(tx).await?;
    let Some(mut row) = found else { return Ok(None) };
    if row.ends_at.is_none_or(|end| end > now) {
        if row.code.is_none() {
            tariff::change(tx, row.seller_id).await?;
        }
        row.ends_at = Some(now);
        Entity::update(row.clone().into_active_model().reset_all()).exec(tx).await?;
    }
    Ok(Some(row))
}

/// The keeper's promotions, newest first, before `before`.
pub async fn list(
    db: &impl ConnectionTrait,
    keeper: Keeper,
    before: Option<PromotionId>,
    rows: u64,
) -> Result<Vec<Model>, Failure> {
    let mut list = Entity::find().filter(keeper.keeps(Column::SellerId));
    if let Some(before) = before {
        list = list.filter(Column::Id.lt(before));
    }
    Ok(list.order_by_desc(Column::Id).limit(rows).all(db).await?)
}
