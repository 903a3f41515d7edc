//! The buyer at their bank: 3D Secure, by hand.

use crate::card::Bank;
use crate::charge::{self, Beginning};
use crate::error::StripeError;
use crate::payment_intent::act::{approve, turn_down};
use crate::payment_intent::state::Status;
use crate::world::World;

/// What the buyer does on their bank's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    Complete,
    Fail,
}

/// Goes on with an intent that waits for its buyer. Gives where to send them back to; `None`: it does not wait.
pub fn authenticate(world: &mut World, id: &str, authentication: Authentication) -> Option<Option<String>> {
    let mut intent = world.intents.any(id).filter(|intent| intent.status == Status::RequiresAction)?.clone();
    let back = intent.action.as_ref().and_then(|action| action.return_url.clone());
    let method = world.methods.any(intent.payment_method.as_deref()?)?.clone();
    match (authentication, method.card.bank) {
        (Authentication::Complete, Bank::Asks(Some(decline))) => {
            let charge = charge::begin(world, &intent, &method, Beginning::Declined(decline));
            intent.latest_charge = Some(charge.clone());
            turn_down(world, intent, &method, decline.error().with("charge", charge));
        }
        (Authentication::Complete, _) => _ = approve(world, intent, &method),
        (Authentication::Fail, _) => {
            let message = "We are unable to authenticate your payment method. Please choose a different payment method \
                           and try again.";
            let error = StripeError::refused(message).with_code("payment_intent_authentication_failure");
            turn_down(world, intent, &method, error);
        }
    }
    Some(back)
}
