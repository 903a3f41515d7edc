//! What sellers have earned, on its way to their banks; and what of it is taken back.

use chassis::Failure;
use contract::event::payments::PaymentReleased;
use contract::{PayoutId, SellerId, TransferId};
use entity::payments::payment_step::Kind;
use entity::payments::share_claim::{self, State};
use entity::payments::{payment_share, payment_step, payout};

use crate::file::{File, Pen};
use crate::ledger::{Account, Entry, Posting, Reason};
use crate::provider::Why;
use crate::share::{Part, part_of};

impl File {
    /// What is in the held funds of a share and nobody claims.
    fn unreleased(&self, share: &payment_share::Model) -> Part {
        let mut left = Part {
            amount_minor: share.amount_minor - share.released_minor,
            tax_minor: share.tax_minor - share.released_tax_minor,
            fee_minor: share.fee_minor - share.released_fee_minor,
        };
        let from_held = |claim: &&share_claim::Model| {
            claim.seller_id == share.seller_id && claim.hold_id.is_some() && claim.state != State::Dropped
        };
        for claim in self.claims.iter().filter(from_held) {
            left.amount_minor -= claim.amount_minor;
            left.tax_minor -= claim.tax_minor;
            left.fee_minor -= claim.fee_minor;
        }
        left
    }

    /// What is left of a share goes to its seller, less fee, tax and what they owe. Says so.
    ///
    /// # Errors
    /// The payment has no share of this seller.
    pub fn pay_out(
        &mut self,
        pen: &mut Pen,
        id: PayoutId,
        seller: SellerId,
        owed_minor: i64,
    ) -> Result<(), Failure> {
        let share = self.share_of(seller).ok_or_else(|| Failure::msg("the seller has no share in it"))?;
        let part = self.unreleased(share);
        if let Some(share) = self.share(seller) {
            share.released = true;
            share.released_minor += part.amount_minor;
            share.released_tax_minor += part.tax_minor;
            share.released_fee_minor += part.fee_minor;
        }
        let netted = owed_minor.clamp(0, part.net_minor());
        let payout = self.payout(pen, id, seller, part, netted);
        self.book_payout(pen, &payout, part)?;
        self.say_released(pen, id, seller, part.net_minor())?;
        if payout.amount_minor > 0 {
            self.send(pen, Kind::Transfer, id.0, &format!("transfer.{id}"), payout.amount_minor);
        }
        self.payouts.push(payout);
        Ok(())
    }

    /// Says that a seller's share is theirs.
    pub fn say_released(
        &mut self,
        pen: &mut Pen,
        payout_id: PayoutId,
        seller_id: SellerId,
        net_minor: i64,
    ) -> Result<(), Failure> {
        let (payment_id, order_id) = (self.payment.id, self.payment.order_id);
        let amount = self.money(net_minor)?;
        self.say(pen, PaymentReleased { payout_id, payment_id, order_id, seller_id, amount });
        Ok(())
    }

    fn payout(&self, pen: &Pen, id: PayoutId, seller: SellerId, part: Part, netted: i64) -> payout::Model {
        let amount_minor = part.net_minor() - netted;
        let paid = amount_minor == 0;
        payout::Model {
            id,
            payment_id: self.payment.id,
            order_id: self.payment.order_id,
            seller_id: seller,
            currency: self.payment.currency.clone(),
            gross_minor: part.amount_minor,
            tax_minor: part.tax_minor,
            fee_minor: part.fee_minor,
            netted_minor: netted,
            amount_minor,
            reversed_minor: 0,
            state: if paid { payout::State::Paid } else { payout::State::InTransit },
            reference: None,
            code: None,
            message: None,
            created_at: pen.now,
            finished_at: paid.then_some(pen.now),
        }
    }

    fn book_payout(&mut self, pen: &mut Pen, payout: &payout::Model, part: Part) -> Result<(), Failure> {
        let seller = payout.seller_id;
        let (held, payable) = (self.held(seller), Account::Payable(seller));
        let moves = [
            (held, Account::PlatformFee, part.fee_minor, Reason::Fee),
            (held, Account::Tax, part.tax_minor, Reason::Tax),
            (held, payable, part.net_minor(), Reason::Release),
            (payable, Account::Receivable(seller), payout.netted_minor, Reason::Netting),
            (payable, Account::Transit(seller), payout.amount_minor, Reason::Payout),
        ];
        for (debit, credit, amount_minor, reason) in moves {
            let subject = payout.id.to_string();
            let entry = Entry { posting: Posting::Now, debit, credit, amount_minor, reason, subject };
            self.enter(pen, Some(seller), entry)?;
        }
        Ok(())
    }

    /// Takes back from the seller's bank what they owe of this payment, as far as it has arrived there.
    pub fn recover(&mut self, pen: &mut Pen, seller: SellerId) -> Result<(), Failure> {
        let owes = |claim: &&share_claim::Model| {
            claim.seller_id == seller && claim.hold_id.is_none() && claim.state == State::Taken
        };
        let owed: i64 = self.claims.iter().filter(owes).map(|claim| part_of(claim).net_minor()).sum();
        let mut missing = owed - self.payouts_of(seller).map(|payout| self.recovered(payout)).sum::<i64>();
        let paid: Vec<payout::Model> = self
            .payouts_of(seller)
            .filter(|payout| payout.state == payout::State::Paid && payout.reference.is_some())
            .cloned()
            .collect();
        for payout in paid {
            let some = missing.min(payout.amount_minor - self.recovered(&payout));
            if some > 0 {
                missing -= some;
                self.send_reversal(pen, &payout, some)?;
            }
        }
        Ok(())
    }

    fn payouts_of(&self, seller: SellerId) -> impl Iterator<Item = &payout::Model> {
        self.payouts.iter().filter(move |payout| payout.seller_id == seller)
    }

    /// What of a payout was taken back, is being, or was refused.
    fn recovered(&self, payout: &payout::Model) -> i64 {
        let of_payout =
            |step: &&payment_step::Model| step.kind == Kind::Reverse && step.subject == payout.id.0;
        self.steps.iter().filter(of_payout).map(|step| step.amount_minor).sum()
    }

    /// What is being taken back is not netted from the seller's next payout as well.
    fn send_reversal(
        &mut self,
        pen: &mut Pen,
        payout: &payout::Model,
        amount_minor: i64,
    ) -> Result<(), Failure> {
        let word = format!("reverse.{}", payout.id);
        let id = self.send(pen, Kind::Reverse, payout.id.0, &word, amount_minor);
        let hold = TransferId::new();
        let Some(step) = self.waiting(id) else { return Ok(()) };
        step.hold_id = Some(hold);
        let key = step.key.clone();
        let entry = reversal(Posting::Pending(hold), payout.seller_id, amount_minor, key);
        self.enter(pen, Some(payout.seller_id), entry)
    }

    /// A payout's transfer has ended: it arrived, or the money is the seller's and still here.
    pub fn transferred(
        &mut self,
        pen: &mut Pen,
        id: PayoutId,
        key: &str,
        sent: Result<String, Why>,
    ) -> Result<(), Failure> {
        let now = pen.now;
        let Some(payout) = self.payouts.iter_mut().find(|payout| payout.id == id) else { return Ok(()) };
        let (seller, amount_minor) = (payout.seller_id, payout.amount_minor);
        let transit = Account::Transit(seller);
        payout.finished_at = Some(now);
        let (credit, reason) = match sent {
            Ok(reference) => {
                payout.state = payout::State::Paid;
                payout.reference = Some(reference);
                (Account::Balance, Reason::PayoutPaid)
            }
            Err(why) => {
                payout.state = payout::State::Failed;
                payout.code = Some(why.code);
                payout.message = Some(why.message.clone());
                self.needs_attention(format!("the payout {id} failed: {}", why.message));
                (Account::Payable(seller), Reason::PayoutFailed)
            }
        };
        let (posting, subject) = (Posting::Now, key.to_owned());
        let entry = Entry { posting, debit: transit, credit, amount_minor, reason, subject };
        self.enter(pen, Some(seller), entry)?;
        self.recover(pen, seller)
    }

    /// Sends a failed payout again.
    pub fn transfer_again(&mut self, pen: &mut Pen, id: PayoutId) -> Result<(), Failure> {
        let failed = |payout: &&mut payout::Model| payout.id == id && payout.state == payout::State::Failed;
        let Some(payout) = self.payouts.iter_mut().find(failed) else { return Ok(()) };
        payout.state = payout::State::InTransit;
        payout.finished_at = None;
        let (seller, amount_minor) = (payout.seller_id, payout.amount_minor);
        let step = self.send(pen, Kind::Transfer, id.0, &format!("transfer.{id}"), amount_minor);
        let subject = self.waiting(step).map(|step| step.key.clone()).unwrap_or_default();
        let (debit, credit) = (Account::Payable(seller), Account::Transit(seller));
        let entry =
            Entry { posting: Posting::Now, debit, credit, amount_minor, reason: Reason::Payout, subject };
        self.enter(pen, Some(seller), entry)
    }

    /// A reversal has ended. `None`: the seller's bank has not given it; they go on owing it.
    pub fn reversed(&mut self, pen: &mut Pen, step: Reversal, given: bool) -> Result<(), Failure> {
        let Reversal { payout_id, key, hold_id, amount_minor } = step;
        let Some(payout) = self.payouts.iter_mut().find(|payout| payout.id == payout_id) else {
            return Ok(());
        };
        let seller = payout.seller_id;
        payout.reversed_minor += if given { amount_minor } else { 0 };
        let posting = if given { Posting::Post(hold_id) } else { Posting::Void(hold_id) };
        self.enter(pen, Some(seller), reversal(posting, seller, amount_minor, key))
    }
}

/// Which reversal has ended.
#[derive(Clone, Debug)]
pub struct Reversal {
    pub payout_id: PayoutId,
    pub key: String,
    pub hold_id: TransferId,
    pub amount_minor: i64,
}

fn reversal(posting: Posting, seller: SellerId, amount_minor: i64, subject: String) -> Entry {
    let (debit, credit) = (Account::Balance, Account::Receivable(seller));
    Entry { posting, debit, credit, amount_minor, reason: Reason::Reversal, subject }
}
