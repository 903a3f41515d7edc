//! Jobs: a file on its way into the catalog, and how far it is.

use aws_lc_rs::digest::{Context, SHA256};
use chassis::auth::{Role, Viewer};
use chassis::idempotency::Conflict;
use chassis::{Env, Failure, Outcome, Tx, tx};
use chrono::{DateTime, Utc};
use contract::{ImportJobId, SellerId, UserId};
use entity::catalog::import_job::{self, State};
use entity::catalog::{import_chunk, import_error};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::Problem;
use super::apply::{self, Applied, Scope};
use super::batches::{Batch, Batches};
use super::records::{BadFile, Format};
use crate::search::Search;
use crate::seller::{self, NotSelling};

/// Bytes of a file that comes in a request: a request has at most a mebibyte.
pub const CONTENT_MAX: usize = 900_000;
/// Errors of a job that are kept; the others are counted.
const ERRORS_MAX: i64 = 10_000;
/// Rows of one insert: SQLite takes at most 32,766 values a statement.
const ROWS_MAX: usize = 1_000;

pub type Job = import_job::Model;

/// A file to import.
#[derive(Clone, Debug)]
pub struct Start {
    /// None: the command line.
    pub owner: Option<UserId>,
    pub seller: Option<SellerId>,
    /// Whether goods that the catalog does not have are created; else they are proposed.
    pub creates: bool,
    pub dry_run: bool,
    pub file_hash: String,
    pub rows_total: Option<i64>,
}

impl Start {
    /// What `viewer` may import: admins create goods, for a seller or for nobody; sellers offer their own.
    pub async fn of(
        tx: &Tx,
        viewer: &Viewer,
        seller: Option<SellerId>,
        dry_run: bool,
        file_hash: String,
    ) -> Outcome<Self, StartRefusal> {
        let creates = viewer.is(Role::Admin);
        let seller = match (creates, seller) {
            (true, None) => None,
            (_, named) => match seller::selling(tx, viewer, named).await? {
                Ok((_, seller)) => Some(seller),
                Err(NotSelling::NotVerified) => return Ok(Err(StartRefusal::NotVerified)),
                Err(NotSelling::NotFound) => return Ok(Err(StartRefusal::SellerNotFound)),
            },
        };
        let owner = Some(viewer.user);
        Ok(Ok(Self { owner, seller, creates, dry_run, file_hash, rows_total: None }))
    }

    fn row(self, now: DateTime<Utc>) -> Job {
        Job {
            id: ImportJobId::new(),
            owner: self.owner,
            seller_id: self.seller,
            creates: self.creates,
            dry_run: self.dry_run,
            file_hash: self.file_hash,
            state: State::Running,
            rows_total: self.rows_total,
            position: 0,
            rows_done: 0,
            rows_refused: 0,
            errors: 0,
            products: 0,
            proposals: 0,
            offers_new: 0,
            offers_changed: 0,
            unchanged: 0,
            created_at: now,
            updated_at: now,
        }
    }
}

/// What tells files apart.
pub struct FileHash(Context);

impl Default for FileHash {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl FileHash {
    pub fn update(&mut self, some: &[u8]) {
        self.0.update(some);
    }

    pub fn text(self) -> String {
        self.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[derive(Debug)]
pub enum StartRefusal {
    TooLarge,
    BadFile(BadFile),
    /// Neither an admin nor a verified seller; or the seller that an admin named is not verified.
    NotVerified,
    /// A seller named another one.
    SellerNotFound,
    IdempotencyConflict,
}

impl From<Conflict> for StartRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Keeps a file that came in a request; a worker imports it.
pub async fn keep(
    tx: &Tx,
    now: DateTime<Utc>,
    start: Start,
    format: Format,
    content: &str,
) -> Outcome<ImportJobId, StartRefusal> {
    let batches = match cut(format, content) {
        Ok(batches) => batches,
        Err(bad) => return Ok(Err(bad)),
    };
    let total = batches.iter().map(Batch::len).sum::<usize>() as i64;
    let job = Start { rows_total: Some(total), ..start }.row(now);
    let id = job.id;
    import_job::Entity::insert(job.into_active_model()).exec_without_returning(tx).await?;
    for batch in batches {
        let (position, batch) = (batch.position, serde_json::to_string(&batch)?);
        let chunk = import_chunk::Model { job_id: id, position, batch };
        import_chunk::Entity::insert(chunk.into_active_model()).exec_without_returning(tx).await?;
    }
    Ok(Ok(id))
}

fn cut(format: Format, content: &str) -> Result<Vec<Batch>, StartRefusal> {
    if content.len() > CONTENT_MAX {
        return Err(StartRefusal::TooLarge);
    }
    let mut batches = Batches::new(content.as_bytes(), format).map_err(StartRefusal::BadFile)?;
    let mut all = vec![];
    while let Some(batch) = batches.next_batch().map_err(|error| StartRefusal::BadFile(error.into()))? {
        all.push(batch);
    }
    Ok(all)
}

/// The job of a file that the command line imports: the one that was begun, or a new one.
pub async fn resume(env: &Env, start: Start) -> Result<Job, Failure> {
    let now = env.clock.now();
    tx::apply(&env.db, async |tx| {
        let begun = import_job::Entity::find()
            .filter(import_job::Column::FileHash.eq(&start.file_hash))
            .filter(import_job::Column::Owner.is_null())
            .filter(import_job::Column::DryRun.eq(false))
            .filter(import_job::Column::State.ne(State::Cancelled))
            .filter(match start.seller {
                Some(seller) => import_job::Column::SellerId.eq(seller),
                None => import_job::Column::SellerId.is_null(),
            })
            .order_by_desc(import_job::Column::Id);
        if let Some(begun) = begun.one(tx).await?
            && !start.dry_run
        {
            return Ok(begun);
        }
        let job = start.row(now);
        import_job::Entity::insert(job.clone().into_active_model()).exec_without_returning(tx).await?;
        Ok(job)
    })
    .await
}

/// Applies the batch that comes next, with the job's progress in one transaction; the job as it is then. A batch whose
/// turn it is not changes nothing. A dry run forgets what it did and keeps what it found. Without `search`, what is proposed
/// is compared with the catalog only by the words of its title.
pub async fn step(
    env: &Env,
    search: Option<&Search>,
    id: ImportJobId,
    batch: &Batch,
) -> Result<Job, Failure> {
    let now = env.clock.now();
    let job = find(env.db.read(), id).await?;
    if job.state != State::Running || job.position != batch.position {
        return Ok(job);
    }
    let alike = match search.filter(|_| !job.creates) {
        Some(search) => apply::look_for_alike(&env.db, search, &batch.rows).await?,
        None => Default::default(),
    };
    if !job.dry_run {
        return tx::apply(&env.db, async |tx| match due(tx, id, batch).await? {
            Ok(job) => {
                let applied = apply::apply(tx, now, &scope(&job), &batch.rows, &alike).await?;
                record(tx, now, job, batch, applied).await
            }
            Err(job) => Ok(job),
        })
        .await;
    }
    // Refused, and so rolled back.
    let tried = tx::run(&env.db, async |tx| {
        Ok(Err::<(), Applied>(apply::apply(tx, now, &scope(&job), &batch.rows, &alike).await?))
    });
    let found = tried.await?.err().unwrap_or_default();
    tx::apply(&env.db, async |tx| match due(tx, id, batch).await? {
        Ok(job) => record(tx, now, job, batch, found).await,
        Err(job) => Ok(job),
    })
    .await
}

/// The job, locked; `Err`: it is not the turn of this batch.
async fn due(tx: &Tx, id: ImportJobId, batch: &Batch) -> Result<Result<Job, Job>, Failure> {
    let job = import_job::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let job = job.ok_or_else(|| Failure::msg("an import that was begun is not there"))?;
    let is_due = job.state == State::Running && job.position == batch.position;
    Ok(if is_due { Ok(job) } else { Err(job) })
}

/// The command line has no user: what it brings belongs to the seller, or to nobody.
const NOBODY: UserId = UserId(uuid::Uuid::nil());

fn scope(job: &Job) -> Scope {
    Scope {
        seller: job.seller_id,
        user: job.owner.unwrap_or(NOBODY),
        creates: job.creates,
        file_hash: job.file_hash.clone(),
    }
}

async fn record(
    tx: &Tx,
    now: DateTime<Utc>,
    mut job: Job,
    batch: &Batch,
    mut applied: Applied,
) -> Result<Job, Failure> {
    applied.problems.extend(batch.problems.iter().cloned());
    applied.problems.sort_by_key(|problem| problem.line);
    keep_errors(tx, &job, &applied.problems).await?;
    let chunk = import_chunk::Entity::delete_by_id((job.id, batch.position));
    chunk.exec(tx).await?;
    job.position += 1;
    job.rows_done += batch.len() as i64;
    job.rows_refused += applied.refused();
    job.errors += applied.problems.len() as i64;
    job.products += applied.products;
    job.proposals += applied.proposals;
    job.offers_new += applied.offers_new;
    job.offers_changed += applied.offers_changed;
    job.unchanged += applied.unchanged;
    job.updated_at = now;
    if batch.last {
        job.state = State::Done;
        job.rows_total = Some(job.rows_done);
    }
    Ok(job.into_active_model().reset_all().update(tx).await?)
}

async fn keep_errors(tx: &Tx, job: &Job, problems: &[Problem]) -> Result<(), Failure> {
    let numbered = (job.errors + 1..=ERRORS_MAX).zip(problems);
    let rows: Vec<_> = numbered.map(|(number, problem)| error_row(job, number, problem)).collect();
    for some in rows.chunks(ROWS_MAX) {
        import_error::Entity::insert_many(some.iter().cloned()).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn error_row(job: &Job, number: i64, problem: &Problem) -> import_error::ActiveModel {
    let row = import_error::Model {
        job_id: job.id,
        number,
        line: problem.line as i64,
        column_number: problem.column.and_then(|column| i32::try_from(column).ok()),
        field: problem.field.clone(),
        code: problem.code.as_str().into(),
        message: problem.message.clone(),
    };
    row.into_active_model()
}

/// The job.
pub async fn find(db: &impl ConnectionTrait, id: ImportJobId) -> Result<Job, Failure> {
    let job = import_job::Entity::find_by_id(id).one(db).await?;
    job.ok_or_else(|| Failure::msg("an import that was begun is not there"))
}

/// A page of what was wrong with rows, in the order in which it was found; `after` is the number of the last one seen.
pub async fn errors(
    db: &impl ConnectionTrait,
    id: ImportJobId,
    after: i64,
    limit: u64,
) -> Result<Vec<import_error::Model>, Failure> {
    let errors = import_error::Entity::find()
        .filter(import_error::Column::JobId.eq(id))
        .filter(import_error::Column::Number.gt(after))
        .order_by_asc(import_error::Column::Number)
        .limit(limit);
    Ok(errors.all(db).await?)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelRefusal {
    NotFound,
    NotRunning,
}

/// Stops a job of `owner` (None: anybody's) after the batch that is being applied. What is imported stays.
pub async fn cancel(
    tx: &Tx,
    now: DateTime<Utc>,
    owner: Option<UserId>,
    id: ImportJobId,
) -> Outcome<Job, CancelRefusal> {
    let job = import_job::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let Some(mut job) = job.filter(|job| owner.is_none() || job.owner == owner) else {
        return Ok(Err(CancelRefusal::NotFound));
    };
    if job.state != State::Running {
        return Ok(Err(CancelRefusal::NotRunning));
    }
    import_chunk::Entity::delete_many().filter(import_chunk::Column::JobId.eq(id)).exec(tx).await?;
    (job.state, job.updated_at) = (State::Cancelled, now);
    Ok(Ok(job.into_active_model().reset_all().update(tx).await?))
}
