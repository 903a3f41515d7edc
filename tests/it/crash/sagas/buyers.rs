//! Guests in a process that will be killed: they fill carts, check out, and say what they were told.

use std::time::Duration;

use async_graphql::Variables;
use axum::http::HeaderMap;
use chassis::graph::Call;
use entity::orders::offer;
use futures::future::join_all;
use rand::Rng;
use rand::seq::IndexedRandom;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use souk::Market;
use souk::market::ServiceName;

use super::told::{Ask, Line};
use crate::crash::child::{say_done, until_told};

/// Guests of one process at once.
const GUESTS: usize = 8;
/// How long a guest who got no answer waits before asking again, with the same key.
const ASKS_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// One guest in so many sends a request twice at once.
const TWICE_IN: u32 = 4;
/// Cards, and of a hundred guests how many have one.
const CARDS: [(&str, u32); 3] =
    [("pm_card_visa", 85), ("pm_card_visa_chargeDeclined", 10), ("pm_card_threeDSecure2Required", 5)];

/// The work of a child.
pub async fn buy_for_ever(market: &Market) {
    market.start();
    let offers = offers(market).await;
    join_all((0..GUESTS).map(|_| keep_buying(market, &offers))).await;
}

async fn keep_buying(market: &Market, offers: &[offer::Model]) {
    loop {
        buy(market, offers).await;
    }
}

/// The work of a child: so many guests want one piece each of the only offer, all at once, and can pay.
pub async fn rush(market: &Market, guests: usize) {
    market.start();
    let offers = offers(market).await;
    let asks = join_all((0..guests).map(|_| fill_to_pay(market, &offers, 1))).await;
    say_done(Line::Ready);
    until_told().await;
    join_all(asks.into_iter().map(|ask| check_out(market, ask))).await;
    say_done(Line::Over);
    // The others may need what this process does beside: whoever started it ends it.
    std::future::pending().await
}

/// One guest, once, with a card that pays.
pub async fn buy_once(market: &Market) {
    let offers = offers(market).await;
    let ask = fill_to_pay(market, &offers, 2).await;
    say_done(Line::Asks(ask.clone()));
    check_out(market, ask).await;
}

async fn offers(market: &Market) -> Vec<offer::Model> {
    let service = market.service(ServiceName::Orders).unwrap();
    offer::Entity::find().all(service.env.db.read()).await.unwrap()
}

async fn buy(market: &Market, offers: &[offer::Model]) {
    let ask = fill(market, offers, 2).await;
    say_done(Line::Asks(ask.clone()));
    let twice = rand::rng().random_ratio(1, TWICE_IN);
    match twice {
        true => _ = futures::join!(check_out(market, ask.clone()), check_out(market, ask)),
        false => check_out(market, ask).await,
    }
}

/// [`fill`] by a guest whose card pays.
async fn fill_to_pay(market: &Market, offers: &[offer::Model], lines: usize) -> Ask {
    Ask { card: CARDS[0].0.into(), ..fill(market, offers, lines).await }
}

/// A cart with a piece of each of some offers.
async fn fill(market: &Market, offers: &[offer::Model], lines: usize) -> Ask {
    let chosen: Vec<&offer::Model> = offers.choose_multiple(&mut rand::rng(), lines).collect();
    let lines: Vec<Value> =
        chosen.iter().map(|offer| json!({ "offerId": offer.offer_id, "quantity": 1 })).collect();
    let query = "mutation($input: SetCartLinesInput!) { setCartLines(input: $input) { cartToken userErrors { code } } }";
    let set = insist(market, query, json!({ "lines": lines })).await;
    Ask {
        key: uuid::Uuid::now_v7().to_string(),
        token: set["setCartLines"]["cartToken"].as_str().unwrap_or_else(|| panic!("{set}")).to_owned(),
        card: card(rand::rng().random_range(0..100)).into(),
        total_minor: chosen.iter().map(|offer| offer.price_minor).sum(),
    }
}

fn card(mut dice: u32) -> &'static str {
    for (card, many) in CARDS {
        if dice < many {
            return card;
        }
        dice -= many;
    }
    CARDS[0].0
}

async fn check_out(market: &Market, ask: Ask) {
    let data = insist(market, CHECKOUT, ask.input()).await;
    let done = &data["checkout"];
    say_done(match done["order"]["id"].as_str() {
        Some(order) => {
            let (order, status) = (order.to_owned(), done["order"]["status"].as_str().unwrap().to_owned());
            Line::Told { key: ask.key, order, status }
        }
        None => {
            Line::Refused { key: ask.key, code: done["userErrors"][0]["code"].as_str().unwrap().to_owned() }
        }
    });
}

pub const CHECKOUT: &str = "mutation($input: CheckoutInput!) { checkout(input: $input) { order { id status } userErrors { code } } }";

/// Asks until there is an answer: a database may be away for a while.
async fn insist(market: &Market, query: &str, input: Value) -> Value {
    let endpoint = &market.service(ServiceName::Orders).unwrap().endpoint;
    loop {
        let variables = Variables::from_json(json!({ "input": input }));
        let call = Call { query: query.into(), operation_name: None, variables };
        let reply = endpoint.answer(&HeaderMap::new(), call).await;
        let mut answer: Value = serde_json::from_slice(&reply.body).unwrap();
        if answer.get("errors").is_none() {
            return answer["data"].take();
        }
        tokio::time::sleep(ASKS_AGAIN_AFTER).await;
    }
}
