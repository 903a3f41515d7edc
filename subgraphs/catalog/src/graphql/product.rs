//! Products: how they look and how they are found.

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, Enum, InputObject, Object, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Denied, Failure};
use chrono::{DateTime, Utc};
use contract::{CategoryId, CurrencyCode, ImageId, Long, ProductId, SellerId};
use entity::catalog::{self, image, product as row};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::attribute::{Attribute, AttributeFilter};
use super::category::Category;
use super::loaders::{AttributesOf, CategoriesOf, ImagesOf, LowestOf, Named, RevisionOf, VariantsOf, load};
use super::offer::Offer;
use super::remembered;
use super::shared::{Publication, Seller, env, found, sees_hidden, version};
use super::variant::Variant;
use crate::seller;
use crate::shown::products::{self, Direction, Filter, OfferFilter, Place, PriceRange, Sort};

/// Attribute filters of one list.
const ATTRIBUTE_FILTERS_MAX: usize = 20;

/// A thing that can be sold, in all its sizes and editions.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its name in web addresses, unique.
    pub handle: String,
    /// Its title.
    pub title: String,
    /// Who makes it: a maker, an author.
    pub brand: Option<String>,
    /// The maker's name for it.
    pub model: Option<String>,
    /// What it is, in paragraphs of plain text.
    pub description: String,
    /// Whether buyers see it.
    pub publication: Publication,
    /// Rises with every change; send it back as `expectedVersion`.
    pub version: Long,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    #[graphql(skip)]
    seller: Option<SellerId>,
    #[graphql(skip)]
    merged_into: Option<ProductId>,
    /// At which it was seen. None: nobody looked.
    #[graphql(skip)]
    revision: Option<i64>,
}

impl Product {
    /// A product that last changed at `revision`.
    pub(super) fn as_of(product: row::Model, revision: i64) -> Self {
        Self { revision: Some(revision), ..product.into() }
    }
}

impl From<row::Model> for Product {
    fn from(product: row::Model) -> Self {
        Self {
            id: product.id,
            handle: product.handle,
            title: product.title,
            brand: product.brand,
            model: product.model,
            description: product.description,
            publication: product.publication.into(),
            version: version(product.version),
            created_at: product.created_at,
            updated_at: product.updated_at,
            seller: product.seller_id,
            merged_into: product.merged_into,
            revision: None,
        }
    }
}

#[ComplexObject]
impl Product {
    /// The seller who created it; null: an admin did.
    async fn created_by(&self) -> Option<Seller> {
        self.seller.map(|id| Seller { id })
    }

    /// The product that it turned out to be; null: itself. Only lists of archived products show those that were merged:
    /// `product` leads to the other one by itself.
    async fn merged_into(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Product>> {
        match self.merged_into {
            Some(survivor) => Ok(Some(found(load(ctx, survivor).await?)?.into())),
            None => Ok(None),
        }
    }

    /// Its sizes and editions, in order; at most 200.
    async fn variants(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Variant>> {
        let variants = load(ctx, VariantsOf(self.id)).await?.unwrap_or_default();
        Ok(variants.into_iter().map(Variant::from).collect())
    }

    /// Its images, in order; at most 50.
    async fn images(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Image>> {
        let images = load(ctx, ImagesOf(self.id)).await?.unwrap_or_default();
        Ok(images.into_iter().map(Image::from).collect())
    }

    /// What is said about it, by the name of the attribute; at most 100.
    async fn attributes(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Attribute>> {
        let values = load(ctx, AttributesOf(self.id)).await?.unwrap_or_default();
        let definitions = values.iter().map(|value| load(ctx, Named(value.name.clone())));
        let definitions = futures::future::try_join_all(definitions).await?;
        let pairs = values.into_iter().zip(definitions);
        Ok(pairs.filter_map(|(value, definition)| Some(Attribute::of(value, definition?))).collect())
    }

    /// The categories that it is in; at most 20.
    async fn categories(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let categories = load(ctx, CategoriesOf(self.id)).await?.unwrap_or_default();
        Ok(categories.into_iter().map(Category::from).collect())
    }

    /// Send it as `minRevision` to see this state of it in a search. Null: it has not changed since there is search.
    async fn search_revision(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Long>> {
        Ok(load(ctx, RevisionOf(self.id)).await?.map(Long))
    }

    /// The lowest price for any of its variants among offers that can be bought: in stock before out of stock.
    async fn lowest_offer(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only offers in this currency. Amounts of different currencies are not compared: without \
                          it, the first currency by its code counts."
        )]
        currency: Option<CurrencyCode>,
    ) -> async_graphql::Result<Option<Offer>> {
        let lowest = LowestOf(self.id, currency);
        let offer = match self.revision {
            Some(revision) => remembered::lowest(ctx, lowest, revision).await?,
            None => load(ctx, lowest).await?,
        };
        Ok(offer.map(Offer::from))
    }
}

/// An image of a product.
#[derive(SimpleObject)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Where it is: an http or https address.
    pub url: String,
    /// What it shows, for those who cannot see it; may be empty.
    pub alt: String,
}

impl From<image::Model> for Image {
    fn from(image: image::Model) -> Self {
        Self { id: image.id, url: image.url, alt: image.alt }
    }
}

/// A brand and how much there is of it.
#[derive(SimpleObject)]
pub struct Brand {
    /// Its name.
    pub name: String,
    /// Published products of it.
    pub product_count: Long,
}

/// Which products to list. All that is given must hold.
#[derive(Default, InputObject)]
pub struct ProductFilter {
    /// Of this brand, in any case.
    pub brand: Option<String>,
    /// In this category or anywhere below it.
    pub category_id: Option<CategoryId>,
    /// With these attributes; at most 20.
    pub attributes: Option<Vec<AttributeFilter>>,
    /// With an offer in this range.
    pub price_range: Option<PriceRangeInput>,
    /// True: with an offer that is in stock. False: the others, of which no offer is in stock or that have none. Together
    /// with the range and the seller: only offers that fit them count.
    pub in_stock: Option<bool>,
    /// With an offer of this seller. Together with the range and the stock, one offer must be all of it.
    pub seller_id: Option<SellerId>,
    /// Other than PUBLISHED: the viewer's own products, or everybody's for admins.
    pub publication: Option<Publication>,
}

/// Prices in one currency, inclusive.
#[derive(Clone, Copy, InputObject)]
pub struct PriceRangeInput {
    /// The currency; offers in others are not in the range.
    pub currency: CurrencyCode,
    /// In the minor unit; none: 0.
    pub min_minor: Option<Long>,
    /// In the minor unit; none: no limit.
    pub max_minor: Option<Long>,
}

/// The order of a list of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ProductSort {
    /// The newest first.
    Newest,
    /// By title, ignoring case.
    Title,
    /// The lowest price first, of the offers that fit the filter; needs a currency. Products that are not offered in it are
    /// left out.
    PriceLow,
    /// The highest price first: the lowest one of each product counts; needs a currency. Products that are not offered in
    /// it are left out.
    PriceHigh,
}

impl ProductSort {
    fn read(self, currency: Option<CurrencyCode>) -> Result<Sort, Denied> {
        let by_price = |direction| match currency {
            Some(currency) => Ok(Sort::Price(currency, direction)),
            None => Err(Denied::bad_input("currency", "is needed to sort by price")),
        };
        match self {
            Self::Newest => Ok(Sort::Newest),
            Self::Title => Ok(Sort::Title),
            Self::PriceLow => by_price(Direction::Up),
            Self::PriceHigh => by_price(Direction::Down),
        }
    }
}

#[derive(Default)]
pub struct ProductQueries;

#[Object]
impl ProductQueries {
    /// One product. Null: there is none, or the viewer may not see it. The id or handle of a product that was merged
    /// into another one gives that one.
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id. Give the id or the handle.")] id: Option<ProductId>,
        #[graphql(desc = "Its handle. Give the id or the handle.")] handle: Option<String>,
    ) -> async_graphql::Result<Option<Product>> {
        let product = match (id, handle) {
            (Some(id), None) => load(ctx, id).await?,
            (None, Some(handle)) => {
                let of_handle = row::Entity::find().filter(row::Column::Handle.eq(plain(handle)));
                of_handle.one(env(ctx).db.read()).await.map_err(Failure::from)?
            }
            _ => return Err(Denied::bad_input("id", "give the id or the handle").into()),
        };
        visible(ctx, product).await
    }

    /// Products, newest first unless said otherwise.
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; none: all that are published.")] filter: Option<ProductFilter>,
        #[graphql(desc = "In which order.", default_with = "ProductSort::Newest")] sort: ProductSort,
        #[graphql(desc = "The currency of the price sorts. None: that of the price range, if there is one.")]
        currency: Option<CurrencyCode>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<Place>, Product>> {
        let filter = filter.unwrap_or_default();
        let sort = sort.read(currency.or(filter.price_range.map(|range| range.currency)))?;
        let page = Page::<Place>::read(first, after.as_deref())?;
        if page.after.as_ref().is_some_and(|place| !place.fits(sort)) {
            return Err(Denied::bad_input("after", "is a cursor of a list in another order").into());
        }
        let rows = match read_filter(ctx, filter).await? {
            Some(filter) => products::list(env(ctx).db.read(), &filter, sort, &page).await?,
            None => vec![],
        };
        Ok(page.connection(rows, |row| Place::of(sort, row), |row| row.product.into()))
    }

    /// Brands of published products, by name.
    async fn brands(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<String>, Brand>> {
        let page = Page::<String>::read(first, after.as_deref())?;
        let rows = products::brands(env(ctx).db.read(), &page).await?;
        let show = |brand: products::Brand| Brand { name: brand.name, product_count: Long(brand.products) };
        Ok(page.connection(rows, |brand| brand.brand_key.clone(), show))
    }

    #[graphql(entity)]
    async fn find_product_by_id(
        &self,
        ctx: &Context<'_>,
        id: ProductId,
    ) -> async_graphql::Result<Option<Product>> {
        visible(ctx, load(ctx, id).await?).await
    }
}

/// A text that both engines can compare: no product has a NUL in it.
fn plain(text: String) -> String {
    text.replace('\0', "\u{fffd}")
}

async fn visible(ctx: &Context<'_>, product: Option<row::Model>) -> async_graphql::Result<Option<Product>> {
    let Some(product) = product else {
        return Ok(None);
    };
    let product = match product.merged_into {
        Some(survivor) => found(load(ctx, survivor).await?)?,
        None => product,
    };
    let published = product.publication == catalog::Publication::Published;
    let visible = published || sees_hidden(ctx, product.seller_id).await?;
    Ok(visible.then(|| product.into()))
}

/// None: nothing can match, for the viewer has no shop.
async fn read_filter(ctx: &Context<'_>, filter: ProductFilter) -> async_graphql::Result<Option<Filter>> {
    let attributes = filter.attributes.unwrap_or_default();
    if attributes.len() > ATTRIBUTE_FILTERS_MAX {
        return Err(Denied::bad_input("filter.attributes", "must have at most 20 items").into());
    }
    let attributes = attributes.into_iter().map(AttributeFilter::read).collect::<Result<_, _>>()?;
    let publication = filter.publication.map_or(catalog::Publication::Published, Into::into);
    let mut creator = None;
    if publication != catalog::Publication::Published {
        let viewer = Viewer::required(ctx)?;
        if !viewer.is(Role::Admin) {
            let Some(shop) = seller::of_user(env(ctx).db.read(), viewer.user).await? else {
                return Ok(None);
            };
            creator = Some(shop.id);
        }
    }
    let offer = OfferFilter {
        seller: filter.seller_id,
        price: filter.price_range.map(|range| PriceRange {
            currency: range.currency,
            min_minor: range.min_minor.map(|min| min.0),
            max_minor: range.max_minor.map(|max| max.0),
        }),
        in_stock: filter.in_stock,
    };
    Ok(Some(Filter {
        publication,
        creator,
        brand: filter.brand.map(|brand| plain(brand).trim().to_lowercase()),
        category: filter.category_id,
        attributes,
        offer: (offer != OfferFilter::default()).then_some(offer),
    }))
}
