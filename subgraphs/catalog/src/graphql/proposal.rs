//! Proposals: goods that the catalog does not know yet, and the queue in which they wait.

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, Enum, InputObject, Object, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::idempotency::{self, Request};
use chassis::page::{Cursor, Page};
use chassis::{Failure, tx};
use chrono::{DateTime, Utc};
use contract::{ListingId, LocationId, Long, ProductId, ProposalId, SellerId};
use entity::catalog::{listing as listing_row, product as product_row, proposal as row};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::answer::{KEY_REUSED, NO_SELLER, NOT_VERIFIED, invalid, one};
use super::listing::Listing;
use super::loaders::load;
use super::offer_changes::OfferPriceInput;
use super::product::Product;
use super::shared::{Condition, Seller, env, found, version};
use crate::listing::Terms;
use crate::product;
use crate::proposal::{self, Propose, ProposeRefusal};
use crate::search::Search;
use crate::seller::{self, NotSelling};

/// Where a proposal stands. OPEN becomes APPROVED, REJECTED or MERGED, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::State")]
pub enum ProposalState {
    /// It waits for an admin. The product is a draft, which its seller may complete.
    Open,
    /// Buyers see the product; it is listed, if its seller said how.
    Approved,
    /// The product stays hidden; `decision` says why.
    Rejected,
    /// The product is one that was there; it is listed as that, if its seller said how.
    Merged,
}

/// A product that a seller wants in the catalog.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// Where it stands.
    pub state: ProposalState,
    /// Why it is none of the products that it looks like, in the seller's words.
    pub new_because: Option<String>,
    /// Why it was decided so, in the admin's words.
    pub decision: Option<String>,
    /// Rises with every change; send it back as `expectedVersion`.
    pub version: Long,
    /// When it was proposed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    #[graphql(skip)]
    product: ProductId,
    #[graphql(skip)]
    seller: SellerId,
    #[graphql(skip)]
    listing: Option<ListingId>,
}

impl From<row::Model> for Proposal {
    fn from(proposal: row::Model) -> Self {
        Self {
            id: proposal.id,
            state: proposal.state.into(),
            new_because: proposal.new_because,
            decision: proposal.decision,
            version: version(proposal.version),
            created_at: proposal.created_at,
            updated_at: proposal.updated_at,
            product: proposal.product_id,
            seller: proposal.seller_id,
            listing: proposal.listing_id,
        }
    }
}

#[ComplexObject]
impl Proposal {
    /// The product, or the one that it was merged into.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Product> {
        let product = found(load(ctx, self.product).await?)?;
        let survivor = match product.merged_into {
            Some(survivor) => found(load(ctx, survivor).await?)?,
            None => product,
        };
        Ok(survivor.into())
    }

    /// Who proposes it.
    async fn seller(&self) -> Seller {
        Seller { id: self.seller }
    }

    /// What came of the offer that was proposed with it.
    async fn listing(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Listing>> {
        let Some(id) = self.listing else { return Ok(None) };
        let listing = listing_row::Entity::find_by_id(id).one(env(ctx).db.read()).await;
        Ok(listing.map_err(Failure::from)?.map(Listing::from))
    }
}

type Proposals = Connection<Cursor<ProposalId>, Proposal>;

#[derive(Default)]
pub struct ProposalQueries;

#[Object]
impl ProposalQueries {
    /// One proposal of the viewer's shop; admins see all. Null: there is none.
    async fn proposal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ProposalId,
    ) -> async_graphql::Result<Option<Proposal>> {
        let (viewer, db) = (Viewer::required(ctx)?, env(ctx).db.read());
        let mut one = row::Entity::find_by_id(id);
        if !viewer.is(Role::Admin) {
            let Some(shop) = seller::of_user(db, viewer.user).await? else {
                return Ok(None);
            };
            one = one.filter(row::Column::SellerId.eq(shop.id));
        }
        Ok(one.one(db).await.map_err(Failure::from)?.map(Proposal::from))
    }

    /// The queue: proposals that wait for an admin, or were decided about, the oldest first. For admins.
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.", default_with = "ProposalState::Open")] state: ProposalState,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Proposals> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::<ProposalId>::read(first, after.as_deref())?;
        let mut rows = row::Entity::find()
            .filter(row::Column::State.eq(row::State::from(state)))
            .order_by_asc(row::Column::Id)
            .limit(page.rows());
        if let Some(after) = page.after {
            rows = rows.filter(row::Column::Id.gt(after));
        }
        let rows = rows.all(env(ctx).db.read()).await.map_err(Failure::from)?;
        Ok(page.connection(rows, |proposal| proposal.id, Proposal::from))
    }

    /// The proposals of the viewer's shop, the newest first.
    async fn my_proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those; none: all.")] state: Option<ProposalState>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Proposals> {
        let (viewer, db) = (Viewer::required(ctx)?, env(ctx).db.read());
        let page = Page::<ProposalId>::read(first, after.as_deref())?;
        let Some(shop) = seller::of_user(db, viewer.user).await? else {
            return Ok(page.connection(vec![], |proposal: &row::Model| proposal.id, Proposal::from));
        };
        let mut rows = row::Entity::find()
            .filter(row::Column::SellerId.eq(shop.id))
            .order_by_desc(row::Column::Id)
            .limit(page.rows());
        if let Some(state) = state {
            rows = rows.filter(row::Column::State.eq(row::State::from(state)));
        }
        if let Some(after) = page.after {
            rows = rows.filter(row::Column::Id.lt(after));
        }
        let rows = rows.all(db).await.map_err(Failure::from)?;
        Ok(page.connection(rows, |proposal| proposal.id, Proposal::from))
    }
}

/// How to list a proposed product once it is approved.
#[derive(InputObject)]
pub struct ProposedListingInput {
    /// The state of the goods.
    pub condition: Condition,
    /// What one piece costs.
    pub price: OfferPriceInput,
    /// Pieces that are there: 0 to 1,000,000.
    pub quantity: Long,
    /// Where they are. None: the seller's oldest open location.
    pub location_id: Option<LocationId>,
}

impl From<ProposedListingInput> for Terms {
    fn from(listing: ProposedListingInput) -> Self {
        Self {
            condition: listing.condition.into(),
            price: listing.price.into(),
            quantity: listing.quantity.0,
            location: listing.location_id,
        }
    }
}

#[derive(InputObject)]
pub struct ProposeProductInput {
    /// 1 to 300 characters.
    pub title: String,
    /// Who makes it; up to 200 characters.
    pub brand: Option<String>,
    /// The maker's name for it; up to 200 characters.
    pub model: Option<String>,
    /// Up to 20,000 characters of plain text.
    pub description: Option<String>,
    /// The number under the bar code or the ISBN, with or without hyphens and spaces.
    pub gtin: Option<String>,
    /// Up to 100 characters.
    pub size: Option<String>,
    /// Up to 100 characters.
    pub edition: Option<String>,
    /// How to list it once it is approved; none: not at all.
    pub listing: Option<ProposedListingInput>,
    /// After a LOOKS_LIKE: why it is none of those products; 1 to 500 characters. Admins read it.
    pub new_because: Option<String>,
    /// Whose proposal it is. Sellers leave it out: it is theirs. Admins must say.
    pub seller_id: Option<SellerId>,
    /// 1 to 255 characters of the client's choice: the same key proposes once.
    pub idempotency_key: String,
}

answer! {
    /// What came of `proposeProduct`.
    ProposeProductPayload {
        /// The proposal, with the draft.
        proposal: Proposal
    }
    /// Why a product was not proposed.
    ProposeProductError {
        /// Products that it may be; list one of them with `listItem`. Empty when what it looks like waits for approval
        /// itself.
        candidates: Vec<Product>,
    }
    /// What is wrong with a `proposeProduct`.
    ProposeProductErrorCode {
        /// A field is too long, empty, not in its range, or has characters that it must not have; or the number is no
        /// GTIN.
        InvalidInput,
        /// The viewer is neither a verified seller nor an admin, or the seller that an admin named is not verified.
        SellerNotVerified,
        /// An admin named no seller, or a seller named another one.
        SellerNotFound,
        /// The catalog has this number. A reason does not help: it is that product.
        SameGtin,
        /// The catalog has products with nearly this title and brand: typos, the order of the words, accents, articles and a
        /// missing subtitle do not matter, the number of a volume or an edition does. Choose one, or say why it is none of
        /// them.
        LooksLike,
        /// The idempotency key was used with another input.
        IdempotencyConflict,
    }
}

impl From<ProposeRefusal> for Vec<ProposeProductError> {
    fn from(refusal: ProposeRefusal) -> Self {
        use ProposeProductErrorCode as Code;
        use ProposeRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::NotSelling(NotSelling::NotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::NotSelling(NotSelling::NotFound) => one(Code::SellerNotFound, &["sellerId"], NO_SELLER),
            Refusal::SameNumber(same) => {
                like(Code::SameGtin, "gtin", "the catalog has this number: list that product", same)
            }
            Refusal::LooksLike(alike) => like(
                Code::LooksLike,
                "title",
                "the catalog has this, it seems: choose, or say why it is new",
                alike,
            ),
            Refusal::IdempotencyConflict => one(Code::IdempotencyConflict, &["idempotencyKey"], KEY_REUSED),
        }
    }
}

fn like(
    code: ProposeProductErrorCode,
    field: &str,
    message: &str,
    products: Vec<product_row::Model>,
) -> Vec<ProposeProductError> {
    let mut candidates = Some(products.into_iter().map(Product::from).collect());
    let mut errors: Vec<ProposeProductError> = one(code, &[field], message);
    errors.iter_mut().for_each(|error| error.candidates = candidates.take());
    errors
}

#[derive(Default)]
pub struct ProposalMutations;

#[Object]
impl ProposalMutations {
    /// Proposes a product that the catalog does not have, and says how to list it once it is approved. For verified
    /// sellers, and for admins in the name of one. Images, attributes and categories of the draft are set as those of any
    /// product.
    async fn propose_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to propose.")] input: ProposeProductInput,
    ) -> async_graphql::Result<ProposeProductPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let command = Propose {
            product: product::Create {
                title: input.title,
                brand: input.brand,
                model: input.model,
                description: input.description.unwrap_or_default(),
                handle: None,
            },
            gtin: input.gtin,
            size: input.size,
            edition: input.edition,
            terms: input.listing.map(Terms::from),
            new_because: input.new_because,
            seller: input.seller_id,
        };
        let request = Request::new("proposeProduct", viewer.user, &input.idempotency_key, &command)?;
        let alike = ctx.data_unchecked::<Search>().alike(command.product.title.clone()).await?;
        let proposed = tx::run(&env.db, async |tx| {
            let propose = || proposal::propose(tx, now, viewer, command, &alike);
            match idempotency::once(tx, now, request, propose).await? {
                Ok(id) => Ok(Ok(found(row::Entity::find_by_id(id).one(tx).await?)?)),
                Err(refusal) => Ok(Err(refusal)),
            }
        });
        Ok(ProposeProductPayload::of(proposed.await?))
    }
}
