//! What many want at the same moment, done together: while one batch is worked on the next one gathers. Nobody waits for
//! others to come; whoever comes alone is served alone.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::oneshot;

use crate::{Failure, Tasks};

/// Those who may wait; more are told to come again, as when all connections of a database are taken.
const WAITING_MAX: usize = 4_096;

/// An answer; the failure of a batch is told to each who is in it.
pub type Answered<A> = Result<A, Arc<Failure>>;
type Work<C, A> = Box<dyn Fn(Vec<C>) -> BoxFuture<'static, Vec<Answered<A>>> + Send + Sync>;
type Waiting<C, A> = (C, oneshot::Sender<Answered<A>>);

/// Serves commands `C` with answers `A` in batches, one batch after the other. A command that was taken is carried out
/// even when whoever gave it goes away.
pub struct Together<C, A>(Arc<Inner<C, A>>);

struct Inner<C, A> {
    tasks: Tasks,
    batch_max: usize,
    work: Work<C, A>,
    queue: Mutex<Queue<C, A>>,
}

struct Queue<C, A> {
    waiting: VecDeque<Waiting<C, A>>,
    is_served: bool,
}

impl<C: Send + 'static, A: Send + 'static> Together<C, A> {
    /// `work` gives one answer for each command, in their order.
    pub fn new<F, W>(tasks: &Tasks, batch_max: usize, work: W) -> Self
    where
        F: Future<Output = Vec<Answered<A>>> + Send + 'static,
        W: Fn(Vec<C>) -> F + Send + Sync + 'static,
    {
        Self(Arc::new(Inner {
            tasks: tasks.clone(),
            batch_max,
            work: Box::new(move |commands: Vec<C>| work(commands).boxed()),
            queue: Mutex::new(Queue { waiting: VecDeque::new(), is_served: false }),
        }))
    }

    /// Has `command` carried out with what others want now.
    pub async fn ask(&self, command: C) -> Answered<A> {
        let (sender, answer) = oneshot::channel();
        self.enter(command, sender)?;
        answer.await.unwrap_or_else(|_| Err(Arc::new(Failure::msg("a batch ended without an answer"))))
    }

    fn enter(&self, command: C, sender: oneshot::Sender<Answered<A>>) -> Result<(), Arc<Failure>> {
        let mut queue = self.0.queue();
        if queue.waiting.len() >= WAITING_MAX {
            return Err(Arc::new(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into()));
        }
        queue.waiting.push_back((command, sender));
        if !std::mem::replace(&mut queue.is_served, true) {
            self.0.tasks.spawn(serve(self.0.clone()));
        }
        Ok(())
    }
}

/// Commands in rounds, so that no two of a round have one key: the second sees what became of the first. Those without a key
/// are alone with it.
pub fn rounds<C, K: Eq + Hash>(commands: &[C], key: impl Fn(&C) -> Option<K>) -> Vec<Vec<&C>> {
    let mut rounds: Vec<Vec<&C>> = vec![];
    let mut turns: HashMap<K, usize> = HashMap::new();
    for command in commands {
        let turn = match key(command) {
            Some(key) => {
                let seen = turns.entry(key).or_default();
                *seen += 1;
                *seen - 1
            }
            None => 0,
        };
        if rounds.len() == turn {
            rounds.push(vec![]);
        }
        rounds[turn].push(command);
    }
    rounds
}

async fn serve<C: Send + 'static, A: Send + 'static>(inner: Arc<Inner<C, A>>) {
    // Those who are about to ask come along.
    tokio::task::yield_now().await;
    let _shift = Shift(&inner);
    while let Some(batch) = inner.next() {
        let (commands, senders): (Vec<C>, Vec<_>) = batch.into_iter().unzip();
        let answers = (inner.work)(commands).await;
        // Who went away meanwhile does not hear it.
        senders.into_iter().zip(answers).for_each(|(sender, answer)| _ = sender.send(answer));
    }
}

impl<C, A> Inner<C, A> {
    fn queue(&self) -> MutexGuard<'_, Queue<C, A>> {
        self.queue.lock().expect("no code panics while it holds this lock")
    }

    /// The next batch. `None`: nobody waits, and the next who comes begins to serve.
    fn next(&self) -> Option<Vec<Waiting<C, A>>> {
        let mut queue = self.queue();
        queue.is_served = !queue.waiting.is_empty();
        let many = queue.waiting.len().min(self.batch_max);
        queue.is_served.then(|| queue.waiting.drain(..many).collect())
    }
}

/// Somebody serves. Should they panic, whoever waits is told, and the next who comes is served again.
struct Shift<'i, C, A>(&'i Inner<C, A>);

impl<C, A> Drop for Shift<'_, C, A> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut queue = self.0.queue();
            queue.waiting.clear();
            queue.is_served = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    /// Doubles numbers, as soon as it may, and remembers its batches.
    fn doubling(tasks: &Tasks, may: &Arc<Semaphore>, seen: &Arc<Mutex<Vec<usize>>>) -> Together<u32, u32> {
        let (may, seen) = (may.clone(), seen.clone());
        Together::new(tasks, 8, move |numbers: Vec<u32>| {
            let (may, seen) = (may.clone(), seen.clone());
            async move {
                may.acquire().await.unwrap().forget();
                seen.lock().unwrap().push(numbers.len());
                assert!(!numbers.contains(&13), "13 is unlucky");
                numbers.into_iter().map(|number| Ok(number * 2)).collect()
            }
        })
    }

    #[tokio::test]
    async fn who_comes_while_a_batch_is_worked_on_is_in_the_next() {
        let (tasks, may, seen) = (Tasks::new(), Arc::new(Semaphore::new(0)), Arc::default());
        let together = doubling(&tasks, &may, &seen);
        may.add_permits(20);
        let asked = (20..40).map(|number| together.ask(number));
        let answers: Vec<u32> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, (20..40).map(|number| number * 2).collect::<Vec<u32>>());
        assert_eq!(seen.lock().unwrap().iter().sum::<usize>(), 20);
        assert!(seen.lock().unwrap().iter().all(|many| *many <= 8), "a batch has its limit");
        assert!(seen.lock().unwrap().len() < 20, "some came together");
    }

    #[test]
    fn no_two_of_a_round_have_one_key() {
        let commands = ["a1", "b1", "a2", "_1", "a3", "_2", "b2"];
        let key = |command: &&str| command.chars().next().filter(|key| *key != '_');
        let expected = [vec![&"a1", &"b1", &"_1", &"_2"], vec![&"a2", &"b2"], vec![&"a3"]];
        assert_eq!(rounds(&commands, key), expected);
    }

    #[tokio::test]
    async fn a_panic_is_told_and_the_next_is_served() {
        let (tasks, may, seen) = (Tasks::new(), Arc::new(Semaphore::new(9)), Arc::default());
        let together = doubling(&tasks, &may, &seen);
        assert!(together.ask(13).await.is_err());
        assert_eq!(together.ask(4).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn what_was_taken_is_done_though_nobody_hears_of_it() {
        let (tasks, may, seen) = (Tasks::new(), Arc::new(Semaphore::new(0)), Arc::default());
        let together = doubling(&tasks, &may, &seen);
        assert!(together.ask(1).now_or_never().is_none());
        may.add_permits(2);
        assert_eq!(together.ask(2).await.unwrap(), 4);
        assert_eq!(seen.lock().unwrap().iter().sum::<usize>(), 2);
    }
}
