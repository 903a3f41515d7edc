//! What a line does to a shelf. The shelves of a chunk are read and locked once, decided on here, written once.

use entity::inventory::stock_level;

use super::line::Line;
use super::report::{LineAnswer, LineResult};
use crate::limits::ON_HAND_MAX;

/// An offer at the feed's location, as it is after the lines so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedShelf {
    /// Over all locations.
    pub level: stock_level::Model,
    /// Pieces at the feed's location.
    pub there: i64,
    /// The newest that the feed said: position and quantity.
    pub mark: Option<(i64, i64)>,
}

impl FeedShelf {
    /// The answer to a line, and how many pieces it puts on the shelf or takes off it.
    pub fn take(&mut self, number: i32, line: &Line) -> (LineAnswer, i64) {
        if let Some(result) = self.compare(line) {
            let newest = self.mark.filter(|_| result == LineResult::Stale).map(|(newest, _)| newest);
            return (LineAnswer { newest, ..self.answer(number, result) }, 0);
        }
        let wished = line.quantity - self.there;
        // Promised pieces stay. The rest goes, so that nothing is sold that the other side does not have.
        let delta = wished.max(-self.level.available);
        if self.level.on_hand + delta > ON_HAND_MAX {
            return (self.answer(number, LineResult::TooMuch), 0);
        }
        self.mark = Some((line.position, line.quantity));
        self.there += delta;
        self.level.on_hand += delta;
        self.level.available += delta;
        let result = match delta {
            _ if delta != wished => LineResult::Limited,
            0 => LineResult::Unchanged,
            _ => LineResult::Applied,
        };
        (self.answer(number, result), delta)
    }

    /// `None`: the line is news.
    fn compare(&self, line: &Line) -> Option<LineResult> {
        let (newest, said) = self.mark?;
        match line.position.cmp(&newest) {
            std::cmp::Ordering::Greater => None,
            std::cmp::Ordering::Equal if line.quantity == said => Some(LineResult::Unchanged),
            _ => Some(LineResult::Stale),
        }
    }

    fn answer(&self, number: i32, result: LineResult) -> LineAnswer {
        LineAnswer {
            offer_id: Some(self.level.offer_id),
            on_hand: Some(self.there),
            available: Some(self.level.available),
            reserved: Some(self.level.reserved),
            ..LineAnswer::new(number, result)
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::OfferId;

    use super::super::line::Named;
    use super::*;

    /// A shelf with `there` pieces at the feed's location, 10 elsewhere and `reserved` of both promised.
    fn shelf(there: i64, reserved: i64) -> FeedShelf {
        let (offer_id, on_hand) = (OfferId::new(), there + 10);
        let level =
            stock_level::Model { offer_id, on_hand, reserved, available: on_hand - reserved, version: 1 };
        FeedShelf { level, there, mark: None }
    }

    /// What each `(quantity, position)` comes to: the result, the pieces there and those available.
    fn check(mut shelf: FeedShelf, lines: &[(i64, i64)], expected: &[(LineResult, i64, i64)]) {
        let came = lines.iter().map(|(quantity, position)| {
            let line = Line { named: Named::Sku("A".into()), quantity: *quantity, position: *position };
            let before = shelf.there;
            let (answer, delta) = shelf.take(1, &line);
            assert_eq!(shelf.there - before, delta);
            assert_eq!(shelf.level.on_hand - shelf.level.reserved, shelf.level.available);
            assert!(shelf.level.available >= 0 && shelf.there >= 0);
            (answer.result, shelf.there, shelf.level.available)
        });
        assert_eq!(came.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_newest_line_counts() {
        use LineResult::*;
        check(
            shelf(5, 0),
            &[(7, 10), (7, 10), (8, 10), (9, 9), (7, 11), (0, 12)],
            &[
                (Applied, 7, 17),
                (Unchanged, 7, 17),
                (Stale, 7, 17),
                (Stale, 7, 17),
                (Unchanged, 7, 17),
                (Applied, 0, 10),
            ],
        );
    }

    #[test]
    fn promised_pieces_stay_and_nothing_else() {
        use LineResult::*;
        check(
            shelf(5, 12),
            &[(4, 1), (1, 2), (0, 3), (5, 4)],
            &[(Applied, 4, 2), (Limited, 2, 0), (Limited, 2, 0), (Applied, 5, 3)],
        );
    }

    #[test]
    fn an_offer_has_an_end() {
        check(
            shelf(ON_HAND_MAX - 10, 0),
            &[(ON_HAND_MAX - 9, 1)],
            &[(LineResult::TooMuch, ON_HAND_MAX - 10, ON_HAND_MAX)],
        );
    }
}
