//! Trades and candles worked out again from the journal.

use bidding::engine::{Follower, Projection};
use bidding::recount::{Difference, rebuild, verify};
use chassis::Database;
use entity::bidding::{candle, trade};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::play::{PARTITION, Running, action, assert_projected, clock, journal, on_both, open_market};

async fn trade_for_a_while(db: &Database, numbers: std::ops::Range<u64>) {
    let running = Running::start(journal(db), clock());
    running.send(open_market()).await;
    for number in numbers {
        running.send(action(number)).await;
    }
    running.stop().await;
    let mut follower = Follower::new(journal(db), Projection::new(db.clone(), PARTITION));
    while follower.turn().await.unwrap() {}
}

on_both! {
    async fn what_the_tables_say_follows_from_the_journal(db: Database) {
        assert!(verify(&db).await.unwrap().is_right(), "an empty marketplace");
        trade_for_a_while(&db, 0..250).await;
        let report = verify(&db).await.unwrap();
        assert!(report.is_right(), "{report}");
        assert!(report.rows == 251 && report.trades > 30 && report.candles >= 3, "{report}");
        assert!(rebuild(&db).await.unwrap().is_right());
    }

    async fn what_was_changed_by_hand_is_found_and_made_right(db: Database) {
        trade_for_a_while(&db, 0..250).await;
        let trades = trade::Entity::find().order_by_asc(trade::Column::Number).all(db.read()).await.unwrap();
        let [changed, lost, .., added] = &trades[..] else { panic!("{} trades", trades.len()) };
        trade::Entity::update_many()
            .col_expr(trade::Column::PriceMinor, Expr::val(1_i64))
            .col_expr(trade::Column::Failed, Expr::col(trade::Column::Failed).add(1))
            .filter(trade::Column::Number.eq(changed.number))
            .exec(db.write())
            .await
            .unwrap();
        trade::Entity::delete_by_id((lost.partition, lost.number)).exec(db.write()).await.unwrap();
        let added = trade::Model { number: added.number + 100, market_seq: 1_000_000, ..added.clone() };
        trade::Entity::insert(added.clone().into_active_model()).exec_without_returning(db.write()).await.unwrap();
        let candles = candle::Entity::find().all(db.read()).await.unwrap();
        candle::Entity::update_many()
            .col_expr(candle::Column::Volume, Expr::col(candle::Column::Volume).add(1))
            .filter(candle::Column::Span.eq(candle::Span::Hour))
            .exec(db.write())
            .await
            .unwrap();
        let minute = candles.iter().find(|candle| candle.span == candle::Span::Minute).unwrap();
        candle::Entity::delete_many()
            .filter(candle::Column::Span.eq(candle::Span::Minute))
            .filter(candle::Column::Start.eq(minute.start))
            .exec(db.write())
            .await
            .unwrap();

        let report = verify(&db).await.unwrap();
        let numbers: Vec<i64> = report.differences.iter().filter_map(|difference| match difference {
            Difference::Trade { number, .. } => Some(*number),
            Difference::Candle { .. } => None,
        }).collect();
        assert_eq!(numbers, [changed.number, lost.number, added.number], "{report}");
        assert_eq!(report.differences.len(), 5, "and two candles: {report}");
        assert!(report.to_string().contains("the journal nothing") && report.to_string().ends_with("5 differences"), "{report}");
        assert_eq!(rebuild(&db).await.unwrap().differences, report.differences);
        assert!(verify(&db).await.unwrap().is_right());
        assert_projected(&db).await;
        trade_for_a_while(&db, 250..300).await;
        let report = verify(&db).await.unwrap();
        assert!(report.is_right(), "{report}");
    }

    async fn a_rebuild_beside_trading_changes_nothing_that_is_right(db: Database) {
        let running = Running::start(journal(&db), clock());
        running.send(open_market()).await;
        let mut follower = Follower::new(journal(&db), Projection::new(db.clone(), PARTITION));
        for number in 0..40 {
            let following = async {
                for part in 0..4 {
                    running.send(action(4 * number + part)).await;
                    follower.turn().await.unwrap();
                }
            };
            let ((), rebuilt, verified) = tokio::join!(following, rebuild(&db), verify(&db));
            let (rebuilt, verified) = (rebuilt.unwrap(), verified.unwrap());
            assert!(rebuilt.is_right() && verified.is_right(), "{rebuilt}\n{verified}");
        }
        running.stop().await;
        assert_projected(&db).await;
    }
}
