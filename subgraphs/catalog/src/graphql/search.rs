//! Search: what is asked and how it shows.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::connection::PageInfo;
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chassis::Denied;
use chassis::page::{Cursor, Page};
use chrono::NaiveDate;
use contract::{CategoryId, CurrencyCode, Long, ProductId, SellerId};
use entity::catalog::{Publication, product as row};

use super::attribute::AttributeFilter;
use super::loaders::load;
use super::product::{PriceRangeInput, Product};
use super::remembered;
use super::search_facets::SearchFacets;
use super::shared::{Condition, env};
use crate::search::{
    Filter, Found, Freshness, Key, OfferFilter, Search, Sort, Suggested, Wanted, filterable, revisions,
};
use crate::shown::products::PriceRange;

/// Values of one list of a filter.
const VALUES_MAX: usize = 100;
/// Attribute filters of one search.
const ATTRIBUTE_FILTERS_MAX: usize = 20;
/// Suggestions when the client does not say.
const SUGGESTIONS_DEFAULT: i32 = 8;
/// Suggestions at most.
const SUGGESTIONS_MAX: i32 = 20;

/// What products must be. All that is given must hold; of a list, any value will do. What is said of an offer must hold of
/// one and the same offer.
#[derive(Default, InputObject)]
pub struct SearchFilter {
    /// Of one of these brands, in any case; at most 100.
    pub brands: Option<Vec<String>>,
    /// In this category or anywhere below it.
    pub category_id: Option<CategoryId>,
    /// With these attributes, which must be filterable; at most 20.
    pub attributes: Option<Vec<AttributeFilter>>,
    /// Released on this day or later; a product of which only the year is known counts from its first day.
    pub released_from: Option<NaiveDate>,
    /// Released on this day or earlier.
    pub released_to: Option<NaiveDate>,
    /// Offered in one of these conditions.
    pub conditions: Option<Vec<Condition>>,
    /// Offered in one of these sizes, as facets show them; at most 100.
    pub sizes: Option<Vec<String>>,
    /// Offered at a price in this range.
    pub price_range: Option<PriceRangeInput>,
    /// True: offered and in stock. False: the others, of which no offer is in stock or that have none. What else is said
    /// of an offer says which offers count.
    pub in_stock: Option<bool>,
    /// Offered by this seller.
    pub seller_id: Option<SellerId>,
}

/// The order of what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Sort")]
pub enum SearchSort {
    /// The best match first; of equal ones the best known.
    Relevance,
    /// The newest in the catalog first.
    Newest,
    /// The last released first; those without a release date last.
    Released,
    /// The best rated first. A rating by few counts less; products without ratings come last.
    BestRated,
    /// The lowest price first, of the offers that fit the filter; needs a currency. Without one: last.
    PriceLow,
    /// The highest price first: the lowest one of each product counts; needs a currency. Without one: last.
    PriceHigh,
}

/// A page of what is found.
pub struct SearchResult {
    found: Arc<Found>,
    /// In the order of the hits; those that buyers cannot see any more are gone.
    products: Vec<(Key, Hit)>,
    has_next: bool,
    has_previous: bool,
    end: Option<Key>,
    freshness: Freshness,
}

/// A product, and the revision at which it last changed.
#[derive(Clone)]
struct Hit {
    row: Arc<row::Model>,
    revision: i64,
}

impl Hit {
    fn product(&self) -> Product {
        Product::as_of(row::Model::clone(&self.row), self.revision)
    }
}

/// A product that is found.
#[derive(SimpleObject)]
pub struct SearchEdge {
    /// Send it as `after` to go on from here.
    pub cursor: String,
    /// The product as it is now: prices and stock are read when it shows, not from the index.
    pub node: Product,
}

/// What a search finds.
#[Object]
impl SearchResult {
    /// The products with their cursors, in order.
    async fn edges(&self) -> Vec<SearchEdge> {
        let edge = |(key, hit): &(Key, Hit)| SearchEdge { cursor: text(key), node: hit.product() };
        self.products.iter().map(edge).collect()
    }

    /// The products, in order.
    async fn nodes(&self) -> Vec<Product> {
        self.products.iter().map(|(_, hit)| hit.product()).collect()
    }

    /// Whether there is more, and how to go on.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.products.first().map(|(key, _)| text(key)),
            end_cursor: self.end.as_ref().map(text),
        }
    }

    /// How many products are found, on all pages.
    async fn total_count(&self) -> Long {
        Long(i64::try_from(self.found.total).unwrap_or(i64::MAX))
    }

    /// How many there are under each value of each filter.
    async fn facets(&self) -> SearchFacets {
        SearchFacets(self.found.clone())
    }

    /// When no product has all the words as they were typed: the nearest words that some product has. What is found with
    /// typos or without some words is on the page all the same.
    async fn did_you_mean(&self) -> Option<&str> {
        self.found.did_you_mean.as_deref()
    }

    /// How old the picture of the catalog is that was searched, at most, in milliseconds.
    async fn lag_ms(&self) -> Long {
        Long(self.freshness.lag_ms)
    }

    /// True: the change that `minRevision` names is not in the picture yet, after waiting for it.
    async fn is_stale(&self) -> bool {
        self.freshness.is_stale
    }

    /// True: products are missing, for the index is being built.
    async fn is_rebuilding(&self) -> bool {
        self.freshness.is_rebuilding
    }
}

fn text(key: &Key) -> String {
    use async_graphql::connection::CursorType;
    Cursor(*key).encode_cursor()
}

/// A title that fits what was typed so far.
pub struct Suggestion {
    title: String,
    product: ProductId,
}

/// A title that fits what was typed so far.
#[Object]
impl Suggestion {
    /// The title, to put into the search field.
    async fn title(&self) -> &str {
        &self.title
    }

    /// A product of this title. Null: buyers cannot see it any more.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Product>> {
        let product = load(ctx, self.product).await?;
        Ok(product.filter(|product| product.publication == Publication::Published).map(Product::from))
    }
}

#[derive(Default)]
pub struct SearchQueries;

#[Object]
impl SearchQueries {
    /// Finds published products by what somebody typed: words of title, brand, model, authors, categories and attributes,
    /// ISBN, GTIN or SKU. Case, accents, punctuation and typos do not matter; the last word may be unfinished. There are no
    /// operators: every text is allowed, and its first 512 characters count.
    #[expect(clippy::too_many_arguments, reason = "they are what clients write")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "What was typed; none or empty: everything that fits the filter, the best known first."
        )]
        query: Option<String>,
        #[graphql(desc = "What products must be.")] filter: Option<SearchFilter>,
        #[graphql(desc = "In which order.", default_with = "SearchSort::Relevance")] sort: SearchSort,
        #[graphql(
            desc = "The currency of the price sorts and of the price facet. None: that of the price range, if there \
                          is one."
        )]
        currency: Option<CurrencyCode>,
        #[graphql(
            desc = "Waits up to 2 seconds until the change is seen after which a product, variant or offer had this \
                          `searchRevision`: so a seller finds what they just changed."
        )]
        min_revision: Option<Long>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<SearchResult> {
        let page = Page::<Key>::read(first, after.as_deref())?;
        let filter = filter.unwrap_or_default();
        let currency = currency.or(filter.price_range.map(|range| range.currency));
        let sort = Sort::from(sort);
        if matches!(sort, Sort::PriceLow | Sort::PriceHigh) && currency.is_none() {
            return Err(Denied::bad_input("currency", "is needed to sort by price").into());
        }
        if page.after.is_some_and(|place| place.sort != sort) {
            return Err(Denied::bad_input("after", "is a cursor of a list in another order").into());
        }
        let wanted = Wanted {
            text: query.unwrap_or_default(),
            filter: read(ctx, filter).await?,
            sort,
            currency,
            after: page.after,
            limit: page.rows() as usize,
            facets: ctx.look_ahead().field("facets").exists(),
            correction: ctx.look_ahead().field("didYouMean").exists(),
        };
        let search = ctx.data_unchecked::<Search>();
        let freshness = search.freshness(min_revision.map(|revision| revision.0)).await;
        let found = search.find(wanted).await?;
        shown(ctx, &page, found, freshness).await
    }

    /// Titles of products that fit what was typed so far, the best known first.
    async fn suggest(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was typed so far. Empty: nothing is suggested.")] prefix: String,
        #[graphql(desc = "How many, at most 20.", default_with = "SUGGESTIONS_DEFAULT")] first: i32,
    ) -> async_graphql::Result<Vec<Suggestion>> {
        if !(1..=SUGGESTIONS_MAX).contains(&first) {
            return Err(Denied::bad_input("first", format!("must be 1 to {SUGGESTIONS_MAX}")).into());
        }
        let suggested = ctx.data_unchecked::<Search>().suggest(prefix, first as usize).await?;
        let show = |found: &Suggested| Suggestion { title: found.title.clone(), product: found.product };
        Ok(suggested.iter().map(show).collect())
    }
}

/// The products of a page, as they are now.
async fn shown(
    ctx: &Context<'_>,
    page: &Page<Key>,
    found: Arc<Found>,
    freshness: Freshness,
) -> async_graphql::Result<SearchResult> {
    let has_next = found.hits.len() as u64 > page.first;
    let hits = &found.hits[..found.hits.len().min(page.first as usize)];
    let mut rows = as_of_now(ctx, hits).await?;
    let products = hits.iter().filter_map(|hit| Some((*hit, rows.remove(&hit.product)?))).collect();
    let (has_previous, end) = (page.after.is_some(), hits.last().copied());
    Ok(SearchResult { found, products, has_next, has_previous, end, freshness })
}

/// Products that buyers see, as they are now, each with the revision at which it last changed.
async fn as_of_now(ctx: &Context<'_>, hits: &[Key]) -> async_graphql::Result<HashMap<ProductId, Hit>> {
    if hits.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = || hits.iter().map(|hit| hit.product);
    let changed = revisions(env(ctx).db.read(), ids()).await?;
    let mut revisions: HashMap<ProductId, i64> = ids().map(|id| (id, 0)).collect();
    revisions.extend(changed);
    let rows = remembered::products(ctx, &revisions).await?.into_iter();
    let shown = rows.filter(|(_, row)| row.publication == Publication::Published);
    Ok(shown.map(|(id, row)| (id, Hit { row, revision: revisions[&id] })).collect())
}

async fn read(ctx: &Context<'_>, filter: SearchFilter) -> async_graphql::Result<Filter> {
    let brands = few("filter.brands", filter.brands)?;
    let offer = OfferFilter {
        conditions: few("filter.conditions", filter.conditions)?.into_iter().map(Into::into).collect(),
        sizes: few("filter.sizes", filter.sizes)?,
        price: filter.price_range.map(|range| PriceRange {
            currency: range.currency,
            min_minor: range.min_minor.map(|min| min.0),
            max_minor: range.max_minor.map(|max| max.0),
        }),
        in_stock: filter.in_stock,
        seller: filter.seller_id,
    };
    Ok(Filter {
        brands: brands.iter().map(|brand| brand.trim().to_lowercase()).collect(),
        category: filter.category_id,
        attributes: read_attributes(ctx, filter.attributes.unwrap_or_default()).await?,
        released: (filter.released_from, filter.released_to),
        offer,
    })
}

fn few<T>(field: &'static str, values: Option<Vec<T>>) -> Result<Vec<T>, Denied> {
    let values = values.unwrap_or_default();
    if values.len() > VALUES_MAX {
        return Err(Denied::bad_input(field, format!("must have at most {VALUES_MAX} items")));
    }
    Ok(values)
}

async fn read_attributes(
    ctx: &Context<'_>,
    filters: Vec<AttributeFilter>,
) -> async_graphql::Result<Vec<(String, crate::shown::products::Test)>> {
    if filters.len() > ATTRIBUTE_FILTERS_MAX {
        let many = format!("must have at most {ATTRIBUTE_FILTERS_MAX} items");
        return Err(Denied::bad_input("filter.attributes", many).into());
    }
    if filters.is_empty() {
        return Ok(vec![]);
    }
    let known = filterable(&env(ctx).db).await?;
    let tests = filters.into_iter().map(AttributeFilter::read).collect::<Result<Vec<_>, _>>()?;
    match tests.iter().find(|(name, _)| known.iter().all(|known| known.name != *name)) {
        Some((name, _)) => {
            Err(Denied::bad_input("filter.attributes", format!("{name} is not filterable")).into())
        }
        None => Ok(tests),
    }
}
