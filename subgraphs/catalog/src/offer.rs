//! Offers: a seller's price for a variant in a condition.

pub(crate) mod many;

use std::collections::HashMap;

use chassis::auth::Viewer;
use chassis::idempotency::Conflict;
use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::event::catalog::OfferChanged;
use contract::event::inventory::StockChanged;
use contract::{Money, OfferId, ProductId, SellerId, VariantId};
use entity::catalog::{Condition, Publication, offer, offer_price, product, variant};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use serde::Serialize;

use crate::input::{Checks, Problem};
use crate::search::{self, Changed};
use crate::seller::{self, Actor, NotSelling};
use crate::{publication, unique};

/// The highest price, in minor units: a billion where the minor unit is a hundredth.
pub const PRICE_MINOR_MAX: i64 = 100_000_000_000;

/// A new offer.
#[derive(Clone, Debug, Serialize)]
pub struct Create {
    pub variant: VariantId,
    pub condition: Condition,
    pub price: Money,
    /// Whose it is; None: the viewer's own.
    pub seller: Option<SellerId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateRefusal {
    Invalid(Vec<Problem>),
    NotSelling(NotSelling),
    VariantNotFound,
    /// The seller has an offer for this variant in this condition.
    AlreadyOffered {
        existing: OfferId,
    },
    IdempotencyConflict,
}

impl From<Conflict> for CreateRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Makes a draft.
pub async fn create(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    command: Create,
) -> Outcome<OfferId, CreateRefusal> {
    let mut checks = Checks::default();
    check_price(&mut checks, command.price);
    if let Err(problems) = checks.done() {
        return Ok(Err(CreateRefusal::Invalid(problems)));
    }
    let (actor, seller) = match seller::selling(tx, viewer, command.seller).await? {
        Ok(selling) => selling,
        Err(not) => return Ok(Err(CreateRefusal::NotSelling(not))),
    };
    let Some(variant) = offerable(tx, actor, command.variant).await? else {
        return Ok(Err(CreateRefusal::VariantNotFound));
    };
    let offer = draft(now, &variant, seller, command.condition, command.price);
    match insert(tx, now, &offer).await? {
        None => Ok(Ok(offer.id)),
        Some(there) => Ok(Err(CreateRefusal::AlreadyOffered { existing: there.id })),
    }
}

/// Writes a new offer and tells of it, unless its seller has one for this variant in this condition: that one, locked.
pub(crate) async fn insert(
    tx: &Tx,
    now: DateTime<Utc>,
    offer: &offer::Model,
) -> Result<Option<offer::Model>, Failure> {
    let once = [offer::Column::SellerId, offer::Column::VariantId, offer::Column::Condition];
    let inserted = offer::Entity::insert(offer.clone().into_active_model())
        .on_conflict(OnConflict::columns(once).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 0 {
        return same_as(tx, offer).await.map(Some);
    }
    offer_price::Entity::insert(priced(offer).into_active_model()).exec_without_returning(tx).await?;
    tell(tx, now, offer).await?;
    Ok(None)
}

/// Notes what is wrong with a price.
pub(crate) fn check_price(checks: &mut Checks, price: Money) {
    let fine = (1..=PRICE_MINOR_MAX).contains(&price.amount_minor);
    checks.within("price");
    checks.expect(fine, "amountMinor", format!("must be 1 to {PRICE_MINOR_MAX}"));
    checks.within("");
}

/// A variant that `actor` may make an offer for: of a published product, or of their own.
async fn offerable(tx: &Tx, actor: Actor, id: VariantId) -> Result<Option<variant::Model>, Failure> {
    let Some(variant) = variant::Entity::find_by_id(id).one(tx).await? else {
        return Ok(None);
    };
    let product = product::Entity::find_by_id(variant.product_id).one(tx).await?;
    let visible = product.is_some_and(|product| {
        product.publication == Publication::Published || actor.may_change(product.seller_id)
    });
    Ok(Some(variant).filter(|_| visible))
}

pub(crate) fn draft(
    now: DateTime<Utc>,
    variant: &variant::Model,
    seller_id: SellerId,
    condition: Condition,
    price: Money,
) -> offer::Model {
    offer::Model {
        id: OfferId::new(),
        product_id: variant.product_id,
        variant_id: variant.id,
        seller_id,
        condition,
        price_minor: price.amount_minor,
        currency: price.currency.to_string(),
        publication: Publication::Draft,
        available: 0,
        stock_sequence: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The entry of the price history for the price that an offer has now.
pub(crate) fn priced(offer: &offer::Model) -> offer_price::Model {
    offer_price::Model {
        offer_id: offer.id,
        version: offer.version,
        price_minor: offer.price_minor,
        currency: offer.currency.clone(),
        since: offer.updated_at,
    }
}

async fn same_as(tx: &Tx, offer: &offer::Model) -> Result<offer::Model, Failure> {
    let same = offer::Entity::find()
        .filter(offer::Column::SellerId.eq(offer.seller_id))
        .filter(offer::Column::VariantId.eq(offer.variant_id))
        .filter(offer::Column::Condition.eq(offer.condition))
        .lock_exclusive();
    same.one(tx).await?.ok_or_else(|| Failure::msg("the offer in the way vanished"))
}

/// The offer that is meant, as the caller last saw it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub id: OfferId,
    pub expected_version: i64,
}

/// Why an offer cannot be changed, whatever the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    SellerNotVerified,
    NotFound,
    /// It changed since the caller saw it.
    Stale {
        current_version: i64,
    },
}

/// The offer to change, locked until the transaction ends.
async fn open(tx: &Tx, viewer: &Viewer, target: Target) -> Outcome<offer::Model, Closed> {
    let Some(actor) = seller::acting(tx, viewer).await? else {
        return Ok(Err(Closed::SellerNotVerified));
    };
    let theirs = offer::Entity::find_by_id(target.id)
        .apply_if(actor.seller(), |query, seller| query.filter(offer::Column::SellerId.eq(seller)))
        .lock_exclusive();
    let Some(offer) = theirs.one(tx).await? else {
        return Ok(Err(Closed::NotFound));
    };
    let current_version = offer.version;
    if current_version != target.expected_version {
        return Ok(Err(Closed::Stale { current_version }));
    }
    Ok(Ok(offer))
}

/// What to change; `None` leaves as it is.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub price: Option<Money>,
    pub condition: Option<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeRefusal {
    Invalid(Vec<Problem>),
    Closed(Closed),
    /// The seller has another offer for this variant in this condition.
    AlreadyOffered,
}

/// Changes the price or the condition. The old price stays in the history.
pub async fn change(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
    change: Change,
) -> Outcome<offer::Model, ChangeRefusal> {
    let mut checks = Checks::default();
    if let Some(price) = change.price {
        check_price(&mut checks, price);
    }
    if let Err(problems) = checks.done() {
        return Ok(Err(ChangeRefusal::Invalid(problems)));
    }
    let before = match open(tx, viewer, target).await? {
        Ok(offer) => offer,
        Err(closed) => return Ok(Err(ChangeRefusal::Closed(closed))),
    };
    let price = change.price.unwrap_or(before.price());
    let offer = offer::Model {
        price_minor: price.amount_minor,
        currency: price.currency.to_string(),
        condition: change.condition.unwrap_or(before.condition),
        ..before.clone()
    };
    match update(tx, now, offer).await {
        Err(error) if is_offered_twice(&error) => Ok(Err(ChangeRefusal::AlreadyOffered)),
        updated => changed_to(tx, now, &before, updated?).await.map(Ok),
    }
}

/// Whether `error` says that a seller would have two offers for a variant in one condition.
fn is_offered_twice(error: &DbErr) -> bool {
    unique::broken(error, "condition") || unique::broken(error, "offer_once")
}

/// Writes what became of `before`, keeps its new price in the history, and tells of it.
pub(crate) async fn store(
    tx: &Tx,
    now: DateTime<Utc>,
    before: &offer::Model,
    offer: offer::Model,
) -> Result<offer::Model, Failure> {
    let offer = update(tx, now, offer).await?;
    changed_to(tx, now, before, offer).await
}

async fn changed_to(
    tx: &Tx,
    now: DateTime<Utc>,
    before: &offer::Model,
    offer: offer::Model,
) -> Result<offer::Model, Failure> {
    if offer.price() != before.price() {
        offer_price::Entity::insert(priced(&offer).into_active_model()).exec_without_returning(tx).await?;
    }
    tell(tx, now, &offer).await?;
    Ok(offer)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishRefusal {
    Closed(Closed),
    AlreadyPublished,
    /// Buyers cannot see the product.
    ProductNotPublished,
}

/// Lets buyers buy it.
pub async fn publish(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
) -> Outcome<offer::Model, PublishRefusal> {
    let offer = match open(tx, viewer, target).await? {
        Ok(offer) => offer,
        Err(closed) => return Ok(Err(PublishRefusal::Closed(closed))),
    };
    let Some(published) = publication::published(offer.publication) else {
        return Ok(Err(PublishRefusal::AlreadyPublished));
    };
    if !seller::is_verified(tx, offer.seller_id).await? {
        return Ok(Err(PublishRefusal::Closed(Closed::SellerNotVerified)));
    }
    let product = product::Entity::find_by_id(offer.product_id).one(tx).await?;
    if product.is_none_or(|product| product.publication != Publication::Published) {
        return Ok(Err(PublishRefusal::ProductNotPublished));
    }
    show(tx, now, offer, published).await.map(Ok)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveRefusal {
    Closed(Closed),
    AlreadyArchived,
}

/// Takes it off sale.
pub async fn archive(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
) -> Outcome<offer::Model, ArchiveRefusal> {
    let offer = match open(tx, viewer, target).await? {
        Ok(offer) => offer,
        Err(closed) => return Ok(Err(ArchiveRefusal::Closed(closed))),
    };
    let Some(archived) = publication::archived(offer.publication) else {
        return Ok(Err(ArchiveRefusal::AlreadyArchived));
    };
    show(tx, now, offer, archived).await.map(Ok)
}

/// Shows an offer, or hides it.
pub(crate) async fn show(
    tx: &Tx,
    now: DateTime<Utc>,
    offer: offer::Model,
    publication: Publication,
) -> Result<offer::Model, Failure> {
    store(tx, now, &offer, offer::Model { publication, ..offer.clone() }).await
}

async fn update(tx: &Tx, now: DateTime<Utc>, mut offer: offer::Model) -> Result<offer::Model, DbErr> {
    offer.version += 1;
    offer.updated_at = now;
    offer.into_active_model().reset_all().update(tx).await
}

async fn tell(tx: &Tx, now: DateTime<Utc>, offer: &offer::Model) -> Result<(), Failure> {
    outbox::say(tx, now, about("offer", offer.id, offer.version), changed(offer)).await?;
    search::note(tx, now, Changed::Products(&[offer.product_id])).await
}

/// What others hear of an offer.
pub(crate) fn changed(offer: &offer::Model) -> OfferChanged {
    OfferChanged {
        offer_id: offer.id,
        product_id: offer.product_id,
        variant_id: offer.variant_id,
        seller_id: offer.seller_id,
        condition: offer.condition.into(),
        price: offer.price(),
        publication: offer.publication.into(),
    }
}

/// Keeps how much inventory says is available, unless something newer is known, of offers that differ. Gives the products
/// that came into stock or went out of it.
pub(crate) async fn mirror_stock(tx: &Tx, said: &[&StockChanged]) -> Result<Vec<ProductId>, Failure> {
    // In the order of ids, so that two batches at once cannot wait for each other.
    let known = offer::Entity::find()
        .filter(offer::Column::Id.is_in(said.iter().map(|said| said.offer_id)))
        .order_by_asc(offer::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    let known: HashMap<OfferId, offer::Model> = known.into_iter().map(|offer| (offer.id, offer)).collect();
    let (mut turned, mut newer) = (vec![], vec![]);
    for said in said {
        let Some(offer) = known.get(&said.offer_id).filter(|offer| offer.stock_sequence < said.sequence)
        else {
            continue;
        };
        newer.push(*said);
        if (offer.available > 0) != (said.available > 0) {
            turned.push(offer.product_id);
        }
    }
    many::keep_stock(tx, &newer).await?;
    Ok(turned)
}
