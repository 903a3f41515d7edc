//! The way of an event from an outbox to a consumer.

use chassis::tx;
use chrono::{DateTime, TimeDelta, Utc};
use entity::shared::{inbox, outbox as outbox_row};
use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::*;

souk_test! {
    silent async fn an_event_reaches_its_consumer_in_order(market: &Market) {
        let (ear, anna, bert) = (Ear::default(), UserId::new(), UserId::new());
        say(market, &[(anna, 1), (bert, 1), (anna, 2)]).await;
        assert!(!ear.relay(market).turn().await.unwrap());
        assert_eq!(ear.heard(), [(anna, 1), (bert, 1), (anna, 2)]);
        let seen = inbox::Entity::find().count(market.env("inventory").db.read()).await.unwrap();
        assert_eq!(seen, 3);
    }

    silent async fn an_event_delivered_twice_is_applied_once(market: &Market) {
        let (ear, anna) = (Ear::default(), UserId::new());
        say(market, &[(anna, 1)]).await;
        ear.relay(market).turn().await.unwrap();
        forget_that_they_were_published(market).await;
        // As after a crash between the consumer's commit and the relay's.
        ear.relay(market).turn().await.unwrap();
        assert_eq!(ear.heard(), [(anna, 1)]);
    }

    silent async fn what_commits_after_what_was_said_later_is_delivered_too(market: &Market) {
        let (ear, anna, bert) = (Ear::default(), UserId::new(), UserId::new());
        say(market, &[(anna, 1)]).await;
        say(market, &[(bert, 1)]).await;
        // As if what is said of anna had its number first and its commit last.
        publish(market, Some(market.clock.now()), outbox_row::Column::AggregateId.eq(bert.0)).await;
        ear.relay(market).turn().await.unwrap();
        assert_eq!(ear.heard(), [(anna, 1)]);
    }

    silent async fn what_is_rolled_back_is_never_said(market: &Market) {
        let (ear, anna) = (Ear::default(), UserId::new());
        let db = &market.env("accounts").db;
        let mut live = db.said();
        let refused: Result<(), &str> = tx::run(db, async |tx| {
            let said = UserRegistered { user_id: anna };
            outbox::say(tx, market.clock.now(), about("user", anna, 1), said).await?;
            Ok(Err("changed my mind"))
        })
        .await
        .unwrap();
        assert_eq!(refused, Err("changed my mind"));
        ear.relay(market).turn().await.unwrap();
        assert_eq!(ear.heard(), []);
        assert!(live.try_recv().is_err());
    }

    silent async fn of_two_relays_one_delivers(market: &Market) {
        let (ear, anna, bert) = (Ear::default(), UserId::new(), UserId::new());
        let (first, second) = (ear.relay(market), ear.relay(market));
        say(market, &[(anna, 1)]).await;
        first.turn().await.unwrap();
        say(market, &[(bert, 1)]).await;
        second.turn().await.unwrap();
        assert_eq!(ear.heard(), [(anna, 1)], "the first holds the lease");
        market.clock.advance(TimeDelta::seconds(60));
        second.turn().await.unwrap();
        assert_eq!(ear.heard(), [(anna, 1), (bert, 1)], "the lease of a relay that died ends");
    }

    silent async fn a_listener_of_this_process_hears_after_the_commit(market: &Market) {
        let anna = UserId::new();
        let mut live = market.env("accounts").db.said();
        say(market, &[(anna, 1)]).await;
        let heard = live.try_recv().unwrap();
        assert_eq!((heard.aggregate.id, heard.aggregate.version), (anna.0, 1));
    }
}

async fn forget_that_they_were_published(market: &Market) {
    publish(market, None, outbox_row::Column::PublishedAt.is_not_null()).await;
}

/// Marks events as published, or as not.
async fn publish(market: &Market, at: Option<DateTime<Utc>>, which: impl IntoCondition) {
    outbox_row::Entity::update_many()
        .col_expr(outbox_row::Column::PublishedAt, Expr::val(at))
        .filter(which)
        .exec(market.env("accounts").db.write())
        .await
        .unwrap();
}
