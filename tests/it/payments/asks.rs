//! What other services ask of payments, and its answers.

use chrono::TimeDelta;
use contract::{Envelope, Event, EventId, PayoutId, RefundId};
use entity::payments::payment::State;
use entity::payments::sandbox_object::{Kind, Status};
use entity::payments::{payment_step, sandbox_call};
use payments::ledger::Account;
use payments::provider::sandbox::Faults;
use sea_orm::{EntityTrait, PaginatorTrait};

use super::{Sale, faults, provider_agrees, say};
use crate::support::Market;

souk_test! {
    async fn money_is_held_then_taken_then_earned(market: &Market) {
        let sale = Sale::with_card(market, "pm_card_visa").await;
        assert_eq!(sale.answers().await, ["authorised"]);
        assert_eq!(sale.at_provider().await, [(Kind::Intent, Status::Held, 15_000)]);
        assert_eq!(sale.balance(sale.held(0)).await, 0, "a hold is not money yet");

        sale.ask(sale.capture()).await;
        assert_eq!(sale.state().await, State::Captured);
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [10_000, 5_000]);
        assert_eq!(sale.balance(Account::Balance).await, -14_750, "the provider keeps 1.5 % and 0.25");

        sale.ask(sale.release(PayoutId::new(), sale.sellers[0])).await;
        let said = sale.said_last().await;
        assert_eq!(said["amount"]["amount_minor"], 7_000, "less tax and fee: {said}");
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [0, 5_000]);
        assert_eq!([sale.balance(Account::Tax).await, sale.balance(Account::PlatformFee).await], [2_000, 1_000]);
        assert_eq!(sale.at_provider().await[1..], [(Kind::Transfer, Status::Done, 7_000)]);
        assert_eq!(sale.answers().await, ["authorised", "captured", "released"]);
        provider_agrees(market).await;
    }

    async fn the_same_ask_twice_is_done_once_and_answered_twice(market: &Market) {
        let sale = Sale::with_card(market, "pm_card_visa").await;
        let (payout, refund) = (PayoutId::new(), RefundId::new());
        sale.ask(sale.authorise("pm_card_visa")).await;
        let asks = [sale.capture(), sale.refund(refund, 1_000, 200, 100), sale.release(payout, sale.sellers[1])];
        for ask in asks {
            sale.ask(ask.clone()).await;
            say(market, vec![(sale.payment, ask.clone()), (sale.payment, ask)]).await;
            market.settle().await;
        }
        let said = ["authorised", "captured", "refunded", "released"];
        let answers = sale.answers().await;
        assert_eq!(said.map(|kind| answers.iter().filter(|said| *said == kind).count()), [2, 3, 3, 3], "{answers:?}");
        let made = sale.at_provider().await;
        assert_eq!(made.len(), 3, "one intent, one refund, one transfer: {made:?}");
    }

    async fn each_ask_in_each_state_is_answered_with_where_the_payment_stands(market: &Market) {
        let authorised = Sale::with_card(market, "pm_card_visa").await;
        let waits = Sale::with_card(market, "pm_card_threeDSecure2Required").await;
        let declined = Sale::with_card(market, "pm_card_chargeDeclined").await;
        let failed = Sale::with_card(market, "pm_card_nonsense").await;
        let voided = Sale::with_card(market, "pm_card_visa").await;
        voided.ask(voided.void()).await;
        let captured = Sale::paid(market, "pm_card_visa").await;
        let refunded = Sale::paid(market, "pm_card_visa").await;
        refunded.ask(refunded.refund(RefundId::new(), 10_000, 0, 0)).await;
        let table = [
            (&authorised, State::Authorised, ["authorised", "captured", "captured"]),
            (&waits, State::NeedsAction, ["needs_action", "capture_failed", "voided"]),
            (&declined, State::Declined, ["declined", "capture_failed", "voided"]),
            (&failed, State::Failed, ["declined", "capture_failed", "voided"]),
            (&voided, State::Voided, ["voided", "capture_failed", "voided"]),
            (&captured, State::Captured, ["authorised", "captured", "captured"]),
            (&refunded, State::PartlyRefunded, ["authorised", "captured", "captured"]),
        ];
        for (sale, state, answers) in table {
            assert_eq!(sale.state().await, state);
            let before = sale.answers().await.len();
            for ask in [sale.authorise("pm_card_visa"), sale.capture(), sale.void()] {
                sale.ask(ask).await;
            }
            assert_eq!(sale.answers().await[before..], answers, "{state:?}");
        }
    }

    async fn a_card_that_is_declined_holds_nothing_and_says_why(market: &Market) {
        for (method, code) in [
            ("pm_card_chargeDeclined", "card_declined"),
            ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
            ("pm_card_nonsense", "resource_missing"),
        ] {
            let sale = Sale::with_card(market, method).await;
            assert_eq!(sale.answers().await, ["declined"]);
            let said = sale.said_last().await;
            assert_eq!(said["code"], code);
            assert!(said["message"].as_str().unwrap().contains("SANDBOX"), "{said}");
        }
    }

    async fn an_ask_that_makes_no_sense_is_declined_and_holds_nobody_up(market: &Market) {
        let mut bad = vec![];
        for spoil in 0..5 {
            let sale = Sale::new(market);
            let Event::AuthorisePayment(mut ask) = sale.authorise("pm_card_visa") else { unreachable!() };
            match spoil {
                0 => ask.amount.amount_minor += 1,
                1 => ask.shares[0].amount_minor = i64::MAX,
                2 => ask.shares[1].seller_id = ask.shares[0].seller_id,
                3 => ask.shares[0].fee_minor = -1,
                _ => ask.method = "card\0".into(),
            }
            bad.push((sale, ask));
        }
        let good = Sale::new(market);
        let mut asks: Vec<_> = bad.iter().map(|(sale, ask)| (sale.payment, ask.clone().into())).collect();
        asks.push((good.payment, good.authorise("pm_card_visa")));
        say(market, asks).await;
        market.settle().await;
        assert_eq!(good.answers().await, ["authorised"]);
        for (sale, _) in bad {
            assert_eq!(sale.said_last().await["code"], "invalid_request");
            assert_eq!(sale.at_provider().await, []);
        }
    }

    async fn asks_about_a_payment_that_nobody_knows_are_answered(market: &Market) {
        let sale = Sale::new(market);
        sale.ask(sale.capture()).await;
        sale.ask(sale.refund(RefundId::new(), 1, 0, 0)).await;
        sale.ask(sale.void()).await;
        assert_eq!(sale.answers().await, ["capture_failed", "refund_failed", "voided"]);
        sale.ask(sale.authorise("pm_card_visa")).await;
        assert_eq!(sale.answers().await[3..], ["voided"], "it was given up before it began");
        assert_eq!(sale.at_provider().await, []);
    }

    async fn an_authorisation_whose_time_is_over_is_not_made(market: &Market) {
        let sale = Sale::new(market);
        let ask = sale.authorise("pm_card_visa");
        market.clock.advance(TimeDelta::minutes(10));
        sale.ask(ask).await;
        assert_eq!(sale.answers().await, ["declined"]);
        assert_eq!(sale.said_last().await["code"], "expired");
        let calls = sandbox_call::Entity::find().count(market.env("payments").db.read()).await.unwrap();
        assert_eq!(calls, 0);
    }

    async fn a_hold_that_arrives_after_the_buyer_left_is_given_up(market: &Market) {
        let sale = Sale::new(market);
        faults(market, Faults { dropped: 1_000, ..Faults::default() }).await;
        sale.ask(sale.authorise("pm_card_visa")).await;
        assert_eq!(sale.at_provider().await, [(Kind::Intent, Status::Held, 15_000)], "it is held, and we do not know");
        sale.ask(sale.void()).await;
        assert_eq!((sale.state().await, sale.answers().await), (State::Voiding, vec![]));
        faults(market, Faults::default()).await;
        market.clock.advance(TimeDelta::minutes(1));
        market.settle().await;
        assert_eq!(sale.answers().await, ["voided"]);
        assert_eq!(sale.at_provider().await, [(Kind::Intent, Status::Cancelled, 15_000)]);
    }

    async fn a_hold_that_arrives_after_its_time_is_given_up(market: &Market) {
        let sale = Sale::new(market);
        faults(market, Faults { dropped: 1_000, ..Faults::default() }).await;
        sale.ask(sale.authorise("pm_card_visa")).await;
        faults(market, Faults::default()).await;
        market.clock.advance(TimeDelta::minutes(11));
        market.settle().await;
        assert_eq!(sale.answers().await, ["voided"]);
        assert_eq!(sale.at_provider().await, [(Kind::Intent, Status::Cancelled, 15_000)]);
    }

    silent async fn an_authorisation_that_was_not_sent_is_not_sent_after_a_void(market: &Market) {
        let sale = Sale::new(market);
        deliver(market, vec![sale.authorise("pm_card_visa")]).await;
        deliver(market, vec![sale.void()]).await;
        assert_eq!(sale.answers().await, ["voided"]);
        let courier = payments::courier(market.env("payments"), &Default::default()).unwrap();
        assert_eq!(courier.round().await.unwrap(), 0);
        assert_eq!(sale.at_provider().await, []);
    }

    silent async fn two_couriers_at_once_make_each_call_once(market: &Market) {
        let sales: Vec<Sale> = (0..40).map(|_| Sale::new(market)).collect();
        deliver(market, sales.iter().map(|sale| sale.authorise("pm_card_visa")).collect()).await;
        let couriers = [(); 2].map(|()| payments::courier(market.env("payments"), &Default::default()).unwrap());
        let rounds = couriers.iter().map(|courier| courier.round());
        let made: usize = futures::future::try_join_all(rounds).await.unwrap().into_iter().sum();
        assert_eq!(made, 40);
        let db = market.env("payments").db.read();
        let calls = sandbox_call::Entity::find().all(db).await.unwrap();
        assert_eq!(calls.iter().map(|call| call.seen).sum::<i32>(), 40, "no key came twice");
        for sale in &sales {
            assert_eq!(sale.answers().await, ["authorised"]);
        }
    }

    silent async fn a_step_of_a_process_that_died_is_taken_over_with_its_key(market: &Market) {
        let sale = Sale::new(market);
        deliver(market, vec![sale.authorise("pm_card_visa")]).await;
        let db = market.env("payments").db.write();
        let lost = payment_step::ActiveModel {
            id: sea_orm::ActiveValue::Unchanged(payment_step::Entity::find().one(db).await.unwrap().unwrap().id),
            claimed_until: sea_orm::ActiveValue::Set(Some(market.clock.now() + TimeDelta::seconds(40))),
            first_sent_at: sea_orm::ActiveValue::Set(Some(market.clock.now())),
            ..Default::default()
        };
        payment_step::Entity::update(lost).exec(db).await.unwrap();
        let courier = payments::courier(market.env("payments"), &Default::default()).unwrap();
        assert_eq!(courier.round().await.unwrap(), 0, "it is somebody's");
        market.clock.advance(TimeDelta::seconds(41));
        assert_eq!(courier.round().await.unwrap(), 1);
        assert_eq!(sale.answers().await, ["authorised"]);
    }

    silent async fn an_ask_delivered_twice_is_heard_once(market: &Market) {
        let sale = Sale::new(market);
        let envelope = envelope(market, sale.authorise("pm_card_visa"));
        let ear = ear(market);
        ear.deliver(vec![envelope.clone(), envelope.clone()]).await.unwrap();
        ear.deliver(vec![envelope]).await.unwrap();
        let steps = payment_step::Entity::find().count(market.env("payments").db.read()).await.unwrap();
        assert_eq!(steps, 1);
    }

    silent async fn a_checkout_costs_few_statements_however_many_there_are(market: &Market) {
        let count = async |sales: usize| {
            let sales: Vec<Sale> = (0..sales).map(|_| Sale::new(market)).collect();
            let db = &market.env("payments").db;
            let mut seen = vec![db.statements()];
            let courier = payments::courier(market.env("payments"), &Default::default()).unwrap();
            deliver(market, sales.iter().map(|sale| sale.authorise("pm_card_visa")).collect()).await;
            seen.push(db.statements());
            courier.round().await.unwrap();
            seen.push(db.statements());
            deliver(market, sales.iter().map(Sale::capture).collect()).await;
            seen.push(db.statements());
            courier.round().await.unwrap();
            seen.push(db.statements());
            seen.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
        };
        let (one, many) = (count(1).await, count(50).await);
        let sum = |counts: &[u64]| counts.iter().sum::<u64>();
        // How many answers of the provider are written at once depends on how many came at once.
        assert!(sum(&one) <= 50 && sum(&many) <= 150, "{one:?} for one, {many:?} for fifty");
    }
}

pub(super) fn envelope(market: &Market, event: Event) -> Envelope {
    let id = contract::PaymentId::new();
    Envelope {
        id: EventId::new(),
        schema_version: 1,
        aggregate: chassis::outbox::about("payment", id, 1),
        occurred_at: market.clock.now(),
        traceparent: None,
        event,
    }
}

pub(super) fn ear(market: &Market) -> chassis::inbox::Consumer {
    market.souk.consumers().into_iter().find(|consumer| consumer.name == "payments.asks").unwrap()
}

/// Delivers asks by hand, as one batch.
pub(super) async fn deliver(market: &Market, asks: Vec<Event>) {
    let batch = asks.into_iter().map(|ask| envelope(market, ask)).collect();
    ear(market).deliver(batch).await.unwrap();
}
