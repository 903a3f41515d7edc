//! Candles and numbers of a market as its rows give them.

use bidding::candle::read::{self, Wanted};
use bidding::candle::stats::{Stats, stats};
use bidding::candle::{Candle, Interval, Sale, fill, of_sales};
use bidding::engine::{Follower, Journal, Projection};
use chassis::{Clock, Database};
use chrono::{DateTime, TimeDelta, Utc};
use matching::*;
use uuid::Uuid;

use super::play::{
    MARKET, PARTITION, Running, action, assert_projected, clock, journal, on_both, open_market, replay_all,
};

fn market() -> Uuid {
    Uuid::from_u128(MARKET.0)
}

/// Lets one follower come to the end.
async fn project(db: &Database) {
    let mut follower = Follower::new(journal(db), Projection::new(db.clone(), PARTITION));
    while follower.turn().await.unwrap() {}
}

/// The market's matches, from its journal.
pub async fn sales(journal: &impl Journal) -> Vec<Sale> {
    let (_, rows) = replay_all(journal).await;
    let sale = |event: &Event| match event {
        Event::Book(BookEvent { market: MARKET, seq, ts, change: Change::Matched(matched) }) => Some(Sale {
            seq: *seq as i64,
            at: DateTime::from_timestamp_micros(*ts).unwrap(),
            price_minor: matched.price,
            quantity: matched.quantity.into(),
        }),
        _ => None,
    };
    rows.iter().flat_map(|(_, events)| events).filter_map(sale).collect()
}

/// One match of `quantity` at `price`.
async fn sell(running: &Running, price: Price, quantity: Quantity) {
    for (account, side) in [(1, Side::Ask), (2, Side::Bid)] {
        let place = Place::resting(AccountId(account), MARKET, side, price, quantity);
        running.send(Action::Place(place)).await;
    }
}

async fn sell_at(running: &Running, clock: &Clock, at: DateTime<Utc>, price: Price, quantity: Quantity) {
    clock.advance(at - clock.now());
    sell(running, price, quantity).await;
}

async fn chart(
    db: &Database,
    interval: Interval,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    is_filled: bool,
) -> Vec<Candle> {
    let wanted = Wanted { interval, from, to, is_filled };
    read::candles(db, market(), wanted).await.unwrap()
}

on_both! {
    async fn candles_are_those_of_the_matches_in_the_journal(db: Database) {
        let clock = clock();
        let running = Running::start(journal(&db), clock.clone());
        running.send(open_market()).await;
        let begin = clock.now();
        for number in 0..400 {
            running.send(action(number)).await;
            // Most follow within a minute, some after days.
            clock.advance(TimeDelta::seconds(if number % 40 == 0 { 200_000 } else { 11 }));
            if number % 30 == 0 {
                project(&db).await;
            }
        }
        let end = clock.now();
        running.stop().await;
        assert_projected(&db).await;
        let sold = sales(&journal(&db)).await;
        assert!(sold.len() > 60, "{} matches", sold.len());
        for interval in Interval::ALL {
            let expected = of_sales(interval, &sold);
            assert_eq!(chart(&db, interval, begin, end, false).await, expected, "{interval:?}");
            assert_eq!(read::latest(&db, market(), interval).await.unwrap(), expected.last().copied());
            // The second half, with what was before it.
            let from = expected[expected.len() / 2].start;
            let to = interval.end(interval.end(expected.last().unwrap().start));
            if !(Wanted { interval, from, to, is_filled: true }).is_too_long() {
                let (before, within) = expected.iter().partition::<Vec<Candle>, _>(|candle| candle.start < from);
                let filled = fill(interval, from, to, before.last().copied(), within);
                assert_eq!(chart(&db, interval, from, to, true).await, filled, "{interval:?}, filled");
            }
        }
        assert_eq!(chart(&db, Interval::Minute, end, begin, false).await, []);
    }

    async fn numbers_are_exact_to_the_second(db: Database) {
        let clock = clock();
        let running = Running::start(journal(&db), clock.clone());
        running.send(open_market()).await;
        assert_eq!(stats(&db, market(), clock.now()).await.unwrap(), Stats::default());
        let begin = clock.now();
        let now = begin + TimeDelta::days(365);
        for (at, price, quantity) in [
            // 365 days ago: out, and a second later: in.
            (begin, 90_000, 1),
            (begin + TimeDelta::seconds(1), 10_000, 1),
            (begin + TimeDelta::days(100), 50_000, 1),
            (now - TimeDelta::days(90), 48_000, 1),
            (now - TimeDelta::days(89), 20_000, 1),
            (now - TimeDelta::hours(72), 21_000, 1),
            (now - TimeDelta::hours(71), 19_000, 2),
            (now - TimeDelta::hours(24), 22_000, 1),
            (now - TimeDelta::hours(1), 23_100, 1),
        ] {
            sell_at(&running, &clock, at, price, quantity).await;
        }
        running.stop().await;
        project(&db).await;
        let found = stats(&db, market(), now).await.unwrap();
        let last = found.last_sale.unwrap();
        assert_eq!((last.price_minor, last.at), (23_100, now - TimeDelta::hours(1)));
        assert_eq!((found.high_52w, found.low_52w), (Some(50_000), Some(10_000)));
        assert_eq!(found.sales_72h, 3);
        // (20,000 + 21,000 + 2 * 19,000 + 22,000 + 23,100) / 6.
        assert_eq!(found.mean_90d, Some(20_683));
        assert_eq!(found.change_24h, Some(1_100));
        assert!((found.volatility.unwrap() - 0.101_782_464_563_526_56).abs() < 1e-12, "{found:?}");

        let later = stats(&db, market(), now + TimeDelta::seconds(1)).await.unwrap();
        assert_eq!(later.low_52w, Some(19_000), "the year moved on by a second");
        let much_later = stats(&db, market(), now + TimeDelta::days(90)).await.unwrap();
        assert_eq!((much_later.sales_72h, much_later.mean_90d, much_later.volatility), (0, None, None));
        assert_eq!(much_later.change_24h, Some(0), "the last sale is the one of a day ago as well");
    }
}
