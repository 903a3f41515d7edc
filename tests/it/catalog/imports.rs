//! Files of goods: imported in the background, row by row answered, once however often.

use catalog::import::file::job::{self as jobs, Start};
use catalog::import::file::{Batches, Format};
use contract::Envelope;
use entity::shared::outbox;
use futures::StreamExt;
use sea_orm::{EntityTrait, QueryOrder, QuerySelect};

use super::listings::{available, book, list};
use super::*;
use crate::support::{self, Relays};

const START: &str = "mutation($input: StartImportInput!) { startImport(input: $input) {
    importJob { id state } userErrors { code field message line column } } }";

async fn start(market: &Market, by: &Person, format: &str, content: &str, more: Value) -> Value {
    let mut input = json!({ "format": format, "content": content, "idempotencyKey": key() });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    market.data("catalog", Some(by), START, json!({ "input": input })).await["startImport"].take()
}

/// Does what the job of imports does between two pauses.
async fn work(market: &Market) {
    let catalog = market.souk.services.iter().find(|service| service.name.as_str() == "catalog").unwrap();
    let job = catalog.subgraph.jobs.iter().find(|job| job.name == "catalog imports").unwrap();
    (job.run)().await.unwrap();
}

async fn job(market: &Market, by: &Person, id: &Value) -> Value {
    let query = "query($id: ID!) { importJob(id: $id) { state rowsTotal rowsDone rowsRefused rowsUnchanged productsCreated productsProposed
        offersCreated offersChanged errors(first: 100) { nodes { line column field code message } } } }";
    market.data("catalog", Some(by), query, json!({ "id": id })).await["importJob"].take()
}

/// Imports and gives what came of it.
async fn import(market: &Market, by: &Person, content: &str, more: Value) -> Value {
    let format = if content.starts_with('{') { "JSON_LINES" } else { "CSV" };
    let mut started = start(market, by, format, content, more).await;
    assert_eq!(started["userErrors"], json!([]), "{content}");
    work(market).await;
    market.settle().await;
    job(market, by, &started["importJob"]["id"].take()).await
}

/// `[created, proposed, new offers, changed offers, unchanged, refused]`
fn counts(job: &Value) -> [i64; 6] {
    assert_eq!(job["state"], "DONE");
    assert_eq!(job["rowsTotal"], job["rowsDone"]);
    ["productsCreated", "productsProposed", "offersCreated", "offersChanged", "rowsUnchanged", "rowsRefused"]
        .map(|field| job[field].as_i64().unwrap())
}

/// `line/column CODE` of each error.
fn errors(job: &Value) -> Vec<String> {
    let nodes = job["errors"]["nodes"].as_array().unwrap().iter();
    nodes
        .map(|error| format!("{}/{} {}", error["line"], error["column"], error["code"].as_str().unwrap()))
        .collect()
}

/// Statements that one batch of so many rows takes in catalog.
async fn statements_of_rows(market: &Market, by: &Person, rows: usize, price: i64, quantity: i64) -> u64 {
    let lines: String =
        (0..rows).map(|row| format!("Vase {rows} {row},{price}.00,EUR,{quantity},Home\n")).collect();
    let file = format!("title,price,currency,quantity,category\n{lines}");
    let file_hash = format!("{rows} {price} {quantity}");
    let start =
        Start { owner: None, seller: by.seller, creates: true, dry_run: false, file_hash, rows_total: None };
    let env = market.env("catalog");
    let job = jobs::resume(env, start).await.unwrap();
    let batch = Batches::new(file.as_bytes(), Format::Csv).unwrap().next_batch().unwrap().unwrap();
    let before = env.db.statements();
    let job = jobs::step(env, None, job.id, &batch).await.unwrap();
    assert_eq!((job.rows_done, job.rows_refused), (rows as i64, 0));
    env.db.statements() - before
}

/// Statements that `ear` takes to hear at once what `mouth` said from the event on with this number; the next number.
async fn statements_of_hearing(market: &Market, mouth: &str, ear: &str, from: u64) -> (u64, u64) {
    let said = outbox::Entity::find().order_by_asc(outbox::Column::Seq).offset(from).limit(100_000);
    let said = said.all(market.env(mouth).db.read()).await.unwrap();
    let events: Vec<Envelope> = said.iter().map(|row| serde_json::from_str(&row.envelope).unwrap()).collect();
    let services = market.souk.services.iter().find(|service| service.name.as_str() == ear);
    let before = market.env(ear).db.statements();
    for consumer in &services.unwrap().subgraph.consumers {
        let wanted = events.iter().filter(|event| consumer.wants(event)).cloned().collect();
        consumer.deliver(wanted).await.unwrap();
    }
    (market.env(ear).db.statements() - before, from + said.len() as u64)
}

const LAMPS: &str = "title,brand,size,price,currency,quantity,condition,category,wattage\n\
    Lamp,Lumen,S,10.00,EUR,5,new,Home > Light,40\n\
    Lamp,Lumen,L,12.00,EUR,3,new,Home > Light,40\n\
    Shade,Lumen,,7.50,EUR,0,very good,Home > Light,\n";

souk_test! {
    async fn a_file_brings_products_offers_and_stock_once(market: &Market) {
        let (ada, admin) = (market.seller("Ada's").await, market.admin());
        let of_ada = json!({ "sellerId": ada.seller });
        assert_eq!(counts(&import(market, &admin, LAMPS, of_ada.clone()).await), [2, 0, 3, 0, 0, 0]);
        assert_eq!(counts(&import(market, &admin, LAMPS, of_ada.clone()).await), [0, 0, 0, 0, 3, 0]);
        let found = ask(market, "{ category(handle: \"light\") { path } products(sort: TITLE) { nodes { title
            attributes { name number } variants { size offers { nodes { id condition price { decimal } } } } } } }", json!({})).await;
        assert_eq!(found["category"]["path"], "home/light");
        let lamp = &found["products"]["nodes"][0];
        assert_eq!(lamp["attributes"], json!([{ "name": "wattage", "number": "40" }]));
        let offer = &lamp["variants"][1]["offers"]["nodes"][0];
        assert_eq!((&lamp["variants"][1]["size"], &offer["price"]["decimal"]), (&json!("L"), &json!("12.00")));
        assert_eq!(available(market, &offer["id"]).await, 3);
        let dearer = LAMPS.replace("12.00", "13.00");
        assert_eq!(counts(&import(market, &admin, &dearer, of_ada).await), [0, 0, 0, 1, 2, 0]);
        assert_eq!(available(market, &offer["id"]).await, 6, "another file brings other pieces");
        let json_lines = "{\"title\":\"Rug\",\"wool\":true,\"images\":[\"https://img.example/a.jpg\",\"https://img.example/b.jpg\"]}\n";
        assert_eq!(counts(&import(market, &admin, json_lines, json!({})).await), [1, 0, 0, 0, 0, 0]);
    }

    async fn a_seller_s_file_offers_what_is_known_and_proposes_the_rest(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let (_, known) = book(market, &ada, "The Hunger Games", "9780439023481").await;
        let file = "isbn;price;currency;quantity;title\n\
            0-439-02348-3;5.00;EUR;2;\n\
            9780439023498;6.00;EUR;4;Catching Fire\n\
            ;7.00;EUR;1;Hunger Games\n\
            9780439023511;6.00;EUR;4;\n";
        let job = import(market, &bob, file, json!({})).await;
        assert_eq!((counts(&job), errors(&job)), ([0, 1, 1, 0, 0, 2], vec!["4/5 LOOKS_LIKE".into(), "5/1 INVALID_VALUE".into()]));
        let again = list(market, &bob, json!({ "variantId": known["id"] })).await;
        let offer = &again["userErrors"][0]["existingOffer"]["id"];
        assert_eq!(available(market, offer).await, 2);
        let mine = market.data("catalog", Some(&bob), "{ myProposals { nodes { product { title } } } }", json!({})).await;
        assert_eq!(mine["myProposals"]["nodes"], json!([{ "product": { "title": "Catching Fire" } }]));
        let unknown = import(market, &bob, "title,colour\nVase,red\n", json!({})).await;
        assert_eq!(errors(&unknown), ["2/2 INVALID_VALUE"], "sellers define no attributes");
        let waits = import(market, &bob, "gtin,price,currency\n9780439023498,5.00,EUR\n", json!({})).await;
        assert_eq!(errors(&waits), ["2/1 TAKEN"], "what is not approved cannot be offered");
    }

    async fn each_bad_row_is_told_with_its_line_and_the_others_are_imported(market: &Market) {
        let (ada, admin) = (market.seller("Ada's").await, market.admin());
        book(market, &ada, "The Hunger Games", "9780439023481").await;
        let file = "\u{feff}title,gtin,price,currency,quantity,condition,sku\r\n\
            Good one,,1.00,EUR,1,new,a\r\n\
            Bad digit,9780439023482,1.00,EUR,1,new,\r\n\
            Bad price,,1.234,EUR,1,new,\r\n\
            No money,,1.00,XXQ,1,new,\r\n\
            Half,,1.00\r\n\
            Worn,,1.00,EUR,1,worn,\r\n\
            Many,,1.00,EUR,1000001,new,\r\n\
            Good one,,1.00,EUR,1,new,b\r\n\
            Free,,0,EUR,1,new,\r\n\
            \"Open,,1.00,EUR,1,new,\r\n\
            Last one,,1.00,EUR,1,new,\r\n";
        let job = import(market, &admin, file, json!({ "sellerId": ada.seller })).await;
        assert_eq!(errors(&job), [
            "3/2 INVALID_VALUE", "4/3 INVALID_VALUE", "5/4 INVALID_VALUE", "6/null FIELD_COUNT", "7/6 INVALID_VALUE",
            "8/5 INVALID_VALUE", "9/null DUPLICATE", "10/3 INVALID_VALUE", "11/1 QUOTE",
        ]);
        assert_eq!(counts(&job), [2, 0, 2, 0, 0, 9]);
        let message = &job["errors"]["nodes"][0]["message"];
        assert_eq!(message, "has a wrong check digit: the last character would be 1");
        let deep = import(market, &admin, "title,category\nVase,a > b > c > d > e > f > g > h > i\nBowl,a > b\n", json!({})).await;
        assert_eq!((errors(&deep), counts(&deep)), (vec!["2/2 INVALID_VALUE".into()], [1, 0, 0, 0, 0, 1]));
        let nobody = import(market, &admin, "title,price,currency\nVase,1.00,EUR\n", json!({})).await;
        assert_eq!(errors(&nobody), ["2/2 INVALID_VALUE"]);
    }

    async fn a_file_that_is_no_table_is_refused_whole(market: &Market) {
        let admin = market.admin();
        for (content, code, line, column) in [
            ("", "BAD_FILE", json!(1), Value::Null),
            ("name,price\nLamp,1\n", "BAD_FILE", json!(1), Value::Null),
            ("title,title\n", "BAD_FILE", json!(1), json!(2)),
            ("title,price\n", "BAD_FILE", json!(1), Value::Null),
            ("title,(price)\n", "BAD_FILE", json!(1), json!(2)),
            (&"x".repeat(900_001), "TOO_LARGE", Value::Null, Value::Null),
        ] {
            let refused = start(market, &admin, "CSV", content, json!({})).await;
            let error = &refused["userErrors"][0];
            assert_eq!((&error["code"], &error["line"], &error["column"]), (&json!(code), &line, &column), "{refused}");
        }
        let started = start(market, &market.buyer(), "CSV", "title\nLamp\n", json!({})).await;
        assert_eq!(codes(&started), ["SELLER_NOT_VERIFIED"]);
    }

    async fn a_dry_run_finds_the_same_and_changes_nothing(market: &Market) {
        let (ada, admin) = (market.seller("Ada's").await, market.admin());
        let file = format!("{LAMPS}Broken,Lumen,,x,EUR,1,new,,\n");
        let dry = import(market, &admin, &file, json!({ "sellerId": ada.seller, "dryRun": true })).await;
        assert_eq!((counts(&dry), errors(&dry)), ([2, 0, 3, 0, 0, 1], vec!["5/4 INVALID_VALUE".into()]));
        assert_eq!(titles(market, Some(&admin), json!({})).await, [""; 0]);
        let real = import(market, &admin, &file, json!({ "sellerId": ada.seller })).await;
        assert_eq!((counts(&real), errors(&real)), (counts(&dry), errors(&dry)));
    }

    async fn an_import_is_watched_and_stopped_by_its_owner_only(market: &Market) {
        let (ada, bob, admin) = (market.seller("Ada's").await, market.seller("Bob's").await, market.admin());
        let rows: String = (0..1_200).map(|row| format!("Vase {row}\n")).collect();
        let file = format!("title\n{rows}");
        let input = json!({ "idempotencyKey": "vases" });
        let raced = futures::future::join_all((0..3).map(|_| start(market, &admin, "CSV", &file, input.clone()))).await;
        assert!(raced.iter().all(|started| started["importJob"] == raced[0]["importJob"]));
        let id = &raced[0]["importJob"]["id"];
        assert_eq!(job(market, &ada, id).await, Value::Null);
        let watch = "subscription($id: ID!) { importProgress(id: $id) { state rowsDone } }";
        let mut none = market.subscribe("catalog", Some(&bob), watch, json!({ "id": id }));
        assert!(none.next().await.is_none());
        let feed = market.subscribe("catalog", Some(&admin), watch, json!({ "id": id }));
        let seen = feed.map(|event| event["data"]["importProgress"].clone()).collect::<Vec<_>>();
        let (seen, _) = futures::join!(seen, futures::future::join_all([work(market), work(market)]));
        assert_eq!(seen.last().unwrap(), &json!({ "state": "DONE", "rowsDone": 1_200 }));
        assert_eq!(titles(market, None, json!({})).await.len(), 100);

        let stopped = start(market, &admin, "CSV", "title\nNever\n", json!({})).await["importJob"]["id"].take();
        let cancel = "mutation($input: CancelImportInput!) { cancelImport(input: $input) { importJob { state } userErrors { code } } }";
        let mut answers = vec![];
        for by in [&bob, &admin, &admin] {
            let answer = market.data("catalog", Some(by), cancel, json!({ "input": { "id": stopped } })).await;
            answers.push(answer["cancelImport"].clone());
        }
        assert_eq!((codes(&answers[0]), &answers[1]["importJob"]["state"], codes(&answers[2])), (vec!["NOT_FOUND".into()], &json!("CANCELLED"), vec!["NOT_RUNNING".into()]));
        work(market).await;
        assert_eq!(job(market, &admin, &stopped).await["rowsDone"], 0);
    }
}

async fn the_number_of_statements_does_not_depend_on_the_rows(engine: chassis::Engine) {
    let Some(store) = support::store(engine).await else { return };
    let market = &Market::start(&store, Relays::Running).await;
    let ada = market.seller("Ada's").await;
    market.souk.tasks.stop().await;
    let (mut catalog, mut inventory) = (0, 0);
    let mut counted = vec![];
    // The first opens the shop's store room and makes the category. What the last tells fits into one statement of the outbox.
    for rows in [2, 20, 200] {
        let mut statements = vec![];
        for (price, quantity) in [(1, 2), (3, 0), (3, 4)] {
            statements.push(statements_of_rows(market, &ada, rows, price, quantity).await);
            let (heard, next) = statements_of_hearing(market, "catalog", "inventory", catalog).await;
            (catalog, statements) = (next, [statements, vec![heard]].concat());
            let (heard, next) = statements_of_hearing(market, "inventory", "catalog", inventory).await;
            (inventory, statements) = (next, [statements, vec![heard]].concat());
        }
        counted.push(statements);
    }
    assert_eq!(counted[1], counted[2], "new, dearer, more of it: in catalog, in inventory, and back");
    let levels =
        entity::inventory::stock_level::Entity::find().all(market.env("inventory").db.read()).await.unwrap();
    assert_eq!(levels.iter().map(|level| level.on_hand).sum::<i64>(), 6 * (2 + 20 + 200));
    let offers = entity::catalog::offer::Entity::find().all(market.env("catalog").db.read()).await.unwrap();
    assert!(
        offers.iter().all(|offer| (offer.price_minor, offer.available, offer.version) == (300, 6, 2)),
        "{:?}",
        offers[0]
    );
    let prices =
        entity::catalog::offer_price::Entity::find().all(market.env("catalog").db.read()).await.unwrap();
    assert_eq!(prices.len(), 2 * offers.len(), "the old price stays in the history");
    market.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_statements_does_not_depend_on_the_rows_on_sqlite() {
    the_number_of_statements_does_not_depend_on_the_rows(chassis::Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_statements_does_not_depend_on_the_rows_on_postgres() {
    the_number_of_statements_does_not_depend_on_the_rows(chassis::Engine::Postgres).await;
}
