//! One index: where its files are, how far it has come, reading and writing.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chassis::Failure;
use contract::{CategoryId, ProductId};
use entity::catalog::{attribute, category};
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::merge_policy::{LogMergePolicy, NoMergePolicy};
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, Term};
use tracing::{info, warn};
use uuid::Uuid;

use super::answers::Answers;
use super::columns::{Columns, Segments};
use super::document::key;
use super::fields::{Fields, VERSION, schema};
use super::find::{Found, Wanted};
use super::suggest::Suggested;

/// Memory for documents that are not written yet; the engine's least.
const WRITER_BYTES: usize = 15_000_000;
/// So many segments of about one size become one: a search looks for like words in every large segment anew.
const SEGMENTS_MERGED: usize = 4;
/// Documents below which sizes count as one: what changes makes a small segment with each commit, and those merge often.
const SMALL_SEGMENT: u32 = 1_000;
/// A segment of which so much was replaced is written anew.
const REPLACED_MAX: f32 = 0.3;
/// The file that names the folder of the index that serves.
const CURRENT: &str = "current";
/// The file that names the folder of an index in the making.
const NEXT: &str = "next";

/// How far an index has come. It is part of each commit, so that after a crash it is exactly true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    version: u32,
    /// The database that it follows.
    feed: Uuid,
    /// Changes up to here are in it.
    pub(super) revision: i64,
    /// Within the revision after that one, changes of products up to here are, too.
    pub(super) product: Uuid,
    /// While it is built: products up to this one are in it. None: it is whole.
    pub(super) building: Option<Uuid>,
}

impl Mark {
    /// Nothing yet, to be built from the rows that are there, and from the changes after `settled`.
    pub(super) fn start(feed: Uuid, settled: i64) -> Self {
        Self { version: VERSION, feed, revision: settled, product: Uuid::max(), building: Some(Uuid::nil()) }
    }
}

/// Where indexes are kept.
#[derive(Clone, Debug)]
pub(super) enum Home {
    Memory,
    Folder(PathBuf),
}

impl Home {
    pub(super) fn of(data_dir: Option<&Path>) -> Self {
        data_dir.map_or(Self::Memory, |folder| Self::Folder(folder.join("search")))
    }

    /// Opens the index that serves. None: there is none of use, and why was said.
    pub(super) fn open_current(&self, feed: Uuid, settled: i64) -> Result<Option<Index>, Failure> {
        let Some(folder) = self.named(CURRENT) else { return Ok(None) };
        match Index::open(&folder) {
            Ok(index) => match index.unfit(feed, settled) {
                None => return Ok(Some(index)),
                Some(why) => info!("The search index is built anew: {why}"),
            },
            Err(OpenError::InUse) => {
                return Err(Failure::msg(format!("{} is in use by another process", folder.display())));
            }
            Err(OpenError::Damaged(why)) => warn!("The search index is damaged and is built anew: {why}"),
        }
        Ok(None)
    }

    /// Makes an empty index that serves from now on.
    pub(super) fn create_current(&self, mark: Mark) -> Result<Index, Failure> {
        let Self::Folder(home) = self else { return Index::in_memory(mark) };
        fs::create_dir_all(home)?;
        let name = new_name();
        let index = Index::create(home.join(&name), mark)?;
        self.point(CURRENT, &name)?;
        self.sweep();
        Ok(index)
    }

    /// The index in the making, as far as it is; a new one when there is none of use.
    pub(super) fn next(&self, feed: Uuid, settled: i64) -> Result<Index, Failure> {
        let mark = Mark::start(feed, settled);
        let Self::Folder(home) = self else { return Index::in_memory(mark) };
        fs::create_dir_all(home)?;
        if let Some(folder) = self.named(NEXT) {
            match Index::open(&folder) {
                Ok(index) if index.unfit(feed, settled).is_none() => return Ok(index),
                Err(OpenError::InUse) => return Err(Failure::msg("another rebuild is under way")),
                _ => {}
            }
        }
        let name = new_name();
        self.point(NEXT, &name)?;
        Index::create(home.join(&name), mark)
    }

    /// Makes the index in the making the one that serves. Nobody may have it open for writing.
    pub(super) fn swap(&self) -> Result<(), Failure> {
        if let Self::Folder(home) = self {
            fs::rename(home.join(NEXT), home.join(CURRENT))?;
        }
        Ok(())
    }

    /// The folder of the index that serves.
    pub(super) fn current(&self) -> Option<PathBuf> {
        self.named(CURRENT)
    }

    /// Removes indexes that neither serve nor are in the making.
    pub(super) fn sweep(&self) {
        let Self::Folder(home) = self else { return };
        let kept = [self.named(CURRENT), self.named(NEXT)];
        let folders = fs::read_dir(home).into_iter().flatten().flatten().map(|entry| entry.path());
        for folder in folders.filter(|path| path.is_dir() && !kept.contains(&Some(path.clone()))) {
            if let Err(error) = fs::remove_dir_all(&folder) {
                warn!("The old search index {} is not removed: {error}", folder.display());
            }
        }
    }

    fn named(&self, file: &str) -> Option<PathBuf> {
        let Self::Folder(home) = self else { return None };
        let name = fs::read_to_string(home.join(file)).ok()?;
        // Only names that this module gives: nothing outside the folder.
        Uuid::try_parse(name.trim()).ok().map(|name| home.join(name.simple().to_string()))
    }

    /// Written under another name first, so that a crash leaves no half a name.
    fn point(&self, file: &str, name: &str) -> Result<(), Failure> {
        let Self::Folder(home) = self else { return Ok(()) };
        let draft = home.join(format!("{file}.draft"));
        fs::write(&draft, name)?;
        Ok(fs::rename(draft, home.join(file))?)
    }
}

fn new_name() -> String {
    Uuid::now_v7().simple().to_string()
}

fn merging() -> LogMergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(SEGMENTS_MERGED);
    policy.set_min_layer_size(SMALL_SEGMENT);
    policy.set_del_docs_ratio_before_merge(REPLACED_MAX);
    policy
}

enum OpenError {
    /// Another process writes to it.
    InUse,
    Damaged(String),
}

impl From<tantivy::TantivyError> for OpenError {
    fn from(error: tantivy::TantivyError) -> Self {
        match error {
            tantivy::TantivyError::LockFailure(..) => Self::InUse,
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// What searches read: a state of the index that does not change under them.
#[derive(Clone)]
pub(super) struct Reading {
    reader: IndexReader,
    pub(super) fields: Fields,
    segments: Arc<Segments>,
    pub(super) known: Arc<Known>,
}

/// Answers of a search that are kept.
const FOUND_MAX: usize = 1_024;
/// Suggestions that are kept.
const SUGGESTED_MAX: usize = 4_096;
/// Categories that are kept for facets.
const CATEGORIES_MAX: usize = 4_096;

/// What was answered since the index last changed, and what else facets show.
pub(super) struct Known {
    pub(super) found: Answers<Wanted, Arc<Found>>,
    /// By what was typed and how many.
    pub(super) suggested: Answers<(String, usize), Arc<[Suggested]>>,
    pub(super) categories: Answers<CategoryId, category::Model>,
    /// The attributes that are counted.
    pub(super) filterable: Answers<(), Arc<[attribute::Model]>>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            found: Answers::new(FOUND_MAX),
            suggested: Answers::new(SUGGESTED_MAX),
            categories: Answers::new(CATEGORIES_MAX),
            filterable: Answers::new(2),
        }
    }
}

/// One state of the index, open for a search.
pub(super) struct Seen {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    /// Of each segment.
    pub(super) columns: Vec<Arc<Columns>>,
}

impl Seen {
    /// The number of the state: it rises with every change.
    pub(super) fn generation(&self) -> u64 {
        self.searcher.generation().generation_id()
    }
}

impl Reading {
    pub(super) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    pub(super) fn look(&self) -> tantivy::Result<Seen> {
        let searcher = self.searcher();
        let columns = self.segments.of(&searcher)?;
        Ok(Seen { searcher, fields: self.fields, columns })
    }

    /// The number of the state that is read now.
    pub(super) fn generation(&self) -> u64 {
        self.searcher().generation().generation_id()
    }
}

/// An open index, which only this one writes to.
pub(super) struct Index {
    folder: Option<PathBuf>,
    writer: IndexWriter,
    reading: Reading,
    mark: Mark,
}

impl Index {
    fn in_memory(mark: Mark) -> Result<Self, Failure> {
        let (schema, fields) = schema();
        Self::of(tantivy::Index::create_in_ram(schema), fields, None, mark).map_err(Failure::msg)
    }

    fn create(folder: PathBuf, mark: Mark) -> Result<Self, Failure> {
        fs::create_dir_all(&folder)?;
        let (schema, fields) = schema();
        let index = tantivy::Index::create_in_dir(&folder, schema).map_err(Failure::msg)?;
        let mut index = Self::of(index, fields, Some(folder), mark).map_err(Failure::msg)?;
        index.commit()?;
        Ok(index)
    }

    fn open(folder: &Path) -> Result<Self, OpenError> {
        let damaged = |why: &dyn std::fmt::Display| OpenError::Damaged(why.to_string());
        let (schema, fields) = schema();
        let directory = MmapDirectory::open(folder).map_err(|why| damaged(&why))?;
        let index = tantivy::Index::open(directory)?;
        if index.schema() != schema {
            return Err(damaged(&"it has the form of another version"));
        }
        let broken = index.validate_checksum()?;
        if let Some(file) = broken.iter().next() {
            return Err(damaged(&format!("{} is not what was written", file.display())));
        }
        let payload = index.load_metas()?.payload.unwrap_or_default();
        let mark = serde_json::from_str(&payload).map_err(|why| damaged(&why))?;
        Ok(Self::of(index, fields, Some(folder.into()), mark)?)
    }

    fn of(
        index: tantivy::Index,
        fields: Fields,
        folder: Option<PathBuf>,
        mark: Mark,
    ) -> tantivy::Result<Self> {
        let writer: IndexWriter = index.writer_with_num_threads(1, WRITER_BYTES)?;
        writer.set_merge_policy(Box::new(merging()));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let reading = Reading { reader, fields, segments: Arc::default(), known: Arc::default() };
        Ok(Self { folder, writer, reading, mark })
    }

    /// Why the index is of no use.
    fn unfit(&self, feed: Uuid, settled: i64) -> Option<&'static str> {
        match () {
            () if self.mark.version != VERSION => Some("it was made by another version"),
            () if self.mark.feed != feed => Some("it followed another database"),
            () if self.mark.revision > settled => Some("the database was set back to an earlier state"),
            () => None,
        }
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    pub(super) fn reading(&self) -> Reading {
        self.reading.clone()
    }

    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    pub(super) fn mark_mut(&mut self) -> &mut Mark {
        &mut self.mark
    }

    /// Replaces the documents of `products`: those without a new one are gone.
    pub(super) fn replace(
        &mut self,
        products: &[ProductId],
        mut documents: HashMap<ProductId, TantivyDocument>,
    ) -> Result<(), Failure> {
        for product in products {
            self.writer.delete_term(Term::from_field_text(self.reading.fields.id, &key(*product)));
            if let Some(document) = documents.remove(product) {
                self.writer.add_document(document).map_err(Failure::msg)?;
            }
        }
        Ok(())
    }

    /// Writes what was replaced, and the mark, whole or not at all; searches see it from now on.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        let mark = serde_json::to_string(&self.mark)?;
        let mut commit = self.writer.prepare_commit().map_err(Failure::msg)?;
        commit.set_payload(&mark);
        commit.commit().map_err(Failure::msg)?;
        self.reading.reader.reload().map_err(Failure::msg)?;
        self.reading.segments.turn_to(&self.reading.searcher()).map_err(Failure::msg)
    }

    /// Makes one segment of all, and waits for it: a search looks up every word in each.
    pub(super) fn finish_as_one(self) -> tantivy::Result<()> {
        let index = self.writer.index().clone();
        self.writer.wait_merging_threads()?;
        let mut writer: IndexWriter = index.writer_with_num_threads(1, WRITER_BYTES)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        let segments = index.searchable_segment_ids()?;
        if segments.len() > 1 {
            writer.merge(&segments).wait()?;
        }
        writer.wait_merging_threads()
    }

    /// Waits until the files are as they will stay.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.writer.wait_merging_threads().map_err(Failure::msg)
    }
}
