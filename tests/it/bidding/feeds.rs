//! A market's feed beside a writer: what a client hears, and what it hears after an end.

use std::sync::Arc;
use std::time::Duration;

use bidding::candle::{Candle, Interval, of_sales};
use bidding::engine::{Follower, Journal, Projection};
use bidding::feed::{Ladder, Level, Snapshot, Terms, Update, follow, live_candle, tickers};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use matching::*;
use sea_orm::EntityTrait;

use super::charts::sales;
use super::faults::Memory;
use super::play::{MARKET, PARTITION, Running, action, clock, journal, on_both, open_market};

const PATIENCE: Duration = Duration::from_secs(20);

fn terms(after: Option<u64>) -> Terms {
    Terms { levels: 10, interval_min: Duration::ZERO, after }
}

async fn watch<J: Journal>(running: &Running, journal: &J, terms: Terms) -> BoxStream<'static, Update> {
    let feed = follow(running.handle.clone(), journal, MARKET, terms, Arc::default()).await.unwrap();
    feed.expect("the market is here").boxed()
}

async fn next<T>(feed: &mut BoxStream<'static, T>) -> T {
    tokio::time::timeout(PATIENCE, feed.next()).await.expect("something comes").expect("it is no end")
}

async fn started<J: Journal>(running: &Running, journal: &J) -> (BoxStream<'static, Update>, Snapshot) {
    let mut feed = watch(running, journal, terms(None)).await;
    let Update::Snapshot(snapshot) = next(&mut feed).await else { panic!("a snapshot comes first") };
    (feed, snapshot)
}

async fn rest(running: &Running, side: Side, price: Price, quantity: Quantity) {
    running.send(Action::Place(Place::resting(AccountId(7), MARKET, side, price, quantity))).await;
}

/// The ladder and the sequence that a feed comes to when it has told everything up to `seq`.
async fn heard(feed: &mut BoxStream<'static, Update>, mut ladder: Ladder, seq: u64) -> Ladder {
    loop {
        match next(feed).await {
            Update::Delta(delta) => {
                ladder = applied(ladder, &delta.changes);
                assert_eq!(ladder.checksum(), delta.checksum);
                if delta.seq == seq {
                    return ladder;
                }
            }
            Update::Heartbeat { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn applied(ladder: Ladder, changes: &Ladder) -> Ladder {
    let side = |levels: Vec<Level>, changes: &[Level], is_bid: bool| {
        let is_kept = |level: &Level| changes.iter().all(|change| change.price != level.price);
        let mut levels: Vec<Level> = levels.into_iter().filter(is_kept).collect();
        levels.extend(changes.iter().filter(|change| change.quantity > 0));
        levels.sort_unstable_by_key(|level| if is_bid { -level.price } else { level.price });
        levels
    };
    Ladder { bids: side(ladder.bids, &changes.bids, true), asks: side(ladder.asks, &changes.asks, false) }
}

fn shown(running: &Running) -> (u64, Ladder) {
    let picture = running.handle.view().market(MARKET).unwrap();
    (picture.seq, Ladder::of(&picture, 10))
}

on_both! {
    async fn a_client_resumes_after_a_restart_and_after_an_owners_change(db: Database) {
        let journal = journal(&db);
        let running = Running::start(journal.clone(), clock());
        running.send(open_market()).await;
        for number in 0..100 {
            running.send(action(number)).await;
        }
        let (feed, snapshot) = started(&running, &journal).await;
        drop(feed);
        for number in 100..120 {
            running.send(action(number)).await;
        }
        // A snapshot that has all of it: the next writer replays nothing.
        let mut follower = Follower::new(journal.clone(), Projection::new(db.clone(), PARTITION)).with_snapshots_every(110);
        while follower.turn().await.unwrap() {}
        running.stop().await;
        assert!(entity::bidding::snapshot::Entity::find().one(db.read()).await.unwrap().is_some());

        let running = Running::start(journal.clone(), clock());
        running.send(action(120)).await;
        let (seq, ladder) = shown(&running);
        let mut feed = watch(&running, &journal, terms(Some(snapshot.seq))).await;
        let reached = heard(&mut feed, Ladder::clone(&snapshot.ladder), seq).await;
        assert_eq!(reached, ladder);

        // Another owner takes the partition: who watched here hears the end, and goes on there.
        let other = Running::start(journal.clone(), clock());
        rest(&other, Side::Ask, 11_000, 1).await;
        let refused = running.handle.send(action(122)).await;
        assert!(refused.is_err(), "{refused:?}");
        running.ended().await;
        assert_eq!(tokio::time::timeout(PATIENCE, feed.next()).await.unwrap(), None);
        let mut feed = watch(&other, &journal, terms(Some(seq))).await;
        let (seq, ladder) = shown(&other);
        assert_eq!(heard(&mut feed, reached, seq).await, ladder);
        other.stop().await;
    }

    async fn a_candle_burns_with_every_match(db: Database) {
        let clock = clock();
        let journal = journal(&db);
        let running = Running::start(journal.clone(), clock.clone());
        running.send(open_market()).await;
        for number in 0..50 {
            running.send(action(number)).await;
        }
        let projection = Projection::new(db.clone(), PARTITION);
        let handle = running.handle.clone();
        let (feed, ()) = tokio::join!(live_candle(&projection, handle, MARKET, Interval::FiveMinutes), async {
            // Rows that are late are waited for.
            tokio::time::sleep(Duration::from_millis(80)).await;
            let mut follower = Follower::new(journal.clone(), projection.clone());
            while follower.turn().await.unwrap() {}
        });
        let mut feed = feed.unwrap().unwrap().boxed();
        let mut heard: Vec<Candle> = vec![next(&mut feed).await];
        for number in 50..120 {
            running.send(action(number)).await;
            clock.advance(chrono::TimeDelta::seconds(10));
        }
        let expected = of_sales(Interval::FiveMinutes, &sales(&journal).await);
        while heard.last() != expected.last() {
            heard.push(next(&mut feed).await);
        }
        running.stop().await;
        let last_of_each = |start| heard.iter().rfind(|candle| candle.start == start).copied();
        let ended: Vec<Candle> = expected.iter().filter_map(|candle| last_of_each(candle.start)).collect();
        assert!(expected.len() >= 3, "{expected:?}");
        assert_eq!(ended, expected, "each candle comes whole");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_hears_the_market_each_change_and_that_nothing_happens() {
    let journal = Memory::default();
    let running = Running::start(journal.clone(), clock());
    running.send(open_market()).await;
    rest(&running, Side::Ask, 20_000, 2).await;
    let (mut feed, snapshot) = started(&running, &journal).await;
    assert_eq!(snapshot.ladder.asks, [Level { price: 20_000, quantity: 2 }]);
    assert_eq!((snapshot.seq, snapshot.rules.tick), (3, 100));

    let bid = Place::resting(AccountId(8), MARKET, Side::Bid, 20_000, 3);
    running.send(Action::Place(bid)).await;
    let Update::Delta(delta) = next(&mut feed).await else { panic!("a delta comes") };
    assert_eq!((delta.prev_seq, delta.first_seq, delta.seq), (3, 4, 6));
    assert_eq!(delta.changes.asks, [Level { price: 20_000, quantity: 0 }]);
    assert_eq!(delta.changes.bids, [Level { price: 20_000, quantity: 1 }]);
    let [(4..=6, trade)] = delta.trades[..] else { panic!("{delta:?}") };
    assert_eq!((trade.price, trade.quantity, trade.maker_side), (20_000, 2, Side::Ask));

    assert!(next(&mut feed).now_or_never().is_none(), "nothing happened");
    assert_eq!(next(&mut feed).await, Update::Heartbeat { seq: 6 });
    running.stop().await;
    assert_eq!(tokio::time::timeout(PATIENCE, feed.next()).await.unwrap(), None, "the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_wants_few_messages_gets_few() {
    let journal = Memory::default();
    let running = Running::start(journal.clone(), clock());
    running.send(open_market()).await;
    let rarely = Terms { interval_min: Duration::from_millis(400), ..terms(None) };
    let mut feed = watch(&running, &journal, rarely).await;
    let Update::Snapshot(snapshot) = next(&mut feed).await else { panic!("a snapshot comes first") };
    for number in 0..60 {
        running.send(action(number)).await;
    }
    let (seq, ladder) = shown(&running);
    let mut heard = 0;
    let mut built = Ladder::clone(&snapshot.ladder);
    loop {
        let Update::Delta(delta) = next(&mut feed).await else { panic!("a delta comes") };
        heard += 1;
        built = applied(built, &delta.changes);
        if delta.seq == seq {
            break;
        }
    }
    assert_eq!(built, ladder);
    assert!(heard <= 5, "{heard} messages for 60 orders");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickers_come_when_they_change() {
    let running = Running::start(Memory::default(), clock());
    running.send(open_market()).await;
    let other = MarketId(0xB22);
    let rules = MarketRules { tick: 100, price_min: 100, price_max: 1_000_000 };
    running.send(Action::SetMarket { market: other, rules }).await;
    let handle = running.handle.clone();
    let markets = vec![(MARKET, handle.clone()), (other, handle.clone()), (MarketId(9), handle)];
    let mut feed = tickers(markets).boxed();
    let first = [next(&mut feed).await, next(&mut feed).await];
    assert_eq!(first.map(|ticker| (ticker.market, ticker.lowest_ask)), [(MARKET, None), (other, None)]);

    rest(&running, Side::Ask, 20_000, 1).await;
    let ticker = next(&mut feed).await;
    assert_eq!((ticker.lowest_ask, ticker.highest_bid, ticker.last_sale), (Some(20_000), None, None));
    // Behind the best price: no news. Then a match.
    rest(&running, Side::Ask, 21_000, 1).await;
    let bid = Place::immediate(AccountId(8), MARKET, Side::Bid, 20_000, 1);
    running.send(Action::Place(bid)).await;
    let ticker = next(&mut feed).await;
    assert_eq!((ticker.lowest_ask, ticker.last_sale.map(|sale| sale.0)), (Some(21_000), Some(20_000)));
    running.stop().await;
    assert_eq!(tokio::time::timeout(PATIENCE, feed.next()).await.unwrap(), None, "the end");
}
