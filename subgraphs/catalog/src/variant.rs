//! Variants: the sizes and editions of a product.

use chassis::auth::Viewer;
use chassis::idempotency::Conflict;
use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::event::catalog::VariantChanged;
use contract::{ProductId, VariantId};
use entity::catalog::variant;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;

use crate::input::{Checks, Problem};
use crate::search::{self, Changed};
use crate::{gtin, product, seller, unique};

/// Variants of a product.
pub(crate) const VARIANTS_MAX: u64 = 200;
/// Characters of a size, an edition or a SKU.
const TEXT_LENGTH_MAX: usize = 100;
/// The last place in a product's list.
const POSITION_MAX: i32 = 1_000_000;

/// A new variant.
#[derive(Clone, Debug, Serialize)]
pub struct Add {
    pub product: ProductId,
    pub size: Option<String>,
    pub edition: Option<String>,
    pub sku: Option<String>,
    pub gtin: Option<String>,
    /// None: after the others.
    pub position: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddRefusal {
    Invalid(Vec<Problem>),
    SellerNotVerified,
    ProductNotFound,
    TooManyVariants,
    Taken(Taken),
    IdempotencyConflict,
}

impl From<Conflict> for AddRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// A number that another variant has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Within the product.
    Sku,
    /// In the whole catalog.
    Gtin,
}

impl Taken {
    fn of(error: &DbErr) -> Option<Self> {
        match () {
            () if unique::broken(error, "gtin") => Some(Self::Gtin),
            () if unique::broken(error, "sku") => Some(Self::Sku),
            () => None,
        }
    }
}

/// Adds a size or edition to a product.
pub async fn add(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    command: Add,
) -> Outcome<VariantId, AddRefusal> {
    let mut checks = Checks::default();
    let mut variant = checked(&mut checks, &command);
    if let Err(problems) = checks.done() {
        return Ok(Err(AddRefusal::Invalid(problems)));
    }
    let Some(actor) = seller::acting(tx, viewer).await? else {
        return Ok(Err(AddRefusal::SellerNotVerified));
    };
    // The lock makes the count below true until the commit.
    if product::lock(tx, actor, command.product).await?.is_none() {
        return Ok(Err(AddRefusal::ProductNotFound));
    }
    if product::count_variants(tx, command.product).await? >= VARIANTS_MAX {
        return Ok(Err(AddRefusal::TooManyVariants));
    }
    if command.position.is_none() {
        variant.position = next_position(tx, command.product).await?;
    }
    let inserted = insert(tx, now, &variant).await?;
    Ok(inserted.map(|()| variant.id).map_err(AddRefusal::Taken))
}

/// Writes a new variant and tells of it.
pub(crate) async fn insert(tx: &Tx, now: DateTime<Utc>, variant: &variant::Model) -> Outcome<(), Taken> {
    let inserted = variant::Entity::insert(variant.clone().into_active_model());
    if let Err(error) = inserted.exec_without_returning(tx).await {
        return match Taken::of(&error) {
            Some(taken) => Ok(Err(taken)),
            None => Err(error.into()),
        };
    }
    tell(tx, now, variant).await.map(Ok)
}

/// Writes what became of a variant and tells of it.
pub(crate) async fn store(
    tx: &Tx,
    now: DateTime<Utc>,
    mut variant: variant::Model,
) -> Result<variant::Model, Failure> {
    variant.version += 1;
    let variant = variant.into_active_model().reset_all().update(tx).await?;
    tell(tx, now, &variant).await?;
    Ok(variant)
}

/// What `command` adds, as far as it is right.
pub(crate) fn checked(checks: &mut Checks, command: &Add) -> variant::Model {
    let variant = variant::Model {
        id: VariantId::new(),
        product_id: command.product,
        size: checks.line_or_none("size", command.size.as_deref(), TEXT_LENGTH_MAX),
        edition: checks.line_or_none("edition", command.edition.as_deref(), TEXT_LENGTH_MAX),
        sku: checks.line_or_none("sku", command.sku.as_deref(), TEXT_LENGTH_MAX),
        gtin: number(checks, command.gtin.as_deref()),
        position: command.position.unwrap_or(0),
        merged_into: None,
        version: 1,
    };
    check_position(checks, &variant);
    variant
}

/// The 13 digits of a number, as far as it is right.
fn number(checks: &mut Checks, text: Option<&str>) -> Option<String> {
    gtin::read(text?).map_err(|wrong| checks.wrong("gtin", wrong.to_string())).ok()
}

fn check_position(checks: &mut Checks, variant: &variant::Model) {
    let positions = 0..=POSITION_MAX;
    checks.expect(positions.contains(&variant.position), "position", format!("must be 0 to {POSITION_MAX}"));
}

pub(crate) async fn next_position(tx: &Tx, product: ProductId) -> Result<i32, Failure> {
    let last: Option<i32> = variant::Entity::find()
        .select_only()
        .column(variant::Column::Position)
        .filter(variant::Column::ProductId.eq(product))
        .order_by_desc(variant::Column::Position)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(last.map_or(0, |last| (last + 1).min(POSITION_MAX)))
}

/// What to change; `None` leaves as it is, `Some(None)` clears.
#[derive(Clone, Debug)]
pub struct Change {
    pub id: VariantId,
    pub expected_version: i64,
    pub size: Option<Option<String>>,
    pub edition: Option<Option<String>>,
    pub sku: Option<Option<String>>,
    pub gtin: Option<Option<String>>,
    pub position: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeRefusal {
    Invalid(Vec<Problem>),
    SellerNotVerified,
    NotFound,
    Stale { current_version: i64 },
    Taken(Taken),
}

/// Changes a variant of a product that the viewer may change.
pub async fn change(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    change: Change,
) -> Outcome<variant::Model, ChangeRefusal> {
    let Some(actor) = seller::acting(tx, viewer).await? else {
        return Ok(Err(ChangeRefusal::SellerNotVerified));
    };
    let Some(mut variant) = variant::Entity::find_by_id(change.id).lock_exclusive().one(tx).await? else {
        return Ok(Err(ChangeRefusal::NotFound));
    };
    if product::lock(tx, actor, variant.product_id).await?.is_none() {
        return Ok(Err(ChangeRefusal::NotFound));
    }
    if variant.version != change.expected_version {
        return Ok(Err(ChangeRefusal::Stale { current_version: variant.version }));
    }
    let mut checks = Checks::default();
    apply(&mut checks, &mut variant, change);
    if let Err(problems) = checks.done() {
        return Ok(Err(ChangeRefusal::Invalid(problems)));
    }
    let variant = match variant.into_active_model().reset_all().update(tx).await {
        Ok(variant) => variant,
        Err(error) => match Taken::of(&error) {
            Some(taken) => return Ok(Err(ChangeRefusal::Taken(taken))),
            None => return Err(error.into()),
        },
    };
    tell(tx, now, &variant).await?;
    Ok(Ok(variant))
}

fn apply(checks: &mut Checks, variant: &mut variant::Model, change: Change) {
    if let Some(size) = change.size {
        variant.size = checks.line_or_none("size", size.as_deref(), TEXT_LENGTH_MAX);
    }
    if let Some(edition) = change.edition {
        variant.edition = checks.line_or_none("edition", edition.as_deref(), TEXT_LENGTH_MAX);
    }
    if let Some(sku) = change.sku {
        variant.sku = checks.line_or_none("sku", sku.as_deref(), TEXT_LENGTH_MAX);
    }
    if let Some(gtin) = change.gtin {
        variant.gtin = number(checks, gtin.as_deref());
    }
    if let Some(position) = change.position {
        variant.position = position;
    }
    variant.version += 1;
    check_position(checks, variant);
}

async fn tell(tx: &Tx, now: DateTime<Utc>, variant: &variant::Model) -> Result<(), Failure> {
    outbox::say(tx, now, about("variant", variant.id, variant.version), changed(variant)).await?;
    search::note(tx, now, Changed::Products(&[variant.product_id])).await
}

/// What others hear of a variant.
pub(crate) fn changed(variant: &variant::Model) -> VariantChanged {
    VariantChanged {
        variant_id: variant.id,
        product_id: variant.product_id,
        sku: variant.sku.clone(),
        gtin: variant.gtin.clone(),
    }
}
