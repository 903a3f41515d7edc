//! Sellers: public pages, applications and what admins decide.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::idempotency::{self, Request};
use chassis::page::{Cursor, Page};
use chassis::{Failure, tx};
use chrono::{DateTime, Utc};
use contract::SellerId;
use entity::accounts::seller as row;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::acting::{acting, acting_as};
use super::loaders::load;
use super::user::User;
use crate::Accounts;
use crate::seller::{self, ApplyRefusal, DecideRefusal, Decision};

/// Where a seller stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "row::Status", name = "SellerStatus")]
pub(crate) enum ShownStatus {
    /// Applied and waits for an admin. Becomes `VERIFIED` or `REJECTED`.
    Pending,
    /// May sell. Becomes `SUSPENDED`.
    Verified,
    /// Was refused. A new application makes it `PENDING`.
    Rejected,
    /// May not sell. Becomes `VERIFIED` when reinstated.
    Suspended,
}

/// A shop or reseller.
pub(crate) struct Seller {
    row: row::Model,
    own: bool,
}

impl Seller {
    pub(super) fn new(row: row::Model) -> Self {
        Self { row, own: false }
    }

    /// A shop that its owner looks at.
    pub(super) fn own(row: row::Model) -> Self {
        Self { row, own: true }
    }

    /// The shop, if this request may see it: others see those that are or were verified.
    fn visible(ctx: &Context<'_>, row: row::Model) -> Option<Self> {
        let seller = Self::new(row);
        let public = matches!(seller.row.status, row::Status::Verified | row::Status::Suspended);
        (public || seller.is_private_visible(ctx)).then_some(seller)
    }

    fn is_private_visible(&self, ctx: &Context<'_>) -> bool {
        self.own
            || Viewer::maybe(ctx)
                .is_some_and(|viewer| viewer.user == self.row.user_id || viewer.is(Role::Admin))
    }
}

/// A shop or reseller.
#[Object]
impl Seller {
    /// The seller's id.
    async fn id(&self) -> SellerId {
        self.row.id
    }

    /// The shop's public name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Where the seller stands.
    async fn status(&self) -> ShownStatus {
        self.row.status.into()
    }

    /// The user who owns the shop. The owner and admins see it.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        if !self.is_private_visible(ctx) {
            return Ok(None);
        }
        Ok(load(ctx, self.row.user_id).await?.map(if self.own { User::own } else { User::new }))
    }

    /// Why the seller was rejected or suspended. The owner and admins see it.
    async fn reason(&self, ctx: &Context<'_>) -> Option<&str> {
        self.row.reason.as_deref().filter(|_| self.is_private_visible(ctx))
    }

    /// When the seller last applied. The owner and admins see it.
    async fn applied_at(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        self.is_private_visible(ctx).then_some(self.row.applied_at)
    }

    /// When an admin last decided. The owner and admins see it.
    async fn decided_at(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        self.row.decided_at.filter(|_| self.is_private_visible(ctx))
    }
}

#[derive(Default)]
pub(super) struct SellerQuery;

#[Object]
impl SellerQuery {
    /// A seller. Applications are seen by their owner and by admins only; to others there is no such seller.
    async fn seller(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The seller's id.")] id: SellerId,
    ) -> Result<Option<Seller>> {
        Ok(load(ctx, id).await?.and_then(|row| Seller::visible(ctx, row)))
    }

    #[graphql(entity)]
    async fn seller_by_id(&self, ctx: &Context<'_>, id: SellerId) -> Result<Option<Seller>> {
        Ok(load(ctx, id).await?.and_then(|row| Seller::visible(ctx, row)))
    }

    /// Sellers, oldest first. For admins.
    async fn sellers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that stand here.")] status: Option<ShownStatus>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to go on.")] after: Option<String>,
    ) -> Result<Connection<Cursor<SellerId>, Seller>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let rows = list(ctx.data_unchecked::<Accounts>(), status.map(Into::into), &page).await?;
        Ok(page.connection(rows, |row| row.id, Seller::new))
    }
}

async fn list(
    accounts: &Accounts,
    status: Option<row::Status>,
    page: &Page<SellerId>,
) -> std::result::Result<Vec<row::Model>, Failure> {
    let mut sellers = row::Entity::find().order_by_asc(row::Column::Id).limit(page.rows());
    if let Some(status) = status {
        sellers = sellers.filter(row::Column::Status.eq(status));
    }
    if let Some(after) = page.after {
        sellers = sellers.filter(row::Column::Id.gt(after));
    }
    Ok(sellers.all(accounts.env.db.read()).await?)
}

/// An application for a shop.
#[derive(InputObject)]
struct ApplyAsSellerInput {
    /// The shop's public name, 1 to 100 characters.
    name: String,
    /// 1 to 255 characters of your choice: the same key applies once.
    idempotency_key: String,
}

/// What came of `applyAsSeller`.
#[derive(SimpleObject)]
struct ApplyAsSellerPayload {
    /// Your shop, which waits for an admin.
    seller: Option<Seller>,
    /// Why the application was not taken.
    user_errors: Vec<ApplyAsSellerError>,
}

refusals! {
    /// Why an application was not taken.
    ApplyAsSellerError,
    /// Why an application was not taken.
    ApplyAsSellerErrorCode {
        /// You have a shop or an application already.
        AlreadyApplied,
        /// The name is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// The account was erased.
        Erased,
        /// The key came before with another application.
        IdempotencyConflict,
    }
}

impl From<ApplyRefusal> for ApplyAsSellerError {
    fn from(refusal: ApplyRefusal) -> Self {
        use ApplyAsSellerErrorCode::{AlreadyApplied, Erased, IdempotencyConflict, InvalidInput};
        match refusal {
            ApplyRefusal::Invalid(invalid) => {
                Self::new(InvalidInput, &["input", invalid.field], invalid.message)
            }
            ApplyRefusal::AlreadyApplied(_) => Self::new(AlreadyApplied, &[], refusal),
            ApplyRefusal::Erased => Self::new(Erased, &[], refusal),
            ApplyRefusal::KeyReused => Self::new(IdempotencyConflict, &["input", "idempotencyKey"], refusal),
        }
    }
}

/// Which seller a decision is about.
#[derive(InputObject)]
struct SellerDecisionInput {
    /// The seller's id.
    seller_id: SellerId,
}

/// Which seller a decision is about, and why.
#[derive(InputObject)]
struct SellerRefusalInput {
    /// The seller's id.
    seller_id: SellerId,
    /// Shown to the owner, 1 to 500 characters.
    reason: String,
}

/// What came of a decision about a seller.
#[derive(SimpleObject)]
struct SellerDecisionPayload {
    /// The seller as it stands now.
    seller: Option<Seller>,
    /// Why the decision was not carried out.
    user_errors: Vec<SellerDecisionError>,
}

refusals! {
    /// Why a decision about a seller was not carried out.
    SellerDecisionError,
    /// Why a decision about a seller was not carried out.
    SellerDecisionErrorCode {
        /// There is no such seller.
        NotFound,
        /// The seller does not stand where this decision starts: see `SellerStatus`.
        WrongStatus,
        /// The owner has erased the account.
        OwnerErased,
        /// The reason is too short, too long, or has characters that cannot be seen.
        InvalidInput,
    }
}

impl From<DecideRefusal> for SellerDecisionError {
    fn from(refusal: DecideRefusal) -> Self {
        use SellerDecisionErrorCode::{InvalidInput, NotFound, OwnerErased, WrongStatus};
        match refusal {
            DecideRefusal::Invalid(invalid) => {
                Self::new(InvalidInput, &["input", invalid.field], invalid.message)
            }
            DecideRefusal::NotFound => Self::new(NotFound, &["input", "sellerId"], refusal),
            DecideRefusal::WrongStatus(_) => Self::new(WrongStatus, &["input", "sellerId"], refusal),
            DecideRefusal::OwnerErased => Self::new(OwnerErased, &["input", "sellerId"], refusal),
        }
    }
}

#[derive(Default)]
pub(super) struct SellerMutation;

#[Object]
impl SellerMutation {
    /// Applies for a shop. Who was rejected may apply again.
    async fn apply_as_seller(
        &self,
        ctx: &Context<'_>,
        input: ApplyAsSellerInput,
    ) -> Result<ApplyAsSellerPayload> {
        let (viewer, accounts) = (acting(ctx).await?, ctx.data_unchecked::<Accounts>());
        let request = Request::new("applyAsSeller", viewer.user, &input.idempotency_key, &input.name)?;
        let (now, user) = (accounts.env.clock.now(), viewer.user);
        let applied = tx::run(&accounts.env.db, async |tx| {
            idempotency::once(tx, now, request, || seller::apply(tx, now, user, &input.name)).await
        });
        Ok(match applied.await? {
            Ok(id) => {
                ApplyAsSellerPayload { seller: load(ctx, id).await?.map(Seller::own), user_errors: vec![] }
            }
            Err(refusal) => ApplyAsSellerPayload { seller: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Lets a seller who applied sell. For admins.
    async fn verify_seller(
        &self,
        ctx: &Context<'_>,
        input: SellerDecisionInput,
    ) -> Result<SellerDecisionPayload> {
        decide(ctx, input.seller_id, Decision::Verify).await
    }

    /// Refuses an application. For admins.
    async fn reject_seller(
        &self,
        ctx: &Context<'_>,
        input: SellerRefusalInput,
    ) -> Result<SellerDecisionPayload> {
        decide(ctx, input.seller_id, Decision::Reject { reason: input.reason }).await
    }

    /// Stops a verified seller from selling. For admins.
    async fn suspend_seller(
        &self,
        ctx: &Context<'_>,
        input: SellerRefusalInput,
    ) -> Result<SellerDecisionPayload> {
        decide(ctx, input.seller_id, Decision::Suspend { reason: input.reason }).await
    }

    /// Lets a suspended seller sell again. For admins.
    async fn reinstate_seller(
        &self,
        ctx: &Context<'_>,
        input: SellerDecisionInput,
    ) -> Result<SellerDecisionPayload> {
        decide(ctx, input.seller_id, Decision::Reinstate).await
    }
}

async fn decide(ctx: &Context<'_>, id: SellerId, decision: Decision) -> Result<SellerDecisionPayload> {
    let admin = acting_as(ctx, Role::Admin).await?;
    let accounts = ctx.data_unchecked::<Accounts>();
    let (now, actor) = (accounts.env.clock.now(), admin.user.to_string());
    let decided =
        tx::run(&accounts.env.db, async |tx| seller::decide(tx, now, &actor, id, decision).await).await?;
    Ok(match decided {
        Ok(row) => SellerDecisionPayload { seller: Some(Seller::new(row)), user_errors: vec![] },
        Err(refusal) => SellerDecisionPayload { seller: None, user_errors: vec![refusal.into()] },
    })
}
