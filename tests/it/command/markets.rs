//! `souk markets`: trades and candles beside the journals; and what `souk serve` says of rules that no market can have.

use bidding::engine::PARTITIONS;
use entity::bidding::{candle, journal, trade};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::*;
use crate::bidding::pit::{Pit, status};

/// What the sneakers change hands for, in cents.
const PRICE: i64 = 20_000;
const RIGHT: &str = "trades and candles follow from the journals\n";
const NOT_RIGHT: &str =
    "souk: trades and candles do not follow from the journals: `souk markets rebuild` makes them right\n";

/// A market in which one piece changed hands.
async fn traded(desk: &Desk) -> Pit<'_> {
    let pit = Pit::open(&desk.market).await;
    assert_eq!(status(&pit.ask(&pit.seller, PRICE).await), "OPEN");
    assert_eq!(status(&pit.bid(&desk.market.buyer(), PRICE).await), "FILLED");
    desk.market.settle().await;
    pit
}

/// Somebody changes a table by hand: another price, and no candle of the hour.
async fn damage(desk: &Desk) {
    let db = desk.market.env("bidding").db.write();
    let priced = trade::Entity::update_many().col_expr(trade::Column::PriceMinor, Expr::val(1_i64));
    assert_eq!(priced.exec(db).await.unwrap().rows_affected, 1);
    let hour = candle::Entity::delete_many().filter(candle::Column::Span.eq(candle::Span::Hour));
    assert_eq!(hour.exec(db).await.unwrap().rows_affected, 1);
}

async fn prices(desk: &Desk) -> Vec<i64> {
    let trades = trade::Entity::find().all(desk.market.env("bidding").db.read()).await.unwrap();
    trades.iter().map(|trade| trade.price_minor).collect()
}

command_test! {
    async fn what_is_right_is_said_to_be_right_and_left_as_it_is(desk: &Desk) {
        for verb in ["verify", "rebuild"] {
            let said = desk.ends(0, &["markets", verb]).await;
            assert_eq!(said.out, format!("0 rows of journals replayed: 0 trades, 0 candles\n{RIGHT}"), "{said:?}");
        }
        traded(desk).await;
        for verb in ["verify", "rebuild"] {
            let said = desk.ends(0, &["markets", verb]).await;
            assert!(said.out.ends_with(&format!("rows of journals replayed: 1 trades, 3 candles\n{RIGHT}")), "{said:?}");
        }
        assert_eq!(prices(desk).await, [PRICE]);
    }

    async fn a_damaged_table_is_found_by_verify_and_mended_by_rebuild(desk: &Desk) {
        let pit = traded(desk).await;
        damage(desk).await;
        let mut told = String::new();
        for _ in 0..2 {
            let said = desk.ends(1, &["markets", "verify"]).await;
            assert_eq!(said.err, NOT_RIGHT);
            assert!(said.out.contains("trade 1 of partition") && said.out.contains("price_minor: 1,"), "{said:?}");
            assert!(said.out.contains("Hour ") && said.out.contains(": the table says nothing, the journal "), "{said:?}");
            assert!(said.out.ends_with("\n2 differences\n"), "{said:?}");
            told = said.out;
        }
        assert_eq!(prices(desk).await, [1], "who verifies changes nothing");

        let mended = desk.ends(0, &["markets", "rebuild"]).await;
        assert_eq!(mended.out, format!("{told}made right\n"), "it says what it has changed");
        assert_eq!(prices(desk).await, [PRICE]);
        for verb in ["verify", "rebuild"] {
            let said = desk.ends(0, &["markets", verb]).await;
            assert!(said.out.ends_with(RIGHT) && said.err.is_empty(), "{said:?}");
        }
        assert_eq!(status(&pit.ask(&pit.seller, PRICE).await), "OPEN", "trading goes on");
    }

    async fn nothing_is_made_of_a_journal_that_is_damaged_itself(desk: &Desk) {
        traded(desk).await;
        damage(desk).await;
        let db = desk.market.env("bidding").db.write();
        let cut = journal::Entity::update_many().col_expr(journal::Column::Payload, Expr::val(vec![9_u8]));
        let last = journal::Entity::find().all(db).await.unwrap().iter().map(|row| row.seq).max().unwrap();
        cut.filter(journal::Column::Seq.eq(last)).exec(db).await.unwrap();
        for verb in ["verify", "rebuild"] {
            let said = desk.ends(1, &["markets", verb]).await;
            assert!(said.err.contains(&format!("journal row {last} does not match its checksum")), "{said:?}");
        }
        assert_eq!(prices(desk).await, [1]);
        let missing = desk.folder.join("missing").to_str().unwrap().to_owned();
        let said = desk.ends(1, &["markets", "rebuild", "--data-dir", &missing]).await;
        assert!(said.err.starts_with("souk: there is no data folder"), "{said:?}");
    }

    async fn a_rule_that_no_market_can_have_is_refused_at_the_start_and_named(desk: &Desk) {
        for (flag, max) in [
            ("--market-partitions", PARTITIONS),
            ("--market-commands-per-second", 100_000),
            ("--market-commands-at-once", 100_000),
            ("--market-orders-per-market", 1_000_000),
            ("--market-orders", 1_000_000),
        ] {
            for wrong in [0, max + 1] {
                let said = desk.ends(1, &["serve", flag, &wrong.to_string()]).await;
                assert_eq!(said.err, format!("souk: {flag} must be 1 to {max}\n"), "{said:?}");
            }
            let said = desk.ends(2, &["serve", flag, "many"]).await;
            assert!(said.err.contains("invalid value 'many'") && said.err.contains(flag), "{said:?}");
        }
    }
}
