//! What bidding hears: sellers, whether they can be paid, variants and offers, which it mirrors; stock that is reserved for
//! asks or not, and money for bids; trades that came to nothing, and who did not keep to them.

use std::collections::BTreeMap;

use chassis::inbox::Consumer;
use chassis::{Env, Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::orders::{TradeFailed, TradeFailure};
use contract::{Envelope, Event, MarketId};
use entity::bidding::{failed_trade, market, trade};
use futures::FutureExt;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::fee::{Sold, quarters};
use crate::number::trade_of;
use crate::{backing, holding, mirror, selling, sold};

/// The ears of bidding.
pub fn consumers(env: &Env) -> Vec<Consumer> {
    vec![
        Consumer::new(env, "bidding.accounts", &["accounts.seller_changed"], |tx, now, events| {
            hear(tx, now, events).boxed()
        }),
        Consumer::new(
            env,
            "bidding.catalog",
            &["catalog.variant_changed", "catalog.offer_changed"],
            |tx, now, events| hear(tx, now, events).boxed(),
        ),
        Consumer::new(
            env,
            "bidding.inventory",
            &["inventory.pieces_reserved", "inventory.pieces_rejected", "inventory.stock_released"],
            |tx, now, events| hear(tx, now, events).boxed(),
        ),
        Consumer::new(
            env,
            "bidding.payments",
            &["payments.payee_changed", "payments.hold_changed"],
            |tx, now, events| hear(tx, now, events).boxed(),
        ),
        Consumer::new(env, "bidding.orders", &["orders.trade_failed", "orders.struck"], |tx, now, events| {
            hear(tx, now, events).boxed()
        }),
    ]
}

async fn hear(tx: &Tx, now: DateTime<Utc>, events: &[Envelope]) -> Result<(), Failure> {
    let (mut sellers, mut variants, mut payees) = (vec![], vec![], vec![]);
    let (mut offers, mut released, mut holds) = (vec![], vec![], vec![]);
    for envelope in events {
        let version = envelope.aggregate.version;
        match &envelope.event {
            Event::SellerChanged(change) => sellers.push((change, version)),
            Event::VariantChanged(change) => variants.push((change, version)),
            Event::OfferChanged(change) => offers.push((change, version)),
            Event::PiecesReserved(said) => backing::hear_reserved(tx, said).await?,
            Event::PiecesRejected(said) => backing::hear_rejected(tx, said).await?,
            Event::StockReleased(said) => released.push(said.reservation_id),
            Event::PayeeChanged(change) => payees.push((change, version)),
            Event::HoldChanged(change) => holds.push(change),
            Event::Struck(struck) => {
                if let Some(until) = struck.suspended_until {
                    selling::suspend(tx, struck.user_id, until).await?;
                }
            }
            Event::TradeFailed(failed) => trade_failed(tx, now, failed).await?,
            _ => {}
        }
    }
    mirror::hear_sellers(tx, sellers).await?;
    mirror::hear_payees(tx, payees).await?;
    mirror::hear_offers(tx, offers).await?;
    backing::hear_released(tx, released).await?;
    holding::hear(tx, now, holds).await?;
    mirror::hear_variants(tx, variants).await
}

/// A trade that came to nothing is no sale. When the buyer could not pay, the engine must hear of it: it gives the ask back.
async fn trade_failed(tx: &Tx, now: DateTime<Utc>, failed: &TradeFailed) -> Result<(), Failure> {
    let due = failed.because == TradeFailure::PaymentFailed;
    let row = failed_trade::Model { trade_id: failed.trade_id, due, heard_at: now };
    let is_news = failed_trade::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if is_news == 1 { not_sold(tx, failed).await } else { Ok(()) }
}

async fn not_sold(tx: &Tx, failed: &TradeFailed) -> Result<(), Failure> {
    let Some((partition, number)) = trade_of(failed.trade_id) else { return Ok(()) };
    let (partition, number) = (partition as i32, number.0 as i64);
    let end = Expr::col(trade::Column::Number).add(Expr::col(trade::Column::Quantity));
    let matched = trade::Entity::find()
        .filter(trade::Column::Partition.eq(partition))
        .filter(trade::Column::Number.lte(number))
        .filter(end.gt(number));
    let Some(trade) = matched.one(tx).await? else { return Ok(()) };
    let market = market::Entity::find_by_id(MarketId(trade.market)).one(tx).await?;
    let Some(market) = market else { return Ok(()) };
    let less = Sold { pieces: -1, turnover_minor: -trade.price_minor };
    let (quarter, _) = quarters(trade.at);
    sold::add(tx, BTreeMap::from([((trade.seller, market.currency, quarter), less)])).await
}
