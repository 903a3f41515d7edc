//! The seller's fees, frozen on each match: from the schedule of the day and the level that the seller had before it.

use std::collections::BTreeSet;

use chassis::{Failure, Tx};
use entity::bidding::trade;

use super::announce::Markets;
use super::projection::{Orders, Trades};
use crate::fee;
use crate::sold::{self, Sales};

/// Puts the fees on `trades` and counts them as sold. Trades of markets that nobody opened stay without.
pub(super) async fn price(
    tx: &Tx,
    markets: &Markets,
    orders: &Orders,
    trades: &mut Trades,
) -> Result<(), Failure> {
    let sellers: BTreeSet<uuid::Uuid> = trades.values().map(|trade| trade.seller).collect();
    let mut sales = sold::of(tx, sellers).await?;
    let mut added = Sales::new();
    for trade in trades.values_mut() {
        let Some(market) = markets.get(&contract::MarketId(trade.market)) else { continue };
        let currency = market.currency();
        let (quarter, before) = fee::quarters(trade.at);
        let schedule = fee::schedule_at(trade.at);
        let of = |sales: &Sales, quarter| {
            sales.get(&(trade.seller, market.currency.clone(), quarter)).copied().unwrap_or_default()
        };
        let level = schedule.level(of(&sales, before), of(&sales, quarter), currency);
        freeze(trade, schedule.fees(level, trade.price_minor, currency));
        trade.seller_id = orders.get(&trade.ask).and_then(|ask| ask.seller_id);
        let key = (trade.seller, market.currency.clone(), quarter);
        for sales in [&mut sales, &mut added] {
            let sold = sales.entry(key.clone()).or_default();
            sold.pieces += trade.quantity;
            sold.turnover_minor += trade.quantity * trade.price_minor;
        }
    }
    sold::add(tx, added).await
}

fn freeze(trade: &mut trade::Model, fees: fee::Fees) {
    trade.fee_schedule = Some(fees.schedule.into());
    trade.fee_level = Some(fees.level.into());
    trade.transaction_minor = Some(fees.transaction_minor);
    trade.processing_minor = Some(fees.processing_minor);
    trade.payout_minor = Some(fees.payout_minor);
}
