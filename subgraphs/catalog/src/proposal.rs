//! Proposals: goods that the catalog does not know yet. A proposal is a draft product in the admins' queue; approving it
//! publishes the product, and lists it when its seller said how.

use chassis::auth::Viewer;
use chassis::idempotency::Conflict;
use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::{ProductId, ProposalId, SellerId, ShipmentId};
use entity::catalog::proposal::{self, State};
use entity::catalog::{Publication, image as image_row, product, product_attribute, variant};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use serde::Serialize;
use serde_json::json;

use crate::image::NewImage;
use crate::input::{Checks, Problem};
use crate::listing::{self, IfListed, Terms};
use crate::seller::{self, Actor, NotSelling};
use crate::{attribute, image, product as products, similar, variant as variants};

/// Characters of a reason.
pub(crate) const REASON_LENGTH_MAX: usize = 500;

/// A product that somebody wants in the catalog.
#[derive(Clone, Debug, Serialize)]
pub struct Propose {
    pub product: products::Create,
    pub gtin: Option<String>,
    pub size: Option<String>,
    pub edition: Option<String>,
    /// How to list it once it is approved.
    pub terms: Option<Terms>,
    /// Why it is none of the products that it looks like.
    pub new_because: Option<String>,
    /// Whose proposal it is; None: the viewer's own.
    pub seller: Option<SellerId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposeRefusal {
    Invalid(Vec<Problem>),
    NotSelling(NotSelling),
    /// Another variant has the number. The product is there unless the viewer may not see it.
    SameNumber(Vec<product::Model>),
    /// Products that the viewer may see and that this may be; none: one that waits for its own approval.
    LooksLike(Vec<product::Model>),
    IdempotencyConflict,
}

impl From<Conflict> for ProposeRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Puts a product into the admins' queue. `alike` are products whose titles are worth a look, as the search index finds them.
pub async fn propose(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    command: Propose,
    alike: &[ProductId],
) -> Outcome<ProposalId, ProposeRefusal> {
    let mut checks = Checks::default();
    let (product, variant) = drafts(&mut checks, now, &command);
    if let Some(terms) = &command.terms {
        listing::check(checks.within("listing"), terms);
    }
    checks.within("");
    let new_because = checks.line_or_none("newBecause", command.new_because.as_deref(), REASON_LENGTH_MAX);
    if let Err(problems) = checks.done() {
        return Ok(Err(ProposeRefusal::Invalid(problems)));
    }
    let (actor, seller) = match seller::selling(tx, viewer, command.seller).await? {
        Ok(selling) => selling,
        Err(not) => return Ok(Err(ProposeRefusal::NotSelling(not))),
    };
    let looked_at = new_because.is_none().then_some(alike);
    if let Some(refusal) = known(tx, actor, &product, &variant, looked_at).await? {
        return Ok(Err(refusal));
    }
    let product = product::Model { seller_id: Some(seller), ..product };
    products::insert_apart(tx, now, product.clone()).await?;
    // Proposed by two at once: the index says so, and the other's is not there to be shown.
    if variants::insert(tx, now, &variant).await?.is_err() {
        return Ok(Err(ProposeRefusal::SameNumber(vec![])));
    }
    let row = proposal::Model {
        id: ProposalId::new(),
        product_id: product.id,
        variant_id: variant.id,
        seller_id: seller,
        proposed_by: viewer.user,
        state: State::Open,
        new_because,
        terms: command.terms.as_ref().map(serde_json::to_string).transpose()?,
        listing_id: None,
        decision: None,
        decided_by: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let id = row.id;
    proposal::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(Ok(id))
}

fn drafts(checks: &mut Checks, now: DateTime<Utc>, command: &Propose) -> (product::Model, variant::Model) {
    let product = products::draft(checks, now, &command.product);
    let add = variants::Add {
        product: product.id,
        size: command.size.clone(),
        edition: command.edition.clone(),
        sku: None,
        gtin: command.gtin.clone(),
        position: None,
    };
    let variant = variants::checked(checks, &add);
    (product, variant)
}

/// Why the catalog knows it already. Without `alike`, only by its number.
async fn known(
    tx: &Tx,
    actor: Actor,
    product: &product::Model,
    variant: &variant::Model,
    alike: Option<&[ProductId]>,
) -> Result<Option<ProposeRefusal>, Failure> {
    let shown = |product: &product::Model| {
        product.publication == Publication::Published || actor.may_change(product.seller_id)
    };
    if let Some(number) = &variant.gtin
        && let Some(same) = listing::by_number(tx, number).await?
    {
        let products = product::Entity::find_by_id(same.product_id).all(tx).await?;
        return Ok(Some(ProposeRefusal::SameNumber(products.into_iter().filter(shown).collect())));
    }
    let Some(alike) = alike else { return Ok(None) };
    let alike = similar::candidates(tx, &product.title, product.brand.as_deref(), alike).await?;
    let refusal =
        |alike: Vec<product::Model>| ProposeRefusal::LooksLike(alike.into_iter().filter(shown).collect());
    Ok((!alike.is_empty()).then(|| refusal(alike)))
}

/// The proposal that is meant, as the admin last saw it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub id: ProposalId,
    pub expected_version: i64,
}

/// Why a proposal cannot be decided about, whatever the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    NotFound,
    Stale {
        current_version: i64,
    },
    /// Somebody has decided.
    Decided(State),
}

async fn open(tx: &Tx, target: Target) -> Outcome<proposal::Model, Closed> {
    let found = proposal::Entity::find_by_id(target.id).lock_exclusive().one(tx).await?;
    Ok(match found {
        None => Err(Closed::NotFound),
        Some(row) if row.state != State::Open => Err(Closed::Decided(row.state)),
        Some(row) if row.version != target.expected_version => {
            Err(Closed::Stale { current_version: row.version })
        }
        Some(row) => Ok(row),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApproveRefusal {
    Closed(Closed),
    /// The product was archived or merged meanwhile.
    ProductGone,
}

/// Publishes the product, and lists it as its seller wished.
pub async fn approve(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
) -> Outcome<proposal::Model, ApproveRefusal> {
    let mut row = match open(tx, target).await? {
        Ok(row) => row,
        Err(closed) => return Ok(Err(ApproveRefusal::Closed(closed))),
    };
    let Some(mut product) = products::lock(tx, Actor::Admin, row.product_id).await? else {
        return Ok(Err(ApproveRefusal::ProductGone));
    };
    if product.publication == Publication::Archived {
        return Ok(Err(ApproveRefusal::ProductGone));
    }
    product.publication = Publication::Published;
    products::touch(tx, now, product).await?;
    let variant = variant::Entity::find_by_id(row.variant_id).one(tx).await?;
    let variant = variant.ok_or_else(|| Failure::msg("a proposal without its variant"))?;
    list(tx, now, &mut row, &variant).await?;
    decide(tx, now, viewer, row, State::Approved, None).await.map(Ok)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RejectRefusal {
    Invalid(Vec<Problem>),
    Closed(Closed),
}

/// Says no, and why. The draft is archived; its seller cannot publish it.
pub async fn reject(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
    reason: &str,
) -> Outcome<proposal::Model, RejectRefusal> {
    let mut checks = Checks::default();
    let reason = checks.line("reason", reason, REASON_LENGTH_MAX);
    if let Err(problems) = checks.done() {
        return Ok(Err(RejectRefusal::Invalid(problems)));
    }
    let row = match open(tx, target).await? {
        Ok(row) => row,
        Err(closed) => return Ok(Err(RejectRefusal::Closed(closed))),
    };
    if let Some(mut product) = products::lock(tx, Actor::Admin, row.product_id).await? {
        product.publication = Publication::Archived;
        products::touch(tx, now, product).await?;
    }
    decide(tx, now, viewer, row, State::Rejected, Some(reason)).await.map(Ok)
}

/// Ends the open proposal of a product that was merged: its seller offers `survivor` instead.
pub(crate) async fn merged(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    product: ProductId,
    survivor: impl Fn(contract::VariantId) -> contract::VariantId,
    reason: &str,
) -> Result<(), Failure> {
    let of_product = proposal::Column::ProductId.eq(product);
    let open = proposal::Entity::find().filter(of_product).filter(proposal::Column::State.eq(State::Open));
    let Some(mut row) = open.lock_exclusive().one(tx).await? else {
        return Ok(());
    };
    let variant = variant::Entity::find_by_id(survivor(row.variant_id)).one(tx).await?;
    let variant = variant.ok_or_else(|| Failure::msg("a survivor that is not there"))?;
    list(tx, now, &mut row, &variant).await?;
    decide(tx, now, viewer, row, State::Merged, Some(reason.to_owned())).await.map(drop)
}

async fn list(
    tx: &Tx,
    now: DateTime<Utc>,
    row: &mut proposal::Model,
    variant: &variant::Model,
) -> Result<(), Failure> {
    let Some(terms) = &row.terms else {
        return Ok(());
    };
    // The seller may have lost the right to sell since: then the product is there, and nothing is listed.
    if !seller::is_verified(tx, row.seller_id).await? {
        return Ok(());
    }
    let terms: Terms = serde_json::from_str(terms)?;
    let offered = listing::offer(tx, now, variant, row.seller_id, terms, IfListed::Update).await?;
    let offer = offered.map_err(|_| Failure::msg("an update takes the offer that is there"))?;
    let listed = listing::stock(tx, now, row.proposed_by, &offer, terms, ShipmentId::new()).await?;
    row.listing_id = Some(listed);
    Ok(())
}

async fn decide(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    mut row: proposal::Model,
    state: State,
    decision: Option<String>,
) -> Result<proposal::Model, Failure> {
    (row.state, row.decision, row.decided_by) = (state, decision, Some(viewer.user));
    (row.version, row.updated_at) = (row.version + 1, now);
    let row = row.into_active_model().reset_all().update(tx).await?;
    let action = match state {
        State::Approved => "approve_proposal",
        State::Rejected => "reject_proposal",
        State::Merged | State::Open => "merge_proposal",
    };
    let details = json!({ "product": row.product_id, "reason": row.decision });
    audit::record(tx, now, &viewer.user.to_string(), action, &row.id.to_string(), details).await?;
    Ok(row)
}

/// Says these things about the draft of a proposal that was just made, and shows these images of it.
pub(crate) async fn describe(
    tx: &Tx,
    id: ProposalId,
    attributes: Vec<attribute::Named>,
    images: Vec<NewImage>,
) -> Result<(), Failure> {
    let row = proposal::Entity::find_by_id(id).one(tx).await?;
    let product = row.ok_or_else(|| Failure::msg("a proposal that was just made is not there"))?.product_id;
    let attributes = attribute::rows(product, attributes);
    if !attributes.is_empty() {
        product_attribute::Entity::insert_many(attributes).exec_without_returning(tx).await?;
    }
    let images = image::rows(product, images, Default::default());
    if !images.is_empty() {
        image_row::Entity::insert_many(images).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Whether only an admin may publish this product: its proposal was not approved.
pub(crate) async fn is_held(tx: &Tx, product: ProductId) -> Result<bool, Failure> {
    let held = proposal::Entity::find()
        .filter(proposal::Column::ProductId.eq(product))
        .filter(proposal::Column::State.is_in([State::Open, State::Rejected]));
    Ok(held.one(tx).await?.is_some())
}
