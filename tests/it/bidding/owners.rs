//! Which process writes which partition.

use std::time::Duration;

use bidding::engine::{Owner, Unanswered};
use chassis::Tasks;
use chrono::TimeDelta;

use super::play::{action, clock, journal, on_both, open_market, replay_all};

on_both! {
    async fn a_partition_has_one_owner_and_another_after_its_death(db: Database) {
        let clock = clock();
        let tasks = Tasks::new();
        let owner = || Owner::new(db.clone(), clock.clone(), tasks.clone());
        let (mut one, mut other) = (owner(), owner());
        one.turn([0, 1]).await.unwrap();
        other.turn([0, 1]).await.unwrap();
        assert!(one.handle(0).is_some() && other.handle(0).is_none());
        one.handle(0).unwrap().send(open_market()).await.unwrap();

        // `one` is frozen: it renews nothing, and does not know yet what it lost.
        clock.advance(TimeDelta::seconds(6));
        other.turn([0, 1]).await.unwrap();
        other.handle(0).unwrap().send(action(20)).await.unwrap();
        let late = one.handle(0).unwrap().send(action(21)).await;
        assert!(matches!(late, Err(Unanswered::Unknown | Unanswered::NotHere)), "{late:?}");
        one.turn([0, 1]).await.unwrap();
        assert!(one.handle(0).is_none());
        other.handle(0).unwrap().send(action(22)).await.unwrap();

        other.release().await.unwrap();
        one.turn([0]).await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), one.handle(0).unwrap().send(action(23)))
            .await
            .unwrap()
            .unwrap();
        tasks.stop().await;
        let (_, rows) = replay_all(&journal(&db)).await;
        assert_eq!(rows.len(), 4, "open, 20, 22, 23");
    }
}
