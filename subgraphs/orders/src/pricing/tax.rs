//! Tax of the destination.

use super::{Part, WHOLE_BPS, allocate};

/// The destination's rate, and whether prices have it in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tax {
    /// In hundredths of a percent.
    pub rate_bps: i64,
    /// Prices have it in them; else it comes on top.
    pub inclusive: bool,
}

impl Tax {
    /// The tax of an amount, rounded half up.
    fn of(self, amount: i128) -> i64 {
        let rate = i128::from(self.rate_bps);
        let whole = i128::from(WHOLE_BPS) + if self.inclusive { rate } else { 0 };
        let tax = (2 * amount * rate + whole) / (2 * whole);
        i64::try_from(tax).expect("tax is at most the amount")
    }

    /// What the buyer pays for a part.
    pub(super) fn total(self, part: Part) -> i64 {
        part.net() + if self.inclusive { 0 } else { part.tax }
    }
}

/// Works tax out once, for everything, and gives each part its share.
pub(super) fn put_on<'p>(tax: Tax, parts: impl Iterator<Item = &'p mut Part>) {
    let parts: Vec<&mut Part> = parts.collect();
    let nets: Vec<i64> = parts.iter().map(|part| part.net()).collect();
    let whole = tax.of(nets.iter().map(|net| i128::from(*net)).sum());
    for (part, tax) in parts.into_iter().zip(allocate(whole, &nets)) {
        part.tax = tax;
    }
}
