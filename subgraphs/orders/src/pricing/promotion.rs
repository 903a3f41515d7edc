//! What promotions take off.

use std::collections::BTreeMap;

use contract::{PromotionId, SellerId};

use super::{Basket, Part, allocate, part_of};

/// A promotion that applies now: its dates, its limits and its code were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotion {
    pub id: PromotionId,
    /// Only this seller's goods; `None`: everybody's.
    pub seller_id: Option<SellerId>,
    pub benefit: Benefit,
    /// Goods it applies to must be worth so much, before any discount.
    pub minimum_minor: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benefit {
    /// Hundredths of a percent off goods.
    Percent(i64),
    /// So much off goods, at most what they cost.
    Amount(i64),
    FreeShipping,
}

/// Takes off what each promotion gives, in their order; which gave how much.
pub(super) fn take_off(
    promotions: &[Promotion],
    basket: &Basket,
    lines: &mut [Part],
    shipping: &mut BTreeMap<SellerId, Part>,
) -> Vec<(PromotionId, i64)> {
    let mut given = Vec::new();
    for promotion in promotions {
        let covers = |seller: SellerId| promotion.seller_id.is_none_or(|own| own == seller);
        let mut goods: Vec<&mut Part> = basket
            .lines
            .iter()
            .zip(&mut *lines)
            .filter(|(line, _)| covers(line.seller_id))
            .map(|(_, part)| part)
            .collect();
        if goods.is_empty() || goods.iter().map(|part| part.price).sum::<i64>() < promotion.minimum_minor {
            continue;
        }
        let left: i64 = goods.iter().map(|part| part.net()).sum();
        let off = match promotion.benefit {
            Benefit::Percent(bps) => spread(&mut goods, part_of(left, bps)),
            Benefit::Amount(amount) => spread(&mut goods, amount.min(left)),
            Benefit::FreeShipping => {
                let parcels = shipping.iter_mut().filter(|(seller, _)| covers(**seller));
                parcels
                    .map(|(_, part)| {
                        let net = part.net();
                        part.discount = part.price;
                        net
                    })
                    .sum()
            }
        };
        if off > 0 {
            given.push((promotion.id, off));
        }
    }
    given
}

/// Takes `off` from parts in proportion to what is left of them.
fn spread(parts: &mut [&mut Part], off: i64) -> i64 {
    let nets: Vec<i64> = parts.iter().map(|part| part.net()).collect();
    for (part, off) in parts.iter_mut().zip(allocate(off, &nets)) {
        part.discount += off;
    }
    off
}
