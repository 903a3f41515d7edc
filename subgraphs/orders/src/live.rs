//! What happens to orders and trades, for those who wait: what this process says of them at once, everything else, also of
//! other processes, within a moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chassis::live::Latest;
use chassis::together::Answered;
use chassis::{Env, Failure, Together};
use contract::{Envelope, OrderId, TradeId};
use entity::orders::{order_event, trade_event};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use uuid::Uuid;

use crate::order::{self, Order};

/// When to look first at an order that may have been decided before anybody listened.
const FIRST_LOOK: Duration = Duration::from_millis(50);
/// How often to look when nothing was heard: another process may have written.
const POLL: Duration = Duration::from_secs(1);
/// Orders looked at with one statement.
const LOOKS_MAX: usize = 256;
/// What is said about an order before anything is decided.
const PLACED: &str = "orders.placed";

/// Tells whoever waits for an order or a trade that something happened to it.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    env: Env,
    /// Anything at all, about an order or a trade.
    moved: Latest<Uuid, ()>,
    /// Something that ends the waiting of a buyer.
    decided: Latest<OrderId, ()>,
    /// Orders that are looked at: what was decided together is read together.
    orders: Together<OrderId, Option<Order>>,
    started: AtomicBool,
}

impl Feed {
    pub fn new(env: Env) -> Self {
        Self(Arc::new(Inner {
            moved: Latest::default(),
            decided: Latest::default(),
            orders: looks(&env),
            started: AtomicBool::new(false),
            env,
        }))
    }

    /// Listens from now on for what becomes of an order. Who listens before it is placed misses nothing.
    pub fn listen(&self, id: OrderId) -> Listener {
        self.start();
        Listener { id, feed: self.clone(), news: self.0.decided.watch(vec![id]).boxed() }
    }

    /// Everything in the log of an order after `since`, and everything from now on.
    pub fn follow(
        &self,
        order: OrderId,
        since: i64,
    ) -> impl Stream<Item = Result<order_event::Model, Failure>> + Send + use<> {
        self.steps(order.0, since, move |env, since| of_order(env, order, since), |entry| entry.sequence)
    }

    /// [`follow`](Self::follow) for the log of a trade.
    pub fn follow_trade(
        &self,
        trade: TradeId,
        since: i64,
    ) -> impl Stream<Item = Result<trade_event::Model, Failure>> + Send + use<> {
        self.steps(trade.0, since, move |env, since| of_trade(env, trade, since), |entry| entry.sequence)
    }

    /// What `read` finds after `since`, again and again; `sequence` says how far that is.
    fn steps<E, F, R>(
        &self,
        id: Uuid,
        since: i64,
        read: F,
        sequence: fn(&E) -> i64,
    ) -> impl Stream<Item = Result<E, Failure>> + Send + use<E, F, R>
    where
        E: Send,
        F: Fn(Env, i64) -> R + Send,
        R: Future<Output = Result<Vec<E>, Failure>> + Send,
    {
        self.start();
        let (env, news) = (self.0.env.clone(), self.0.moved.watch(vec![id]).boxed());
        let batches = stream::unfold((read, news, since, true), move |(read, mut news, since, first)| {
            let env = env.clone();
            async move {
                if !first {
                    _ = tokio::time::timeout(POLL, news.next()).await;
                }
                let found = read(env, since).await;
                let last = found.as_ref().ok().and_then(|found| found.last()).map_or(since, sequence);
                Some((found, (read, news, last, false)))
            }
        });
        batches.flat_map(|found| {
            let found = match found {
                Ok(found) => found.into_iter().map(Ok).collect(),
                Err(failure) => vec![Err(failure)],
            };
            stream::iter(found)
        })
    }

    fn start(&self) {
        if !self.0.started.swap(true, Ordering::SeqCst) {
            let said = self.0.env.db.said();
            self.0.env.tasks.spawn(listen(self.0.clone(), said));
        }
    }
}

/// Somebody who waits for what becomes of one order.
pub struct Listener {
    id: OrderId,
    feed: Feed,
    news: BoxStream<'static, ()>,
}

impl Listener {
    /// Waits until the buyer need not wait any longer, at most `within`: the order as it is then.
    pub async fn decided(self, within: Duration) -> Answered<Option<Order>> {
        self.wait(within, POLL).await
    }

    /// [`decided`](Self::decided), when that may have been before anybody listened.
    pub async fn decided_before(self, within: Duration) -> Answered<Option<Order>> {
        self.wait(within, FIRST_LOOK).await
    }

    async fn wait(mut self, within: Duration, first: Duration) -> Answered<Option<Order>> {
        let until = Instant::now() + within;
        let mut pause = first;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            _ = tokio::time::timeout(pause.min(left), self.news.next()).await;
            pause = POLL;
            let order = self.feed.0.orders.ask(self.id).await?;
            let waits = order.as_ref().is_some_and(|order| !order.settlement.state.is_decided());
            if !waits || Instant::now() >= until {
                return Ok(order);
            }
        }
    }
}

/// Reads orders of those who wait for them, which are their buyers.
fn looks(env: &Env) -> Together<OrderId, Option<Order>> {
    let db = env.db.clone();
    Together::new(&env.tasks, LOOKS_MAX, move |ids: Vec<OrderId>| {
        let db = db.clone();
        async move {
            let found = order::find_all(db.read(), ids.iter().copied()).await.map_err(Arc::new);
            let one = |id: &OrderId| found.as_ref().map(|found| found.get(id).cloned()).map_err(Arc::clone);
            ids.iter().map(one).collect()
        }
    })
}

async fn of_order(env: Env, order: OrderId, since: i64) -> Result<Vec<order_event::Model>, Failure> {
    let entries = order_event::Entity::find()
        .filter(order_event::Column::OrderId.eq(order))
        .filter(order_event::Column::Sequence.gt(since))
        .order_by_asc(order_event::Column::Sequence);
    Ok(entries.all(env.db.read()).await?)
}

async fn of_trade(env: Env, trade: TradeId, since: i64) -> Result<Vec<trade_event::Model>, Failure> {
    let entries = trade_event::Entity::find()
        .filter(trade_event::Column::TradeId.eq(trade))
        .filter(trade_event::Column::Sequence.gt(since))
        .order_by_asc(trade_event::Column::Sequence);
    Ok(entries.all(env.db.read()).await?)
}

async fn listen(inner: Arc<Inner>, mut said: broadcast::Receiver<Arc<Envelope>>) {
    let stop = inner.env.tasks.stopping().clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            event = said.recv() => match event {
                Ok(event) => inner.hear(&event),
                // Whoever waits looks again after a moment.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

impl Inner {
    fn hear(&self, event: &Envelope) {
        let about = &event.aggregate;
        if about.kind == "order" || about.kind == "trade" {
            self.moved.publish(&about.id, &());
        }
        let kind = event.event.kind();
        if about.kind == "order" && kind.starts_with("orders.") && kind != PLACED {
            self.decided.publish(&OrderId(about.id), &());
        }
    }
}
