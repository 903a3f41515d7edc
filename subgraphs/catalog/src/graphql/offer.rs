//! Offers: how they look and how they are found.

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use chassis::Denied;
use chassis::Failure;
use chassis::auth::Viewer;
use chassis::page::{Cursor, Page};
use chrono::{DateTime, Utc};
use contract::{Long, Money, OfferId, ProductId, SellerId, VariantId};
use entity::catalog::{self, offer as row, offer_price, seller};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::loaders::{RevisionOf, ShopOf, load};
use super::product::Product;
use super::shared::{Condition, Publication, Seller, env, found, sees_hidden, version};
use super::variant::Variant;
use crate::shown::offers::{Place, PricesOf};

/// A seller's price for a variant in a condition.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// The state of the goods.
    pub condition: Condition,
    /// What one piece costs.
    pub price: Money,
    /// Whether buyers see it, given that they see the product.
    pub publication: Publication,
    /// Rises with every change; send it back as `expectedVersion`.
    pub version: Long,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    #[graphql(skip)]
    product: ProductId,
    #[graphql(skip)]
    variant: VariantId,
    #[graphql(skip)]
    seller: SellerId,
}

impl From<row::Model> for Offer {
    fn from(offer: row::Model) -> Self {
        Self {
            id: offer.id,
            condition: offer.condition.into(),
            price: offer.price(),
            publication: offer.publication.into(),
            version: version(offer.version),
            created_at: offer.created_at,
            updated_at: offer.updated_at,
            product: offer.product_id,
            variant: offer.variant_id,
            seller: offer.seller_id,
        }
    }
}

#[ComplexObject]
impl Offer {
    /// The product.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Product> {
        Ok(found(load(ctx, self.product).await?)?.into())
    }

    /// The size or edition.
    async fn variant(&self, ctx: &Context<'_>) -> async_graphql::Result<Variant> {
        Ok(found(load(ctx, self.variant).await?)?.into())
    }

    /// Who sells.
    async fn seller(&self) -> Seller {
        Seller { id: self.seller }
    }

    /// Send it as `minRevision` to see this state of it in a search. Null: it has not changed since there is search.
    async fn search_revision(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Long>> {
        Ok(load(ctx, RevisionOf(self.product)).await?.map(Long))
    }

    /// Every price that it ever had, the present one first.
    async fn price_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<i64>, OfferPrice>> {
        let page = Page::<i64>::read(first, after.as_deref())?;
        let key = PricesOf { offer: self.id, first: page.first, after: page.after };
        let rows = load(ctx, key).await?.unwrap_or_default();
        Ok(page.connection(rows, |price| price.version, OfferPrice::from))
    }
}

/// A price that an offer had.
#[derive(SimpleObject)]
pub struct OfferPrice {
    /// What one piece cost.
    pub price: Money,
    /// From when on.
    pub since: DateTime<Utc>,
}

impl From<offer_price::Model> for OfferPrice {
    fn from(price: offer_price::Model) -> Self {
        Self { price: price.price(), since: price.since }
    }
}

#[derive(Default)]
pub struct OfferQueries;

#[Object]
impl OfferQueries {
    /// One offer. Null: there is none, or the viewer may not see it.
    async fn offer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: OfferId,
    ) -> async_graphql::Result<Option<Offer>> {
        visible(ctx, id).await
    }

    /// The offers of the viewer's shop, the newest first.
    async fn my_offers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those; none: all.")] publication: Option<Publication>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<Place>, Offer>> {
        let viewer = Viewer::required(ctx)?;
        let page = Page::<Place>::read(first, after.as_deref())?;
        let place = |offer: &row::Model| Place::Made(offer.id);
        let Some(shop) = load(ctx, ShopOf(viewer.user)).await? else {
            return Ok(page.connection(vec![], place, Offer::from));
        };
        let mut rows = row::Entity::find()
            .filter(row::Column::SellerId.eq(shop.id))
            .order_by_desc(row::Column::Id)
            .limit(page.rows());
        if let Some(publication) = publication {
            rows = rows.filter(row::Column::Publication.eq(catalog::Publication::from(publication)));
        }
        rows = match page.after {
            None => rows,
            Some(Place::Made(id)) => rows.filter(row::Column::Id.lt(id)),
            Some(Place::Cheapest(..)) => {
                return Err(Denied::bad_input("after", "is a cursor of another list").into());
            }
        };
        let rows = rows.all(env(ctx).db.read()).await.map_err(Failure::from)?;
        Ok(page.connection(rows, place, Offer::from))
    }

    #[graphql(entity)]
    async fn find_offer_by_id(&self, ctx: &Context<'_>, id: OfferId) -> async_graphql::Result<Option<Offer>> {
        visible(ctx, id).await
    }
}

/// Everybody sees a published offer of a verified seller for a published product.
async fn visible(ctx: &Context<'_>, id: OfferId) -> async_graphql::Result<Option<Offer>> {
    let Some(offer) = load(ctx, id).await? else {
        return Ok(None);
    };
    let (product, shop) = futures::try_join!(load(ctx, offer.product_id), load(ctx, offer.seller_id))?;
    let published = catalog::Publication::Published;
    let public = offer.publication == published
        && product.is_some_and(|product| product.publication == published)
        && shop.is_some_and(|shop| shop.status == seller::Status::Verified);
    let visible = public || sees_hidden(ctx, Some(offer.seller_id)).await?;
    Ok(visible.then(|| offer.into()))
}
