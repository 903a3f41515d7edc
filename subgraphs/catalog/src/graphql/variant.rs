//! Variants: how they look, are added and changed.

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chassis::auth::Viewer;
use chassis::idempotency::{self, Request};
use chassis::page::{Cursor, Page};
use chassis::{Denied, tx};
use contract::{CurrencyCode, Long, ProductId, VariantId};
use entity::catalog::{self, variant as row};
use sea_orm::EntityTrait;

use super::answer::{KEY_REUSED, NO_PRODUCT, NOT_VERIFIED, invalid, one, stale};
use super::loaders::{LowestOf, RevisionOf, load};
use super::offer::Offer;
use super::product::Product;
use super::shared::{env, found, sees_hidden, version};
use crate::shown::offers::{ForVariant, Place};
use crate::variant::{self, Taken};

/// One size or edition of a product: what is counted, priced and shipped.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Variant {
    /// Its id.
    pub id: VariantId,
    /// Its size.
    pub size: Option<String>,
    /// Its edition.
    pub edition: Option<String>,
    /// The stock keeping unit, unique within the product.
    pub sku: Option<String>,
    /// The 13 digits under the bar code, unique.
    pub gtin: Option<String>,
    /// Where it stands in the product's list.
    pub position: i32,
    /// Rises with every change; send it back as `expectedVersion`.
    pub version: Long,
    #[graphql(skip)]
    product: ProductId,
}

impl From<row::Model> for Variant {
    fn from(variant: row::Model) -> Self {
        Self {
            id: variant.id,
            size: variant.size,
            edition: variant.edition,
            sku: variant.sku,
            gtin: variant.gtin,
            position: variant.position,
            version: version(variant.version),
            product: variant.product_id,
        }
    }
}

#[ComplexObject]
impl Variant {
    /// The product that it is a size or edition of.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Product> {
        Ok(found(load(ctx, self.product).await?)?.into())
    }

    /// Send it as `minRevision` to see this state of it in a search. Null: it has not changed since there is search.
    async fn search_revision(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Long>> {
        Ok(load(ctx, RevisionOf(self.product)).await?.map(Long))
    }

    /// Offers that can be bought, by currency and price.
    async fn offers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<Place>, Offer>> {
        let page = Page::<Place>::read(first, after.as_deref())?;
        match &page.after {
            Some(Place::Cheapest(currency, ..)) if currency.parse::<CurrencyCode>().is_ok() => {}
            None => {}
            _ => return Err(Denied::bad_input("after", "is not a cursor of this list").into()),
        }
        let key = ForVariant { variant: self.id, first: page.first, after: page.after.clone() };
        let rows = load(ctx, key).await?.unwrap_or_default();
        let place = |offer: &catalog::offer::Model| {
            Place::Cheapest(offer.currency.clone(), offer.price_minor, offer.id)
        };
        Ok(page.connection(rows, place, Offer::from))
    }

    /// The lowest price among offers that can be bought: in stock before out of stock.
    async fn lowest_offer(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only offers in this currency. Amounts of different currencies are not compared: without \
                          it, the first currency by its code counts."
        )]
        currency: Option<CurrencyCode>,
    ) -> async_graphql::Result<Option<Offer>> {
        Ok(load(ctx, LowestOf(self.id, currency)).await?.map(Offer::from))
    }
}

#[derive(Default)]
pub struct VariantQueries;

#[Object]
impl VariantQueries {
    /// One variant. Null: there is none, or the viewer may not see its product. The id of a variant that was merged into
    /// another one gives that one.
    async fn variant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: VariantId,
    ) -> async_graphql::Result<Option<Variant>> {
        visible(ctx, id).await
    }

    #[graphql(entity)]
    async fn find_variant_by_id(
        &self,
        ctx: &Context<'_>,
        id: VariantId,
    ) -> async_graphql::Result<Option<Variant>> {
        visible(ctx, id).await
    }
}

async fn visible(ctx: &Context<'_>, id: VariantId) -> async_graphql::Result<Option<Variant>> {
    let Some(variant) = load(ctx, id).await? else {
        return Ok(None);
    };
    let variant = match variant.merged_into {
        Some(survivor) => found(load(ctx, survivor).await?)?,
        None => variant,
    };
    let product = found(load(ctx, variant.product_id).await?)?;
    let published = product.publication == catalog::Publication::Published;
    let visible = published || sees_hidden(ctx, product.seller_id).await?;
    Ok(visible.then(|| variant.into()))
}

#[derive(InputObject)]
pub struct AddVariantInput {
    /// The product that it is a size or edition of.
    pub product_id: ProductId,
    /// Up to 100 characters.
    pub size: Option<String>,
    /// Up to 100 characters.
    pub edition: Option<String>,
    /// Up to 100 characters, unique within the product.
    pub sku: Option<String>,
    /// A GTIN or an ISBN, with or without hyphens and spaces; unique. It is kept as 13 digits.
    pub gtin: Option<String>,
    /// Where it stands in the product's list; none: last.
    pub position: Option<i32>,
    /// 1 to 255 characters of the client's choice: the same key adds once.
    pub idempotency_key: String,
}

answer! {
    /// What came of `addVariant`.
    AddVariantPayload {
        /// The variant.
        variant: Variant
    }
    /// Why a variant was not added.
    AddVariantError {}
    /// What is wrong with an `addVariant`.
    AddVariantErrorCode {
        /// A field is too long, empty, or has characters that it must not have.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such product.
        ProductNotFound,
        /// The product has 200 variants already.
        TooManyVariants,
        /// Another variant of the product has this SKU.
        SkuTaken,
        /// Another variant has this GTIN.
        GtinTaken,
        /// The idempotency key was used with another input.
        IdempotencyConflict,
    }
}

const SKU_TAKEN: &str = "another variant of the product has it";
const GTIN_TAKEN: &str = "another variant has it";

impl From<variant::AddRefusal> for Vec<AddVariantError> {
    fn from(refusal: variant::AddRefusal) -> Self {
        use AddVariantErrorCode as Code;
        use variant::AddRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::SellerNotVerified => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::ProductNotFound => one(Code::ProductNotFound, &["productId"], NO_PRODUCT),
            Refusal::TooManyVariants => one(Code::TooManyVariants, &[], "a product has at most 200 variants"),
            Refusal::Taken(Taken::Sku) => one(Code::SkuTaken, &["sku"], SKU_TAKEN),
            Refusal::Taken(Taken::Gtin) => one(Code::GtinTaken, &["gtin"], GTIN_TAKEN),
            Refusal::IdempotencyConflict => one(Code::IdempotencyConflict, &["idempotencyKey"], KEY_REUSED),
        }
    }
}

#[derive(InputObject)]
pub struct ChangeVariantInput {
    /// Which variant.
    pub id: VariantId,
    /// The version that the change is made from.
    pub expected_version: Long,
    /// Null clears it.
    pub size: MaybeUndefined<String>,
    /// Null clears it.
    pub edition: MaybeUndefined<String>,
    /// Null clears it.
    pub sku: MaybeUndefined<String>,
    /// Null clears it.
    pub gtin: MaybeUndefined<String>,
    /// Where it stands in the product's list.
    pub position: Option<i32>,
}

answer! {
    /// What came of `changeVariant`.
    ChangeVariantPayload {
        /// The variant as it is now.
        variant: Variant
    }
    /// Why a variant was not changed.
    ChangeVariantError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `changeVariant`.
    ChangeVariantErrorCode {
        /// A field is too long, empty, or has characters that it must not have.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no product with such a variant.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// Another variant of the product has this SKU.
        SkuTaken,
        /// Another variant has this GTIN.
        GtinTaken,
    }
}

impl From<variant::ChangeRefusal> for Vec<ChangeVariantError> {
    fn from(refusal: variant::ChangeRefusal) -> Self {
        use ChangeVariantErrorCode as Code;
        use variant::ChangeRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::SellerNotVerified => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::NotFound => one(Code::NotFound, &["id"], "you have no variant with this id"),
            Refusal::Stale { current_version } => stale(Code::StaleVersion, current_version),
            Refusal::Taken(Taken::Sku) => one(Code::SkuTaken, &["sku"], SKU_TAKEN),
            Refusal::Taken(Taken::Gtin) => one(Code::GtinTaken, &["gtin"], GTIN_TAKEN),
        }
    }
}

versioned!(ChangeVariantError);

#[derive(Default)]
pub struct VariantMutations;

#[Object]
impl VariantMutations {
    /// Adds a size or edition to a product. For the product's creator and admins.
    async fn add_variant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: AddVariantInput,
    ) -> async_graphql::Result<AddVariantPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let command = variant::Add {
            product: input.product_id,
            size: input.size,
            edition: input.edition,
            sku: input.sku,
            gtin: input.gtin,
            position: input.position,
        };
        let request = Request::new("addVariant", viewer.user, &input.idempotency_key, &command)?;
        let added = tx::run(&env.db, async |tx| {
            match idempotency::once(tx, now, request, || variant::add(tx, now, viewer, command)).await? {
                Ok(id) => Ok(Ok(found(row::Entity::find_by_id(id).one(tx).await?)?)),
                Err(refusal) => Ok(Err(refusal)),
            }
        });
        Ok(AddVariantPayload::of(added.await?))
    }

    /// Changes a variant. For the product's creator and admins.
    async fn change_variant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change; what is left out stays.")] input: ChangeVariantInput,
    ) -> async_graphql::Result<ChangeVariantPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let change = variant::Change {
            id: input.id,
            expected_version: input.expected_version.0,
            size: input.size.into(),
            edition: input.edition.into(),
            sku: input.sku.into(),
            gtin: input.gtin.into(),
            position: input.position,
        };
        let changed = tx::run(&env.db, async |tx| variant::change(tx, now, viewer, change).await);
        Ok(ChangeVariantPayload::of(changed.await?))
    }
}
