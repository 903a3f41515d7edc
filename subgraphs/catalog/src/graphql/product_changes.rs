//! Products: created, changed, published and archived.

use async_graphql::{Context, InputObject, MaybeUndefined, Object};
use chassis::auth::Viewer;
use chassis::idempotency::{self, Request};
use chassis::tx;
use contract::{Long, ProductId};
use entity::catalog::product as product_row;
use sea_orm::EntityTrait;

use super::answer::{HANDLE_TAKEN, KEY_REUSED, NO_PRODUCT, NOT_VERIFIED, invalid, one, stale};
use super::product::Product;
use super::shared::{env, found};
use crate::product::{self, Closed, Target};

#[derive(InputObject)]
pub struct CreateProductInput {
    /// 1 to 300 characters.
    pub title: String,
    /// Who makes it; up to 200 characters.
    pub brand: Option<String>,
    /// The maker's name for it; up to 200 characters.
    pub model: Option<String>,
    /// Up to 20,000 characters of plain text.
    pub description: Option<String>,
    /// Its name in web addresses; none: made from the title.
    pub handle: Option<String>,
    /// 1 to 255 characters of the client's choice: the same key creates once.
    pub idempotency_key: String,
}

answer! {
    /// What came of `createProduct`.
    CreateProductPayload {
        /// The draft.
        product: Product
    }
    /// Why a product was not created.
    CreateProductError {}
    /// What is wrong with a `createProduct`.
    CreateProductErrorCode {
        /// A field is too long, empty, or has characters that it must not have.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// Another product has this handle.
        HandleTaken,
        /// The idempotency key was used with another input.
        IdempotencyConflict,
    }
}

impl From<product::CreateRefusal> for Vec<CreateProductError> {
    fn from(refusal: product::CreateRefusal) -> Self {
        use CreateProductErrorCode as Code;
        use product::CreateRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::SellerNotVerified => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::HandleTaken => one(Code::HandleTaken, &["handle"], HANDLE_TAKEN),
            Refusal::IdempotencyConflict => one(Code::IdempotencyConflict, &["idempotencyKey"], KEY_REUSED),
        }
    }
}

#[derive(InputObject)]
pub struct ChangeProductInput {
    /// Which product.
    pub id: ProductId,
    /// The version that the change is made from.
    pub expected_version: Long,
    /// 1 to 300 characters.
    pub title: Option<String>,
    /// Null clears it.
    pub brand: MaybeUndefined<String>,
    /// Null clears it.
    pub model: MaybeUndefined<String>,
    /// Up to 20,000 characters of plain text.
    pub description: Option<String>,
    /// Its name in web addresses. Links to the old one break.
    pub handle: Option<String>,
}

answer! {
    /// What came of `changeProduct`.
    ChangeProductPayload {
        /// The product as it is now.
        product: Product
    }
    /// Why a product was not changed.
    ChangeProductError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `changeProduct`.
    ChangeProductErrorCode {
        /// A field is too long, empty, or has characters that it must not have.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such product.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// Another product has this handle.
        HandleTaken,
    }
}

impl From<product::ChangeRefusal> for Vec<ChangeProductError> {
    fn from(refusal: product::ChangeRefusal) -> Self {
        use ChangeProductErrorCode as Code;
        use product::ChangeRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::HandleTaken => one(Code::HandleTaken, &["handle"], HANDLE_TAKEN),
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_PRODUCT),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

#[derive(InputObject)]
pub struct PublishProductInput {
    /// Which product.
    pub id: ProductId,
    /// The version that the change is made from.
    pub expected_version: Long,
}

answer! {
    /// What came of `publishProduct`.
    PublishProductPayload {
        /// The product as it is now.
        product: Product
    }
    /// Why a product was not published.
    PublishProductError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `publishProduct`.
    PublishProductErrorCode {
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such product.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// It is published already.
        AlreadyPublished,
        /// It is proposed, or its proposal was rejected: an admin decides.
        UnderReview,
        /// It has no variants: there is nothing to buy.
        NoVariants,
    }
}

impl From<product::PublishRefusal> for Vec<PublishProductError> {
    fn from(refusal: product::PublishRefusal) -> Self {
        use PublishProductErrorCode as Code;
        use product::PublishRefusal as Refusal;
        match refusal {
            Refusal::AlreadyPublished => one(Code::AlreadyPublished, &["id"], "it is published already"),
            Refusal::UnderReview => one(Code::UnderReview, &["id"], "an admin decides about it"),
            Refusal::NoVariants => one(Code::NoVariants, &["id"], "add a variant first"),
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_PRODUCT),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

#[derive(InputObject)]
pub struct ArchiveProductInput {
    /// Which product.
    pub id: ProductId,
    /// The version that the change is made from.
    pub expected_version: Long,
}

answer! {
    /// What came of `archiveProduct`.
    ArchiveProductPayload {
        /// The product as it is now.
        product: Product
    }
    /// Why a product was not archived.
    ArchiveProductError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with an `archiveProduct`.
    ArchiveProductErrorCode {
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such product.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// It is archived already.
        AlreadyArchived,
    }
}

impl From<product::ArchiveRefusal> for Vec<ArchiveProductError> {
    fn from(refusal: product::ArchiveRefusal) -> Self {
        use ArchiveProductErrorCode as Code;
        use product::ArchiveRefusal as Refusal;
        match refusal {
            Refusal::AlreadyArchived => one(Code::AlreadyArchived, &["id"], "it is archived already"),
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_PRODUCT),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

versioned!(ChangeProductError, PublishProductError, ArchiveProductError);

#[derive(Default)]
pub struct ProductChangeMutations;

#[Object]
impl ProductChangeMutations {
    /// Creates a product as a draft. For verified sellers and admins.
    async fn create_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to create.")] input: CreateProductInput,
    ) -> async_graphql::Result<CreateProductPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let command = product::Create {
            title: input.title,
            brand: input.brand,
            model: input.model,
            description: input.description.unwrap_or_default(),
            handle: input.handle,
        };
        let request = Request::new("createProduct", viewer.user, &input.idempotency_key, &command)?;
        let created = tx::run(&env.db, async |tx| {
            let create = || product::create(tx, now, viewer, command);
            match idempotency::once(tx, now, request, create).await? {
                Ok(id) => Ok(Ok(found(product_row::Entity::find_by_id(id).one(tx).await?)?)),
                Err(refusal) => Ok(Err(refusal)),
            }
        });
        Ok(CreateProductPayload::of(created.await?))
    }

    /// Changes what a product says about itself. For its creator and admins.
    async fn change_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change; what is left out stays.")] input: ChangeProductInput,
    ) -> async_graphql::Result<ChangeProductPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let change = product::Change {
            title: input.title,
            brand: input.brand.into(),
            model: input.model.into(),
            description: input.description,
            handle: input.handle,
        };
        let changed = tx::run(&env.db, async |tx| product::change(tx, now, viewer, target, change).await);
        Ok(ChangeProductPayload::of(changed.await?))
    }

    /// Lets buyers see a product. From DRAFT or ARCHIVED to PUBLISHED. For its creator and admins.
    async fn publish_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which product.")] input: PublishProductInput,
    ) -> async_graphql::Result<PublishProductPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let published = tx::run(&env.db, async |tx| product::publish(tx, now, viewer, target).await);
        Ok(PublishProductPayload::of(published.await?))
    }

    /// Hides a product, and with it what is offered of it. From DRAFT or PUBLISHED to ARCHIVED. For its creator and
    /// admins.
    async fn archive_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which product.")] input: ArchiveProductInput,
    ) -> async_graphql::Result<ArchiveProductPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let archived = tx::run(&env.db, async |tx| product::archive(tx, now, viewer, target).await);
        Ok(ArchiveProductPayload::of(archived.await?))
    }
}
