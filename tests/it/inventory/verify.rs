//! The check of the books finds what does not follow from the log.

use inventory::{Difference, verify};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{Shop, books_are_right};
use crate::support::Market;

async fn tamper(market: &Market, sql: &str) -> Vec<Difference> {
    let db = &market.env("inventory").db;
    db.write().execute_unprepared(sql).await.unwrap();
    verify(db).await.unwrap().differences
}

souk_test! {
    async fn books_that_follow_from_the_log_are_right(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        shop.reserve(offer, 2).await;
        shop.does("adjustStock", shop.at(offer, json!({ "delta": -1, "reason": "lost" }))).await;
        let report = verify(&market.env("inventory").db).await.unwrap();
        assert_eq!((report.movements, report.offers, report.is_right()), (3, 1, true));
        books_are_right(market).await;
    }

    async fn a_changed_level_is_found(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        shop.stocked(10).await;
        let found = tamper(market, "update stock_level set on_hand = 11, available = 11").await;
        assert!(matches!(found[..], [Difference::Level { level: (11, 0, 1), log: (10, 0, 1), .. }]), "{found:?}");
    }

    async fn a_changed_shelf_is_found(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        shop.stocked(10).await;
        let found = tamper(market, "update location_level set on_hand = 9").await;
        assert!(matches!(found[..], [Difference::Shelf { shelf: 9, log: 10, .. }]), "{found:?}");
    }

    async fn a_changed_reservation_is_found(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        shop.reserve(offer, 2).await;
        let found = tamper(market, "update reservation_line set quantity = 1").await;
        assert!(matches!(found[..], [Difference::Reservation { held: 1, log: 2, .. }]), "{found:?}");
        let found = tamper(market, "update reservation set state = 'released'").await;
        assert!(matches!(found[..], [Difference::Reservation { held: 0, log: 2, .. }]), "{found:?}");
    }

    async fn a_removed_movement_is_found(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        shop.does("receiveStock", shop.at(offer, json!({ "quantity": 1 }))).await;
        shop.does("receiveStock", shop.at(offer, json!({ "quantity": 1 }))).await;
        let found = tamper(market, "delete from stock_movement where version = 2").await;
        assert!(found.iter().any(|one| matches!(one, Difference::Gap { from: 1, to: 3, .. })), "{found:?}");
    }

    async fn the_tables_themselves_refuse_to_oversell(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        shop.reserve(offer, 2).await;
        let db = market.env("inventory").db.write();
        for sql in [
            "update stock_level set reserved = 11, available = -1",
            "update stock_level set available = 9",
            "update stock_level set reserved = -1, available = 11",
            "update location_level set on_hand = -1",
        ] {
            assert!(db.execute_unprepared(sql).await.is_err(), "{sql}");
        }
    }
}
