//! What happens to a paid order: sellers send parcels, buyers get them, cancel what was not sent, send goods back, and are
//! paid back. Everything of one order happens under its lock, one after the other; what may happen follows from facts.

use std::collections::{BTreeMap, BTreeSet};

use chassis::outbox::{self, about};
use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::{Line as StockLine, RestockSold};
use contract::event::payments::{RefundPayment, ReleasePayment, Share as PaymentShare};
use contract::{Event, OrderId, PaymentId, PayoutId, RefundId, SellerId};
use entity::orders::{fulfilment, order, order_event, order_line, order_share, payout, refund, settlement};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use crate::facts::{Facts, Line, Parcel, Pieces, Progress, Refund, Share};
use crate::settlement::State;

/// A paid order under its lock, with everything that counts.
pub struct Sale {
    pub order: order::Model,
    pub facts: Facts,
    lines: Vec<order_line::Model>,
    version: i64,
}

/// Pieces of one seller whose money goes back.
pub struct Payback<'a> {
    pub seller: SellerId,
    pub kind: refund::Kind,
    pub pieces: Vec<Pieces>,
    pub reason: &'a str,
    pub actor: &'a str,
}

/// Why pieces cannot be what somebody wants of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There are no pieces, or two entries for one line, or a quantity below 1.
    Invalid,
    /// There is no such line, or it is another seller's than the others.
    NoLine { line: i32 },
    /// Fewer pieces than that are left for it.
    TooMany { line: i32, left: i64 },
}

impl Sale {
    /// Locks the order. `None`: there is no such order, or it is not paid.
    pub async fn open(tx: &Tx, id: OrderId) -> Result<Option<Self>, Failure> {
        let locked = settlement::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
        let Some(settlement) = locked.filter(|row| row.state == State::Settled) else { return Ok(None) };
        let order = order::Entity::find_by_id(id).one(tx).await?;
        let order = order.ok_or_else(|| Failure::msg("an order vanished"))?;
        let lines = order_line::Entity::find()
            .filter(order_line::Column::OrderId.eq(id))
            .order_by_asc(order_line::Column::Number)
            .all(tx)
            .await?;
        let facts = facts(tx, &[id]).await?.remove(&id).unwrap_or_default();
        Ok(Some(Self { order, facts, lines, version: settlement.version }))
    }

    /// The seller of `pieces`, when there are pieces, all of one seller, and of each line at most what `left` says.
    pub fn seller_of(&self, pieces: &[Pieces], left: impl Fn(&Facts, i32) -> i64) -> Result<SellerId, Unfit> {
        let numbers: BTreeSet<i32> = pieces.iter().map(|pieces| pieces.line).collect();
        if pieces.is_empty()
            || numbers.len() < pieces.len()
            || pieces.iter().any(|pieces| pieces.quantity < 1)
        {
            return Err(Unfit::Invalid);
        }
        let mut seller = None;
        for Pieces { line, quantity } in pieces.iter().copied() {
            let known = self.facts.line(line).ok_or(Unfit::NoLine { line })?;
            if *seller.get_or_insert(known.seller_id) != known.seller_id {
                return Err(Unfit::NoLine { line });
            }
            let left = left(&self.facts, line);
            if quantity > left {
                return Err(Unfit::TooMany { line, left });
            }
        }
        seller.ok_or(Unfit::Invalid)
    }

    /// Writes one entry into the order's log; what is said with it has its version.
    pub async fn log(
        &mut self,
        tx: &Tx,
        now: DateTime<Utc>,
        kind: &str,
        actor: &str,
        details: Value,
    ) -> Result<(), Failure> {
        self.version += 1;
        settlement::Entity::update_many()
            .col_expr(settlement::Column::Version, Expr::val(self.version))
            .col_expr(settlement::Column::UpdatedAt, Expr::val(now))
            .filter(settlement::Column::OrderId.eq(self.order.id))
            .exec(tx)
            .await?;
        let entry = order_event::Model {
            order_id: self.order.id,
            sequence: self.version,
            kind: kind.into(),
            actor: actor.into(),
            details: details.to_string(),
            at: now,
        };
        order_event::Entity::insert(entry.into_active_model()).exec_without_returning(tx).await?;
        Ok(())
    }

    pub async fn say(&self, tx: &Tx, now: DateTime<Utc>, events: Vec<Event>) -> Result<(), Failure> {
        let events = events.into_iter().map(|event| (about("order", self.order.id, self.version), event));
        outbox::say_all(tx, now, events.collect()).await
    }

    /// Asks for the money of some pieces to go back to the buyer. The caller has looked whether they may.
    pub async fn refund(
        &mut self,
        tx: &Tx,
        now: DateTime<Utc>,
        payback: Payback<'_>,
    ) -> Result<refund::Model, Failure> {
        let Payback { seller, kind, pieces, reason, actor } = payback;
        let unsent = kind == refund::Kind::Cancelled;
        let back = self.facts.back(seller, unsent, &pieces);
        let row = refund::Model {
            id: RefundId::new(),
            order_id: self.order.id,
            seller_id: seller,
            kind,
            // What cost nothing is back at once.
            state: if back.amount_minor > 0 { refund::State::Asked } else { refund::State::Done },
            lines: serde_json::to_string(&pieces)?,
            amount_minor: back.amount_minor,
            tax_minor: back.tax_minor,
            fee_minor: back.fee_minor,
            shipping_minor: back.shipping_minor,
            reason: reason.into(),
            asked_at: now,
            settled_at: (back.amount_minor == 0).then_some(now),
        };
        refund::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
        self.facts.refunds.push(refund_fact(&row)?);
        let details =
            json!({ "refund": row.id, "lines": pieces, "amountMinor": row.amount_minor, "reason": reason });
        self.log(tx, now, if unsent { "cancelled_lines" } else { "refund_asked" }, actor, details).await?;
        if back.amount_minor > 0 {
            let share = PaymentShare {
                seller_id: seller,
                amount_minor: back.amount_minor,
                tax_minor: back.tax_minor,
                fee_minor: back.fee_minor,
            };
            let ask = RefundPayment {
                refund_id: row.id,
                payment_id: PaymentId(self.order.id.0),
                order_id: self.order.id,
                shares: vec![share],
                reason: reason.into(),
            };
            self.say(tx, now, vec![ask.into()]).await?;
        }
        Ok(row)
    }

    /// Tells inventory that pieces are the seller's again.
    pub async fn restock(
        &self,
        tx: &Tx,
        now: DateTime<Utc>,
        pieces: &[Pieces],
        reason: &str,
    ) -> Result<(), Failure> {
        let lines = pieces.iter().filter_map(|pieces| {
            let line = self.lines.iter().find(|line| line.number == pieces.line)?;
            Some(StockLine { offer_id: line.offer_id, quantity: pieces.quantity })
        });
        let ask = RestockSold { order_id: self.order.id, lines: lines.collect(), reason: reason.into() };
        self.say(tx, now, vec![ask.into()]).await
    }

    /// A seller whose part has all arrived has earned what is left of it: asked for once.
    pub async fn release(&self, tx: &Tx, now: DateTime<Utc>, seller: SellerId) -> Result<(), Failure> {
        if self.facts.progress(seller) != Progress::Delivered {
            return Ok(());
        }
        let row = payout::Model {
            order_id: self.order.id,
            seller_id: seller,
            id: PayoutId::new(),
            asked_at: now,
            released_at: None,
        };
        let (order_id, payout_id) = (row.order_id, row.id);
        let first = payout::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        let costs = self.facts.shares.iter().any(|share| share.seller_id == seller && share.total_minor > 0);
        if first == 0 || !costs {
            return Ok(());
        }
        let payment_id = PaymentId(order_id.0);
        let ask = ReleasePayment { payout_id, payment_id, order_id, seller_id: seller };
        self.say(tx, now, vec![ask.into()]).await
    }
}

/// The facts of some orders, with five statements.
pub async fn facts(
    db: &impl ConnectionTrait,
    orders: &[OrderId],
) -> Result<BTreeMap<OrderId, Facts>, Failure> {
    let ids = || orders.iter().copied();
    let mut facts: BTreeMap<OrderId, Facts> = ids().map(|id| (id, Facts::default())).collect();
    let lines = order_line::Entity::find().filter(order_line::Column::OrderId.is_in(ids()));
    for row in lines.order_by_asc(order_line::Column::Number).all(db).await? {
        facts.entry(row.order_id).or_default().lines.push(Line {
            number: row.number,
            seller_id: row.seller_id,
            quantity: row.quantity,
            total_minor: row.total_minor,
            tax_minor: row.tax_minor,
        });
    }
    for row in order_share::Entity::find().filter(order_share::Column::OrderId.is_in(ids())).all(db).await? {
        facts.entry(row.order_id).or_default().shares.push(Share {
            seller_id: row.seller_id,
            total_minor: row.total_minor,
            tax_minor: row.tax_minor,
            fee_minor: row.fee_minor,
            shipping_total_minor: row.shipping_total_minor,
            confirmed: row.confirmed_at.is_some(),
        });
    }
    for row in fulfilment::Entity::find().filter(fulfilment::Column::OrderId.is_in(ids())).all(db).await? {
        facts.entry(row.order_id).or_default().parcels.push(Parcel {
            seller_id: row.seller_id,
            pieces: serde_json::from_str(&row.lines)?,
            delivered: row.delivered_at.is_some(),
        });
    }
    let refunds = refund::Entity::find()
        .filter(refund::Column::OrderId.is_in(ids()))
        .filter(refund::Column::State.ne(refund::State::Failed));
    for row in refunds.all(db).await? {
        facts.entry(row.order_id).or_default().refunds.push(refund_fact(&row)?);
    }
    Ok(facts)
}

fn refund_fact(row: &refund::Model) -> Result<Refund, Failure> {
    Ok(Refund {
        seller_id: row.seller_id,
        unsent: row.kind == refund::Kind::Cancelled,
        pieces: serde_json::from_str(&row.lines)?,
        amount_minor: row.amount_minor,
        tax_minor: row.tax_minor,
        fee_minor: row.fee_minor,
        shipping_minor: row.shipping_minor,
    })
}
