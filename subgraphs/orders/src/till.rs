//! The till: whoever checks out while others are being served is served with the next ones, in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use chassis::together::{Answered, rounds};
use chassis::{Env, Failure, Together, tx};
use contract::OrderId;

use crate::checkout::{Asked, PlaceRefusal, Placed, place_all};
use crate::quoting::Problem;
use crate::secrets::Secrets;
use crate::tariff::Tariffs;

/// Checkouts placed in one transaction.
const TOGETHER_MAX: usize = 64;

/// Places orders.
pub struct Till(Together<Asked, Placed>);

struct Keeper {
    env: Env,
    secrets: Secrets,
    tariffs: Tariffs,
}

impl Till {
    pub fn new(env: &Env, tariffs: &Tariffs) -> Self {
        let secrets = Secrets::new(&env.master_key);
        let keeper = Arc::new(Keeper { env: env.clone(), secrets, tariffs: tariffs.clone() });
        Self(Together::new(&env.tasks, TOGETHER_MAX, move |asked| {
            let keeper = keeper.clone();
            async move { keeper.serve(asked).await }
        }))
    }

    /// Places an order, or says why not.
    pub async fn place(&self, asked: Asked) -> Answered<Placed> {
        self.0.ask(asked).await
    }
}

impl Keeper {
    async fn serve(&self, asked: Vec<Asked>) -> Vec<Answered<Placed>> {
        let mut answers: HashMap<OrderId, Answered<Placed>> = HashMap::new();
        // The next checkout of the same cart sees what became of the one before.
        for some in rounds(&asked, |one| Some(one.command.shopper.clone())) {
            answers.extend(self.serve_round(&some).await);
        }
        let missing = || Err(Arc::new(Failure::msg("a checkout was not answered")));
        asked.iter().map(|one| answers.remove(&one.command.id).unwrap_or_else(missing)).collect()
    }

    /// All together; one by one when that fails, so that one that cannot be placed holds up no other.
    async fn serve_round(&self, some: &[&Asked]) -> Vec<(OrderId, Answered<Placed>)> {
        let failure = match self.place(some).await {
            Ok(placed) => return placed.into_iter().map(|(id, placed)| (id, Ok(placed))).collect(),
            Err(failure) => Arc::new(failure),
        };
        let mut answers = vec![];
        for one in some {
            // A database that is away is away for each of them.
            let alone = match some.len() == 1 || failure.is_retryable() {
                true => Err(failure.clone()),
                false => self.place(&[*one]).await.map_err(Arc::new),
            };
            answers.push((one.command.id, alone.map(|mut placed| placed.remove(0).1)));
        }
        answers
    }

    /// Places the orders. One whose promotion others used up meanwhile is told so, and the rest is tried without it.
    async fn place(&self, some: &[&Asked]) -> Result<Vec<(OrderId, Placed)>, Failure> {
        let mut answers = vec![];
        let mut some = some.to_vec();
        loop {
            let now = self.env.clock.now();
            let (secrets, tariffs) = (&self.secrets, &self.tariffs);
            let placed =
                tx::run(&self.env.db, async |tx| place_all(tx, now, secrets, tariffs, &some).await).await?;
            let used_up = match placed {
                Ok(placed) => {
                    answers.extend(some.iter().map(|one| one.command.id).zip(placed));
                    return Ok(answers);
                }
                Err(used_up) => used_up,
            };
            let refusal = PlaceRefusal::Problems(vec![Problem::PromotionOver { code: used_up.code }]);
            answers.push((used_up.order, Err(refusal)));
            some.retain(|one| one.command.id != used_up.order);
        }
    }
}
