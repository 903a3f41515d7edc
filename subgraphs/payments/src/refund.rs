//! Money that goes back to the buyer, out of the shares that the asker names.

use chassis::Failure;
use contract::event::payments::{PaymentRefunded, RefundFailed, RefundPayment};
use contract::{RefundId, SellerId};
use entity::payments::payment_step::Kind;
use entity::payments::refund::{self, State};
use entity::payments::share_claim;

use crate::file::{File, Pen};
use crate::ledger::{Account, Entry, Posting, Reason};
use crate::provider::{Remote, RemotePart, Why};
use crate::share::{Part, part_of, unclaimed};

impl File {
    /// Claims the shares and asks the provider, or says why not. Asking again gives the same answer; one that failed is
    /// tried again.
    pub fn refund(&mut self, pen: &mut Pen, ask: &RefundPayment) -> Result<(), Failure> {
        if let Some(known) = self.refunds.iter().find(|refund| refund.id == ask.refund_id).cloned() {
            return match known.state {
                State::Failed => self.refund_again(pen, known.id),
                _ => self.say_refund(pen, &known),
            };
        }
        let parts = match self.refundable(ask) {
            Ok(parts) => parts,
            Err(why) => {
                self.say_refund_failed(pen, ask.refund_id, why);
                return Ok(());
            }
        };
        let amount_minor = parts.iter().map(|(_, part)| part.amount_minor).sum();
        for (seller, part) in parts {
            self.claim(pen, ask.refund_id.0, seller, part, Account::Balance, Reason::Refund)?;
        }
        self.refunds.push(refund::Model {
            id: ask.refund_id,
            payment_id: self.payment.id,
            amount_minor,
            state: State::Pending,
            reason: ask.reason.clone(),
            reference: None,
            code: None,
            message: None,
            created_at: pen.now,
            finished_at: None,
        });
        self.send_refund(pen, ask.refund_id, amount_minor);
        Ok(())
    }

    fn send_refund(&mut self, pen: &mut Pen, id: RefundId, amount_minor: i64) {
        self.send(pen, Kind::Refund, id.0, &format!("refund.{id}"), amount_minor);
    }

    /// Sends a failed refund again: what came back is still owed to the buyer, anything else is claimed anew.
    pub fn refund_again(&mut self, pen: &mut Pen, id: RefundId) -> Result<(), Failure> {
        if !self.came_back(id) {
            match self.claimable_again(id) {
                Ok(parts) => {
                    for (seller, part) in parts {
                        self.claim(pen, id.0, seller, part, Account::Balance, Reason::Refund)?;
                    }
                }
                Err(why) => {
                    self.say_refund_failed(pen, id, why);
                    return Ok(());
                }
            }
        }
        let failed = |refund: &&mut refund::Model| refund.id == id && refund.state == State::Failed;
        let Some(refund) = self.refunds.iter_mut().find(failed) else { return Ok(()) };
        refund.state = State::Pending;
        refund.finished_at = None;
        let amount_minor = refund.amount_minor;
        self.send_refund(pen, id, amount_minor);
        Ok(())
    }

    /// Whether the sellers have given the money of a refund. If it is not with the buyer, it waits for them.
    pub fn came_back(&self, id: RefundId) -> bool {
        self.claims.iter().any(|claim| claim.subject == id.0 && claim.state == share_claim::State::Taken)
    }

    /// What a refund took that failed, as far as it is all still there.
    fn claimable_again(&self, id: RefundId) -> Result<Vec<(SellerId, Part)>, Why> {
        let dropped = self.claims.iter().filter(|claim| claim.subject == id.0);
        let again = |claim: &share_claim::Model| {
            let share = self.share_of(claim.seller_id)?;
            Some((claim.seller_id, part_of(claim).of(unclaimed(share))?))
        };
        let parts: Option<Vec<_>> = dropped.map(again).collect();
        parts.ok_or_else(|| Why::new("exceeds_remaining", "that is more than is left of a share"))
    }

    /// What is taken of each share: never more than is left of it.
    fn refundable(&self, ask: &RefundPayment) -> Result<Vec<(SellerId, Part)>, Why> {
        if self.payment.captured_minor == 0 {
            return Err(Why::new("not_captured", "nothing was taken for this payment"));
        }
        let mut parts: Vec<(SellerId, Part)> = vec![];
        for share in &ask.shares {
            let twice = parts.iter().any(|(seller, _)| *seller == share.seller_id);
            let asked = Part {
                amount_minor: share.amount_minor,
                tax_minor: share.tax_minor,
                fee_minor: share.fee_minor,
            };
            let part = self.share_of(share.seller_id).and_then(|of| asked.of(unclaimed(of)));
            match part.filter(|_| !twice) {
                Some(part) => parts.push((share.seller_id, part)),
                None => return Err(Why::new("exceeds_remaining", "that is more than is left of a share")),
            }
        }
        match parts.is_empty() {
            true => Err(Why::new("invalid_amount", "there is nothing to give back")),
            false => Ok(parts),
        }
    }

    fn say_refund(&mut self, pen: &mut Pen, refund: &refund::Model) -> Result<(), Failure> {
        match refund.state {
            State::Pending => {}
            State::Succeeded => {
                let event = PaymentRefunded {
                    refund_id: refund.id,
                    payment_id: self.payment.id,
                    order_id: self.payment.order_id,
                    amount: self.money(refund.amount_minor)?,
                    refunded_minor: self.payment.refunded_minor,
                };
                self.say(pen, event);
            }
            // What came back is nobody's but the buyer's.
            State::Failed if self.came_back(refund.id) => {}
            State::Failed => {
                let code = refund.code.clone().unwrap_or_default();
                let message = refund.message.clone().unwrap_or_default();
                self.say_refund_failed(pen, refund.id, Why { code, message });
            }
        }
        Ok(())
    }

    fn say_refund_failed(&mut self, pen: &mut Pen, refund_id: RefundId, why: Why) {
        let (payment_id, order_id) = (self.payment.id, self.payment.order_id);
        let Why { code, message } = why;
        self.say(pen, RefundFailed { refund_id, payment_id, order_id, code, message });
    }

    /// The provider has given the money back, or will not. Hearing it again changes nothing.
    pub fn refunded(
        &mut self,
        pen: &mut Pen,
        id: RefundId,
        given: Result<String, Why>,
    ) -> Result<(), Failure> {
        let now = pen.now;
        let pending = |refund: &&mut refund::Model| refund.id == id && refund.state == State::Pending;
        let Some(refund) = self.refunds.iter_mut().find(pending) else { return Ok(()) };
        refund.finished_at = Some(now);
        let failed = given.as_ref().err().cloned();
        match given {
            Ok(reference) => {
                refund.state = State::Succeeded;
                refund.reference = Some(reference);
            }
            Err(why) => fail(refund, why),
        }
        let refund = refund.clone();
        match failed {
            None => self.book_refund(pen, &refund)?,
            Some(why) => {
                self.alert_of(id, &why);
                self.drop_claims(pen, id.0, Account::Balance, Reason::Refund)?;
            }
        }
        self.settle_state();
        self.say_refund(pen, &refund)
    }

    fn book_refund(&mut self, pen: &mut Pen, refund: &refund::Model) -> Result<(), Failure> {
        self.payment.refunded_minor += refund.amount_minor;
        if !self.came_back(refund.id) {
            return self.take_claims(pen, refund.id.0, Account::Balance, Reason::Refund);
        }
        self.move_returned(pen, refund, Account::Returned, Account::Balance, Reason::Refund)
    }

    /// The buyer's bank has sent a refund back that had gone out: the platform owes it to the buyer. Hearing it again changes
    /// nothing.
    pub fn returned(
        &mut self,
        pen: &mut Pen,
        id: RefundId,
        reference: &str,
        why: &Why,
    ) -> Result<(), Failure> {
        let out = |refund: &&mut refund::Model| {
            refund.id == id
                && refund.state == State::Succeeded
                && refund.reference.as_deref() == Some(reference)
        };
        let Some(refund) = self.refunds.iter_mut().find(out) else { return Ok(()) };
        fail(refund, why.clone());
        let refund = refund.clone();
        self.payment.refunded_minor -= refund.amount_minor;
        self.alert_of(id, why);
        self.move_returned(pen, &refund, Account::Balance, Account::Returned, Reason::RefundReturned)?;
        self.settle_state();
        Ok(())
    }

    /// Somebody has given money back at the provider, without us: the shares bear it in proportion, and an operator is told.
    /// What is more than the shares have is left to them.
    pub fn take_over_refunds(&mut self, pen: &mut Pen, remote: &Remote) -> Result<(), Failure> {
        let made: Vec<RemotePart> = self.unbooked_refunds(remote).cloned().collect();
        for part in made.iter().filter(|part| part.amount_minor > 0) {
            let left: i64 = self.shares.iter().map(|share| unclaimed(share).amount_minor).sum();
            if self.payment.captured_minor > 0 && part.amount_minor <= left {
                self.take_over_refund(pen, part)?;
            }
        }
        Ok(())
    }

    fn take_over_refund(&mut self, pen: &mut Pen, part: &RemotePart) -> Result<(), Failure> {
        let refund = refund::Model {
            id: RefundId::new(),
            payment_id: self.payment.id,
            amount_minor: part.amount_minor,
            state: State::Succeeded,
            reason: "made at the provider".into(),
            reference: Some(part.reference.clone()),
            code: None,
            message: None,
            created_at: pen.now,
            finished_at: Some(pen.now),
        };
        let subject = refund.id.0;
        self.claim_in_proportion(pen, subject, part.amount_minor, Account::Balance, Reason::Refund)?;
        self.book_refund(pen, &refund)?;
        self.refunds.push(refund.clone());
        self.settle_state();
        self.needs_attention(format!(
            "{} was refunded at the provider: {}",
            part.amount_minor, part.reference
        ));
        self.say_refund(pen, &refund)
    }

    fn move_returned(
        &self,
        pen: &mut Pen,
        refund: &refund::Model,
        debit: Account,
        credit: Account,
        reason: Reason,
    ) -> Result<(), Failure> {
        let subject = format!("{}:{}", refund.id, refund.reference.as_deref().unwrap_or_default());
        let (posting, amount_minor) = (Posting::Now, refund.amount_minor);
        self.enter(pen, None, Entry { posting, debit, credit, amount_minor, reason, subject })
    }

    fn alert_of(&mut self, id: RefundId, why: &Why) {
        metrics::counter!("souk_refunds_failed_total").increment(1);
        self.needs_attention(format!("the refund {id} failed: {} ({})", why.message, why.code));
    }
}

fn fail(refund: &mut refund::Model, why: Why) {
    refund.state = State::Failed;
    refund.code = Some(why.code);
    refund.message = Some(why.message);
}
