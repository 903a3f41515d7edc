//! Trades of the market under `kill -9`, with a provider that misbehaves: whoever was told that an order is in has it, every
//! match is one trade that is paid once or comes to nothing, and no piece is sold twice.
//!
//! Every size can be asked for: `SOUK_CRASH_TRADES=10000 SOUK_CRASH_KILLS=500 cargo test -p tests --test it -- crash::trades`.

mod books;
pub mod told;
pub mod traders;

use std::time::Duration;

use ::bidding::rules::BidPolicy;
use ::payments::provider::sandbox::misbehave;
use chassis::Engine;
use chrono::TimeDelta;
use contract::OfferId;
use entity::bidding::{failed_trade, holding};
use entity::orders::trade;
use entity::orders::trade::State;
use futures::future::join_all;
use orders::trade::drive::sweep;
use orders::trade::rules::Rules;
use rand::Rng;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use super::child::Worker;
use super::sagas::{APART, FAULTS, LAST_BREATH_MS, ROUNDS_MAX, size};
use crate::bidding::pit::{Pit, run_job};
use crate::support::{self, Market, Person, Relays, Store};
use told::{Sent, Stall, Told};

/// Orders that are answered, and processes that are killed: at least. `SOUK_CRASH_TRADES`, `SOUK_CRASH_KILLS`.
const ORDERS: usize = 300;
const KILLS: usize = 12;
/// Pieces that the seller has: it sells out.
const STOCKED: i64 = 150;

async fn open(store: &Store, policy: BidPolicy) -> (Stall, OfferId) {
    let market = Market::start(store, Relays::Running).await;
    let pit = Pit::stocked_in(&market, "EUR", STOCKED).await;
    misbehave(market.env("payments"), &FAULTS).await.unwrap();
    market.settle().await;
    let (seller, held) = (pit.seller.user, policy == BidPolicy::FullHold);
    let stall = Stall { market: pit.id.clone(), seller, offer: pit.offer.to_string(), held };
    let offer = pit.offer;
    market.stop().await;
    (stall, offer)
}

/// Those who got no answer ask again; then time passes until every trade waits for its seller, or came to nothing.
async fn end(store: &Store, policy: BidPolicy, passed: TimeDelta, told: &mut Told) -> Market {
    let at = support::start() + passed;
    let market = Market::start_under(store, Relays::Running, at, Default::default(), policy).await;
    let unanswered = told.unanswered();
    let answers = join_all(unanswered.iter().map(|sent| ask_again(&market, sent))).await;
    for (sent, order) in unanswered.into_iter().zip(answers) {
        if let Some(order) = order {
            told.orders.insert(sent.key, order);
        }
    }
    for _ in 0..ROUNDS_MAX {
        market.settle().await;
        for job in ["bidding.backings", "bidding.holdings", "bidding.floor"] {
            run_job(&market, job).await;
        }
        if is_at_rest(&market).await {
            break;
        }
        market.clock.advance(APART);
        let payments = market.env("payments");
        let courier = ::payments::courier(payments, &Default::default()).unwrap();
        ::payments::reconcile::look_again(payments, &courier).await.unwrap();
        sweep(market.env("orders"), &Rules::default()).await.unwrap();
    }
    market
}

/// The order that a request became. A bid whose bank does not answer now is placed or given up without its sender.
async fn ask_again(market: &Market, sent: &Sent) -> Option<String> {
    let roles = [chassis::auth::Role::Buyer, chassis::auth::Role::Seller];
    let token = market.minter.token(sent.user, &roles, market.clock.now());
    let by = Person { user: sent.user, token, seller: None };
    let answer = market.ask("bidding", Some(&by), &sent.query(), json!({ "input": sent.input })).await;
    let is_late = answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE" && sent.mutation == "placeBid";
    assert!(answer.get("errors").is_none() || is_late, "{answer:#}");
    answer["data"]["it"]["order"]["id"].as_str().map(str::to_owned)
}

async fn is_at_rest(market: &Market) -> bool {
    let moving = trade::Entity::find()
        .filter(trade::Column::State.is_not_in([State::AwaitingShipment, State::PaymentFailed]));
    let untold = failed_trade::Entity::find().filter(failed_trade::Column::Due.eq(true));
    let unheld = holding::Column::State.is_in([holding::State::Asked, holding::State::Held]);
    let unheld = holding::Entity::find().filter(unheld.or(holding::Column::Lapsed.eq(true)));
    unheld.count(market.env("bidding").db.look()).await.unwrap() == 0
        && moving.count(market.env("orders").db.look()).await.unwrap() == 0
        && untold.count(market.env("bidding").db.look()).await.unwrap() == 0
}

async fn every_match_is_one_trade(store: Store, policy: BidPolicy) {
    let (orders, kills) = (size("SOUK_CRASH_TRADES", ORDERS), size("SOUK_CRASH_KILLS", KILLS));
    let (stall, offer) = open(&store, policy).await;
    let work = format!("trade {}", serde_json::to_string(&stall).unwrap());
    let (mut told, mut killed, mut passed) = (Told::default(), 0, TimeDelta::zero());
    while told.orders.len() < orders || killed < kills {
        let mut worker = Worker::start_later(&work, &store, passed);
        for _ in 0..rand::rng().random_range(1..=4 * orders / kills) {
            told.hear(&worker.done().expect("a process works until it is killed"));
        }
        std::thread::sleep(Duration::from_millis(rand::rng().random_range(0..LAST_BREATH_MS)));
        worker.kill().iter().for_each(|line| told.hear(line));
        (killed, passed) = (killed + 1, passed + APART);
    }
    let market = end(&store, policy, passed, &mut told).await;
    let (trades, failed) = books::check(&market, (offer, STOCKED), &told).await;
    // Who cannot pay does not come to a match where money is held for bids.
    let shows = if policy == BidPolicy::VerifyOnly { failed > 0 } else { !told.refused.is_empty() };
    assert!(trades > 20 && shows, "{trades} trades, {failed} of them failed: nothing is shown");
    market.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_match_is_one_trade_under_kills_on_sqlite() {
    every_match_is_one_trade(support::store(Engine::Sqlite).await.unwrap(), BidPolicy::VerifyOnly).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_match_is_one_trade_under_kills_on_postgres() {
    let Some(store) = support::cluster::store() else { return };
    every_match_is_one_trade(store, BidPolicy::VerifyOnly).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_match_takes_one_hold_under_kills_on_sqlite() {
    every_match_is_one_trade(support::store(Engine::Sqlite).await.unwrap(), BidPolicy::FullHold).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_match_takes_one_hold_under_kills_on_postgres() {
    let Some(store) = support::cluster::store() else { return };
    every_match_is_one_trade(store, BidPolicy::FullHold).await;
}
