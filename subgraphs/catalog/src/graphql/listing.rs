//! Listings: an item is offered and stocked in one go.

use std::time::Duration;

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, Enum, InputObject, Object, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::idempotency::{self, Request};
use chassis::page::{Cursor, Page};
use chassis::{Denied, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{ListingId, LocationId, Long, OfferId, ProductId, SellerId, VariantId};
use entity::catalog::listing as row;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::answer::{KEY_REUSED, NO_SELLER, NOT_VERIFIED, invalid, one};
use super::loaders::load;
use super::offer::Offer;
use super::offer_changes::OfferPriceInput;
use super::shared::{Condition, Seller, env, found};
use crate::listing::{self, AlreadyListed, IfListed, Item, List, NoItem, Terms};
use crate::seller::{self, NotSelling};

/// Milliseconds that `listItem` waits for the stock when the client does not say.
const WAIT_MS_DEFAULT: i32 = 1_000;
/// Milliseconds that `listItem` waits at most.
const WAIT_MS_MAX: i32 = 10_000;

/// Where a listing stands. STOCKING becomes LISTED or STOCK_REFUSED, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::State")]
pub enum ListingState {
    /// The offer is there; its pieces are on their way to the shelf. It takes moments.
    Stocking,
    /// The offer is there, and so are its pieces.
    Listed,
    /// The offer is there, but its pieces are not; `refusedBecause` says why. Mend that and list it again with
    /// `ifListed: UPDATE`, or use `receiveStock`.
    StockRefused,
}

/// Why the pieces of a listing are not on a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::RefusedBecause")]
pub enum StockRefusedReason {
    /// The seller has no such location.
    LocationNotFound,
    /// The location is closed, or all of the seller's locations are.
    LocationClosed,
    /// An offer cannot have so many pieces.
    TooMuch,
}

/// One act of listing an item: the offer, and the pieces that came with it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Listing {
    /// Its id.
    pub id: ListingId,
    /// Where it stands.
    pub state: ListingState,
    /// Why there are no pieces, when the state is STOCK_REFUSED.
    pub refused_because: Option<StockRefusedReason>,
    /// Pieces that came with it.
    pub quantity: Long,
    /// When it was listed.
    pub created_at: DateTime<Utc>,
    /// When its state last changed.
    pub updated_at: DateTime<Utc>,
    #[graphql(skip)]
    offer: OfferId,
    #[graphql(skip)]
    seller: SellerId,
}

impl From<row::Model> for Listing {
    fn from(listing: row::Model) -> Self {
        Self {
            id: listing.id,
            state: listing.state.into(),
            refused_because: listing.refused_because.map(Into::into),
            quantity: Long(listing.quantity),
            created_at: listing.created_at,
            updated_at: listing.updated_at,
            offer: listing.offer_id,
            seller: listing.seller_id,
        }
    }
}

#[ComplexObject]
impl Listing {
    /// The offer: new, or the one that was there.
    async fn offer(&self, ctx: &Context<'_>) -> async_graphql::Result<Offer> {
        Ok(found(load(ctx, self.offer).await?)?.into())
    }

    /// Who sells.
    async fn seller(&self) -> Seller {
        Seller { id: self.seller }
    }
}

#[derive(Default)]
pub struct ListingQueries;

#[Object]
impl ListingQueries {
    /// One listing of the viewer's shop; admins see all. Null: there is none.
    async fn listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ListingId,
    ) -> async_graphql::Result<Option<Listing>> {
        let (viewer, db) = (Viewer::required(ctx)?, env(ctx).db.read());
        let mut one = row::Entity::find_by_id(id);
        if !viewer.is(Role::Admin) {
            let Some(shop) = seller::of_user(db, viewer.user).await? else {
                return Ok(None);
            };
            one = one.filter(row::Column::SellerId.eq(shop.id));
        }
        Ok(one.one(db).await.map_err(Failure::from)?.map(Listing::from))
    }

    /// The listings of the viewer's shop, the newest first.
    async fn my_listings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those; none: all.")] state: Option<ListingState>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<ListingId>, Listing>> {
        let (viewer, db) = (Viewer::required(ctx)?, env(ctx).db.read());
        let page = Page::<ListingId>::read(first, after.as_deref())?;
        let id = |listing: &row::Model| listing.id;
        let Some(shop) = seller::of_user(db, viewer.user).await? else {
            return Ok(page.connection(vec![], id, Listing::from));
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
        Ok(page.connection(rows, id, Listing::from))
    }
}

/// What to do when the seller has an offer for this variant in this condition already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "IfListed")]
pub enum IfAlreadyListed {
    /// Answer ALREADY_LISTED, with that offer.
    Refuse,
    /// Give it the price, publish it if it is hidden, and add the pieces to those it has.
    Update,
}

/// What is listed, and how. Give exactly one of `gtin`, `variantId` and `productId`.
#[derive(InputObject)]
pub struct ListItemInput {
    /// The number under the bar code or the ISBN: GTIN-8, -12, -13 or -14, ISBN-13 or ISBN-10, with or without hyphens
    /// and spaces.
    pub gtin: Option<String>,
    /// The size or edition.
    pub variant_id: Option<VariantId>,
    /// A product of which there is one variant only.
    pub product_id: Option<ProductId>,
    /// The state of the goods.
    pub condition: Condition,
    /// What one piece costs.
    pub price: OfferPriceInput,
    /// Pieces that are there: 0 to 1,000,000. None are received for 0.
    pub quantity: Long,
    /// Where they are. None: the seller's oldest open location; a seller without any gets one called `Store room`.
    pub location_id: Option<LocationId>,
    /// What to do when it is listed already.
    #[graphql(default_with = "IfAlreadyListed::Refuse")]
    pub if_listed: IfAlreadyListed,
    /// Whose offer it is. Sellers leave it out: it is theirs. Admins must say.
    pub seller_id: Option<SellerId>,
    /// How long to wait for the pieces to be on the shelf, in milliseconds: 0 to 10,000, 1,000 when it is not given. The
    /// listing is STOCKING when they are not there by then.
    pub wait_ms: Option<i32>,
    /// 1 to 255 characters of the client's choice: the same key lists once.
    pub idempotency_key: String,
}

impl ListItemInput {
    fn item(&self) -> Result<Item, Denied> {
        match (&self.gtin, self.variant_id, self.product_id) {
            (Some(number), None, None) => Ok(Item::Number(number.clone())),
            (None, Some(variant), None) => Ok(Item::Variant(variant)),
            (None, None, Some(product)) => Ok(Item::Product(product)),
            _ => Err(Denied::bad_input("input.gtin", "give exactly one of gtin, variantId and productId")),
        }
    }
}

/// How long to wait for stock.
pub(super) fn wait(wait_ms: Option<i32>) -> Result<Duration, Denied> {
    match wait_ms.unwrap_or(WAIT_MS_DEFAULT) {
        ms @ 0..=WAIT_MS_MAX => Ok(Duration::from_millis(ms as u64)),
        _ => Err(Denied::bad_input("input.waitMs", format!("must be 0 to {WAIT_MS_MAX}"))),
    }
}

answer! {
    /// What came of `listItem`.
    ListItemPayload {
        /// The listing, with its offer.
        listing: Listing
    }
    /// Why an item was not listed.
    ListItemError {
        /// The seller's offer, when it is ALREADY_LISTED: change it with `changeOffer`, or list again with
        /// `ifListed: UPDATE`.
        existing_offer: Offer,
        /// The variants to choose from, when the product has several.
        variant_ids: Vec<VariantId>,
    }
    /// What is wrong with a `listItem`.
    ListItemErrorCode {
        /// The price or the quantity is not in its range.
        InvalidInput,
        /// The number is no GTIN or ISBN; the message tells the check digit that would be right.
        InvalidGtin,
        /// The viewer is neither a verified seller nor an admin, or the seller that an admin named is not verified.
        SellerNotVerified,
        /// An admin named no seller, or a seller named another one.
        SellerNotFound,
        /// There is no such item in the catalog: propose it with `proposeProduct`.
        ItemNotFound,
        /// The product has several variants: say which.
        ChooseVariant,
        /// Buyers do not see the product yet: publish it, or wait until it is approved.
        ProductNotPublished,
        /// The seller has an offer for this variant in this condition.
        AlreadyListed,
        /// The idempotency key was used with another input.
        IdempotencyConflict,
    }
}

const NO_ITEM: &str = "the catalog has no such item: propose it";

impl From<listing::ListRefusal> for Vec<ListItemError> {
    fn from(refusal: listing::ListRefusal) -> Self {
        use ListItemErrorCode as Code;
        use listing::ListRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::NumberWrong(wrong) => one(Code::InvalidGtin, &["gtin"], &wrong.to_string()),
            Refusal::NotSelling(NotSelling::NotVerified) => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            Refusal::NotSelling(NotSelling::NotFound) => one(Code::SellerNotFound, &["sellerId"], NO_SELLER),
            Refusal::Item(NoItem::NotFound) => one(Code::ItemNotFound, &[], NO_ITEM),
            Refusal::Item(NoItem::ProductNotPublished) => {
                one(Code::ProductNotPublished, &[], "buyers do not see the product yet")
            }
            Refusal::Item(NoItem::ChooseVariant(variants)) => choose(variants),
            Refusal::AlreadyListed(AlreadyListed(there)) => already_listed(Offer::from(*there)),
            Refusal::IdempotencyConflict => one(Code::IdempotencyConflict, &["idempotencyKey"], KEY_REUSED),
        }
    }
}

fn choose(variants: Vec<VariantId>) -> Vec<ListItemError> {
    let mut errors: Vec<ListItemError> =
        one(ListItemErrorCode::ChooseVariant, &["productId"], "the product has several variants: say which");
    errors.iter_mut().for_each(|error| error.variant_ids = Some(variants.clone()));
    errors
}

fn already_listed(offer: Offer) -> Vec<ListItemError> {
    let message =
        "you offer this in this condition already: change that offer, or list with ifListed: UPDATE";
    let errors: Vec<ListItemError> = one(ListItemErrorCode::AlreadyListed, &["condition"], message);
    errors
        .into_iter()
        .zip([offer])
        .map(|(error, offer)| ListItemError { existing_offer: Some(offer), ..error })
        .collect()
}

#[derive(Default)]
pub struct ListingMutations;

#[Object]
impl ListingMutations {
    /// Offers an item of the catalog to buyers and stocks it, in one go. For verified sellers, and for admins in the name
    /// of one. The offer is published at once; its pieces are on the shelf when the listing is LISTED.
    async fn list_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to list.")] input: ListItemInput,
    ) -> async_graphql::Result<ListItemPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let (now, wait) = (env.clock.now(), wait(input.wait_ms)?);
        let command = List {
            item: input.item()?,
            terms: Terms {
                condition: input.condition.into(),
                price: input.price.into(),
                quantity: input.quantity.0,
                location: input.location_id,
            },
            seller: input.seller_id,
            if_listed: input.if_listed.into(),
        };
        let request = Request::new("listItem", viewer.user, &input.idempotency_key, &command)?;
        let listed = tx::run(&env.db, async |tx| {
            idempotency::once(tx, now, request, || listing::list(tx, now, viewer, command)).await
        });
        Ok(match listed.await? {
            Ok(id) => {
                ListItemPayload::of(Ok::<_, listing::ListRefusal>(listing::settled(&env.db, id, wait).await?))
            }
            Err(refusal) => ListItemPayload::of(Err::<Listing, _>(refusal)),
        })
    }
}
