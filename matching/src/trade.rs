//! Matches that can still fail, and the way back of an ask whose buyer could not pay.

use std::collections::{BTreeSet, VecDeque};

use crate::book::Order;
use crate::numbers::SLOTS_MAX;
use crate::slab::NIL;
use crate::take::Taker;
use crate::{
    AccountId, Change, Event, OrderId, PaymentFailed, Price, Quantity, Refusal, Rested, Returned, SelfTrade,
    Sequence, Side, State, Status, Timestamp, TradeId,
};

/// What is needed to undo a match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    /// Its pieces are numbered from here.
    pub first: TradeId,
    pub quantity: Quantity,
    pub market: u32,
    pub at: Timestamp,
    pub price: Price,
    pub bid: OrderId,
    pub ask: OrderId,
    pub seller: AccountId,
    /// The ask's own price and place.
    pub limit: Price,
    pub sequence: Sequence,
    /// The ask comes back before this time; `None`: never.
    pub returns_before: Option<Timestamp>,
}

/// Matches in the order of their numbers; the oldest are forgotten first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trades {
    /// Numbers given out so far.
    pub issued: u64,
    pub matches: VecDeque<Match>,
    /// Pieces whose payment failed.
    pub failed: BTreeSet<TradeId>,
}

impl Trades {
    /// Takes in a match whose first number is the next one.
    #[inline]
    pub fn record(&mut self, matched: Match, retention_us: i64) {
        self.issued += u64::from(matched.quantity);
        self.trim(matched.at, retention_us);
        self.matches.push_back(matched);
    }

    #[inline]
    pub fn trim(&mut self, now: Timestamp, retention_us: i64) {
        let is_old = |matched: &Match| now.saturating_sub(matched.at) >= retention_us;
        while self.matches.front().is_some_and(is_old) {
            self.matches.pop_front();
        }
        if !self.failed.is_empty() {
            let first = self.matches.front().map_or(TradeId(u64::MAX), |matched| matched.first);
            self.failed = self.failed.split_off(&first);
        }
    }

    fn find(&self, trade: TradeId) -> Option<Match> {
        let after = self.matches.partition_point(|matched| matched.first <= trade);
        let matched = *self.matches.get(after.checked_sub(1)?)?;
        (trade.0 - matched.first.0 < u64::from(matched.quantity)).then_some(matched)
    }
}

impl State {
    /// R17: the match of one piece ends, and its ask is offered again where it stood.
    pub(crate) fn payment_failed(&mut self, trade: TradeId, events: &mut Vec<Event>) -> Result<(), Refusal> {
        self.trades.trim(self.now, self.limits.retention_us);
        let matched = self.trades.find(trade).ok_or(Refusal::UnknownTrade)?;
        if !self.trades.failed.insert(trade) {
            return Err(Refusal::AlreadyFailed);
        }
        let Match { ask, bid, price, market, .. } = matched;
        self.emit(market, Change::PaymentFailed(PaymentFailed { trade, ask, bid, price }), events);
        let comes_back = matched.returns_before.is_some_and(|before| before > self.now);
        if !comes_back || self.accounts.is_paused(matched.seller) {
            return Ok(());
        }
        match self.numbers.slot(ask) {
            Some(slot) => self.rejoin(slot, trade, &matched, events),
            None if self.numbers.status(ask) == Some(Status::Filled) && !self.orders.is_full(SLOTS_MAX) => {
                self.bring_back(trade, &matched, events);
            }
            None => {}
        }
        self.assert_uncrossed(market);
        Ok(())
    }

    /// The rest of the ask is still there: the piece joins it, on its terms of now.
    fn rejoin(&mut self, slot: u32, trade: TradeId, matched: &Match, events: &mut Vec<Event>) {
        let order = &mut self.orders[slot];
        let before = order.remaining;
        let Some(after) =
            before.checked_add(1).filter(|after| order.price.checked_mul((*after).into()).is_some())
        else {
            return;
        };
        order.remaining = after;
        order.filled = order.filled.saturating_sub(1);
        let Order { id, side, price, sequence, level, .. } = *order;
        self.levels[level].quantity += 1;
        self.beat(id, trade.0);
        let returned = Returned { trade, order: id, account: matched.seller, price, sequence };
        self.emit(matched.market, Change::Returned(returned), events);
        let rested = Rested { order: id, side, price, quantity: 1, sequence };
        self.emit(matched.market, Change::Rested(rested), events);
    }

    /// The ask is filled and gone: it comes back as an order of one piece. Bids that came since may meet it at once.
    fn bring_back(&mut self, trade: TradeId, matched: &Match, events: &mut Vec<Event>) {
        let Match { ask: id, seller: account, limit: price, sequence, market, .. } = *matched;
        let party = self.accounts.find(account).unwrap_or(NIL);
        let mut taker = Taker {
            id,
            account,
            party,
            side: Side::Ask,
            price,
            remaining: 1,
            filled: 0,
            sequence,
            expires_at: matched.returns_before,
            self_trade: SelfTrade::ExpireTaker,
            returns: true,
        };
        let returned = Returned { trade, order: id, account, price, sequence };
        self.emit(market, Change::Returned(returned), events);
        self.numbers.reopen(id);
        match self.take(market, &mut taker, events) {
            Status::Open => {
                let expires_at = matched.returns_before.unwrap_or(self.now);
                let account = self.accounts.open(account);
                let slot = self.rest(taker.into_order(account, market, expires_at));
                self.numbers.rest(id, slot);
            }
            closed => self.numbers.close(id, closed, self.now),
        }
    }
}

impl Taker {
    /// What is left of it, ready to rest.
    #[inline]
    pub fn into_order(self, account: u32, market: u32, expires_at: Timestamp) -> Order {
        let Self { id, sequence, price, remaining, filled, side, returns, .. } = self;
        let (level, ahead, behind) = (NIL, NIL, NIL);
        Order {
            id,
            sequence,
            price,
            expires_at,
            remaining,
            filled,
            account,
            market,
            level,
            ahead,
            behind,
            side,
            returns,
        }
    }
}
