//! Sagas that can go neither on nor back by themselves: of orders, and of trades of the market.

use std::str::FromStr;

use anyhow::{Context, bail};
use chassis::{Database, tx};
use contract::{OrderId, TradeId};
use orders::operator::{Action, act};
use orders::settlement::State;
use orders::trade::operator::{self as trades, Action as TradeAction};
use orders::trade::saga::State as TradeState;
use orders::{order, trade};

use super::ACTOR;
use crate::market::ServiceName;
use crate::settings::Settings;

/// Whose saga it is.
#[derive(Clone, Copy, Debug)]
pub enum SagaId {
    Order(OrderId),
    Trade(TradeId),
}

impl FromStr for SagaId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let order = || text.parse().map(Self::Order);
        let found = if text.starts_with("trd_") { text.parse().map(Self::Trade) } else { order() };
        found.map_err(|invalid| invalid.to_string())
    }
}

/// Shows the sagas that need an operator.
pub async fn list_sagas(settings: &Settings) -> anyhow::Result<()> {
    let market = settings.open_existing_market().await?;
    let orders = market.service(ServiceName::Orders).context("orders runs in every market")?;
    let stuck_orders = list_orders(&orders.env.db).await?;
    let stuck_trades = list_trades(&orders.env.db).await?;
    market.stop().await;
    println!("{stuck_orders} orders and {stuck_trades} trades need an operator.");
    Ok(())
}

async fn list_orders(db: &Database) -> anyhow::Result<usize> {
    let stuck: Vec<State> = State::ALL.into_iter().filter(|state| state.needs_operator()).collect();
    let (mut waiting, mut after) = (0, None);
    loop {
        let page = order::in_states(db.read(), &stuck, after, chassis::page::FIRST_MAX).await;
        let page = page.map_err(anyhow::Error::msg)?;
        for order in &page {
            let since = order.settlement.updated_at;
            println!("{}  {}  since {since}", order.row.id, order.settlement.state.name());
        }
        waiting += page.len();
        after = page.last().map(|order| order.row.id);
        if after.is_none() {
            return Ok(waiting);
        }
    }
}

async fn list_trades(db: &Database) -> anyhow::Result<usize> {
    let stuck: Vec<TradeState> = TradeState::ALL.into_iter().filter(|state| state.needs_operator()).collect();
    let (mut waiting, mut after) = (0, None);
    loop {
        let page = trade::in_states(db.read(), &stuck, after, chassis::page::FIRST_MAX).await;
        let page = page.map_err(anyhow::Error::msg)?;
        for row in &page {
            println!("{}  {}  since {}", row.id, row.state.name(), row.updated_at);
        }
        waiting += page.len();
        after = page.last().map(|row| (row.matched_at, row.id));
        if after.is_none() {
            return Ok(waiting);
        }
    }
}

/// Moves a saga that cannot move by itself.
pub async fn act_on_saga(
    settings: &Settings,
    id: SagaId,
    action: Action,
    reason: &str,
) -> anyhow::Result<()> {
    let rules = settings.trades.rules()?;
    let market = settings.open_existing_market().await?;
    let orders = market.service(ServiceName::Orders).context("orders runs in every market")?;
    let (db, now) = (&orders.env.db, orders.env.clock.now());
    let acted = match id {
        SagaId::Order(id) => {
            tx::run(db, async |tx| {
                let acted = act(tx, now, id, action, ACTOR, reason).await?;
                Ok(acted.map(|order| order.settlement.state.name()).map_err(|refusal| refusal.to_string()))
            })
            .await
        }
        SagaId::Trade(id) => {
            tx::run(db, async |tx| {
                let acted = trades::act(tx, &rules, now, id, of_trades(action), ACTOR, reason).await?;
                Ok(acted.map(|row| row.state.name()).map_err(|refusal| refusal.to_string()))
            })
            .await
        }
    };
    market.stop().await;
    match acted.map_err(anyhow::Error::msg)? {
        Ok(state) => println!("It is {state} now."),
        Err(refusal) => bail!("{refusal}"),
    }
    Ok(())
}

/// The same words mean the same for trades.
fn of_trades(action: Action) -> TradeAction {
    match action {
        Action::Retry => TradeAction::Retry,
        Action::Skip => TradeAction::Skip,
        Action::Compensate => TradeAction::Undo,
        Action::ResolvePaid => TradeAction::ResolveCompleted,
        Action::ResolveCancelled => TradeAction::ResolveUndone,
    }
}
