//! `souk import`: a file of goods into the catalog. Killed at any point, the same command goes on where it ended.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use catalog::import::file::job::{self, FileHash, Job, Start};
use catalog::import::file::{Batches, Format};
use chassis::Env;
use clap::{Args, ValueEnum};
use contract::SellerId;
use entity::catalog::seller::{self, Status};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::market::ServiceName;
use crate::settings::Settings;

/// Bytes read at once.
const BUFFER: usize = 64 * 1024;
/// How often the progress is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);
/// Cells of the progress bar.
const BAR: usize = 30;
/// Errors that are shown; the report has the others.
const SHOWN_MAX: u64 = 10;
/// Errors read at once.
const PAGE: u64 = 1_000;

/// What to import.
#[derive(Debug, Args)]
pub struct Import {
    #[command(flatten)]
    settings: Settings,
    /// The file: CSV with a header, or a JSON object on each line; UTF-8. The columns are described in docs/operations.md.
    file: PathBuf,
    /// How the file is written; from its name when it is not given: `.jsonl` and `.ndjson` are JSON Lines.
    #[arg(long)]
    format: Option<Written>,
    /// The shop that offers the goods: its id or its exact name. Without one rows cannot have a price.
    #[arg(long, env = "SOUK_IMPORT_SELLER")]
    seller: Option<String>,
    /// Checks every row and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where to write what was wrong, a JSON object for each error; `<FILE>.report.jsonl` when it is not given.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Written {
    Csv,
    Jsonl,
}

/// Rows were refused: the rest is imported. The command ends with the code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0} rows were refused; see {1}")]
pub struct RowsRefused(i64, String);

/// Imports a file.
pub async fn run(import: Import) -> anyhow::Result<()> {
    let path = import.file.display().to_string();
    let file_hash = hash(&import.file).with_context(|| format!("{path} cannot be read"))?;
    let market = import.settings.open_market().await?;
    let service = market.service(ServiceName::Catalog).context("catalog runs in every market")?;
    let done = import_file(&service.env, &import, file_hash).await;
    market.stop().await;
    let (job, report) = done?;
    say(&job, &report);
    match job.rows_refused {
        0 => Ok(()),
        refused => Err(RowsRefused(refused, report.display().to_string()).into()),
    }
}

async fn import_file(env: &Env, import: &Import, file_hash: String) -> anyhow::Result<(Job, PathBuf)> {
    let seller = match &import.seller {
        Some(named) => Some(shop(env, named).await?),
        None => None,
    };
    let read = Arc::new(AtomicU64::new(0));
    let file = File::open(&import.file)?;
    let mut progress = Progress::new(file.metadata()?.len(), read.clone());
    let file = BufReader::with_capacity(BUFFER, Counted { file, read });
    let mut batches = Batches::new(file, import.format())?;
    let start =
        Start { owner: None, seller, creates: true, dry_run: import.dry_run, file_hash, rows_total: None };
    let mut job = job::resume(env, start).await.map_err(anyhow::Error::msg)?;
    while let Some(batch) = batches.next_batch()? {
        if batch.position >= job.position {
            job = job::step(env, None, job.id, &batch).await.map_err(anyhow::Error::msg)?;
        }
        progress.draw(&job);
    }
    progress.end();
    let report = import.report.clone().unwrap_or_else(|| beside(&import.file));
    write_report(env, &job, &report)
        .await
        .with_context(|| format!("{} cannot be written", report.display()))?;
    Ok((job, report))
}

impl Import {
    fn format(&self) -> Format {
        let ending = self.file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match self.format {
            Some(Written::Csv) => Format::Csv,
            Some(Written::Jsonl) => Format::JsonLines,
            None if ["jsonl", "ndjson", "json"].contains(&ending.as_str()) => Format::JsonLines,
            None => Format::Csv,
        }
    }
}

fn hash(path: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, FileHash::default(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.text()),
            some => hash.update(&buffer[..some]),
        }
    }
}

/// The verified shop with this id or name.
async fn shop(env: &Env, named: &str) -> anyhow::Result<SellerId> {
    let wanted = match named.parse::<SellerId>() {
        Ok(id) => seller::Column::Id.eq(id),
        Err(_) => seller::Column::Name.eq(named),
    };
    let shops = seller::Entity::find().filter(wanted).all(env.db.read()).await?;
    match shops.as_slice() {
        [shop] if shop.status == Status::Verified => Ok(shop.id),
        [_] => bail!("the shop {named} is not verified: it may not sell"),
        [] => bail!("there is no shop {named}; one that is new is known after the marketplace has run once"),
        _ => bail!("there are several shops called {named}: give the id"),
    }
}

/// `books.csv.report.jsonl` for `books.csv`.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".report.jsonl");
    file.with_file_name(name)
}

/// Written whole under another name first, so that a kill leaves no half a report.
async fn write_report(env: &Env, job: &Job, path: &Path) -> anyhow::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    let mut file = BufWriter::new(File::create(&draft)?);
    let mut last = 0;
    loop {
        let errors = job::errors(env.db.read(), job.id, last, PAGE).await.map_err(anyhow::Error::msg)?;
        let Some(end) = errors.last() else { break };
        last = end.number;
        for error in errors {
            let line = json!({
                "line": error.line, "column": error.column_number, "field": error.field,
                "code": error.code, "message": error.message,
            });
            writeln!(file, "{line}")?;
        }
    }
    let summary = json!({
        "import": job.id, "dryRun": job.dry_run, "rows": job.rows_done, "refused": job.rows_refused, "errors": job.errors,
        "products": job.products, "offers": job.offers_new, "offersChanged": job.offers_changed, "unchanged": job.unchanged,
    });
    writeln!(file, "{summary}")?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&draft, path)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn say(job: &Job, report: &Path) {
    let what = if job.dry_run { "Nothing was changed. Of" } else { "Of" };
    println!(
        "{what} {} rows: {} new products, {} new offers, {} changed offers, {} unchanged, {} refused.",
        job.rows_done, job.products, job.offers_new, job.offers_changed, job.unchanged, job.rows_refused
    );
    if job.rows_refused > 0 {
        for line in std::fs::read_to_string(report).unwrap_or_default().lines().take(SHOWN_MAX as usize) {
            println!("  {line}");
        }
    }
}

/// Counts what is read of a file.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let some = self.file.read(buffer)?;
        self.read.fetch_add(some as u64, Ordering::Relaxed);
        Ok(some)
    }
}

/// A progress bar on a terminal; nothing elsewhere.
struct Progress {
    bytes: u64,
    read: Arc<AtomicU64>,
    drawn: Option<Instant>,
    shows: bool,
}

impl Progress {
    fn new(bytes: u64, read: Arc<AtomicU64>) -> Self {
        Self { bytes, read, drawn: None, shows: io::stderr().is_terminal() }
    }

    fn draw(&mut self, job: &Job) {
        if !self.shows || self.drawn.is_some_and(|drawn| drawn.elapsed() < DRAW_EVERY) {
            return;
        }
        self.drawn = Some(Instant::now());
        let read = self.read.load(Ordering::Relaxed);
        let share = (read * 100).checked_div(self.bytes).unwrap_or(100).min(100) as usize;
        let (full, empty) = ("#".repeat(share * BAR / 100), ".".repeat(BAR - share * BAR / 100));
        // A terminal that is gone is no reason to stop.
        _ = write!(
            io::stderr(),
            "\r[{full}{empty}] {share:3} %  {} rows, {} refused",
            job.rows_done,
            job.rows_refused
        );
    }

    fn end(&self) {
        if self.drawn.is_some() {
            _ = writeln!(io::stderr());
        }
    }
}
