//! A payments service of a test's own: answers every ask at once, by what the buyer pays with. It moves no money and keeps
//! no books; what it shows is what orders makes of the answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chassis::inbox::Consumer;
use chassis::outbox::{self, about};
use chassis::{Env, Failure, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::payments::*;
use contract::{Envelope, Event, Money, PaymentId};
use futures::FutureExt;

/// Pays.
pub const VISA: &str = "pm_card_visa";
/// Is declined.
pub const DECLINED: &str = "pm_card_visa_chargeDeclined";
/// Must be confirmed with the bank.
pub const ASKS_BUYER: &str = "pm_card_threeDSecure2Required";
/// Is held, and cannot be taken.
pub const LAPSES: &str = "pm_lapses";
/// Gets no answer.
pub const SILENT: &str = "pm_silent";

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Held,
    Taken,
    Gone,
}

#[derive(Clone)]
struct Payment {
    amount: Money,
    method: String,
    state: State,
}

type Books = Arc<Mutex<HashMap<PaymentId, Payment>>>;

pub fn consumer(payments: &Env) -> Consumer {
    let books = Books::default();
    let asks =
        &["payments.authorise", "payments.capture", "payments.void", "payments.refund", "payments.release"];
    Consumer::new(payments, "test.payer", asks, move |tx, now, events| {
        answer(books.clone(), tx, now, events).boxed()
    })
}

async fn answer(books: Books, tx: &Tx, now: DateTime<Utc>, events: &[Envelope]) -> Result<(), Failure> {
    for envelope in events {
        let said = decide(&mut books.lock().unwrap(), now, &envelope.event);
        if let Some((payment, event)) = said {
            outbox::say(tx, now, about("payment", payment, 1), event).await?;
        }
    }
    Ok(())
}

fn decide(
    books: &mut HashMap<PaymentId, Payment>,
    now: DateTime<Utc>,
    ask: &Event,
) -> Option<(PaymentId, Event)> {
    Some(match ask {
        Event::AuthorisePayment(ask) => {
            let payment_id = ask.payment_id;
            let payment = books.entry(payment_id).or_insert_with(|| Payment {
                amount: ask.amount,
                method: ask.method.clone(),
                state: State::Open,
            });
            (payment_id, authorise(payment, now, ask)?)
        }
        Event::CapturePayment(ask) => {
            let (payment_id, order_id) = (ask.payment_id, ask.order_id);
            let payment = books.get_mut(&payment_id)?;
            if payment.method == LAPSES || payment.state == State::Gone {
                payment.state = State::Gone;
                let (code, message) = ("expired".into(), "the hold lapsed".into());
                return Some((payment_id, CaptureFailed { payment_id, order_id, code, message }.into()));
            }
            payment.state = State::Taken;
            (payment_id, PaymentCaptured { payment_id, order_id, amount: payment.amount }.into())
        }
        Event::VoidPayment(ask) => {
            let (payment_id, order_id) = (ask.payment_id, ask.order_id);
            if let Some(payment) = books.get_mut(&payment_id) {
                payment.state = State::Gone;
            }
            (payment_id, PaymentVoided { payment_id, order_id }.into())
        }
        Event::RefundPayment(ask) => {
            let (payment_id, order_id) = (ask.payment_id, ask.order_id);
            let amount_minor = ask.shares.iter().map(|share| share.amount_minor).sum();
            let amount = Money { amount_minor, ..books.get(&payment_id)?.amount };
            let refunded_minor = amount_minor;
            let refund_id = ask.refund_id;
            (payment_id, PaymentRefunded { refund_id, payment_id, order_id, amount, refunded_minor }.into())
        }
        Event::ReleasePayment(ask) => {
            let (payment_id, order_id) = (ask.payment_id, ask.order_id);
            let (payout_id, seller_id) = (ask.payout_id, ask.seller_id);
            let amount = books.get(&payment_id)?.amount;
            (payment_id, PaymentReleased { payout_id, payment_id, order_id, seller_id, amount }.into())
        }
        _ => return None,
    })
}

fn authorise(payment: &mut Payment, now: DateTime<Utc>, ask: &AuthorisePayment) -> Option<Event> {
    let (payment_id, order_id, amount) = (ask.payment_id, ask.order_id, ask.amount);
    assert_eq!(ask.shares.iter().map(|share| share.amount_minor).sum::<i64>(), amount.amount_minor);
    Some(match payment.method.as_str() {
        SILENT => return None,
        DECLINED => {
            payment.state = State::Gone;
            let (code, message) = ("card_declined".into(), "the card was declined".into());
            PaymentDeclined { payment_id, order_id, code, message }.into()
        }
        ASKS_BUYER if payment.state == State::Open => PaymentNeedsAction {
            payment_id,
            order_id,
            redirect_url: Some("https://bank.example/confirm".into()),
            client_secret: Some("secret".into()),
        }
        .into(),
        _ => {
            payment.state = State::Held;
            PaymentAuthorised { payment_id, order_id, amount, held_until: now + TimeDelta::days(7) }.into()
        }
    })
}
