//! New orders.

use crate::book::Order;
use crate::numbers::SLOTS_MAX;
use crate::slab::NIL;
use crate::take::Taker;
use crate::{
    Answer, Change, Event, Life, OrderId, Place, Placed, Refusal, Rested, Side, State, Status, Timestamp,
};

impl State {
    pub(crate) fn place(&mut self, place: &Place, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let Place { account, side, price, quantity, .. } = *place;
        let market = self.market_index(place.market)?;
        let party = self.accounts.find(account).unwrap_or(NIL);
        let expires_at = self.admit(market, place, party)?;
        let meets = self.markets.book(market).crosses(side, price);
        if expires_at.is_some() {
            self.admit_one_more(party, market)?;
        } else if !meets {
            return Err(Refusal::PriceMoved { best: self.markets.book(market).best(side.opposite()) });
        }

        self.orders_issued += 1;
        let (order, sequence) = (OrderId(self.orders_issued), self.next_sequence());
        let placed = Placed { order, account, side, price, quantity, expires_at, sequence };
        self.emit(market, Change::Placed(placed), events);
        Ok(match expires_at.filter(|_| !meets) {
            Some(expires_at) => self.rest_at_once(&placed, expires_at, place.returns, market, party, events),
            None => self.meet(&placed, place, market, party, events),
        })
    }

    /// Most orders meet nothing.
    #[inline]
    fn rest_at_once(
        &mut self,
        placed: &Placed,
        expires_at: Timestamp,
        returns: bool,
        market: u32,
        party: u32,
        events: &mut Vec<Event>,
    ) -> Answer {
        let Placed { order, account, side, price, quantity, sequence, .. } = *placed;
        self.emit(market, Change::Rested(Rested { order, side, price, quantity, sequence }), events);
        let party = if party == NIL { self.accounts.open(account) } else { party };
        let slot = self.rest(Order {
            id: order,
            sequence,
            price,
            expires_at,
            remaining: quantity,
            filled: 0,
            account: party,
            market,
            level: NIL,
            ahead: NIL,
            behind: NIL,
            side,
            returns,
        });
        self.numbers.add_resting(order, slot, self.now);
        self.assert_uncrossed(market);
        Answer { order, status: Status::Open, filled: 0, remaining: quantity }
    }

    fn meet(
        &mut self,
        placed: &Placed,
        place: &Place,
        market: u32,
        party: u32,
        events: &mut Vec<Event>,
    ) -> Answer {
        let Placed { order, account, side, price, quantity, expires_at, sequence } = *placed;
        let mut taker = Taker {
            id: order,
            account,
            party,
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
                let party = if party == NIL { self.accounts.open(account) } else { party };
                let slot = self.rest(taker.into_order(party, market, expires_at));
                self.numbers.add_resting(order, slot, self.now);
            }
            (closed, _) => self.numbers.add_closed(order, closed, self.now),
        }
        self.assert_uncrossed(market);
        let remaining = if status == Status::Open { taker.remaining } else { 0 };
        Answer { order, status, filled: taker.filled, remaining }
    }

    /// Whether the order may come in at all; when it dies, `None` for one that never rests.
    #[inline]
    fn admit(&self, market: u32, place: &Place, party: u32) -> Result<Option<Timestamp>, Refusal> {
        if place.quantity == 0 {
            return Err(Refusal::QuantityZero);
        }
        self.admit_price(market, place.price, place.quantity)?;
        if self.orders.is_full(SLOTS_MAX) {
            return Err(Refusal::Full);
        }
        if place.side == Side::Ask && party != NIL && self.accounts.accounts[party].paused {
            return Err(Refusal::SellingPaused);
        }
        match place.life {
            Life::Rest { expires_at } => self.admit_expiry(expires_at).map(Some),
            Life::RestFor { lifetime_us } => {
                self.admit_expiry(Some(self.now.saturating_add(lifetime_us))).map(Some)
            }
            Life::Immediate => Ok(None),
        }
    }
}
