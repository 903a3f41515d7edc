//! Money: whole minor units of one currency. There is no float near it.

use iso_currency::{Currency, Flag};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A currency of ISO 4217, by its three-letter code. Metals, funds, tests and "no currency" have codes there too, but
/// nobody pays with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CurrencyCode(Currency);

/// A text that is no currency in which somebody pays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the ISO 4217 code of a currency that people pay with")]
pub struct UnknownCurrency(String);

impl CurrencyCode {
    pub const EUR: Self = Self(Currency::EUR);
    pub const USD: Self = Self(Currency::USD);

    /// How many decimal digits the minor unit has: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    pub fn as_str(self) -> &'static str {
        self.0.code()
    }
}

impl std::str::FromStr for CurrencyCode {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let known = Currency::from_code(text).filter(|currency| is_money(*currency));
        known.map(Self).ok_or_else(|| UnknownCurrency(text.chars().take(16).collect()))
    }
}

fn is_money(currency: Currency) -> bool {
    !currency.has_flag(Flag::Special) && !currency.has_flag(Flag::Fund)
}

impl std::fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CurrencyCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for CurrencyCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CurrencyCode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$" })
    }
}

/// An amount in minor units (cents, pence, fils) of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    pub amount_minor: i64,
    pub currency: CurrencyCode,
}

impl Money {
    /// The amount as people write it: `1250` EUR is `12.50`, `1250` JPY is `1250`.
    pub fn decimal(self) -> String {
        let digits = self.currency.digits();
        let unit = 10_u64.pow(digits);
        let sign = if self.amount_minor < 0 { "-" } else { "" };
        let minor = self.amount_minor.unsigned_abs();
        match digits {
            0 => format!("{sign}{minor}"),
            _ => format!("{sign}{}.{:0width$}", minor / unit, minor % unit, width = digits as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_shows_the_digits_of_its_currency() {
        for (amount_minor, code, shown) in [
            (1250, "EUR", "12.50"),
            (-5, "USD", "-0.05"),
            (1250, "JPY", "1250"),
            (1250, "KWD", "1.250"),
            (i64::MIN, "USD", "-92233720368547758.08"),
        ] {
            let currency = code.parse().unwrap();
            assert_eq!(Money { amount_minor, currency }.decimal(), shown);
        }
    }

    #[test]
    fn a_currency_must_exist() {
        assert!("XYZ".parse::<CurrencyCode>().is_err());
        assert!("eur".parse::<CurrencyCode>().is_err());
    }

    #[test]
    fn what_nobody_pays_with_is_no_currency() {
        for code in
            ["XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XBA", "XSU", "XUA", "CHE", "CLF", "UYI"]
        {
            assert!(code.parse::<CurrencyCode>().is_err(), "{code}");
        }
        for code in ["EUR", "XOF", "XAF", "XPF", "XCD", "CHF", "JPY", "KWD"] {
            assert!(code.parse::<CurrencyCode>().is_ok(), "{code}");
        }
    }
}
