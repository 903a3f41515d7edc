//! Locations, as clients see them.

use async_graphql::connection::Connection;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::idempotency::{Request, once};
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{LocationId, Long, SellerId};
use entity::inventory::location::{Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::offer::Seller;
use super::user_error::user_error;
use crate::limits::MIRROR_WAIT;
use crate::location::{self, Change, ChangeRefusal, Create, CreateRefusal};

/// A place where a seller keeps stock.
#[derive(SimpleObject)]
pub struct Location {
    /// The location's id.
    id: LocationId,
    /// Whose it is.
    seller: Seller,
    /// What the seller calls it.
    name: String,
    /// Whether it takes stock in. What lies in a closed location can still be sold.
    open: bool,
    /// Counts up by one with every change; the expected version of `changeLocation`.
    version: Long,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<Model> for Location {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            seller: Seller { id: row.seller_id },
            name: row.name,
            open: row.open,
            version: Long(row.version),
            created_at: row.created_at,
        }
    }
}

type Locations = Connection<Cursor<LocationId>, Location>;

#[derive(Default)]
pub struct LocationQueries;

#[Object]
impl LocationQueries {
    /// The locations of the viewer's shop, oldest first.
    async fn my_locations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Locations> {
        let viewer = Viewer::with_role(ctx, Role::Seller)?;
        let mine = location::kept_by(crate::Keeper::Seller(viewer.user));
        page(ctx, mine, Page::read(first, after.as_deref())?).await
    }

    /// The locations of any shop, oldest first. For admins.
    async fn locations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shop.")] seller_id: SellerId,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Locations> {
        Viewer::with_role(ctx, Role::Admin)?;
        let of_shop = Entity::find().filter(Column::SellerId.eq(seller_id));
        page(ctx, of_shop, Page::read(first, after.as_deref())?).await
    }
}

async fn page(ctx: &Context<'_>, locations: Select<Entity>, page: Page<LocationId>) -> Result<Locations> {
    let mut locations = locations.order_by_asc(Column::Id).limit(page.rows());
    if let Some(after) = page.after {
        locations = locations.filter(Column::Id.gt(after));
    }
    let rows = locations.all(ctx.data_unchecked::<Env>().db.read()).await.map_err(Failure::from)?;
    Ok(page.connection(rows, |row| row.id, Location::from))
}

/// A new location.
#[derive(InputObject)]
pub struct CreateLocationInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    idempotency_key: String,
    /// Whose it is. A seller with one shop can leave it out.
    seller_id: Option<SellerId>,
    /// What you call it: 1 to 100 characters, different from your other locations.
    name: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CreateLocationPayload {
    /// The new location; null when something is wrong.
    location: Option<Location>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<CreateLocationError>,
}

user_error! {
    /// Why a location was not made.
    CreateLocationError (CreateLocationErrorCode) {
        /// There is no such shop of yours, or you have several and named none.
        SellerNotFound,
        /// The name is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// The shop has a location of this name.
        NameTaken,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

/// What to change about a location. What is left out stays.
#[derive(InputObject)]
pub struct ChangeLocationInput {
    /// The location.
    id: LocationId,
    /// The `version` that you saw: when it has changed since, nothing is done.
    expected_version: Option<Long>,
    /// A new name: 1 to 100 characters, different from your other locations.
    name: Option<String>,
    /// Whether it takes stock in.
    open: Option<bool>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ChangeLocationPayload {
    /// The location afterwards; null when something is wrong.
    location: Option<Location>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ChangeLocationError>,
}

user_error! {
    /// Why a location was not changed.
    ChangeLocationError (ChangeLocationErrorCode) {
        /// There is no such location of yours.
        NotFound,
        /// The name is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// The shop has a location of this name.
        NameTaken,
        /// It changed since you saw it.
        StaleVersion,
    }
    facts {
        /// The location's version now.
        current_version: Long,
    }
}

#[derive(Default)]
pub struct LocationMutations;

#[Object]
impl LocationMutations {
    /// Makes a place where stock can be kept.
    async fn create_location(
        &self,
        ctx: &Context<'_>,
        input: CreateLocationInput,
    ) -> Result<CreateLocationPayload> {
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let body = (input.seller_id, &input.name);
        let request = Request::new("createLocation", keeper.actor(), &input.idempotency_key, &body)?;
        keeper.wait_for_shop(&env.db, input.seller_id, MIRROR_WAIT).await?;
        let now = env.clock.now();
        let command = Create { keeper, seller_id: input.seller_id, name: input.name };
        let done =
            tx::run(&env.db, async |tx| once(tx, now, request, || location::create(tx, now, command)).await);
        Ok(done.await?.into())
    }

    /// Renames, closes or reopens a location.
    async fn change_location(
        &self,
        ctx: &Context<'_>,
        input: ChangeLocationInput,
    ) -> Result<ChangeLocationPayload> {
        let command = Change {
            keeper: super::keeper(ctx)?,
            id: input.id,
            expected_version: input.expected_version.map(|version| version.0),
            name: input.name,
            open: input.open,
        };
        let env = ctx.data_unchecked::<Env>();
        Ok(tx::run(&env.db, async |tx| location::change(tx, command).await).await?.into())
    }
}

impl From<Result<Model, CreateRefusal>> for CreateLocationPayload {
    fn from(done: Result<Model, CreateRefusal>) -> Self {
        match done {
            Ok(location) => Self { location: Some(location.into()), user_errors: vec![] },
            Err(refusal) => Self { location: None, user_errors: vec![refusal.into()] },
        }
    }
}

impl From<CreateRefusal> for CreateLocationError {
    fn from(refusal: CreateRefusal) -> Self {
        use CreateLocationErrorCode as Code;
        let (code, field) = match refusal {
            CreateRefusal::SellerNotFound => (Code::SellerNotFound, "sellerId"),
            CreateRefusal::NameInvalid(_) => (Code::InvalidInput, "name"),
            CreateRefusal::NameTaken => (Code::NameTaken, "name"),
            CreateRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        Self::new(code, &["input", field], refusal)
    }
}

impl From<Result<Model, ChangeRefusal>> for ChangeLocationPayload {
    fn from(done: Result<Model, ChangeRefusal>) -> Self {
        match done {
            Ok(location) => Self { location: Some(location.into()), user_errors: vec![] },
            Err(refusal) => Self { location: None, user_errors: vec![refusal.into()] },
        }
    }
}

impl From<ChangeRefusal> for ChangeLocationError {
    fn from(refusal: ChangeRefusal) -> Self {
        use ChangeLocationErrorCode as Code;
        let (code, field, current) = match refusal {
            ChangeRefusal::NotFound => (Code::NotFound, "id", None),
            ChangeRefusal::NameInvalid(_) => (Code::InvalidInput, "name", None),
            ChangeRefusal::NameTaken => (Code::NameTaken, "name", None),
            ChangeRefusal::StaleVersion { current } => (Code::StaleVersion, "expectedVersion", Some(current)),
        };
        Self { current_version: current.map(Long), ..Self::new(code, &["input", field], refusal) }
    }
}
