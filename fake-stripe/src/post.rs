//! Events on their way to webhook endpoints: in order, unless they are asked to come doubled or late.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::settings::Delivery;

/// How often a delivery that fails is tried, and the first pause; each next one is twice as long.
const TRIES_MAX: u32 = 5;
const RETRY_PAUSE_MS: u64 = 200;

/// An event for an endpoint.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub event_id: String,
    pub endpoint_id: String,
    /// How often it was tried before.
    pub tried: u32,
}

/// What to do now.
#[derive(Debug)]
pub enum Next {
    Deliver(Parcel),
    Wait(Duration),
    /// Until something is sent, or the post is no longer held.
    Rest,
}

/// The queue. Times are milliseconds since it was made.
#[derive(Debug)]
pub struct Post {
    began: Instant,
    chance: StdRng,
    pub delivery: Delivery,
    number: u64,
    waiting: BTreeMap<(u64, u64), Parcel>,
    /// The one that is being delivered.
    on_the_way: Option<String>,
}

impl Post {
    pub fn new(seed: u64, delivery: Delivery) -> Self {
        let chance = StdRng::seed_from_u64(seed.wrapping_add(1));
        Self {
            began: Instant::now(),
            chance,
            delivery,
            number: 0,
            waiting: BTreeMap::new(),
            on_the_way: None,
        }
    }

    /// Once, or twice where the settings and chance say so; each by itself as late as chance says.
    pub fn send(&mut self, event_id: &str, endpoint_id: &str) {
        let copies = if self.chance.random::<f64>() < self.delivery.doubled { 2 } else { 1 };
        for _ in 0..copies {
            let late_ms = self.chance.random_range(0..=self.delivery.late_ms_max);
            self.queue(
                late_ms,
                Parcel { event_id: event_id.into(), endpoint_id: endpoint_id.into(), tried: 0 },
            );
        }
    }

    /// What is due. Call [`Post::delivered`] or [`Post::failed`] when it is done.
    pub fn next(&mut self) -> Next {
        if self.delivery.held {
            return Next::Rest;
        }
        let now_ms = self.now_ms();
        match self.waiting.first_key_value() {
            None => Next::Rest,
            Some((&(due_ms, _), _)) if due_ms > now_ms => Next::Wait(Duration::from_millis(due_ms - now_ms)),
            Some(_) => {
                let (_, parcel) = self.waiting.pop_first().expect("there is a first");
                self.on_the_way = Some(parcel.event_id.clone());
                Next::Deliver(parcel)
            }
        }
    }

    pub fn delivered(&mut self) {
        self.on_the_way = None;
    }

    /// Tries again later, a few times.
    pub fn failed(&mut self, parcel: Parcel) {
        self.on_the_way = None;
        let tried = parcel.tried + 1;
        if tried < TRIES_MAX {
            self.queue(RETRY_PAUSE_MS << parcel.tried, Parcel { tried, ..parcel });
        }
    }

    /// Nothing is on its way any more.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    /// How many deliveries are not done.
    pub fn pending(&self) -> usize {
        self.waiting.len() + usize::from(self.on_the_way.is_some())
    }

    /// How many deliveries of an event are not done.
    pub fn pending_of(&self, event_id: &str) -> usize {
        let waiting = self.waiting.values().filter(|parcel| parcel.event_id == event_id).count();
        waiting + usize::from(self.on_the_way.as_deref() == Some(event_id))
    }

    fn queue(&mut self, late_ms: u64, parcel: Parcel) {
        self.number += 1;
        self.waiting.insert((self.now_ms() + late_ms, self.number), parcel);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).expect("milliseconds fit for a long time")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(post: &mut Post) -> Vec<String> {
        let mut order = vec![];
        loop {
            match post.next() {
                Next::Deliver(parcel) => order.push(parcel.event_id),
                Next::Wait(pause) => std::thread::sleep(pause),
                Next::Rest => return order,
            }
            post.delivered();
        }
    }

    fn sent(delivery: Delivery) -> Post {
        let mut post = Post::new(7, delivery);
        (0..20).for_each(|n| post.send(&format!("evt_{n}"), "we_1"));
        post
    }

    #[test]
    fn events_come_once_and_in_order_unless_asked() {
        let expected: Vec<String> = (0..20).map(|n| format!("evt_{n}")).collect();
        assert_eq!(order(&mut sent(Delivery::default())), expected);
    }

    #[test]
    fn they_come_doubled_and_shuffled_on_request() {
        let came = order(&mut sent(Delivery { doubled: 0.5, late_ms_max: 20, held: false }));
        assert!(came.len() > 20, "{came:?}");
        let mut sorted = came.clone();
        sorted.sort_by_key(|id| id[4..].parse::<u32>().unwrap());
        assert_ne!(came, sorted);
        sorted.dedup();
        assert_eq!(sorted.len(), 20);
    }

    #[test]
    fn a_failed_one_is_tried_a_few_times_and_then_no_more() {
        let mut post = Post::new(7, Delivery::default());
        let mut parcel = Parcel { event_id: "evt_1".into(), endpoint_id: "we_1".into(), tried: 0 };
        for _ in 1..TRIES_MAX {
            post.failed(parcel.clone());
            assert_eq!(post.pending_of("evt_1"), 1);
            parcel = post.waiting.pop_first().unwrap().1;
        }
        post.failed(parcel);
        assert_eq!(post.pending(), 0);
    }
}
