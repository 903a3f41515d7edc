//! What is held for a piece that somebody bids for: a payment without an order and without shares, until a trade takes it
//! and captures what the piece costs. Until then what happens to it is said to the market, and to nobody's order.

use chassis::Failure;
use chrono::{DateTime, Utc};
use contract::OrderId;
use contract::event::payments::{CaptureFailed, CaptureHold, HoldChanged, HoldMoney, HoldStanding};
use entity::payments::payment_step::Kind;

use crate::asks::{adds_up, is_token};
use crate::desk::Desk;
use crate::file::{File, Pen};
use crate::payment::state::{Heard, Then};
use crate::provider::Why;

/// Answers the ask to hold money. Asking again tells how it stands.
pub fn hold(desk: &mut Desk, provider: &str, ask: &HoldMoney) -> Result<(), Failure> {
    if let Some((file, pen)) = desk.file(ask.payment_id) {
        return file.hear(pen, Heard::AskedToAuthorise);
    }
    let mut file = File::for_bid(desk.pen.now, provider, ask);
    let amount_minor = ask.amount.amount_minor;
    if amount_minor > 0 && is_token(&ask.method) {
        file.send(&desk.pen, Kind::Authorise, ask.payment_id.0, "authorise", amount_minor);
    } else {
        file.payment.amount_minor = 0;
        let why = Why::new("invalid_request", "the amount or the payment method does not make sense");
        file.refused(&mut desk.pen, Heard::Impossible, why)?;
    }
    desk.files.insert(ask.payment_id, file);
    Ok(())
}

/// Answers the ask of a trade to take what its piece costs. `false`: there is no such hold, or another trade has it.
pub fn capture(desk: &mut Desk, ask: &CaptureHold) -> Result<bool, Failure> {
    let Some((file, pen)) = desk.file(ask.payment_id) else { return Ok(false) };
    let is_free = file.payment.for_bid;
    if !file.belongs_to(ask.order_id) {
        return Ok(false);
    }
    match is_free && !file.takes(ask) {
        true => file.too_little(pen, ask)?,
        false => file.hear(pen, Heard::AskedToCapture)?,
    }
    Ok(true)
}

impl File {
    fn for_bid(now: DateTime<Utc>, provider: &str, ask: &HoldMoney) -> Self {
        let mut file = Self::blank(now, provider, ask.payment_id, OrderId(ask.payment_id.0));
        file.payment.for_bid = true;
        file.payment.user_id = Some(ask.user_id);
        file.payment.method.clone_from(&ask.method);
        file.payment.currency = ask.amount.currency.to_string();
        file.payment.amount_minor = ask.amount.amount_minor;
        file.payment.expires_at = ask.expires_at;
        file
    }

    /// Whether the payment is of this order. What is held for a bid becomes that of the first order that speaks of it.
    pub(crate) fn belongs_to(&mut self, order: OrderId) -> bool {
        let payment = &mut self.payment;
        if payment.for_bid && order.0 != payment.id.0 {
            payment.order_id = order;
            payment.for_bid = false;
        }
        payment.order_id == order
    }

    /// Makes it the payment of a piece that costs no more than is held.
    fn takes(&mut self, ask: &CaptureHold) -> bool {
        let fits = self.payment.currency == ask.amount.currency.as_str()
            && ask.amount.amount_minor <= self.payment.amount_minor
            && adds_up(ask.amount.amount_minor, &ask.shares);
        if fits {
            self.payment.amount_minor = ask.amount.amount_minor;
            self.split(&ask.shares);
        }
        fits
    }

    fn too_little(&mut self, pen: &mut Pen, ask: &CaptureHold) -> Result<(), Failure> {
        let (code, message) = ("invalid_request".into(), "less is held than is to be taken".into());
        let (payment_id, order_id) = (ask.payment_id, ask.order_id);
        self.say(pen, CaptureFailed { payment_id, order_id, code, message });
        self.hear(pen, Heard::AskedToVoid)
    }

    /// Says to the market what an order would be told. `false`: it is nothing to say.
    pub(crate) fn say_hold(&mut self, pen: &mut Pen, then: Then) -> bool {
        let standing = match then {
            Then::SayAuthorised => {
                HoldStanding::Held { until: self.payment.held_until.unwrap_or(self.payment.expires_at) }
            }
            // Whoever bids is not there when the bid is matched: a card that must be confirmed holds nothing.
            Then::SayNeedsAction => {
                let message =
                    "the bank wants this payment to be confirmed, which a bid cannot wait for".into();
                HoldStanding::Refused { code: "authentication_required".into(), message }
            }
            Then::SayDeclined => {
                let Why { code, message } = self.why();
                HoldStanding::Refused { code, message }
            }
            Then::SayVoided => HoldStanding::Gone,
            _ => return false,
        };
        let payment_id = self.payment.id;
        self.say(pen, HoldChanged { payment_id, standing });
        true
    }
}
