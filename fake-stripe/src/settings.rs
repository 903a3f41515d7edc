//! What a fake can be told.

use std::path::PathBuf;

use crate::faults::Rates;

/// How a fake behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Ids, faults and late webhooks follow from it and from the order of calls.
    pub seed: u64,
    /// What is taken of each charge, in hundredths of a percent, and what is added to that, in minor units.
    pub fee_bps: i64,
    pub fee_fixed_minor: i64,
    /// What a dispute costs, in minor units.
    pub dispute_fee_minor: i64,
    /// Where events go from the start.
    pub webhook: Option<Webhook>,
    pub delivery: Delivery,
    pub faults: Rates,
    /// How long a call takes at most before it is executed; each by chance, in milliseconds.
    pub latency_ms_max: u64,
    /// How long a hanging call stays open, in milliseconds.
    pub hang_ms: u64,
    /// Where to keep what is asked of it, for the next one. `None`: it forgets everything when it ends.
    pub journal: Option<PathBuf>,
    /// New accounts are ready at once: nobody need say who they are.
    pub trusts_sellers: bool,
}

/// An endpoint and the secret that its events are signed with.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub url: String,
    pub secret: String,
}

/// How webhooks misbehave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivery {
    /// The share of events that come twice: 0 to 1.
    pub doubled: f64,
    /// Each delivery is late by chance, at most so long, in milliseconds; so they come shuffled.
    pub late_ms_max: u64,
    /// Nothing is delivered until this is `false` again.
    pub held: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            fee_bps: 290,
            fee_fixed_minor: 30,
            dispute_fee_minor: 1500,
            webhook: None,
            delivery: Delivery::default(),
            faults: Rates::default(),
            latency_ms_max: 0,
            hang_ms: 30_000,
            journal: None,
            trusts_sellers: false,
        }
    }
}
