//! Offers: created, changed, published and archived.

use async_graphql::{Context, InputObject, Object};
use chassis::auth::Viewer;
use chassis::idempotency::{self, Request};
use chassis::tx;
use contract::{CurrencyCode, Long, Money, OfferId, SellerId, VariantId};
use entity::catalog::offer as row;
use sea_orm::EntityTrait;

use super::answer::{KEY_REUSED, NO_SELLER, NOT_VERIFIED, invalid, one, stale};
use super::offer::Offer;
use super::shared::{Condition, env, found};
use crate::offer::{self, Closed, Target};
use crate::seller::NotSelling;

const NO_OFFER: &str = "you have no offer with this id";
const ALREADY_OFFERED: &str = "there is an offer for this variant in this condition";

/// A price.
#[derive(Clone, Copy, InputObject)]
pub struct OfferPriceInput {
    /// In the currency's minor unit: cents, pence, fils. 1 to 100,000,000,000.
    pub amount_minor: Long,
    /// The currency.
    pub currency: CurrencyCode,
}

impl From<OfferPriceInput> for Money {
    fn from(price: OfferPriceInput) -> Self {
        Self { amount_minor: price.amount_minor.0, currency: price.currency }
    }
}

#[derive(InputObject)]
pub struct CreateOfferInput {
    /// The size or edition.
    pub variant_id: VariantId,
    /// The state of the goods.
    pub condition: Condition,
    /// What one piece costs.
    pub price: OfferPriceInput,
    /// Whose offer it is. Sellers leave it out: it is theirs. Admins must say.
    pub seller_id: Option<SellerId>,
    /// 1 to 255 characters of the client's choice: the same key creates once.
    pub idempotency_key: String,
}

answer! {
    /// What came of `createOffer`.
    CreateOfferPayload {
        /// The draft.
        offer: Offer
    }
    /// Why an offer was not created.
    CreateOfferError {
        /// The offer in the way, when there is one already.
        existing_offer_id: OfferId,
    }
    /// What is wrong with a `createOffer`.
    CreateOfferErrorCode {
        /// The price is not in its range.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin, or the seller that an admin named is not verified.
        SellerNotVerified,
        /// An admin named no seller, or a seller named another one.
        SellerNotFound,
        /// There is no such variant that the viewer may see.
        VariantNotFound,
        /// The seller has an offer for this variant in this condition.
        AlreadyOffered,
        /// The idempotency key was used with another input.
        IdempotencyConflict,
    }
}

impl From<offer::CreateRefusal> for Vec<CreateOfferError> {
    fn from(refusal: offer::CreateRefusal) -> Self {
        use CreateOfferErrorCode as Code;
        use offer::CreateRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::NotSelling(NotSelling::NotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::NotSelling(NotSelling::NotFound) => one(Code::SellerNotFound, &["sellerId"], NO_SELLER),
            Refusal::VariantNotFound => {
                one(Code::VariantNotFound, &["variantId"], "there is no such variant")
            }
            Refusal::AlreadyOffered { existing } => {
                let mut errors: Self = one(Code::AlreadyOffered, &["condition"], ALREADY_OFFERED);
                errors.iter_mut().for_each(|error| error.existing_offer_id = Some(existing));
                errors
            }
            Refusal::IdempotencyConflict => one(Code::IdempotencyConflict, &["idempotencyKey"], KEY_REUSED),
        }
    }
}

#[derive(InputObject)]
pub struct ChangeOfferInput {
    /// Which offer.
    pub id: OfferId,
    /// The version that the change is made from.
    pub expected_version: Long,
    /// What one piece costs from now on.
    pub price: Option<OfferPriceInput>,
    /// The state of the goods.
    pub condition: Option<Condition>,
}

answer! {
    /// What came of `changeOffer`.
    ChangeOfferPayload {
        /// The offer as it is now.
        offer: Offer
    }
    /// Why an offer was not changed.
    ChangeOfferError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `changeOffer`.
    ChangeOfferErrorCode {
        /// The price is not in its range.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such offer.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// The seller has another offer for this variant in this condition.
        AlreadyOffered,
    }
}

impl From<offer::ChangeRefusal> for Vec<ChangeOfferError> {
    fn from(refusal: offer::ChangeRefusal) -> Self {
        use ChangeOfferErrorCode as Code;
        use offer::ChangeRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::AlreadyOffered => one(Code::AlreadyOffered, &["condition"], ALREADY_OFFERED),
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_OFFER),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

#[derive(InputObject)]
pub struct PublishOfferInput {
    /// Which offer.
    pub id: OfferId,
    /// The version that the change is made from.
    pub expected_version: Long,
}

answer! {
    /// What came of `publishOffer`.
    PublishOfferPayload {
        /// The offer as it is now.
        offer: Offer
    }
    /// Why an offer was not published.
    PublishOfferError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `publishOffer`.
    PublishOfferErrorCode {
        /// The viewer is neither a verified seller nor an admin, or the offer's seller is not verified.
        SellerNotVerified,
        /// The viewer has no such offer.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// It is published already.
        AlreadyPublished,
        /// Buyers cannot see the product: publish it first.
        ProductNotPublished,
    }
}

impl From<offer::PublishRefusal> for Vec<PublishOfferError> {
    fn from(refusal: offer::PublishRefusal) -> Self {
        use PublishOfferErrorCode as Code;
        use offer::PublishRefusal as Refusal;
        match refusal {
            Refusal::AlreadyPublished => one(Code::AlreadyPublished, &["id"], "it is published already"),
            Refusal::ProductNotPublished => {
                one(Code::ProductNotPublished, &["id"], "publish the product first")
            }
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_OFFER),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

#[derive(InputObject)]
pub struct ArchiveOfferInput {
    /// Which offer.
    pub id: OfferId,
    /// The version that the change is made from.
    pub expected_version: Long,
}

answer! {
    /// What came of `archiveOffer`.
    ArchiveOfferPayload {
        /// The offer as it is now.
        offer: Offer
    }
    /// Why an offer was not archived.
    ArchiveOfferError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with an `archiveOffer`.
    ArchiveOfferErrorCode {
        /// The viewer is neither a verified seller nor an admin.
        SellerNotVerified,
        /// The viewer has no such offer.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// It is archived already.
        AlreadyArchived,
    }
}

impl From<offer::ArchiveRefusal> for Vec<ArchiveOfferError> {
    fn from(refusal: offer::ArchiveRefusal) -> Self {
        use ArchiveOfferErrorCode as Code;
        use offer::ArchiveRefusal as Refusal;
        match refusal {
            Refusal::AlreadyArchived => one(Code::AlreadyArchived, &["id"], "it is archived already"),
            Refusal::Closed(Closed::SellerNotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::Closed(Closed::NotFound) => one(Code::NotFound, &["id"], NO_OFFER),
            Refusal::Closed(Closed::Stale { current_version }) => stale(Code::StaleVersion, current_version),
        }
    }
}

versioned!(ChangeOfferError, PublishOfferError, ArchiveOfferError);

#[derive(Default)]
pub struct OfferChangeMutations;

#[Object]
impl OfferChangeMutations {
    /// Creates an offer as a draft. For verified sellers, and for admins in the name of one.
    async fn create_offer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to create.")] input: CreateOfferInput,
    ) -> async_graphql::Result<CreateOfferPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let command = offer::Create {
            variant: input.variant_id,
            condition: input.condition.into(),
            price: input.price.into(),
            seller: input.seller_id,
        };
        let request = Request::new("createOffer", viewer.user, &input.idempotency_key, &command)?;
        let created = tx::run(&env.db, async |tx| {
            match idempotency::once(tx, now, request, || offer::create(tx, now, viewer, command)).await? {
                Ok(id) => Ok(Ok(found(row::Entity::find_by_id(id).one(tx).await?)?)),
                Err(refusal) => Ok(Err(refusal)),
            }
        });
        Ok(CreateOfferPayload::of(created.await?))
    }

    /// Changes the price or the condition of an offer. For its seller and admins.
    async fn change_offer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change; what is left out stays.")] input: ChangeOfferInput,
    ) -> async_graphql::Result<ChangeOfferPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let change =
            offer::Change { price: input.price.map(Money::from), condition: input.condition.map(Into::into) };
        let changed = tx::run(&env.db, async |tx| offer::change(tx, now, viewer, target, change).await);
        Ok(ChangeOfferPayload::of(changed.await?))
    }

    /// Lets buyers see an offer. From DRAFT or ARCHIVED to PUBLISHED. For its seller and admins.
    async fn publish_offer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer.")] input: PublishOfferInput,
    ) -> async_graphql::Result<PublishOfferPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let published = tx::run(&env.db, async |tx| offer::publish(tx, now, viewer, target).await);
        Ok(PublishOfferPayload::of(published.await?))
    }

    /// Takes an offer off sale. From DRAFT or PUBLISHED to ARCHIVED. For its seller and admins.
    async fn archive_offer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer.")] input: ArchiveOfferInput,
    ) -> async_graphql::Result<ArchiveOfferPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let archived = tx::run(&env.db, async |tx| offer::archive(tx, now, viewer, target).await);
        Ok(ArchiveOfferPayload::of(archived.await?))
    }
}
