//! What belongs to a product: its images, attributes and categories, each set as a whole.

use async_graphql::{Context, InputObject, Object};
use chassis::auth::Viewer;
use chassis::tx;
use contract::{CategoryId, Long, ProductId};

use super::answer::{NO_PRODUCT, NOT_VERIFIED, invalid, one, stale};
use super::attribute::{AttributeInput, AttributeKind};
use super::product::Product;
use super::shared::env;
use crate::image::NewImage;
use crate::product::{Closed, Target};
use crate::{attribute, category, image};

#[derive(InputObject)]
pub struct SetProductImagesInput {
    /// Which product.
    pub id: ProductId,
    /// The version that the change is made from.
    pub expected_version: Long,
    /// All images, in the order in which they show; at most 50. One that was there keeps its id.
    pub images: Vec<ImageInput>,
}

answer! {
    /// What came of `setProductImages`.
    SetProductImagesPayload {
        /// The product as it is now.
        product: Product
    }
    /// Why the images were not set.
    SetProductImagesError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `setProductImages`.
    SetProductImagesErrorCode {
        /// A list is too long, or an item is not as it must be.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such product.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
    }
}

impl From<image::SetRefusal> for Vec<SetProductImagesError> {
    fn from(refusal: image::SetRefusal) -> Self {
        use SetProductImagesErrorCode as Code;
        use image::SetRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_PRODUCT),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

/// An image to show.
#[derive(InputObject)]
pub struct ImageInput {
    /// Where it is: an http or https address of at most 2,048 characters.
    pub url: String,
    /// What it shows, for those who cannot see it; up to 500 characters.
    pub alt: Option<String>,
}

#[derive(InputObject)]
pub struct SetProductAttributesInput {
    /// Which product.
    pub id: ProductId,
    /// The version that the change is made from.
    pub expected_version: Long,
    /// All that is said about it; at most 100.
    pub attributes: Vec<AttributeInput>,
}

answer! {
    /// What came of `setProductAttributes`.
    SetProductAttributesPayload {
        /// The product as it is now.
        product: Product
    }
    /// Why the attributes were not set.
    SetProductAttributesError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `setProductAttributes`.
    SetProductAttributesErrorCode {
        /// A list is too long, or an item is not as it must be.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such product.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// No attribute has this name: see `attributeDefinitions`.
        UnknownAttribute,
        /// The value is not of the kind of the attribute.
        WrongKind,
        /// The value is not one of the attribute's options.
        NotAnOption,
    }
}

impl From<attribute::SetRefusal> for Vec<SetProductAttributesError> {
    fn from(refusal: attribute::SetRefusal) -> Self {
        use SetProductAttributesErrorCode as Code;
        use attribute::SetRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::UnknownAttribute { index } => {
                one(Code::UnknownAttribute, &["attributes", &index.to_string(), "name"], "nobody defined it")
            }
            Refusal::WrongKind { index, kind } => {
                let wanted = format!("must have a value of the kind {:?}", AttributeKind::from(kind));
                one(Code::WrongKind, &["attributes", &index.to_string()], &wanted)
            }
            Refusal::NotAnOption { index } => {
                one(Code::NotAnOption, &["attributes", &index.to_string(), "oneOf"], "is not an option")
            }
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_PRODUCT),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

#[derive(InputObject)]
pub struct SetProductCategoriesInput {
    /// Which product.
    pub id: ProductId,
    /// The version that the change is made from.
    pub expected_version: Long,
    /// All categories that it is in; at most 20.
    pub category_ids: Vec<CategoryId>,
}

answer! {
    /// What came of `setProductCategories`.
    SetProductCategoriesPayload {
        /// The product as it is now.
        product: Product
    }
    /// Why the categories were not set.
    SetProductCategoriesError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `setProductCategories`.
    SetProductCategoriesErrorCode {
        /// A list is too long, or an item is not as it must be.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such product.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// There is no such category.
        CategoryNotFound,
    }
}

impl From<category::SetRefusal> for Vec<SetProductCategoriesError> {
    fn from(refusal: category::SetRefusal) -> Self {
        use SetProductCategoriesErrorCode as Code;
        use category::SetRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::CategoryNotFound { index } => {
                one(Code::CategoryNotFound, &["categoryIds", &index.to_string()], "there is no such category")
            }
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_PRODUCT),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

versioned!(SetProductImagesError, SetProductAttributesError, SetProductCategoriesError);

#[derive(Default)]
pub struct ProductPartMutations;

#[Object]
impl ProductPartMutations {
    /// Shows these images of a product, in this order, and no others. For its creator and admins.
    async fn set_product_images(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "All images.")] input: SetProductImagesInput,
    ) -> async_graphql::Result<SetProductImagesPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let images = input.images.into_iter();
        let images =
            images.map(|image| NewImage { url: image.url, alt: image.alt.unwrap_or_default() }).collect();
        let set = tx::run(&env.db, async |tx| image::set(tx, now, viewer, target, images).await);
        Ok(SetProductImagesPayload::of(set.await?))
    }

    /// Says these things about a product, and nothing else. For its creator and admins.
    async fn set_product_attributes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "All attributes.")] input: SetProductAttributesInput,
    ) -> async_graphql::Result<SetProductAttributesPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let values = match AttributeInput::read_all(input.attributes) {
            Ok(values) => values,
            Err(problems) => {
                return Ok(SetProductAttributesPayload::of::<Product, _>(Err(
                    attribute::SetRefusal::Invalid(problems),
                )));
            }
        };
        let set = tx::run(&env.db, async |tx| attribute::set(tx, now, viewer, target, values).await);
        Ok(SetProductAttributesPayload::of(set.await?))
    }

    /// Puts a product into these categories, and no others. For its creator and admins.
    async fn set_product_categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "All categories.")] input: SetProductCategoriesInput,
    ) -> async_graphql::Result<SetProductCategoriesPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let categories = input.category_ids;
        let set = tx::run(&env.db, async |tx| category::set(tx, now, viewer, target, categories).await);
        Ok(SetProductCategoriesPayload::of(set.await?))
    }
}
