//! What admins do about proposals and products that are there twice.

use async_graphql::{Context, InputObject, Object};
use chassis::auth::{Role, Viewer};
use chassis::tx;
use contract::event::catalog::VariantMerged;
use contract::{Long, ProductId, ProposalId, VariantId};

use super::answer::{UserError, Versioned, invalid, one, stale};
use super::product::Product;
use super::proposal::Proposal;
use super::shared::env;
use crate::merge::{self, Merge, MergeRefusal};
use crate::proposal::{self, ApproveRefusal, Closed, RejectRefusal, Target};

const NO_PROPOSAL: &str = "there is no such proposal";
const DECIDED: &str = "somebody has decided about it";

#[derive(InputObject)]
pub struct ApproveProposalInput {
    /// Which proposal.
    pub id: ProposalId,
    /// The version that the decision is made from.
    pub expected_version: Long,
}

answer! {
    /// What came of `approveProposal`.
    ApproveProposalPayload {
        /// The proposal as it is now.
        proposal: Proposal
    }
    /// Why a proposal was not approved.
    ApproveProposalError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with an `approveProposal`.
    ApproveProposalErrorCode {
        /// There is no such proposal.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// Somebody has decided about it.
        AlreadyDecided,
        /// The product was archived or merged meanwhile: reject the proposal.
        ProductGone,
    }
}

impl From<ApproveRefusal> for Vec<ApproveProposalError> {
    fn from(refusal: ApproveRefusal) -> Self {
        use ApproveProposalErrorCode as Code;
        match refusal {
            ApproveRefusal::Closed(closed) => {
                not_open(closed, [Code::NotFound, Code::StaleVersion, Code::AlreadyDecided])
            }
            ApproveRefusal::ProductGone => {
                one(Code::ProductGone, &["id"], "its product was archived or merged meanwhile")
            }
        }
    }
}

/// The error for a proposal that cannot be decided about: not found, stale or decided.
fn not_open<E: UserError + Versioned>(
    closed: Closed,
    [not_found, stale_version, decided]: [E::Code; 3],
) -> Vec<E> {
    match closed {
        Closed::NotFound => one(not_found, &["id"], NO_PROPOSAL),
        Closed::Stale { current_version } => stale(stale_version, current_version),
        Closed::Decided(_) => one(decided, &["id"], DECIDED),
    }
}

#[derive(InputObject)]
pub struct RejectProposalInput {
    /// Which proposal.
    pub id: ProposalId,
    /// The version that the decision is made from.
    pub expected_version: Long,
    /// Why, for the seller to read: 1 to 500 characters.
    pub reason: String,
}

answer! {
    /// What came of `rejectProposal`.
    RejectProposalPayload {
        /// The proposal as it is now.
        proposal: Proposal
    }
    /// Why a proposal was not rejected.
    RejectProposalError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `rejectProposal`.
    RejectProposalErrorCode {
        /// The reason is empty or too long.
        InvalidInput,
        /// There is no such proposal.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// Somebody has decided about it.
        AlreadyDecided,
    }
}

impl From<RejectRefusal> for Vec<RejectProposalError> {
    fn from(refusal: RejectRefusal) -> Self {
        use RejectProposalErrorCode as Code;
        match refusal {
            RejectRefusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            RejectRefusal::Closed(closed) => {
                not_open(closed, [Code::NotFound, Code::StaleVersion, Code::AlreadyDecided])
            }
        }
    }
}

/// Two variants that are one.
#[derive(InputObject)]
pub struct SameVariantInput {
    /// A variant of the product that goes.
    pub variant_id: VariantId,
    /// The variant of the product that stays.
    pub into_id: VariantId,
}

#[derive(InputObject)]
pub struct MergeProductsInput {
    /// The product that goes.
    pub id: ProductId,
    /// The version that the decision is made from.
    pub expected_version: Long,
    /// The product that stays; it is published.
    pub into_id: ProductId,
    /// Which variants are which; at most 200. A variant that is not named is the one of the same size and edition, unless
    /// their numbers differ; one that has no such counterpart moves over as it is.
    #[graphql(default)]
    pub variants: Vec<SameVariantInput>,
    /// Why: 1 to 500 characters. It is kept, and the seller of an open proposal reads it.
    pub reason: String,
}

answer! {
    /// What came of `mergeProducts`.
    MergeProductsPayload {
        /// The product that stays, as it is now.
        product: Product
    }
    /// Why products were not merged.
    MergeProductsError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `mergeProducts`.
    MergeProductsErrorCode {
        /// The reason is empty or too long, or there are too many pairs.
        InvalidInput,
        /// There is no such product, or it was merged before.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// There is no such published product to merge into, or it is the same one.
        SurvivorNotFound,
        /// A pair names a variant of another product, or one twice.
        VariantNotFound,
        /// The product that stays would have more than 200 variants.
        TooManyVariants,
    }
}

impl From<MergeRefusal> for Vec<MergeProductsError> {
    fn from(refusal: MergeRefusal) -> Self {
        use MergeProductsErrorCode as Code;
        match refusal {
            MergeRefusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            MergeRefusal::NotFound => one(Code::NotFound, &["id"], "there is no such product"),
            MergeRefusal::Stale { current_version } => stale(Code::StaleVersion, current_version),
            MergeRefusal::SurvivorNotFound => {
                one(Code::SurvivorNotFound, &["intoId"], "there is no such published product")
            }
            MergeRefusal::VariantNotFound { index } => {
                let at = ["variants".to_owned(), index.to_string()];
                let message = "the pair names a variant of another product, or one twice";
                vec![MergeProductsError::new(Code::VariantNotFound, &[], message).at(at.to_vec())]
            }
            MergeRefusal::TooManyVariants => {
                one(Code::TooManyVariants, &["variants"], "a product has at most 200 variants")
            }
        }
    }
}

versioned!(ApproveProposalError, RejectProposalError, MergeProductsError);

#[derive(Default)]
pub struct ModerationMutations;

#[Object]
impl ModerationMutations {
    /// Publishes a proposed product, and lists it as its seller wished. From OPEN to APPROVED. For admins.
    async fn approve_proposal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which proposal.")] input: ApproveProposalInput,
    ) -> async_graphql::Result<ApproveProposalPayload> {
        let (env, viewer) = (env(ctx), Viewer::with_role(ctx, Role::Admin)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let approved = tx::run(&env.db, async |tx| proposal::approve(tx, now, viewer, target).await);
        Ok(ApproveProposalPayload::of(approved.await?))
    }

    /// Keeps a proposed product out of the catalog. From OPEN to REJECTED. For admins.
    async fn reject_proposal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which proposal, and why.")] input: RejectProposalInput,
    ) -> async_graphql::Result<RejectProposalPayload> {
        let (env, viewer) = (env(ctx), Viewer::with_role(ctx, Role::Admin)?);
        let now = env.clock.now();
        let target = Target { id: input.id, expected_version: input.expected_version.0 };
        let reason = &input.reason;
        let rejected = tx::run(&env.db, async |tx| proposal::reject(tx, now, viewer, target, reason).await);
        Ok(RejectProposalPayload::of(rejected.await?))
    }

    /// Makes two products one. Offers move along with their stock; a seller who offered both in one condition keeps the
    /// offer of the product that stays, and the pieces of the other are sold as that. The old ids, handle and numbers lead
    /// to the product that stays. An open proposal of the product that goes ends as MERGED. For admins.
    async fn merge_products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which products, and why.")] input: MergeProductsInput,
    ) -> async_graphql::Result<MergeProductsPayload> {
        let (env, viewer) = (env(ctx), Viewer::with_role(ctx, Role::Admin)?);
        let now = env.clock.now();
        let pairs = input.variants.into_iter();
        let command = Merge {
            product: input.id,
            expected_version: input.expected_version.0,
            into: input.into_id,
            variants: pairs
                .map(|pair| VariantMerged { variant_id: pair.variant_id, into: pair.into_id })
                .collect(),
            reason: input.reason,
        };
        let merged = tx::run(&env.db, async |tx| merge::merge(tx, now, viewer, command).await);
        Ok(MergeProductsPayload::of(merged.await?))
    }
}
