//! What a writer acknowledges.

use std::time::Duration;

use bidding::engine::{Journal, Unanswered, partition_of, recover};
use chrono::TimeDelta;
use matching::*;

use super::play::{
    MARKET, Running, action, assert_durable, assert_projected, clock, journal, on_both, open_market,
    replay_all,
};

on_both! {
    async fn what_was_acknowledged_is_there_after_a_restart(db: Database) {
        let clock = clock();
        let running = Running::start(journal(&db), clock.clone());
        let mut answered = vec![running.send(open_market()).await];
        for number in 0..120 {
            answered.push(running.send(action(number)).await);
        }
        running.stop().await;

        let running = Running::start(journal(&db), clock);
        for number in 120..160 {
            answered.push(running.send(action(number)).await);
        }
        let Ok(again) = running.handle.send(action(7)).await else { panic!() };
        assert!(matches!(again.events[..], [Event::Repeated { .. }]), "keys are part of what is recovered: {again:?}");
        running.stop().await;
        let (at, rows) = replay_all(&journal(&db)).await;
        assert_durable(&answered, &rows);
        assert_eq!(recover(&journal(&db), None).await.unwrap().state.digest(), at.state.digest());
        assert_projected(&db).await;
    }

    async fn what_waits_together_is_one_row(db: Database) {
        let running = Running::start(journal(&db), clock());
        running.send(open_market()).await;
        let sent = (0..500).map(|number| running.handle.send(action(number)));
        let answered: Vec<_> = futures::future::join_all(sent).await.into_iter().map(Result::unwrap).collect();
        running.stop().await;
        let (_, rows) = replay_all(&journal(&db)).await;
        assert!(rows.len() < 20, "{} rows", rows.len());
        assert_durable(&answered, &rows);
    }

    async fn readers_see_the_books_of_the_journal(db: Database) {
        let running = Running::start(journal(&db), clock());
        running.send(open_market()).await;
        for number in 0..200 {
            running.send(action(number)).await;
        }
        let shown = running.handle.view().market(MARKET).unwrap();
        running.stop().await;
        let (at, _) = replay_all(&journal(&db)).await;
        let market = at.state.market(MARKET).unwrap();
        assert_eq!((shown.best_bid(), shown.best_ask()), (market.best(Side::Bid), market.best(Side::Ask)));
        assert!(shown.best_bid().is_some() && shown.best_ask().is_some() && shown.last_match.is_some());
        for (side, depth) in [(Side::Bid, &shown.bids), (Side::Ask, &shown.asks)] {
            let mut there: Vec<_> = market.depth(side).map(|depth| (depth.price, depth.quantity)).collect();
            there.sort_unstable();
            assert_eq!(depth.iter().map(|(price, quantity)| (*price, *quantity)).collect::<Vec<_>>(), there);
        }
        assert_eq!(shown.seq, market.seq());
    }

    async fn time_passes_without_commands(db: Database) {
        let clock = clock();
        let running = Running::start(journal(&db), clock.clone());
        running.send(open_market()).await;
        let expires_at = Some(clock.now().timestamp_micros() + 60_000_000);
        let place = Place::resting(AccountId(1), MARKET, Side::Ask, 10_000, 1);
        running.send(Action::Place(Place { life: Life::Rest { expires_at }, ..place })).await;
        clock.advance(TimeDelta::seconds(61));
        tokio::time::timeout(Duration::from_secs(20), async {
            while running.handle.view().market(MARKET).unwrap().best_ask().is_some() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("the ask expires by itself");
        running.stop().await;
        assert_projected(&db).await;
    }

    async fn who_was_overtaken_writes_no_more(db: Database) {
        let first = Running::start(journal(&db), clock());
        first.send(open_market()).await;
        let kept = first.send(action(20)).await;
        let second = Running::start(journal(&db), clock());
        second.send(action(21)).await;
        let refused = first.handle.send(action(22)).await;
        assert!(matches!(refused, Err(Unanswered::Unknown | Unanswered::NotHere)), "{refused:?}");
        let handle = first.handle.clone();
        first.ended().await;
        assert_eq!(handle.send(action(23)).await, Err(Unanswered::NotHere));
        second.send(action(24)).await;
        second.stop().await;
        let (_, rows) = replay_all(&journal(&db)).await;
        assert_durable(&[kept], &rows);
        assert_eq!(rows.len(), 4, "open, 20, 21, 24");
        assert_eq!(journal(&db).take_over().await.unwrap(), 3);
    }
}

#[test]
fn markets_keep_their_partitions() {
    let partitions: Vec<u32> = (0..6).map(|market| partition_of(MarketId(market))).collect();
    assert_eq!(partitions, [143, 11, 135, 3, 126, 250], "rows that are written are found again");
    let all: std::collections::BTreeSet<u32> =
        (0..10_000).map(|market| partition_of(MarketId(market))).collect();
    assert_eq!(all.len(), 256);
}
