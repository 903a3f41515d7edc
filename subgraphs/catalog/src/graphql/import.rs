//! Imports: files of goods, and how far they are.

use std::time::Duration;

use async_graphql::connection::Connection;
use async_graphql::{
    ComplexObject, Context, Enum, InputObject, Object, SimpleObject, Subscription as Subscribe,
};
use chassis::auth::{Role, Viewer};
use chassis::idempotency::{self, Request};
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{ImportJobId, Long, SellerId, UserId};
use entity::catalog::{import_error, import_job as row};
use futures::{Stream, stream};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::answer::{KEY_REUSED, NO_SELLER, NOT_VERIFIED, one};
use super::shared::{Seller, env, found};
use crate::import::file::job::{self, CancelRefusal, FileHash, Start, StartRefusal};
use crate::import::file::{BadFile, Code, Format};

/// How often `importProgress` looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where an import stands. RUNNING becomes DONE or CANCELLED, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::State")]
pub enum ImportState {
    /// Its rows are being imported. It goes on by itself when the server restarts.
    Running,
    /// Every row was imported or refused.
    Done,
    /// It was stopped; what had been imported stays.
    Cancelled,
}

/// How a file is written. UTF-8, either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Format")]
pub enum ImportFormat {
    /// A header, then a record for each line; a comma, a semicolon or a tab between fields, double quotes around a field
    /// that has one of them in it.
    Csv,
    /// A JSON object for each line; its fields are the columns.
    JsonLines,
}

/// What is wrong with a row of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Code")]
pub enum ImportErrorCode {
    /// The header lacks a column, or has one that cannot be, or one twice.
    Header,
    /// A line is longer than 256 KiB.
    LineTooLong,
    /// The text is not UTF-8.
    InvalidUtf8,
    /// A quote is never closed, or text follows a closed one.
    Quote,
    /// A row has more or fewer fields than the header: half a line, perhaps.
    FieldCount,
    /// A line is no JSON object, or has an object inside.
    Json,
    /// A field is missing, or not as it must be.
    InvalidValue,
    /// An earlier line is about the same variant in the same condition.
    Duplicate,
    /// The catalog has something else with this number, handle or SKU, or hides the product.
    Taken,
    /// The catalog has products with nearly this title and brand; the message names their handles. Propose it by hand.
    LooksLike,
    /// The shop may not sell now.
    SellerNotVerified,
}

/// A file of goods on its way into the catalog.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ImportJob {
    /// Its id.
    pub id: ImportJobId,
    /// Where it stands.
    pub state: ImportState,
    /// Whether nothing is changed: the rows are only checked.
    pub dry_run: bool,
    /// Rows of the file.
    pub rows_total: Option<Long>,
    /// Rows that were imported or refused so far.
    pub rows_done: Long,
    /// Rows that were refused.
    pub rows_refused: Long,
    /// Rows that said nothing new.
    pub rows_unchanged: Long,
    /// Products that are new.
    pub products_created: Long,
    /// Products that were proposed, and wait for an admin.
    pub products_proposed: Long,
    /// Offers that are new.
    pub offers_created: Long,
    /// Offers that have another price now, or are published again.
    pub offers_changed: Long,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last went on.
    pub updated_at: DateTime<Utc>,
    #[graphql(skip)]
    seller: Option<SellerId>,
}

impl From<row::Model> for ImportJob {
    fn from(job: row::Model) -> Self {
        Self {
            id: job.id,
            state: job.state.into(),
            dry_run: job.dry_run,
            rows_total: job.rows_total.map(Long),
            rows_done: Long(job.rows_done),
            rows_refused: Long(job.rows_refused),
            rows_unchanged: Long(job.unchanged),
            products_created: Long(job.products),
            products_proposed: Long(job.proposals),
            offers_created: Long(job.offers_new),
            offers_changed: Long(job.offers_changed),
            created_at: job.created_at,
            updated_at: job.updated_at,
            seller: job.seller_id,
        }
    }
}

/// Something wrong with a row.
#[derive(SimpleObject)]
pub struct ImportRowError {
    /// The line of the file that the row begins at; the first is 1.
    pub line: Long,
    /// The number of the field in its row, from 1. For a line that is no JSON: the character.
    pub column: Option<i32>,
    /// The name of the column.
    pub field: Option<String>,
    /// What is wrong, to switch on.
    pub code: ImportErrorCode,
    /// What is wrong, for people.
    pub message: String,
}

impl From<import_error::Model> for ImportRowError {
    fn from(error: import_error::Model) -> Self {
        Self {
            line: Long(error.line),
            column: error.column_number,
            field: error.field,
            code: Code::of(&error.code).unwrap_or(Code::InvalidValue).into(),
            message: error.message,
        }
    }
}

#[ComplexObject]
impl ImportJob {
    /// Who offers the goods; null: nobody.
    async fn seller(&self) -> Option<Seller> {
        self.seller.map(|id| Seller { id })
    }

    /// What is wrong with rows, in the order of the file; the first 10,000 errors are kept.
    async fn errors(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<i64>, ImportRowError>> {
        let page = Page::<i64>::read(first, after.as_deref())?;
        let rows = job::errors(env(ctx).db.read(), self.id, page.after.unwrap_or(0), page.rows()).await?;
        Ok(page.connection(rows, |error| error.number, ImportRowError::from))
    }
}

/// The job, if it is the viewer's own; admins see all.
async fn of_viewer(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    id: ImportJobId,
) -> Result<Option<row::Model>, Failure> {
    let job = row::Entity::find_by_id(id).one(db).await?;
    Ok(job.filter(|job| viewer.is(Role::Admin) || job.owner == Some(viewer.user)))
}

#[derive(Default)]
pub struct ImportQueries;

#[Object]
impl ImportQueries {
    /// One import of the viewer; admins see all. Null: there is none.
    async fn import_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ImportJobId,
    ) -> async_graphql::Result<Option<ImportJob>> {
        let viewer = Viewer::required(ctx)?;
        Ok(of_viewer(env(ctx).db.read(), viewer, id).await?.map(ImportJob::from))
    }

    /// The viewer's imports, the newest first.
    async fn my_imports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<ImportJobId>, ImportJob>> {
        let viewer = Viewer::required(ctx)?;
        let page = Page::<ImportJobId>::read(first, after.as_deref())?;
        let mut rows = row::Entity::find()
            .filter(row::Column::Owner.eq(viewer.user))
            .order_by_desc(row::Column::Id)
            .limit(page.rows());
        if let Some(after) = page.after {
            rows = rows.filter(row::Column::Id.lt(after));
        }
        let rows = rows.all(env(ctx).db.read()).await.map_err(Failure::from)?;
        Ok(page.connection(rows, |job| job.id, ImportJob::from))
    }
}

#[derive(InputObject)]
pub struct StartImportInput {
    /// How the file is written.
    pub format: ImportFormat,
    /// The file: at most 900,000 bytes. Columns: `gtin` (or `isbn`, `isbn13`, `ean`, `upc`), `title`, `brand`, `model`,
    /// `description`, `category` (`Books > Novels`), `size`, `edition`, `sku`, `handle`, `images` (addresses with spaces
    /// between them), `condition`, `price` (`12.50`), `currency`, `quantity`, `location`; any other column is an
    /// attribute. There must be a `title` or a `gtin`. A row with a price is offered; its pieces are received once, however
    /// often the file is imported.
    pub content: String,
    /// Whether to check the rows only, and change nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// Who offers the goods. Sellers leave it out: they do. Admins name a seller, or nobody: then rows cannot have a price.
    pub seller_id: Option<SellerId>,
    /// 1 to 255 characters of the client's choice: the same key starts once.
    pub idempotency_key: String,
}

answer! {
    /// What came of `startImport`.
    StartImportPayload {
        /// The import, which has begun.
        import_job: ImportJob
    }
    /// Why a file is not imported.
    StartImportError {
        /// The line of the file, when it is about one.
        line: Long,
        /// The number of the column, when it is about one.
        column: i32,
    }
    /// What is wrong with a `startImport`.
    StartImportErrorCode {
        /// The file is larger than 900,000 bytes: cut it, or use the command line.
        TooLarge,
        /// The file is empty, its header cannot be understood, or it is not UTF-8.
        BadFile,
        /// The viewer is neither a verified seller nor an admin, or the seller that an admin named is not verified.
        SellerNotVerified,
        /// A seller named another one.
        SellerNotFound,
        /// The idempotency key was used with another input.
        IdempotencyConflict,
    }
}

impl From<StartRefusal> for Vec<StartImportError> {
    fn from(refusal: StartRefusal) -> Self {
        use StartImportErrorCode as Code;
        match refusal {
            StartRefusal::TooLarge => one(Code::TooLarge, &["content"], "must have at most 900000 bytes"),
            StartRefusal::BadFile(bad) => bad_file(&bad),
            StartRefusal::NotVerified => one(Code::SellerNotVerified, &[], NOT_VERIFIED),
            StartRefusal::SellerNotFound => one(Code::SellerNotFound, &["sellerId"], NO_SELLER),
            StartRefusal::IdempotencyConflict => {
                one(Code::IdempotencyConflict, &["idempotencyKey"], KEY_REUSED)
            }
        }
    }
}

fn bad_file(bad: &BadFile) -> Vec<StartImportError> {
    let mut errors: Vec<StartImportError> =
        one(StartImportErrorCode::BadFile, &["content"], &bad.to_string());
    if let BadFile::Header(problem) = bad {
        errors.iter_mut().for_each(|error| {
            error.line = Some(Long(problem.line as i64));
            error.column = problem.column.and_then(|column| i32::try_from(column).ok());
        });
    }
    errors
}

#[derive(InputObject)]
pub struct CancelImportInput {
    /// Which import.
    pub id: ImportJobId,
}

answer! {
    /// What came of `cancelImport`.
    CancelImportPayload {
        /// The import as it is now.
        import_job: ImportJob
    }
    /// Why an import was not stopped.
    CancelImportError {}
    /// What is wrong with a `cancelImport`.
    CancelImportErrorCode {
        /// The viewer has no such import.
        NotFound,
        /// It is done, or was stopped before.
        NotRunning,
    }
}

impl From<CancelRefusal> for Vec<CancelImportError> {
    fn from(refusal: CancelRefusal) -> Self {
        match refusal {
            CancelRefusal::NotFound => {
                one(CancelImportErrorCode::NotFound, &["id"], "you have no import with this id")
            }
            CancelRefusal::NotRunning => one(CancelImportErrorCode::NotRunning, &["id"], "it has ended"),
        }
    }
}

#[derive(Default)]
pub struct ImportMutations;

#[Object]
impl ImportMutations {
    /// Imports a file of goods: products that the catalog does not have, offers and their stock. An admin's products are
    /// created; a seller's are proposed, and listed when they are approved. For verified sellers and admins. It goes on in
    /// the background: watch `importProgress`.
    async fn start_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] input: StartImportInput,
    ) -> async_graphql::Result<StartImportPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let (now, format) = (env.clock.now(), Format::from(input.format));
        let mut hash = FileHash::default();
        hash.update(input.content.as_bytes());
        let file_hash = hash.text();
        let body = (&file_hash, input.dry_run, input.seller_id);
        let request = Request::new("startImport", viewer.user, &input.idempotency_key, &body)?;
        let kept = tx::run(&env.db, async |tx| {
            let keep = async || {
                let start = match Start::of(tx, viewer, input.seller_id, input.dry_run, file_hash).await? {
                    Ok(start) => start,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                job::keep(tx, now, start, format, &input.content).await
            };
            match idempotency::once(tx, now, request, keep).await? {
                Ok(id) => Ok(Ok(found(row::Entity::find_by_id(id).one(tx).await?)?)),
                Err(refusal) => Ok(Err(refusal)),
            }
        });
        Ok(StartImportPayload::of(kept.await?))
    }

    /// Stops an import. What it has imported stays. From RUNNING to CANCELLED. For its owner and admins.
    async fn cancel_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which import.")] input: CancelImportInput,
    ) -> async_graphql::Result<CancelImportPayload> {
        let (env, viewer) = (env(ctx), Viewer::required(ctx)?);
        let now = env.clock.now();
        let owner: Option<UserId> = (!viewer.is(Role::Admin)).then_some(viewer.user);
        let cancelled = tx::run(&env.db, async |tx| job::cancel(tx, now, owner, input.id).await);
        Ok(CancelImportPayload::of(cancelled.await?))
    }
}

pub struct Subscription;

#[Subscribe]
impl Subscription {
    /// An import of the viewer, or of anybody for admins: as it is now, then whenever it has gone on. Ends when the import
    /// does, and when the viewer's token does; at once when there is no such import.
    async fn import_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which import.")] id: ImportJobId,
    ) -> async_graphql::Result<impl Stream<Item = ImportJob> + use<>> {
        let (env, viewer) = (env(ctx).clone(), Viewer::required(ctx)?.clone());
        Ok(stream::unfold(Some(None), move |seen| {
            let (env, viewer) = (env.clone(), viewer.clone());
            async move { progress(&env, &viewer, id, seen?).await }
        }))
    }
}

/// The job once it is further than the position `seen`, and what has been seen then; None: it will not go further.
async fn progress(
    env: &Env,
    viewer: &Viewer,
    id: ImportJobId,
    seen: Option<i64>,
) -> Option<(ImportJob, Option<Option<i64>>)> {
    loop {
        if env.clock.now() >= viewer.expires_at {
            return None;
        }
        // A database that is away for a moment is asked again.
        match of_viewer(env.db.read(), viewer, id).await {
            Ok(None) => return None,
            Ok(Some(job)) if job.state != row::State::Running => return Some((job.into(), None)),
            Ok(Some(job)) if seen.is_none_or(|seen| job.position > seen) => {
                let position = job.position;
                return Some((job.into(), Some(Some(position))));
            }
            Ok(Some(_)) | Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = env.tasks.stopping().cancelled() => return None,
        }
    }
}
