//! What shops and the platform take and take off: rates and promotions that apply by themselves, kept in memory.
//!
//! Whoever changes a tariff counts up its revision in the same transaction, and whoever prices goods reads the revisions
//! with the goods: what is kept is used only when it is not older than that, whichever process changed it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, SellerId};
use entity::orders::platform_rate;
use entity::orders::promotion::Model as Promotion;
use entity::orders::tariff::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use crate::pricing::{Rate, Tax};
use crate::promotion;
use crate::rates::{self, Destination};

/// Tariffs that are kept; past that all are read anew.
const KEPT_MAX: usize = 10_000;

/// A shop's tariff, or the platform's: `None`.
pub type Whose = Option<SellerId>;
/// By whose tariff is how old.
pub type Revisions = BTreeMap<Whose, i64>;

/// What one shop, or the platform, takes and takes off.
#[derive(Clone, Debug, Default)]
pub struct Tariff {
    revision: i64,
    /// A shop's.
    pub shipping: Vec<Rate>,
    /// The platform's: taxes and fees of all times.
    pub rates: Vec<platform_rate::Model>,
    /// Those that apply by themselves and are not over.
    pub promotions: Vec<Promotion>,
}

/// The row of a tariff.
pub fn id(whose: Whose) -> Uuid {
    whose.map_or_else(Uuid::nil, |seller| seller.0)
}

/// Says that a tariff is about to change. Who changes the same one waits until this transaction ends.
pub async fn change(tx: &Tx, whose: Whose) -> Result<(), Failure> {
    let again = OnConflict::column(Column::Whose)
        .value(Column::Revision, Expr::col((Entity, Column::Revision)).add(1))
        .to_owned();
    let first = Model { whose: id(whose), revision: 1 };
    Entity::insert(first.into_active_model()).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// Tariffs as this process last read them.
#[derive(Clone, Default)]
pub struct Tariffs(Arc<Mutex<HashMap<Whose, Arc<Tariff>>>>);

impl Tariffs {
    /// The tariffs at `revisions`, or newer. Read those before this call: what is read here is then not older.
    pub async fn at(
        &self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        revisions: &Revisions,
    ) -> Result<InForce, Failure> {
        let mut in_force = self.kept(revisions);
        let missing: Revisions = revisions
            .iter()
            .filter(|(whose, _)| !in_force.0.contains_key(*whose))
            .map(|(whose, revision)| (*whose, *revision))
            .collect();
        if !missing.is_empty() {
            let read = read(db, now, &missing).await?;
            self.keep(&read);
            in_force.0.extend(read);
        }
        Ok(in_force)
    }

    fn tariffs(&self) -> std::sync::MutexGuard<'_, HashMap<Whose, Arc<Tariff>>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    fn kept(&self, revisions: &Revisions) -> InForce {
        let tariffs = self.tariffs();
        let new_enough = |(whose, revision): (&Whose, &i64)| {
            let tariff = tariffs.get(whose).filter(|tariff| tariff.revision >= *revision)?;
            Some((*whose, tariff.clone()))
        };
        InForce(revisions.iter().filter_map(new_enough).collect())
    }

    fn keep(&self, read: &BTreeMap<Whose, Arc<Tariff>>) {
        let mut tariffs = self.tariffs();
        if tariffs.len() + read.len() > KEPT_MAX {
            tariffs.clear();
        }
        tariffs.extend(read.iter().map(|(whose, tariff)| (*whose, tariff.clone())));
    }
}

async fn read(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    revisions: &Revisions,
) -> Result<BTreeMap<Whose, Arc<Tariff>>, Failure> {
    let blank =
        |(whose, revision): (&Whose, &i64)| (*whose, Tariff { revision: *revision, ..Tariff::default() });
    let mut tariffs: BTreeMap<Whose, Tariff> = revisions.iter().map(blank).collect();
    let sellers: Vec<SellerId> = revisions.keys().copied().flatten().collect();
    for promotion in promotion::automatic(db, now, &sellers, revisions.contains_key(&None)).await? {
        tariffs.entry(promotion.seller_id).or_default().promotions.push(promotion);
    }
    if let Some(platform) = tariffs.get_mut(&None) {
        platform.rates = rates::all_platform(db).await?;
    }
    if !sellers.is_empty() {
        for (seller, shipping) in rates::shipping(db, sellers).await? {
            tariffs.entry(Some(seller)).or_default().shipping = shipping;
        }
    }
    Ok(tariffs.into_iter().map(|(whose, tariff)| (whose, Arc::new(tariff))).collect())
}

/// The tariffs that some goods are priced by.
#[derive(Clone, Debug, Default)]
pub struct InForce(BTreeMap<Whose, Arc<Tariff>>);

impl InForce {
    /// What `sellers` take for shipping. A seller without rates ships for nothing.
    pub fn shipping(&self, sellers: impl IntoIterator<Item = SellerId>) -> BTreeMap<SellerId, Vec<Rate>> {
        let rates = |seller: SellerId| {
            let shipping = &self.0.get(&Some(seller))?.shipping;
            (!shipping.is_empty()).then(|| (seller, shipping.clone()))
        };
        sellers.into_iter().filter_map(rates).collect()
    }

    /// Tax at the destination and the platform's fee at `now`.
    pub fn platform(&self, now: DateTime<Utc>, place: &Destination) -> (Tax, i64) {
        let rates = self.0.get(&None).map_or(&[][..], |platform| platform.rates.as_slice());
        rates::platform(rates, now, place)
    }

    /// Promotions of the platform and of `sellers` that apply by themselves at `now`, also those that are used up.
    pub fn automatic(
        &self,
        now: DateTime<Utc>,
        currency: CurrencyCode,
        sellers: impl IntoIterator<Item = SellerId>,
    ) -> Vec<Promotion> {
        let whose = std::iter::once(None).chain(sellers.into_iter().map(Some));
        let all = whose.filter_map(|whose| self.0.get(&whose)).flat_map(|tariff| &tariff.promotions);
        let mut running: Vec<Promotion> = all
            .filter(|promotion| promotion.currency == currency.as_str() && promotion::runs(promotion, now))
            .cloned()
            .collect();
        running.sort_by_key(|promotion| promotion.id);
        running
    }
}
