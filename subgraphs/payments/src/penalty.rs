//! Penalties of sellers who did not keep to a sale: they owe them, and what they earn next pays for them first.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Failure, Tx};
use contract::event::payments::FineSeller;
use contract::{Envelope, Event, OrderId};
use entity::payments::ledger_transfer::{Column, Entity};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::file::Pen;
use crate::ledger::{About, Account, Entry, Posting, Reason};

/// Books the penalties asked for among `events`: one for each sale, however often it is asked for.
///
/// # Errors
/// Besides the database's: a penalty of nothing, or of less.
pub async fn hear(tx: &Tx, pen: &mut Pen, events: &[Envelope]) -> Result<(), Failure> {
    let mut asks: BTreeMap<OrderId, &FineSeller> = BTreeMap::new();
    for envelope in events {
        if let Event::FineSeller(ask) = &envelope.event {
            asks.entry(ask.order_id).or_insert(ask);
        }
    }
    let fined = fined(tx, asks.keys().copied()).await?;
    let new = asks.into_iter().filter(|(order, _)| !fined.contains(order));
    new.map(|(_, ask)| ask).try_for_each(|ask| enter(pen, ask))
}

/// Those of `orders` whose sellers owe a penalty already.
async fn fined(
    tx: &Tx,
    orders: impl ExactSizeIterator<Item = OrderId>,
) -> Result<BTreeSet<OrderId>, Failure> {
    if orders.len() == 0 {
        return Ok(BTreeSet::new());
    }
    let booked = Entity::find()
        .select_only()
        .column(Column::OrderId)
        .filter(Column::OrderId.is_in(orders))
        .filter(Column::Reason.eq(Reason::Penalty));
    Ok(booked.into_tuple::<OrderId>().all(tx).await?.into_iter().collect())
}

fn enter(pen: &mut Pen, ask: &FineSeller) -> Result<(), Failure> {
    let FineSeller { payment_id, order_id, seller_id, amount, .. } = ask;
    if amount.amount_minor <= 0 {
        return Err(Failure::msg(format!("a penalty for {order_id} must be more than nothing")));
    }
    let about = About { payment_id: *payment_id, order_id: *order_id, currency: amount.currency };
    let entry = Entry {
        posting: Posting::Now,
        debit: Account::Receivable(*seller_id),
        credit: Account::PlatformFee,
        amount_minor: amount.amount_minor,
        reason: Reason::Penalty,
        subject: order_id.to_string(),
    };
    pen.book.enter(pen.now, about, Some(*seller_id), entry);
    Ok(())
}
