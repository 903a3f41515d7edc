//! Looking again: what stands still is read, what nobody came for is given up, balances are compared.

use chrono::TimeDelta;
use entity::payments::difference;
use entity::payments::payment::State;
use entity::payments::sandbox_object::{self, Kind, Status};
use payments::reconcile::{compare_balances, look_again};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::Sale;
use crate::support::Market;

async fn look(market: &Market) -> usize {
    let env = market.env("payments");
    let found = look_again(env, &payments::courier(env, &Default::default()).unwrap()).await.unwrap();
    market.settle().await;
    found
}

async fn spoil(market: &Market, column: sandbox_object::Column, value: impl Into<sea_orm::Value>) {
    sandbox_object::Entity::update_many()
        .col_expr(column, Expr::val(value))
        .filter(sandbox_object::Column::Kind.eq(Kind::Intent))
        .exec(market.env("payments").db.write())
        .await
        .unwrap();
}

souk_test! {
    async fn a_hold_that_nobody_came_for_is_given_up(market: &Market) {
        let sale = Sale::with_card(market, "pm_card_visa").await;
        let waits = Sale::with_card(market, "pm_card_threeDSecure2Required").await;
        market.clock.advance(TimeDelta::minutes(9));
        assert_eq!(look(market).await, 0);
        market.clock.advance(TimeDelta::minutes(12));
        look(market).await;
        for sale in [sale, waits] {
            assert_eq!(sale.state().await, State::Voided);
            assert_eq!(sale.at_provider().await, [(Kind::Intent, Status::Cancelled, 15_000)]);
        }
    }

    async fn a_payment_that_stands_still_is_read(market: &Market) {
        let sale = Sale::with_card(market, "pm_card_visa").await;
        spoil(market, sandbox_object::Column::Status, "cancelled").await;
        market.clock.advance(TimeDelta::minutes(11));
        assert_eq!(look(market).await, 1);
        assert_eq!(sale.answers().await, ["authorised", "voided"], "the provider had let it go");
    }

    async fn a_balance_that_differs_is_one_row_until_it_agrees_again(market: &Market) {
        Sale::paid(market, "pm_card_visa").await;
        let env = market.env("payments");
        let courier = payments::courier(env, &Default::default()).unwrap();
        assert_eq!(compare_balances(env, &courier).await.unwrap(), 0);
        spoil(market, sandbox_object::Column::BalanceMinor, 14_000_i64).await;
        for _ in 0..2 {
            assert_eq!(compare_balances(env, &courier).await.unwrap(), 1);
        }
        let rows = difference::Entity::find().all(env.db.read()).await.unwrap();
        assert_eq!(rows.iter().map(|row| (row.ledger_minor, row.provider_minor)).collect::<Vec<_>>(), [(14_750, 14_000)]);
        spoil(market, sandbox_object::Column::BalanceMinor, 14_750_i64).await;
        assert_eq!(compare_balances(env, &courier).await.unwrap(), 0);
        let rows = difference::Entity::find().all(env.db.read()).await.unwrap();
        assert!(rows[0].resolved_at.is_some());
    }
}
