//! An incoming order meets the book.

use crate::book::Order;
use crate::trade::Match;
use crate::{
    AccountId, Cancelled, Change, Event, Matched, OrderId, Price, Quantity, Reason, Rested, SelfTrade,
    Sequence, Side, State, Status, Timestamp, TradeId,
};

/// An order on its way in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taker {
    pub id: OrderId,
    pub account: AccountId,
    /// Where its account is known; [`NIL`](crate::slab::NIL): nowhere, so it has no orders.
    pub party: u32,
    pub side: Side,
    pub price: Price,
    pub remaining: Quantity,
    pub filled: Quantity,
    pub sequence: Sequence,
    /// `None`: it never rests.
    pub expires_at: Option<Timestamp>,
    pub self_trade: SelfTrade,
    pub returns: bool,
}

/// Why the matching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing more to match, on one of the two sides.
    Done,
    /// The next order is one of its own account.
    SelfTrade,
}

impl State {
    /// Matches an incoming order and says what becomes of its rest. `Open`: the caller lets it rest.
    pub(crate) fn take(&mut self, market: u32, taker: &mut Taker, events: &mut Vec<Event>) -> Status {
        let end = self.match_all(market, taker, events);
        if taker.remaining == 0 {
            return Status::Filled;
        }
        let Taker { id: order, account, side, price, remaining: quantity, sequence, .. } = *taker;
        let reason = match (end, taker.expires_at) {
            (End::SelfTrade, _) => Reason::SelfTrade,
            (End::Done, None) => Reason::Immediate,
            (End::Done, Some(_)) => {
                self.emit(market, Change::Rested(Rested { order, side, price, quantity, sequence }), events);
                return Status::Open;
            }
        };
        let cancelled = Cancelled { order, account, side, price, quantity, resting: false, reason };
        self.emit(market, Change::Cancelled(cancelled), events);
        Status::Cancelled
    }

    fn match_all(&mut self, market: u32, taker: &mut Taker, events: &mut Vec<Event>) -> End {
        let other = taker.side.opposite();
        while taker.remaining > 0 {
            let Some(level) = self.markets.book(market).met(other, taker.price) else { return End::Done };
            let maker = self.levels[level].first;
            if self.orders[maker].account != taker.party {
                self.match_one(market, taker, maker, events);
            } else if taker.self_trade == SelfTrade::ExpireMaker {
                self.cancel_resting(maker, Reason::SelfTrade, events);
            } else {
                return End::SelfTrade;
            }
        }
        End::Done
    }

    #[inline]
    fn match_one(&mut self, market: u32, taker: &mut Taker, slot: u32, events: &mut Vec<Event>) {
        let maker = &mut self.orders[slot];
        let quantity = maker.remaining.min(taker.remaining);
        maker.remaining -= quantity;
        maker.filled += quantity;
        taker.remaining -= quantity;
        taker.filled += quantity;
        let Order { id, price, side, remaining, level, .. } = *maker;
        let maker_account = self.accounts.id(maker.account);
        let trade = self.record(market, slot, maker_account, taker, quantity);
        self.beat(id, u64::from(quantity) ^ trade.0 << 32);
        self.levels[level].quantity -= u64::from(quantity);
        let matched = Matched {
            trade,
            price,
            quantity,
            maker: id,
            maker_account,
            maker_side: side,
            maker_remaining: remaining,
            taker: taker.id,
            taker_account: taker.account,
            taker_remaining: taker.remaining,
        };
        self.emit(market, Change::Matched(matched), events);
        if remaining == 0 {
            self.close(slot, Status::Filled);
        }
    }

    /// Numbers the pieces of a match and remembers it for as long as it can fail.
    #[inline]
    fn record(
        &mut self,
        market: u32,
        slot: u32,
        maker_account: AccountId,
        taker: &Taker,
        quantity: Quantity,
    ) -> TradeId {
        let maker = &self.orders[slot];
        let first = TradeId(self.trades.issued + 1);
        let (at, price) = (self.now, maker.price);
        let matched = match maker.side {
            Side::Ask => Match {
                first,
                quantity,
                market,
                at,
                price,
                bid: taker.id,
                ask: maker.id,
                seller: maker_account,
                limit: maker.price,
                sequence: maker.sequence,
                returns_before: maker.returns.then_some(maker.expires_at),
            },
            Side::Bid => Match {
                first,
                quantity,
                market,
                at,
                price,
                bid: maker.id,
                ask: taker.id,
                seller: taker.account,
                limit: taker.price,
                sequence: taker.sequence,
                // An ask that never rests does not come back either.
                returns_before: taker.expires_at.filter(|_| taker.returns),
            },
        };
        self.trades.record(matched, self.limits.retention_us);
        first
    }
}
