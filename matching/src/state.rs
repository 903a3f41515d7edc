//! Everything the engine knows, and the few steps that change it.

use crate::account::Accounts;
use crate::book::Order;
use crate::calendar::{Calendar, NEVER};
use crate::hash::mix;
use crate::keys::Keys;
use crate::level::Level;
use crate::market::Markets;
use crate::numbers::Numbers;
use crate::slab::Slab;
use crate::trade::Trades;
use crate::{
    BookEvent, Broken, Cancelled, Change, Event, Expired, Limits, MarketId, MarketRules, OrderId, Price,
    Reason, Refusal, Sequence, Status, Timestamp,
};

/// All markets of one engine, their orders, and what must be remembered of those that are gone.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(crate) limits: Limits,
    pub(crate) now: Timestamp,
    /// Orders and sequences given out so far.
    pub(crate) orders_issued: u64,
    pub(crate) sequences_issued: Sequence,
    pub(crate) pulse: u64,
    pub(crate) markets: Markets,
    pub(crate) orders: Slab<Order>,
    pub(crate) levels: Slab<Level>,
    pub(crate) numbers: Numbers,
    pub(crate) accounts: Accounts,
    pub(crate) calendar: Calendar,
    pub(crate) keys: Keys,
    pub(crate) trades: Trades,
    pub(crate) broken: Option<Broken>,
}

impl State {
    /// No market, no order, time zero.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Moves time forward, forgets what is old enough and expires what is due.
    #[inline]
    pub(crate) fn advance(&mut self, ts: Timestamp, events: &mut Vec<Event>) {
        self.now = self.now.max(ts);
        self.numbers.trim(self.now.saturating_sub(self.limits.retention_us));
        if self.calendar.is_due(self.now) {
            self.expire(events);
        }
    }

    #[cold]
    fn expire(&mut self, events: &mut Vec<Event>) {
        while let Some(slot) = self.calendar.pop(&self.orders, self.now) {
            let Order { id, side, price, remaining, expires_at, account, market, .. } = self.orders[slot];
            let account = self.accounts.id(account);
            let expired = Expired { order: id, account, side, price, quantity: remaining, expires_at };
            self.emit(market, Change::Expired(expired), events);
            self.close(slot, Status::Expired);
        }
    }

    pub(crate) fn set_market(
        &mut self,
        id: MarketId,
        rules: MarketRules,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        if !can_be_met(rules) {
            return Err(Refusal::BadRules);
        }
        let market = match self.markets.find(id) {
            Some(market) => {
                self.markets.set_rules(market, rules);
                market
            }
            None => self.markets.open(id, rules),
        };
        self.emit(market, Change::RulesSet(rules), events);
        Ok(())
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) -> Result<(), Refusal> {
        if limits.lifetime_us < 1 || limits.retention_us < 0 {
            return Err(Refusal::BadLimits);
        }
        // What the old limits let go must not come back.
        self.keys.purge(self.now, self.limits.retention_us);
        self.trades.trim(self.now, self.limits.retention_us);
        self.limits = limits;
        Ok(())
    }

    #[inline]
    pub(crate) fn market_index(&self, id: MarketId) -> Result<u32, Refusal> {
        self.markets.find(id).ok_or(Refusal::UnknownMarket)
    }

    #[inline(always)]
    pub(crate) fn emit(&mut self, market: u32, change: Change, events: &mut Vec<Event>) {
        let (market, seq) = self.markets.step(market);
        events.push(Event::Book(BookEvent { market, seq, ts: self.now, change }));
    }

    #[inline]
    pub(crate) fn next_sequence(&mut self) -> Sequence {
        self.sequences_issued += 1;
        self.sequences_issued
    }

    /// An order begins to rest, at the slot that is given back. Its level need not be set. Always inlined: the order is written
    /// where it rests, field by field, and not copied there as a whole, which would wait for the fields.
    #[inline(always)]
    pub(crate) fn rest(&mut self, order: Order) -> u32 {
        let Order { id, price, remaining, account, market, .. } = order;
        let (slot, listed) = match self.orders.take_free() {
            Some(slot) => {
                let listed = self.orders[slot].expires_at;
                self.orders[slot] = order;
                (slot, listed)
            }
            None => (self.orders.push(order), NEVER),
        };
        self.beat(id, price as u64 ^ u64::from(remaining) << 40);
        self.accounts.join(account, market);
        self.queue(slot);
        self.calendar.add(&self.orders, slot, listed);
        slot
    }

    /// An order joins the queue of its price: at the end, unless it comes back to an earlier place.
    #[inline(always)]
    pub(crate) fn queue(&mut self, slot: u32) {
        let Order { side, price, market, sequence, .. } = self.orders[slot];
        let make = || self.levels.insert(Level::EMPTY);
        let tick = self.markets.rules(market).tick;
        let level = self.markets.own_book_mut(market).level(side, price, tick, make);
        self.orders[slot].level = level;
        if sequence == self.sequences_issued {
            self.levels[level].join(&mut self.orders, slot);
        } else {
            self.levels[level].join_again(&mut self.orders, slot);
        }
    }

    /// A resting order leaves the book for good.
    #[inline]
    pub(crate) fn close(&mut self, slot: u32, status: Status) {
        self.unqueue(slot);
        self.forget(slot, status);
    }

    /// A resting order leaves the queue of its price.
    #[inline(always)]
    pub(crate) fn unqueue(&mut self, slot: u32) {
        let level = self.orders[slot].level;
        self.levels[level].leave(&mut self.orders, slot);
        if self.levels[level].orders == 0 {
            self.close_level(slot);
        }
    }

    /// Nothing is left at the price of an order.
    #[inline(never)]
    fn close_level(&mut self, slot: u32) {
        let Order { side, price, market, level, .. } = self.orders[slot];
        self.levels.free(level);
        let tick = self.markets.rules(market).tick;
        if !self.markets.book_mut(market).close(side, price, tick) {
            self.broken = Some(Broken::LevelMissing);
        }
    }

    /// An order that is in no queue any more ends.
    #[inline(always)]
    pub(crate) fn forget(&mut self, slot: u32, status: Status) {
        let Order { id, account, market, .. } = self.orders[slot];
        self.beat(id, status as u64);
        self.numbers.close(id, status, self.now);
        self.accounts.leave(account, market);
        self.orders[slot].id = OrderId(0);
        self.orders.free(slot);
    }

    /// [`close`](Self::close) with its event.
    pub(crate) fn cancel_resting(&mut self, slot: u32, reason: Reason, events: &mut Vec<Event>) {
        let Order { id, side, price, remaining, account, market, .. } = self.orders[slot];
        let account = self.accounts.id(account);
        let cancelled =
            Cancelled { order: id, account, side, price, quantity: remaining, resting: true, reason };
        self.emit(market, Change::Cancelled(cancelled), events);
        self.close(slot, Status::Cancelled);
    }

    /// Adds a step to the pulse.
    #[inline]
    pub(crate) fn beat(&mut self, order: OrderId, what: u64) {
        self.pulse = mix(self.pulse, order.0.rotate_left(32) ^ what);
    }

    #[inline]
    pub(crate) fn assert_uncrossed(&mut self, market: u32) {
        if self.markets.book(market).is_crossed() {
            self.broken = Some(Broken::Crossed);
        }
    }

    /// Whether a price may be asked for in a market, with this quantity.
    #[inline]
    pub(crate) fn admit_price(&self, market: u32, price: Price, quantity: u32) -> Result<(), Refusal> {
        let MarketRules { tick, price_min, price_max } = *self.markets.rules(market);
        if tick != 1 && price % tick != 0 {
            return Err(Refusal::PriceOffTick { tick });
        }
        if price < price_min || price > price_max {
            return Err(Refusal::PriceOutOfRange { price_min, price_max });
        }
        match price.checked_mul(i64::from(quantity)) {
            Some(_) => Ok(()),
            None => Err(Refusal::TooLarge),
        }
    }

    /// When an order dies that asks for `expires_at`.
    #[inline]
    pub(crate) fn admit_expiry(&self, expires_at: Option<Timestamp>) -> Result<Timestamp, Refusal> {
        let latest = self.now.saturating_add(self.limits.lifetime_us);
        match expires_at {
            None => Ok(latest),
            Some(at) if at > self.now && at <= latest => Ok(at),
            Some(_) => Err(Refusal::ExpiryOutOfRange { latest }),
        }
    }
}

/// Whether there is a price on the tick and in the range.
pub(crate) fn can_be_met(rules: MarketRules) -> bool {
    let MarketRules { tick, price_min, price_max } = rules;
    let sane = tick >= 1 && price_min >= 1;
    sane && price_min.checked_add(tick - 1).is_some_and(|above| above / tick * tick <= price_max)
}
