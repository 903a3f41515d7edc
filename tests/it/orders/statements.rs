//! How many SQL statements an order costs, over all services: everything that is sent to a database but the begin and the end of
//! transactions.

use futures::future::join_all;
use serde_json::json;

use super::*;

/// Orders bought at once.
const ORDERS: u64 = 16;
/// Statements of one order at most: two lines of two sellers, from the cart to the stock's leaving the shelf. 13 to 15 on a
/// machine with much else to do, more where nothing has to wait for anything.
const STATEMENTS_MAX: u64 = 40;
/// The same when nobody else buys, and nothing is shared: 109.
const ALONE_MAX: u64 = 112;
/// How often it is tried: how many orders share a batch depends on what else the machine does.
const TRIES: usize = 5;

souk_test! {
    async fn an_order_costs_few_statements_when_many_buy_at_once(market: &Market) {
        let together = least(market, ORDERS).await;
        assert!(together <= STATEMENTS_MAX, "{together} statements an order");
    }

    async fn an_order_alone_costs_what_it_costs(market: &Market) {
        let alone = least(market, 1).await;
        assert!(alone <= ALONE_MAX, "{alone} statements");
    }
}

/// Statements an order when so many are bought at once.
async fn least(market: &Market, orders: u64) -> u64 {
    let (one, two) = (Shop::open(market, "One").await, Shop::open(market, "Two").await);
    let (book, shoe) = (one.offer(1_000, 1_000).await, two.offer(2_000, 1_000).await);
    let mut least = u64::MAX;
    for _ in 0..TRIES {
        let before = statements(market);
        join_all((0..orders).map(|_| buy(market, book, shoe))).await;
        market.settle().await;
        least = least.min((statements(market) - before) / orders);
    }
    least
}

/// What an app asks for, and no more.
async fn buy(market: &Market, book: OfferId, shoe: OfferId) {
    let mut guest = Buyer { market, person: None, token: None };
    let lines = json!({ "lines": [{ "offerId": book, "quantity": 1 }, { "offerId": shoe, "quantity": 1 }] });
    let cart = guest.does("setCartLines", "cartToken", "", lines).await;
    guest.token = Some(cart["cartToken"].as_str().unwrap().to_owned());
    let done = guest.does("checkout", "order { id status }", "", guest.order_input(VISA, 3_000)).await;
    assert_eq!(done["order"]["status"], "PAID", "{done}");
}

fn statements(market: &Market) -> u64 {
    market.souk.services.iter().map(|service| service.env.db.statements()).sum()
}
