//! What buyers pay with: test cards only.

use serde_json::{Value, json};

use crate::call::Call;
use crate::card::Card;
use crate::error::{Answer, StripeError};
use crate::form::Params;
use crate::table::{Head, Resource};
use crate::world::World;

#[derive(Clone, Debug)]
pub struct PaymentMethod {
    pub head: Head,
    pub card: &'static Card,
}

impl PaymentMethod {
    /// As a charge shows it, and a payment method.
    pub fn show_card(&self) -> Value {
        json!({
            "brand": self.card.brand(),
            "country": "US",
            "display_brand": self.card.brand(),
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": format!("Fake{}", self.card.number),
            "funding": self.card.funding(),
            "last4": self.card.last4(),
        })
    }
}

impl Resource for PaymentMethod {
    const OBJECT: &'static str = "payment_method";

    fn head(&self) -> &Head {
        &self.head
    }

    fn show(&self, _: &World) -> Value {
        let nobody = json!({ "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null });
        json!({
            "id": self.head.id,
            "object": Self::OBJECT,
            "allow_redisplay": "unspecified",
            "billing_details": { "address": nobody, "email": null, "name": null, "phone": null, "tax_id": null },
            "card": self.show_card(),
            "created": self.head.created,
            "customer": null,
            "livemode": false,
            "metadata": self.head.metadata,
            "type": "card",
        })
    }
}

/// What a call pays with: a known method, a test name, or the data of a card.
pub enum Given {
    Id(String),
    Card(&'static Card),
}

/// Reads `payment_method` and `payment_method_data`.
pub fn read(params: &mut Params) -> Answer<Option<Given>> {
    let id = params.text("payment_method")?;
    let Some(mut given) = params.nested("payment_method_data")? else { return Ok(id.map(Given::Id)) };
    let card = read_card(&mut given)?;
    given.without_effect(&["billing_details", "allow_redisplay", "metadata"]);
    given.finish()?;
    Ok(Some(Given::Card(card)))
}

/// `type=card` with a token or a number.
fn read_card(params: &mut Params) -> Answer<&'static Card> {
    if params.one_of("type", &["card"])?.is_none() {
        return Err(params.missing("type"));
    }
    let mut card = params.nested("card")?.ok_or_else(|| params.missing("card"))?;
    let found = match (card.text("token")?, card.text("number")?) {
        (Some(token), _) => {
            Card::of_token(&token).ok_or_else(|| StripeError::absent("token", &token, "card[token]"))?
        }
        (None, Some(number)) => Card::numbered(&number).ok_or_else(|| {
            StripeError::card("incorrect_number", "Your card number is incorrect.").with("param", "number")
        })?,
        (None, None) => return Err(card.missing("number")),
    };
    card.without_effect(&["exp_month", "exp_year", "cvc"]);
    card.finish()?;
    Ok(found)
}

/// The method of a call: `pm_card_visa` and the like become a method of their own.
pub fn adopt(world: &mut World, call: &Call, given: Given) -> Answer<PaymentMethod> {
    let card = match given {
        Given::Card(card) => card,
        Given::Id(id) => match Card::of_method(&id) {
            Some(card) => card,
            None => {
                let missing = |_| StripeError::absent("PaymentMethod", &id, "payment_method");
                return world.methods.given(&call.account, &id, "payment_method").map_err(missing);
            }
        },
    };
    let method = PaymentMethod { head: world.head("pm", call), card };
    world.methods.put(method.clone());
    Ok(method)
}

pub fn create(world: &mut World, call: &mut Call) -> Answer {
    let mut params = call.params();
    let card = read_card(&mut params)?;
    let metadata = params.metadata()?;
    params.without_effect(&["billing_details", "allow_redisplay"]);
    params.finish()?;
    let mut method = adopt(world, call, Given::Card(card))?;
    method.head.change_metadata(metadata);
    world.methods.put(method.clone());
    Ok(method.show(world))
}

/// A test name works here too, as at Stripe.
pub fn retrieve(world: &mut World, call: &mut Call) -> Answer {
    call.params().finish()?;
    match Card::of_method(call.id()) {
        Some(card) => Ok(adopt(world, call, Given::Card(card))?.show(world)),
        None => Ok(world.methods.named(call)?.show(world)),
    }
}
