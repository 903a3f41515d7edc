//! Background work that a shutdown waits for.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use crate::Failure;

/// How long a stopping process waits for its tasks before it leaves them.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// The tasks of a process: started here, told to stop together, waited for.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    runtime: Handle,
}

impl Tasks {
    /// Tasks on the current tokio runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new() -> Self {
        Self { tracker: TaskTracker::new(), stop: CancellationToken::new(), runtime: Handle::current() }
    }

    /// Starts `work`. It should end soon after [`stopping`](Self::stopping) is cancelled.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn_on(work, &self.runtime);
    }

    /// Runs `work` again and again, `pause` after each end, until the process stops. A failure is logged, not fatal.
    pub fn every<F, R>(&self, name: &'static str, pause: Duration, mut work: F)
    where
        F: FnMut() -> R + Send + 'static,
        R: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.spawn(async move {
            while !stop.is_cancelled() {
                if let Err(failure) = work().await {
                    error!(job = name, error = %failure, "Job {name} failed and will run again");
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        });
    }

    /// Cancelled when the process begins to stop.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// The runtime that the tasks run on.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Tells every task to stop and waits for them, at most [`STOP_TIMEOUT`].
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(STOP_TIMEOUT, self.tracker.wait()).await.is_err() {
            warn!("Stopped without waiting for {} tasks", self.tracker.len());
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}
