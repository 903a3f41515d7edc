//! Money that goes back, before and after the sellers have it.

use contract::event::payments::Share;
use contract::{PayoutId, RefundId};
use entity::payments::payment::State;
use entity::payments::sandbox_object::{Kind, Status};
use payments::ledger::Account;

use super::asks::{deliver, ear, envelope};
use super::{Sale, books_are_right, provider_agrees, say};
use crate::support::Market;

souk_test! {
    async fn refunds_in_parts_end_when_nothing_is_left(market: &Market) {
        let sale = Sale::paid(market, "pm_card_visa").await;
        sale.ask(sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        assert_eq!(sale.state().await, State::PartlyRefunded);
        sale.ask(sale.refund(RefundId::new(), 6_001, 0, 0)).await;
        assert_eq!(sale.said_last().await["code"], "exceeds_remaining");
        sale.ask(sale.refund(RefundId::new(), 6_000, 1_200, 600)).await;
        assert_eq!(sale.said_last().await["refunded_minor"], 10_000);
        let share = Share { seller_id: sale.sellers[1], amount_minor: 5_000, tax_minor: 0, fee_minor: 500 };
        sale.ask(sale.refund_shares(RefundId::new(), vec![share])).await;
        assert_eq!((sale.state().await, sale.row().await.refunded_minor), (State::Refunded, 15_000));
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [0, 0]);
        provider_agrees(market).await;
    }

    async fn two_refunds_at_once_never_give_back_more_than_was_paid(market: &Market) {
        let sale = Sale::paid(market, "pm_card_visa").await;
        let asks = (0..4).map(|_| (sale.payment, sale.refund(RefundId::new(), 4_000, 0, 0))).collect();
        say(market, asks).await;
        market.settle().await;
        let answers = sale.answers().await;
        assert_eq!(answers.iter().filter(|said| *said == "refunded").count(), 2, "{answers:?}");
        assert_eq!(answers.iter().filter(|said| *said == "refund_failed").count(), 2, "{answers:?}");
        assert_eq!(sale.row().await.refunded_minor, 8_000);
    }

    silent async fn refunds_that_two_processes_hear_at_once_never_give_back_more_than_was_paid(market: &Market) {
        let (sale, courier) = (Sale::new(market), market.courier());
        for ask in [sale.authorise("pm_card_visa"), sale.capture()] {
            deliver(market, vec![ask]).await;
            courier.round().await.unwrap();
        }
        let asks = (0..4).map(|_| envelope(market, sale.refund(RefundId::new(), 4_000, 0, 0)));
        let heard = asks.map(|ask| async move { ear(market).deliver(vec![ask]).await.unwrap() });
        futures::future::join_all(heard).await;
        courier.round().await.unwrap();
        let answers = sale.answers().await;
        assert_eq!(answers.iter().filter(|said| *said == "refunded").count(), 2, "{answers:?}");
        assert_eq!(answers.iter().filter(|said| *said == "refund_failed").count(), 2, "{answers:?}");
        assert_eq!((sale.row().await.refunded_minor, sale.balance(sale.held(0)).await), (8_000, 2_000));
        books_are_right(market).await;
    }

    async fn what_makes_no_sense_is_refused(market: &Market) {
        let sale = Sale::paid(market, "pm_card_visa").await;
        let stranger = contract::SellerId::new();
        let share = |seller_id, amount_minor| Share { seller_id, amount_minor, tax_minor: 0, fee_minor: 0 };
        for shares in [
            vec![],
            vec![share(sale.sellers[0], 0)],
            vec![share(sale.sellers[0], -1)],
            vec![share(sale.sellers[0], i64::MAX)],
            vec![share(stranger, 1)],
            vec![share(sale.sellers[0], 1), share(sale.sellers[0], 1)],
        ] {
            sale.ask(sale.refund_shares(RefundId::new(), shares)).await;
            assert_eq!(sale.answers().await.last().unwrap(), "refund_failed");
        }
        assert_eq!(sale.row().await.refunded_minor, 0);
    }

    async fn a_refund_that_the_bank_does_not_take_leaves_the_money_where_it_was(market: &Market) {
        let sale = Sale::paid(market, "pm_card_refundFail").await;
        sale.ask(sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        assert_eq!(sale.said_last().await["code"], "refund_failed");
        assert_eq!((sale.state().await, sale.balance(sale.held(0)).await), (State::Captured, 10_000));
        sale.ask(sale.release(PayoutId::new(), sale.sellers[0])).await;
        assert_eq!(sale.said_last().await["amount"]["amount_minor"], 7_000);
    }

    async fn a_refund_before_the_release_leaves_the_seller_the_rest(market: &Market) {
        let sale = Sale::paid(market, "pm_card_visa").await;
        sale.ask(sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        sale.ask(sale.release(PayoutId::new(), sale.sellers[0])).await;
        assert_eq!(sale.said_last().await["amount"]["amount_minor"], 6_000 - 1_200 - 600);
        assert_eq!(sale.balance(sale.held(0)).await, 0);
        provider_agrees(market).await;
    }

    async fn a_refund_after_the_release_is_taken_back_from_the_seller(market: &Market) {
        let sale = Sale::paid(market, "pm_card_visa").await;
        sale.ask(sale.release(PayoutId::new(), sale.sellers[0])).await;
        sale.ask(sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        assert_eq!(sale.answers().await.last().unwrap(), "refunded");
        assert_eq!([sale.balance(Account::Tax).await, sale.balance(Account::PlatformFee).await], [1_200, 600]);
        assert_eq!(sale.balance(Account::Receivable(sale.sellers[0])).await, 0, "the bank gave it back");
        let kinds: Vec<Kind> = sale.at_provider().await.into_iter().map(|(kind, ..)| kind).collect();
        assert!(kinds.contains(&Kind::Refund) && kinds.contains(&Kind::Transfer), "{kinds:?}");
        let reversals = reversals(market).await;
        assert_eq!(reversals, [(Status::Done, 2_800)]);
        provider_agrees(market).await;
    }

    async fn what_a_seller_owes_is_kept_back_from_what_they_earn_next(market: &Market) {
        let first = Sale::paid(market, "pm_card_visa").await;
        first.ask(first.release(PayoutId::new(), first.sellers[0])).await;
        // The transfer's money is gone: the bank refuses the reversal.
        take_all_back(market).await;
        first.ask(first.refund(RefundId::new(), 4_000, 800, 400)).await;
        assert_eq!(first.balance(Account::Receivable(first.sellers[0])).await, -2_800, "the seller owes it");
        let mut second = Sale::new(market);
        second.sellers[0] = first.sellers[0];
        second.ask(second.authorise("pm_card_visa")).await;
        second.ask(second.capture()).await;
        second.ask(second.release(PayoutId::new(), second.sellers[0])).await;
        assert_eq!(second.balance(Account::Receivable(first.sellers[0])).await, 0);
        assert_eq!(second.at_provider().await[1..], [(Kind::Transfer, Status::Done, 7_000 - 2_800)]);
    }

    async fn asking_to_release_again_pays_only_what_is_left(market: &Market) {
        let sale = Sale::paid(market, "pm_card_visa").await;
        sale.ask(sale.release(PayoutId::new(), sale.sellers[0])).await;
        sale.ask(sale.release(PayoutId::new(), sale.sellers[0])).await;
        assert_eq!(sale.said_last().await["amount"]["amount_minor"], 0);
        assert_eq!(sale.at_provider().await.len(), 2, "one intent, one transfer");
    }
}

async fn reversals(market: &Market) -> Vec<(Status, i64)> {
    use entity::payments::sandbox_object::{Column, Entity};
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let db = market.env("payments").db.read();
    let rows = Entity::find().filter(Column::Kind.eq(Kind::Reversal)).all(db).await.unwrap();
    rows.into_iter().map(|row| (row.status, row.amount_minor)).collect()
}

/// As if the sellers' accounts at the provider were empty.
async fn take_all_back(market: &Market) {
    use entity::payments::sandbox_object::{Column, Entity};
    use sea_orm::sea_query::Expr;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    Entity::update_many()
        .col_expr(Column::AmountMinor, Expr::val(1_i64))
        .filter(Column::Kind.eq(Kind::Transfer))
        .exec(market.env("payments").db.write())
        .await
        .unwrap();
}
