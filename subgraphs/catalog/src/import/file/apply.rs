//! Applies rows of a file to the catalog.

use std::collections::{BTreeMap, HashMap, HashSet};

use aws_lc_rs::digest::{SHA256, digest};
use chassis::auth::{Role, Viewer};
use chassis::outbox::{self, about};
use chassis::{Database, Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{Event, OfferId, ProductId, SellerId, SessionId, ShipmentId, UserId, VariantId};
use entity::catalog::{Publication, listing as listing_row, offer, product, variant};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::known::{self, About, Known};
use super::records::Record;
use super::row::Row;
use super::{Code, Problem};
use crate::import::{NewListing, NewOffer, write};
use crate::input::Checks;
use crate::listing::{self, Terms};
use crate::offer::{self as offers, many};
use crate::proposal::{self, Propose, ProposeRefusal};
use crate::search::Search;
use crate::{attribute, image, product as products, seller, variant as variants};

/// Whose goods a file brings, and what it may do.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Who offers them. None: nobody; rows with a price are refused.
    pub seller: Option<SellerId>,
    /// In whose name their stock arrives and their proposals are made.
    pub user: UserId,
    /// Whether goods that the catalog does not have are created; else they are proposed.
    pub creates: bool,
    /// Names the file: its stock arrives once, however often it is imported.
    pub file_hash: String,
}

/// What came of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub products: i64,
    pub proposals: i64,
    pub offers_new: i64,
    pub offers_changed: i64,
    /// Rows of which nothing was new.
    pub unchanged: i64,
    pub problems: Vec<Problem>,
}

impl Applied {
    /// Rows that have a problem.
    pub fn refused(&self) -> i64 {
        self.problems.iter().map(|problem| problem.line).collect::<HashSet<_>>().len() as i64
    }
}

/// By the line of a row, products whose titles are worth a look before it is proposed.
pub(super) type Alike = HashMap<u64, Vec<ProductId>>;

/// An offer that is there now, and the row that says so.
type Offered = (offer::Model, Terms, u64);

/// Applies `records`. What is wrong with one is told, and the others are applied.
pub(super) async fn apply(
    tx: &Tx,
    now: DateTime<Utc>,
    scope: &Scope,
    records: &[Record],
    alike: &Alike,
) -> Result<Applied, Failure> {
    let mut applied = Applied::default();
    let rows = understood(tx, scope, records, &mut applied).await?;
    let known = Known::find(tx, &rows).await?;
    let (mut of_variants, mut new): (Vec<(Row, variant::Model)>, Vec<Row>) = (vec![], vec![]);
    for row in rows {
        match known.about(&row) {
            About::Variant(variant) => {
                let variant = variant.clone();
                of_variants.push((row, variant));
            }
            _ if row.title.is_none() => {
                let message = "the catalog has no such item, and the row has no title to make it from";
                applied.problems.push(row.problem("gtin", Code::InvalidValue, message));
            }
            About::Product(product) if scope.creates => match add_variant(tx, now, product, &row).await? {
                Ok(variant) => of_variants.push((row, variant)),
                Err(problem) => applied.problems.push(problem),
            },
            About::Product(_) | About::Nothing => new.push(row),
        }
    }
    let mut offered = offer_known(tx, now, scope, of_variants, &mut applied).await?;
    match scope.creates {
        true => offered.extend(create(tx, now, scope, new, &mut applied).await?),
        false => propose(tx, now, scope, new, alike, &mut applied).await?,
    }
    stock(tx, now, scope, offered).await?;
    applied.problems.sort_by_key(|problem| problem.line);
    Ok(applied)
}

/// Looks for products that rows may mean which would be proposed. Before the transaction: it takes its time.
pub(super) async fn look_for_alike(
    db: &Database,
    search: &Search,
    records: &[Record],
) -> Result<Alike, Failure> {
    let rows: Vec<Row> = records.iter().filter_map(|record| Row::read(record).ok()).collect();
    let known = Known::find(db.read(), &rows).await?;
    let mut alike = HashMap::new();
    for row in rows.iter().filter(|row| !matches!(known.about(row), About::Variant(_))) {
        if let Some(title) = &row.title {
            alike.insert(row.line, search.alike(title.clone()).await?);
        }
    }
    Ok(alike)
}

/// The rows that can be understood.
async fn understood(
    tx: &Tx,
    scope: &Scope,
    records: &[Record],
    applied: &mut Applied,
) -> Result<Vec<Row>, Failure> {
    let verified = match scope.seller {
        Some(seller) => seller::is_verified(tx, seller).await?,
        None => true,
    };
    let (mut rows, mut problems) = (vec![], vec![]);
    for record in records {
        match Row::read(record) {
            Ok(row) => rows.push(row),
            Err(wrong) => problems.extend(wrong),
        }
    }
    let names: HashSet<String> = rows.iter().flat_map(Row::attribute_names).cloned().collect();
    let defined = attribute::definitions(tx, names).await?;
    rows.retain_mut(|row| match check(scope, verified, row, &defined) {
        Ok(()) => true,
        Err(wrong) => {
            problems.extend(wrong);
            false
        }
    });
    applied.problems.extend(problems);
    Ok(rows)
}

fn check(
    scope: &Scope,
    verified: bool,
    row: &mut Row,
    defined: &HashMap<String, entity::catalog::attribute::Model>,
) -> Result<(), Vec<Problem>> {
    if !verified {
        let message = "the shop is not verified: it may not sell now";
        return Err(vec![Problem::of_line(row.line, Code::SellerNotVerified, message)]);
    }
    if !scope.creates
        && let Some(unknown) = row.attribute_names().find(|name| !defined.contains_key(*name))
    {
        let message = "is no attribute of this marketplace: leave the column out, or ask an administrator";
        return Err(vec![row.problem(&unknown.clone(), Code::InvalidValue, message)]);
    }
    row.type_attributes(defined)?;
    if row.terms.is_some() && scope.seller.is_none() {
        let message = "nobody offers it: name the seller of the file";
        return Err(vec![row.problem("price", Code::InvalidValue, message)]);
    }
    let mut checks = Checks::default();
    if let Some(terms) = &row.terms {
        listing::check(&mut checks, terms);
    }
    if !scope.creates {
        image::checked(&mut checks, row.listing.images.clone());
        attribute::checked(&mut checks, row.listing.attributes.clone());
        if let Some(index) = attribute::unfit(defined, &row.listing.attributes).map(|unfit| unfit.index()) {
            checks
                .within(&format!("attributes.{index}"))
                .wrong("value", "is none of the attribute's options");
        }
    }
    checks.done().map_err(|wrong| wrong.into_iter().map(|wrong| row.refused(wrong)).collect())
}

/// Another size or edition of a product that is there.
async fn add_variant(
    tx: &Tx,
    now: DateTime<Utc>,
    product: &product::Model,
    row: &Row,
) -> Result<Result<variant::Model, Problem>, Failure> {
    if row.title.as_ref().is_some_and(|title| title.to_lowercase() != product.title_key) {
        return Ok(Err(row.problem("handle", Code::Taken, "belongs to a product with another title")));
    }
    let new = &row.listing.variants[0];
    let mut checks = Checks::default();
    let add = variants::Add {
        product: product.id,
        size: new.size.clone(),
        edition: new.edition.clone(),
        sku: new.sku.clone(),
        gtin: new.gtin.clone(),
        position: None,
    };
    let mut variant = variants::checked(&mut checks, &add);
    if let Err(mut wrong) = checks.done() {
        return Ok(Err(row.refused(wrong.remove(0))));
    }
    if products::count_variants(tx, product.id).await? >= variants::VARIANTS_MAX {
        return Ok(Err(row.problem("size", Code::InvalidValue, "a product has at most 200 variants")));
    }
    let sku = variant::Entity::find()
        .filter(variant::Column::ProductId.eq(product.id))
        .filter(variant::Column::Sku.eq(variant.sku.clone()));
    if variant.sku.is_some() && sku.one(tx).await?.is_some() {
        return Ok(Err(row.problem("sku", Code::Taken, "belongs to another variant of the product")));
    }
    variant.position = variants::next_position(tx, product.id).await?;
    match variants::insert(tx, now, &variant).await? {
        Ok(()) => Ok(Ok(variant)),
        // Somebody was faster; on PostgreSQL the transaction is over, and the batch comes again.
        Err(taken) => Err(Failure::msg(format!("line {}: {taken:?} was taken a moment ago", row.line))),
    }
}

/// Offers variants that are there.
async fn offer_known(
    tx: &Tx,
    now: DateTime<Utc>,
    scope: &Scope,
    rows: Vec<(Row, variant::Model)>,
    applied: &mut Applied,
) -> Result<Vec<Offered>, Failure> {
    let Some(seller) = scope.seller else {
        applied.unchanged += rows.len() as i64;
        return Ok(vec![]);
    };
    let there = known::offers(tx, seller, rows.iter().map(|(_, variant)| variant.id)).await?;
    let hidden = hidden(tx, rows.iter().map(|(_, variant)| variant)).await?;
    let (mut same, mut changed, mut new) = (vec![], vec![], vec![]);
    for (row, variant) in rows {
        let Some(terms) = row.terms else {
            applied.unchanged += 1;
            continue;
        };
        if hidden.contains(&variant.id) {
            let message = "buyers do not see the product: it waits for approval, or was archived";
            applied.problems.push(row.problem("gtin", Code::Taken, message));
            continue;
        }
        match there.get(&(variant.id, terms.condition)) {
            Some(offer) if many::is_shown_at(offer, terms.price) => {
                same.push((offer.clone(), terms, row.line))
            }
            Some(offer) => changed.push((offer.clone(), terms, row.line)),
            None => {
                let mut offer = offers::draft(now, &variant, seller, terms.condition, terms.price);
                offer.publication = Publication::Published;
                new.push((offer, terms, row.line));
            }
        }
    }
    applied.unchanged += same.len() as i64;
    applied.offers_changed += changed.len() as i64;
    applied.offers_new += new.len() as i64;
    let mut offered = same;
    offered.extend(change_offers(tx, now, changed).await?);
    offered.extend(add_offers(tx, now, seller, new).await?);
    Ok(offered)
}

/// Gives offers that are there, and locked, their new prices, and shows them.
async fn change_offers(tx: &Tx, now: DateTime<Utc>, rows: Vec<Offered>) -> Result<Vec<Offered>, Failure> {
    let of_rows: HashMap<OfferId, (Terms, u64)> =
        rows.iter().map(|(offer, terms, line)| (offer.id, (*terms, *line))).collect();
    let repriced = rows.iter().filter(|(offer, terms, _)| offer.price() != terms.price);
    let repriced = repriced.map(|(offer, ..)| offer.id).collect();
    let offers = rows.into_iter().map(|(offer, terms, _)| offer::Model {
        price_minor: terms.price.amount_minor,
        currency: terms.price.currency.to_string(),
        publication: Publication::Published,
        ..offer
    });
    let stored = many::store(tx, now, offers.collect(), &repriced).await?;
    let row = |offer: offer::Model| of_rows.get(&offer.id).map(|(terms, line)| (offer, *terms, *line));
    Ok(stored.into_iter().filter_map(row).collect())
}

/// Makes offers. One that its seller made a moment ago is changed instead.
async fn add_offers(
    tx: &Tx,
    now: DateTime<Utc>,
    seller: SellerId,
    rows: Vec<Offered>,
) -> Result<Vec<Offered>, Failure> {
    let offers: Vec<offer::Model> = rows.iter().map(|(offer, ..)| offer.clone()).collect();
    let written = many::insert(tx, now, &offers).await?;
    let (mut made, late): (Vec<Offered>, Vec<Offered>) =
        rows.into_iter().partition(|(offer, ..)| written.contains(&offer.id));
    if !late.is_empty() {
        let there = known::offers(tx, seller, late.iter().map(|(offer, ..)| offer.variant_id)).await?;
        let same = late.into_iter().filter_map(|(offer, terms, line)| {
            Some((there.get(&(offer.variant_id, offer.condition))?.clone(), terms, line))
        });
        made.extend(change_offers(tx, now, same.collect()).await?);
    }
    Ok(made)
}

/// Variants of products that buyers do not see.
async fn hidden(
    tx: &Tx,
    variants: impl Iterator<Item = &variant::Model>,
) -> Result<HashSet<VariantId>, Failure> {
    let of_product: HashMap<VariantId, _> =
        variants.map(|variant| (variant.id, variant.product_id)).collect();
    let products = product::Entity::find()
        .filter(product::Column::Id.is_in(of_product.values().copied()))
        .filter(product::Column::Publication.ne(Publication::Published));
    let hidden: HashSet<_> = products.all(tx).await?.into_iter().map(|product| product.id).collect();
    Ok(of_product.into_iter().filter(|(_, product)| hidden.contains(product)).map(|(id, _)| id).collect())
}

/// Creates products, with all their rows' variants and offers, by few statements.
async fn create(
    tx: &Tx,
    now: DateTime<Utc>,
    scope: &Scope,
    rows: Vec<Row>,
    applied: &mut Applied,
) -> Result<Vec<Offered>, Failure> {
    let mut by_handle: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        by_handle.entry(row.listing.handle.clone()).or_default().push(row);
    }
    let listings: Vec<NewListing> = by_handle.values().map(|rows| together(scope, rows)).collect();
    let (loaded, written) = write::batch(tx, now, &listings).await?;
    applied.products += loaded.products as i64;
    applied.offers_new += written.offers.len() as i64;
    for refused in loaded.refused {
        let rows = by_handle.remove(&refused.handle).unwrap_or_default();
        for row in &rows {
            let wrong = refused.problems.iter().map(|wrong| row.refused(wrong.clone()));
            applied.problems.extend(wrong.map(|problem| of_others(problem, &row.number)));
        }
    }
    Ok(offers_of(&by_handle, written))
}

/// A number that is another variant's is no bad number.
fn of_others(problem: Problem, number: &Option<String>) -> Problem {
    match problem.field.as_deref() == Some("gtin") && number.is_some() {
        true => Problem { code: Code::Taken, ..problem },
        false => problem,
    }
}

/// One product of all rows that name it; the first one says what it is.
fn together(scope: &Scope, rows: &[Row]) -> NewListing {
    let mut listing = rows[0].listing.clone();
    listing.variants = rows.iter().map(|row| row.listing.variants[0].clone()).collect();
    for (variant, row) in listing.variants.iter_mut().zip(rows) {
        let offer = scope.seller.zip(row.terms);
        variant.offers = offer
            .map(|(seller, terms)| NewOffer { seller, condition: terms.condition, price: terms.price })
            .into_iter()
            .collect();
    }
    listing
}

fn offers_of(by_handle: &BTreeMap<String, Vec<Row>>, written: write::Written) -> Vec<Offered> {
    let handles: HashMap<_, _> =
        written.products.into_iter().map(|product| (product.id, product.handle)).collect();
    let rows: HashMap<VariantId, &Row> = written
        .variants
        .iter()
        .filter_map(|variant| {
            let rows = by_handle.get(handles.get(&variant.product_id)?)?;
            Some((variant.id, rows.get(usize::try_from(variant.position).ok()?)?))
        })
        .collect();
    let offers = written.offers.into_iter();
    offers
        .filter_map(|offer| {
            let row = rows.get(&offer.variant_id)?;
            Some((offer, row.terms?, row.line))
        })
        .collect()
}

/// Proposes products, one by one.
async fn propose(
    tx: &Tx,
    now: DateTime<Utc>,
    scope: &Scope,
    rows: Vec<Row>,
    alike: &Alike,
    applied: &mut Applied,
) -> Result<(), Failure> {
    let viewer =
        Viewer { user: scope.user, session: SessionId::new(), roles: vec![Role::Seller], expires_at: now };
    for row in rows {
        let new = &row.listing.variants[0];
        let command = Propose {
            product: products::Create {
                title: row.listing.title.clone(),
                brand: row.listing.brand.clone(),
                model: row.listing.model.clone(),
                description: row.listing.description.clone(),
                handle: None,
            },
            gtin: new.gtin.clone(),
            size: new.size.clone(),
            edition: new.edition.clone(),
            terms: row.terms,
            new_because: None,
            seller: scope.seller,
        };
        let alike = alike.get(&row.line).map(Vec::as_slice).unwrap_or_default();
        match proposal::propose(tx, now, &viewer, command, alike).await? {
            Ok(id) => {
                proposal::describe(tx, id, row.listing.attributes.clone(), row.listing.images.clone())
                    .await?;
                applied.proposals += 1;
            }
            Err(refusal) => applied.problems.extend(not_proposed(&row, refusal)?),
        }
    }
    Ok(())
}

fn not_proposed(row: &Row, refusal: ProposeRefusal) -> Result<Vec<Problem>, Failure> {
    use ProposeRefusal as Refusal;
    Ok(match refusal {
        Refusal::Invalid(wrong) => wrong.into_iter().map(|wrong| row.refused(wrong)).collect(),
        Refusal::NotSelling(_) => {
            vec![Problem::of_line(row.line, Code::SellerNotVerified, "the shop may not sell now")]
        }
        // The known ones were looked up: somebody was faster, and the batch comes again.
        Refusal::SameNumber(_) => return Err(Failure::msg("a number was taken a moment ago")),
        Refusal::LooksLike(alike) => {
            let handles: Vec<String> = alike.into_iter().map(|product| product.handle).collect();
            let message = match handles.is_empty() {
                true => "is proposed already, it seems".to_owned(),
                false => format!("the catalog has this, it seems: {}", handles.join(", ")),
            };
            vec![row.problem("title", Code::LooksLike, message)]
        }
        Refusal::IdempotencyConflict => return Err(Failure::msg("an import uses no keys")),
    })
}

/// Asks for the stock of offers, once for each line of a file.
async fn stock(tx: &Tx, now: DateTime<Utc>, scope: &Scope, offered: Vec<Offered>) -> Result<(), Failure> {
    let stocked = offered.into_iter().filter(|(_, terms, _)| terms.quantity > 0);
    let mut listings: Vec<(listing_row::Model, i64)> = stocked
        .map(|(offer, terms, line)| {
            (listing::row(now, scope.user, &offer, terms, shipment(scope, line)), offer.version)
        })
        .collect();
    let arrived = listing_row::Entity::find()
        .filter(listing_row::Column::ShipmentId.is_in(listings.iter().filter_map(|(row, _)| row.shipment_id)))
        .all(tx)
        .await?;
    let arrived: HashSet<ShipmentId> = arrived.into_iter().filter_map(|row| row.shipment_id).collect();
    listings.retain(|(row, _)| row.shipment_id.is_some_and(|shipment| !arrived.contains(&shipment)));
    if listings.is_empty() {
        return Ok(());
    }
    let asks = listings.iter().filter_map(|(row, version)| {
        Some((about("offer", row.offer_id, *version), Event::from(listing::ask(row)?)))
    });
    let asks = asks.collect();
    let rows = listings.into_iter().map(|(row, _)| row.into_active_model());
    listing_row::Entity::insert_many(rows).exec_without_returning(tx).await?;
    outbox::say_all(tx, now, asks).await
}

/// The same for one line of a file and a seller, whoever imports it and how often.
fn shipment(scope: &Scope, line: u64) -> ShipmentId {
    let text = format!("{} {:?} {line}", scope.file_hash, scope.seller);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
    ShipmentId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}
