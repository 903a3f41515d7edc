//! What every provider does alike.

use contract::event::payments::DisputeStatus;
use contract::{PayoutId, RefundId};
use entity::payments::payment::State;
use payments::ledger::Account;
use payments::provider::{Remote, RemoteStanding, Standing};

use super::{Bank, provider_test};
use crate::payments::Sale;

/// The provider's view of a sale that it knows.
async fn remote(bank: &Bank, sale: &Sale<'_>) -> Remote {
    bank.remote(&sale.row().await).await.expect("the provider knows it")
}

fn amounts(parts: &[payments::provider::RemotePart]) -> Vec<i64> {
    let mut amounts: Vec<i64> =
        parts.iter().filter(|part| part.done == Some(Ok(()))).map(|part| part.amount_minor).collect();
    amounts.sort_unstable();
    amounts
}

fn taken(remote: &Remote) -> Option<(i64, i64)> {
    match &remote.standing {
        RemoteStanding::Captured(captured) => Some((captured.amount_minor, captured.fee_minor)),
        _ => None,
    }
}

provider_test! {
    async fn money_is_held_then_taken_then_earned(bank: &Bank) {
        let sale = bank.sale("pm_card_visa").await;
        assert_eq!(sale.answers().await, ["authorised"]);
        assert!(matches!(remote(bank, &sale).await.standing, RemoteStanding::Hold(Standing::Held { .. })));
        for ask in [sale.capture(), sale.capture(), sale.authorise("pm_card_visa")] {
            bank.asks(&sale, ask).await;
        }
        assert_eq!(taken(&remote(bank, &sale).await), Some((15_000, 250)));
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [10_000, 5_000]);
        for seller in sale.sellers {
            bank.asks(&sale, sale.release(PayoutId::new(), seller)).await;
        }
        assert_eq!(amounts(&remote(bank, &sale).await.transfers), [4_500, 7_000]);
        assert_eq!([sale.balance(Account::Tax).await, sale.balance(Account::PlatformFee).await], [2_000, 1_500]);
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [0, 0]);
        bank.agrees().await;
    }

    async fn a_card_that_is_declined_holds_nothing_and_says_why(bank: &Bank) {
        for (method, code) in [
            ("pm_card_chargeDeclined", ["card_declined", "generic_decline"]),
            ("pm_card_chargeDeclinedInsufficientFunds", ["insufficient_funds"; 2]),
            ("pm_card_chargeDeclinedExpiredCard", ["expired_card"; 2]),
            ("pm_card_nonsense", ["resource_missing"; 2]),
        ] {
            let sale = bank.sale(method).await;
            assert_eq!(sale.answers().await, ["declined"], "{method}");
            let said = sale.said_last().await["code"].as_str().unwrap().to_owned();
            assert!(code.contains(&said.as_str()), "{method}: {said}");
            let held = bank.remote(&sale.row().await).await;
            assert!(!matches!(held.map(|held| held.standing), Some(RemoteStanding::Hold(_))), "{method}");
        }
    }

    async fn a_buyer_confirms_with_their_bank_or_refuses(bank: &Bank) {
        let accepted = bank.sale("pm_card_threeDSecure2Required").await;
        assert_eq!(accepted.answers().await, ["needs_action"]);
        bank.confirm(&accepted, true).await;
        assert_eq!(accepted.answers().await, ["needs_action", "authorised"]);
        bank.asks(&accepted, accepted.capture()).await;
        assert_eq!(taken(&remote(bank, &accepted).await), Some((15_000, 250)));
        let refused = bank.sale("pm_card_threeDSecure2Required").await;
        bank.confirm(&refused, false).await;
        assert_eq!((refused.answers().await, refused.state().await), (vec!["needs_action".into(), "declined".into()], State::Declined));
        bank.agrees().await;
    }

    async fn a_hold_is_let_go_and_so_is_one_that_waits_for_its_buyer(bank: &Bank) {
        for method in ["pm_card_visa", "pm_card_threeDSecure2Required"] {
            let sale = bank.sale(method).await;
            for _ in 0..2 {
                bank.asks(&sale, sale.void()).await;
            }
            assert_eq!(sale.answers().await[1..], ["voided", "voided"], "{method}");
            assert_eq!(remote(bank, &sale).await.standing, RemoteStanding::Cancelled, "{method}");
        }
    }

    async fn money_goes_back_in_parts_and_never_more_than_was_paid(bank: &Bank) {
        let sale = bank.paid("pm_card_visa").await;
        let first = RefundId::new();
        for _ in 0..2 {
            bank.asks(&sale, sale.refund(first, 4_000, 800, 400)).await;
        }
        bank.asks(&sale, sale.refund(RefundId::new(), 6_001, 0, 0)).await;
        assert_eq!(sale.said_last().await["code"], "exceeds_remaining");
        bank.asks(&sale, sale.refund(RefundId::new(), 6_000, 1_200, 600)).await;
        assert_eq!(amounts(&remote(bank, &sale).await.refunds), [4_000, 6_000]);
        assert_eq!((sale.state().await, sale.balance(sale.held(0)).await), (State::PartlyRefunded, 0));
        bank.agrees().await;
    }

    async fn a_refund_that_the_bank_does_not_take_leaves_the_money_owed_to_somebody(bank: &Bank) {
        let sale = bank.paid("pm_card_refundFail").await;
        bank.asks(&sale, sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        bank.pass(chrono::TimeDelta::minutes(2)).await;
        bank.settle().await;
        assert_eq!((sale.state().await, sale.row().await.refunded_minor), (State::Captured, 0));
        assert!(sale.row().await.attention.is_some(), "an operator is told");
        let (held, returned) = (sale.balance(sale.held(0)).await, sale.balance(Account::Returned).await);
        assert_eq!(held + returned, 10_000, "it is with the sellers still, or owed to the buyer");
        bank.agrees().await;
    }

    async fn what_a_seller_has_is_taken_back_for_a_refund(bank: &Bank) {
        let sale = bank.paid("pm_card_visa").await;
        bank.asks(&sale, sale.release(PayoutId::new(), sale.sellers[0])).await;
        bank.asks(&sale, sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        let there = remote(bank, &sale).await;
        let made = [&there.refunds, &there.transfers, &there.reversals].map(|parts| amounts(parts));
        assert_eq!(made, [vec![4_000], vec![7_000], vec![2_800]]);
        assert_eq!(sale.balance(Account::Receivable(sale.sellers[0])).await, 0);
        assert_eq!([sale.balance(Account::Tax).await, sale.balance(Account::PlatformFee).await], [1_200, 600]);
        bank.agrees().await;
    }

    async fn a_dispute_that_is_won_gives_everything_back(bank: &Bank) {
        let sale = bank.sale("pm_card_createDispute").await;
        bank.asks(&sale, sale.capture()).await;
        assert_eq!(sale.state().await, State::Disputed);
        assert_eq!(sale.balance(Account::DisputeReserve).await, -15_000);
        bank.agrees().await;
        bank.decide(&sale, true).await;
        assert_eq!(remote(bank, &sale).await.disputes[0].status, DisputeStatus::Won);
        assert_eq!((sale.state().await, sale.balance(Account::DisputeReserve).await), (State::Captured, 0));
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [10_000, 5_000]);
        bank.agrees().await;
    }

    async fn a_dispute_that_is_lost_is_borne_by_the_shares(bank: &Bank) {
        let sale = bank.sale("pm_card_createDispute").await;
        bank.asks(&sale, sale.capture()).await;
        bank.decide(&sale, false).await;
        assert_eq!(sale.said_last().await["status"], "LOST");
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [0, 0]);
        assert_eq!([sale.balance(Account::DisputeReserve).await, sale.balance(Account::Loss).await], [0, 0]);
        bank.agrees().await;
    }
}
