//! What a seller pays: whole numbers, half up for each component, on the price of one piece.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use contract::CurrencyCode;

/// Fees as they hold from a day on. A new schedule is a new entry of [`SCHEDULES`]; what has matched keeps its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Kept with each match.
    pub id: &'static str,
    /// The first day, at 00:00 UTC.
    pub from: (i32, u32, u32),
    /// From the first level to the highest.
    pub levels: [Level; 5],
    /// In hundredths of a percent.
    pub processing_bps: i64,
    /// The least transaction fee, in whole units of the currency's hundred: 500 is 5.00.
    pub transaction_min_cents: i64,
    /// What a seller owes who does not ship, or whose goods are not what they should be; hundredths of a percent.
    pub penalty_bps: i64,
    pub penalty_min_cents: i64,
}

/// A seller's level: reached by either number of one quarter, held for that quarter and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// In hundredths of a percent.
    pub transaction_bps: i64,
    /// Pieces sold.
    pub sales: i64,
    /// Sold for so much, in whole units of the currency.
    pub turnover_units: i64,
}

const fn level(transaction_bps: i64, sales: i64, turnover_units: i64) -> Level {
    Level { transaction_bps, sales, turnover_units }
}

/// Every schedule, the oldest first.
pub const SCHEDULES: [Schedule; 1] = [Schedule {
    id: "2026-01",
    from: (1970, 1, 1),
    levels: [
        level(900, 0, 0),
        level(850, 12, 1_500),
        level(800, 40, 5_000),
        level(750, 200, 25_000),
        level(700, 800, 100_000),
    ],
    processing_bps: 300,
    transaction_min_cents: 500,
    penalty_bps: 1_500,
    penalty_min_cents: 1_500,
}];

/// What a seller has sold in a quarter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sold {
    pub pieces: i64,
    pub turnover_minor: i64,
}

/// What is taken off the price of one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    pub schedule: &'static str,
    /// 1 to 5.
    pub level: u8,
    pub transaction_minor: i64,
    pub processing_minor: i64,
    /// What the seller gets.
    pub payout_minor: i64,
}

/// The schedule that holds at a time.
pub fn schedule_at(now: DateTime<Utc>) -> &'static Schedule {
    let holds = |schedule: &&Schedule| schedule.begins().is_some_and(|from| from <= now.date_naive());
    SCHEDULES.iter().rev().find(holds).unwrap_or(&SCHEDULES[0])
}

impl Schedule {
    fn begins(&self) -> Option<NaiveDate> {
        let (year, month, day) = self.from;
        NaiveDate::from_ymd_opt(year, month, day)
    }

    /// The level that somebody has who sold so much in the quarter before and in this one.
    pub fn level(&self, before: Sold, now: Sold, currency: CurrencyCode) -> u8 {
        let unit = 10_i64.pow(currency.digits());
        let reached = |sold: Sold| {
            let has = |level: &Level| {
                sold.pieces >= level.sales || sold.turnover_minor >= level.turnover_units.saturating_mul(unit)
            };
            self.levels.iter().rposition(has).unwrap_or_default()
        };
        reached(before).max(reached(now)) as u8 + 1
    }

    /// The fees of one piece at `price_minor`. They are never more than the price.
    pub fn fees(&self, level: u8, price_minor: i64, currency: CurrencyCode) -> Fees {
        let bps = self.levels[usize::from(level.clamp(1, 5)) - 1].transaction_bps;
        let least = cents(self.transaction_min_cents, currency);
        let transaction_minor = share(price_minor, bps).max(least).min(price_minor);
        let processing_minor = share(price_minor, self.processing_bps).min(price_minor - transaction_minor);
        let payout_minor = price_minor - transaction_minor - processing_minor;
        // R22: what the buyer pays and the seller does not get is the fees, to the last cent.
        assert_eq!(price_minor - payout_minor, transaction_minor + processing_minor, "fees add up");
        Fees { schedule: self.id, level, transaction_minor, processing_minor, payout_minor }
    }

    /// What a seller owes for one piece at `price_minor` that never came, or was not what it should be.
    pub fn penalty(&self, price_minor: i64, currency: CurrencyCode) -> i64 {
        share(price_minor, self.penalty_bps).max(cents(self.penalty_min_cents, currency))
    }
}

/// So many hundredths of a percent of an amount, half up.
fn share(amount_minor: i64, bps: i64) -> i64 {
    ((i128::from(amount_minor) * i128::from(bps) + 5_000) / 10_000) as i64
}

/// Hundredths of a unit in minor units of a currency: yen have none, dinars thousandths.
fn cents(cents: i64, currency: CurrencyCode) -> i64 {
    cents * 10_i64.pow(currency.digits()) / 100
}

/// The first second of the quarter that a time is in, and of the one before.
pub fn quarters(now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let first = |year: i32, quarter: u32| {
        let date = NaiveDate::from_ymd_opt(year, quarter * 3 + 1, 1).unwrap_or_default();
        date.and_time(chrono::NaiveTime::MIN).and_utc()
    };
    let (year, quarter) = (now.year(), now.month0() / 3);
    let before = if quarter == 0 { first(year - 1, 3) } else { first(year, quarter - 1) };
    (first(year, quarter), before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-31T23:59:59Z".parse().unwrap()
    }

    #[test]
    fn each_component_is_rounded_half_up_and_has_a_minimum() {
        let schedule = schedule_at(now());
        for (level, price, transaction, processing, payout) in [
            (1, 20_000, 1_800, 600, 17_600),
            (2, 20_000, 1_700, 600, 17_700),
            (5, 20_000, 1_400, 600, 18_000),
            // 8.5 % of 100.50 is 8.5425, 3 % is 3.015.
            (2, 10_050, 854, 302, 8_894),
            // 9 % of 50.00 is 4.50: the minimum is 5.00.
            (1, 5_000, 500, 150, 4_350),
            (1, 500, 500, 0, 0),
            (1, 100, 100, 0, 0),
        ] {
            let fees = schedule.fees(level, price, CurrencyCode::USD);
            assert_eq!(
                (fees.transaction_minor, fees.processing_minor, fees.payout_minor),
                (transaction, processing, payout),
                "{price}"
            );
        }
    }

    #[test]
    fn a_currency_has_the_minimum_in_its_own_digits() {
        let schedule = schedule_at(now());
        let yen = schedule.fees(1, 10, "JPY".parse().unwrap());
        assert_eq!((yen.transaction_minor, yen.payout_minor), (5, 5));
        assert_eq!(schedule.fees(1, 10_000, "KWD".parse().unwrap()).transaction_minor, 5_000);
    }

    #[test]
    fn a_level_is_reached_by_pieces_or_by_turnover_and_held_for_the_next_quarter() {
        let schedule = schedule_at(now());
        let sold = |pieces, turnover_minor| Sold { pieces, turnover_minor };
        let nothing = Sold::default();
        for (before, now, level) in [
            (nothing, nothing, 1),
            (nothing, sold(11, 149_999), 1),
            (nothing, sold(12, 0), 2),
            (nothing, sold(1, 150_000), 2),
            (sold(40, 0), nothing, 3),
            (sold(40, 0), sold(200, 0), 4),
            (sold(0, 10_000_000), sold(12, 0), 5),
        ] {
            assert_eq!(schedule.level(before, now, CurrencyCode::USD), level, "{before:?} {now:?}");
        }
    }

    #[test]
    fn quarters_begin_in_january_april_july_and_october() {
        for (now, this, before) in [
            ("2026-01-01T00:00:00Z", "2026-01-01", "2025-10-01"),
            ("2026-03-31T23:59:59Z", "2026-01-01", "2025-10-01"),
            ("2026-12-31T23:59:59Z", "2026-10-01", "2026-07-01"),
        ] {
            let (first, earlier) = quarters(now.parse().unwrap());
            let shown = [first, earlier].map(|day| day.format("%Y-%m-%d").to_string());
            assert_eq!(shown, [this, before]);
        }
    }

    #[test]
    fn a_penalty_is_15_percent_and_at_least_15() {
        let schedule = schedule_at(now());
        assert_eq!(schedule.penalty(20_000, CurrencyCode::USD), 3_000);
        assert_eq!(schedule.penalty(5_000, CurrencyCode::USD), 1_500);
    }
}
