//! Partial, repeated, and never more than was paid.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const SELLER: SellerId = SellerId(Uuid::from_u128(1));

fn sold(lines: &[(i64, i64, i64)], shipping: i64, fee_minor: i64) -> Facts {
    let lines: Vec<Line> = (1..)
        .zip(lines)
        .map(|(number, (quantity, total_minor, tax_minor))| Line {
            number,
            seller_id: SELLER,
            quantity: *quantity,
            total_minor: *total_minor,
            tax_minor: *tax_minor,
        })
        .collect();
    let share = Share {
        seller_id: SELLER,
        total_minor: lines.iter().map(|line| line.total_minor).sum::<i64>() + shipping,
        tax_minor: lines.iter().map(|line| line.tax_minor).sum(),
        fee_minor,
        shipping_total_minor: shipping,
        confirmed: false,
    };
    Facts { lines, shares: vec![share], ..Facts::default() }
}

fn send(facts: &mut Facts, line: i32, quantity: i64, delivered: bool) {
    facts.parcels.push(Parcel { seller_id: SELLER, pieces: vec![Pieces { line, quantity }], delivered });
}

fn refund(facts: &mut Facts, unsent: bool, pieces: Vec<Pieces>) -> Back {
    let back = facts.back(SELLER, unsent, &pieces);
    facts.refunds.push(Refund {
        seller_id: SELLER,
        unsent,
        pieces,
        amount_minor: back.amount_minor,
        tax_minor: back.tax_minor,
        fee_minor: back.fee_minor,
        shipping_minor: back.shipping_minor,
    });
    back
}

#[test]
fn piece_by_piece_exactly_what_was_paid_goes_back() {
    let mut facts = sold(&[(3, 1_000, 160)], 500, 50);
    send(&mut facts, 1, 3, true);
    let one = || vec![Pieces { line: 1, quantity: 1 }];
    let parts: Vec<i64> = (0..3).map(|_| refund(&mut facts, false, one()).amount_minor).collect();
    assert_eq!(parts, [333, 333, 334]);
    assert_eq!(facts.refundable(1), 0);
}

#[test]
fn shipping_goes_back_only_when_nothing_was_sent() {
    let mut facts = sold(&[(2, 1_000, 0)], 500, 0);
    assert_eq!(facts.back(SELLER, true, &facts.all_unsent(SELLER)).amount_minor, 1_500);
    send(&mut facts, 1, 1, false);
    assert_eq!(facts.back(SELLER, true, &facts.all_unsent(SELLER)).amount_minor, 500);
}

#[test]
fn progress_follows_from_parcels_and_cancellations() {
    let mut facts = sold(&[(2, 1_000, 0)], 0, 0);
    assert_eq!(facts.progress(SELLER), Progress::Unshipped);
    facts.shares[0].confirmed = true;
    assert_eq!(facts.progress(SELLER), Progress::Confirmed);
    send(&mut facts, 1, 1, true);
    assert_eq!(facts.progress(SELLER), Progress::PartlyShipped);
    refund(&mut facts, true, vec![Pieces { line: 1, quantity: 1 }]);
    assert_eq!(facts.progress(SELLER), Progress::Delivered);
    let mut facts = sold(&[(2, 1_000, 0)], 0, 0);
    refund(&mut facts, true, vec![Pieces { line: 1, quantity: 2 }]);
    assert_eq!(facts.progress(SELLER), Progress::Cancelled);
}

proptest! {
    #[test]
    fn whatever_goes_back_in_whatever_order_never_exceeds_what_was_paid(
        lines in proptest::collection::vec((1..6_i64, 0..100_000_i64), 1..4),
        shipping in 0..5_000_i64,
        sends in proptest::collection::vec((1..4_i32, 1..6_i64), 0..6),
        backs in proptest::collection::vec((any::<bool>(), 1..4_i32, 1..6_i64), 0..12),
    ) {
        let lines: Vec<_> = lines.into_iter().map(|(quantity, total)| (quantity, total, total / 6)).collect();
        let mut facts = sold(&lines, shipping, lines.iter().map(|line| line.1).sum::<i64>() / 10);
        for (line, quantity) in sends {
            let quantity = quantity.min(facts.unsent(line));
            if quantity > 0 { send(&mut facts, line, quantity, true); }
        }
        for (unsent, line, quantity) in backs {
            let left = if unsent { facts.unsent(line) } else { facts.refundable(line) };
            let quantity = quantity.min(left);
            if quantity > 0 { refund(&mut facts, unsent, vec![Pieces { line, quantity }]); }
        }
        let share = facts.shares[0];
        let sum = |part: fn(&Refund) -> i64| facts.refunds.iter().map(part).sum::<i64>();
        prop_assert!(sum(|refund| refund.amount_minor) <= share.total_minor);
        prop_assert!(sum(|refund| refund.tax_minor) <= share.tax_minor);
        prop_assert!(sum(|refund| refund.fee_minor) <= share.fee_minor);
        for line in &facts.lines {
            prop_assert!(facts.unsent(line.number) >= 0 && facts.refundable(line.number) >= 0);
        }
    }
}
