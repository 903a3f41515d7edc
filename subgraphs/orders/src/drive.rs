//! Moves orders by the table: what others answered, what patience ended, what a buyer or an operator wants. A whole batch is
//! one transaction with few statements, whatever its size.

use std::collections::BTreeMap;
use std::time::Duration;

use chassis::outbox::{self, about};
use chassis::{Env, Failure, Job, Tx, tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::{CommitStock, ReleaseStock};
use contract::event::orders::{OrderActionNeeded, OrderCancelled, OrderPaid, OrderStuck};
use contract::event::payments::{AuthorisePayment, CapturePayment, RefundPayment, VoidPayment};
use contract::{Aggregate, Event, Money, OrderId, PaymentId, RefundId};
use entity::orders::{cart, order, order_event, settlement};
use futures::FutureExt;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, LockBehavior, LockType, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, RelationDef};
use serde_json::{Value, json};
use tracing::{error, info};

use crate::checkout::{HELD_FOR, Plan, reservation_of, reserve};
use crate::failure::{Action, Why};
use crate::promotion;
use crate::settlement::{Ask, Due, Heard, State, due, next, pause};

/// Orders whose patience ended that are moved in one transaction.
const SWEEP_BATCH: u64 = 256;
/// How often the sweeper looks.
const SWEEP_PAUSE: Duration = Duration::from_millis(500);
/// The name of other services in the log of an order.
const SERVICES: &str = "system";

/// Something that an order hears.
#[derive(Clone, Debug)]
pub struct News {
    pub order: OrderId,
    pub heard: Heard,
    /// Why it will come to nothing, if this is why.
    pub why: Option<Why>,
    /// What the buyer must do.
    pub action: Option<Action>,
    /// Who did it.
    pub actor: String,
    /// For the log.
    pub note: Option<String>,
}

impl News {
    pub fn new(order: OrderId, heard: Heard) -> Self {
        Self { order, heard, why: None, action: None, actor: SERVICES.into(), note: None }
    }

    pub fn because(self, why: Why) -> Self {
        Self { why: Some(why), ..self }
    }
}

/// An order and where it stands.
struct Known {
    settlement: settlement::Model,
    order: order::Model,
}

impl Known {
    fn plan(&self) -> Result<Plan, Failure> {
        Ok(serde_json::from_str(&self.order.plan)?)
    }

    /// Why it comes to nothing, in a word.
    fn reason(&self) -> String {
        Why::code(self.settlement.failure.as_deref()).to_owned()
    }
}

/// One move of an order.
struct Move {
    order: OrderId,
    from: State,
    state: State,
    asks: &'static [Ask],
    version: i64,
    /// Whether it came to a new state.
    arrived: bool,
}

/// Tells orders what they hear; how many moved. What is no move changes nothing.
pub async fn hear(tx: &Tx, now: DateTime<Utc>, news: Vec<News>) -> Result<usize, Failure> {
    if news.is_empty() {
        return Ok(0);
    }
    let mut known = lock(tx, news.iter().map(|news| news.order)).await?;
    let (mut moves, mut log) = (Vec::new(), Vec::new());
    for news in news {
        let Some(known) = known.get_mut(&news.order) else { continue };
        let Some(done) = step(now, &mut known.settlement, &news) else { continue };
        log.push(entry(now, &done, news));
        moves.push(done);
    }
    if moves.is_empty() {
        return Ok(0);
    }
    known.retain(|order, _| moves.iter().any(|done| done.order == *order));
    store(tx, &known, log).await?;
    settle_carts(tx, now, &moves).await?;
    outbox::say_all(tx, now, said(&known, &moves)?).await?;
    Ok(moves.len())
}

/// Locks orders until the transaction ends, in the order of their ids.
pub async fn hold(tx: &Tx, ids: impl Iterator<Item = OrderId>) -> Result<(), Failure> {
    lock(tx, ids).await.map(drop)
}

/// The orders with where they stand, locked until the transaction ends, in the order of their ids.
async fn lock(tx: &Tx, ids: impl Iterator<Item = OrderId>) -> Result<BTreeMap<OrderId, Known>, Failure> {
    let to_order: RelationDef = settlement::Entity::belongs_to(order::Entity)
        .from(settlement::Column::OrderId)
        .to(order::Column::Id)
        .into();
    let rows = settlement::Entity::find()
        .filter(settlement::Column::OrderId.is_in(ids))
        .order_by_asc(settlement::Column::OrderId)
        .lock_exclusive()
        .select_also(order::Entity)
        .join(JoinType::InnerJoin, to_order)
        .all(tx)
        .await?;
    let known = |(settlement, order): (settlement::Model, Option<order::Model>)| {
        Some((settlement.order_id, Known { settlement, order: order? }))
    };
    Ok(rows.into_iter().filter_map(known).collect())
}

/// One row of the table, done to one order.
fn step(now: DateTime<Utc>, row: &mut settlement::Model, news: &News) -> Option<Move> {
    let heard = match news.heard {
        Heard::StockReserved if row.amount_minor == 0 => Heard::NothingToPay,
        heard => heard,
    };
    let (state, asks) = next(row.state, heard)?;
    let (from, arrived) = (row.state, state != row.state);
    row.repeats = if arrived { 0 } else { row.repeats + 1 };
    // Different for each order and each repeat, and the same when this transaction is tried again.
    let roll = row.order_id.0.as_u64_pair().1.wrapping_mul(u64::from(row.repeats.unsigned_abs()) * 2 + 1);
    row.next_run_at = pause(state, row.repeats, roll).map(|pause| now + pause);
    if row.failure.is_none() {
        row.failure = news.why.as_ref().map(Why::to_text);
    }
    row.action = news.action.as_ref().map(Action::to_text);
    row.state = state;
    row.version += 1;
    row.updated_at = now;
    Some(Move { order: row.order_id, from, state, asks, version: row.version, arrived })
}

fn entry(now: DateTime<Utc>, done: &Move, news: News) -> order_event::Model {
    let kind = if done.arrived { done.state.name() } else { "asked_again" };
    let details = match (&news.why, &news.note) {
        (Some(why), _) => why.to_text(),
        (None, Some(note)) => json!({ "note": note }).to_string(),
        (None, None) => "{}".into(),
    };
    order_event::Model {
        order_id: done.order,
        sequence: done.version,
        kind: kind.into(),
        actor: news.actor,
        details,
        at: now,
    }
}

/// Who did not have the lock after all changes nothing: the version has moved on.
async fn store(
    tx: &Tx,
    known: &BTreeMap<OrderId, Known>,
    log: Vec<order_event::Model>,
) -> Result<(), Failure> {
    use settlement::Column;
    let older = Expr::col((settlement::Entity, Column::Version)).lt(Expr::col(("excluded", Column::Version)));
    let there = OnConflict::column(Column::OrderId)
        .update_columns([
            Column::State,
            Column::Repeats,
            Column::NextRunAt,
            Column::Failure,
            Column::Action,
            Column::Version,
            Column::UpdatedAt,
        ])
        .action_and_where(older)
        .to_owned();
    let rows = known.values().map(|known| known.settlement.clone().into_active_model());
    let written = settlement::Entity::insert_many(rows).on_conflict(there).exec_without_returning(tx).await?;
    if written != known.len() as u64 {
        return Err(Failure::msg("an order moved under its lock"));
    }
    let log = log.into_iter().map(IntoActiveModel::into_active_model);
    order_event::Entity::insert_many(log).exec_without_returning(tx).await?;
    Ok(())
}

/// A cart that was paid is done with; one whose order came to nothing is the buyer's again, and so are its promotions.
async fn settle_carts(tx: &Tx, now: DateTime<Utc>, moves: &[Move]) -> Result<(), Failure> {
    let paid = of(moves, |done| done.state.is_paid() && !done.from.is_paid());
    let undone = of(moves, |done| done.state == State::Cancelled);
    for (orders, state) in [(paid, cart::State::Ordered), (undone.clone(), cart::State::Open)] {
        if orders.is_empty() {
            continue;
        }
        cart::Entity::update_many()
            .col_expr(cart::Column::State, Expr::val(state))
            .col_expr(cart::Column::UpdatedAt, Expr::val(now))
            .filter(cart::Column::OrderId.is_in(orders))
            .filter(cart::Column::State.eq(cart::State::CheckingOut))
            .exec(tx)
            .await?;
    }
    match undone.is_empty() {
        true => Ok(()),
        false => promotion::give_back(tx, &undone).await,
    }
}

fn of(moves: &[Move], is: impl Fn(&Move) -> bool) -> Vec<OrderId> {
    moves.iter().filter(|done| done.arrived && is(done)).map(|done| done.order).collect()
}

/// Asks first, then what everybody may know: who waits for the end hears of it last.
fn said(known: &BTreeMap<OrderId, Known>, moves: &[Move]) -> Result<Vec<(Aggregate, Event)>, Failure> {
    let mut said: Vec<(Aggregate, Event)> = Vec::new();
    for done in moves {
        let order = &known[&done.order];
        let mut say = |event| said.push((about("order", done.order, done.version), event));
        for ask in done.asks {
            say(event(*ask, order)?);
        }
        if done.arrived && done.state.is_decided() {
            tell(done.state, order)?.into_iter().for_each(say);
        }
    }
    Ok(said)
}

fn event(ask: Ask, known: &Known) -> Result<Event, Failure> {
    let order_id = known.order.id;
    let payment_id = PaymentId(order_id.0);
    Ok(match ask {
        Ask::Reserve => reserve(order_id, known.plan()?.lines, known.order.placed_at).into(),
        Ask::Authorise => authorise(&known.order, known.plan()?)?.into(),
        Ask::Capture => CapturePayment { payment_id, order_id }.into(),
        Ask::Commit => CommitStock { reservation_id: reservation_of(order_id) }.into(),
        Ask::Void => VoidPayment { payment_id, order_id, reason: known.reason() }.into(),
        Ask::Release => {
            ReleaseStock { reservation_id: reservation_of(order_id), reason: known.reason() }.into()
        }
        Ask::Refund => {
            let (refund_id, shares, reason) =
                (RefundId(order_id.0), known.plan()?.paid_shares(), known.reason());
            RefundPayment { refund_id, payment_id, order_id, shares, reason }.into()
        }
    })
}

fn authorise(order: &order::Model, plan: Plan) -> Result<AuthorisePayment, Failure> {
    Ok(AuthorisePayment {
        payment_id: PaymentId(order.id.0),
        order_id: order.id,
        user_id: order.user_id,
        amount: total(order)?,
        shares: plan.paid_shares(),
        method: plan.method,
        expires_at: order.placed_at + HELD_FOR,
    })
}

/// What an order costs.
pub fn total(order: &order::Model) -> Result<Money, Failure> {
    Ok(Money { amount_minor: order.total_minor, currency: order.currency.parse()? })
}

fn tell(state: State, known: &Known) -> Result<Option<Event>, Failure> {
    let (order_id, user_id) = (known.order.id, known.order.user_id);
    Ok(Some(match state {
        State::Committing => {
            info!(order.id = %order_id, "Order {order_id} is paid");
            let (total, sellers) = (total(&known.order)?, known.plan()?.sellers());
            OrderPaid { order_id, user_id, total, sellers }.into()
        }
        State::Confirming => OrderActionNeeded { order_id, user_id }.into(),
        State::Cancelled => {
            let (sellers, reason) = (known.plan()?.sellers(), known.reason());
            OrderCancelled { order_id, user_id, sellers, reason }.into()
        }
        stuck if stuck.needs_operator() => {
            let state = stuck.name();
            error!(order.id = %order_id, order.state = state, "Order {order_id} needs an operator: {state}");
            metrics::counter!("souk_orders_stuck_total", "state" => state).increment(1);
            OrderStuck { order_id, state: state.into() }.into()
        }
        _ => return Ok(None),
    }))
}

/// The sweeper of orders whose patience ended.
pub fn sweeper(env: &Env) -> Job {
    let env = env.clone();
    Job {
        name: "orders sweeper",
        pause: SWEEP_PAUSE,
        run: std::sync::Arc::new(move || {
            let env = env.clone();
            async move { sweep(&env).await.map(drop) }.boxed()
        }),
    }
}

/// Moves every order whose patience ended; how many. Two processes that sweep at once share the work.
pub async fn sweep(env: &Env) -> Result<usize, Failure> {
    let mut swept = 0;
    loop {
        let now = env.clock.now();
        // Looking is cheap; only a find takes the write lock.
        if waiting(now).one(env.db.look()).await?.is_none() {
            return Ok(swept);
        }
        let moved = tx::apply(&env.db, async |tx| sweep_batch(tx, now).await).await?;
        swept += moved;
        if moved == 0 {
            return Ok(swept);
        }
    }
}

async fn sweep_batch(tx: &Tx, now: DateTime<Utc>) -> Result<usize, Failure> {
    let claimed = waiting(now)
        .order_by_asc(settlement::Column::OrderId)
        .limit(SWEEP_BATCH)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let news = claimed.into_iter().map(|row| match due(row.state, row.repeats) {
        Due::Silence => News::new(row.order_id, Heard::Silence),
        Due::GaveUp => News::new(row.order_id, Heard::GaveUp).because(Why::given_up(row.state)),
    });
    hear(tx, now, news.collect()).await
}

fn waiting(now: DateTime<Utc>) -> sea_orm::Select<settlement::Entity> {
    settlement::Entity::find().filter(settlement::Column::NextRunAt.lte(now))
}

/// Details of a log entry, as facts.
pub fn details(entry: &order_event::Model) -> Value {
    serde_json::from_str(&entry.details).unwrap_or_default()
}
