//! One play: a few orders of a few offers, until everything has ended.

use std::collections::BTreeMap;

use ::orders::settlement::{self, Due, Heard, State, due, next, pause};
use ::payments::provider::sandbox::Faults;
use ::payments::rehearsal::{Charge, Rehearsal};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::inventory::Line;
use contract::event::payments::{AuthorisePayment, CapturePayment, RefundPayment, Share, VoidPayment};
use contract::{
    CurrencyCode, Event, LocationId, Money, OfferId, OrderId, PaymentId, RefundId, ReservationId, SellerId,
};
use entity::inventory::reservation::State as Kept;
use entity::inventory::stock_movement::Kind;
use inventory::desk::{Ask, Desk, Reserve};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

const OFFERS: u128 = 2;
const PIECES: i64 = 4;
const PRICE_MINOR: i64 = 1_000;
/// More steps than any play needs.
const STEPS_MAX: usize = 5_000;
/// How long stock and money are kept for an order.
const RESERVED_FOR: TimeDelta = TimeDelta::minutes(30);
const HELD_FOR: TimeDelta = TimeDelta::minutes(25);
/// Cards: most pay, one is declined, one asks its owner, who never answers.
const CARDS: [&str; 6] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa_chargeDeclined",
    "pm_card_threeDSecure2Required",
];

/// An order and where it stands.
struct Order {
    id: OrderId,
    state: State,
    repeats: i32,
    next_run_at: Option<DateTime<Utc>>,
    lines: Vec<Line>,
    card: &'static str,
    placed_at: DateTime<Utc>,
}

/// Who is to hear something.
#[derive(Clone, Debug)]
enum Message {
    Inventory(Ask),
    Payments(Event),
    Orders(OrderId, Heard),
}

/// From whom to whom messages of one order keep their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    ToInventory,
    ToPayments,
    FromInventory,
    FromPayments,
}

/// Something that can happen now.
#[derive(Clone, Copy, Debug)]
enum Step {
    Deliver(usize),
    CallProvider,
    OutOfPatience(usize),
    Cancel(usize),
    Expire,
    Wait,
}

pub struct Play {
    dice: StdRng,
    now: DateTime<Utc>,
    orders: Vec<Order>,
    desk: Desk,
    payments: Rehearsal,
    /// What is under way.
    queues: BTreeMap<(OrderId, Lane), Vec<Message>>,
    /// Everything that happened, for who looks into a failure.
    pub story: Vec<String>,
}

impl Play {
    pub fn new(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let faults = Faults {
            seed,
            dropped: 60,
            kept_done: 40,
            kept_undone: 40,
            lost: 40,
            rate_limited: 20,
            ..Faults::default()
        };
        let offers = (1..=OFFERS).map(|number| OfferId(Uuid::from_u128(number)));
        let shelf = |offer| (offer, BTreeMap::from([(LocationId(Uuid::from_u128(1)), PIECES)]));
        let desk = Desk {
            available: offers.clone().map(|offer| (offer, PIECES)).collect(),
            shelves: offers.map(shelf).collect(),
            ..Desk::default()
        };
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let orders = (0..dice.random_range(1..=4)).map(|number| order(&mut dice, now, number)).collect();
        let payments = Rehearsal::new(faults);
        let (queues, story) = (BTreeMap::new(), vec![]);
        Self { dice, now, orders, desk, payments, queues, story }
    }

    /// Plays to the end.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn run(&mut self) -> Result<(), String> {
        for place in 0..self.orders.len() {
            self.ask(place, &[settlement::Ask::Reserve]);
        }
        for _ in 0..STEPS_MAX {
            let steps = self.possible();
            if steps.is_empty() {
                return self.ended_right();
            }
            let step = steps[self.dice.random_range(0..steps.len())];
            self.story.push(format!("{} {step:?}", self.now.time()));
            self.take(step)?;
            self.holds()?;
        }
        Err("it does not come to an end".into())
    }

    /// Orders that were paid, and that came to nothing.
    pub fn ends(&self) -> (u64, u64) {
        let count = |state| self.orders.iter().filter(|order| order.state == state).count() as u64;
        (count(State::Settled), count(State::Cancelled))
    }

    fn possible(&mut self) -> Vec<Step> {
        let ready = self.queues.values().filter(|queue| !queue.is_empty()).count();
        let mut steps: Vec<Step> = (0..ready).flat_map(|place| [Step::Deliver(place); 4]).collect();
        let now = self.now;
        if self.payments.due().is_some_and(|due| due <= now) {
            steps.extend([Step::CallProvider; 3]);
        }
        for (place, order) in self.orders.iter().enumerate() {
            if order.next_run_at.is_some_and(|due| due <= now) {
                steps.push(Step::OutOfPatience(place));
            }
            if !order.state.is_over() && self.story.len() < 60 && self.story.len() % 17 == place {
                steps.push(Step::Cancel(place));
            }
        }
        if self.desk.reservations.values().any(|kept| kept.state == Kept::Active && kept.expires_at <= now) {
            steps.push(Step::Expire);
        }
        if self.next_moment().is_some() && (steps.is_empty() || self.dice.random_ratio(1, 10)) {
            steps.push(Step::Wait);
        }
        steps
    }

    /// When something is due that is not due yet.
    fn next_moment(&self) -> Option<DateTime<Utc>> {
        let patience = self.orders.iter().filter_map(|order| order.next_run_at);
        let kept = self.desk.reservations.values().filter(|kept| kept.state == Kept::Active);
        let moments = patience.chain(self.payments.due()).chain(kept.map(|kept| kept.expires_at));
        moments.filter(|moment| *moment > self.now).min()
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Deliver(place) => return self.deliver(place),
            Step::CallProvider => {
                let dice = &mut self.dice;
                // One answer in ten is lost with who heard it.
                let said = self.payments.round(self.now, || !dice.random_ratio(1, 10));
                self.spread(said.map_err(|failure| failure.to_string())?);
            }
            Step::OutOfPatience(place) => {
                let order = &self.orders[place];
                let heard = match due(order.state, order.repeats) {
                    Due::Silence => Heard::Silence,
                    Due::GaveUp => Heard::GaveUp,
                };
                self.hear(place, heard);
            }
            Step::Cancel(place) => self.hear(place, Heard::Cancel),
            Step::Expire => {
                let now = self.now;
                let over = self
                    .desk
                    .reservations
                    .values()
                    .filter(|kept| kept.state == Kept::Active && kept.expires_at <= now);
                let asks: Vec<Ask> = over
                    .map(|kept| Ask::Expire { reservation_id: kept.id, actor: "sweeper".into() })
                    .collect();
                asks.into_iter().try_for_each(|ask| self.deliver_ask(ask))?;
            }
            Step::Wait => {
                let moment = self.next_moment().unwrap_or(self.now);
                self.now = moment + TimeDelta::seconds(self.dice.random_range(0..3));
            }
        }
        Ok(())
    }

    /// The first message of a lane; one in five stays, to come again.
    fn deliver(&mut self, place: usize) -> Result<(), String> {
        let again = self.dice.random_ratio(1, 5);
        let queue = self.queues.values_mut().filter(|queue| !queue.is_empty()).nth(place).unwrap();
        let message = if again { queue[0].clone() } else { queue.remove(0) };
        self.story.push(format!("  {message:?}"));
        match message {
            Message::Inventory(ask) => self.deliver_ask(ask),
            Message::Payments(ask) => {
                let said = self.payments.hear(self.now, &ask).map_err(|failure| failure.to_string())?;
                self.spread(said);
                Ok(())
            }
            Message::Orders(order, heard) => {
                let place = self.orders.iter().position(|known| known.id == order).unwrap();
                self.hear(place, heard);
                Ok(())
            }
        }
    }

    fn deliver_ask(&mut self, ask: Ask) -> Result<(), String> {
        let answer = self.desk.answer(self.now, ask).map_err(|short| short.to_string())?;
        let heard = match answer.state {
            Kept::Active => Heard::StockReserved,
            Kept::Rejected => Heard::StockRefused,
            Kept::Committed => Heard::StockSold,
            Kept::Released | Kept::Expired => Heard::StockGivenBack,
        };
        let order = OrderId(answer.id.0);
        self.send(order, Lane::FromInventory, Message::Orders(order, heard));
        Ok(())
    }

    fn spread(&mut self, said: Vec<Event>) {
        for event in said {
            if let Some((order, heard)) = heard(&event) {
                self.send(order, Lane::FromPayments, Message::Orders(order, heard));
            }
        }
    }

    fn send(&mut self, order: OrderId, lane: Lane, message: Message) {
        self.queues.entry((order, lane)).or_default().push(message);
    }

    /// As `drive` does it: one row of the table, its patience, its asks.
    fn hear(&mut self, place: usize, heard: Heard) {
        let order = &mut self.orders[place];
        let Some((state, asks)) = next(order.state, heard) else { return };
        order.repeats = if state == order.state { order.repeats + 1 } else { 0 };
        order.next_run_at = pause(state, order.repeats, self.dice.random()).map(|pause| self.now + pause);
        order.state = state;
        self.story.push(format!("  {} is {state:?}", order.id));
        self.ask(place, asks);
        if state.needs_operator() {
            // Who looks into it asks again.
            let order = self.orders[place].id;
            self.send(order, Lane::FromInventory, Message::Orders(order, Heard::Retry));
        }
    }

    fn ask(&mut self, place: usize, asks: &[settlement::Ask]) {
        for ask in asks {
            let message = self.orders[place].asks(*ask);
            let lane =
                if matches!(message, Message::Inventory(_)) { Lane::ToInventory } else { Lane::ToPayments };
            self.send(self.orders[place].id, lane, message);
        }
    }

    /// What must be true at any time.
    fn holds(&self) -> Result<(), String> {
        if let Some((offer, available)) = self.desk.available.iter().find(|(_, available)| **available < 0) {
            return Err(format!("{available} pieces of {offer} are available"));
        }
        match self.payments.unbalanced_minor() {
            0 => Ok(()),
            wrong => Err(format!("debits are {wrong} more than credits")),
        }
    }

    /// What must be true at the end.
    fn ended_right(&self) -> Result<(), String> {
        let (ours, theirs) = self.payments.balances_minor();
        check(ours == theirs, || format!("the ledger says {ours}, the provider {theirs}"))?;
        for order in &self.orders {
            let charge = self.payments.charge(PaymentId(order.id.0));
            let kept = self.desk.reservations.get(&ReservationId(order.id.0)).map(|kept| kept.state);
            let paid = Charge { captures: 1, taken_minor: order.total_minor(), ..Charge::default() };
            let nothing = Charge {
                captures: charge.captures.min(1),
                back_minor: charge.taken_minor,
                open_holds: 0,
                ..charge
            };
            let (charged, stocked) = match order.state {
                State::Settled => (charge == paid, kept == Some(Kept::Committed)),
                State::Cancelled => {
                    (charge == nothing, !matches!(kept, Some(Kept::Active | Kept::Committed)))
                }
                _ => (false, false),
            };
            let told =
                || format!("{} is {:?}, with {charge:?} and its stock {kept:?}", order.id, order.state);
            check(charged && stocked, told)?;
        }
        self.stock_is_accounted_for()
    }

    fn stock_is_accounted_for(&self) -> Result<(), String> {
        for (offer, available) in &self.desk.available {
            let sold: i64 = self
                .orders
                .iter()
                .filter(|order| order.state == State::Settled)
                .map(|order| order.pieces(*offer))
                .sum();
            let on_hand: i64 = self.desk.shelves[offer].values().sum();
            let left = PIECES - sold;
            check((*available, on_hand) == (left, left), || {
                format!("{offer}: {available} available, {on_hand} on hand, {left} left")
            })?;
        }
        let moved: i64 = self
            .desk
            .moves
            .iter()
            .filter(|one| one.kind == Kind::Committed)
            .map(|one| one.on_hand_delta)
            .sum();
        let sold: i64 = self.desk.available.values().map(|available| PIECES - available).sum();
        check(-moved == sold, || format!("{moved} pieces left, {sold} were sold"))
    }
}

fn check(right: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if right { Ok(()) } else { Err(wrong()) }
}

fn order(dice: &mut StdRng, placed_at: DateTime<Utc>, number: u128) -> Order {
    let id = OrderId(Uuid::from_u128(100 + number));
    let lines = (1..=OFFERS)
        .map(|offer| Line { offer_id: OfferId(Uuid::from_u128(offer)), quantity: dice.random_range(0..=2) })
        .filter(|line| line.quantity > 0)
        .collect::<Vec<_>>();
    let lines = match lines.is_empty() {
        true => vec![Line { offer_id: OfferId(Uuid::from_u128(1)), quantity: 1 }],
        false => lines,
    };
    let card = CARDS[dice.random_range(0..CARDS.len())];
    let next_run_at = pause(State::Reserving, 0, dice.random()).map(|pause| placed_at + pause);
    Order { id, state: State::Reserving, repeats: 0, next_run_at, lines, card, placed_at }
}

impl Order {
    fn total_minor(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity * PRICE_MINOR).sum()
    }

    fn pieces(&self, offer: OfferId) -> i64 {
        self.lines.iter().filter(|line| line.offer_id == offer).map(|line| line.quantity).sum()
    }

    fn shares(&self) -> Vec<Share> {
        let share = |line: &Line| {
            let amount_minor = line.quantity * PRICE_MINOR;
            let seller_id = SellerId(line.offer_id.0);
            Share { seller_id, amount_minor, tax_minor: amount_minor / 10, fee_minor: amount_minor / 20 }
        };
        self.lines.iter().map(share).collect()
    }

    fn asks(&self, ask: settlement::Ask) -> Message {
        let (order_id, payment_id) = (self.id, PaymentId(self.id.0));
        let (reservation_id, actor, reason) =
            (ReservationId(self.id.0), "ask".to_owned(), "undone".to_owned());
        match ask {
            settlement::Ask::Reserve => Message::Inventory(Ask::Reserve(Reserve {
                reservation_id,
                order_id: Some(order_id),
                seller_id: None,
                lines: self.lines.clone(),
                expires_at: self.placed_at + RESERVED_FOR,
                actor,
            })),
            settlement::Ask::Commit => Message::Inventory(Ask::Commit { reservation_id, actor }),
            settlement::Ask::Release => Message::Inventory(Ask::Release { reservation_id, actor, reason }),
            settlement::Ask::Authorise => Message::Payments(
                AuthorisePayment {
                    payment_id,
                    order_id,
                    user_id: None,
                    amount: Money { amount_minor: self.total_minor(), currency: CurrencyCode::EUR },
                    shares: self.shares(),
                    method: self.card.into(),
                    expires_at: self.placed_at + HELD_FOR,
                }
                .into(),
            ),
            settlement::Ask::Capture => Message::Payments(CapturePayment { payment_id, order_id }.into()),
            settlement::Ask::Void => Message::Payments(VoidPayment { payment_id, order_id, reason }.into()),
            settlement::Ask::Refund => {
                let (refund_id, shares) = (RefundId(order_id.0), self.shares());
                Message::Payments(RefundPayment { refund_id, payment_id, order_id, shares, reason }.into())
            }
        }
    }
}

/// What an order hears in what payments says.
fn heard(event: &Event) -> Option<(OrderId, Heard)> {
    Some(match event {
        Event::PaymentAuthorised(said) => (said.order_id, Heard::MoneyHeld),
        Event::PaymentNeedsAction(said) => (said.order_id, Heard::BuyerMustConfirm),
        Event::PaymentDeclined(said) => (said.order_id, Heard::MoneyRefused),
        Event::PaymentCaptured(said) => (said.order_id, Heard::MoneyTaken),
        Event::CaptureFailed(said) => (said.order_id, Heard::MoneyNotTaken),
        Event::PaymentVoided(said) => (said.order_id, Heard::MoneyLetGo),
        Event::PaymentRefunded(said) => (said.order_id, Heard::MoneyReturned),
        Event::RefundFailed(said) => (said.order_id, Heard::MoneyNotReturned),
        _ => return None,
    })
}
