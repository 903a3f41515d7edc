//! What trades hear from payments.

use contract::{Event, OrderId, TradeId};

use super::drive::News;
use super::failure::Why;
use super::saga::Heard;
use crate::failure::Action;

/// The trade that payments may know as this order.
fn of(order: OrderId) -> TradeId {
    TradeId(order.0)
}

/// What a trade hears from an event, if the event is an answer to it.
pub fn answer(event: &Event) -> Option<News> {
    Some(match event {
        Event::PaymentAuthorised(answer) => News::new(of(answer.order_id), Heard::MoneyHeld),
        Event::PaymentNeedsAction(answer) => {
            let (redirect_url, client_secret) = (answer.redirect_url.clone(), answer.client_secret.clone());
            let action = Some(Action { redirect_url, client_secret });
            News { action, ..News::new(of(answer.order_id), Heard::BuyerMustConfirm) }
        }
        Event::PaymentDeclined(answer) => News::new(of(answer.order_id), Heard::MoneyRefused)
            .because(declined(&answer.code, &answer.message)),
        Event::PaymentCaptured(answer) => News::new(of(answer.order_id), Heard::MoneyTaken),
        Event::CaptureFailed(answer) => News::new(of(answer.order_id), Heard::MoneyNotTaken)
            .because(declined(&answer.code, &answer.message)),
        Event::PaymentVoided(answer) => News::new(of(answer.order_id), Heard::MoneyLetGo),
        // The refund that undoes a trade has its uuid; another is somebody's at the provider.
        Event::PaymentRefunded(answer) if answer.refund_id.0 == answer.order_id.0 => {
            News::new(of(answer.order_id), Heard::MoneyReturned)
        }
        Event::RefundFailed(answer) if answer.refund_id.0 == answer.order_id.0 => {
            News::new(of(answer.order_id), Heard::MoneyNotReturned)
        }
        Event::PaymentReleased(answer) => News::new(of(answer.order_id), Heard::SellerPaid),
        _ => return None,
    })
}

fn declined(code: &str, message: &str) -> Why {
    Why::Declined { decline_code: code.into(), message: message.into() }
}
