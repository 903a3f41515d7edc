//! Amounts, as Stripe checks and writes them.

use iso_currency::Currency;

use crate::error::{Answer, StripeError};
use crate::form::Params;

/// The largest amount of one charge, in minor units.
pub const AMOUNT_MAX_MINOR: i64 = 99_999_999;

/// Codes of metals, baskets, tests and nothing.
const NO_MONEY: [Currency; 13] = [
    Currency::XAG,
    Currency::XAU,
    Currency::XBA,
    Currency::XBB,
    Currency::XBC,
    Currency::XBD,
    Currency::XDR,
    Currency::XPD,
    Currency::XPT,
    Currency::XSU,
    Currency::XTS,
    Currency::XUA,
    Currency::XXX,
];

/// A currency that Stripe knows, as it writes it: `usd`.
pub fn currency(params: &mut Params) -> Answer<String> {
    let text = params.required_text("currency")?;
    known(&text).map(|()| text.to_lowercase())
}

fn known(text: &str) -> Answer<()> {
    match Currency::from_code(&text.to_uppercase()).filter(|known| !NO_MONEY.contains(known)) {
        Some(_) => Ok(()),
        None => {
            let message =
                format!("Invalid currency: {text}. Stripe currently supports these currencies: usd, eur, …");
            Err(StripeError::parameter("currency", "parameter_invalid", message))
        }
    }
}

/// An amount that a card can be charged with.
pub fn chargeable(amount_minor: i64, currency: &str, param: &str) -> Answer<()> {
    let least = least_minor(currency);
    if amount_minor < least {
        let message = format!("Amount must be at least {} {currency}", written(least, currency));
        return Err(StripeError::parameter(param, "amount_too_small", message));
    }
    if amount_minor > AMOUNT_MAX_MINOR {
        let message =
            format!("Amount must be no more than {} {currency}", written(AMOUNT_MAX_MINOR, currency));
        return Err(StripeError::parameter(param, "amount_too_large", message));
    }
    Ok(())
}

/// The smallest charge, from Stripe's table.
fn least_minor(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        "czk" => 1500,
        "dkk" => 250,
        "hkd" => 400,
        "huf" => 17_500,
        "mxn" => 1000,
        "nok" | "sek" => 300,
        "pln" | "myr" | "aed" | "ron" => 200,
        "thb" => 1000,
        _ => 50,
    }
}

/// As in Stripe's messages: `$10.50`, `¥500`.
pub fn written(amount_minor: i64, currency: &str) -> String {
    let known = Currency::from_code(&currency.to_uppercase());
    let symbol = match currency {
        "usd" => "$".to_owned(),
        _ => known.map_or_else(String::new, |known| known.symbol().symbol),
    };
    match known.and_then(Currency::exponent).map_or(2, usize::from) {
        0 => format!("{symbol}{amount_minor}"),
        digits => {
            let unit = 10_i64.pow(u32::try_from(digits).unwrap_or(2));
            format!("{symbol}{}.{:0digits$}", amount_minor / unit, amount_minor % unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_the_digits_of_their_currency() {
        for (amount, currency, text) in
            [(1050, "usd", "$10.50"), (5, "eur", "€0.05"), (500, "jpy", "¥500"), (1005, "gbp", "£10.05")]
        {
            assert_eq!(written(amount, currency), text);
        }
    }
}
