//! A book written from the rules alone: one list of all orders there ever were, searched from end to end each time. Slow,
//! and too simple to share a fault with the engine.

use matching::*;

#[derive(Clone)]
struct Order {
    id: OrderId,
    account: AccountId,
    market: MarketId,
    side: Side,
    price: Price,
    remaining: Quantity,
    filled: Quantity,
    expires_at: Option<Timestamp>,
    sequence: Sequence,
    returns: bool,
    /// `None`: on its way in.
    status: Option<Status>,
}

/// A match of some pieces.
#[derive(Clone)]
struct Deal {
    first: TradeId,
    quantity: Quantity,
    market: MarketId,
    at: Timestamp,
    price: Price,
    bid: OrderId,
    /// As it was when it matched.
    ask: Order,
    failed: Vec<TradeId>,
}

struct Kept {
    account: AccountId,
    key: Key,
    action: Action,
    ts: Timestamp,
    answer: Result<Answer, Refusal>,
}

pub struct Naive {
    limits: Limits,
    now: Timestamp,
    markets: Vec<(MarketId, MarketRules, u64)>,
    orders: Vec<Order>,
    sequence: Sequence,
    deals: Vec<Deal>,
    kept: Vec<Kept>,
    paused: Vec<AccountId>,
    events: Vec<Event>,
}

impl Naive {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            now: 0,
            markets: vec![],
            orders: vec![],
            sequence: 0,
            deals: vec![],
            kept: vec![],
            paused: vec![],
            events: vec![],
        }
    }

    pub fn apply(&mut self, command: &Command) -> Vec<Event> {
        self.now = self.now.max(command.ts);
        self.expire();
        match command.action {
            Action::SetMarket { market, rules } => self.set_market(market, rules),
            Action::SetLimits(limits) if limits.lifetime_us < 1 || limits.retention_us < 0 => {
                self.refuse(None, Refusal::BadLimits);
            }
            Action::SetLimits(limits) => {
                self.limits = limits;
                self.events.push(Event::LimitsSet(limits));
            }
            Action::Place(place) => self.once(place.account, place.key, command, |book| book.place(place)),
            Action::Amend(amend) => self.once(amend.account, amend.key, command, |book| book.amend(amend)),
            Action::Reduce(amend) => self.once(amend.account, amend.key, command, |book| book.reduce(amend)),
            Action::Cancel(cancel) => {
                self.once(cancel.account, cancel.key, command, |book| book.cancel(cancel))
            }
            Action::PauseSelling { account } => self.pause(account),
            Action::ResumeSelling { account } => {
                self.paused.retain(|paused| *paused != account);
                self.events.push(Event::SellingResumed { account });
            }
            Action::AuthLapsed { order } => match self.open_order(order) {
                Some(index) => self.end_resting(index, Reason::AuthLapsed),
                None => self.refuse(None, Refusal::NotActive { status: self.status(order) }),
            },
            Action::PaymentFailed { trade } => self.payment_failed(trade),
            Action::Tick => self.events.push(Event::Ticked { ts: self.now }),
        }
        std::mem::take(&mut self.events)
    }

    /// Resting orders of a side in the order in which they match.
    pub fn queue(&self, market: MarketId, side: Side) -> Vec<(OrderId, Price, Quantity)> {
        let mut rest: Vec<&Order> = self.orders.iter().filter(|order| order.rests_at(market, side)).collect();
        rest.sort_by_key(|order| {
            (if side == Side::Bid { -order.price } else { order.price }, order.sequence)
        });
        rest.iter().map(|order| (order.id, order.price, order.remaining)).collect()
    }

    fn once(
        &mut self,
        account: AccountId,
        key: Option<Key>,
        command: &Command,
        work: impl FnOnce(&mut Self) -> Result<Answer, Refusal>,
    ) {
        let (now, retention_us) = (self.now, self.limits.retention_us);
        self.kept.retain(|kept| now - kept.ts < retention_us);
        let before = self.kept.iter().find(|kept| Some(kept.key) == key && kept.account == account);
        match (before, key) {
            (Some(kept), Some(key)) if kept.action == asked_for(command.action) => {
                self.events.push(Event::Repeated { account, key, answer: kept.answer });
            }
            (Some(_), _) => self.refuse(Some(account), Refusal::IdempotencyConflict),
            (None, key) => {
                let answer = work(self);
                if let Err(refusal) = answer {
                    self.refuse(Some(account), refusal);
                }
                if let Some(key) = key {
                    let action = asked_for(command.action);
                    self.kept.push(Kept { account, key, action, ts: now, answer });
                }
            }
        }
    }

    fn refuse(&mut self, account: Option<AccountId>, refusal: Refusal) {
        self.events.push(Event::Refused { account, refusal });
    }

    fn say(&mut self, market: MarketId, change: Change) {
        let known = self.markets.iter_mut().find(|(id, ..)| *id == market).unwrap();
        known.2 += 1;
        self.events.push(Event::Book(BookEvent { market, seq: known.2, ts: self.now, change }));
    }

    fn set_market(&mut self, market: MarketId, rules: MarketRules) {
        let MarketRules { tick, price_min, price_max } = rules;
        let can_be_met = tick >= 1 && price_min >= 1 && price_max / tick.max(1) * tick >= price_min;
        if !can_be_met {
            return self.refuse(None, Refusal::BadRules);
        }
        match self.markets.iter_mut().find(|(id, ..)| *id == market) {
            Some(known) => known.1 = rules,
            None => self.markets.push((market, rules, 0)),
        }
        self.say(market, Change::RulesSet(rules));
    }

    fn expire(&mut self) {
        loop {
            let due = self.orders.iter().enumerate().filter(|(_, order)| {
                order.status == Some(Status::Open) && order.expires_at.is_some_and(|at| at <= self.now)
            });
            let Some((index, _)) = due.min_by_key(|(_, order)| (order.expires_at, order.id)) else { return };
            let order = self.orders[index].clone();
            self.orders[index].status = Some(Status::Expired);
            let Order { id, account, side, price, remaining, .. } = order;
            let expires_at = order.expires_at.unwrap();
            let expired = Expired { order: id, account, side, price, quantity: remaining, expires_at };
            self.say(order.market, Change::Expired(expired));
        }
    }

    fn rules_of(&self, market: MarketId) -> Option<MarketRules> {
        self.markets.iter().find(|(id, ..)| *id == market).map(|(_, rules, _)| *rules)
    }

    fn check_price(rules: MarketRules, price: Price, quantity: Quantity) -> Result<(), Refusal> {
        let MarketRules { tick, price_min, price_max } = rules;
        if price % tick != 0 {
            return Err(Refusal::PriceOffTick { tick });
        }
        if price < price_min || price > price_max {
            return Err(Refusal::PriceOutOfRange { price_min, price_max });
        }
        Self::check_size(price, quantity)
    }

    fn check_size(price: Price, quantity: Quantity) -> Result<(), Refusal> {
        let total = i128::from(price) * i128::from(quantity);
        if total > i128::from(i64::MAX) { Err(Refusal::TooLarge) } else { Ok(()) }
    }

    fn check_expiry(&self, expires_at: Timestamp) -> Result<(), Refusal> {
        let latest = self.now.saturating_add(self.limits.lifetime_us);
        let fits = expires_at > self.now && expires_at <= latest;
        if fits { Ok(()) } else { Err(Refusal::ExpiryOutOfRange { latest }) }
    }

    fn check_caps(&self, account: AccountId, market: MarketId) -> Result<(), Refusal> {
        let own = |order: &&Order| order.account == account && order.status == Some(Status::Open);
        let all = self.orders.iter().filter(own).count();
        let here = self.orders.iter().filter(own).filter(|order| order.market == market).count();
        let Limits { orders_per_account_and_market, orders_per_account, .. } = self.limits;
        if all >= orders_per_account as usize {
            return Err(Refusal::TooMany { max: orders_per_account });
        }
        if here >= orders_per_account_and_market as usize {
            return Err(Refusal::TooManyInMarket { max: orders_per_account_and_market });
        }
        Ok(())
    }

    fn place(&mut self, place: Place) -> Result<Answer, Refusal> {
        let Place { account, market, side, price, quantity, .. } = place;
        let rules = self.rules_of(market).ok_or(Refusal::UnknownMarket)?;
        if quantity == 0 {
            return Err(Refusal::QuantityZero);
        }
        Self::check_price(rules, price, quantity)?;
        if side == Side::Ask && self.paused.contains(&account) {
            return Err(Refusal::SellingPaused);
        }
        let expires_at = match place.life {
            Life::Immediate => None,
            Life::Rest { expires_at: None } => Some(self.now.saturating_add(self.limits.lifetime_us)),
            Life::Rest { expires_at: Some(at) } => {
                self.check_expiry(at)?;
                Some(at)
            }
            Life::RestFor { lifetime_us } => {
                let at = self.now.saturating_add(lifetime_us);
                self.check_expiry(at)?;
                Some(at)
            }
        };
        if expires_at.is_some() {
            self.check_caps(account, market)?;
        } else {
            let best = self.queue(market, side.opposite()).first().map(|(_, price, _)| *price);
            if !best.is_some_and(|best| meets(side, price, best)) {
                return Err(Refusal::PriceMoved { best });
            }
        }
        self.sequence += 1;
        let order = Order {
            id: OrderId(self.orders.len() as u64 + 1),
            account,
            market,
            side,
            price,
            remaining: quantity,
            filled: 0,
            expires_at,
            sequence: self.sequence,
            returns: place.returns,
            status: None,
        };
        let placed =
            Placed { order: order.id, account, side, price, quantity, expires_at, sequence: self.sequence };
        self.orders.push(order);
        self.say(market, Change::Placed(placed));
        Ok(self.take(self.orders.len() - 1, place.self_trade))
    }

    /// An order that is in no queue meets the book.
    fn take(&mut self, index: usize, self_trade: SelfTrade) -> Answer {
        let Order { id, account, market, side, price, sequence, expires_at, .. } = self.orders[index].clone();
        let mut reason = expires_at.is_none().then_some(Reason::Immediate);
        while self.orders[index].remaining > 0 {
            let Some((maker, best, available)) = self.queue(market, side.opposite()).first().copied() else {
                break;
            };
            if !meets(side, price, best) {
                break;
            }
            let maker = self.open_order(maker).unwrap();
            if self.orders[maker].account == account {
                if self_trade == SelfTrade::ExpireMaker {
                    self.end_resting(maker, Reason::SelfTrade);
                    continue;
                }
                reason = Some(Reason::SelfTrade);
                break;
            }
            let quantity = available.min(self.orders[index].remaining);
            self.fill(index, maker, quantity);
        }
        let Order { remaining: quantity, filled, .. } = self.orders[index];
        let status = match (quantity, reason) {
            (0, _) => Status::Filled,
            (_, Some(reason)) => {
                let cancelled =
                    Cancelled { order: id, account, side, price, quantity, resting: false, reason };
                self.say(market, Change::Cancelled(cancelled));
                Status::Cancelled
            }
            (_, None) => {
                self.say(market, Change::Rested(Rested { order: id, side, price, quantity, sequence }));
                Status::Open
            }
        };
        self.orders[index].status = Some(status);
        Answer { order: id, status, filled, remaining: if status == Status::Open { quantity } else { 0 } }
    }

    fn fill(&mut self, taker: usize, maker: usize, quantity: Quantity) {
        for index in [taker, maker] {
            self.orders[index].remaining -= quantity;
            self.orders[index].filled += quantity;
        }
        let (incoming, resting) = (self.orders[taker].clone(), self.orders[maker].clone());
        let (bid, ask) =
            if resting.side == Side::Ask { (&incoming, &resting) } else { (&resting, &incoming) };
        let first = TradeId(self.deals.iter().map(|deal| u64::from(deal.quantity)).sum::<u64>() + 1);
        self.deals.push(Deal {
            first,
            quantity,
            market: resting.market,
            at: self.now,
            price: resting.price,
            bid: bid.id,
            ask: ask.clone(),
            failed: vec![],
        });
        let matched = Matched {
            trade: first,
            price: resting.price,
            quantity,
            maker: resting.id,
            maker_account: resting.account,
            maker_side: resting.side,
            maker_remaining: resting.remaining,
            taker: incoming.id,
            taker_account: incoming.account,
            taker_remaining: incoming.remaining,
        };
        self.say(resting.market, Change::Matched(matched));
        if resting.remaining == 0 {
            self.orders[maker].status = Some(Status::Filled);
        }
    }

    fn amend(&mut self, amend: Amend) -> Result<Answer, Refusal> {
        let index = self.own(amend.account, amend.order)?;
        let before = self.orders[index].clone();
        let quantity = amend.quantity.unwrap_or(before.filled + before.remaining);
        let price = amend.price.unwrap_or(before.price);
        if quantity == 0 {
            return Err(Refusal::QuantityZero);
        }
        if quantity <= before.filled {
            return Err(Refusal::NotAboveFilled { filled: before.filled });
        }
        match price == before.price {
            true => Self::check_size(price, quantity)?,
            false => Self::check_price(self.rules_of(before.market).unwrap(), price, quantity)?,
        }
        if let Some(at) = amend.expires_at {
            self.check_expiry(at)?;
        }
        let remaining = quantity - before.filled;
        let kept_place = price == before.price && remaining <= before.remaining;
        if !kept_place {
            self.sequence += 1;
            self.orders[index].sequence = self.sequence;
            self.orders[index].status = None;
        }
        let order = &mut self.orders[index];
        (order.price, order.remaining) = (price, remaining);
        order.expires_at = amend.expires_at.or(order.expires_at);
        let amended = Amended {
            order: order.id,
            account: order.account,
            side: order.side,
            price_before: before.price,
            price,
            remaining_before: before.remaining,
            remaining,
            expires_at: order.expires_at.unwrap(),
            sequence: order.sequence,
            kept_place,
        };
        let (id, filled) = (order.id, order.filled);
        self.say(before.market, Change::Amended(amended));
        Ok(match kept_place {
            true => Answer { order: id, status: Status::Open, filled, remaining },
            false => self.take(index, SelfTrade::ExpireTaker),
        })
    }

    fn reduce(&mut self, amend: Amend) -> Result<Answer, Refusal> {
        let order = &self.orders[self.own(amend.account, amend.order)?];
        let more = amend.quantity > Some(order.filled + order.remaining);
        match more || amend.expires_at > order.expires_at {
            true => Err(Refusal::NotLess),
            false => self.amend(amend),
        }
    }

    fn cancel(&mut self, cancel: Cancel) -> Result<Answer, Refusal> {
        let index = self.own(cancel.account, cancel.order)?;
        self.end_resting(index, Reason::Owner);
        let Order { id, filled, .. } = self.orders[index];
        Ok(Answer { order: id, status: Status::Cancelled, filled, remaining: 0 })
    }

    fn pause(&mut self, account: AccountId) {
        if !self.paused.contains(&account) {
            self.paused.push(account);
        }
        self.events.push(Event::SellingPaused { account });
        for index in 0..self.orders.len() {
            let order = &self.orders[index];
            if order.account == account && order.side == Side::Ask && order.status == Some(Status::Open) {
                self.end_resting(index, Reason::SellingPaused);
            }
        }
    }

    fn payment_failed(&mut self, trade: TradeId) {
        let (now, retention_us) = (self.now, self.limits.retention_us);
        let found = self.deals.iter_mut().find(|deal| {
            let pieces = deal.first.0..deal.first.0 + u64::from(deal.quantity);
            pieces.contains(&trade.0) && now - deal.at < retention_us
        });
        let Some(deal) = found else { return self.refuse(None, Refusal::UnknownTrade) };
        if deal.failed.contains(&trade) {
            return self.refuse(None, Refusal::AlreadyFailed);
        }
        deal.failed.push(trade);
        let Deal { market, bid, price, ask, .. } = deal.clone();
        self.say(market, Change::PaymentFailed(PaymentFailed { trade, ask: ask.id, bid, price }));
        let will =
            ask.returns && ask.expires_at.is_some_and(|at| at > now) && !self.paused.contains(&ask.account);
        let index = ask.id.0 as usize - 1;
        match self.orders[index].status {
            Some(Status::Open) if will => {
                let order = &mut self.orders[index];
                order.remaining += 1;
                order.filled = order.filled.saturating_sub(1);
                let Order { id, account, side, price, sequence, .. } = *order;
                self.say(market, Change::Returned(Returned { trade, order: id, account, price, sequence }));
                self.say(market, Change::Rested(Rested { order: id, side, price, quantity: 1, sequence }));
            }
            Some(Status::Filled) if will => {
                let Order { id, account, price, sequence, .. } = ask;
                self.orders[index] = Order { remaining: 1, filled: 0, status: None, ..ask };
                self.say(market, Change::Returned(Returned { trade, order: id, account, price, sequence }));
                self.take(index, SelfTrade::ExpireTaker);
            }
            _ => {}
        }
    }

    fn end_resting(&mut self, index: usize, reason: Reason) {
        let Order { id, account, market, side, price, remaining, .. } = self.orders[index];
        self.orders[index].status = Some(Status::Cancelled);
        let cancelled =
            Cancelled { order: id, account, side, price, quantity: remaining, resting: true, reason };
        self.say(market, Change::Cancelled(cancelled));
    }

    fn own(&self, account: AccountId, order: OrderId) -> Result<usize, Refusal> {
        match self.open_order(order) {
            Some(index) if self.orders[index].account == account => Ok(index),
            Some(_) => Err(Refusal::NotActive { status: None }),
            None => Err(Refusal::NotActive { status: self.status(order) }),
        }
    }

    fn open_order(&self, id: OrderId) -> Option<usize> {
        self.orders.iter().position(|order| order.id == id && order.status == Some(Status::Open))
    }

    fn status(&self, id: OrderId) -> Option<Status> {
        self.orders.iter().find(|order| order.id == id).and_then(|order| order.status)
    }
}

impl Order {
    fn rests_at(&self, market: MarketId, side: Side) -> bool {
        self.status == Some(Status::Open) && self.market == market && self.side == side
    }
}

/// Whether an order with this limit matches one that rests at `best`.
fn meets(side: Side, limit: Price, best: Price) -> bool {
    match side {
        Side::Bid => best <= limit,
        Side::Ask => best >= limit,
    }
}

/// What a key stands for: a change is the same whether or not it may only take away.
fn asked_for(action: Action) -> Action {
    match action {
        Action::Reduce(amend) => Action::Amend(amend),
        action => action,
    }
}
