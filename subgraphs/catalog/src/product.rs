//! Products: created as drafts, changed by whoever created them, published and archived.

use chassis::auth::{Role, Viewer};
use chassis::idempotency::Conflict;
use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::ProductId;
use contract::event::catalog::ProductChanged;
use entity::catalog::{Publication, product, variant};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
    QueryTrait,
};
use serde::Serialize;

use crate::input::{Checks, Problem};
use crate::search::{self, Changed};
use crate::seller::{self, Actor};
use crate::{handle, proposal, publication, similar, unique};

/// Characters of a title.
pub(crate) const TITLE_LENGTH_MAX: usize = 300;
/// Characters of a brand or a model.
pub(crate) const NAME_LENGTH_MAX: usize = 200;
/// Characters of a description.
pub(crate) const DESCRIPTION_LENGTH_MAX: usize = 20_000;

/// A new product.
#[derive(Clone, Debug, Serialize)]
pub struct Create {
    pub title: String,
    pub brand: Option<String>,
    pub model: Option<String>,
    pub description: String,
    /// None: made from the title.
    pub handle: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateRefusal {
    Invalid(Vec<Problem>),
    SellerNotVerified,
    HandleTaken,
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
) -> Outcome<ProductId, CreateRefusal> {
    let mut checks = Checks::default();
    let mut product = draft(&mut checks, now, &command);
    if let Err(problems) = checks.done() {
        return Ok(Err(CreateRefusal::Invalid(problems)));
    }
    let Some(actor) = seller::acting(tx, viewer).await? else {
        return Ok(Err(CreateRefusal::SellerNotVerified));
    };
    product.seller_id = actor.seller();
    let id = product.id;
    if command.handle.is_none() {
        insert_apart(tx, now, product).await?;
    } else if insert(tx, &product).await? {
        tell(tx, now, &product).await?;
    } else {
        return Ok(Err(CreateRefusal::HandleTaken));
    }
    Ok(Ok(id))
}

/// Writes a new product and tells of it; under another handle when its own is taken.
pub(crate) async fn insert_apart(
    tx: &Tx,
    now: DateTime<Utc>,
    mut product: product::Model,
) -> Result<(), Failure> {
    if !insert(tx, &product).await? {
        product.handle = handle::told_apart(&product.handle, product.id.0);
        insert(tx, &product).await?;
    }
    tell(tx, now, &product).await
}

/// What `command` makes, as far as it is right.
pub(crate) fn draft(checks: &mut Checks, now: DateTime<Utc>, command: &Create) -> product::Model {
    let title = checks.line("title", &command.title, TITLE_LENGTH_MAX);
    let brand = checks.line_or_none("brand", command.brand.as_deref(), NAME_LENGTH_MAX);
    let handle = match &command.handle {
        Some(handle) => {
            checks.expect(handle::is_handle(handle), "handle", handle::RULE);
            handle.clone()
        }
        None => handle::of(&title, "product"),
    };
    product::Model {
        id: ProductId::new(),
        handle,
        title_key: title.to_lowercase(),
        match_key: Some(similar::match_key(&title)),
        title,
        brand_key: brand.as_deref().map(str::to_lowercase),
        brand,
        model: checks.line_or_none("model", command.model.as_deref(), NAME_LENGTH_MAX),
        description: checks.paragraphs("description", &command.description, DESCRIPTION_LENGTH_MAX),
        publication: Publication::Draft,
        seller_id: None,
        merged_into: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// False: the handle is taken.
async fn insert(tx: &Tx, product: &product::Model) -> Result<bool, Failure> {
    let inserted = product::Entity::insert(product.clone().into_active_model())
        .on_conflict(OnConflict::column(product::Column::Handle).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(inserted == 1)
}

/// What to change; `None` leaves as it is, `Some(None)` clears.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub title: Option<String>,
    pub brand: Option<Option<String>>,
    pub model: Option<Option<String>>,
    pub description: Option<String>,
    pub handle: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeRefusal {
    Invalid(Vec<Problem>),
    Closed(Closed),
    HandleTaken,
}

/// Changes what a product says about itself.
pub async fn change(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
    change: Change,
) -> Outcome<product::Model, ChangeRefusal> {
    let mut product = match open(tx, viewer, target).await? {
        Ok(product) => product,
        Err(closed) => return Ok(Err(ChangeRefusal::Closed(closed))),
    };
    let mut checks = Checks::default();
    apply(&mut checks, &mut product, change);
    if let Err(problems) = checks.done() {
        return Ok(Err(ChangeRefusal::Invalid(problems)));
    }
    let product = match update(tx, now, product).await {
        Err(error) if unique::broken(&error, "handle") => return Ok(Err(ChangeRefusal::HandleTaken)),
        updated => updated?,
    };
    tell(tx, now, &product).await?;
    Ok(Ok(product))
}

fn apply(checks: &mut Checks, product: &mut product::Model, change: Change) {
    if let Some(title) = change.title {
        product.title = checks.line("title", &title, TITLE_LENGTH_MAX);
        product.title_key = product.title.to_lowercase();
        product.match_key = Some(similar::match_key(&product.title));
    }
    if let Some(brand) = change.brand {
        product.brand = checks.line_or_none("brand", brand.as_deref(), NAME_LENGTH_MAX);
        product.brand_key = product.brand.as_deref().map(str::to_lowercase);
    }
    if let Some(model) = change.model {
        product.model = checks.line_or_none("model", model.as_deref(), NAME_LENGTH_MAX);
    }
    if let Some(description) = change.description {
        product.description = checks.paragraphs("description", &description, DESCRIPTION_LENGTH_MAX);
    }
    if let Some(handle) = change.handle {
        checks.expect(handle::is_handle(&handle), "handle", handle::RULE);
        product.handle = handle;
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishRefusal {
    Closed(Closed),
    AlreadyPublished,
    /// It is proposed, or its proposal was rejected: an admin decides.
    UnderReview,
    /// Nothing can be bought of a product without variants.
    NoVariants,
}

/// Lets buyers see a product.
pub async fn publish(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
) -> Outcome<product::Model, PublishRefusal> {
    let mut product = match open(tx, viewer, target).await? {
        Ok(product) => product,
        Err(closed) => return Ok(Err(PublishRefusal::Closed(closed))),
    };
    let Some(published) = publication::published(product.publication) else {
        return Ok(Err(PublishRefusal::AlreadyPublished));
    };
    if !viewer.is(Role::Admin) && proposal::is_held(tx, product.id).await? {
        return Ok(Err(PublishRefusal::UnderReview));
    }
    if count_variants(tx, product.id).await? == 0 {
        return Ok(Err(PublishRefusal::NoVariants));
    }
    product.publication = published;
    Ok(Ok(touch(tx, now, product).await?))
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveRefusal {
    Closed(Closed),
    AlreadyArchived,
}

/// Hides a product from buyers, and with it what is offered of it.
pub async fn archive(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
) -> Outcome<product::Model, ArchiveRefusal> {
    let mut product = match open(tx, viewer, target).await? {
        Ok(product) => product,
        Err(closed) => return Ok(Err(ArchiveRefusal::Closed(closed))),
    };
    let Some(archived) = publication::archived(product.publication) else {
        return Ok(Err(ArchiveRefusal::AlreadyArchived));
    };
    product.publication = archived;
    Ok(Ok(touch(tx, now, product).await?))
}

pub(crate) async fn count_variants(tx: &Tx, product: ProductId) -> Result<u64, Failure> {
    let variants = variant::Entity::find()
        .filter(variant::Column::ProductId.eq(product))
        .filter(variant::Column::MergedInto.is_null());
    Ok(variants.count(tx).await?)
}

/// The product that is meant, as the caller last saw it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub id: ProductId,
    pub expected_version: i64,
}

/// Why a product cannot be changed, whatever the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    SellerNotVerified,
    NotFound,
    /// Somebody changed it since the caller saw it.
    Stale {
        current_version: i64,
    },
}

/// The product to change, locked until the transaction ends.
pub(crate) async fn open(tx: &Tx, viewer: &Viewer, target: Target) -> Outcome<product::Model, Closed> {
    let Some(actor) = seller::acting(tx, viewer).await? else {
        return Ok(Err(Closed::SellerNotVerified));
    };
    let Some(product) = lock(tx, actor, target.id).await? else {
        return Ok(Err(Closed::NotFound));
    };
    let current_version = product.version;
    if current_version != target.expected_version {
        return Ok(Err(Closed::Stale { current_version }));
    }
    Ok(Ok(product))
}

/// A product that `actor` may change, locked until the transaction ends. One that was merged is not there.
pub(crate) async fn lock(tx: &Tx, actor: Actor, id: ProductId) -> Result<Option<product::Model>, Failure> {
    let product = product::Entity::find_by_id(id)
        .filter(product::Column::MergedInto.is_null())
        .apply_if(actor.seller(), |query, seller| query.filter(product::Column::SellerId.eq(seller)))
        .lock_exclusive();
    Ok(product.one(tx).await?)
}

/// Notes that something about the product changed, in its version and to whoever listens.
pub(crate) async fn touch(
    tx: &Tx,
    now: DateTime<Utc>,
    product: product::Model,
) -> Result<product::Model, Failure> {
    let product = update(tx, now, product).await?;
    tell(tx, now, &product).await?;
    Ok(product)
}

async fn update(
    tx: &Tx,
    now: DateTime<Utc>,
    mut product: product::Model,
) -> Result<product::Model, sea_orm::DbErr> {
    product.version += 1;
    product.updated_at = now;
    product.into_active_model().reset_all().update(tx).await
}

async fn tell(tx: &Tx, now: DateTime<Utc>, product: &product::Model) -> Result<(), Failure> {
    outbox::say(tx, now, about("product", product.id, product.version), changed(product)).await?;
    search::note(tx, now, Changed::Products(&[product.id])).await
}

/// What others hear of a product.
pub(crate) fn changed(product: &product::Model) -> ProductChanged {
    ProductChanged {
        product_id: product.id,
        title: product.title.clone(),
        brand: product.brand.clone(),
        publication: product.publication.into(),
    }
}
