//! Strikes: who did not keep to a match, and who is in good standing still.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::orders::Struck;
use contract::{TradeId, UserId};
use entity::orders::strike::{Cause, Column, Entity, Model};
use entity::orders::trade;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::drive::Move;
use super::failure::Why;
use super::rules::Rules;
use super::saga::Then;

/// How somebody stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Those that count now, the oldest first.
    pub strikes: Vec<Model>,
    /// Until enough of them have lapsed. `None`: in good standing.
    pub suspended_until: Option<DateTime<Utc>>,
}

impl Standing {
    /// What follows from `strikes`, the oldest first.
    pub fn of(rules: &Rules, strikes: Vec<Model>) -> Self {
        let allowed = usize::try_from(rules.strikes_allowed).unwrap_or(usize::MAX);
        let too_many = strikes.len().checked_sub(allowed).filter(|too_many| *too_many > 0);
        let last_to_lapse = too_many.and_then(|too_many| strikes.get(too_many - 1));
        let suspended_until = last_to_lapse.map(|strike| strike.at + rules.strike_counts_for);
        Self { strikes, suspended_until }
    }
}

/// How `user` stands at `now`.
pub async fn standing(
    db: &impl ConnectionTrait,
    rules: &Rules,
    now: DateTime<Utc>,
    user: UserId,
) -> Result<Standing, Failure> {
    let counting = counting(db, rules, now, &BTreeSet::from([user])).await?;
    Ok(Standing::of(rules, counting))
}

/// Strikes that count at `now`, the oldest first.
async fn counting(
    db: &impl ConnectionTrait,
    rules: &Rules,
    now: DateTime<Utc>,
    users: &BTreeSet<UserId>,
) -> Result<Vec<Model>, Failure> {
    let counting = Entity::find()
        .filter(Column::UserId.is_in(users.iter().copied()))
        .filter(Column::At.gt(now - rules.strike_counts_for))
        .order_by_asc(Column::At)
        .order_by_asc(Column::TradeId);
    Ok(counting.all(db).await?)
}

/// Writes the strikes of `moves`, each once; what is to be said of them.
pub(super) async fn write(
    tx: &Tx,
    rules: &Rules,
    now: DateTime<Utc>,
    known: &BTreeMap<TradeId, trade::Model>,
    moves: &[Move],
) -> Result<Vec<Struck>, Failure> {
    let new: Vec<Model> = moves.iter().filter_map(|done| struck(now, &known[&done.trade], done)).collect();
    if new.is_empty() {
        return Ok(vec![]);
    }
    Entity::insert_many(new.iter().cloned().map(IntoActiveModel::into_active_model))
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    let users = new.iter().map(|strike| strike.user_id).collect();
    let counting = counting(tx, rules, now, &users).await?;
    Ok(new.into_iter().map(|strike| told(rules, &counting, strike)).collect())
}

fn struck(now: DateTime<Utc>, row: &trade::Model, done: &Move) -> Option<Model> {
    let (user_id, cause) = done.then.iter().find_map(|then| match then {
        Then::StrikeBuyer => Some((row.buyer_id, Cause::NotPaid)),
        Then::StrikeSeller => {
            let cause = Why::read(row.failure.as_deref()).map_or(Cause::NotShipped, |why| why.strike());
            Some((row.seller_user_id, cause))
        }
        _ => None,
    })?;
    Some(Model { user_id, trade_id: row.id, cause, at: now })
}

fn told(rules: &Rules, counting: &[Model], strike: Model) -> Struck {
    let own = counting.iter().filter(|other| other.user_id == strike.user_id).cloned();
    let standing = Standing::of(rules, own.collect());
    Struck {
        user_id: strike.user_id,
        trade_id: strike.trade_id,
        strikes: standing.strikes.len() as u64,
        suspended_until: standing.suspended_until,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn one_strike_too_many_suspends_until_the_oldest_of_them_lapses() {
        let rules = Rules { strikes_allowed: 2, ..Rules::default() };
        let first: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
        let strike = |day: i64| Model {
            user_id: UserId::new(),
            trade_id: TradeId::new(),
            cause: Cause::NotPaid,
            at: first + TimeDelta::days(day),
        };
        for (days, lapses) in [(0, None), (2, None), (3, Some(0)), (5, Some(2))] {
            let strikes = (0..days).map(strike).collect();
            let until = lapses.map(|day| first + TimeDelta::days(day) + rules.strike_counts_for);
            assert_eq!(Standing::of(&rules, strikes).suspended_until, until, "{days} strikes");
        }
    }
}
