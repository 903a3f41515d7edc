//! The category tree: how it looks and how admins change it.

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::idempotency::{self, Request};
use chassis::page::{Cursor, Page};
use chassis::{Denied, Failure, tx};
use contract::{CategoryId, Long};
use entity::catalog::category as row;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::answer::{HANDLE_TAKEN, KEY_REUSED, invalid, one, stale};
use super::loaders::{ChildrenOf, Handle, load};
use super::product::Product;
use super::shared::{env, found, version};
use crate::category::{self, Misplaced};
use crate::shown::products::{InCategory, Place, Sort};

/// A node of the category tree.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// Its name.
    pub name: String,
    /// Its name in web addresses, unique.
    pub handle: String,
    /// The handles from the root to here: `shoes/sneakers`.
    pub path: String,
    /// Rises with every change; send it back as `expectedVersion`.
    pub version: Long,
    #[graphql(skip)]
    ancestors: Vec<String>,
    #[graphql(skip)]
    parent: Option<CategoryId>,
}

impl From<row::Model> for Category {
    fn from(category: row::Model) -> Self {
        Self {
            ancestors: category.ancestors().map(str::to_owned).collect(),
            id: category.id,
            name: category.name,
            handle: category.handle,
            path: category.path,
            version: version(category.version),
            parent: category.parent_id,
        }
    }
}

#[ComplexObject]
impl Category {
    /// The category above; null: it is a root.
    async fn parent(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Category>> {
        let Some(parent) = self.parent else {
            return Ok(None);
        };
        Ok(load(ctx, parent).await?.map(Category::from))
    }

    /// The categories above, root first; at most 7.
    async fn ancestors(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let above = self.ancestors.iter().map(|handle| load(ctx, Handle(handle.clone())));
        let above = futures::future::try_join_all(above).await?;
        Ok(above.into_iter().flatten().map(Category::from).collect())
    }

    /// The categories directly below, by handle; at most 200.
    async fn children(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let children = load(ctx, ChildrenOf(self.id)).await?.unwrap_or_default();
        Ok(children.into_iter().map(Category::from).collect())
    }

    /// The published products in it or anywhere below, newest first.
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<Place>, Product>> {
        let page = Page::<Place>::read(first, after.as_deref())?;
        if page.after.as_ref().is_some_and(|place| !place.fits(Sort::Newest)) {
            return Err(Denied::bad_input("after", "is a cursor of a list in another order").into());
        }
        let key = InCategory { category: self.id, first: page.first, after: page.after.clone() };
        let rows = load(ctx, key).await?.unwrap_or_default();
        Ok(page.connection(rows, |product| Place::Newest(product.id), Product::from))
    }
}

#[derive(Default)]
pub struct CategoryQueries;

#[Object]
impl CategoryQueries {
    /// One category. Null: there is none.
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id. Give the id or the handle.")] id: Option<CategoryId>,
        #[graphql(desc = "Its handle. Give the id or the handle.")] handle: Option<String>,
    ) -> async_graphql::Result<Option<Category>> {
        let category = match (id, handle) {
            (Some(id), None) => load(ctx, id).await?,
            (None, Some(handle)) if handle.contains('\0') => None,
            (None, Some(handle)) => load(ctx, Handle(handle)).await?,
            _ => return Err(Denied::bad_input("id", "give the id or the handle").into()),
        };
        Ok(category.map(Category::from))
    }

    /// The categories directly below one, by handle.
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose children; none: the roots.")] parent: Option<CategoryId>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<String>, Category>> {
        let page = Page::<String>::read(first, after.as_deref())?;
        let below = match parent {
            Some(parent) => row::Column::ParentId.eq(parent),
            None => row::Column::ParentId.is_null(),
        };
        let mut rows = row::Entity::find().filter(below).order_by_asc(row::Column::Handle).limit(page.rows());
        if let Some(after) = &page.after {
            rows = rows.filter(row::Column::Handle.gt(after.as_str()));
        }
        let rows = rows.all(env(ctx).db.read()).await.map_err(Failure::from)?;
        Ok(page.connection(rows, |category| category.handle.clone(), Category::from))
    }
}

#[derive(InputObject)]
pub struct CreateCategoryInput {
    /// 1 to 200 characters.
    pub name: String,
    /// Its name in web addresses; none: made from the name.
    pub handle: Option<String>,
    /// The category above; none: it is a root.
    pub parent_id: Option<CategoryId>,
    /// 1 to 255 characters of the client's choice: the same key creates once.
    pub idempotency_key: String,
}

answer! {
    /// What came of `createCategory`.
    CreateCategoryPayload {
        /// The category.
        category: Category
    }
    /// Why a category was not created.
    CreateCategoryError {}
    /// What is wrong with a `createCategory`.
    CreateCategoryErrorCode {
        /// A field is too long, empty, or has characters that it must not have.
        InvalidInput,
        /// Another category has this handle.
        HandleTaken,
        /// There is no such parent.
        ParentNotFound,
        /// It would be deeper than 8 levels.
        TooDeep,
        /// The parent has 200 children already.
        TooManyChildren,
        /// The idempotency key was used with another input.
        IdempotencyConflict,
    }
}

impl From<category::CreateRefusal> for Vec<CreateCategoryError> {
    fn from(refusal: category::CreateRefusal) -> Self {
        use CreateCategoryErrorCode as Code;
        use category::CreateRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::HandleTaken => one(Code::HandleTaken, &["handle"], HANDLE_TAKEN),
            Refusal::Misplaced(Misplaced::ParentNotFound | Misplaced::Circular) => {
                one(Code::ParentNotFound, &["parentId"], NO_PARENT)
            }
            Refusal::Misplaced(Misplaced::TooDeep) => one(Code::TooDeep, &["parentId"], TOO_DEEP),
            Refusal::Misplaced(Misplaced::TooManyChildren) => {
                one(Code::TooManyChildren, &["parentId"], TOO_MANY)
            }
            Refusal::IdempotencyConflict => one(Code::IdempotencyConflict, &["idempotencyKey"], KEY_REUSED),
        }
    }
}

const NO_PARENT: &str = "there is no such category";
const TOO_DEEP: &str = "the tree has at most 8 levels";
const TOO_MANY: &str = "a category has at most 200 children";

#[derive(InputObject)]
pub struct ChangeCategoryInput {
    /// Which category.
    pub id: CategoryId,
    /// The version that the change is made from.
    pub expected_version: Long,
    /// 1 to 200 characters.
    pub name: Option<String>,
    /// Its name in web addresses. Links to the old one break.
    pub handle: Option<String>,
    /// Moves it, with everything below it; null makes it a root.
    pub parent_id: MaybeUndefined<CategoryId>,
}

answer! {
    /// What came of `changeCategory`.
    ChangeCategoryPayload {
        /// The category as it is now.
        category: Category
    }
    /// Why a category was not changed.
    ChangeCategoryError {
        /// The version it has now, when the expected one is stale.
        current_version: Long,
    }
    /// What is wrong with a `changeCategory`.
    ChangeCategoryErrorCode {
        /// A field is too long, empty, or has characters that it must not have.
        InvalidInput,
        /// There is no such category.
        NotFound,
        /// It changed since the expected version.
        StaleVersion,
        /// Another category has this handle.
        HandleTaken,
        /// There is no such parent.
        ParentNotFound,
        /// The parent is the category itself or below it.
        Circular,
        /// Something would be deeper than 8 levels.
        TooDeep,
        /// The parent has 200 children already.
        TooManyChildren,
    }
}

impl From<category::ChangeRefusal> for Vec<ChangeCategoryError> {
    fn from(refusal: category::ChangeRefusal) -> Self {
        use ChangeCategoryErrorCode as Code;
        use category::ChangeRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::NotFound => one(Code::NotFound, &["id"], "there is no such category"),
            Refusal::Stale { current_version } => stale(Code::StaleVersion, current_version),
            Refusal::HandleTaken => one(Code::HandleTaken, &["handle"], HANDLE_TAKEN),
            Refusal::Misplaced(Misplaced::ParentNotFound) => {
                one(Code::ParentNotFound, &["parentId"], NO_PARENT)
            }
            Refusal::Misplaced(Misplaced::Circular) => {
                one(Code::Circular, &["parentId"], "a category cannot be below itself")
            }
            Refusal::Misplaced(Misplaced::TooDeep) => one(Code::TooDeep, &["parentId"], TOO_DEEP),
            Refusal::Misplaced(Misplaced::TooManyChildren) => {
                one(Code::TooManyChildren, &["parentId"], TOO_MANY)
            }
        }
    }
}

versioned!(ChangeCategoryError);

#[derive(Default)]
pub struct CategoryMutations;

#[Object]
impl CategoryMutations {
    /// Adds a category to the tree. For admins.
    async fn create_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to create.")] input: CreateCategoryInput,
    ) -> async_graphql::Result<CreateCategoryPayload> {
        let (env, viewer) = (env(ctx), Viewer::with_role(ctx, Role::Admin)?);
        let now = env.clock.now();
        let command = category::Create { name: input.name, handle: input.handle, parent: input.parent_id };
        let request = Request::new("createCategory", viewer.user, &input.idempotency_key, &command)?;
        let created = tx::run(&env.db, async |tx| {
            match idempotency::once(tx, now, request, || category::create(tx, now, viewer, command)).await? {
                Ok(id) => Ok(Ok(found(row::Entity::find_by_id(id).one(tx).await?)?)),
                Err(refusal) => Ok(Err(refusal)),
            }
        });
        Ok(CreateCategoryPayload::of(created.await?))
    }

    /// Renames a category, or moves it with everything below it. For admins.
    async fn change_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change; what is left out stays.")] input: ChangeCategoryInput,
    ) -> async_graphql::Result<ChangeCategoryPayload> {
        let viewer = Viewer::with_role(ctx, Role::Admin)?;
        let change = category::Change {
            id: input.id,
            expected_version: input.expected_version.0,
            name: input.name,
            handle: input.handle,
            parent: input.parent_id.into(),
        };
        let (db, now) = (&env(ctx).db, env(ctx).clock.now());
        let changed = tx::run(db, async |tx| category::change(tx, now, viewer, change).await);
        Ok(ChangeCategoryPayload::of(changed.await?))
    }
}
