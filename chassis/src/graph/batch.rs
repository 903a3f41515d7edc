//! When loaders send their batches: after every resolver of a level has asked, however many threads there are.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use async_graphql::runtime::{Timer, TokioSpawner};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::task::{FutureObj, Spawn, SpawnError};

type Batch = FutureObj<'static, ()>;

tokio::task_local! {
    /// Batches that the request polled right now has begun.
    static BEGUN: RefCell<Vec<Batch>>;
}

/// Leaves a batch to the request that begins it. Spawned at once, another thread would send it with the first few keys.
pub(super) struct WithTheRequest(pub TokioSpawner);

impl Spawn for WithTheRequest {
    fn spawn_obj(&self, batch: Batch) -> Result<(), SpawnError> {
        let mut batch = Some(batch);
        _ = BEGUN.try_with(|begun| begun.borrow_mut().extend(batch.take()));
        // Still here: a subscription begins it, outside of `batched`.
        batch.map_or(Ok(()), |batch| self.0.spawn_obj(batch))
    }
}

/// Answers `request` and runs the batches of its loaders beside it, in the same task: batches move only when the request
/// cannot, and the request goes on only when they have given all they have.
pub(super) async fn batched<T>(request: impl Future<Output = T>) -> T {
    let mut request = pin!(request);
    let mut batches = Batches(FuturesUnordered::new());
    poll_fn(|cx| {
        let (polled, begun) = BEGUN.sync_scope(RefCell::default(), || {
            let polled = request.as_mut().poll(cx);
            (polled, BEGUN.with(RefCell::take))
        });
        batches.0.extend(begun);
        if polled.is_pending() {
            while let Poll::Ready(Some(())) = batches.0.poll_next_unpin(cx) {}
        }
        polled
    })
    .await
}

/// Batches under way. Requests share them: when the one that began them goes away, they go on by themselves.
struct Batches(FuturesUnordered<Batch>);

impl Drop for Batches {
    fn drop(&mut self) {
        if self.0.is_empty() {
            return;
        }
        let rest = std::mem::take(&mut self.0).collect::<()>();
        // Fails only when the runtime is going down.
        _ = TokioSpawner::current().spawn_obj(FutureObj::new(Box::pin(rest)));
    }
}

/// A loader's timer that waits for the tasks that are ready now.
pub(super) struct NextTurn;

impl Timer for NextTurn {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}
