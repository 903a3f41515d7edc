//! `souk feed apply`: quantities from a file.

use entity::inventory::{feed, feed_batch, stock_level, stock_movement};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait};

use super::*;
use crate::feeds::killed_shop;

/// Enough chunks for a kill to fall between them.
const MANY: usize = 4_000;

/// Pieces of each offer, in the order in which they were made, and how often stock moved.
async fn pieces(desk: &Desk) -> (Vec<i64>, u64) {
    let db = desk.market.env("inventory").db.read();
    let mut levels = stock_level::Entity::find().all(db).await.unwrap();
    levels.sort_by_key(|level| level.offer_id);
    let moved = stock_movement::Entity::find().count(db).await.unwrap();
    (levels.iter().map(|level| level.on_hand).collect(), moved)
}

/// The id of the only feed, of a shop with so many goods.
async fn feed_of(desk: &Desk, goods: usize) -> String {
    killed_shop(&desk.market, goods).await;
    let feed = feed::Entity::find().one(desk.market.env("inventory").db.read()).await.unwrap();
    feed.unwrap().id.to_string()
}

command_test! {
    async fn a_file_is_applied_once_and_what_was_not_is_told_by_line(desk: &Desk) {
        let feed = feed_of(desk, 2).await;
        let good = desk.file("good.csv", "sku,quantity,sequence\nSKU 0,7,1\nSKU 1,4,1\n");
        let said = desk.ends(0, &["feed", "apply", "--feed", &feed, &good]).await;
        assert!(said.out.starts_with("2 lines: 2 applied, 0 limited by reservations, 0 unchanged, 0 stale, 0 refused ("), "{said:?}");
        assert_eq!(pieces(desk).await, (vec![7, 4], 2));
        let again = desk.ends(0, &["feed", "apply", "--feed", &feed, &good]).await;
        assert_eq!(again.out, format!("{}It was applied before: this is its answer again, and nothing was done.\n", said.out));
        let other_key = desk.ends(0, &["feed", "apply", "--feed", &feed, "--key", "today", &good]).await;
        assert!(other_key.out.contains("2 unchanged") && !other_key.out.contains("before"), "{other_key:?}");
        let bad = desk.file("bad.json", r#"{"lines":[{"sku":"SKU 0","quantity":9,"sequence":2},{"sku":"SKU 9","quantity":1,"sequence":2},
            {"sku":"SKU 1","quantity":-1,"sequence":2},{"sku":"SKU 1","quantity":5,"sequence":0}]}"#);
        let said = desk.ends(1, &["feed", "apply", "--feed", &feed, &bad]).await;
        assert_eq!(said.err, "souk: 2 of 4 lines were refused\n");
        let told: Vec<&str> = said.out.lines().map(|line| &line[..line.len().min(22)]).collect();
        assert_eq!(told[..3], ["line     2  NotFound   ", "line     3  Invalid    ", "line     4  Stale      "].map(|line| &line[..22]), "{said:?}");
        assert!(said.out.contains("4 lines: 1 applied, 0 limited by reservations, 0 unchanged, 1 stale, 2 refused ("), "{said:?}");
        assert_eq!(pieces(desk).await, (vec![9, 4], 3));
    }

    async fn what_cannot_be_applied_says_why_and_moves_nothing(desk: &Desk) {
        let feed = feed_of(desk, 1).await;
        let good = desk.file("good.csv", "sku,quantity,sequence\nSKU 0,7,1\n");
        desk.ends(0, &["feed", "apply", "--feed", &feed, "--key", "k", &good]).await;
        let before = pieces(desk).await;
        let missing = desk.folder.join("missing.csv").to_str().unwrap().to_owned();
        let nobody = contract::FeedId::new().to_string();
        for (feed, key, file, why) in [
            (&feed, "a", missing, "missing.csv cannot be read"),
            (&feed, "b", desk.file("good.txt", "sku,quantity,sequence\nSKU 0,8,2\n"), "must end in .csv or .json"),
            (&feed, "c", desk.file("empty.csv", ""), ""),
            (&feed, "d", desk.file("half.json", r#"{"lines":[{"sku":"SKU 0","quan"#), ""),
            (&feed, "e", desk.file("nameless.csv", "quantity\n8\n"), ""),
            (&feed, "k", desk.file("other.csv", "sku,quantity,sequence\nSKU 0,8,2\n"), "the idempotency key was used with another body"),
            (&feed, "", desk.file("keyless.csv", "sku,quantity,sequence\nSKU 0,8,2\n"), "the idempotency key must have"),
            (&nobody, "f", good.clone(), "there is no feed"),
        ] {
            let said = desk.ends(1, &["feed", "apply", "--feed", feed, "--key", key, &file]).await;
            assert!(said.err.starts_with("souk: ") && said.err.contains(why) && said.err.len() > 12, "{said:?}");
        }
        desk.ends(2, &["feed", "apply", "--feed", "fed_nonsense", &good]).await;
        let row = feed::Entity::find().one(desk.market.env("inventory").db.read()).await.unwrap().unwrap();
        let off = feed::ActiveModel { enabled: Set(false), ..row.into_active_model() };
        off.update(desk.market.env("inventory").db.write()).await.unwrap();
        let off = desk.ends(1, &["feed", "apply", "--feed", &feed, "--key", "g", &good]).await;
        assert!(off.err.contains("is switched off"), "{off:?}");
        assert_eq!(pieces(desk).await, before);
    }

    async fn a_batch_that_was_killed_goes_on_where_it_was(desk: &Desk) {
        let feed = feed_of(desk, 20).await;
        let lines: String = (0..MANY).map(|line| format!("SKU {},{},{line}\n", line % 20, line * 7 % 101)).collect();
        let file = desk.file("many.csv", format!("sku,quantity,sequence\n{lines}"));
        let mut child = desk.start(&["feed", "apply", "--feed", &feed, &file]);
        let db = desk.market.env("inventory").db.read();
        let done = async || feed_batch::Entity::find().one(db).await.unwrap().map_or(0, |batch| batch.lines_done);
        while done().await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(done().await < MANY as i32, "it was killed in the middle");
        let said = desk.ends(0, &["feed", "apply", "--feed", &feed, &file]).await;
        assert!(said.out.contains(&format!("{MANY} lines: ")) && !said.out.contains("before"), "{said:?}");
        let last: Vec<i64> = (MANY - 20..MANY).map(|line| line as i64 * 7 % 101).collect();
        assert_eq!(pieces(desk).await.0, last);
        let report = inventory::verify(&desk.market.env("inventory").db).await.unwrap();
        assert!(report.is_right(), "{report}");
    }
}
