//! A provider that misbehaves, whichever it is: everything is done once and in the books.

use chrono::TimeDelta;
use contract::{Event, PayoutId, RefundId};
use payments::provider::RemoteStanding;

use super::bank::Way;
use super::{Bank, provider_test};
use crate::payments::Sale;

/// Asks while the provider misbehaves, then lets it behave, until the payment has moved.
async fn under(bank: &Bank, way: Way, sale: &Sale<'_>, ask: Event) {
    bank.misbehave(Some(way)).await;
    bank.asks(sale, ask).await;
    bank.pass(TimeDelta::seconds(61)).await;
    bank.settle().await;
    bank.misbehave(None).await;
    for _ in 0..3 {
        bank.pass(TimeDelta::seconds(61)).await;
        bank.settle().await;
    }
}

provider_test! {
    async fn each_step_is_done_once_however_it_misbehaves(bank: &Bank) {
        for way in Way::ALL {
            let sale = bank.sale("pm_card_visa").await;
            under(bank, way, &sale, sale.capture()).await;
            under(bank, way, &sale, sale.release(PayoutId::new(), sale.sellers[0])).await;
            under(bank, way, &sale, sale.refund(RefundId::new(), 4_000, 800, 400)).await;
            assert_eq!(sale.answers().await, ["authorised", "captured", "released", "refunded"], "{way:?}");
            let there = bank.remote(&sale.row().await).await.unwrap();
            assert!(matches!(there.standing, RemoteStanding::Captured(_)), "{way:?}");
            let made = [&there.refunds, &there.transfers, &there.reversals].map(|parts| {
                parts.iter().map(|part| part.amount_minor).collect::<Vec<_>>()
            });
            assert_eq!(made, [vec![4_000], vec![7_000], vec![2_800]], "{way:?}");
            bank.agrees().await;
        }
    }

    async fn a_hold_whose_answer_is_lost_is_found_or_let_go(bank: &Bank) {
        for way in Way::ALL {
            let mut kept = Sale::new(&bank.market);
            kept.sellers = bank.sale("pm_card_visa").await.sellers;
            under(bank, way, &kept, kept.authorise("pm_card_visa")).await;
            assert_eq!(kept.answers().await, ["authorised"], "{way:?}");
            under(bank, way, &kept, kept.void()).await;
            assert_eq!(kept.answers().await, ["authorised", "voided"], "{way:?}");
            let there = bank.remote(&kept.row().await).await.unwrap();
            assert_eq!(there.standing, RemoteStanding::Cancelled, "{way:?}");
        }
    }
}
