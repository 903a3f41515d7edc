//! Payments under `kill -9`, with a provider that misbehaves.

use ::payments::provider::sandbox::{Faults, misbehave};
use chassis::outbox::{self, about};
use chassis::{Engine, Env, tx};
use chrono::TimeDelta;
use contract::event::payments::{AuthorisePayment, CapturePayment, ReleasePayment, Share};
use contract::{CurrencyCode, Event, Money, OrderId, PaymentId, PayoutId, SellerId};
use entity::payments::payment::{self, State};
use entity::payments::payment_step;
use entity::payments::sandbox_object::{self, Kind, Status};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::child::{Worker, say_done};
use crate::support::{self, Market, Relays};

const KILLS: usize = 8;
/// Payments that a child has seen captured before it is killed.
const DONE_BEFORE_KILL: usize = 12;
/// How long a child that comes back may need to end what was begun.
const END_WITHIN: std::time::Duration = std::time::Duration::from_secs(120);

/// The work of a child: asks to authorise, capture and release, sixteen at once, saying what is captured.
pub async fn sell_for_ever(market: &souk::Market) {
    market.start();
    let env = |name: &str| &market.services.iter().find(|service| service.name.as_str() == name).unwrap().env;
    loop {
        let some = (0..16).map(|_| sell(env("catalog"), env("payments")));
        futures::future::join_all(some).await;
    }
}

/// The work of a child: only what was begun.
pub async fn end_what_was_begun(market: &souk::Market) {
    market.start();
    let env = &market.services.iter().find(|service| service.name.as_str() == "payments").unwrap().env;
    let ended = async {
        while unended(env).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(END_WITHIN, ended).await.expect("every payment ends");
    say_done("all");
}

async fn unended(env: &Env) -> u64 {
    let waiting = payment_step::Column::State.eq(payment_step::State::Waiting);
    payment_step::Entity::find().filter(waiting).count(env.db.read()).await.unwrap()
}

async fn sell(voice: &Env, payments: &Env) {
    let (payment_id, order_id, seller_id) = (PaymentId::new(), OrderId::new(), SellerId::new());
    let amount = Money { amount_minor: 10_000, currency: CurrencyCode::EUR };
    let share = Share { seller_id, amount_minor: 10_000, tax_minor: 1_000, fee_minor: 500 };
    let expires_at = voice.clock.now() + TimeDelta::minutes(10);
    let (shares, method) = (vec![share], "pm_card_visa".into());
    let ask = AuthorisePayment { payment_id, order_id, user_id: None, amount, shares, method, expires_at };
    say(voice, payment_id, ask.into()).await;
    until(payments, payment_id, State::Authorised).await;
    say(voice, payment_id, CapturePayment { payment_id, order_id }.into()).await;
    until(payments, payment_id, State::Captured).await;
    say_done(payment_id);
    let payout_id = PayoutId::new();
    say(voice, payment_id, ReleasePayment { payout_id, payment_id, order_id, seller_id }.into()).await;
}

async fn say(voice: &Env, id: PaymentId, ask: Event) {
    let now = voice.clock.now();
    tx::apply(&voice.db, async |tx| outbox::say(tx, now, about("payment", id, 1), ask).await).await.unwrap();
}

async fn until(env: &Env, id: PaymentId, state: State) {
    loop {
        let row = payment::Entity::find_by_id(id).one(env.db.read()).await.unwrap();
        if row.is_some_and(|row| row.state == state) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn nobody_pays_twice_and_nothing_is_lost(engine: Engine) {
    let Some(store) = support::store(engine).await else { return };
    let market = Market::start(&store, Relays::Silent).await;
    let faults =
        Faults { seed: 9, dropped: 60, kept_done: 30, kept_undone: 30, lost: 20, ..Faults::default() };
    misbehave(market.env("payments"), &faults).await.unwrap();
    market.stop().await;

    let mut captured = vec![];
    for _ in 0..KILLS {
        let mut worker = Worker::start("sell", &store);
        captured.extend((0..DONE_BEFORE_KILL).map_while(|_| worker.done()));
        captured.extend(worker.kill());
    }
    assert!(captured.len() >= KILLS, "{captured:?}");
    let mut last = Worker::start("end", &store);
    assert_eq!(last.done().as_deref(), Some("all"));
    last.kill();

    let market = Market::start(&store, Relays::Silent).await;
    let env = market.env("payments");
    let rows = payment::Entity::find().all(env.db.read()).await.unwrap();
    for id in &captured {
        let row = rows.iter().find(|row| row.id.to_string() == *id).expect("what was acknowledged is there");
        assert_eq!(row.state, State::Captured);
    }
    let intents = sandbox_object::Entity::find().filter(sandbox_object::Column::Kind.eq(Kind::Intent));
    let intents = intents.all(env.db.read()).await.unwrap();
    for row in &rows {
        let own = || intents.iter().filter(|intent| intent.subject == row.id.to_string());
        let taken = own().filter(|intent| intent.status == Status::Captured).count();
        let held = own().filter(|intent| intent.status == Status::Held).count();
        let expected = (usize::from(row.captured_minor > 0), usize::from(row.state == State::Authorised));
        assert_eq!((taken, held), expected, "{row:?}");
    }
    let report = ::payments::ledger::verify(&env.db).await.unwrap();
    assert!(report.is_right(), "{report}");
    let differences =
        ::payments::reconcile::compare_balances(env, &::payments::courier(env, &Default::default()).unwrap())
            .await
            .unwrap();
    assert_eq!(differences, 0, "the provider's balance is the ledger's");
    market.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_pays_twice_under_a_kill_on_sqlite() {
    nobody_pays_twice_and_nothing_is_lost(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_pays_twice_under_a_kill_on_postgres() {
    nobody_pays_twice_and_nothing_is_lost(Engine::Postgres).await;
}
