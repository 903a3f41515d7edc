//! Faults on request: by chance that follows from the seed, or planned for the next calls.

use std::collections::HashMap;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// What may go wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is executed, but the answer is a 500, and the key keeps it.
    ErrorAfter,
    /// It is not executed; the answer is a 500, and the key keeps it.
    ErrorInstead,
    /// It is executed, but the connection is closed without an answer.
    DropAfter,
    /// The connection is closed before anything is executed.
    DropBefore,
    /// It is executed, but nothing is answered for a long time; then the connection is closed.
    Hang,
    /// 429: nothing is executed or kept.
    RateLimit,
    /// 409, as if the key were in use: nothing is executed or kept.
    Conflict,
    /// 503: nothing is executed or kept.
    Unavailable,
}

/// Each fault with its name.
pub const ALL: [(&str, Fault); 8] = [
    ("error_after", Fault::ErrorAfter),
    ("error_instead", Fault::ErrorInstead),
    ("drop_after", Fault::DropAfter),
    ("drop_before", Fault::DropBefore),
    ("hang", Fault::Hang),
    ("rate_limit", Fault::RateLimit),
    ("conflict", Fault::Conflict),
    ("unavailable", Fault::Unavailable),
];

/// How often each fault happens: shares of all calls, 0 to 1 together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "HashMap<String, f64>", into = "HashMap<Fault, f64>")]
pub struct Rates(Vec<(Fault, f64)>);

impl Rates {
    fn new(shares: impl IntoIterator<Item = (String, f64)>) -> Result<Self, String> {
        let named = |(name, share): (String, f64)| match ALL.iter().find(|(known, _)| *known == name) {
            Some((_, fault)) if (0.0..=1.0).contains(&share) => Ok((*fault, share)),
            Some(_) => Err(format!("{name}: a rate is between 0 and 1")),
            None => Err(format!("no fault {name}; there are {}", ALL.map(|(known, _)| known).join(", "))),
        };
        let mut rates = shares.into_iter().map(named).collect::<Result<Vec<_>, _>>()?;
        // In the order of the table, so that the same rates always mean the same.
        rates.sort_by_key(|(fault, _)| ALL.iter().position(|(_, known)| known == fault));
        match rates.iter().map(|(_, share)| share).sum::<f64>() <= 1.0 {
            true => Ok(Self(rates)),
            false => Err("the rates together are more than 1".into()),
        }
    }
}

impl TryFrom<HashMap<String, f64>> for Rates {
    type Error = String;

    fn try_from(shares: HashMap<String, f64>) -> Result<Self, String> {
        Self::new(shares)
    }
}

impl From<Rates> for HashMap<Fault, f64> {
    fn from(rates: Rates) -> Self {
        rates.0.into_iter().collect()
    }
}

/// As on the command line: `error_after=0.05,drop_after=0.03`.
impl FromStr for Rates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let share = |pair: &str| {
            let (name, share) = pair.split_once('=').ok_or_else(|| format!("{pair}: not NAME=RATE"))?;
            let share = share.trim().parse().map_err(|_| format!("{pair}: not a number"))?;
            Ok((name.trim().to_owned(), share))
        };
        Self::new(pairs.map(share).collect::<Result<Vec<_>, String>>()?)
    }
}

/// A fault for the next calls that fit.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    pub fault: Fault,
    /// `POST`; any method without it.
    #[serde(default)]
    pub method: Option<String>,
    /// What the path starts with: `/v1/refunds`; any without it.
    #[serde(default)]
    pub path: Option<String>,
    /// How many calls.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// What goes wrong from now on.
#[derive(Debug, Default)]
pub struct Faults {
    seed: u64,
    pub rates: Rates,
    pub planned: Vec<Planned>,
    /// How often each call was seen, so that its second try has a fate of its own.
    seen: HashMap<String, u64>,
}

impl Faults {
    pub fn new(seed: u64, rates: Rates) -> Self {
        Self { seed, rates, ..Self::default() }
    }

    /// What goes wrong with this call. Calls with a key have their fate by the key, whatever came between.
    pub fn draw(&mut self, method: &str, path: &str, key: Option<&str>) -> Option<Fault> {
        if let Some(fault) = self.planned_for(method, path) {
            return Some(fault);
        }
        if self.rates.0.is_empty() {
            return None;
        }
        let call = format!("{method} {}", key.unwrap_or(path));
        let seen = self.seen.entry(call.clone()).or_default();
        *seen += 1;
        let mut drawn = chance(&format!("{} {seen} {call}", self.seed));
        self.rates.0.iter().find_map(|(fault, share)| {
            drawn -= share;
            (drawn < 0.0).then_some(*fault)
        })
    }

    fn planned_for(&mut self, method: &str, path: &str) -> Option<Fault> {
        let fits = |planned: &Planned| {
            planned.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && planned.path.as_deref().is_none_or(|start| path.starts_with(start))
        };
        let at = self.planned.iter().position(fits)?;
        let planned = &mut self.planned[at];
        let fault = planned.fault;
        planned.times = planned.times.saturating_sub(1);
        if planned.times == 0 {
            self.planned.remove(at);
        }
        Some(fault)
    }
}

/// A number from 0 to 1 that follows from a text.
pub fn chance(text: &str) -> f64 {
    let hash = digest(&SHA256, text.as_bytes());
    let first: [u8; 4] = hash.as_ref()[..4].try_into().expect("a hash has 32 bytes");
    f64::from(u32::from_be_bytes(first)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(seed: u64, keys: impl Iterator<Item = u32>) -> HashMap<u32, Option<Fault>> {
        let rates = "error_after=0.1, drop_after=0.2".parse().unwrap();
        let mut faults = Faults::new(seed, rates);
        keys.map(|key| (key, faults.draw("POST", "/v1/refunds", Some(&key.to_string())))).collect()
    }

    #[test]
    fn a_call_s_fate_follows_from_seed_and_key_alone() {
        assert_eq!(fates(1, 0..1000), fates(1, (0..1000).rev()));
        assert_ne!(fates(1, 0..1000), fates(2, 0..1000));
    }

    #[test]
    fn faults_are_as_frequent_as_their_rates() {
        let fates = fates(1, 0..10_000);
        let count = |fault| fates.values().filter(|drawn| **drawn == fault).count();
        for (fault, expected) in
            [(Some(Fault::ErrorAfter), 1000), (Some(Fault::DropAfter), 2000), (None, 7000)]
        {
            assert!(count(fault).abs_diff(expected) < 150, "{fault:?}: {}", count(fault));
        }
    }

    #[test]
    fn a_planned_fault_hits_the_calls_that_fit_and_then_no_more() {
        let mut faults = Faults::default();
        let path = Some("/v1/refunds".to_owned());
        faults.planned.push(Planned { fault: Fault::Hang, method: Some("post".into()), path, times: 2 });
        let mut draw = |method, path| faults.draw(method, path, None);
        assert_eq!(draw("GET", "/v1/refunds"), None);
        assert_eq!(draw("POST", "/v1/transfers"), None);
        assert_eq!(draw("POST", "/v1/refunds"), Some(Fault::Hang));
        assert_eq!(draw("POST", "/v1/refunds"), Some(Fault::Hang));
        assert_eq!(draw("POST", "/v1/refunds"), None);
    }

    #[test]
    fn wrong_rates_are_named() {
        for (text, told) in [
            ("error_after", "error_after: not NAME=RATE"),
            ("error_after=x", "error_after=x: not a number"),
            ("error_after=2", "error_after: a rate is between 0 and 1"),
            ("hang=0.6,drop_after=0.6", "the rates together are more than 1"),
        ] {
            assert_eq!(text.parse::<Rates>().unwrap_err(), told);
        }
        assert!("typo=0.1".parse::<Rates>().unwrap_err().contains("there are error_after, error_instead"));
    }
}
