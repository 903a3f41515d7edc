//! Money that goes back to the buyer, out of the shares that the asker names.

use chassis::Failure;
use contract::event::payments::{PaymentRefunded, RefundFailed, RefundPayment};
use contract::{RefundId, SellerId};
use entity::payments::payment_step::Kind;
use entity::payments::refund::{self, State};

use crate::file::{File, Pen};
use crate::ledger::{Account, Reason};
use crate::provider::Why;
use crate::share::{Part, unclaimed};

impl File {
    /// Claims the shares and asks the provider, or says why not. Asking again gives the same answer.
    pub fn refund(&mut self, pen: &mut Pen, ask: &RefundPayment) -> Result<(), Failure> {
        if let Some(known) = self.refunds.iter().find(|refund| refund.id == ask.refund_id).cloned() {
            return self.say_refund(pen, &known);
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
        let word = format!("refund.{}", ask.refund_id);
        self.send(pen, Kind::Refund, ask.refund_id.0, &word, amount_minor);
        Ok(())
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
        let done = given.is_ok();
        match given {
            Ok(reference) => {
                refund.state = State::Succeeded;
                refund.reference = Some(reference);
            }
            Err(why) => {
                refund.state = State::Failed;
                refund.code = Some(why.code);
                refund.message = Some(why.message);
            }
        }
        let refund = refund.clone();
        if done {
            self.payment.refunded_minor += refund.amount_minor;
            self.take_claims(pen, id.0, Account::Balance, Reason::Refund)?;
        } else {
            self.drop_claims(pen, id.0, Account::Balance, Reason::Refund)?;
        }
        self.settle_state();
        self.say_refund(pen, &refund)
    }
}
