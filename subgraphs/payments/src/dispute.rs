//! Disputes: a buyer's bank takes a payment back, for now or for good. Sellers bear them by their shares.

use chassis::Failure;
use contract::DisputeId;
use contract::event::payments::{DisputeChanged, DisputeStatus};
use entity::payments::dispute::{self, Status};
use uuid::Uuid;

use crate::file::{File, Pen};
use crate::ledger::{Account, Entry, Posting, Reason};
use crate::provider::RemoteDispute;
use crate::share::{Part, unclaimed};
use crate::split::split;

impl File {
    /// Takes over what the provider says of a dispute. It goes forward only: open, then won or lost.
    pub fn see_dispute(&mut self, pen: &mut Pen, seen: &RemoteDispute) -> Result<(), Failure> {
        if self.payment.captured_minor == 0 || seen.amount_minor <= 0 {
            return Ok(());
        }
        let known =
            self.disputes.iter().find(|known| known.reference == seen.reference).map(|known| known.id);
        let id = match known {
            Some(id) => id,
            None => self.open_dispute(pen, seen)?,
        };
        let open = self.disputes.iter().any(|known| known.id == id && known.status == Status::Open);
        match seen.status {
            DisputeStatus::Won if open => {
                self.take_fee_back(pen, id, seen.fee_minor.max(0))?;
                self.decide(pen, id, Status::Won)
            }
            DisputeStatus::Lost if open => self.decide(pen, id, Status::Lost),
            _ => Ok(()),
        }
    }

    fn open_dispute(&mut self, pen: &mut Pen, seen: &RemoteDispute) -> Result<DisputeId, Failure> {
        let id = DisputeId::new();
        self.disputes.push(dispute::Model {
            id,
            payment_id: self.payment.id,
            reference: seen.reference.clone(),
            amount_minor: seen.amount_minor,
            fee_minor: seen.fee_minor.max(0),
            reason: seen.reason.clone(),
            status: Status::Open,
            created_at: pen.now,
            decided_at: None,
        });
        self.payment.disputes_open += 1;
        let reserve = Account::DisputeReserve;
        self.book(pen, id, reserve, Account::Balance, seen.amount_minor, Reason::DisputeOpened)?;
        self.book(
            pen,
            id,
            Account::ProviderFee,
            Account::Balance,
            seen.fee_minor.max(0),
            Reason::DisputeFee,
        )?;
        self.claim_in_proportion(pen, id.0, seen.amount_minor, reserve, Reason::DisputeLost)?;
        self.settle_state();
        self.say_dispute(pen, id, DisputeStatus::Open)?;
        Ok(id)
    }

    /// Claims an amount that is no seller's in particular: each share gives in proportion to what it has left.
    pub fn claim_in_proportion(
        &mut self,
        pen: &mut Pen,
        subject: Uuid,
        amount_minor: i64,
        to: Account,
        reason: Reason,
    ) -> Result<(), Failure> {
        let left: Vec<Part> = self.shares.iter().map(unclaimed).collect();
        let weights: Vec<i64> = left.iter().map(|part| part.amount_minor).collect();
        let amounts = split(amount_minor.min(weights.iter().sum()), &weights);
        let sellers: Vec<_> = self.shares.iter().map(|share| share.seller_id).collect();
        for ((seller, left), amount_minor) in sellers.into_iter().zip(left).zip(amounts) {
            let of_amount = |whole: i64| split(amount_minor, &[whole, left.amount_minor - whole])[0];
            let tax_minor = of_amount(left.tax_minor);
            let fee_minor = of_amount(left.fee_minor).min(amount_minor - tax_minor);
            if let Some(part) = (Part { amount_minor, tax_minor, fee_minor }).of(left) {
                self.claim(pen, subject, seller, part, to, reason)?;
            }
        }
        Ok(())
    }

    fn decide(&mut self, pen: &mut Pen, id: DisputeId, status: Status) -> Result<(), Failure> {
        let now = pen.now;
        let Some(dispute) = self.disputes.iter_mut().find(|dispute| dispute.id == id) else { return Ok(()) };
        dispute.status = status;
        dispute.decided_at = Some(now);
        let amount_minor = dispute.amount_minor;
        self.payment.disputes_open -= 1;
        let reserve = Account::DisputeReserve;
        if status == Status::Won {
            self.drop_claims(pen, id.0, reserve, Reason::DisputeLost)?;
            self.book(pen, id, Account::Balance, reserve, amount_minor, Reason::DisputeWon)?;
        } else {
            let of_dispute = |claim: &&entity::payments::share_claim::Model| claim.subject == id.0;
            let borne: i64 = self.claims.iter().filter(of_dispute).map(|claim| claim.amount_minor).sum();
            self.take_claims(pen, id.0, reserve, Reason::DisputeLost)?;
            self.book(pen, id, Account::Loss, reserve, amount_minor - borne, Reason::DisputeLost)?;
        }
        self.settle_state();
        let said = if status == Status::Won { DisputeStatus::Won } else { DisputeStatus::Lost };
        self.say_dispute(pen, id, said)
    }

    /// What the provider keeps of its fee is `kept_minor`.
    fn take_fee_back(&mut self, pen: &mut Pen, id: DisputeId, kept_minor: i64) -> Result<(), Failure> {
        let Some(dispute) = self.disputes.iter_mut().find(|dispute| dispute.id == id) else { return Ok(()) };
        let back_minor = (dispute.fee_minor - kept_minor).max(0);
        dispute.fee_minor -= back_minor;
        self.book(pen, id, Account::Balance, Account::ProviderFee, back_minor, Reason::DisputeFee)
    }

    fn book(
        &self,
        pen: &mut Pen,
        id: DisputeId,
        debit: Account,
        credit: Account,
        amount_minor: i64,
        reason: Reason,
    ) -> Result<(), Failure> {
        let (posting, subject) = (Posting::Now, id.to_string());
        self.enter(pen, None, Entry { posting, debit, credit, amount_minor, reason, subject })
    }

    fn say_dispute(&mut self, pen: &mut Pen, id: DisputeId, status: DisputeStatus) -> Result<(), Failure> {
        let amount_minor =
            self.disputes.iter().find(|dispute| dispute.id == id).map_or(0, |dispute| dispute.amount_minor);
        let amount = self.money(amount_minor)?;
        let (dispute_id, payment_id, order_id) = (id, self.payment.id, self.payment.order_id);
        self.say(pen, DisputeChanged { dispute_id, payment_id, order_id, amount, status });
        Ok(())
    }
}
