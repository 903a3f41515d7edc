//! Random operations against a model that fits on a page; at the end the books are right.

use std::collections::BTreeMap;

use chassis::tx;
use chrono::TimeDelta;
use contract::event::inventory::Line;
use contract::{LocationId, OfferId, ReservationId};
use inventory::Keeper;
use inventory::reservation::{self, Reserve};
use inventory::shelf::{self, Shelf};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{Shop, books_are_right};
use crate::support::Market;

/// Operations in one play, and plays for each engine.
const STEPS: usize = 60;
const PLAYS: usize = 3;

/// Offers and reservations are named by their place in a list.
#[derive(Clone, Debug)]
enum Step {
    Receive { offer: usize, quantity: i64 },
    Adjust { offer: usize, delta: i64 },
    Count { offer: usize, counted: i64 },
    Reserve { lines: Vec<(usize, i64)>, ttl_seconds: i64 },
    Commit { reservation: usize },
    Release { reservation: usize },
    Wait { seconds: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let offer = 0..3_usize;
    let line = (0..3_usize, 1..6_i64);
    prop_oneof![
        (offer.clone(), 1..20_i64).prop_map(|(offer, quantity)| Step::Receive { offer, quantity }),
        (offer.clone(), -10..10_i64).prop_map(|(offer, delta)| Step::Adjust { offer, delta }),
        (offer, 0..20_i64).prop_map(|(offer, counted)| Step::Count { offer, counted }),
        (prop::collection::vec(line, 1..4), 1..100_i64)
            .prop_map(|(lines, ttl_seconds)| Step::Reserve { lines, ttl_seconds }),
        (0..20_usize).prop_map(|reservation| Step::Commit { reservation }),
        (0..20_usize).prop_map(|reservation| Step::Release { reservation }),
        (1..60_i64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// What there should be: pieces on the shelf, and what is promised until when.
#[derive(Default)]
struct Model {
    on_hand: [i64; 3],
    held: BTreeMap<usize, (BTreeMap<usize, i64>, i64)>,
    now: i64,
}

impl Model {
    fn reserved(&self, offer: usize) -> i64 {
        self.held.values().filter_map(|(lines, _)| lines.get(&offer)).sum()
    }

    fn available(&self, offer: usize) -> i64 {
        self.on_hand[offer] - self.reserved(offer)
    }

    /// Whether the step is to succeed; it then has happened.
    fn take(&mut self, step: &Step, next_reservation: usize) -> bool {
        match step {
            Step::Receive { offer, quantity } => self.shift(*offer, *quantity),
            Step::Adjust { delta: 0, .. } => false,
            Step::Adjust { offer, delta } => self.shift(*offer, *delta),
            Step::Count { offer, counted } => self.shift(*offer, counted - self.on_hand[*offer]),
            Step::Reserve { lines, ttl_seconds } => {
                let mut wanted: BTreeMap<usize, i64> = BTreeMap::new();
                for (offer, quantity) in lines {
                    *wanted.entry(*offer).or_default() += quantity;
                }
                let fits = wanted.iter().all(|(offer, quantity)| self.available(*offer) >= *quantity);
                if fits {
                    self.held.insert(next_reservation, (wanted, self.now + ttl_seconds));
                }
                fits
            }
            Step::Commit { reservation } => {
                let Some((lines, _)) = self.held.remove(reservation) else { return false };
                lines.iter().for_each(|(offer, quantity)| self.on_hand[*offer] -= quantity);
                true
            }
            Step::Release { reservation } => self.held.remove(reservation).is_some(),
            Step::Wait { seconds } => {
                self.now += seconds;
                let now = self.now;
                self.held.retain(|_, (_, until)| *until > now);
                true
            }
        }
    }

    fn shift(&mut self, offer: usize, delta: i64) -> bool {
        let fits = self.available(offer) + delta >= 0;
        if fits {
            self.on_hand[offer] += delta;
        }
        fits
    }
}

/// The real thing, told in the model's words.
struct Play<'m> {
    market: &'m Market,
    keeper: Keeper,
    location_id: LocationId,
    offers: Vec<OfferId>,
    reservations: Vec<Option<ReservationId>>,
}

impl Play<'_> {
    async fn does(&mut self, step: &Step) -> bool {
        let env = self.market.env("inventory");
        let now = env.clock.now();
        let keeper = self.keeper;
        let shelf = |at: &usize| Shelf { keeper, offer_id: self.offers[*at], location_id: self.location_id };
        match step {
            Step::Receive { offer, quantity } => {
                let work = async |tx: &_| shelf::receive(tx, now, shelf(offer), *quantity, None).await;
                tx::run(&env.db, work).await.unwrap().is_ok()
            }
            Step::Adjust { offer, delta } => {
                let work = async |tx: &_| shelf::adjust(tx, now, shelf(offer), *delta, "random".into()).await;
                tx::run(&env.db, work).await.unwrap().is_ok()
            }
            Step::Count { offer, counted } => {
                let work = async |tx: &_| shelf::count(tx, now, shelf(offer), *counted, None, None).await;
                tx::run(&env.db, work).await.unwrap().is_ok()
            }
            Step::Reserve { lines, ttl_seconds } => {
                let lines = lines
                    .iter()
                    .map(|(offer, quantity)| Line { offer_id: self.offers[*offer], quantity: *quantity })
                    .collect();
                let command = Reserve { keeper, order_id: None, lines, ttl_seconds: *ttl_seconds };
                let work = async |tx: &_| reservation::reserve(tx, now, command).await;
                let made = tx::run(&env.db, work).await.unwrap().ok();
                let done = made.is_some();
                self.reservations.push(made.map(|made| made.id));
                done
            }
            Step::Commit { reservation } => {
                let Some(id) = self.reservations.get(*reservation).copied().flatten() else { return false };
                let work = async |tx: &_| reservation::commit(tx, now, keeper, id).await;
                tx::run(&env.db, work).await.unwrap().is_ok()
            }
            Step::Release { reservation } => {
                let Some(id) = self.reservations.get(*reservation).copied().flatten() else { return false };
                let work = async |tx: &_| reservation::release(tx, now, keeper, id, "random".into()).await;
                tx::run(&env.db, work).await.unwrap().is_ok()
            }
            Step::Wait { seconds } => {
                self.market.clock.advance(TimeDelta::seconds(*seconds));
                reservation::sweep(env).await.unwrap();
                true
            }
        }
    }
}

async fn play(market: &Market, steps: Vec<Step>) {
    let shop = Shop::open(market, "Random").await;
    let offers = vec![shop.offer().await, shop.offer().await, shop.offer().await];
    let mut real = Play {
        market,
        keeper: Keeper::System("random"),
        location_id: shop.location.parse().unwrap(),
        offers,
        reservations: vec![],
    };
    let mut model = Model::default();
    for step in &steps {
        let expected = model.take(step, real.reservations.len());
        let done = real.does(step).await;
        // A reservation settled before answers in its own way: the levels below tell whether anything moved.
        if !matches!(step, Step::Commit { .. } | Step::Release { .. }) {
            assert_eq!(done, expected, "{step:?} of {steps:#?}");
        }
        for (at, offer) in real.offers.iter().enumerate() {
            let levels = [model.on_hand[at], model.reserved(at), model.available(at)];
            assert_eq!(shop.levels(*offer).await, levels, "after {step:?} of {steps:#?}");
        }
    }
}

souk_test! {
    async fn any_order_of_operations_ends_where_the_model_ends(market: &Market) {
        for _ in 0..PLAYS {
            let steps = prop::collection::vec(step(), STEPS).new_tree(&mut TestRunner::default()).unwrap().current();
            play(market, steps).await;
        }
        books_are_right(market).await;
    }
}
