//! The test cards of Stripe's documentation.

use crate::error::StripeError;

/// A card, and what its bank does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// As in `pm_card_visa` and `tok_visa`.
    pub name: &'static str,
    pub number: &'static str,
    pub bank: Bank,
}

/// What the bank does with a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bank {
    Approves,
    /// The money is available at once.
    ApprovesAtOnce,
    Declines(Decline),
    /// The buyer must authenticate first; then this.
    Asks(Option<Decline>),
    /// The buyer disputes what was charged.
    Disputes {
        reason: &'static str,
        inquiry: bool,
    },
    /// A refund succeeds at first and fails later.
    RefundsFail,
    /// A refund is pending at first and succeeds later.
    RefundsPend,
}

/// Why a bank says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decline {
    pub code: &'static str,
    pub decline_code: &'static str,
    pub message: &'static str,
}

const fn declined(decline_code: &'static str) -> Decline {
    Decline { code: "card_declined", decline_code, message: "Your card was declined." }
}

const GENERIC: Decline = declined("generic_decline");
const INSUFFICIENT: Decline =
    Decline { message: "Your card has insufficient funds.", ..declined("insufficient_funds") };
const EXPIRED: Decline =
    Decline { code: "expired_card", decline_code: "expired_card", message: "Your card has expired." };
const WRONG_CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: "incorrect_cvc",
    message: "Your card's security code is incorrect.",
};
const PROCESSING: Decline = Decline {
    code: "processing_error",
    decline_code: "processing_error",
    message: "An error occurred while processing your card. Try again in a little bit.",
};
/// Nobody is there to authenticate.
pub const UNAUTHENTICATED: Decline = Decline {
    code: "authentication_required",
    decline_code: "authentication_required",
    message: "Your card was declined. This transaction requires authentication.",
};

const fn card(name: &'static str, number: &'static str, bank: Bank) -> Card {
    Card { name, number, bank }
}

const DISPUTED: Bank = Bank::Disputes { reason: "fraudulent", inquiry: false };
const NOT_RECEIVED: Bank = Bank::Disputes { reason: "product_not_received", inquiry: false };
const INQUIRY: Bank = Bank::Disputes { reason: "fraudulent", inquiry: true };

/// <https://docs.stripe.com/testing>
#[rustfmt::skip]
const CARDS: &[Card] = &[
    card("visa", "4242424242424242", Bank::Approves),
    card("us", "4242424242424242", Bank::Approves),
    card("visa_debit", "4000056655665556", Bank::Approves),
    card("mastercard", "5555555555554444", Bank::Approves),
    card("mastercard_debit", "5200828282828210", Bank::Approves),
    card("mastercard_prepaid", "5105105105105100", Bank::Approves),
    card("amex", "378282246310005", Bank::Approves),
    card("discover", "6011111111111117", Bank::Approves),
    card("diners", "3056930009020004", Bank::Approves),
    card("jcb", "3566002020360505", Bank::Approves),
    card("unionpay", "6200000000000005", Bank::Approves),
    card("bypassPending", "4000000000000077", Bank::ApprovesAtOnce),
    card("chargeDeclined", "4000000000000002", Bank::Declines(GENERIC)),
    card("chargeDeclinedInsufficientFunds", "4000000000009995", Bank::Declines(INSUFFICIENT)),
    card("chargeDeclinedLostCard", "4000000000009987", Bank::Declines(declined("lost_card"))),
    card("chargeDeclinedStolenCard", "4000000000009979", Bank::Declines(declined("stolen_card"))),
    card("chargeDeclinedVelocityLimitExceeded", "4000000000006975", Bank::Declines(declined("card_velocity_exceeded"))),
    card("chargeDeclinedFraudulent", "4100000000000019", Bank::Declines(declined("fraudulent"))),
    card("radarBlock", "4100000000000019", Bank::Declines(declined("fraudulent"))),
    card("chargeDeclinedExpiredCard", "4000000000000069", Bank::Declines(EXPIRED)),
    card("chargeDeclinedIncorrectCvc", "4000000000000127", Bank::Declines(WRONG_CVC)),
    card("chargeDeclinedProcessingError", "4000000000000119", Bank::Declines(PROCESSING)),
    card("chargeCustomerFail", "4000000000000341", Bank::Declines(GENERIC)),
    card("authenticationRequired", "4000002760003184", Bank::Asks(None)),
    card("authenticationRequiredOnSetup", "4000002500003155", Bank::Asks(None)),
    card("threeDSecure2Required", "4000000000003220", Bank::Asks(None)),
    card("threeDSecureRequired", "4000000000003063", Bank::Asks(None)),
    card("threeDSecureRequiredChargeDeclined", "4000008400001629", Bank::Asks(Some(GENERIC))),
    card("authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178", Bank::Asks(Some(INSUFFICIENT))),
    card("threeDSecureOptional", "4000000000003055", Bank::Approves),
    card("createDispute", "4000000000000259", DISPUTED),
    card("createDisputeProductNotReceived", "4000000000002685", NOT_RECEIVED),
    card("createDisputeInquiry", "4000000000001976", INQUIRY),
    card("refundFail", "4000000000005126", Bank::RefundsFail),
    card("pendingRefund", "4000000000007726", Bank::RefundsPend),
];

impl Card {
    /// `pm_card_visa`, and the names with the network: `pm_card_visa_chargeDeclined`.
    pub fn of_method(id: &str) -> Option<&'static Self> {
        let name = id.strip_prefix("pm_card_")?;
        Self::named(name).or_else(|| Self::named(name.strip_prefix("visa_")?))
    }

    /// `tok_visa`.
    pub fn of_token(token: &str) -> Option<&'static Self> {
        let name = token.strip_prefix("tok_")?;
        Self::named(name).or_else(|| Self::named(name.strip_prefix("visa_")?))
    }

    pub fn numbered(number: &str) -> Option<&'static Self> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        CARDS.iter().find(|card| card.number == digits)
    }

    fn named(name: &str) -> Option<&'static Self> {
        CARDS.iter().find(|card| card.name == name)
    }

    pub fn last4(&self) -> &'static str {
        &self.number[self.number.len() - 4..]
    }

    pub fn brand(&self) -> &'static str {
        match self.number.as_bytes() {
            [b'5', ..] => "mastercard",
            [b'3', b'7', ..] => "amex",
            [b'3', b'0', ..] => "diners",
            [b'3', b'5', ..] => "jcb",
            [b'6', b'0', ..] => "discover",
            [b'6', b'2', ..] => "unionpay",
            _ => "visa",
        }
    }

    pub fn funding(&self) -> &'static str {
        match self.name {
            "visa_debit" | "mastercard_debit" => "debit",
            "mastercard_prepaid" => "prepaid",
            _ => "credit",
        }
    }
}

impl Decline {
    pub fn error(&self) -> StripeError {
        StripeError::card(self.code, self.message).with("decline_code", self.decline_code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_found_by_its_names_and_its_number() {
        for (found, name) in [
            (Card::of_method("pm_card_visa"), "visa"),
            (Card::of_method("pm_card_visa_debit"), "visa_debit"),
            (Card::of_method("pm_card_visa_chargeDeclinedLostCard"), "chargeDeclinedLostCard"),
            (Card::of_method("pm_card_chargeDeclined"), "chargeDeclined"),
            (Card::of_token("tok_createDispute"), "createDispute"),
            (Card::numbered("4000 0000 0000 9995"), "chargeDeclinedInsufficientFunds"),
        ] {
            assert_eq!(found.map(|card| card.name), Some(name));
        }
        assert_eq!(Card::of_method("pm_card_nonsense"), None);
    }
}
