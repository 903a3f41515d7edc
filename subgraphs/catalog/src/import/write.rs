//! Writes one batch of listings.

use std::collections::{HashMap, HashSet};

use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{Aggregate, CategoryId, Event, ProductId};
use entity::catalog::{attribute, offer, product, product_category, variant};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use super::plan::{Definitions, Rows};
use super::{Loaded, LoadedOffer, NewListing, Refused};
use crate::attribute::{Named, Value, definitions, is_filterable, options};
use crate::input::Problem;
use crate::search::{self, Changed};
use crate::{category, gtin, offer as offers, product as products, variant as variants};

/// Rows of one insert: SQLite takes at most 32,766 values a statement.
const ROWS_MAX: usize = 1_000;

/// What is new after a batch.
#[derive(Default)]
pub(super) struct Written {
    pub(super) products: Vec<product::Model>,
    pub(super) variants: Vec<variant::Model>,
    pub(super) offers: Vec<offer::Model>,
}

pub(super) async fn batch(
    tx: &Tx,
    now: DateTime<Utc>,
    listings: &[NewListing],
) -> Result<(Loaded, Written), Failure> {
    if listings.is_empty() {
        return Ok(Default::default());
    }
    category::lock_tree(tx).await?;
    let known = known_handles(tx, listings).await?;
    let mut seen: HashSet<&str> = known.keys().map(String::as_str).collect();
    let fresh: Vec<&NewListing> = listings.iter().filter(|new| seen.insert(&new.handle)).collect();
    let mut gtins = taken_gtins(tx, &fresh).await?;
    let names = fresh.iter().flat_map(|new| &new.attributes).map(|named| named.name.clone());
    let defined = definitions(tx, names.collect::<HashSet<_>>()).await?;
    let (mut rows, mut refused, mut taken) = (Rows::default(), vec![], vec![]);
    let (mut categories, mut placed) = (HashMap::new(), vec![]);
    for new in fresh {
        let category = match place(tx, &mut categories, &new.category).await? {
            Ok(category) => category,
            Err(problem) => {
                refused.push(Refused { handle: new.handle.clone(), problems: vec![problem] });
                continue;
            }
        };
        match rows.add(now, new, &mut gtins, &defined) {
            Ok(product_id) => {
                taken.push(new);
                placed
                    .extend(category.map(|category_id| product_category::Model { product_id, category_id }));
            }
            Err(why) => refused.push(why),
        }
    }
    let loaded = Loaded {
        products: taken.len(),
        offers: offers_of(tx, known.into_values().collect(), &rows).await?,
        refused,
    };
    define(tx, defined, &taken).await?;
    let events = events(&rows);
    let products: Vec<ProductId> = rows.products.iter().map(|product| product.id).collect();
    let written = Written {
        products: rows.products.clone(),
        variants: rows.variants.clone(),
        offers: rows.offers.clone(),
    };
    insert(tx, rows, placed.into_iter().map(IntoActiveModel::into_active_model).collect()).await?;
    outbox::say_all(tx, now, events).await?;
    search::note(tx, now, Changed::Products(&products)).await?;
    Ok((loaded, written))
}

async fn known_handles(tx: &Tx, listings: &[NewListing]) -> Result<HashMap<String, ProductId>, Failure> {
    let known: Vec<(String, ProductId)> = product::Entity::find()
        .select_only()
        .columns([product::Column::Handle, product::Column::Id])
        .filter(product::Column::Handle.is_in(listings.iter().map(|new| &new.handle)))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(known.into_iter().collect())
}

async fn taken_gtins(tx: &Tx, fresh: &[&NewListing]) -> Result<HashSet<String>, Failure> {
    let numbers = fresh.iter().flat_map(|new| &new.variants).filter_map(|variant| variant.gtin.as_ref());
    let wanted: Vec<String> = numbers.filter_map(|text| gtin::read(text).ok()).collect();
    let mut taken = HashSet::new();
    for wanted in wanted.chunks(ROWS_MAX) {
        let rows: Vec<String> = variant::Entity::find()
            .select_only()
            .column(variant::Column::Gtin)
            .filter(variant::Column::Gtin.is_in(wanted.iter()))
            .into_tuple()
            .all(tx)
            .await?;
        taken.extend(rows);
    }
    Ok(taken)
}

/// The offers of products that were there before, and those of the new rows.
async fn offers_of(tx: &Tx, known: Vec<ProductId>, rows: &Rows) -> Result<Vec<LoadedOffer>, Failure> {
    let before = offer::Entity::find().filter(offer::Column::ProductId.is_in(known)).all(tx).await?;
    let all = before.iter().chain(&rows.offers);
    Ok(all
        .map(|offer| LoadedOffer { offer: offer.id, variant: offer.variant_id, seller: offer.seller_id })
        .collect())
}

/// Defines the attributes that nobody defined, and adds options that are new.
async fn define(tx: &Tx, mut defined: Definitions, taken: &[&NewListing]) -> Result<(), Failure> {
    let mut changed = HashSet::new();
    for Named { name, value } in taken.iter().flat_map(|new| &new.attributes) {
        let definition = defined.entry(name.clone()).or_insert_with(|| {
            changed.insert(name.clone());
            let kind = value.kind();
            let filterable = is_filterable(kind);
            attribute::Model {
                name: name.clone(),
                label: label(name),
                kind,
                options: "[]".into(),
                filterable,
            }
        });
        let Value::OneOf(option) = value else { continue };
        let mut options = options(definition);
        if !options.contains(option) {
            options.push(option.clone());
            definition.options = serde_json::Value::from(options).to_string();
            changed.insert(name.clone());
        }
    }
    let rows = changed.iter().filter_map(|name| defined.remove(name)).map(IntoActiveModel::into_active_model);
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let mut newer = sea_orm::sea_query::OnConflict::column(attribute::Column::Name);
    newer.update_column(attribute::Column::Options);
    attribute::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}

/// `page_count` for people: `Page count`.
fn label(name: &str) -> String {
    let mut label = name.replace('_', " ");
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    label
}

/// The category at the end of a path of names; categories that are missing are made. None: the path is empty.
async fn place<'n>(
    tx: &Tx,
    known: &mut HashMap<&'n [String], CategoryId>,
    names: &'n [String],
) -> Outcome<Option<CategoryId>, Problem> {
    let mut parent = None;
    for depth in 1..=names.len() {
        let path = &names[..depth];
        let id = match known.get(path) {
            Some(id) => *id,
            None => match category::ensure(tx, parent, &path[depth - 1]).await? {
                Ok(id) => id,
                Err(refusal) => return Ok(Err(misplaced(&refusal))),
            },
        };
        known.insert(path, id);
        parent = Some(id);
    }
    Ok(Ok(parent))
}

fn misplaced(refusal: &category::CreateRefusal) -> Problem {
    use category::{CreateRefusal as Refusal, Misplaced};
    let message = match refusal {
        Refusal::Invalid(problems) => problems.first().map_or("is no name", |problem| &problem.message),
        Refusal::Misplaced(Misplaced::TooDeep) => "must have at most 8 levels",
        Refusal::Misplaced(Misplaced::TooManyChildren) => "a category has at most 200 children",
        Refusal::Misplaced(_) | Refusal::HandleTaken | Refusal::IdempotencyConflict => "cannot be made",
    };
    Problem { field: vec!["category".into()], message: message.into() }
}

fn events(rows: &Rows) -> Vec<(Aggregate, Event)> {
    let products = rows
        .products
        .iter()
        .map(|product| (about("product", product.id, product.version), products::changed(product).into()));
    let variants = rows
        .variants
        .iter()
        .map(|variant| (about("variant", variant.id, variant.version), variants::changed(variant).into()));
    let offers = rows
        .offers
        .iter()
        .map(|offer| (about("offer", offer.id, offer.version), offers::changed(offer).into()));
    products.chain(variants).chain(offers).collect()
}

async fn insert(tx: &Tx, rows: Rows, categories: Vec<product_category::ActiveModel>) -> Result<(), Failure> {
    insert_all(tx, rows.products.into_iter().map(IntoActiveModel::into_active_model).collect()).await?;
    insert_all(tx, rows.variants.into_iter().map(IntoActiveModel::into_active_model).collect()).await?;
    insert_all(tx, rows.images).await?;
    insert_all(tx, rows.attributes).await?;
    insert_all(tx, categories).await?;
    insert_all(tx, rows.offers.into_iter().map(IntoActiveModel::into_active_model).collect()).await?;
    insert_all(tx, rows.prices).await
}

async fn insert_all<A>(tx: &Tx, rows: Vec<A>) -> Result<(), Failure>
where
    A: ActiveModelTrait + ActiveModelBehavior + Send + Sync,
{
    for chunk in rows.chunks(ROWS_MAX) {
        A::Entity::insert_many(chunk.iter().cloned()).exec_without_returning(tx).await?;
    }
    Ok(())
}
