//! What is to be done where a partition is written, and what comes of it; as values, and as bytes between processes.

use contract::{MarketId, UserId};
use matching::{Action, Codec, Malformed, Price, Timestamp};
use uuid::Uuid;

use crate::engine::{Answered, Ticker, Unanswered};

/// How these bytes are laid out: whoever knows another layout only does not read them.
const LAYOUT: u8 = 1;

/// Something to be done where a partition is written. Each can be done twice, and late: a command bears a key, and the
/// others say only where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A command that [bears a key](bears_key), and its note.
    Command { action: Action, note: Vec<u8> },
    /// The engine is to hear the rules of a market as its row has them.
    Rules(MarketId),
    /// The engine is to hear whether somebody sells, as the rows have it.
    Selling(UserId),
}

/// What came of an errand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// To a command.
    pub answered: Option<Answered>,
    /// The market that a command was about, right after it.
    pub ticker: Option<(matching::MarketId, Ticker)>,
}

/// Whether a command given twice is done once.
pub fn bears_key(action: &Action) -> bool {
    match action {
        Action::Place(place) => place.key.is_some(),
        Action::Amend(amend) | Action::Reduce(amend) => amend.key.is_some(),
        Action::Cancel(cancel) => cancel.key.is_some(),
        Action::SetMarket { .. }
        | Action::SetLimits(_)
        | Action::PauseSelling { .. }
        | Action::ResumeSelling { .. }
        | Action::AuthLapsed { .. }
        | Action::PaymentFailed { .. }
        | Action::Tick => false,
    }
}

/// An errand for a partition, as it is sent.
pub fn message(partition: u32, errand: &Errand) -> Vec<u8> {
    let mut out = vec![LAYOUT];
    partition.encode(&mut out);
    errand.encode(&mut out);
    out
}

/// # Errors
/// No errand, or one that must not travel: a command without a key.
pub fn read_message(bytes: &[u8]) -> Result<(u32, Errand), Malformed> {
    let mut rest = laid_out(bytes)?;
    let message = (u32::decode(&mut rest)?, Errand::decode_all(rest)?);
    match &message.1 {
        Errand::Command { action, .. } if !bears_key(action) => Err(Malformed),
        _ => Ok(message),
    }
}

/// What came of an errand, as it is sent back.
pub fn answer(told: &Result<Report, Unanswered>) -> Vec<u8> {
    let mut out = vec![LAYOUT];
    told.encode(&mut out);
    out
}

pub fn read_answer(bytes: &[u8]) -> Result<Result<Report, Unanswered>, Malformed> {
    Codec::decode_all(laid_out(bytes)?)
}

fn laid_out(bytes: &[u8]) -> Result<&[u8], Malformed> {
    bytes.strip_prefix(&[LAYOUT]).ok_or(Malformed)
}

impl Codec for Errand {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Command { action, note } => {
                out.push(0);
                action.encode(out);
                note.encode(out);
            }
            Self::Rules(market) => {
                out.push(1);
                market.0.as_u128().encode(out);
            }
            Self::Selling(user) => {
                out.push(2);
                user.0.as_u128().encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(match u8::decode(input)? {
            0 => Self::Command { action: Codec::decode(input)?, note: Codec::decode(input)? },
            1 => Self::Rules(MarketId(Uuid::from_u128(Codec::decode(input)?))),
            2 => Self::Selling(UserId(Uuid::from_u128(Codec::decode(input)?))),
            _ => return Err(Malformed),
        })
    }
}

impl Codec for Report {
    fn encode(&self, out: &mut Vec<u8>) {
        self.answered.encode(out);
        let (market, ticker) = self.ticker.unzip();
        market.encode(out);
        ticker.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let answered = Codec::decode(input)?;
        let (market, ticker) = (Option::decode(input)?, Option::decode(input)?);
        Ok(Self { answered, ticker: market.zip(ticker) })
    }
}

impl Codec for Answered {
    fn encode(&self, out: &mut Vec<u8>) {
        self.seq.encode(out);
        self.events.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self { seq: Codec::decode(input)?, events: Codec::decode(input)? })
    }
}

impl Codec for Ticker {
    fn encode(&self, out: &mut Vec<u8>) {
        self.seq.encode(out);
        self.lowest_ask.encode(out);
        self.highest_bid.encode(out);
        let (price, at) = self.last_match.unzip();
        price.encode(out);
        at.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let (seq, lowest_ask, highest_bid) =
            (Codec::decode(input)?, Codec::decode(input)?, Codec::decode(input)?);
        let (price, at) = (Option::<Price>::decode(input)?, Option::<Timestamp>::decode(input)?);
        Ok(Self { seq, lowest_ask, highest_bid, last_match: price.zip(at) })
    }
}

impl Codec for Unanswered {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Overloaded => 0,
            Self::Unknown => 1,
            Self::NotHere => 2,
        });
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(match u8::decode(input)? {
            0 => Self::Overloaded,
            1 => Self::Unknown,
            2 => Self::NotHere,
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use matching::{AccountId, BookEvent, Cancel, Cancelled, Change, Event, Key, OrderId, Reason, Side};

    use super::*;

    fn cancel(key: Option<Key>) -> Errand {
        let cancel = Cancel { account: AccountId(7), key, order: OrderId(300) };
        Errand::Command { action: Action::Cancel(cancel), note: b"{}".to_vec() }
    }

    fn report() -> Report {
        let (market, order, account) = (matching::MarketId(9), OrderId(300), AccountId(7));
        let reason = Reason::Owner;
        let cancelled =
            Cancelled { order, account, side: Side::Bid, price: 100, quantity: 2, resting: true, reason };
        let event = Event::Book(BookEvent { market, seq: 4, ts: 5, change: Change::Cancelled(cancelled) });
        let ticker = Ticker { seq: 4, lowest_ask: Some(200), highest_bid: None, last_match: Some((150, -1)) };
        Report { answered: Some(Answered { seq: 12, events: vec![event] }), ticker: Some((market, ticker)) }
    }

    #[test]
    fn errands_and_what_comes_of_them_travel_whole() {
        for errand in [cancel(Some(Key(1))), Errand::Rules(MarketId::new()), Errand::Selling(UserId::new())] {
            assert_eq!(read_message(&message(255, &errand)), Ok((255, errand)));
        }
        let unanswered = [Unanswered::Overloaded, Unanswered::Unknown, Unanswered::NotHere].map(Err);
        for told in [Ok(Report::default()), Ok(report())].into_iter().chain(unanswered) {
            assert_eq!(read_answer(&answer(&told)), Ok(told));
        }
    }

    #[test]
    fn a_command_without_a_key_and_bytes_of_another_layout_are_not_read() {
        assert_eq!(read_message(&message(0, &cancel(None))), Err(Malformed));
        let tick = Errand::Command { action: Action::Tick, note: vec![] };
        assert_eq!(read_message(&message(0, &tick)), Err(Malformed));
        let (sent, back) = (message(0, &cancel(Some(Key(1)))), answer(&Ok(report())));
        let changed = |bytes: &[u8]| [&[LAYOUT + 1][..], &bytes[1..]].concat();
        assert!(read_message(&changed(&sent)).is_err() && read_answer(&changed(&back)).is_err());
        for end in 0..sent.len() {
            assert_eq!(read_message(&sent[..end]), Err(Malformed), "{end}");
        }
        for end in 0..back.len() {
            assert_eq!(read_answer(&back[..end]), Err(Malformed), "{end}");
        }
    }
}
