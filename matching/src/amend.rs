//! Changes to resting orders.

use crate::book::Order;
use crate::take::Taker;
use crate::{
    Amend, Amended, Answer, Change, Event, Price, Quantity, Refusal, SelfTrade, State, Status, Timestamp,
};

/// What an order is to become.
#[derive(Clone, Copy)]
struct Terms {
    price: Price,
    remaining: Quantity,
    expires_at: Timestamp,
}

impl State {
    pub(crate) fn amend(&mut self, amend: &Amend, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let slot = self.own(amend.account, amend.order)?;
        let terms = self.admit_amend(slot, amend)?;
        let order = &self.orders[slot];
        let keeps_place = terms.price == order.price && terms.remaining <= order.remaining;
        Ok(match keeps_place {
            true => self.amend_in_place(slot, terms, events),
            false => self.amend_and_queue_again(slot, terms, events),
        })
    }

    /// [`amend`](Self::amend) of what can only become less.
    pub(crate) fn reduce(&mut self, amend: &Amend, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let order = &self.orders[self.own(amend.account, amend.order)?];
        let total = order.filled.saturating_add(order.remaining);
        let is_more = amend.quantity.is_some_and(|quantity| quantity > total);
        if is_more || amend.expires_at.is_some_and(|at| at > order.expires_at) {
            return Err(Refusal::NotLess);
        }
        self.amend(amend, events)
    }

    fn admit_amend(&self, slot: u32, amend: &Amend) -> Result<Terms, Refusal> {
        let order = &self.orders[slot];
        let quantity = amend.quantity.unwrap_or(order.filled.saturating_add(order.remaining));
        let price = amend.price.unwrap_or(order.price);
        if quantity == 0 {
            return Err(Refusal::QuantityZero);
        }
        if quantity <= order.filled {
            return Err(Refusal::NotAboveFilled { filled: order.filled });
        }
        if price != order.price {
            self.admit_price(order.market, price, quantity)?;
        } else if price.checked_mul(i64::from(quantity)).is_none() {
            return Err(Refusal::TooLarge);
        }
        let expires_at = match amend.expires_at {
            Some(_) => self.admit_expiry(amend.expires_at)?,
            None => order.expires_at,
        };
        Ok(Terms { price, remaining: quantity - order.filled, expires_at })
    }

    fn amend_in_place(&mut self, slot: u32, terms: Terms, events: &mut Vec<Event>) -> Answer {
        let Order { remaining, sequence, level, .. } = self.orders[slot];
        self.say_amended(slot, terms, sequence, true, events);
        self.levels[level].quantity -= u64::from(remaining - terms.remaining);
        self.orders[slot].remaining = terms.remaining;
        self.live_until(slot, terms.expires_at);
        self.answer(slot)
    }

    /// Cancel plus new under the same number: it leaves its queue, meets the book as an incoming order, and the rest of it
    /// queues last at its price.
    fn amend_and_queue_again(&mut self, slot: u32, terms: Terms, events: &mut Vec<Event>) -> Answer {
        let sequence = self.next_sequence();
        self.say_amended(slot, terms, sequence, false, events);
        self.unqueue(slot);
        let Order { id, account, market, side, filled, returns, .. } = self.orders[slot];
        let mut taker = Taker {
            id,
            account: self.accounts.id(account),
            party: account,
            side,
            price: terms.price,
            remaining: terms.remaining,
            filled,
            sequence,
            expires_at: Some(terms.expires_at),
            self_trade: SelfTrade::ExpireTaker,
            returns,
        };
        let status = self.take(market, &mut taker, events);
        let answer = match status {
            Status::Open => {
                let order = &mut self.orders[slot];
                (order.price, order.remaining, order.filled) = (terms.price, taker.remaining, taker.filled);
                order.sequence = sequence;
                self.queue(slot);
                self.live_until(slot, terms.expires_at);
                self.answer(slot)
            }
            closed => {
                self.forget(slot, closed);
                Answer { order: id, status: closed, filled: taker.filled, remaining: 0 }
            }
        };
        self.assert_uncrossed(market);
        answer
    }

    fn live_until(&mut self, slot: u32, expires_at: Timestamp) {
        let Order { id, remaining, expires_at: before, .. } = self.orders[slot];
        self.beat(id, u64::from(remaining) ^ expires_at as u64);
        if before != expires_at {
            self.orders[slot].expires_at = expires_at;
            self.calendar.add(&self.orders, slot, before);
        }
    }

    fn say_amended(
        &mut self,
        slot: u32,
        terms: Terms,
        sequence: u64,
        kept_place: bool,
        events: &mut Vec<Event>,
    ) {
        let Order { id, account, market, side, price, remaining, .. } = self.orders[slot];
        let amended = Amended {
            order: id,
            account: self.accounts.id(account),
            side,
            price_before: price,
            price: terms.price,
            remaining_before: remaining,
            remaining: terms.remaining,
            expires_at: terms.expires_at,
            sequence,
            kept_place,
        };
        self.emit(market, Change::Amended(amended), events);
    }

    fn answer(&self, slot: u32) -> Answer {
        let Order { id, filled, remaining, .. } = self.orders[slot];
        Answer { order: id, status: Status::Open, filled, remaining }
    }
}
