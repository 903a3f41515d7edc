//! How the shared values look in every subgraph's schema.

use async_graphql::{InputValueError, InputValueResult, Object, Scalar, ScalarType, Value};

use crate::money::{CurrencyCode, Money};

/// A whole number of up to 53 bits, as a JSON number: GraphQL's own `Int` ends at 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Long(pub i64);

/// The largest whole number that every JSON reader keeps exactly.
const LONG_MAX: i64 = (1 << 53) - 1;

/// A whole number between -(2^53 - 1) and 2^53 - 1, as a JSON number.
#[Scalar(name = "Long")]
impl ScalarType for Long {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::Number(number) = &value else {
            return Err(bad_input(&value, format!("{value} is not a number")));
        };
        match number.as_i64() {
            Some(whole) if (-LONG_MAX..=LONG_MAX).contains(&whole) => Ok(Self(whole)),
            _ => Err(bad_input(&value, format!("`{number}` is not a whole number within 53 bits"))),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}

/// A currency of ISO 4217, by its three-letter code, such as `EUR`.
#[Scalar(name = "CurrencyCode")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text.parse().map_err(|why| bad_input(&value, why)),
            _ => Err(bad_input(&value, format!("{value} is not a currency code"))),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

/// An amount of money in one currency.
#[Object(shareable)]
impl Money {
    /// The amount in the currency's minor unit: cents, pence, fils.
    async fn amount_minor(&self) -> Long {
        Long(self.amount_minor)
    }

    /// The currency's ISO 4217 code.
    async fn currency(&self) -> CurrencyCode {
        self.currency
    }

    /// The amount as people write it, with the currency's digits: `12.50`.
    #[graphql(name = "decimal")]
    async fn decimal_text(&self) -> String {
        self.decimal()
    }
}

/// Beside a scalar's refusal: the value that was refused. Whoever has the whole input finds it there, says where it was,
/// and takes this out again.
pub const REJECTED_VALUE: &str = "rejectedValue";

/// A refusal of a scalar, with the code that clients switch on.
pub fn bad_input<T>(rejected: &Value, why: impl std::fmt::Display) -> InputValueError<T>
where
    T: async_graphql::InputType,
{
    let refusal = InputValueError::custom(why).with_extension("code", "BAD_USER_INPUT");
    refusal.with_extension(REJECTED_VALUE, rejected.clone())
}

/// Shows a typed id as GraphQL's `ID`, so that entities join by `id: ID!`.
macro_rules! id_scalar {
    ($name:ident) => {
        impl async_graphql::InputType for $name {
            type RawValueType = Self;

            fn type_name() -> std::borrow::Cow<'static, str> {
                <async_graphql::ID as async_graphql::InputType>::type_name()
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <async_graphql::ID as async_graphql::InputType>::create_type_info(registry)
            }

            fn parse(value: Option<async_graphql::Value>) -> async_graphql::InputValueResult<Self> {
                let value = value.unwrap_or_default();
                match &value {
                    async_graphql::Value::String(text) => {
                        text.parse().map_err(|why| crate::graphql::bad_input(&value, why))
                    }
                    other => Err(crate::graphql::bad_input(other, format!("{other} is not an id"))),
                }
            }

            fn to_value(&self) -> async_graphql::Value {
                async_graphql::Value::String(self.to_string())
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }

        impl async_graphql::OutputType for $name {
            fn type_name() -> std::borrow::Cow<'static, str> {
                <async_graphql::ID as async_graphql::OutputType>::type_name()
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <async_graphql::ID as async_graphql::OutputType>::create_type_info(registry)
            }

            async fn resolve(
                &self,
                _: &async_graphql::ContextSelectionSet<'_>,
                _: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                Ok(async_graphql::Value::String(self.to_string()))
            }
        }
    };
}
pub(crate) use id_scalar;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_number_has_at_most_53_bits() {
        for (number, taken) in
            [(0, true), (LONG_MAX, true), (-LONG_MAX, true), (LONG_MAX + 1, false), (i64::MIN, false)]
        {
            assert_eq!(Long::parse(Value::Number(number.into())).is_ok(), taken, "{number}");
        }
        let half = async_graphql::Number::from_f64(10.5).map(Value::Number);
        assert!(half.is_some_and(|half| Long::parse(half).is_err()));
    }
}
