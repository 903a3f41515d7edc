//! The category tree, and which categories a product is in.

use chassis::auth::Viewer;
use chassis::idempotency::Conflict;
use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::CategoryId;
use entity::catalog::{category, category_tree, product, product_category};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
};
use serde::Serialize;
use serde_json::json;

use crate::input::{Checks, Problem};
use crate::product::{Closed, Target, open, touch};
use crate::search::{self, Changed};
use crate::sql::Sql;
use crate::{handle, unique};

/// Categories from a root to a leaf.
pub(crate) const DEPTH_MAX: usize = 8;
/// Categories directly below one.
pub(crate) const CHILDREN_MAX: u64 = 200;
/// Categories of a product.
const CATEGORIES_MAX: usize = 20;
/// Characters of a name.
pub(crate) const NAME_LENGTH_MAX: usize = 200;

/// A new category.
#[derive(Clone, Debug, Serialize)]
pub struct Create {
    pub name: String,
    /// None: made from the name.
    pub handle: Option<String>,
    /// None: a root.
    pub parent: Option<CategoryId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateRefusal {
    Invalid(Vec<Problem>),
    HandleTaken,
    Misplaced(Misplaced),
    IdempotencyConflict,
}

impl From<Conflict> for CreateRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Why a category cannot stand where it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    ParentNotFound,
    /// The parent is the category itself or below it.
    Circular,
    TooDeep,
    /// The parent has as many children as it may have.
    TooManyChildren,
}

/// Adds a node to the tree, for an admin.
pub async fn create(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    command: Create,
) -> Outcome<CategoryId, CreateRefusal> {
    let details = json!({ "name": command.name, "parent": command.parent });
    let added = add(tx, command).await?;
    if let Ok(id) = added {
        let actor = viewer.user.to_string();
        audit::record(tx, now, &actor, "create_category", &id.to_string(), details).await?;
    }
    Ok(added)
}

async fn add(tx: &Tx, command: Create) -> Outcome<CategoryId, CreateRefusal> {
    let mut checks = Checks::default();
    let name = checks.line("name", &command.name, NAME_LENGTH_MAX);
    let handle = command.handle.unwrap_or_else(|| handle::of(&name, "category"));
    checks.expect(handle::is_handle(&handle), "handle", handle::RULE);
    if let Err(problems) = checks.done() {
        return Ok(Err(CreateRefusal::Invalid(problems)));
    }
    lock_tree(tx).await?;
    let path = match path_under(tx, command.parent, &handle, None).await? {
        Ok(path) => path,
        Err(misplaced) => return Ok(Err(CreateRefusal::Misplaced(misplaced))),
    };
    let category =
        category::Model { id: CategoryId::new(), parent_id: command.parent, name, handle, path, version: 1 };
    let id = category.id;
    match category::Entity::insert(category.into_active_model()).exec_without_returning(tx).await {
        Err(error) if unique::broken(&error, "handle") => return Ok(Err(CreateRefusal::HandleTaken)),
        inserted => inserted?,
    };
    Ok(Ok(id))
}

/// What to change; `None` leaves as it is, a parent of `Some(None)` makes a root.
#[derive(Clone, Debug)]
pub struct Change {
    pub id: CategoryId,
    pub expected_version: i64,
    pub name: Option<String>,
    pub handle: Option<String>,
    pub parent: Option<Option<CategoryId>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeRefusal {
    Invalid(Vec<Problem>),
    NotFound,
    Stale { current_version: i64 },
    HandleTaken,
    Misplaced(Misplaced),
}

/// Renames a category or moves it with everything below it.
pub async fn change(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    change: Change,
) -> Outcome<category::Model, ChangeRefusal> {
    lock_tree(tx).await?;
    let Some(before) = category::Entity::find_by_id(change.id).one(tx).await? else {
        return Ok(Err(ChangeRefusal::NotFound));
    };
    if before.version != change.expected_version {
        return Ok(Err(ChangeRefusal::Stale { current_version: before.version }));
    }
    let mut checks = Checks::default();
    let mut category = renamed(&mut checks, &before, &change);
    if let Err(problems) = checks.done() {
        return Ok(Err(ChangeRefusal::Invalid(problems)));
    }
    category.path = match path_under(tx, category.parent_id, &category.handle, Some(&before)).await? {
        Ok(path) => path,
        Err(misplaced) => return Ok(Err(ChangeRefusal::Misplaced(misplaced))),
    };
    let category = match category.into_active_model().reset_all().update(tx).await {
        Err(error) if unique::broken(&error, "handle") => return Ok(Err(ChangeRefusal::HandleTaken)),
        updated => updated?,
    };
    move_below(tx, &before.path, &category.path).await?;
    let (actor, details) =
        (viewer.user.to_string(), json!({ "from": before.path, "to": category.path, "name": category.name }));
    audit::record(tx, now, &actor, "change_category", &category.id.to_string(), details).await?;
    search::note(tx, now, Changed::Below(&category.path)).await?;
    Ok(Ok(category))
}

/// The category called `name` below `parent`, made when it is missing. The tree is locked.
pub(crate) async fn ensure(
    tx: &Tx,
    parent: Option<CategoryId>,
    name: &str,
) -> Outcome<CategoryId, CreateRefusal> {
    let mut same = category::Entity::find().filter(category::Column::Name.eq(name.trim()));
    same = same.filter(match parent {
        Some(parent) => category::Column::ParentId.eq(parent),
        None => category::Column::ParentId.is_null(),
    });
    if let Some(same) = same.one(tx).await? {
        return Ok(Ok(same.id));
    }
    let mut handle = handle::of(name, "category");
    if category::Entity::find().filter(category::Column::Handle.eq(&handle)).count(tx).await? > 0 {
        handle = handle::told_apart(&handle, CategoryId::new().0);
    }
    let command = Create { name: name.into(), handle: Some(handle), parent };
    add(tx, command).await
}

fn renamed(checks: &mut Checks, before: &category::Model, change: &Change) -> category::Model {
    let mut category = before.clone();
    category.version += 1;
    if let Some(name) = &change.name {
        category.name = checks.line("name", name, NAME_LENGTH_MAX);
    }
    if let Some(handle) = &change.handle {
        checks.expect(handle::is_handle(handle), "handle", handle::RULE);
        category.handle = handle.clone();
    }
    if let Some(parent) = change.parent {
        category.parent_id = parent;
    }
    category
}

/// One at a time changes the shape of the tree.
pub(crate) async fn lock_tree(tx: &Tx) -> Result<(), Failure> {
    let changes = category_tree::Column::Changes;
    category_tree::Entity::update_many().col_expr(changes, Expr::col(changes).add(1)).exec(tx).await?;
    Ok(())
}

/// The path of a category called `handle` below `parent`; `moved` is what it was before.
async fn path_under(
    tx: &Tx,
    parent: Option<CategoryId>,
    handle: &str,
    moved: Option<&category::Model>,
) -> Outcome<String, Misplaced> {
    let above = match parent {
        None => String::new(),
        Some(parent) => {
            let Some(parent) = category::Entity::find_by_id(parent).one(tx).await? else {
                return Ok(Err(Misplaced::ParentNotFound));
            };
            if moved.is_some_and(|moved| is_within(&parent.path, &moved.path)) {
                return Ok(Err(Misplaced::Circular));
            }
            parent.path + "/"
        }
    };
    let stays = moved.is_some_and(|moved| moved.parent_id == parent);
    if !stays && children(tx, parent).await? >= CHILDREN_MAX {
        return Ok(Err(Misplaced::TooManyChildren));
    }
    let path = above + handle;
    let below = match moved {
        Some(moved) => depth_below(tx, &moved.path).await?,
        None => 0,
    };
    if path.split('/').count() + below > DEPTH_MAX {
        return Ok(Err(Misplaced::TooDeep));
    }
    Ok(Ok(path))
}

async fn children(tx: &Tx, parent: Option<CategoryId>) -> Result<u64, Failure> {
    let below = match parent {
        Some(parent) => category::Column::ParentId.eq(parent),
        None => category::Column::ParentId.is_null(),
    };
    Ok(category::Entity::find().filter(below).count(tx).await?)
}

/// How many levels there are below `path`.
async fn depth_below(tx: &Tx, path: &str) -> Result<usize, Failure> {
    let paths: Vec<String> = category::Entity::find()
        .select_only()
        .column(category::Column::Path)
        .filter(category::Column::Path.starts_with(format!("{path}/")))
        .into_tuple()
        .all(tx)
        .await?;
    let depth = |path: &str| path.split('/').count();
    let deepest = paths.iter().map(|below| depth(below)).max();
    Ok(deepest.map_or(0, |deepest| deepest - depth(path)))
}

/// Whether `path` is `top` or below it.
fn is_within(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Gives everything below `before` its path below `after`.
async fn move_below(tx: &Tx, before: &str, after: &str) -> Result<(), Failure> {
    if before == after {
        return Ok(());
    }
    let mut sql = Sql::new("update category set path = ");
    sql.bind(after).push(" || substr(path, ").bind(before.len() as i32 + 1).push(") where path like ");
    sql.bind(format!("{before}/%"));
    let statement = sql.statement(tx);
    sea_orm::ConnectionTrait::execute_raw(tx, statement).await?;
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetRefusal {
    Invalid(Vec<Problem>),
    Closed(Closed),
    CategoryNotFound { index: usize },
}

/// Puts a product into these categories, and no others.
pub async fn set(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
    categories: Vec<CategoryId>,
) -> Outcome<product::Model, SetRefusal> {
    let mut checks = Checks::default();
    let mut categories = checks.list("categoryIds", categories, CATEGORIES_MAX);
    if let Err(problems) = checks.done() {
        return Ok(Err(SetRefusal::Invalid(problems)));
    }
    let product = match open(tx, viewer, target).await? {
        Ok(product) => product,
        Err(closed) => return Ok(Err(SetRefusal::Closed(closed))),
    };
    let known = category::Entity::find().filter(category::Column::Id.is_in(categories.iter().copied()));
    let known: Vec<CategoryId> = known.all(tx).await?.into_iter().map(|category| category.id).collect();
    if let Some(index) = categories.iter().position(|id| !known.contains(id)) {
        return Ok(Err(SetRefusal::CategoryNotFound { index }));
    }
    categories.sort_unstable();
    categories.dedup();
    product_category::Entity::delete_many()
        .filter(product_category::Column::ProductId.eq(product.id))
        .exec(tx)
        .await?;
    let rows = categories.into_iter().map(|category_id| {
        product_category::Model { product_id: product.id, category_id }.into_active_model()
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        product_category::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(Ok(touch(tx, now, product).await?))
}
