//! How many SQL statements an order costs, over all services.

use futures::future::join_all;
use serde_json::json;

use super::*;

/// Orders bought at once.
const ORDERS: u64 = 16;
/// Statements of one order at most: two lines of two sellers, from the cart to the stock's leaving the shelf. About 50 on a
/// machine with nothing else to do; how many orders share a batch depends on what else it does.
const STATEMENTS_MAX: u64 = 80;

souk_test! {
    async fn an_order_costs_few_statements_when_many_buy_at_once(market: &Market) {
        let (one, two) = (Shop::open(market, "One").await, Shop::open(market, "Two").await);
        let (book, shoe) = (one.offer(1_000, 1_000).await, two.offer(2_000, 1_000).await);
        let mut least = u64::MAX;
        for _ in 0..3 {
            let before = statements(market);
            join_all((0..ORDERS).map(|_| buy(market, book, shoe))).await;
            market.settle().await;
            least = least.min((statements(market) - before) / ORDERS);
        }
        assert!(least <= STATEMENTS_MAX, "{least} statements an order");
    }
}

async fn buy(market: &Market, book: OfferId, shoe: OfferId) {
    let guest = Buyer::guest(market, &[(book, 1), (shoe, 1)]).await;
    let mut input = guest.order_input(VISA, 3_000);
    input["waitMs"] = json!(10_000);
    let done = guest.does("checkout", "order { id status }", "", input).await;
    assert_eq!(done["order"]["status"], "PAID", "{done}");
}

fn statements(market: &Market) -> u64 {
    market.souk.services.iter().map(|service| service.env.db.statements()).sum()
}
