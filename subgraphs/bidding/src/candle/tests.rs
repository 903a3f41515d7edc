use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    format!("{}Z", text.replacen(' ', "T", 1)).parse().unwrap()
}

/// A line for each sale: time, price, pieces.
fn sales(text: &str) -> Vec<Sale> {
    let sale = |(seq, line): (usize, &str)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [day, time, price, quantity] = words[..] else { panic!("{line}") };
        Sale {
            seq: seq as i64 + 1,
            at: at(&format!("{day} {time}")),
            price_minor: price.parse().unwrap(),
            quantity: quantity.parse().unwrap(),
        }
    };
    text.trim().lines().enumerate().map(sale).collect()
}

/// A line for each candle: start, open, high, low, close, volume, turnover, trades.
fn show(candles: &[Candle]) -> String {
    let line = |candle: &Candle| {
        let Candle { open, high, low, close, volume, turnover, trades, .. } = candle;
        let start = candle.start.format("%F %R");
        format!("{start} {open} {high} {low} {close} {volume} {turnover} {trades}")
    };
    candles.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn check(interval: Interval, sold: &str, expected: &str) {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    let sold = sales(sold);
    assert_eq!(show(&of_sales(interval, &sold)), expected.join("\n"), "{interval:?}");
    let kept = of_sales(interval.span().into(), &sold);
    assert_eq!(show(&merge(interval, kept)), expected.join("\n"), "{interval:?}, merged");
}

/// A Thursday, a leap day, and the days around.
const SOLD: &str = "
    2024-02-29 09:59:59.999999 20000 1
    2024-02-29 10:00:00        21000 2
    2024-02-29 10:00:59        19000 1
    2024-02-29 10:04:59.999999 20500 1
    2024-02-29 10:05:00        20100 3
    2024-02-29 23:59:59        25000 1
    2024-03-01 00:00:00        24000 1
    2024-03-03 23:59:59        23000 1
    2024-03-04 00:00:00        26000 2";

#[test]
fn a_minute_has_its_first_moment_and_not_its_end() {
    check(
        Interval::Minute,
        SOLD,
        "2024-02-29 09:59 20000 20000 20000 20000 1 20000 1
         2024-02-29 10:00 21000 21000 19000 19000 3 61000 2
         2024-02-29 10:04 20500 20500 20500 20500 1 20500 1
         2024-02-29 10:05 20100 20100 20100 20100 3 60300 1
         2024-02-29 23:59 25000 25000 25000 25000 1 25000 1
         2024-03-01 00:00 24000 24000 24000 24000 1 24000 1
         2024-03-03 23:59 23000 23000 23000 23000 1 23000 1
         2024-03-04 00:00 26000 26000 26000 26000 2 52000 1",
    );
}

#[test]
fn minutes_and_hours_are_merged() {
    check(
        Interval::FiveMinutes,
        SOLD,
        "2024-02-29 09:55 20000 20000 20000 20000 1 20000 1
         2024-02-29 10:00 21000 21000 19000 20500 4 81500 3
         2024-02-29 10:05 20100 20100 20100 20100 3 60300 1
         2024-02-29 23:55 25000 25000 25000 25000 1 25000 1
         2024-03-01 00:00 24000 24000 24000 24000 1 24000 1
         2024-03-03 23:55 23000 23000 23000 23000 1 23000 1
         2024-03-04 00:00 26000 26000 26000 26000 2 52000 1",
    );
    check(
        Interval::FourHours,
        SOLD,
        "2024-02-29 08:00 20000 21000 19000 20100 8 161800 5
         2024-02-29 20:00 25000 25000 25000 25000 1 25000 1
         2024-03-01 00:00 24000 24000 24000 24000 1 24000 1
         2024-03-03 20:00 23000 23000 23000 23000 1 23000 1
         2024-03-04 00:00 26000 26000 26000 26000 2 52000 1",
    );
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    check(
        Interval::Week,
        SOLD,
        "2024-02-26 00:00 20000 25000 19000 23000 11 233800 8
         2024-03-04 00:00 26000 26000 26000 26000 2 52000 1",
    );
    check(
        Interval::Month,
        SOLD,
        "2024-02-01 00:00 20000 25000 19000 25000 9 186800 6
         2024-03-01 00:00 24000 26000 23000 26000 4 99000 3",
    );
}

#[test]
fn no_sale_no_candle() {
    check(Interval::Day, "2024-02-29 10:00:00 100 1", "2024-02-29 00:00 100 100 100 100 1 100 1");
    assert_eq!(of_sales(Interval::Day, &[]), []);
}

#[test]
fn sales_of_one_moment_are_in_the_order_of_their_sequence() {
    check(
        Interval::Hour,
        "2024-02-29 10:00:00 300 1
         2024-02-29 10:00:00 100 1
         2024-02-29 10:00:00 200 1",
        "2024-02-29 10:00 300 300 100 200 3 600 3",
    );
}

#[test]
fn empty_intervals_show_the_close_before_them() {
    let fill = |from, to, sold: &str| {
        let candles = of_sales(Interval::Day, &sales(sold));
        let (before, within) = candles.into_iter().partition::<Vec<_>, _>(|candle| candle.start < at(from));
        show(&fill(Interval::Day, at(from), at(to), before.last().copied(), within))
    };
    let sold = "2024-02-27 10:00:00 100 1\n2024-02-29 10:00:00 300 2";
    assert_eq!(
        fill("2024-02-26 00:00:00", "2024-03-02 00:00:00", sold),
        "2024-02-27 00:00 100 100 100 100 1 100 1\n\
         2024-02-28 00:00 100 100 100 100 0 0 0\n\
         2024-02-29 00:00 300 300 300 300 2 600 1\n\
         2024-03-01 00:00 300 300 300 300 0 0 0"
    );
    assert_eq!(
        fill("2024-02-28 07:00:00", "2024-02-28 08:00:00", sold),
        "2024-02-28 00:00 100 100 100 100 0 0 0",
        "the close of before"
    );
    assert_eq!(fill("2024-02-28 00:00:00", "2024-02-28 00:00:00", sold), "");
}

#[test]
fn sums_that_are_too_large_stay_at_the_largest() {
    let sold =
        format!("2024-02-29 10:00:00 {0} 1\n2024-02-29 10:00:00 {0} 4000000000", i64::MAX / 4_000_000_000);
    let candle = of_sales(Interval::Month, &sales(&sold))[0];
    assert_eq!((candle.volume, candle.turnover), (4_000_000_001, i64::MAX));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// I11, and that an interval begins and ends around what is in it.
    #[test]
    fn merged_candles_are_those_of_the_sales(
        steps in prop::collection::vec((0..200_000_000_000_i64, 1..50_i64, 1..4_i64), 0..120),
        from in 0..2_000_000_000_i64,
    ) {
        let mut micros = from * 1_000_000;
        let sold: Vec<Sale> = (1..).zip(&steps).map(|(seq, (pause, price, quantity))| {
            // Most follow within minutes, some after days.
            micros += pause / if pause % 7 == 0 { 1 } else { 1_000 };
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            Sale { seq, at, price_minor: 100 * price, quantity: *quantity }
        }).collect();
        for interval in Interval::ALL {
            let candles = of_sales(interval, &sold);
            prop_assert_eq!(&merge(interval, of_sales(Interval::Minute, &sold)), &candles);
            prop_assert_eq!(&merge(interval, of_sales(interval.span().into(), &sold)), &candles);
            for sale in &sold {
                let start = interval.start(sale.at);
                prop_assert!(start <= sale.at && sale.at < interval.end(start));
                prop_assert_eq!(interval.start(interval.end(start)), interval.end(start));
            }
            prop_assert_eq!(candles.iter().map(|candle| candle.trades).sum::<i64>(), sold.len() as i64);
        }
    }
}
