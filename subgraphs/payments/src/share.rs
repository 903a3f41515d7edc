//! What is taken out of sellers' shares by refunds and disputes.
//!
//! While a share is held, a claim keeps its money back in the ledger until it is taken or dropped. After the share was
//! released, a claim takes it from where it went: the seller owes their part, fee and tax come back.

use chassis::Failure;
use contract::{PayoutId, SellerId, TransferId};
use entity::payments::payment_share;
use entity::payments::share_claim::{self, State};
use uuid::Uuid;

use crate::file::{File, Pen};
use crate::ledger::{Account, Entry, Posting, Reason};

/// A part of one seller's share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub amount_minor: i64,
    pub tax_minor: i64,
    pub fee_minor: i64,
}

impl Part {
    /// What the seller has of it.
    pub fn net_minor(self) -> i64 {
        self.amount_minor - self.tax_minor - self.fee_minor
    }

    /// Whether it is an amount with tax and fee in it.
    pub fn makes_sense(self) -> bool {
        let Self { amount_minor, tax_minor, fee_minor } = self;
        let inside = tax_minor.checked_add(fee_minor);
        amount_minor >= 0
            && tax_minor >= 0
            && fee_minor >= 0
            && inside.is_some_and(|inside| inside <= amount_minor)
    }

    /// This part of `whole`, with as much tax and fee as the rest cannot cover. `None`: it is more than the whole.
    pub fn of(self, whole: Self) -> Option<Self> {
        if !self.makes_sense() || self.amount_minor == 0 || self.amount_minor > whole.amount_minor {
            return None;
        }
        let left_minor = whole.amount_minor - self.amount_minor;
        let tax_minor = self.tax_minor.min(whole.tax_minor);
        let fee_minor = self.fee_minor.min(whole.fee_minor);
        let uncovered = (whole.tax_minor - tax_minor + whole.fee_minor - fee_minor - left_minor).max(0);
        let more_fee = uncovered.min(whole.fee_minor - fee_minor);
        Some(Self {
            amount_minor: self.amount_minor,
            tax_minor: tax_minor + uncovered - more_fee,
            fee_minor: fee_minor + more_fee,
        })
    }
}

/// What no refund and no dispute has claimed.
pub fn unclaimed(share: &payment_share::Model) -> Part {
    Part {
        amount_minor: share.amount_minor - share.claimed_minor,
        tax_minor: share.tax_minor - share.claimed_tax_minor,
        fee_minor: share.fee_minor - share.claimed_fee_minor,
    }
}

/// What a claim takes.
pub fn part_of(claim: &share_claim::Model) -> Part {
    Part { amount_minor: claim.amount_minor, tax_minor: claim.tax_minor, fee_minor: claim.fee_minor }
}

impl File {
    /// Where a share is until its seller has earned it.
    pub fn held(&self, seller: SellerId) -> Account {
        Account::Held(self.payment.order_id, seller)
    }

    /// Claims a part of a share for a refund or a dispute; `to` is where the money will go.
    pub fn claim(
        &mut self,
        pen: &mut Pen,
        subject: Uuid,
        seller: SellerId,
        part: Part,
        to: Account,
        reason: Reason,
    ) -> Result<(), Failure> {
        self.forget_dropped_claim(subject, seller)?;
        let released = self.share_of(seller).is_some_and(|share| share.released);
        let hold_id = (!released).then(TransferId::new);
        if let Some(hold) = hold_id {
            let entry = self.claim_entry(hold, Posting::Pending(hold), seller, part.amount_minor, to, reason);
            self.enter(pen, Some(seller), entry)?;
        }
        if let Some(share) = self.share(seller) {
            share.claimed_minor += part.amount_minor;
            share.claimed_tax_minor += part.tax_minor;
            share.claimed_fee_minor += part.fee_minor;
        }
        self.claims.push(share_claim::Model {
            subject,
            seller_id: seller,
            payment_id: self.payment.id,
            amount_minor: part.amount_minor,
            tax_minor: part.tax_minor,
            fee_minor: part.fee_minor,
            hold_id,
            state: State::Open,
        });
        Ok(())
    }

    /// A refund that failed may be tried again, and claims anew what it had let go.
    fn forget_dropped_claim(&mut self, subject: Uuid, seller: SellerId) -> Result<(), Failure> {
        let same = |claim: &share_claim::Model| claim.subject == subject && claim.seller_id == seller;
        if self.claims.iter().any(|claim| same(claim) && claim.state != State::Dropped) {
            return Err(Failure::msg(format!("{seller}'s share is claimed for {subject} already")));
        }
        self.claims.retain(|claim| !same(claim));
        Ok(())
    }

    fn claim_entry(
        &self,
        subject: impl std::fmt::Display,
        posting: Posting,
        seller: SellerId,
        amount_minor: i64,
        to: Account,
        reason: Reason,
    ) -> Entry {
        let (debit, subject) = (self.held(seller), subject.to_string());
        Entry { posting, debit, credit: to, amount_minor, reason, subject }
    }

    fn open_claims(&self, subject: Uuid) -> Vec<share_claim::Model> {
        let open = |claim: &&share_claim::Model| claim.subject == subject && claim.state == State::Open;
        self.claims.iter().filter(open).cloned().collect()
    }

    fn close_claim(&mut self, claim: &share_claim::Model, state: State) {
        let same = |known: &&mut share_claim::Model| {
            known.subject == claim.subject && known.seller_id == claim.seller_id
        };
        if let Some(known) = self.claims.iter_mut().find(same) {
            known.state = state;
        }
    }

    /// The money goes: out of the held funds, or from where it was released to.
    pub fn take_claims(
        &mut self,
        pen: &mut Pen,
        subject: Uuid,
        to: Account,
        reason: Reason,
    ) -> Result<(), Failure> {
        for claim in self.open_claims(subject) {
            let (seller, part) = (claim.seller_id, part_of(&claim));
            let entry = match claim.hold_id {
                Some(hold) => {
                    self.claim_entry(hold, Posting::Post(hold), seller, part.amount_minor, to, reason)
                }
                None => {
                    self.cover(pen, subject, seller, part)?;
                    self.claim_entry(subject, Posting::Now, seller, part.amount_minor, to, reason)
                }
            };
            self.enter(pen, Some(seller), entry)?;
            self.close_claim(&claim, State::Taken);
            if claim.hold_id.is_none() {
                self.recover(pen, seller)?;
            }
        }
        Ok(())
    }

    /// Brings back into the held funds what was released: the seller owes it, fee and tax give theirs.
    fn cover(&mut self, pen: &mut Pen, subject: Uuid, seller: SellerId, part: Part) -> Result<(), Failure> {
        let held = self.held(seller);
        let from = [
            (Account::Receivable(seller), part.net_minor()),
            (Account::PlatformFee, part.fee_minor),
            (Account::Tax, part.tax_minor),
        ];
        for (debit, amount_minor) in from {
            let (posting, reason, subject) = (Posting::Now, Reason::RefundCover, subject.to_string());
            let entry = Entry { posting, debit, credit: held, amount_minor, reason, subject };
            self.enter(pen, Some(seller), entry)?;
        }
        Ok(())
    }

    /// The money stays; a share that was released in the meantime gives it to its seller.
    pub fn drop_claims(
        &mut self,
        pen: &mut Pen,
        subject: Uuid,
        to: Account,
        reason: Reason,
    ) -> Result<(), Failure> {
        for claim in self.open_claims(subject) {
            let (seller, part) = (claim.seller_id, part_of(&claim));
            if let Some(hold) = claim.hold_id {
                let entry =
                    self.claim_entry(hold, Posting::Void(hold), seller, part.amount_minor, to, reason);
                self.enter(pen, Some(seller), entry)?;
            }
            self.close_claim(&claim, State::Dropped);
            if let Some(share) = self.share(seller) {
                share.claimed_minor -= part.amount_minor;
                share.claimed_tax_minor -= part.tax_minor;
                share.claimed_fee_minor -= part.fee_minor;
            }
            if self.share_of(seller).is_some_and(|share| share.released) && claim.hold_id.is_some() {
                self.pay_out(pen, PayoutId::new(), seller, 0)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    fn part(amount_minor: i64, tax_minor: i64, fee_minor: i64) -> Part {
        Part { amount_minor, tax_minor, fee_minor }
    }

    #[test]
    fn a_part_takes_the_tax_and_fee_that_the_rest_cannot_cover() {
        let whole = part(100, 20, 10);
        for (asked, taken) in [
            (part(100, 20, 10), Some(part(100, 20, 10))),
            (part(100, 20, 0), Some(part(100, 20, 10))),
            (part(100, 0, 0), Some(part(100, 20, 10))),
            (part(50, 10, 5), Some(part(50, 10, 5))),
            (part(50, 30, 0), Some(part(50, 20, 0))),
            (part(80, 0, 0), Some(part(80, 0, 10))),
            (part(85, 0, 0), Some(part(85, 5, 10))),
            (part(101, 20, 10), None),
            (part(0, 0, 0), None),
            (part(-5, 0, 0), None),
            (part(50, 30, 30), None),
            (part(50, i64::MAX, 1), None),
        ] {
            assert_eq!(asked.of(whole), taken, "{asked:?}");
        }
    }
}
