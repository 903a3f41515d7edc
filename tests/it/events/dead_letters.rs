//! Events that cannot be applied: they wait for an operator and hold nobody else up.

use chassis::page::Page;
use chassis::relay::ATTEMPTS_MAX;
use chassis::{audit, dead_letter};
use chrono::TimeDelta;
use contract::EventId;
use entity::shared::dead_letter::{Model, Status};
use sea_orm::EntityTrait;

use super::*;

souk_test! {
    silent async fn a_bad_event_holds_back_only_what_is_said_of_the_same_thing(market: &Market) {
        let (ear, anna, bert) = (Ear::default(), UserId::new(), UserId::new());
        ear.bad.lock().unwrap().push(anna);
        say(market, &[(anna, 1), (bert, 1), (anna, 2), (bert, 2)]).await;
        let relay = ear.relay(market);
        relay.turn().await.unwrap();
        assert_eq!(ear.heard(), [(bert, 1), (bert, 2)]);
        ear.bad.lock().unwrap().clear();
        relay.turn().await.unwrap();
        assert_eq!(ear.heard(), [(bert, 1), (bert, 2)], "it waits before it tries again");
        market.clock.advance(TimeDelta::seconds(60));
        relay.turn().await.unwrap();
        assert_eq!(ear.heard(), [(bert, 1), (bert, 2), (anna, 1), (anna, 2)]);
    }

    silent async fn after_all_attempts_it_is_a_dead_letter_and_the_rest_goes_on(market: &Market) {
        let (ear, anna) = (Ear::default(), UserId::new());
        let letter = bury(market, &ear, anna).await;
        assert_eq!((letter.status, letter.attempts), (Status::Waiting, ATTEMPTS_MAX));
        assert!(letter.error.contains("cannot bear it"), "{}", letter.error);
        ear.bad.lock().unwrap().clear();
        say(market, &[(anna, 2)]).await;
        ear.relay(market).turn().await.unwrap();
        assert_eq!(ear.heard(), [(anna, 2)]);
    }

    silent async fn an_operator_retries_a_dead_letter(market: &Market) {
        let (ear, anna) = (Ear::default(), UserId::new());
        let letter = bury(market, &ear, anna).await;
        let retry = async || {
            let consumers = [ear.consumer(market)];
            let now = market.clock.now();
            dead_letter::retry(&market.env("inventory").db, &consumers, now, letter.event_id, "ops".into()).await
        };
        assert!(retry().await.is_err(), "it still fails, and says so");
        ear.bad.lock().unwrap().clear();
        retry().await.unwrap().unwrap();
        assert_eq!(ear.heard(), [(anna, 1)]);
        assert_eq!(retry().await.unwrap(), Err(dead_letter::Refusal::NotWaiting));
        audited(market, "dead_letter.retry").await;
    }

    silent async fn an_operator_drops_a_dead_letter_with_a_reason(market: &Market) {
        let (ear, anna) = (Ear::default(), UserId::new());
        let letter = bury(market, &ear, anna).await;
        let (db, now) = (&market.env("inventory").db, market.clock.now());
        dead_letter::drop(db, now, letter.event_id, "made by a test".into(), "ops".into()).await.unwrap().unwrap();
        let page = Page::<EventId>::read(None, None).unwrap();
        assert!(dead_letter::list(db, &page).await.unwrap().is_empty());
        let kept = entity::shared::dead_letter::Entity::find().one(db.read()).await.unwrap().unwrap();
        assert_eq!((kept.status, kept.reason.as_deref()), (Status::Dropped, Some("made by a test")));
        audited(market, "dead_letter.drop").await;
    }
}

/// Lets an event about `user` fail until it is given up.
async fn bury(market: &Market, ear: &Ear, user: UserId) -> Model {
    ear.bad.lock().unwrap().push(user);
    say(market, &[(user, 1)]).await;
    let relay = ear.relay(market);
    for _ in 0..ATTEMPTS_MAX {
        relay.turn().await.unwrap();
        market.clock.advance(TimeDelta::seconds(60));
    }
    let page = Page::<EventId>::read(None, None).unwrap();
    let mut letters = dead_letter::list(&market.env("inventory").db, &page).await.unwrap();
    assert_eq!(letters.len(), 1);
    letters.remove(0)
}

async fn audited(market: &Market, action: &str) {
    let db = market.env("inventory").db.read();
    let event = entity::shared::audit_event::Entity::find().one(db).await.unwrap().unwrap();
    assert_eq!((event.actor.as_str(), event.action.as_str()), ("ops", action));
    assert_eq!(audit::first_broken(db).await.unwrap(), None);
}
