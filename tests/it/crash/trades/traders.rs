//! Traders in a process that will be killed: they bid and ask, and say what they were told.

use std::time::Duration;

use async_graphql::{Executor, Request, Variables};
use chassis::auth::{Role, Viewer};
use chrono::TimeDelta;
use contract::{AddressId, SessionId, UserId};
use futures::future::join_all;
use rand::Rng;
use serde_json::{Value, json};
use souk::Market;
use souk::market::ServiceName;

use super::told::{Line, Sent, Stall};
use crate::crash::child::say_done;

/// Traders of one process at once.
const TRADERS: usize = 8;
/// How long somebody who got no answer waits before asking again, with the same key.
const ASKS_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// One trader in so many sends a request twice at once.
const TWICE_IN: u32 = 4;
/// One ask in so many has no stock behind it.
const UNBACKED_IN: u32 = 4;
/// Of a hundred buyers so many have a card that is declined.
const DECLINED_PERCENT: u32 = 15;
/// Prices are so many ticks apart at most.
const TICKS: i64 = 4;

/// The work of a child.
pub async fn trade_for_ever(market: &Market, stall: &Stall) {
    market.start();
    join_all((0..TRADERS).map(|_| keep_trading(market, stall))).await;
}

async fn keep_trading(market: &Market, stall: &Stall) {
    loop {
        let sent = choose(stall);
        say_done(Line::Sent(sent.clone()));
        match rand::rng().random_ratio(1, TWICE_IN) {
            true => _ = futures::join!(send(market, &sent), send(market, &sent)),
            false => send(market, &sent).await,
        }
    }
}

/// A new buyer bids, or the seller asks.
fn choose(stall: &Stall) -> Sent {
    let mut random = rand::rng();
    let price_minor = 20_000 + 100 * random.random_range(0..TICKS);
    let key = uuid::Uuid::now_v7().to_string();
    let mut input = json!({ "idempotencyKey": key, "marketId": stall.market, "priceMinor": price_minor });
    if random.random_bool(0.5) {
        let is_declined = random.random_ratio(DECLINED_PERCENT, 100);
        let card = if is_declined { "pm_card_visa_chargeDeclined" } else { "pm_card_visa" };
        input["paymentMethod"] = card.into();
        input["addressId"] = json!(AddressId::new());
        return Sent { key, user: UserId::new(), mutation: "placeBid".into(), input };
    }
    input["quantity"] = random.random_range(1..=3).into();
    if !random.random_ratio(1, UNBACKED_IN) {
        input["offerId"] = json!(stall.offer);
    }
    Sent { key, user: stall.seller, mutation: "placeAsk".into(), input }
}

async fn send(market: &Market, sent: &Sent) {
    let answer = insist(market, sent).await;
    say_done(match answer["order"]["id"].as_str() {
        Some(order) => Line::Told { key: sent.key.clone(), order: order.into() },
        None => Line::Refused { key: sent.key.clone() },
    });
}

/// Asks until there is an answer.
async fn insist(market: &Market, sent: &Sent) -> Value {
    let service = market.service(ServiceName::Bidding).unwrap();
    loop {
        let viewer = Viewer {
            user: sent.user,
            session: SessionId::new(),
            roles: vec![Role::Buyer, Role::Seller],
            expires_at: market.clock.now() + TimeDelta::hours(1),
        };
        let request = Request::new(sent.query()).data(viewer);
        let request = request.variables(Variables::from_json(json!({ "input": sent.input })));
        let response = Executor::execute(&service.endpoint, request).await;
        if response.errors.is_empty() {
            return serde_json::to_value(response.data).unwrap()["it"].take();
        }
        tokio::time::sleep(ASKS_AGAIN_AFTER).await;
    }
}
