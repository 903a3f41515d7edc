//! Commands, events and states as bytes: a tag for each choice, variable-length integers, ids in full.
//!
//! There is exactly one way to write a value, so equal bytes mean equal values and the other way round. Decoding is total:
//! bytes that mean nothing are [`Malformed`], never a panic, and never take more memory than they are long (times a constant).

use std::fmt;

use crate::*;

/// Bytes that no value encodes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes that mean nothing here")
    }
}

impl std::error::Error for Malformed {}

pub trait Codec: Sized {
    /// Appends this value to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes one value off the front of `input`.
    ///
    /// # Errors
    /// The bytes there are no such value; `input` is then somewhere in the middle of them.
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed>;

    /// [`decode`](Self::decode) of bytes that are exactly one value.
    ///
    /// # Errors
    /// The bytes are no such value, or more than one.
    fn decode_all(mut input: &[u8]) -> Result<Self, Malformed> {
        let value = Self::decode(&mut input)?;
        if input.is_empty() { Ok(value) } else { Err(Malformed) }
    }
}

/// Seven bits a byte, the lowest first; no needless zeros at the end.
impl Codec for u64 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    #[inline]
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = u8::decode(input)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return if byte == 0 && shift > 0 { Err(Malformed) } else { Ok(value) };
            }
        }
        Err(Malformed)
    }
}

impl Codec for u32 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        u64::from(*self).encode(out);
    }

    #[inline]
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        u64::decode(input)?.try_into().map_err(|_| Malformed)
    }
}

/// Small numbers of either sign are short.
impl Codec for i64 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        (((*self << 1) ^ (*self >> 63)) as u64).encode(out);
    }

    #[inline]
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let folded = u64::decode(input)?;
        Ok((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }
}

impl Codec for u128 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let (bytes, rest) = input.split_first_chunk().ok_or(Malformed)?;
        *input = rest;
        Ok(Self::from_be_bytes(*bytes))
    }
}

impl Codec for u8 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    #[inline]
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let (byte, rest) = input.split_first().ok_or(Malformed)?;
        *input = rest;
        Ok(*byte)
    }
}

impl Codec for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        match u8::decode(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
}

impl<T: Codec> Codec for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(if bool::decode(input)? { Some(T::decode(input)?) } else { None })
    }
}

impl<T: Codec, E: Codec> Codec for Result<T, E> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Ok(value) => {
                out.push(0);
                value.encode(out);
            }
            Err(error) => {
                out.push(1);
                error.encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(if bool::decode(input)? { Err(E::decode(input)?) } else { Ok(T::decode(input)?) })
    }
}

impl<T: Codec> Codec for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        for value in self {
            value.encode(out);
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let length = u64::decode(input)?;
        // No value is shorter than a byte, so a length beyond the input is a lie.
        if length > input.len() as u64 {
            return Err(Malformed);
        }
        (0..length).map(|_| T::decode(input)).collect()
    }
}

/// Fields in the order given.
macro_rules! fields {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl Codec for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$field.encode(out);)*
            }

            fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
                Ok(Self { $($field: Codec::decode(input)?),* })
            }
        }
    )*};
}

macro_rules! newtypes {
    ($($name:ident)*) => {$(
        impl Codec for $name {
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }

            #[inline]
            fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
                Ok(Self(Codec::decode(input)?))
            }
        }
    )*};
}

/// A tag, then what the variant holds. Tags are written in journals: never change one.
macro_rules! choices {
    ($($name:ident { $($tag:literal $variant:ident $(($inner:ident))? $({ $($field:ident),* })?),* $(,)? })*) => {$(
        impl Codec for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        out.push($tag);
                        $($inner.encode(out);)?
                        $($($field.encode(out);)*)?
                    })*
                }
            }

            fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
                Ok(match u8::decode(input)? {
                    $($tag => {
                        $(let $inner = Codec::decode(input)?;)?
                        $($(let $field = Codec::decode(input)?;)*)?
                        Self::$variant $(($inner))? $({ $($field),* })?
                    })*
                    _ => return Err(Malformed),
                })
            }
        }
    )*};
}

pub(crate) use fields;

newtypes! { MarketId AccountId OrderId TradeId Key }

fields! {
    Command { ts, action }
    MarketRules { tick, price_min, price_max }
    Limits { orders_per_account_and_market, orders_per_account, lifetime_us, retention_us }
    Place { account, key, market, side, price, quantity, life, self_trade, returns }
    Amend { account, key, order, price, quantity, expires_at }
    Cancel { account, key, order }
    BookEvent { market, seq, ts, change }
    Placed { order, account, side, price, quantity, expires_at, sequence }
    Matched {
        trade, price, quantity, maker, maker_account, maker_side, maker_remaining, taker, taker_account, taker_remaining
    }
    Rested { order, side, price, quantity, sequence }
    Amended {
        order, account, side, price_before, price, remaining_before, remaining, expires_at, sequence, kept_place
    }
    Cancelled { order, account, side, price, quantity, resting, reason }
    Expired { order, account, side, price, quantity, expires_at }
    PaymentFailed { trade, ask, bid, price }
    Returned { trade, order, account, price, sequence }
    Answer { order, status, filled, remaining }
}

choices! {
    Action {
        0 SetMarket { market, rules },
        1 SetLimits(limits),
        2 Place(place),
        3 Amend(amend),
        4 Cancel(cancel),
        5 PauseSelling { account },
        6 ResumeSelling { account },
        7 AuthLapsed { order },
        8 PaymentFailed { trade },
        9 Tick,
        10 Reduce(amend),
    }
    Side { 0 Bid, 1 Ask }
    Life { 0 Rest { expires_at }, 1 Immediate, 2 RestFor { lifetime_us } }
    SelfTrade { 0 ExpireTaker, 1 ExpireMaker }
    Status { 0 Open, 1 Filled, 2 Cancelled, 3 Expired }
    Reason { 0 Owner, 1 Immediate, 2 SelfTrade, 3 SellingPaused, 4 AuthLapsed }
    Event {
        0 Book(event),
        1 LimitsSet(limits),
        2 SellingPaused { account },
        3 SellingResumed { account },
        4 Ticked { ts },
        5 Repeated { account, key, answer },
        6 Refused { account, refusal },
    }
    Change {
        0 RulesSet(rules),
        1 Placed(placed),
        2 Matched(matched),
        3 Rested(rested),
        4 Amended(amended),
        5 Cancelled(cancelled),
        6 Expired(expired),
        7 PaymentFailed(failed),
        8 Returned(returned),
    }
    Refusal {
        0 UnknownMarket,
        1 BadRules,
        2 BadLimits,
        3 PriceOffTick { tick },
        4 PriceOutOfRange { price_min, price_max },
        5 QuantityZero,
        6 TooLarge,
        7 ExpiryOutOfRange { latest },
        8 PriceMoved { best },
        9 TooManyInMarket { max },
        10 TooMany { max },
        11 SellingPaused,
        12 NotActive { status },
        13 NotAboveFilled { filled },
        14 IdempotencyConflict,
        15 UnknownTrade,
        16 AlreadyFailed,
        17 Full,
        18 NotLess,
    }
}
