//! Merging products: two turned out to be one. Variants of the first become variants of the second, offers move along,
//! and with them their stock; what asks for the old ids is led to the new ones.

use std::collections::{HashMap, HashSet};

use chassis::auth::Viewer;
use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::event::catalog::{ProductMerged, VariantMerged};
use contract::event::inventory::MoveStock;
use contract::{ProductId, VariantId};
use entity::catalog::{Publication, offer, product, variant};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use crate::input::{Checks, Problem};
use crate::proposal::{self, REASON_LENGTH_MAX};
use crate::variant::VARIANTS_MAX;
use crate::{offer as offers, product as products, variant as variants};

/// A product to merge into another one.
#[derive(Clone, Debug)]
pub struct Merge {
    pub product: ProductId,
    pub expected_version: i64,
    pub into: ProductId,
    /// Which variants are which. One that is not here is the one of the same size and edition, or moves as it is.
    pub variants: Vec<VariantMerged>,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeRefusal {
    Invalid(Vec<Problem>),
    NotFound,
    Stale {
        current_version: i64,
    },
    /// There is no such published product, or it is the same one.
    SurvivorNotFound,
    /// A pair names a variant of another product, or one twice.
    VariantNotFound {
        index: usize,
    },
    TooManyVariants,
}

/// Makes `product` another one.
pub async fn merge(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    command: Merge,
) -> Outcome<product::Model, MergeRefusal> {
    let mut checks = Checks::default();
    let reason = checks.line("reason", &command.reason, REASON_LENGTH_MAX);
    let pairs = checks.list("variants", command.variants, VARIANTS_MAX as usize);
    if let Err(problems) = checks.done() {
        return Ok(Err(MergeRefusal::Invalid(problems)));
    }
    let (product, survivor) = match lock(tx, command.product, command.into).await? {
        (None, _) => return Ok(Err(MergeRefusal::NotFound)),
        (Some(product), _) if product.version != command.expected_version => {
            return Ok(Err(MergeRefusal::Stale { current_version: product.version }));
        }
        (Some(product), Some(survivor)) if survivor.publication == Publication::Published => {
            (product, survivor)
        }
        _ => return Ok(Err(MergeRefusal::SurvivorNotFound)),
    };
    let (ours, theirs) = (variants_of(tx, product.id).await?, variants_of(tx, survivor.id).await?);
    let fates = match fates(&ours, &theirs, &pairs) {
        Ok(fates) => fates,
        Err(index) => return Ok(Err(MergeRefusal::VariantNotFound { index })),
    };
    // All at once and before anything else is written: whoever lists one of them now waits for nothing of ours.
    lock_offers(tx, product.id).await?;
    let moving = ours.len() - fates.len();
    if theirs.len() + moving > VARIANTS_MAX as usize {
        return Ok(Err(MergeRefusal::TooManyVariants));
    }
    let mut last = theirs.iter().map(|variant| variant.position).max().unwrap_or(-1);
    for variant in ours {
        match fates.get(&variant.id).and_then(|into| theirs.iter().find(|other| other.id == *into)) {
            Some(into) => become_other(tx, now, viewer, variant, into.id).await?,
            None => {
                last += 1;
                move_over(tx, now, variant, &survivor, &theirs, last).await?;
            }
        }
    }
    let survivor = end(tx, now, product.clone(), survivor).await?;
    let into = |id: VariantId| fates.get(&id).copied().unwrap_or(id);
    proposal::merged(tx, now, viewer, product.id, into, &reason).await?;
    tell(tx, now, viewer, &product, &survivor, &fates, &reason).await?;
    Ok(Ok(survivor))
}

/// Both products, locked in the order of their ids.
async fn lock(
    tx: &Tx,
    product: ProductId,
    into: ProductId,
) -> Result<(Option<product::Model>, Option<product::Model>), Failure> {
    let rows = product::Entity::find()
        .filter(product::Column::Id.is_in([product, into]))
        .filter(product::Column::MergedInto.is_null())
        .order_by_asc(product::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    let find = |id: ProductId| rows.iter().find(|row| row.id == id).cloned();
    Ok((find(product), find(into).filter(|_| product != into)))
}

async fn variants_of(tx: &Tx, product: ProductId) -> Result<Vec<variant::Model>, Failure> {
    let variants = variant::Entity::find()
        .filter(variant::Column::ProductId.eq(product))
        .filter(variant::Column::MergedInto.is_null())
        .order_by_asc(variant::Column::Position)
        .order_by_asc(variant::Column::Id);
    Ok(variants.all(tx).await?)
}

async fn lock_offers(tx: &Tx, product: ProductId) -> Result<(), Failure> {
    let offers = offer::Entity::find().filter(offer::Column::ProductId.eq(product));
    offers.order_by_asc(offer::Column::Id).lock_exclusive().all(tx).await?;
    Ok(())
}

/// Which of `ours` become which of `theirs`: as the pairs say, else by size and edition. The others move as they are.
fn fates(
    ours: &[variant::Model],
    theirs: &[variant::Model],
    pairs: &[VariantMerged],
) -> Result<HashMap<VariantId, VariantId>, usize> {
    let has = |variants: &[variant::Model], id| variants.iter().any(|variant| variant.id == id);
    let mut fates = HashMap::new();
    for (index, pair) in pairs.iter().enumerate() {
        let known = has(ours, pair.variant_id) && has(theirs, pair.into);
        if !known || fates.insert(pair.variant_id, pair.into).is_some() {
            return Err(index);
        }
    }
    let mut taken: HashSet<VariantId> = fates.values().copied().collect();
    for variant in ours {
        if fates.contains_key(&variant.id) {
            continue;
        }
        if let Some(same) =
            theirs.iter().find(|other| are_alike(variant, other) && !taken.contains(&other.id))
        {
            taken.insert(same.id);
            fates.insert(variant.id, same.id);
        }
    }
    Ok(fates)
}

/// Of one size and edition, and not told apart by their numbers.
fn are_alike(one: &variant::Model, other: &variant::Model) -> bool {
    let plain = |text: &Option<String>| text.as_deref().map(str::to_lowercase);
    let same_number = one.gtin.is_none() || other.gtin.is_none() || one.gtin == other.gtin;
    same_number && plain(&one.size) == plain(&other.size) && plain(&one.edition) == plain(&other.edition)
}

async fn become_other(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    mut variant: variant::Model,
    into: VariantId,
) -> Result<(), Failure> {
    let id = variant.id;
    // Read again: another variant may have become it a moment ago.
    let into = variant::Entity::find_by_id(into).lock_exclusive().one(tx).await?;
    let into = into.ok_or_else(|| Failure::msg("a survivor that is not there"))?;
    // A number that only the old one has goes along; where both have one, the old one still leads to the new variant.
    let number = variant.gtin.take_if(|_| into.gtin.is_none());
    variant.merged_into = Some(into.id);
    variants::store(tx, now, variant).await?;
    if number.is_some() {
        variants::store(tx, now, variant::Model { gtin: number, ..into.clone() }).await?;
    }
    variant::Entity::update_many()
        .col_expr(variant::Column::MergedInto, Expr::val(into.id))
        .filter(variant::Column::MergedInto.eq(id))
        .exec(tx)
        .await?;
    for offer in offers_of(tx, id).await? {
        move_offer(tx, now, viewer, offer, &into).await?;
    }
    Ok(())
}

async fn move_over(
    tx: &Tx,
    now: DateTime<Utc>,
    mut variant: variant::Model,
    survivor: &product::Model,
    theirs: &[variant::Model],
    position: i32,
) -> Result<(), Failure> {
    let taken = theirs.iter().any(|other| other.sku.is_some() && other.sku == variant.sku);
    (variant.product_id, variant.position) = (survivor.id, position);
    variant.sku = variant.sku.filter(|_| !taken);
    let id = variant.id;
    variants::store(tx, now, variant).await?;
    for offer in offers_of(tx, id).await? {
        let moved = offer::Model { product_id: survivor.id, ..offer.clone() };
        offers::store(tx, now, &offer, moved).await?;
    }
    Ok(())
}

async fn offers_of(tx: &Tx, variant: VariantId) -> Result<Vec<offer::Model>, Failure> {
    let offers = offer::Entity::find()
        .filter(offer::Column::VariantId.eq(variant))
        .order_by_asc(offer::Column::Id)
        .lock_exclusive();
    Ok(offers.all(tx).await?)
}

/// The offer is one for `into` now. When its seller has one for that already, this one is archived and its free pieces
/// are sold as the other.
async fn move_offer(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    offer: offer::Model,
    into: &variant::Model,
) -> Result<(), Failure> {
    let other = offer::Entity::find()
        .filter(offer::Column::SellerId.eq(offer.seller_id))
        .filter(offer::Column::VariantId.eq(into.id))
        .filter(offer::Column::Condition.eq(offer.condition))
        .one(tx)
        .await?;
    let Some(other) = other else {
        let moved = offer::Model { product_id: into.product_id, variant_id: into.id, ..offer.clone() };
        return offers::store(tx, now, &offer, moved).await.map(drop);
    };
    let offer = offers::show(tx, now, offer, Publication::Archived).await?;
    let ask = MoveStock { from_offer_id: offer.id, to_offer_id: other.id, asked_by: viewer.user };
    outbox::say(tx, now, about("offer", offer.id, offer.version), ask).await
}

/// Archives the merged product, and leads whoever asks for it to the survivor.
async fn end(
    tx: &Tx,
    now: DateTime<Utc>,
    mut product: product::Model,
    survivor: product::Model,
) -> Result<product::Model, Failure> {
    let id = product.id;
    (product.publication, product.merged_into) = (Publication::Archived, Some(survivor.id));
    products::touch(tx, now, product).await?;
    product::Entity::update_many()
        .col_expr(product::Column::MergedInto, Expr::val(survivor.id))
        .filter(product::Column::MergedInto.eq(id))
        .exec(tx)
        .await?;
    products::touch(tx, now, survivor).await
}

async fn tell(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    product: &product::Model,
    survivor: &product::Model,
    fates: &HashMap<VariantId, VariantId>,
    reason: &str,
) -> Result<(), Failure> {
    let mut variants: Vec<VariantMerged> = fates
        .iter()
        .map(|(variant_id, into)| VariantMerged { variant_id: *variant_id, into: *into })
        .collect();
    variants.sort_unstable_by_key(|pair| pair.variant_id);
    let said = ProductMerged { product_id: product.id, into: survivor.id, variants };
    outbox::say(tx, now, about("product", product.id, product.version + 1), said).await?;
    let details = json!({ "into": survivor.id, "reason": reason });
    audit::record(tx, now, &viewer.user.to_string(), "merge_products", &product.id.to_string(), details).await
}
