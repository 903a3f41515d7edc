//! What became of a paid order, and what can still become of it: follows from its parcels, refunds and returns. Pure.

use contract::SellerId;
use serde::{Deserialize, Serialize};

/// So many pieces of one line of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pieces {
    /// The line's number, from 1.
    pub line: i32,
    pub quantity: i64,
}

/// A line of an order: what was bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub number: i32,
    pub seller_id: SellerId,
    pub quantity: i64,
    pub total_minor: i64,
    pub tax_minor: i64,
}

/// A seller's part of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub seller_id: SellerId,
    pub total_minor: i64,
    pub tax_minor: i64,
    pub fee_minor: i64,
    pub shipping_total_minor: i64,
    /// The seller said that they will send it.
    pub confirmed: bool,
}

/// A parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    pub seller_id: SellerId,
    pub pieces: Vec<Pieces>,
    pub delivered: bool,
}

/// Money that goes back and is not known to have failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub seller_id: SellerId,
    /// For pieces that were never sent.
    pub unsent: bool,
    pub pieces: Vec<Pieces>,
    pub amount_minor: i64,
    pub tax_minor: i64,
    pub fee_minor: i64,
    pub shipping_minor: i64,
}

/// Everything that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub lines: Vec<Line>,
    pub shares: Vec<Share>,
    pub parcels: Vec<Parcel>,
    pub refunds: Vec<Refund>,
}

/// What of a seller's part goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Back {
    pub amount_minor: i64,
    pub tax_minor: i64,
    pub fee_minor: i64,
    /// Shipping in the amount.
    pub shipping_minor: i64,
}

/// How far a seller's part of a paid order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Unshipped,
    Confirmed,
    PartlyShipped,
    Shipped,
    Delivered,
    /// All of it was cancelled before it was sent.
    Cancelled,
}

impl Facts {
    pub fn line(&self, number: i32) -> Option<&Line> {
        self.lines.iter().find(|line| line.number == number)
    }

    pub fn sent(&self, number: i32) -> i64 {
        count(self.parcels.iter().flat_map(|parcel| &parcel.pieces), number)
    }

    fn delivered(&self, number: i32) -> i64 {
        let delivered = self.parcels.iter().filter(|parcel| parcel.delivered);
        count(delivered.flat_map(|parcel| &parcel.pieces), number)
    }

    fn refunded(&self, number: i32, unsent: bool) -> i64 {
        let refunds = self.refunds.iter().filter(|refund| refund.unsent == unsent);
        count(refunds.flat_map(|refund| &refund.pieces), number)
    }

    /// Pieces of a line that can be sent or cancelled.
    pub fn unsent(&self, number: i32) -> i64 {
        let quantity = self.line(number).map_or(0, |line| line.quantity);
        quantity - self.sent(number) - self.refunded(number, true)
    }

    /// Pieces of a line that were sent and not paid back.
    pub fn refundable(&self, number: i32) -> i64 {
        self.sent(number) - self.refunded(number, false)
    }

    /// Everything of a seller that can still be cancelled.
    pub fn all_unsent(&self, seller: SellerId) -> Vec<Pieces> {
        let own = self.lines.iter().filter(|line| line.seller_id == seller);
        own.map(|line| Pieces { line: line.number, quantity: self.unsent(line.number) })
            .filter(|pieces| pieces.quantity > 0)
            .collect()
    }

    /// What `pieces` of `seller` are worth going back: of each line in proportion, so that all pieces together, in however
    /// many refunds, are exactly what was paid. Shipping goes back when nothing of the seller's is ever sent.
    pub fn back(&self, seller: SellerId, unsent: bool, pieces: &[Pieces]) -> Back {
        let Some(share) = self.shares.iter().find(|share| share.seller_id == seller) else {
            return Back::default();
        };
        let mut back = Back::default();
        for pieces in pieces {
            let Some(line) = self.line(pieces.line) else { continue };
            let before = self.refunded(line.number, true) + self.refunded(line.number, false);
            let part = |whole: i64| {
                portion(whole, before + pieces.quantity, line.quantity)
                    - portion(whole, before, line.quantity)
            };
            back.amount_minor += part(line.total_minor);
            back.tax_minor += part(line.tax_minor);
        }
        if unsent && self.is_everything(seller, pieces) {
            let tax_of_lines: i64 =
                self.lines.iter().filter(|line| line.seller_id == seller).map(|line| line.tax_minor).sum();
            back.shipping_minor = share.shipping_total_minor;
            back.amount_minor += share.shipping_total_minor;
            back.tax_minor += share.tax_minor - tax_of_lines;
        }
        let own = || self.refunds.iter().filter(|refund| refund.seller_id == seller);
        let before: i64 = own().map(|refund| refund.amount_minor).sum();
        let goods = share.total_minor - share.shipping_total_minor;
        let goods_before = before - own().map(|refund| refund.shipping_minor).sum::<i64>();
        let goods_now = back.amount_minor - back.shipping_minor;
        back.fee_minor = portion(share.fee_minor, goods_before + goods_now, goods)
            - portion(share.fee_minor, goods_before, goods);
        back
    }

    /// Whether with `pieces` cancelled nothing of the seller's was or will be sent.
    fn is_everything(&self, seller: SellerId, pieces: &[Pieces]) -> bool {
        let mut own = self.lines.iter().filter(|line| line.seller_id == seller);
        own.all(|line| {
            self.sent(line.number) == 0 && self.unsent(line.number) == count(pieces.iter(), line.number)
        })
    }

    fn is_confirmed(&self, seller: SellerId) -> bool {
        self.shares.iter().any(|share| share.seller_id == seller && share.confirmed)
    }

    pub fn progress(&self, seller: SellerId) -> Progress {
        let own = || self.lines.iter().filter(|line| line.seller_id == seller);
        let (sent, unsent): (i64, i64) = (
            own().map(|line| self.sent(line.number)).sum(),
            own().map(|line| self.unsent(line.number)).sum(),
        );
        let delivered: i64 = own().map(|line| self.delivered(line.number)).sum();
        match (sent, unsent) {
            (0, 0) => Progress::Cancelled,
            (0, _) if self.is_confirmed(seller) => Progress::Confirmed,
            (0, _) => Progress::Unshipped,
            (_, 1..) => Progress::PartlyShipped,
            _ if delivered < sent => Progress::Shipped,
            _ => Progress::Delivered,
        }
    }
}

fn count<'p>(pieces: impl Iterator<Item = &'p Pieces>, number: i32) -> i64 {
    pieces.filter(|pieces| pieces.line == number).map(|pieces| pieces.quantity).sum()
}

/// `part` of `of` parts of a whole, rounded down.
fn portion(whole: i64, part: i64, of: i64) -> i64 {
    if of == 0 {
        return 0;
    }
    let portion = i128::from(whole) * i128::from(part) / i128::from(of);
    i64::try_from(portion).expect("a part of an amount is not larger than the amount")
}

#[cfg(test)]
mod tests;
