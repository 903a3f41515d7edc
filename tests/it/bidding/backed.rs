//! Asks with stock behind them: what is sold in the market is not sold in a cart, and the other way round.

use std::time::Duration;

use chassis::Engine;
use chassis::outbox::about;
use chrono::TimeDelta;
use contract::event::bidding::Matched;
use contract::event::inventory::ReleaseStock;
use contract::event::orders::{TradeFailed, TradeFailure};
use entity::bidding::{backing, backing_piece};
use futures::future::join_all;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::pit::{Pit, again, code, run_job, say, status, tell_engine};
use crate::inventory::books_are_right;
use crate::orders::{Buyer, VISA, codes};
use crate::support::goods::Goods;
use crate::support::{Market, Relays, store};

/// What the goods cost in a cart, in cents.
const CART_PRICE: i64 = 1_250;

souk_test! {
    async fn the_only_piece_is_sold_in_the_market_or_in_the_cart(market: &Market) {
        let pit = Pit::stocked(market, 1).await;
        let guests = [Buyer::guest(market, &[(pit.offer, 1)]).await, Buyer::guest(market, &[(pit.offer, 1)]).await];
        let input = pit.backed_input(20_000, 1);
        let place = async |input: &Value| pit.place("placeAsk", "PlaceAskInput", &pit.seller, input.clone()).await;
        let ask = place(&input).await;
        assert_eq!((status(&ask), pit.stock().await), ("OPEN", [1, 1, 0]));
        assert_eq!(codes(&guests[0].buy(VISA, CART_PRICE).await), ["SOLD_OUT"]);
        let more = pit.ask_backed(20_000, 1).await;
        assert_eq!((code(&more), &more["userErrors"][0]["available"]), ("OUT_OF_STOCK", &json!(0)));

        assert_eq!(place(&input).await["order"]["id"], ask["order"]["id"], "the same request again");
        let mut other = input.clone();
        other["priceMinor"] = json!(20_100);
        assert_eq!(code(&place(&other).await), "IDEMPOTENCY_CONFLICT");
        assert_eq!(pit.stock().await, [1, 1, 0]);

        assert_eq!(status(&pit.cancel(&pit.seller, &ask["order"]["id"]).await), "CANCELLED");
        assert_eq!(pit.stock().await, [1, 0, 1]);
        assert_eq!(place(&input).await["order"]["status"], "CANCELLED", "it was placed, and is no more");
        assert_eq!(guests[1].buy(VISA, CART_PRICE).await["order"]["status"], "PAID");
        assert_eq!(pit.stock().await, [0, 0, 0]);
        assert_eq!(code(&pit.ask_backed(20_000, 1).await), "OUT_OF_STOCK");
        books_are_right(market).await;
    }

    async fn a_match_takes_its_piece_along_and_the_rest_is_free_when_the_ask_ends(market: &Market) {
        let pit = Pit::stocked(market, 5).await;
        let buyer = market.buyer();
        let short = pit.ask_backed(20_000, 6).await;
        assert_eq!((code(&short), &short["userErrors"][0]["available"]), ("OUT_OF_STOCK", &json!(5)));
        let ask = pit.ask_backed(20_000, 4).await["order"]["id"].clone();
        assert_eq!(pit.stock().await, [5, 4, 1]);
        assert_eq!(status(&pit.bid(&buyer, 20_000).await), "FILLED");
        let first = pit.matched().await.remove(0);
        assert_eq!(first.backing.as_ref().map(|backing| backing.offer_id), Some(pit.offer));
        assert_eq!(pit.stock().await, [5, 4, 1], "one is on its way, three wait");

        for more in [json!({ "quantity": 5 }), json!({ "expiresAt": market.clock.now() + TimeDelta::days(30) + TimeDelta::seconds(1) })] {
            assert!(matches!(code(&pit.amend(&pit.seller, &ask, more).await), "BACKED_BY_STOCK" | "EXPIRY_INVALID"));
        }
        assert_eq!(code(&pit.amend(&pit.seller, &ask, json!({ "quantity": 5 })).await), "BACKED_BY_STOCK");
        assert_eq!(status(&pit.amend(&pit.seller, &ask, json!({ "quantity": 2 })).await), "OPEN");
        assert_eq!(pit.stock().await, [5, 2, 3]);
        assert_eq!(status(&pit.cancel(&pit.seller, &ask).await), "CANCELLED");
        assert_eq!(pit.stock().await, [5, 1, 4], "what was matched stays reserved");
        fail(market, &first).await;
        assert_eq!(pit.stock().await, [5, 0, 5], "no ask comes back that needs it");

        let mut input = pit.backed_input(20_000, 2);
        input["minPriceMinor"] = input.as_object_mut().unwrap().remove("priceMinor").unwrap();
        assert_eq!(code(&pit.place("sellNow", "SellNowInput", &pit.seller, input.clone()).await), "PRICE_MOVED");
        assert_eq!(pit.stock().await, [5, 0, 5]);
        pit.bid(&buyer, 20_000).await;
        input["idempotencyKey"] = json!(pit.key());
        let sold = pit.place("sellNow", "SellNowInput", &pit.seller, input).await;
        assert_eq!((status(&sold), pit.stock().await), ("CANCELLED", [5, 1, 4]), "one was sold, one was not");
        books_are_right(market).await;
    }

    async fn of_two_amendments_at_once_none_takes_what_the_other_gave_back(market: &Market) {
        let pit = Pit::stocked(market, 5).await;
        for less_is_first in [true, false, true, false, true, false] {
            let ask = pit.ask_backed(20_000, 5).await["order"]["id"].clone();
            let to = |quantity: i64| pit.amend(&pit.seller, &ask, json!({ "quantity": quantity }));
            assert_eq!(code(&to(6).await), "BACKED_BY_STOCK", "also when it was placed a moment ago");
            let (less, more) = if less_is_first {
                futures::join!(to(2), to(4))
            } else {
                let (more, less) = futures::join!(to(4), to(2));
                (less, more)
            };
            assert_eq!(status(&less), "OPEN");
            assert!(matches!(codes(&more)[..], [] | ["BACKED_BY_STOCK"]), "{more}");
            run_job(market, "bidding.backings").await;
            assert_eq!((pit.quote().await[0], pit.stock().await), (Some(20_000), [5, 2, 3]), "{less} {more}");
            let stands = to(2).await;
            assert_eq!((status(&stands), &stands["order"]["remaining"]), ("OPEN", &json!(2)));
            assert_eq!(code(&to(4).await), "BACKED_BY_STOCK");
            assert_eq!(status(&pit.cancel(&pit.seller, &ask).await), "CANCELLED");
            assert_eq!(pit.stock().await, [5, 0, 5]);
        }
        books_are_right(market).await;
    }

    async fn an_ask_that_comes_back_keeps_its_piece(market: &Market) {
        let pit = Pit::stocked(market, 1).await;
        assert_eq!(status(&pit.ask_backed(20_000, 1).await), "OPEN");
        pit.bid(&market.buyer(), 20_000).await;
        let first = pit.matched().await.remove(0);
        fail(market, &first).await;
        assert_eq!((pit.quote().await[0], pit.stock().await), (Some(20_000), [1, 1, 0]));
        pit.bid(&market.buyer(), 20_000).await;
        let second = pit.matched().await.remove(1);
        assert!(second.backing.is_some() && second.backing == first.backing, "{second:?}");
        assert_eq!(pit.stock().await, [1, 1, 0]);
    }

    async fn time_gives_pieces_back(market: &Market) {
        let pit = Pit::stocked(market, 1).await;
        let mut input = pit.backed_input(20_000, 1);
        input["expiresInDays"] = json!(1);
        assert_eq!(status(&pit.place("placeAsk", "PlaceAskInput", &pit.seller, input).await), "OPEN");
        market.clock.advance(TimeDelta::days(1));
        pit.bid(&again(market, &market.buyer()), 10_000).await;
        assert_eq!((pit.quote().await[0], pit.stock().await), (None, [1, 0, 1]));
    }

    async fn an_ask_whose_stock_is_lost_leaves_the_book(market: &Market) {
        let pit = Pit::stocked(market, 1).await;
        assert_eq!(status(&pit.ask_backed(20_000, 1).await), "OPEN");
        market.settle().await;
        let piece = backing_piece::Entity::find().one(market.env("bidding").db.read()).await.unwrap().unwrap();
        let lost = ReleaseStock { reservation_id: piece.reservation_id, reason: "it fell".into() };
        say(market, "catalog", about("reservation", piece.reservation_id, 9), lost).await;
        for _ in 0..2 {
            run_job(market, "bidding.backings").await;
            assert_eq!((pit.quote().await[0], pit.stock().await), (None, [1, 0, 1]));
        }
    }

    async fn only_the_shops_own_offers_of_the_same_thing_back_an_ask(market: &Market) {
        let pit = Pit::stocked(market, 200).await;
        let other = market.seller("Other").await;
        let foreign = Goods::stock(market, &other, "Walker 43", 1).await.offer;
        let own = Goods::stock(market, &pit.seller, "Skater 44", 1).await.offer;
        for (field, value, wrong) in [
            ("offerId", json!(foreign), "OFFER_NOT_FOUND"),
            ("offerId", json!(own), "OFFER_NOT_FOUND"),
            ("offerId", json!(contract::OfferId::new()), "OFFER_NOT_FOUND"),
            ("quantity", json!(101), "QUANTITY_OUT_OF_RANGE"),
            ("quantity", json!(0), "QUANTITY_OUT_OF_RANGE"),
            ("priceMinor", json!(20_050), "PRICE_OFF_TICK"),
        ] {
            let mut input = pit.backed_input(20_000, 1);
            input[field] = value;
            let refused = pit.place("placeAsk", "PlaceAskInput", &pit.seller, input).await;
            assert_eq!(code(&refused), wrong, "{refused}");
        }
        assert_eq!(pit.stock().await, [200, 0, 200], "what is refused reserves nothing");
        assert_eq!(status(&pit.ask_backed(20_000, 100).await), "OPEN");
        assert_eq!(pit.stock().await, [200, 100, 100]);
    }

    async fn a_batch_sells_what_there_is(market: &Market) {
        let pit = Pit::stocked(market, 3).await;
        let ask = |quantity: i64| json!({ "marketId": pit.id, "priceMinor": 20_000, "quantity": quantity, "offerId": pit.offer });
        let query = "mutation($input: ListAsksInput!) { it: listAsks(input: $input) { batch { id } userErrors { code } } }";
        let input = json!({ "input": { "idempotencyKey": "1", "asks": vec![ask(1); 4] } });
        let listed = market.data("bidding", Some(&pit.seller), query, input).await;
        for _ in 0..2 {
            run_job(market, "bidding.batches").await;
        }
        let query = "query($id: ID!) { askBatch(id: $id) { items { edges { node { status error } } } } }";
        let id = json!({ "id": listed["it"]["batch"]["id"] });
        let seen = market.data("bidding", Some(&pit.seller), query, id).await;
        let mut items: Vec<_> = seen["askBatch"]["items"]["edges"].as_array().unwrap().iter().map(|edge| &edge["node"]).collect();
        items.sort_unstable_by_key(|item| item["status"].to_string());
        let (placed, refused) = (json!({ "status": "PLACED", "error": null }), json!({ "status": "REFUSED", "error": "OUT_OF_STOCK" }));
        assert_eq!(items, [&placed, &placed, &placed, &refused]);
        assert_eq!(pit.stock().await, [3, 3, 0]);
    }

    async fn twenty_carts_and_twenty_asks_sell_ten_pieces_of_ten(market: &Market) {
        let pit = Pit::stocked(market, 10).await;
        let guests = join_all((0..20).map(async |_| Buyer::guest(market, &[(pit.offer, 1)]).await)).await;
        let carts = join_all(guests.iter().map(|guest| guest.buy(VISA, CART_PRICE)));
        let asks = join_all((0..20).map(|_| pit.ask_backed(20_000, 1)));
        let (carts, asks) = futures::join!(carts, asks);
        let paid = carts.iter().filter(|done| done["order"]["status"] == "PAID").count();
        let open = asks.iter().filter(|done| done["order"]["status"] == "OPEN").count();
        assert_eq!(paid + open, 10, "{carts:#?} {asks:#?}");
        assert_eq!(carts.iter().filter(|done| codes(done) == ["SOLD_OUT"]).count(), 20 - paid);
        assert_eq!(asks.iter().filter(|done| codes(done) == ["OUT_OF_STOCK"]).count(), 20 - open);
        let bids = join_all((0..20).map(|_| async { pit.buy_now(&market.buyer(), 20_000).await })).await;
        assert_eq!(bids.iter().filter(|done| done["order"]["status"] == "FILLED").count(), open);
        let left = (10 - paid) as i64;
        assert_eq!(pit.stock().await, [left, left, 0]);
        let mut pieces: Vec<_> = pit.matched().await.into_iter().map(|matched| matched.backing.unwrap().reservation_id).collect();
        pieces.sort_unstable();
        pieces.dedup();
        assert_eq!(pieces.len(), open, "each has a piece of its own");
        books_are_right(market).await;
    }
}

/// The buyer of a match could not pay, and the engine has heard of it.
async fn fail(market: &Market, matched: &Matched) {
    let failed = TradeFailed {
        trade_id: matched.trade_id,
        buyer_id: matched.buyer_id,
        seller_id: matched.seller_id,
        because: TradeFailure::PaymentFailed,
    };
    say(market, "orders", about("trade", matched.trade_id, 1), failed).await;
    tell_engine(market).await;
}

/// Whoever asked is gone before the stock has answered; the others look after their ask `later`, before the stock answers.
async fn whose_sender_is_gone(engine: Engine, later: TimeDelta, is_placed: bool) {
    let Some(store) = store(engine).await else { return };
    let before = Market::start(&store, Relays::Running).await;
    let pit = Pit::stocked(&before, 1).await;
    before.stop().await;
    let market = Market::start(&store, Relays::Silent).await;
    let pit = pit.moved_to(&market);
    let input = pit.backed_input(20_000, 1);
    tokio::select! {
        () = is_begun(&market) => {}
        placed = pit.place("placeAsk", "PlaceAskInput", &pit.seller, input.clone()) => panic!("nobody answers: {placed}"),
    }
    market.clock.advance(later);
    sweep(&market).await;
    for service in &market.souk.services {
        market.souk.relay(service).start(&market.souk.tasks);
    }
    market.settle().await;
    market.clock.advance(TimeDelta::seconds(3));
    for _ in 0..2 {
        sweep(&market).await;
    }
    assert_eq!(pit.stock().await, if is_placed { [1, 1, 0] } else { [1, 0, 1] });
    assert_eq!(pit.quote().await[0], is_placed.then_some(20_000));
    let query = "mutation($input: PlaceAskInput!) { placeAsk(input: $input) { order { status } userErrors { code } } }";
    let seller = again(&market, &pit.seller);
    let answer = market.ask("bidding", Some(&seller), query, json!({ "input": input })).await;
    match is_placed {
        true => assert_eq!(answer["data"]["placeAsk"]["order"]["status"], "OPEN", "{answer}"),
        false => assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}"),
    }
    assert_eq!(pit.stock().await, if is_placed { [1, 1, 0] } else { [1, 0, 1] }, "once");
    market.stop().await;
    store.remove().await;
}

async fn is_begun(market: &Market) {
    while backing::Entity::find().count(market.env("bidding").db.read()).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn sweep(market: &Market) {
    let jobs = market.souk.services.iter().flat_map(|service| &service.subgraph.jobs);
    for job in jobs.filter(|job| job.name == "bidding.backings") {
        (job.run)().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ask_whose_sender_is_gone_is_placed_on_sqlite() {
    whose_sender_is_gone(Engine::Sqlite, TimeDelta::zero(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ask_whose_sender_is_gone_is_placed_on_postgres() {
    whose_sender_is_gone(Engine::Postgres, TimeDelta::zero(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_for_an_ask_that_nobody_wants_any_more_on_sqlite() {
    whose_sender_is_gone(Engine::Sqlite, TimeDelta::hours(1), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_for_an_ask_that_nobody_wants_any_more_on_postgres() {
    whose_sender_is_gone(Engine::Postgres, TimeDelta::hours(1), false).await;
}
