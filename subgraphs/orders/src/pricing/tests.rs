//! Prices by example, and what holds of every price.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn seller(number: u128) -> SellerId {
    SellerId(Uuid::from_u128(number))
}

fn line(seller_number: u128, unit_minor: i64, quantity: i64) -> Line {
    let offer_id = OfferId(Uuid::from_u128(unit_minor as u128 * 1_000 + seller_number));
    Line { offer_id, seller_id: seller(seller_number), unit_minor, quantity, weight_grams: 400 }
}

fn basket(lines: Vec<Line>) -> Basket {
    Basket { currency: CurrencyCode::EUR, lines, country: "DE".into() }
}

fn rate(country: Option<&str>, base_minor: i64, per_kilogram_minor: i64) -> Rate {
    let country = country.map(str::to_owned);
    Rate { country, currency: CurrencyCode::EUR, base_minor, per_kilogram_minor, free_from_minor: None }
}

fn promotion(benefit: Benefit) -> Promotion {
    Promotion { id: PromotionId(Uuid::nil()), seller_id: None, benefit, minimum_minor: 0 }
}

/// Goods, discount, shipping, tax and total.
#[track_caller]
fn check(lines: Vec<Line>, rules: &Rules, expected: [i64; 5]) {
    let quote = quote(&basket(lines), rules).unwrap();
    let sums = [
        quote.goods_minor(),
        quote.discount_minor(),
        quote.shipping_minor(),
        quote.tax_minor(),
        quote.total_minor(),
    ];
    assert_eq!(sums, expected);
}

#[test]
fn without_rules_a_basket_costs_what_its_goods_cost() {
    check(vec![line(1, 1_250, 2), line(2, 99, 1)], &Rules::default(), [2_599, 0, 0, 0, 2_599]);
}

#[test]
fn tax_is_in_the_price_or_comes_on_top() {
    let inclusive = Rules { tax: Tax { rate_bps: 1_900, inclusive: true }, ..Rules::default() };
    check(vec![line(1, 11_900, 1)], &inclusive, [11_900, 0, 0, 1_900, 11_900]);
    let on_top = Rules { tax: Tax { rate_bps: 825, inclusive: false }, ..Rules::default() };
    check(vec![line(1, 1_000, 1), line(2, 1_000, 1)], &on_top, [2_000, 0, 0, 165, 2_165]);
}

#[test]
fn each_seller_ships_one_parcel_by_weight_and_country() {
    let rates = vec![rate(None, 900, 100), rate(Some("DE"), 300, 50)];
    let rules = Rules { shipping: [(seller(1), rates)].into(), ..Rules::default() };
    // 400 g x 3: two kilograms begun. The second seller has no rates.
    check(vec![line(1, 1_000, 3), line(2, 500, 1)], &rules, [3_500, 0, 400, 0, 3_900]);
    let abroad = Basket { country: "FR".into(), ..basket(vec![line(1, 1_000, 3)]) };
    assert_eq!(quote(&abroad, &rules).unwrap().shipping_minor(), 1_100);
}

#[test]
fn enough_goods_ship_for_nothing() {
    let free = Rate { free_from_minor: Some(3_000), ..rate(None, 500, 0) };
    let rules = Rules { shipping: [(seller(1), vec![free])].into(), ..Rules::default() };
    check(vec![line(1, 2_999, 1)], &rules, [2_999, 0, 500, 0, 3_499]);
    check(vec![line(1, 3_000, 1)], &rules, [3_000, 0, 0, 0, 3_000]);
}

#[test]
fn a_seller_who_does_not_ship_there_is_named() {
    let rules = Rules { shipping: [(seller(1), vec![rate(Some("FR"), 1, 0)])].into(), ..Rules::default() };
    let refused = quote(&basket(vec![line(1, 100, 1), line(2, 100, 1)]), &rules);
    assert_eq!(refused, Err(Unpriceable::CannotShip(vec![seller(1)])));
}

#[test]
fn promotions_apply_in_order_to_what_is_left() {
    let promotions = vec![promotion(Benefit::Percent(1_000)), promotion(Benefit::Amount(500))];
    let rules = Rules { promotions, ..Rules::default() };
    check(vec![line(1, 10_000, 1)], &rules, [10_000, 1_500, 0, 0, 8_500]);
    check(vec![line(1, 300, 1)], &rules, [300, 300, 0, 0, 0]);
}

#[test]
fn free_shipping_takes_shipping_off_and_nothing_else() {
    let shipping = [(seller(1), vec![rate(None, 450, 0)])].into();
    let rules = Rules { shipping, promotions: vec![promotion(Benefit::FreeShipping)], ..Rules::default() };
    check(vec![line(1, 1_000, 1)], &rules, [1_000, 450, 450, 0, 1_000]);
}

#[test]
fn a_sellers_promotion_is_for_their_goods_from_their_minimum_on() {
    let own =
        Promotion { seller_id: Some(seller(2)), minimum_minor: 1_000, ..promotion(Benefit::Percent(5_000)) };
    let rules = Rules { promotions: vec![own], ..Rules::default() };
    check(vec![line(1, 5_000, 1), line(2, 999, 1)], &rules, [5_999, 0, 0, 0, 5_999]);
    check(vec![line(1, 5_000, 1), line(2, 1_000, 1)], &rules, [6_000, 500, 0, 0, 5_500]);
}

#[test]
fn the_fee_is_of_goods_without_tax_and_without_shipping() {
    let rules = Rules {
        shipping: [(seller(1), vec![rate(None, 500, 0)])].into(),
        tax: Tax { rate_bps: 2_000, inclusive: true },
        fee_bps: 1_000,
        ..Rules::default()
    };
    let quote = quote(&basket(vec![line(1, 12_000, 1)]), &rules).unwrap();
    assert_eq!((quote.shares[0].fee_minor, quote.shares[0].tax_minor), (1_000, 2_083));
}

#[test]
fn an_amount_beyond_53_bits_is_refused() {
    for (unit, quantity) in [(i64::MAX, 2), (AMOUNT_MAX, 1), (AMOUNT_MAX / 4, 2)] {
        assert_eq!(
            quote(&basket(vec![line(1, unit, quantity)]), &Rules::default()),
            Err(Unpriceable::TooLarge)
        );
    }
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (0..5_000_i64, 0..1_000_i64, proptest::option::of(0..100_000_i64))
        .prop_map(|(base, per, free_from_minor)| Rate { free_from_minor, ..rate(None, base, per) })
}

fn any_promotion() -> impl Strategy<Value = Promotion> {
    let benefit = prop_oneof![
        (0..=10_000_i64).prop_map(Benefit::Percent),
        (0..1_000_000_i64).prop_map(Benefit::Amount),
        Just(Benefit::FreeShipping),
    ];
    (benefit, proptest::option::of(1..5_u128), 0..50_000_i64).prop_map(|(benefit, own, minimum_minor)| {
        Promotion { seller_id: own.map(seller), minimum_minor, ..promotion(benefit) }
    })
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let shipping = proptest::collection::btree_map(
        (1..5_u128).prop_map(seller),
        proptest::collection::vec(any_rate(), 0..2),
        0..4,
    );
    let tax = (0..=3_000_i64, any::<bool>()).prop_map(|(rate_bps, inclusive)| Tax { rate_bps, inclusive });
    (shipping, tax, proptest::collection::vec(any_promotion(), 0..4), 0..=3_000_i64)
        .prop_map(|(shipping, tax, promotions, fee_bps)| Rules { shipping, tax, promotions, fee_bps })
}

fn any_lines() -> impl Strategy<Value = Vec<Line>> {
    let any_line = (1..5_u128, 0..100_000_i64, 1..100_i64, 0..5_000_i64).prop_map(
        |(seller, unit, quantity, weight_grams)| Line { weight_grams, ..line(seller, unit, quantity) },
    );
    proptest::collection::vec(any_line, 1..12)
}

proptest! {
    #[test]
    fn the_parts_always_add_up_to_the_total(lines in any_lines(), rules in any_rules()) {
        let quote = quote(&basket(lines), &rules).unwrap();
        let on_top = if rules.tax.inclusive { 0 } else { quote.tax_minor() };
        let sum = quote.goods_minor() - quote.discount_minor() + quote.shipping_minor() + on_top;
        prop_assert_eq!(sum, quote.total_minor());
        let of_lines: i64 = quote.lines.iter().map(|line| line.total_minor).sum();
        let of_shipping: i64 = quote.shares.iter().map(|share| share.shipping_total_minor).sum();
        prop_assert_eq!(of_lines + of_shipping, quote.total_minor());
        let given: i64 = quote.discounts.iter().map(|(_, off)| off).sum();
        prop_assert_eq!(given, quote.discount_minor());
    }

    #[test]
    fn nobody_is_paid_less_than_nothing(lines in any_lines(), rules in any_rules()) {
        let quote = quote(&basket(lines), &rules).unwrap();
        for line in &quote.lines {
            prop_assert!(0 <= line.discount_minor && line.discount_minor <= line.goods_minor);
            prop_assert!(0 <= line.tax_minor && line.tax_minor <= line.total_minor);
        }
        for share in &quote.shares {
            prop_assert!(share.shipping_total_minor >= 0 && share.fee_minor >= 0);
            prop_assert!(share.fee_minor + share.tax_minor <= share.total_minor);
        }
    }

    #[test]
    fn a_division_loses_nothing_and_takes_no_more_than_there_is(
        weights in proptest::collection::vec(0..1_000_000_i64, 1..20), share in 0..=10_000_i64,
    ) {
        let sum: i64 = weights.iter().sum();
        let total = part_of(sum, share);
        let parts = allocate(total, &weights);
        prop_assert_eq!(parts.iter().sum::<i64>(), total);
        prop_assert!(parts.iter().zip(&weights).all(|(part, weight)| (0..=*weight).contains(part)));
    }
}
