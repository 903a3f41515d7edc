//! New orders.

use crate::account::Standing;
use crate::numbers::SLOTS_MAX;
use crate::take::Taker;
use crate::{Answer, Change, Event, Life, Place, Placed, Refusal, Side, State, Status, Timestamp};

impl State {
    pub(crate) fn place(&mut self, place: &Place, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let Place { account, side, price, quantity, .. } = *place;
        let market = self.market_index(place.market)?;
        let standing = self.accounts.standing(account, market);
        let expires_at = self.admit(market, place, standing)?;
        if expires_at.is_some() {
            self.accounts.admit(standing, &self.limits)?;
        } else if !self.markets[market as usize].crosses(side, price) {
            return Err(Refusal::PriceMoved { best: self.markets[market as usize].best(side.opposite()) });
        }

        let (order, sequence) = (self.next_order(), self.next_sequence());
        let placed = Placed { order, account, side, price, quantity, expires_at, sequence };
        self.emit(market, Change::Placed(placed), events);
        let mut taker = Taker {
            id: order,
            account,
            seat: standing.seat,
            side,
            price,
            remaining: quantity,
            filled: 0,
            sequence,
            expires_at,
            self_trade: place.self_trade,
            returns: place.returns,
        };
        let status = self.take(market, &mut taker, events);
        match (status, expires_at) {
            (Status::Open, Some(expires_at)) => {
                let standing = self.accounts.sit(account, market, standing);
                self.rest(market, taker.into_order(standing, expires_at));
            }
            (closed, _) => self.numbers.close(order, closed, self.now),
        }
        self.assert_uncrossed(market);
        let remaining = if status == Status::Open { taker.remaining } else { 0 };
        Ok(Answer { order, status, filled: taker.filled, remaining })
    }

    /// Whether the order may come in at all; when it dies, `None` for one that never rests.
    #[inline]
    fn admit(&self, market: u32, place: &Place, standing: Standing) -> Result<Option<Timestamp>, Refusal> {
        if place.quantity == 0 {
            return Err(Refusal::QuantityZero);
        }
        self.admit_price(market, place.price, place.quantity)?;
        if self.orders.is_full(SLOTS_MAX) {
            return Err(Refusal::Full);
        }
        if place.side == Side::Ask && self.accounts.is_paused_at(standing) {
            return Err(Refusal::SellingPaused);
        }
        match place.life {
            Life::Rest { expires_at } => self.admit_expiry(expires_at).map(Some),
            Life::Immediate => Ok(None),
        }
    }
}
