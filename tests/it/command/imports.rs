//! `souk import`: a file of goods, from the command line.

use entity::catalog::{import_job, listing, offer, product};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::*;

const LAMPS: &str = "title,brand,size,price,currency,quantity\n\
    Lamp,Lumen,S,10.00,EUR,5\n\
    Lamp,Lumen,L,12.00,EUR,3\n\
    Shade,Lumen,,7.50,EUR,0\n";
/// Enough batches for a kill to fall between them.
const MANY: usize = 2_500;

/// Products, offers and listings that are there.
async fn rows(desk: &Desk) -> [u64; 3] {
    let db = desk.market.env("catalog").db.read();
    [
        product::Entity::find().count(db).await.unwrap(),
        offer::Entity::find().count(db).await.unwrap(),
        listing::Entity::find().count(db).await.unwrap(),
    ]
}

/// Pieces on all shelves.
async fn pieces(desk: &Desk) -> i64 {
    desk.market.settle().await;
    let db = desk.market.env("inventory").db.read();
    let levels = entity::inventory::stock_level::Entity::find().all(db).await.unwrap();
    levels.iter().map(|level| level.on_hand).sum()
}

/// The lines of a report.
fn report(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

command_test! {
    async fn a_file_is_imported_once_and_what_came_of_it_is_said(desk: &Desk) {
        let lamps = desk.file("lamps.csv", LAMPS);
        let said = desk.ends(0, &["import", &lamps, "--seller", "Ada's"]).await;
        assert_eq!(said.out, "Of 3 rows: 2 new products, 3 new offers, 0 changed offers, 0 unchanged, 0 refused.\n");
        assert_eq!(said.err, "", "a bar is drawn on terminals only");
        let summary = report(&desk.read("lamps.csv.report.jsonl"));
        assert_eq!(summary.len(), 1);
        assert_eq!((&summary[0]["rows"], &summary[0]["offers"], &summary[0]["dryRun"]), (&json!(3), &json!(3), &json!(false)));
        assert_eq!((rows(desk).await, pieces(desk).await), ([2, 3, 2], 8));
        let seller = desk.ada.seller.unwrap().to_string();
        let again = desk.ends(0, &["import", &lamps, "--seller", &seller]).await;
        assert_eq!(again.out, said.out, "the file is in: this is what came of it");
        assert_eq!((rows(desk).await, pieces(desk).await), ([2, 3, 2], 8));
        let dearer = desk.file("dearer.csv", LAMPS.replace("12.00", "13.00"));
        let said = desk.ends(0, &["import", &dearer, "--seller", "Ada's"]).await;
        assert_eq!(said.out, "Of 3 rows: 0 new products, 0 new offers, 1 changed offers, 2 unchanged, 0 refused.\n");
    }

    async fn each_refused_row_is_told_with_its_line_and_column(desk: &Desk) {
        let file = desk.file("goods.csv", "title,gtin,price,currency\nGood,,1.00,EUR\nDigit,9780439023482,1.00,EUR\nPrice,,1.234,EUR\nShort,,1.00\n");
        let said = desk.ends(2, &["import", &file, "--seller", "Ada's"]).await;
        assert!(said.out.starts_with("Of 4 rows: 1 new products, 1 new offers, 0 changed offers, 0 unchanged, 3 refused.\n"), "{said:?}");
        assert!(said.err.starts_with("souk: 3 rows were refused; see ") && said.err.contains("goods.csv.report.jsonl"), "{said:?}");
        let lines = report(&desk.read("goods.csv.report.jsonl"));
        let told: Vec<Value> = lines.iter().map(|line| json!([line["line"], line["column"], line["code"]])).collect();
        assert_eq!(told[..3], [json!([3, 2, "INVALID_VALUE"]), json!([4, 3, "INVALID_VALUE"]), json!([5, null, "FIELD_COUNT"])]);
        assert_eq!((lines.len(), &lines[3]["refused"]), (4, &json!(3)));
        assert_eq!(report(said.out.split_once('\n').unwrap().1)[..3], lines[..3], "the first ones are shown");
        assert_eq!(rows(desk).await, [1, 1, 0]);
        let elsewhere = desk.folder.join("elsewhere.jsonl");
        desk.ends(2, &["import", &file, "--seller", "Ada's", "--report", elsewhere.to_str().unwrap()]).await;
        assert_eq!(report(&desk.read("elsewhere.jsonl")), lines, "the same again");
    }

    async fn a_dry_run_says_what_would_come_of_it_and_changes_nothing(desk: &Desk) {
        let file = desk.file("lamps.csv", format!("{LAMPS}Broken,Lumen,,x,EUR,1\n"));
        let dry = desk.ends(2, &["import", &file, "--seller", "Ada's", "--dry-run"]).await;
        assert!(dry.out.starts_with("Nothing was changed. Of 4 rows: 2 new products, 3 new offers, 0 changed offers, 0 unchanged, 1 refused.\n"), "{dry:?}");
        assert_eq!((rows(desk).await, pieces(desk).await), ([0, 0, 0], 0));
        let real = desk.ends(2, &["import", &file, "--seller", "Ada's"]).await;
        // The last line is the summary, with the name of the import.
        let told = |out: &str| out.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(told(&format!("Nothing was changed. {}", real.out)), told(&dry.out));
        assert_eq!((rows(desk).await, pieces(desk).await), ([2, 3, 2], 8));
    }

    async fn a_file_that_was_cut_off_brings_its_whole_rows(desk: &Desk) {
        let half = desk.file("half.csv", &LAMPS[..LAMPS.len() - 12]);
        let said = desk.ends(2, &["import", &half, "--seller", "Ada's"]).await;
        assert!(said.out.starts_with("Of 3 rows: 1 new products, 2 new offers, 0 changed offers, 0 unchanged, 1 refused.\n"), "{said:?}");
        let lines = report(&desk.read("half.csv.report.jsonl"));
        assert_eq!((&lines[0]["line"], &lines[0]["code"]), (&json!(4), &json!("FIELD_COUNT")));
        let json = desk.file("half.jsonl", "{\"title\":\"Rug\"}\n{\"title\":\"Va");
        desk.ends(2, &["import", &json]).await;
        let lines = report(&desk.read("half.jsonl.report.jsonl"));
        assert_eq!((&lines[0]["line"], &lines[0]["code"]), (&json!(2), &json!("JSON")));
        assert_eq!(rows(desk).await, [2, 2, 2]);
    }

    async fn what_cannot_be_imported_says_why_and_leaves_nothing(desk: &Desk) {
        let lamps = desk.file("lamps.csv", LAMPS);
        let bob = desk.market.seller("Bob's").await;
        desk.market.say_seller(&bob, "Bob's", contract::event::accounts::SellerStatus::Suspended, 2).await;
        desk.market.settle().await;
        let missing = desk.folder.join("missing.csv").to_str().unwrap().to_owned();
        let folder = desk.folder.to_str().unwrap().to_owned();
        for (arguments, why) in [
            (vec![missing.as_str()], "missing.csv cannot be read"),
            (vec![folder.as_str()], "cannot be read"),
            (vec![&desk.file("empty.csv", "")], "line 1: the file is empty"),
            (vec![&desk.file("headless.csv", "Lamp,10.00\n")], "line 1: "),
            (vec![&desk.file("wide.csv", b"\xff\xfet\0i\0")], "UTF-16"),
            (vec![&lamps, "--seller", "Nobody's"], "there is no shop Nobody's"),
            (vec![&lamps, "--seller", "Bob's"], "is not verified"),
        ] {
            let all: Vec<&str> = std::iter::once("import").chain(arguments).collect();
            let said = desk.ends(1, &all).await;
            assert!(said.err.starts_with("souk: ") && said.err.contains(why) && said.out.is_empty(), "{said:?}");
        }
        let unknown = desk.ends(2, &["import", &lamps, "--format", "xml"]).await;
        assert!(unknown.err.contains("invalid value 'xml'"), "{unknown:?}");
        assert_eq!(rows(desk).await, [0, 0, 0]);
        let jobs = import_job::Entity::find().count(desk.market.env("catalog").db.read()).await.unwrap();
        assert_eq!(jobs, 0, "nothing was begun");
    }

    async fn a_command_that_was_killed_goes_on_where_it_was(desk: &Desk) {
        let lines: String = (0..MANY).map(|row| format!("Vase {row},1.00,EUR,2\n")).collect();
        let file = desk.file("vases.csv", format!("title,price,currency,quantity\n{lines}"));
        let mut child = desk.start(&["import", &file, "--seller", "Ada's"]);
        let db = desk.market.env("catalog").db.read();
        let done = async || import_job::Entity::find().one(db).await.unwrap().map_or(0, |job| job.rows_done);
        while done().await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let kept = done().await;
        assert!(kept < MANY as i64, "it was killed in the middle: {kept}");
        assert_eq!(rows(desk).await[0], kept as u64, "a batch is whole");
        let said = desk.ends(0, &["import", &file, "--seller", "Ada's"]).await;
        assert_eq!(said.out, format!("Of {MANY} rows: {MANY} new products, {MANY} new offers, 0 changed offers, 0 unchanged, 0 refused.\n"));
        assert_eq!((rows(desk).await, pieces(desk).await), ([MANY as u64; 3], 2 * MANY as i64));
        assert_eq!(import_job::Entity::find().count(db).await.unwrap(), 1);
    }
}
