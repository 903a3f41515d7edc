//! A provider that misbehaves: whatever it does, everything is done once and in the books.

use chrono::TimeDelta;
use contract::{PayoutId, RefundId};
use entity::payments::payment::State;
use entity::payments::sandbox_object::{Kind, Status};
use entity::payments::{payment, sandbox_object};
use payments::provider::sandbox::Faults;
use sea_orm::EntityTrait;

use super::{Sale, faults, provider_agrees, say};
use crate::support::Market;

/// Each way to misbehave, always.
fn ways() -> [(&'static str, Faults); 6] {
    let none = Faults::default();
    [
        ("drops the answer", Faults { dropped: 1_000, ..none }),
        ("hangs", Faults { hangs: 1_000, hang_ms: 20, ..none }),
        ("answers 500 and has done it", Faults { kept_done: 1_000, ..none }),
        ("answers 500 and has not done it", Faults { kept_undone: 1_000, ..none }),
        ("answers 503", Faults { lost: 1_000, ..none }),
        ("limits the rate", Faults { rate_limited: 1_000, ..none }),
    ]
}

/// Asks while the provider misbehaves, then lets it behave, until the payment has moved.
async fn under(market: &Market, fault: Faults, sale: &Sale<'_>, ask: contract::Event) {
    faults(market, fault).await;
    sale.ask(ask).await;
    market.clock.advance(TimeDelta::seconds(61));
    market.settle().await;
    faults(market, Faults::default()).await;
    for _ in 0..3 {
        market.clock.advance(TimeDelta::seconds(61));
        market.settle().await;
    }
}

souk_test! {
    async fn each_step_is_done_once_however_the_provider_misbehaves(market: &Market) {
        for (way, fault) in ways() {
            let sale = Sale::new(market);
            under(market, fault, &sale, sale.authorise("pm_card_visa")).await;
            assert_eq!(sale.state().await, State::Authorised, "{way}");
            under(market, fault, &sale, sale.capture()).await;
            assert_eq!(sale.state().await, State::Captured, "{way}");
            under(market, fault, &sale, sale.release(PayoutId::new(), sale.sellers[0])).await;
            under(market, fault, &sale, sale.refund(RefundId::new(), 4_000, 800, 400)).await;
            assert_eq!(sale.answers().await, ["authorised", "captured", "released", "refunded"], "{way}");
            let mut made = sale.at_provider().await;
            made.sort();
            let whole = [
                (Kind::Intent, Status::Captured, 15_000),
                (Kind::Refund, Status::Done, 4_000),
                (Kind::Transfer, Status::Done, 7_000),
            ];
            assert_eq!(made, whole, "{way}");
            provider_agrees(market).await;

            let left = Sale::with_card(market, "pm_card_visa").await;
            under(market, fault, &left, left.void()).await;
            assert_eq!(left.answers().await, ["authorised", "voided"], "{way}");
            assert_eq!(left.at_provider().await, [(Kind::Intent, Status::Cancelled, 15_000)], "{way}");
        }
    }

    async fn what_is_older_than_the_provider_s_memory_is_read_and_not_sent(market: &Market) {
        let sale = Sale::paid(market, "pm_card_visa").await;
        faults(market, Faults { lost: 1_000, ..Faults::default() }).await;
        sale.ask(sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        faults(market, Faults::default()).await;
        market.clock.advance(TimeDelta::hours(24));
        market.settle().await;
        assert_eq!(sale.answers().await, ["authorised", "captured"], "it was not done, and is not sent any more");
        assert!(sale.row().await.attention.unwrap().contains("too old"));
    }

    async fn a_provider_that_does_not_answer_is_left_alone_for_a_minute(market: &Market) {
        faults(market, Faults { lost: 1_000, ..Faults::default() }).await;
        let first: Vec<Sale> = (0..8).map(|_| Sale::new(market)).collect();
        for sale in &first {
            sale.ask(sale.authorise("pm_card_visa")).await;
        }
        faults(market, Faults::default()).await;
        let waits = Sale::with_card(market, "pm_card_visa").await;
        assert_eq!(waits.state().await, State::Authorising, "the breaker is open");
        market.clock.advance(TimeDelta::seconds(70));
        for _ in 0..4 {
            market.settle().await;
            market.clock.advance(TimeDelta::seconds(2));
        }
        assert_eq!(waits.state().await, State::Authorised);
        let attempts = attempts(market, &waits).await;
        assert_eq!(attempts, 0, "waiting is not a try");
    }

    async fn sales_under_random_faults_all_end_and_nothing_is_lost_or_done_twice(market: &Market) {
        let fault = Faults {
            seed: 20_261_121, dropped: 60, hangs: 20, hang_ms: 5, kept_done: 40, kept_undone: 40, lost: 60, rate_limited: 20,
        };
        faults(market, fault).await;
        let sales: Vec<Sale> = (0..60).map(|_| Sale::new(market)).collect();
        say(market, sales.iter().map(|sale| (sale.payment, sale.authorise("pm_card_visa"))).collect()).await;
        until_still(market).await;
        let (kept, left) = sales.split_at(45);
        let asks = kept.iter().map(|sale| (sale.payment, sale.capture()));
        say(market, asks.chain(left.iter().map(|sale| (sale.payment, sale.void()))).collect()).await;
        until_still(market).await;
        let released = kept.iter().map(|sale| (sale.payment, sale.release(PayoutId::new(), sale.sellers[0])));
        let refunded = kept.iter().map(|sale| (sale.payment, sale.refund(RefundId::new(), 2_500, 500, 250)));
        say(market, released.chain(refunded).collect()).await;
        until_still(market).await;

        let db = market.env("payments").db.read();
        for row in payment::Entity::find().all(db).await.unwrap() {
            assert!(matches!(row.state, State::PartlyRefunded | State::Voided), "{row:?}");
        }
        let made = sandbox_object::Entity::find().all(db).await.unwrap();
        let many = |kind, status| made.iter().filter(|made| (made.kind, made.status) == (kind, status)).count();
        assert_eq!(many(Kind::Intent, Status::Captured), 45);
        assert_eq!(many(Kind::Intent, Status::Held), 0, "no hold is forgotten");
        assert_eq!([many(Kind::Refund, Status::Done), many(Kind::Transfer, Status::Done)], [45, 45]);
        provider_agrees(market).await;
    }
}

async fn attempts(market: &Market, sale: &Sale<'_>) -> i32 {
    use entity::payments::payment_step::{Column, Entity};
    use sea_orm::{ColumnTrait, QueryFilter};
    let steps = Entity::find().filter(Column::PaymentId.eq(sale.payment));
    steps.all(market.env("payments").db.read()).await.unwrap().iter().map(|step| step.attempts).sum()
}

/// Moves the clock until no step waits for its time.
async fn until_still(market: &Market) {
    use entity::payments::payment_step::{Column, Entity, State};
    use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter};
    for _ in 0..60 {
        market.settle().await;
        let waiting = Entity::find().filter(Column::State.eq(State::Waiting));
        if waiting.count(market.env("payments").db.read()).await.unwrap() == 0 {
            return;
        }
        // Not past the ten minutes that a buyer waits.
        market.clock.advance(TimeDelta::seconds(8));
    }
    panic!("some step waits for ever");
}
