//! Buyers' banks that take payments back.

use chassis::tx;
use contract::PayoutId;
use entity::payments::payment::State;
use payments::ledger::Account;
use payments::provider::sandbox;

use super::{Sale, provider_agrees};
use crate::support::Market;

/// The bank decides, and tells.
async fn decide(sale: &Sale<'_>, won: bool) {
    let env = sale.market.env("payments");
    let news = std::sync::Arc::default();
    let decided = tx::apply(&env.db, async |tx| {
        sandbox::decide(tx, sale.market.clock.now(), &news, sale.payment, won).await
    });
    assert!(decided.await.unwrap(), "there is an open dispute");
    sale.market.settle().await;
}

async fn disputed(market: &Market) -> Sale<'_> {
    let sale = Sale::with_card(market, "pm_card_createDispute").await;
    sale.ask(sale.capture()).await;
    assert_eq!(sale.answers().await, ["authorised", "captured", "dispute_changed"]);
    assert_eq!(sale.state().await, State::Disputed);
    sale
}

souk_test! {
    async fn an_open_dispute_holds_the_sellers_money_back(market: &Market) {
        let sale = disputed(market).await;
        assert_eq!(sale.balance(Account::DisputeReserve).await, -15_000);
        sale.ask(sale.release(PayoutId::new(), sale.sellers[0])).await;
        assert_eq!(sale.said_last().await["amount"]["amount_minor"], 0);
        provider_agrees(market).await;

        decide(&sale, true).await;
        assert_eq!(sale.answers().await[4..], ["released", "dispute_changed"], "what was asked for before is paid now");
        assert_eq!(sale.state().await, State::Captured);
        assert_eq!(sale.balance(Account::DisputeReserve).await, 0);
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [0, 5_000]);
        provider_agrees(market).await;
    }

    async fn a_lost_dispute_is_borne_by_the_shares(market: &Market) {
        let sale = disputed(market).await;
        decide(&sale, false).await;
        assert_eq!(sale.said_last().await["status"], "LOST");
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [0, 0]);
        assert_eq!([sale.balance(Account::DisputeReserve).await, sale.balance(Account::Loss).await], [0, 0]);
        provider_agrees(market).await;
    }

    async fn a_dispute_that_is_told_twice_is_booked_once(market: &Market) {
        let sale = disputed(market).await;
        decide(&sale, false).await;
        let before = sale.answers().await;
        let env = market.env("payments");
        for _ in 0..2 {
            market.clock.advance(chrono::TimeDelta::hours(1));
            payments::reconcile::read(env, &payments::courier(env, &Default::default()).unwrap(), sale.payment).await.unwrap();
            market.settle().await;
        }
        assert_eq!(sale.answers().await, before);
        provider_agrees(market).await;
    }
}
