//! How much one client may take: points by GCRA, and how many things of it are open at once. In this process only.

use std::{
    any::Any,
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

/// Between two rounds of forgetting those who have come back to nothing: so many may be remembered for no reason.
const FORGET_EVERY: u64 = 10_000;

/// Whom something is counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// Somebody who is signed in, wherever they are.
    Viewer(Arc<str>),
    /// A network address. Of IPv6 the first half, which is what one household or server is given.
    Address(IpAddr),
}

impl Client {
    pub(crate) fn at(address: IpAddr) -> Self {
        Client::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
            address => address,
        })
    }
}

/// Points that each client may spend: so many a second, and some seconds' worth at once.
pub(crate) struct Meter {
    limiter: DefaultKeyedRateLimiter<Client>,
    burst: NonZeroU32,
    charges: AtomicU64,
}

impl Meter {
    /// `None`: there is no limit.
    pub(crate) fn new(points_per_s: u32, burst_s: u32) -> Option<Self> {
        let rate = NonZeroU32::new(points_per_s)?;
        let burst = NonZeroU32::new(points_per_s.saturating_mul(burst_s)).unwrap_or(rate);
        let limiter = RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst));
        Some(Meter { limiter, burst, charges: AtomicU64::new(0) })
    }

    /// # Errors
    /// How long to wait until the same is accepted. Nothing is charged then.
    pub(crate) fn charge(&self, client: &Client, points: u64) -> Result<(), Duration> {
        self.forget_now_and_then();
        let points = u32::try_from(points).unwrap_or(u32::MAX);
        // What costs more than can ever be saved up costs all of that.
        let Some(points) = NonZeroU32::new(points.min(self.burst.get())) else { return Ok(()) };
        let charged = self.limiter.check_key_n(client, points).expect("points are not more than the burst");
        charged.map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Remembered are those of the last seconds, and at most [`FORGET_EVERY`] others.
    fn forget_now_and_then(&self) {
        if self.charges.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

/// Things that stay open, such as subscriptions. Each counts as long as somebody holds it.
#[derive(Default)]
pub(crate) struct Held {
    by_client: Mutex<ByClient>,
}

type Thing = Weak<dyn Any + Send + Sync>;

#[derive(Default)]
struct ByClient {
    things: HashMap<Client, Vec<Thing>>,
    entered: u64,
}

impl Held {
    /// Counts `thing` for all of the clients, or for none: `false` when one of them holds too many already.
    pub(crate) fn enter(&self, thing: Thing, clients: &[(Client, usize)]) -> bool {
        // Nothing under the lock can panic and leave half a change.
        let mut held = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        held.entered += 1;
        if held.entered.is_multiple_of(FORGET_EVERY) {
            held.things.retain(|_, things| things.iter().any(is_held));
        }
        let has_room = clients.iter().all(|(client, max)| {
            let Some(things) = held.things.get_mut(client) else { return *max > 0 };
            things.retain(is_held);
            things.len() < *max
        });
        if has_room {
            for (client, _) in clients {
                held.things.entry(client.clone()).or_default().push(thing.clone());
            }
        }
        has_room
    }
}

fn is_held(thing: &Thing) -> bool {
    thing.strong_count() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client::at(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_a_household() {
        assert_eq!(client("2001:db8:1:2:3:4:5:6"), client("2001:db8:1:2::1"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
        assert_ne!(client("10.0.0.2"), client("10.0.0.1"));
    }

    #[test]
    fn points_run_out_for_one_and_not_for_another() {
        let meter = Meter::new(1, 10).unwrap();
        assert_eq!(meter.charge(&client("10.0.0.1"), 10), Ok(()));
        let wait = meter.charge(&client("10.0.0.1"), 10).unwrap_err();
        assert!(wait > Duration::from_secs(5) && wait <= Duration::from_secs(10), "{wait:?}");
        assert_eq!(meter.charge(&client("10.0.0.2"), 10), Ok(()));
        assert!(Meter::new(0, 10).is_none());
    }

    #[test]
    fn what_costs_more_than_can_be_saved_up_is_accepted_once() {
        let meter = Meter::new(1, 10).unwrap();
        assert_eq!(meter.charge(&client("10.0.0.1"), u64::MAX), Ok(()));
        assert!(meter.charge(&client("10.0.0.1"), 1).is_err());
    }

    #[test]
    fn those_who_spend_nothing_any_more_are_forgotten() {
        let meter = Meter::new(1_000_000_000, 1).unwrap();
        for host in 0..3 * u32::try_from(FORGET_EVERY).unwrap() {
            meter.charge(&Client::at(IpAddr::from(host.to_be_bytes())), 1).unwrap();
        }
        assert!(meter.limiter.len() <= usize::try_from(FORGET_EVERY).unwrap() * 2, "{}", meter.limiter.len());
    }

    #[test]
    fn what_is_let_go_makes_room() {
        let held = Held::default();
        let limits = [(client("10.0.0.1"), 2), (Client::Viewer("me".into()), 1)];
        let thing = Arc::new(());
        let weak = || -> Thing { Arc::<()>::downgrade(&thing) };
        assert!(held.enter(weak(), &limits));
        assert!(!held.enter(weak(), &limits), "the viewer has one");
        assert!(held.enter(weak(), &limits[..1]), "the address may have two");
        assert!(!held.enter(weak(), &limits[..1]));
        drop(thing);
        let thing = Arc::new(());
        assert!(held.enter(Arc::<()>::downgrade(&thing), &limits));
    }
}
