//! Listing an item: the offer and the pieces of it in one go.
//!
//! The offer, the listing and the ask for stock are one transaction. Inventory answers later: the listing then is
//! `Listed`, or `StockRefused` with a reason, and the offer is simply out of stock.

use std::time::Duration;

use chassis::auth::Viewer;
use chassis::idempotency::Conflict;
use chassis::outbox::{self, about};
use chassis::{Database, Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::{ReceiveStock, StockReceived, StockRefused};
use contract::{ListingId, LocationId, Money, ProductId, SellerId, ShipmentId, UserId, VariantId};
use entity::catalog::listing::{self, RefusedBecause, State};
use entity::catalog::{Condition, Publication, offer, product, variant};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};

use crate::gtin::{self, Wrong};
use crate::input::{Checks, Problem};
use crate::offer as offers;
use crate::seller::{self, Actor, NotSelling};

/// Pieces that come with a listing at most.
pub const QUANTITY_MAX: i64 = 1_000_000;
/// How often to look whether inventory has answered.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// An item to list.
#[derive(Clone, Debug, Serialize)]
pub struct List {
    pub item: Item,
    pub terms: Terms,
    /// Whose it is; None: the viewer's own.
    pub seller: Option<SellerId>,
    pub if_listed: IfListed,
}

/// What is listed.
#[derive(Clone, Debug, Serialize)]
pub enum Item {
    /// A GTIN or an ISBN, as people write it.
    Number(String),
    Variant(VariantId),
    /// The only variant of a product.
    Product(ProductId),
}

/// How it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub condition: Condition,
    pub price: Money,
    /// Pieces that are there; 0: none yet.
    pub quantity: i64,
    /// Where they are. None: where the seller keeps things.
    pub location: Option<LocationId>,
}

/// What to do when the seller has an offer for this variant in this condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IfListed {
    Refuse,
    /// It gets the price, is published, and the pieces are added to its own.
    Update,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListRefusal {
    Invalid(Vec<Problem>),
    NumberWrong(Wrong),
    NotSelling(NotSelling),
    Item(NoItem),
    AlreadyListed(AlreadyListed),
    IdempotencyConflict,
}

/// Why there is nothing to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoItem {
    NotFound,
    /// The product has several variants.
    ChooseVariant(Vec<VariantId>),
    /// Buyers do not see the product, which is the viewer's own.
    ProductNotPublished,
}

/// The seller's offer that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlreadyListed(pub Box<offer::Model>);

impl From<Conflict> for ListRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Offers an item to buyers and asks inventory to take its pieces in.
pub async fn list(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    command: List,
) -> Outcome<ListingId, ListRefusal> {
    let mut checks = Checks::default();
    check(&mut checks, &command.terms);
    if let Err(problems) = checks.done() {
        return Ok(Err(ListRefusal::Invalid(problems)));
    }
    let (actor, seller) = match seller::selling(tx, viewer, command.seller).await? {
        Ok(selling) => selling,
        Err(not) => return Ok(Err(ListRefusal::NotSelling(not))),
    };
    let item = match command.item {
        Item::Number(text) => match gtin::read(&text) {
            Ok(number) => by_number(tx, &number).await?.ok_or(NoItem::NotFound),
            Err(wrong) => return Ok(Err(ListRefusal::NumberWrong(wrong))),
        },
        Item::Variant(id) => by_id(tx, id).await?.ok_or(NoItem::NotFound),
        Item::Product(id) => only_variant(tx, id).await?,
    };
    let variant = match item {
        Ok(variant) => may_list(tx, actor, variant).await?,
        Err(none) => Err(none),
    };
    let variant = match variant {
        Ok(variant) => variant,
        Err(none) => return Ok(Err(ListRefusal::Item(none))),
    };
    let offered = offer(tx, now, &variant, seller, command.terms, command.if_listed).await?;
    let offer = match offered {
        Ok(offer) => offer,
        Err(there) => return Ok(Err(ListRefusal::AlreadyListed(there))),
    };
    stock(tx, now, viewer.user, &offer, command.terms, ShipmentId::new()).await.map(Ok)
}

/// Notes what is wrong with the terms of a listing.
pub(crate) fn check(checks: &mut Checks, terms: &Terms) {
    offers::check_price(checks, terms.price);
    let fits = (0..=QUANTITY_MAX).contains(&terms.quantity);
    checks.expect(fits, "quantity", format!("must be 0 to {QUANTITY_MAX}"));
}

/// The variant with these 13 digits, or what it was merged into.
pub(crate) async fn by_number(
    db: &impl ConnectionTrait,
    number: &str,
) -> Result<Option<variant::Model>, Failure> {
    let found = variant::Entity::find().filter(variant::Column::Gtin.eq(number)).one(db).await?;
    surviving(db, found).await
}

async fn by_id(db: &impl ConnectionTrait, id: VariantId) -> Result<Option<variant::Model>, Failure> {
    surviving(db, variant::Entity::find_by_id(id).one(db).await?).await
}

async fn surviving(
    db: &impl ConnectionTrait,
    found: Option<variant::Model>,
) -> Result<Option<variant::Model>, Failure> {
    match found.as_ref().and_then(|variant| variant.merged_into) {
        Some(survivor) => Ok(variant::Entity::find_by_id(survivor).one(db).await?),
        None => Ok(found),
    }
}

async fn only_variant(tx: &Tx, id: ProductId) -> Result<Result<variant::Model, NoItem>, Failure> {
    let product = product::Entity::find_by_id(id).one(tx).await?;
    let id = product.and_then(|product| product.merged_into).unwrap_or(id);
    let mut variants = variant::Entity::find()
        .filter(variant::Column::ProductId.eq(id))
        .filter(variant::Column::MergedInto.is_null())
        .order_by_asc(variant::Column::Position)
        .order_by_asc(variant::Column::Id)
        .all(tx)
        .await?;
    Ok(match variants.len() {
        0 => Err(NoItem::NotFound),
        1 => Ok(variants.remove(0)),
        _ => Err(NoItem::ChooseVariant(variants.into_iter().map(|variant| variant.id).collect())),
    })
}

/// The variant, if buyers see its product. What is hidden from `actor` is not there.
async fn may_list(
    tx: &Tx,
    actor: Actor,
    variant: variant::Model,
) -> Result<Result<variant::Model, NoItem>, Failure> {
    let product = product::Entity::find_by_id(variant.product_id).one(tx).await?;
    let product = product.ok_or_else(|| Failure::msg("a variant without its product"))?;
    Ok(match product.publication {
        Publication::Published => Ok(variant),
        _ if actor.may_change(product.seller_id) => Err(NoItem::ProductNotPublished),
        _ => Err(NoItem::NotFound),
    })
}

/// The published offer of `seller` for `variant`: a new one, or the one that is there.
pub(crate) async fn offer(
    tx: &Tx,
    now: DateTime<Utc>,
    variant: &variant::Model,
    seller: SellerId,
    terms: Terms,
    if_listed: IfListed,
) -> Outcome<offer::Model, AlreadyListed> {
    let mut offer = offers::draft(now, variant, seller, terms.condition, terms.price);
    offer.publication = Publication::Published;
    let there = match offers::insert(tx, now, &offer).await? {
        None => return Ok(Ok(offer)),
        Some(there) => there,
    };
    if if_listed == IfListed::Refuse {
        return Ok(Err(AlreadyListed(Box::new(there))));
    }
    if there.price() == terms.price && there.publication == Publication::Published {
        return Ok(Ok(there));
    }
    let offer = offer::Model {
        price_minor: terms.price.amount_minor,
        currency: terms.price.currency.to_string(),
        publication: Publication::Published,
        ..there.clone()
    };
    offers::store(tx, now, &there, offer).await.map(Ok)
}

/// Writes the listing, and asks inventory for its pieces if there are any. `shipment` names their arrival: asking twice
/// with the same one receives once.
pub(crate) async fn stock(
    tx: &Tx,
    now: DateTime<Utc>,
    listed_by: UserId,
    offer: &offer::Model,
    terms: Terms,
    shipment: ShipmentId,
) -> Result<ListingId, Failure> {
    let row = row(now, listed_by, offer, terms, shipment);
    let id = row.id;
    if let Some(ask) = ask(&row) {
        outbox::say(tx, now, about("offer", offer.id, offer.version), ask).await?;
    }
    listing::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(id)
}

pub(crate) fn row(
    now: DateTime<Utc>,
    listed_by: UserId,
    offer: &offer::Model,
    terms: Terms,
    shipment: ShipmentId,
) -> listing::Model {
    let (shipment_id, state) = match terms.quantity {
        0 => (None, State::Listed),
        _ => (Some(shipment), State::Stocking),
    };
    listing::Model {
        id: ListingId::new(),
        seller_id: offer.seller_id,
        offer_id: offer.id,
        quantity: terms.quantity,
        location_id: terms.location,
        shipment_id,
        state,
        refused_because: None,
        listed_by,
        created_at: now,
        updated_at: now,
    }
}

/// What a listing asks of inventory. None: it brings no pieces.
pub(crate) fn ask(row: &listing::Model) -> Option<ReceiveStock> {
    Some(ReceiveStock {
        shipment_id: row.shipment_id?,
        offer_id: row.offer_id,
        seller_id: row.seller_id,
        location_id: row.location_id,
        quantity: row.quantity,
        asked_by: row.listed_by,
    })
}

/// The pieces of these listings are on their shelves.
pub(crate) async fn received(tx: &Tx, now: DateTime<Utc>, said: Vec<&StockReceived>) -> Result<(), Failure> {
    let shipments = said.into_iter().map(|said| said.shipment_id).collect();
    settle(tx, now, shipments, State::Listed, None).await
}

/// There are no pieces of this listing.
pub(crate) async fn refused(tx: &Tx, now: DateTime<Utc>, said: &StockRefused) -> Result<(), Failure> {
    let because = RefusedBecause::from(said.because);
    settle(tx, now, vec![said.shipment_id], State::StockRefused, Some(because)).await
}

async fn settle(
    tx: &Tx,
    now: DateTime<Utc>,
    shipments: Vec<ShipmentId>,
    state: State,
    because: Option<RefusedBecause>,
) -> Result<(), Failure> {
    if shipments.is_empty() {
        return Ok(());
    }
    listing::Entity::update_many()
        .col_expr(listing::Column::State, Expr::val(state))
        .col_expr(listing::Column::RefusedBecause, Expr::val(because))
        .col_expr(listing::Column::UpdatedAt, Expr::val(now))
        .filter(listing::Column::ShipmentId.is_in(shipments))
        .filter(listing::Column::State.eq(State::Stocking))
        .exec(tx)
        .await?;
    Ok(())
}

/// The listing as soon as inventory has answered, or as it is after `timeout`. Call it outside a transaction.
pub async fn settled(db: &Database, id: ListingId, timeout: Duration) -> Result<listing::Model, Failure> {
    let find = async || {
        let row = listing::Entity::find_by_id(id).one(db.read()).await?;
        row.ok_or_else(|| Failure::msg("a listing that was just written is not there"))
    };
    let waiting = async {
        loop {
            match find().await? {
                row if row.state == State::Stocking => tokio::time::sleep(LOOK_EVERY).await,
                row => return Ok(row),
            }
        }
    };
    match tokio::time::timeout(timeout, waiting).await {
        Ok(row) => row,
        Err(_) => find().await,
    }
}
