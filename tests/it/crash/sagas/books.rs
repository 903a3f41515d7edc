//! What must be true when every saga has ended: orders, stock, payments, ledger and provider say the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chassis::Env;
use contract::{CartId, OfferId, OrderId};
use entity::inventory::stock_level;
use entity::orders::settlement::State;
use entity::orders::{order, order_line, settlement};
use entity::payments::payment_step;
use entity::payments::sandbox_object::{self, Kind, Status};
use entity::shared::dead_letter;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::told::Told;
use crate::support::Market;

/// What the provider has of one order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Charge {
    pub captures: usize,
    pub taken_minor: i64,
    pub back_minor: i64,
    pub open_holds: usize,
}

/// Checks everything. `stocked`: what there was of each offer before anybody bought.
pub async fn check(market: &Market, stocked: &BTreeMap<OfferId, i64>, told: &Told) {
    let db = market.env("orders").db.read();
    let orders: BTreeMap<OrderId, order::Model> =
        order::Entity::find().all(db).await.unwrap().into_iter().map(|row| (row.id, row)).collect();
    let ends: BTreeMap<OrderId, State> = settlement::Entity::find()
        .all(db)
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.order_id, row.state))
        .collect();
    every_order_has_ended(&orders, &ends);
    what_was_told_is_true(&ends, told);
    no_cart_was_bought_twice(&orders, &ends);
    nobody_paid_for_nothing(market, &orders, &ends).await;
    stock_left_with_orders(market, stocked, &ends).await;
    nothing_waits(market).await;
    the_books_are_right(market).await;
}

fn every_order_has_ended(orders: &BTreeMap<OrderId, order::Model>, ends: &BTreeMap<OrderId, State>) {
    assert_eq!(orders.keys().collect::<Vec<_>>(), ends.keys().collect::<Vec<_>>());
    let open: Vec<_> = ends.iter().filter(|(_, state)| !state.is_over()).collect();
    assert!(open.is_empty(), "stuck: {open:?}");
}

fn what_was_told_is_true(ends: &BTreeMap<OrderId, State>, told: &Told) {
    for (order, status) in told.orders.values() {
        let end = ends.get(&order.parse().unwrap()).unwrap_or_else(|| panic!("{order} is lost"));
        match status.as_str() {
            "PAID" => assert_eq!(*end, State::Settled, "{order} was paid"),
            "CANCELLED" => assert_eq!(*end, State::Cancelled, "{order} was cancelled"),
            _ => {}
        }
    }
}

fn no_cart_was_bought_twice(orders: &BTreeMap<OrderId, order::Model>, ends: &BTreeMap<OrderId, State>) {
    let mut bought: BTreeSet<CartId> = BTreeSet::new();
    for (id, order) in orders.iter().filter(|(id, _)| ends[id] == State::Settled) {
        assert!(bought.insert(order.cart_id), "{id} is the second order of a cart");
    }
}

/// Settled: charged once and nothing back. Cancelled: everything back. No hold is left of either.
async fn nobody_paid_for_nothing(
    market: &Market,
    orders: &BTreeMap<OrderId, order::Model>,
    ends: &BTreeMap<OrderId, State>,
) {
    let mut charges = charges(market).await;
    for (id, end) in ends {
        let charge = charges.remove(id).unwrap_or_default();
        let total = orders[id].total_minor;
        let expected = match end {
            State::Settled => Charge { captures: 1, taken_minor: total, ..Charge::default() },
            _ => Charge {
                captures: charge.captures.min(1),
                taken_minor: charge.taken_minor,
                back_minor: charge.taken_minor,
                open_holds: 0,
            },
        };
        assert_eq!(charge, expected, "{id} is {end:?}");
    }
    assert!(charges.is_empty(), "charges of no order: {charges:?}");
}

pub async fn charges(market: &Market) -> HashMap<OrderId, Charge> {
    let objects = sandbox_object::Entity::find().all(market.env("payments").db.read()).await.unwrap();
    let mut order_of: HashMap<&str, OrderId> = HashMap::new();
    let mut charges: HashMap<OrderId, Charge> = HashMap::new();
    for intent in objects.iter().filter(|object| object.kind == Kind::Intent) {
        let payment: contract::PaymentId = intent.subject.parse().unwrap();
        let order = OrderId(payment.0);
        order_of.insert(&intent.id, order);
        let charge = charges.entry(order).or_default();
        match intent.status {
            Status::Captured => {
                charge.captures += 1;
                charge.taken_minor += intent.amount_minor;
            }
            Status::Held | Status::NeedsAction => charge.open_holds += 1,
            _ => {}
        }
    }
    for refund in objects.iter().filter(|object| object.kind == Kind::Refund) {
        let order = order_of[refund.parent.as_deref().unwrap()];
        charges.entry(order).or_default().back_minor += refund.amount_minor;
    }
    charges
}

/// Nothing is sold that was not there, and nothing is kept for who did not buy.
async fn stock_left_with_orders(
    market: &Market,
    stocked: &BTreeMap<OfferId, i64>,
    ends: &BTreeMap<OrderId, State>,
) {
    let lines = order_line::Entity::find().all(market.env("orders").db.read()).await.unwrap();
    let mut sold: HashMap<OfferId, i64> = HashMap::new();
    for line in lines.iter().filter(|line| ends[&line.order_id] == State::Settled) {
        *sold.entry(line.offer_id).or_default() += line.quantity;
    }
    let levels = stock_level::Entity::find().all(market.env("inventory").db.read()).await.unwrap();
    assert_eq!(levels.len(), stocked.len());
    for level in levels {
        let left = stocked[&level.offer_id] - sold.get(&level.offer_id).unwrap_or(&0);
        assert_eq!((level.on_hand, level.reserved, level.available), (left, 0, left), "{}", level.offer_id);
    }
}

pub async fn nothing_waits(market: &Market) {
    market.settle().await;
    for service in &market.souk.services {
        let letters = dead_letter::Entity::find().count(service.env.db.read()).await.unwrap();
        assert_eq!(letters, 0, "dead letters of {}", service.name);
    }
    let waiting = payment_step::Column::State.eq(payment_step::State::Waiting);
    let steps = payment_step::Entity::find().filter(waiting);
    assert_eq!(steps.count(market.env("payments").db.read()).await.unwrap(), 0, "steps wait");
}

pub async fn the_books_are_right(market: &Market) {
    let payments: &Env = market.env("payments");
    let ledger = ::payments::ledger::verify(&payments.db).await.unwrap();
    assert!(ledger.is_right(), "{ledger}");
    let differences = ::payments::reconcile::compare_balances(
        payments,
        &::payments::courier(payments, &Default::default()).unwrap(),
    )
    .await
    .unwrap();
    assert_eq!(differences, 0, "the provider's balance is the ledger's");
    let stock = ::inventory::verify(&market.env("inventory").db).await.unwrap();
    assert!(stock.is_right(), "{stock}");
}
