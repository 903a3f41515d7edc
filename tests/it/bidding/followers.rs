//! Rows that follow the journal, and snapshots.

use bidding::engine::{Follower, Projection, recover};
use chassis::Database;
use entity::bidding::{snapshot, watermark};
use sea_orm::{EntityTrait, PaginatorTrait};

use super::play::{
    PARTITION, Running, action, assert_projected, clock, journal, on_both, open_market, replay_all,
};

fn follower(db: &Database) -> Follower<bidding::engine::SqlJournal> {
    Follower::new(journal(db), Projection::new(db.clone(), PARTITION)).with_snapshots_every(10)
}

on_both! {
    async fn orders_and_trades_follow_the_journal(db: Database) {
        let running = Running::start(journal(&db), clock());
        running.send(open_market()).await;
        let mut following = follower(&db);
        for number in 0..300 {
            running.send(action(number)).await;
            if number % 7 == 0 {
                following.turn().await.unwrap();
            }
            if number % 90 == 0 {
                // It was killed: another starts from the watermark.
                following = follower(&db);
            }
        }
        running.stop().await;
        assert_projected(&db).await;
    }

    async fn two_followers_enter_nothing_twice(db: Database) {
        let running = Running::start(journal(&db), clock());
        running.send(open_market()).await;
        let (mut one, mut other) = (follower(&db), follower(&db));
        let mut overtaken = 0;
        for number in 0..60 {
            running.send(action(number)).await;
            let (first, second) = tokio::join!(one.turn(), other.turn());
            overtaken += usize::from(first.is_err()) + usize::from(second.is_err());
        }
        running.stop().await;
        assert!(overtaken > 0, "both were at work");
        assert_projected(&db).await;
    }

    async fn a_start_needs_the_newest_snapshot_and_what_is_after_it(db: Database) {
        let running = Running::start(journal(&db), clock());
        running.send(open_market()).await;
        let mut following = follower(&db);
        for number in 0..64 {
            running.send(action(number)).await;
            following.turn().await.unwrap();
        }
        running.stop().await;
        let kept = snapshot::Entity::find().count(db.read()).await.unwrap();
        assert_eq!(kept, 2);
        let (at, _) = replay_all(&journal(&db)).await;
        // Rows that a snapshot has are not read: without them the start is the same.
        use entity::bidding::journal as row;
        use sea_orm::{ColumnTrait, QueryFilter};
        row::Entity::delete_many().filter(row::Column::Seq.lte(60)).exec(db.write()).await.unwrap();
        let running = Running::start(journal(&db), clock());
        assert_eq!(running.send(action(100)).await.seq, at.seq + 1);
        running.stop().await;
        let again = recover(&journal(&db), Some(at.seq)).await.unwrap();
        assert_eq!((again.seq, again.state.digest()), (at.seq, at.state.digest()));
        let marked = watermark::Entity::find().one(db.read()).await.unwrap().unwrap();
        assert_eq!(marked.seq as u64, at.seq);
    }
}
