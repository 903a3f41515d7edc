//! A whole state as bytes, and back. Equal states have equal bytes, wherever their parts lie in memory.

use std::collections::BTreeSet;

use crate::book::Order;
use crate::codec::{Codec, Malformed, fields};
use crate::hash::digest_of;
use crate::keys::Kept;
use crate::numbers::{Numbers, PAGE, Page};
use crate::slab::NIL;
use crate::state::can_be_met;
use crate::trade::{Match, Trades};
use crate::{
    AccountId, Key, Limits, MarketId, MarketRules, MarketView, OrderId, OrderView, Price, Quantity, Sequence,
    Side, State, Timestamp,
};

/// The first byte. Another layout takes another number.
const VERSION: u8 = 1;

struct Resting {
    id: OrderId,
    account: AccountId,
    sequence: Sequence,
    price: Price,
    remaining: Quantity,
    filled: Quantity,
    expires_at: Timestamp,
    returns: bool,
}

impl State {
    /// Everything that decides what comes next.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.limits.encode(&mut out);
        self.now.encode(&mut out);
        self.orders_issued.encode(&mut out);
        self.sequences_issued.encode(&mut out);
        self.pulse.encode(&mut out);
        self.numbers.encode(&mut out);
        u64::from(self.markets.len()).encode(&mut out);
        for market in self.markets() {
            self.encode_market(&market, &mut out);
        }
        self.accounts.paused().encode(&mut out);
        let keys = self.keys.fresh(self.now, self.limits.retention_us);
        keys.encode(&mut out);
        self.trades.encode(self.now, self.limits.retention_us, &mut out);
        out
    }

    /// # Errors
    /// The bytes are no state, or one that no commands lead to.
    pub fn decode(mut input: &[u8]) -> Result<Self, Malformed> {
        let input = &mut input;
        ensure(u8::decode(input)? == VERSION)?;
        let limits = Limits::decode(input)?;
        ensure(limits.lifetime_us >= 1 && limits.retention_us >= 0)?;
        let mut state = Self::new(limits);
        state.now = Codec::decode(input)?;
        ensure(state.now >= 0)?;
        state.orders_issued = Codec::decode(input)?;
        state.sequences_issued = Codec::decode(input)?;
        let pulse = Codec::decode(input)?;
        state.numbers = Numbers::decode(input, state.orders_issued)?;
        let markets = u64::decode(input)?;
        for _ in 0..markets {
            state.decode_market(input)?;
        }
        let paused = ascending(Vec::<AccountId>::decode(input)?)?;
        for account in paused {
            state.accounts.pause(account);
        }
        let keys = Vec::<((AccountId, Key), Kept)>::decode(input)?;
        ensure(keys.is_sorted_by(|one, next| one.0 < next.0))?;
        for ((account, key), kept) in keys {
            ensure(kept.ts <= state.now && state.now.saturating_sub(kept.ts) < limits.retention_us)?;
            state.keys.keep(account, key, kept, i64::MAX);
        }
        state.trades = Trades::decode(input, &state)?;
        ensure(input.is_empty() && state.numbers.open_len() == state.orders_len())?;
        state.audit().map_err(|_| Malformed)?;
        state.pulse = pulse;
        Ok(state)
    }

    /// A digest of everything that decides what comes next. Reads the whole state; see [`pulse`](Self::pulse).
    pub fn digest(&self) -> u64 {
        digest_of(&self.encode())
    }

    fn encode_market(&self, market: &MarketView<'_>, out: &mut Vec<u8>) {
        market.id().encode(out);
        market.rules().encode(out);
        market.seq().encode(out);
        for side in [Side::Bid, Side::Ask] {
            let queue: Vec<OrderView> = market.queue(side).collect();
            (queue.len() as u64).encode(out);
            for order in queue {
                self.resting(&order).encode(out);
            }
        }
    }

    fn resting(&self, order: &OrderView) -> Resting {
        let OrderView { order: id, account, sequence, price, remaining, filled, expires_at, .. } = *order;
        let returns = self.numbers.slot(id).is_some_and(|slot| self.orders[slot].returns);
        Resting { id, account, sequence, price, remaining, filled, expires_at, returns }
    }

    fn decode_market(&mut self, input: &mut &[u8]) -> Result<(), Malformed> {
        let (id, rules, seq) = (MarketId::decode(input)?, MarketRules::decode(input)?, u64::decode(input)?);
        ensure(can_be_met(rules) && seq >= 1 && self.markets.find(id).is_none())?;
        let market = self.markets.open(id, rules);
        self.markets.go_on(market, seq);
        for side in [Side::Bid, Side::Ask] {
            let mut before: Option<(i64, Sequence)> = None;
            for _ in 0..u64::decode(input)? {
                let order = Resting::decode(input)?;
                let place = (-crate::book::key(side, order.price.max(1)), order.sequence);
                ensure(before.is_none_or(|before| before < place))?;
                before = Some(place);
                self.restore(market, side, order)?;
            }
        }
        Ok(())
    }

    fn restore(&mut self, market: u32, side: Side, order: Resting) -> Result<(), Malformed> {
        let Resting { id, account, sequence, price, remaining, filled, expires_at, returns } = order;
        ensure((1..=self.orders_issued).contains(&id.0) && (1..=self.sequences_issued).contains(&sequence))?;
        ensure(price >= 1 && remaining >= 1 && expires_at > self.now)?;
        // Open and in no book yet.
        ensure(self.numbers.status(id) == Some(crate::Status::Open) && self.numbers.slot(id).is_none())?;
        let total = filled.checked_add(remaining).ok_or(Malformed)?;
        price.checked_mul(total.into()).ok_or(Malformed)?;
        let account = self.accounts.open(account);
        let (level, ahead, behind) = (NIL, NIL, NIL);
        let order = Order {
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
        };
        let slot = self.rest(order);
        self.numbers.rest(id, slot);
        Ok(())
    }
}

impl Numbers {
    fn encode(&self, out: &mut Vec<u8>) {
        self.base.encode(out);
        (self.pages.len() as u64).encode(out);
        for page in &self.pages {
            page.is_some().encode(out);
            if let Some(page) = page {
                page.closed_at.encode(out);
                out.extend(page.states());
            }
        }
    }

    fn decode(input: &mut &[u8], issued: u64) -> Result<Self, Malformed> {
        let (base, len) = (u64::decode(input)?, u64::decode(input)?);
        let end = base.checked_add(len).ok_or(Malformed)?;
        let expected = if issued == 0 { 0 } else { issued / PAGE as u64 + 1 };
        ensure(end == expected && (issued > 0) == (len > 0) && len <= input.len() as u64)?;
        let mut pages = Vec::new();
        for number in base..end {
            pages.push(if bool::decode(input)? { Some(decode_page(input, number, issued)?) } else { None });
        }
        ensure([pages.first(), pages.last()].into_iter().flatten().all(Option::is_some))?;
        Ok(Self::restore(base, pages))
    }

    fn open_len(&self) -> usize {
        self.pages.iter().flatten().map(|page| page.open as usize).sum()
    }
}

fn decode_page(input: &mut &[u8], number: u64, issued: u64) -> Result<Page, Malformed> {
    let mut page = Page::new(Codec::decode(input)?);
    let (states, rest) = input.split_first_chunk::<PAGE>().ok_or(Malformed)?;
    *input = rest;
    for (index, state) in states.iter().enumerate() {
        let order = number * PAGE as u64 + index as u64;
        let is_issued = order >= 1 && order <= issued;
        ensure(is_issued == (*state > 0) && page.set(index, *state))?;
    }
    Ok(page)
}

impl Trades {
    fn encode(&self, now: Timestamp, retention_us: i64, out: &mut Vec<u8>) {
        self.issued.encode(out);
        let fresh = self.matches.iter().filter(|matched| now.saturating_sub(matched.at) < retention_us);
        let fresh: Vec<Match> = fresh.copied().collect();
        let failed: Option<Vec<crate::TradeId>> =
            fresh.first().map(|first| self.failed.range(first.first..).copied().collect());
        fresh.encode(out);
        failed.unwrap_or_default().encode(out);
    }

    fn decode(input: &mut &[u8], state: &State) -> Result<Self, Malformed> {
        let issued = u64::decode(input)?;
        let matches = Vec::<Match>::decode(input)?;
        let mut next = 1;
        let mut at = 0;
        for matched in &matches {
            ensure(
                matched.first.0 >= next
                    && matched.quantity >= 1
                    && matched.at >= at
                    && matched.at <= state.now,
            )?;
            ensure(matched.market < state.markets.len() && matched.limit >= 1)?;
            ensure(matched.sequence <= state.sequences_issued && matched.ask.0 <= state.orders_issued)?;
            ensure(state.now.saturating_sub(matched.at) < state.limits.retention_us)?;
            next = matched.first.0.checked_add(matched.quantity.into()).ok_or(Malformed)?;
            at = matched.at;
        }
        ensure(next - 1 <= issued)?;
        let failed = ascending(Vec::<crate::TradeId>::decode(input)?)?;
        let first = matches.first().map(|matched| matched.first);
        ensure(failed.iter().all(|trade| first.is_some_and(|first| *trade >= first) && trade.0 <= issued))?;
        Ok(Self { issued, matches: matches.into(), failed: BTreeSet::from_iter(failed) })
    }

    pub fn bytes(&self) -> usize {
        self.matches.capacity() * size_of::<Match>() + self.failed.len() * 16
    }
}

fn ascending<T: Ord>(values: Vec<T>) -> Result<Vec<T>, Malformed> {
    ensure(values.is_sorted_by(|one, next| one < next))?;
    Ok(values)
}

fn ensure(holds: bool) -> Result<(), Malformed> {
    if holds { Ok(()) } else { Err(Malformed) }
}

fields! {
    Resting { id, account, sequence, price, remaining, filled, expires_at, returns }
    Kept { ts, fingerprint, answer }
    Match { first, quantity, market, at, price, bid, ask, seller, limit, sequence, returns_before }
}

impl<A: Codec, B: Codec> Codec for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        Ok((A::decode(input)?, B::decode(input)?))
    }
}
