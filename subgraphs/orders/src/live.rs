//! What happens to orders, for those who wait: what this process commits at once, what others commit on the same database
//! within a moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chassis::live::Latest;
use chassis::together::Answered;
use chassis::{Env, Failure, Together};
use contract::{Envelope, OrderId};
use entity::orders::order_event;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::order::{self, Order};

/// When to look first at an order that may have been decided before anybody listened.
const FIRST_LOOK: Duration = Duration::from_millis(50);
/// How often to look when nothing was heard: another process may have written.
const POLL: Duration = Duration::from_secs(1);
/// Orders looked at with one statement.
const LOOKS_MAX: usize = 256;
/// What is said about an order before anything is decided.
const PLACED: &str = "orders.placed";

/// Tells whoever waits for an order that something happened to it.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    env: Env,
    /// Anything at all.
    moved: Latest<OrderId, ()>,
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
        self.start();
        let news = Box::pin(self.0.moved.watch(vec![order]));
        let env = self.0.env.clone();
        let batches =
            stream::unfold((env, news, since, true), move |(env, mut news, since, first)| async move {
                if !first {
                    _ = tokio::time::timeout(POLL, news.next()).await;
                }
                let entries = after(&env, order, since).await;
                let last = entries
                    .as_ref()
                    .ok()
                    .and_then(|entries| entries.last())
                    .map_or(since, |last| last.sequence);
                Some((entries, (env, news, last, false)))
            });
        batches.flat_map(|entries| {
            let entries = match entries {
                Ok(entries) => entries.into_iter().map(Ok).collect(),
                Err(failure) => vec![Err(failure)],
            };
            stream::iter(entries)
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

async fn after(env: &Env, order: OrderId, since: i64) -> Result<Vec<order_event::Model>, Failure> {
    let entries = order_event::Entity::find()
        .filter(order_event::Column::OrderId.eq(order))
        .filter(order_event::Column::Sequence.gt(since))
        .order_by_asc(order_event::Column::Sequence);
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
        if event.aggregate.kind != "order" {
            return;
        }
        let order = OrderId(event.aggregate.id);
        self.moved.publish(&order, &());
        let kind = event.event.kind();
        if kind.starts_with("orders.") && kind != PLACED {
            self.decided.publish(&order, &());
        }
    }
}
