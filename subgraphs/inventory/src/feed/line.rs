//! Reading what a feed sent: CSV and JSON become the same lines. Nothing here does IO.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use contract::OfferId;
use entity::inventory::feed::{MatchesBy, OrdersBy};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::limits::QUANTITY_MAX;
use crate::signature::TOLERANCE_SECONDS;

/// Lines of one batch.
pub const LINES_MAX: usize = 10_000;
/// Characters of a name.
const NAMED_LENGTH_MAX: usize = 500;
/// What spreadsheets put before the first character.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `{"lines": [{"sku": "…", "quantity": 5}]}`.
    Json,
    /// The same names in the first row, then a row for each line, each row ended.
    Csv,
}

/// Why nothing of it is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("{message}")]
    Malformed { message: String, line: Option<u64>, column: Option<u64> },
    #[error("more than {LINES_MAX} lines")]
    TooManyLines,
    #[error("the last row is not ended: a part of the file is missing")]
    CutOff,
}

/// A line as it was written: every value as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Written {
    #[serde(default, deserialize_with = "text")]
    pub offer_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub sku: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub gtin: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub quantity: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub sequence: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub observed_at: Option<String>,
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

/// The lines of a whole body.
pub fn read(format: Format, body: &[u8]) -> Result<Vec<Written>, Unreadable> {
    let lines = match format {
        Format::Json => read_json(body)?,
        Format::Csv => read_csv(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body))?,
    };
    if lines.len() > LINES_MAX { Err(Unreadable::TooManyLines) } else { Ok(lines) }
}

fn read_json(body: &[u8]) -> Result<Vec<Written>, Unreadable> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        lines: Vec<Written>,
    }
    let body: Body = serde_json::from_slice(body).map_err(|error| Unreadable::Malformed {
        message: error.to_string(),
        line: Some(error.line() as u64),
        column: Some(error.column() as u64),
    })?;
    Ok(body.lines)
}

fn read_csv(body: &[u8]) -> Result<Vec<Written>, Unreadable> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(body);
    let headers = reader.headers().map_err(malformed)?.clone();
    let columns = columns(&headers)?;
    if !body.ends_with(b"\n") && !body.ends_with(b"\r") {
        return Err(Unreadable::CutOff);
    }
    let mut lines = Vec::new();
    for record in reader.records().take(LINES_MAX + 1) {
        let record = record.map_err(malformed)?;
        let cell = |name: &str| {
            let cell = record.get(*columns.get(name)?)?;
            (!cell.is_empty()).then(|| cell.to_owned())
        };
        lines.push(Written {
            offer_id: cell("offerId"),
            sku: cell("sku"),
            gtin: cell("gtin"),
            quantity: cell("quantity"),
            sequence: cell("sequence"),
            observed_at: cell("observedAt"),
        });
    }
    Ok(lines)
}

fn columns(headers: &csv::StringRecord) -> Result<HashMap<&str, usize>, Unreadable> {
    const NAMES: [&str; 6] = ["offerId", "sku", "gtin", "quantity", "sequence", "observedAt"];
    let wrong = |message: String| Unreadable::Malformed { message, line: Some(1), column: None };
    let mut columns = HashMap::new();
    for (index, name) in headers.iter().enumerate() {
        if !NAMES.contains(&name) {
            let name: String = name.chars().take(50).collect();
            return Err(wrong(format!("unknown column {name:?}, expected {}", NAMES.join(", "))));
        }
        if columns.insert(name, index).is_some() {
            return Err(wrong(format!("the column {name} comes twice")));
        }
    }
    if columns.contains_key("quantity") { Ok(columns) } else { Err(wrong("no column quantity".into())) }
}

fn malformed(error: csv::Error) -> Unreadable {
    let line = error.position().map(|position| position.line());
    Unreadable::Malformed { message: error.to_string(), line, column: None }
}

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub named: Named,
    pub quantity: i64,
    /// Where it stands among all that the feed says of these goods.
    pub position: i64,
}

/// How a line names goods.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    Offer(OfferId),
    Sku(String),
    Gtin(String),
}

/// What is wrong with one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub field: &'static str,
    pub message: String,
}

impl Fault {
    fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// How a feed's lines are understood.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub matches_by: MatchesBy,
    pub orders_by: OrdersBy,
    /// The time that the sender signed.
    pub sent_at: DateTime<Utc>,
}

impl Rules {
    pub fn understand(&self, written: &Written) -> Result<Line, Fault> {
        let (named, quantity) = (self.named(written)?, quantity(written)?);
        Ok(Line { named, quantity, position: self.position(written)? })
    }

    fn named(&self, written: &Written) -> Result<Named, Fault> {
        let (field, text) = match self.matches_by {
            MatchesBy::OfferId => ("offerId", &written.offer_id),
            MatchesBy::Sku => ("sku", &written.sku),
            MatchesBy::Gtin => ("gtin", &written.gtin),
        };
        let text = text.as_deref().map(str::trim).unwrap_or_default();
        if contract::text::line(text, 1..=NAMED_LENGTH_MAX).is_err() {
            return Err(Fault::new(field, "names the goods of this feed's lines and is missing or no text"));
        }
        match self.matches_by {
            MatchesBy::Sku => Ok(Named::Sku(text.into())),
            MatchesBy::Gtin => gtin(text).map(Named::Gtin),
            MatchesBy::OfferId => {
                text.parse().map(Named::Offer).map_err(|_| Fault::new(field, "is not an offer's id"))
            }
        }
    }

    fn position(&self, written: &Written) -> Result<i64, Fault> {
        match (self.orders_by, &written.sequence, &written.observed_at) {
            (OrdersBy::Sequence, Some(sequence), None) => whole(sequence)
                .ok_or_else(|| Fault::new("sequence", "must be a whole number that is not negative")),
            (OrdersBy::Sequence, ..) => {
                Err(Fault::new("sequence", "each line of this feed has a sequence, and no observedAt"))
            }
            (OrdersBy::Time, None, None) => Ok(self.sent_at.timestamp_micros()),
            (OrdersBy::Time, None, Some(moment)) => self.observed(moment),
            (OrdersBy::Time, Some(_), _) => {
                Err(Fault::new("sequence", "lines of this feed are ordered by observedAt"))
            }
        }
    }

    /// One from the future would make every true one stale until then.
    fn observed(&self, moment: &str) -> Result<i64, Fault> {
        let moment = DateTime::parse_from_rfc3339(moment)
            .map_err(|_| Fault::new("observedAt", "must be a time such as 2026-01-31T12:00:00Z"))?
            .to_utc();
        if moment > self.sent_at + TimeDelta::seconds(TOLERANCE_SECONDS) {
            return Err(Fault::new("observedAt", "lies in the future"));
        }
        Ok(moment.timestamp_micros())
    }
}

fn quantity(written: &Written) -> Result<i64, Fault> {
    let quantity = written.quantity.as_deref().and_then(whole);
    quantity
        .filter(|quantity| *quantity <= QUANTITY_MAX)
        .ok_or_else(|| Fault::new("quantity", format!("must be a whole number from 0 to {QUANTITY_MAX}")))
}

/// Digits only: no sign, no point, no exponent.
fn whole(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// 13 digits: hyphens and spaces do not count, and a 12-digit UPC is one with a zero before it.
fn gtin(text: &str) -> Result<String, Fault> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    match digits.len() {
        12 | 13 if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(format!("{digits:0>13}")),
        _ => Err(Fault::new("gtin", "must have 13 digits, or the 12 of a UPC")),
    }
}

#[cfg(test)]
mod tests;
