//! Events between services: said once, applied once, in order, and never silently lost.

mod dead_letters;
mod delivery;

use std::sync::{Arc, Mutex};

use chassis::inbox::Consumer;
use chassis::outbox::{self, about};
use chassis::relay::Relay;
use chassis::{Failure, tx};
use contract::event::accounts::UserRegistered;
use contract::{Event, UserId};

use crate::support::Market;

/// What a consumer under test was given, as (user, version), and whom it cannot bear.
#[derive(Clone, Default)]
struct Ear {
    heard: Arc<Mutex<Vec<(UserId, i64)>>>,
    bad: Arc<Mutex<Vec<UserId>>>,
}

impl Ear {
    fn heard(&self) -> Vec<(UserId, i64)> {
        self.heard.lock().unwrap().clone()
    }

    /// A consumer of inventory that writes down what it hears, and fails at those it cannot bear.
    fn consumer(&self, market: &Market) -> Consumer {
        let ear = self.clone();
        Consumer::new(
            market.env("inventory"),
            "test.ear",
            &["accounts.user_registered"],
            move |_, _, events| {
                let ear = ear.clone();
                Box::pin(async move {
                    for envelope in events {
                        let Event::UserRegistered(UserRegistered { user_id }) = envelope.event else {
                            continue;
                        };
                        if ear.bad.lock().unwrap().contains(&user_id) {
                            return Err(Failure::msg("cannot bear it"));
                        }
                    }
                    ear.heard.lock().unwrap().extend(
                        events
                            .iter()
                            .map(|envelope| (UserId(envelope.aggregate.id), envelope.aggregate.version)),
                    );
                    Ok(())
                })
            },
        )
    }

    fn relay(&self, market: &Market) -> Relay {
        Relay::new(market.env("accounts").db.clone(), market.clock.clone(), vec![self.consumer(market)])
    }
}

/// Says about each user, in accounts, in one transaction.
async fn say(market: &Market, said: &[(UserId, i64)]) {
    let now = market.clock.now();
    tx::apply(&market.env("accounts").db, async |tx| {
        for (user_id, version) in said {
            outbox::say(tx, now, about("user", *user_id, *version), UserRegistered { user_id: *user_id })
                .await?;
        }
        Ok(())
    })
    .await
    .unwrap();
}
