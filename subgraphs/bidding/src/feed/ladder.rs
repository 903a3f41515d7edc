//! The best prices of a market, as a client keeps them.

use std::cmp::Ordering;
use std::fmt::Write;

use matching::Price;

use crate::crc32::Crc32;
use crate::engine::Picture;

/// Levels of each side that a checksum is about.
const CHECKED: usize = 10;

/// Pieces at a price. As a change: 0 removes the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub price: Price,
    pub quantity: u64,
}

/// Levels of both sides, the best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

impl Ladder {
    /// The best `levels` of each side.
    pub fn of(picture: &Picture, levels: usize) -> Self {
        let level = |(price, quantity): (&Price, &u64)| Level { price: *price, quantity: *quantity };
        Self {
            bids: picture.bids.iter().rev().take(levels).map(level).collect(),
            asks: picture.asks.iter().take(levels).map(level).collect(),
        }
    }

    /// What turns this ladder into `later`: new quantities, and 0 for prices that are not in it any more.
    pub fn changes(&self, later: &Self) -> Self {
        Self {
            bids: changes(&self.bids, &later.bids, |price| -price),
            asks: changes(&self.asks, &later.asks, |price| price),
        }
    }

    /// CRC32 of the ten best bids and then the ten best asks, the best first, as the text `price:quantity` with a comma
    /// between levels and a `|` between the sides.
    pub fn checksum(&self) -> u32 {
        let mut crc = Crc32::default();
        crc.add(text(&self.bids).as_bytes());
        crc.add(b"|");
        crc.add(text(&self.asks).as_bytes());
        crc.finish()
    }
}

/// Walks both lists at once; `rank` rises from the best to the worst.
fn changes(before: &[Level], after: &[Level], rank: impl Fn(Price) -> Price) -> Vec<Level> {
    let (mut before, mut after) = (before, after);
    let mut changes = Vec::new();
    loop {
        let order = match (before, after) {
            ([], []) => return changes,
            ([_, ..], []) => Ordering::Less,
            ([], [_, ..]) => Ordering::Greater,
            ([was, ..], [is, ..]) => rank(was.price).cmp(&rank(is.price)),
        };
        if order.is_lt() {
            changes.push(Level { quantity: 0, ..before[0] });
        } else if order.is_gt() || before[0] != after[0] {
            changes.push(after[0]);
        }
        before = if order.is_le() { &before[1..] } else { before };
        after = if order.is_ge() { &after[1..] } else { after };
    }
}

fn text(levels: &[Level]) -> String {
    let mut text = String::new();
    for (place, Level { price, quantity }) in levels.iter().take(CHECKED).enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(text, "{comma}{price}:{quantity}").expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> Vec<Level> {
        let level = |level: &str| {
            let (price, quantity) = level.split_once(':').unwrap();
            Level { price: price.parse().unwrap(), quantity: quantity.parse().unwrap() }
        };
        text.split_whitespace().map(level).collect()
    }

    fn check(before: &str, after: &str, expected: &str) {
        let asks = |text| Ladder { bids: Vec::new(), asks: levels(text) };
        assert_eq!(asks(before).changes(&asks(after)).asks, levels(expected));
        let bids = |text: &str| {
            let mut bids = levels(text);
            bids.reverse();
            Ladder { bids, asks: Vec::new() }
        };
        let mut found = bids(before).changes(&bids(after)).bids;
        found.reverse();
        assert_eq!(found, levels(expected), "bids");
    }

    #[test]
    fn changes_are_what_is_new_other_or_gone() {
        check("", "", "");
        check("", "100:1", "100:1");
        check("100:1", "", "100:0");
        check("100:1 200:2", "100:1 200:2", "");
        check("100:1 200:2", "100:3 200:2", "100:3");
        check("100:1 300:3", "200:2 300:4", "100:0 200:2 300:4");
        check("100:1", "200:2", "100:0 200:2");
    }

    #[test]
    fn a_checksum_is_that_of_the_ten_best_levels() {
        let ladder = Ladder { bids: levels("200:1 100:5"), asks: levels("300:2") };
        // From Python: hex(zlib.crc32(b"200:1,100:5|300:2")).
        assert_eq!(ladder.checksum(), 0x4584_9c61);
        let deep: Vec<Level> = (1..=12).map(|price| Level { price, quantity: 1 }).collect();
        let other = Ladder { asks: deep[..11].to_vec(), ..Ladder::default() };
        assert_eq!(Ladder { asks: deep, ..Ladder::default() }.checksum(), other.checksum());
        assert_eq!(Ladder::default().checksum(), 0x8bb1_d29a);
    }
}
