//! A match becomes a trade: written once, whatever is heard how often, before anybody is charged.

use std::collections::BTreeMap;

use chassis::outbox::{self, about};
use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::TradeId;
use contract::event::bidding::Matched;
use entity::orders::trade::{Column, Entity, Model};
use entity::orders::trade_event;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

use super::drive::roll;
use super::rules::Rules;
use super::saga::{State, pause};
use super::said;

/// Who opens trades, in their logs.
const MARKET: &str = "market";

/// Opens the trades of `matches` that are new, and asks for their buyers' money.
///
/// # Errors
/// Besides the database's: the parts of a match do not add up.
pub async fn hear(tx: &Tx, rules: &Rules, now: DateTime<Utc>, matches: Vec<&Matched>) -> Result<(), Failure> {
    let mut new = BTreeMap::new();
    for said in matches {
        new.insert(said.trade_id, row(rules, now, said)?);
    }
    for known in known(tx, new.keys().copied()).await? {
        new.remove(&known);
    }
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.values().cloned().map(IntoActiveModel::into_active_model);
    let there = OnConflict::new().do_nothing().to_owned();
    let written = Entity::insert_many(rows).on_conflict(there).exec_without_returning(tx).await?;
    if written != new.len() as u64 {
        return Err(Failure::msg("somebody else opened a trade at this moment"));
    }
    let log = new.values().map(|row| opened(now, row).into_active_model());
    trade_event::Entity::insert_many(log).exec_without_returning(tx).await?;
    let asks = new.values().map(|row| Ok((about("trade", row.id, row.version), said::first(rules, row)?)));
    outbox::say_all(tx, now, asks.collect::<Result<_, Failure>>()?).await
}

async fn known(tx: &Tx, ids: impl Iterator<Item = TradeId>) -> Result<Vec<TradeId>, Failure> {
    let known = Entity::find().select_only().column(Column::Id).filter(Column::Id.is_in(ids));
    Ok(known.into_tuple().all(tx).await?)
}

fn row(rules: &Rules, now: DateTime<Utc>, said: &Matched) -> Result<Model, Failure> {
    add_up(said)?;
    // What is held for the bid already is taken at once.
    let state = if said.hold.is_some() { State::Capturing } else { State::Authorising };
    Ok(Model {
        id: said.trade_id,
        market_id: said.market_id,
        variant_id: said.variant_id,
        condition: said.condition.into(),
        bid_id: said.bid_id,
        ask_id: said.ask_id,
        buyer_id: said.buyer_id,
        seller_id: said.seller_id,
        seller_user_id: said.seller_user_id,
        currency: said.price.currency.to_string(),
        price_minor: said.price.amount_minor,
        schedule: said.fees.schedule.clone(),
        level: said.fees.level.into(),
        transaction_minor: said.fees.transaction_minor,
        processing_minor: said.fees.processing_minor,
        payout_minor: said.fees.payout_minor,
        penalty_minor: said.fees.penalty_minor,
        method: said.payment_method.clone(),
        hold_id: said.hold,
        address_id: said.address_id,
        offer_id: said.backing.as_ref().map(|backing| backing.offer_id),
        reservation_id: said.backing.as_ref().map(|backing| backing.reservation_id),
        matched_at: said.matched_at,
        opened_at: now,
        state,
        repeats: 0,
        next_run_at: pause(rules, state, 0, roll(said.trade_id, 0)).map(|pause| now + pause),
        failure: None,
        action: None,
        version: 1,
        updated_at: now,
    })
}

/// What the buyer pays and the seller does not get is the fees, to the last minor unit.
fn add_up(said: &Matched) -> Result<(), Failure> {
    let (price, fees) = (said.price.amount_minor, &said.fees);
    let parts = [fees.transaction_minor, fees.processing_minor, fees.payout_minor];
    let sum = parts.iter().try_fold(0_i64, |sum, part| sum.checked_add(*part));
    let fits =
        price > 0 && sum == Some(price) && fees.penalty_minor >= 0 && parts.iter().all(|part| *part >= 0);
    match fits {
        true => Ok(()),
        false => Err(Failure::msg(format!("the fees of {} do not add up to its price", said.trade_id))),
    }
}

fn opened(now: DateTime<Utc>, row: &Model) -> trade_event::Model {
    trade_event::Model {
        trade_id: row.id,
        sequence: row.version,
        kind: "matched".into(),
        actor: MARKET.into(),
        details: "{}".into(),
        at: now,
    }
}

#[cfg(test)]
mod tests {
    use contract::event::bidding::SellerFees;
    use contract::event::catalog::Condition;
    use contract::{AddressId, BookOrderId, CurrencyCode, MarketId, Money, SellerId, UserId, VariantId};

    use super::*;

    #[test]
    fn a_match_whose_parts_are_not_its_price_is_no_trade() {
        for (price, transaction, processing, payout, fits) in [
            (20_000, 1_800, 600, 17_600, true),
            (100, 100, 0, 0, true),
            (20_000, 1_800, 600, 17_601, false),
            (20_000, 1_800, 600, 17_599, false),
            (20_000, -600, 600, 20_000, false),
            (0, 0, 0, 0, false),
            (1, i64::MAX, i64::MAX, 3, false),
        ] {
            let said = matched(price, transaction, processing, payout);
            assert_eq!(add_up(&said).is_ok(), fits, "{price} {transaction} {processing} {payout}");
        }
    }

    fn matched(price: i64, transaction_minor: i64, processing_minor: i64, payout_minor: i64) -> Matched {
        Matched {
            trade_id: TradeId::new(),
            market_id: MarketId::new(),
            variant_id: VariantId::new(),
            condition: Condition::New,
            bid_id: BookOrderId::new(),
            ask_id: BookOrderId::new(),
            buyer_id: UserId::new(),
            seller_user_id: UserId::new(),
            seller_id: SellerId::new(),
            price: Money { amount_minor: price, currency: CurrencyCode::EUR },
            fees: SellerFees {
                schedule: "2026-01".into(),
                level: 1,
                transaction_minor,
                processing_minor,
                payout_minor,
                penalty_minor: 0,
            },
            payment_method: "pm_card_visa".into(),
            hold: None,
            address_id: AddressId::new(),
            backing: None,
            matched_at: DateTime::UNIX_EPOCH,
        }
    }
}
