//! What the fake remembers: every object, the clock, and where ids come from.

use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value};

use crate::Settings;
use crate::account::Account;
use crate::balance::Entry;
use crate::call::Call;
use crate::charge::Charge;
use crate::dispute::Dispute;
use crate::event::{Caller, Event};
use crate::later::Later;
use crate::payment_intent::PaymentIntent;
use crate::payment_method::PaymentMethod;
use crate::payout::Payout;
use crate::post::Post;
use crate::refund::Refund;
use crate::reversal::Reversal;
use crate::table::{Head, Resource, Table};
use crate::transfer::Transfer;
use crate::webhook_endpoint::WebhookEndpoint;

/// The account of whoever holds the key.
pub const PLATFORM: &str = "acct_1FakePlatform000";
/// How long an id's own part is, behind the prefix.
const ID_LENGTH: usize = 24;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Everything that is behind the API.
pub struct World {
    pub settings: Settings,
    ids: StdRng,
    /// Requests that only look have an id as well.
    request_ids: StdRng,
    /// Where the clock stands, in seconds since 1970, while it stands still.
    still_at: Option<i64>,
    /// How far the clock was moved ahead, in seconds.
    ahead_s: i64,
    pub caller: Caller,
    pub later: Vec<(i64, Later)>,
    pub post: Post,
    pub intents: Table<PaymentIntent>,
    pub methods: Table<PaymentMethod>,
    pub charges: Table<Charge>,
    pub refunds: Table<Refund>,
    pub transfers: Table<Transfer>,
    pub reversals: Table<Reversal>,
    pub disputes: Table<Dispute>,
    pub accounts: Table<Account>,
    pub payouts: Table<Payout>,
    pub entries: Table<Entry>,
    pub events: Table<Event>,
    pub endpoints: Table<WebhookEndpoint>,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        let mut world = Self {
            ids: StdRng::seed_from_u64(settings.seed),
            request_ids: StdRng::seed_from_u64(settings.seed.wrapping_add(2)),
            still_at: None,
            post: Post::new(settings.seed, settings.delivery),
            settings,
            ahead_s: 0,
            caller: Caller::default(),
            later: vec![],
            intents: Table::default(),
            methods: Table::default(),
            charges: Table::default(),
            refunds: Table::default(),
            transfers: Table::default(),
            reversals: Table::default(),
            disputes: Table::default(),
            accounts: Table::default(),
            payouts: Table::default(),
            entries: Table::default(),
            events: Table::default(),
            endpoints: Table::default(),
        };
        world.accounts.put(Account::platform(world.now()));
        if let Some(webhook) = world.settings.webhook.clone() {
            world.endpoints.put(WebhookEndpoint::configured(&mut world.ids, webhook));
        }
        world
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.still_at.unwrap_or_else(system_s) + self.ahead_s
    }

    /// From now on names follow from `seed`. The machine's time.
    pub fn roll(&mut self, seed: u64) -> i64 {
        self.ids = StdRng::seed_from_u64(seed);
        system_s()
    }

    /// It is then and nothing else, and names follow from `seed`.
    pub fn hold_still(&mut self, at: i64, seed: u64) {
        self.roll(seed);
        self.still_at = Some(at);
    }

    /// The clock goes on. What was told while it stood still has been told before.
    pub fn go_on(&mut self, seed: u64) {
        self.roll(seed);
        self.still_at = None;
        self.post.forget();
    }

    /// Whether something happens by itself at the next look.
    pub fn is_anything_due(&self) -> bool {
        let now = self.now();
        self.later.iter().any(|(at, _)| *at <= now)
    }

    /// Moves the clock ahead and lets happen what is due then.
    pub fn advance(&mut self, seconds: i64) {
        self.ahead_s += seconds.max(0);
        self.tick();
    }

    pub fn id(&mut self, prefix: &str) -> String {
        id(&mut self.ids, prefix)
    }

    pub fn request_id(&mut self) -> String {
        format!("req_{}", letters(&mut self.request_ids, 14))
    }

    /// Random letters and digits, for secrets.
    pub fn letters(&mut self, count: usize) -> String {
        letters(&mut self.ids, count)
    }

    /// A new object of the caller's account.
    pub fn head(&mut self, prefix: &str, call: &Call) -> Head {
        self.head_of(prefix, &call.account)
    }

    /// A new object of an account.
    pub fn head_of(&mut self, prefix: &str, account: &str) -> Head {
        let id = self.id(prefix);
        Head { id, created: self.now(), account: account.to_owned(), metadata: Map::new() }
    }

    /// Any object by its id, as clients see it.
    pub fn show(&self, id: &str) -> Option<Value> {
        fn found<T: Resource>(world: &World, table: &Table<T>, id: &str) -> Option<Value> {
            table.any(id).map(|row| row.show(world))
        }
        match id.split_once('_')?.0 {
            "pi" => found(self, &self.intents, id),
            "pm" => found(self, &self.methods, id),
            "ch" | "py" => found(self, &self.charges, id),
            "re" | "pyr" => found(self, &self.refunds, id),
            "tr" => found(self, &self.transfers, id),
            "trr" => found(self, &self.reversals, id),
            "du" => found(self, &self.disputes, id),
            "acct" => found(self, &self.accounts, id),
            "po" => found(self, &self.payouts, id),
            "txn" => found(self, &self.entries, id),
            _ => None,
        }
    }
}

fn system_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("this machine's clock is past 1970");
    i64::try_from(since.as_secs()).expect("seconds fit for a long time")
}

/// A prefix and random letters.
pub fn id(ids: &mut StdRng, prefix: &str) -> String {
    format!("{prefix}_{}", letters(ids, ID_LENGTH))
}

fn letters(ids: &mut StdRng, count: usize) -> String {
    (0..count).map(|_| char::from(LETTERS[ids.random_range(0..LETTERS.len())])).collect()
}
