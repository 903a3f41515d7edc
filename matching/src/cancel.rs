//! Orders that leave because somebody said so.

use crate::book::Order;
use crate::{AccountId, Answer, Cancel, Event, OrderId, Reason, Refusal, Side, State, Status};

impl State {
    pub(crate) fn cancel(&mut self, cancel: &Cancel, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let slot = self.own(cancel.account, cancel.order)?;
        let filled = self.orders[slot].filled;
        self.cancel_resting(slot, Reason::Owner, events);
        Ok(Answer { order: cancel.order, status: Status::Cancelled, filled, remaining: 0 })
    }

    /// The slot of an order that rests and belongs to `account`. Another's order is as if there were none.
    #[inline(always)]
    pub(crate) fn own(&self, account: AccountId, order: OrderId) -> Result<u32, Refusal> {
        match self.numbers.slot(order) {
            Some(slot) if self.accounts.id(self.orders[slot].account) == account => Ok(slot),
            Some(_) => Err(Refusal::NotActive { status: None }),
            None => Err(Refusal::NotActive { status: self.numbers.status(order) }),
        }
    }

    pub(crate) fn auth_lapsed(&mut self, order: OrderId, events: &mut Vec<Event>) -> Result<(), Refusal> {
        let Some(slot) = self.numbers.slot(order) else {
            return Err(Refusal::NotActive { status: self.numbers.status(order) });
        };
        self.cancel_resting(slot, Reason::AuthLapsed, events);
        Ok(())
    }

    /// Cancels an account's asks, in the order of their numbers. It looks at every order of the state: pauses are rare, and
    /// links between an account's orders would cost each of them two cache misses.
    pub(crate) fn pause_selling(&mut self, account: AccountId, events: &mut Vec<Event>) {
        let index = self.accounts.pause(account);
        events.push(Event::SellingPaused { account });
        let is_ask = |order: &Order| order.id.0 > 0 && order.account == index && order.side == Side::Ask;
        let places = self.orders.places().filter(|(_, order)| is_ask(order));
        let mut asks: Vec<(OrderId, u32)> = places.map(|(slot, order)| (order.id, slot)).collect();
        asks.sort_unstable();
        for (_, slot) in asks {
            self.cancel_resting(slot, Reason::SellingPaused, events);
        }
    }
}
