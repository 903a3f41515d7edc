//! Taking what a feed sent: chunk by chunk, each in one transaction with its answers. Whoever sends it again, at the same
//! time or after a crash, goes on with the first chunk that has no answers yet.

use std::collections::HashMap;

use aws_lc_rs::digest;
use chassis::{Env, Failure, Outcome, Tx, tx};
use chrono::{DateTime, Utc};
use contract::{FeedBatchId, OfferId};
use entity::inventory::stock_movement::Kind;
use entity::inventory::{
    feed, feed_batch, feed_batch_chunk, feed_mark, location_level, offer, stock_level, variant,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder,
    QuerySelect, RelationDef,
};

use super::line::{self, Format, Line, Named, Rules, Unreadable, Written};
use super::report::{BatchAnswer, LineAnswer, LineResult, count};
use super::shelves::FeedShelf;
use crate::signature::hex;
use crate::stock::{self, Cause, Move};

/// Lines of one transaction.
const CHUNK: usize = 500;
/// Characters of a key.
const KEY_LENGTH_MAX: usize = 255;

/// What a feed sent.
#[derive(Clone, Debug)]
pub struct Sent<'b> {
    pub feed: feed::Model,
    /// The sender's idempotency key.
    pub key: String,
    /// The time that the sender signed.
    pub sent_at: DateTime<Utc>,
    pub format: Format,
    pub body: &'b [u8],
}

/// Why nothing of it was applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchRefusal {
    #[error("the idempotency key must have 1 to {KEY_LENGTH_MAX} characters, no control characters")]
    KeyInvalid,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the idempotency key was used with another body")]
    IdempotencyConflict,
}

/// A batch that has all its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub answer: BatchAnswer,
    /// It had them before.
    pub repeated: bool,
}

/// Applies a batch, or gives the answer that it had.
pub async fn take(env: &Env, sent: Sent<'_>) -> Outcome<Taken, BatchRefusal> {
    if !(1..=KEY_LENGTH_MAX).contains(&sent.key.chars().count()) || sent.key.contains(char::is_control) {
        return Ok(Err(BatchRefusal::KeyInvalid));
    }
    let lines = match line::read(sent.format, sent.body) {
        Ok(lines) => lines,
        Err(unreadable) => return Ok(Err(unreadable.into())),
    };
    let batch = match begin(env, &sent, lines.len()).await? {
        Ok(batch) => batch,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let repeated = batch.finished_at.is_some();
    let mut done = batch.lines_done as usize;
    while done < lines.len() {
        done = tx::apply(&env.db, async |tx| {
            chunk(tx, env.clock.now(), &sent.feed, batch.id, done, &lines).await
        })
        .await?;
    }
    let answer = answer(env, batch.id).await?;
    Ok(Ok(Taken { answer, repeated }))
}

/// The batch of this key: the first to come makes it.
async fn begin(env: &Env, sent: &Sent<'_>, lines: usize) -> Outcome<feed_batch::Model, BatchRefusal> {
    let now = env.clock.now();
    let new = feed_batch::Model {
        id: FeedBatchId::new(),
        feed_id: sent.feed.id,
        key: sent.key.clone(),
        body_hash: fingerprint(sent),
        sent_at: sent.sent_at,
        received_at: now,
        finished_at: (lines == 0).then_some(now),
        lines: lines as i32,
        lines_done: 0,
        applied: 0,
        limited: 0,
        unchanged: 0,
        stale: 0,
        refused: 0,
    };
    tx::run(&env.db, async |tx| {
        feed_batch::Entity::insert(new.clone().into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        let known = feed_batch::Entity::find()
            .filter(feed_batch::Column::FeedId.eq(sent.feed.id))
            .filter(feed_batch::Column::Key.eq(sent.key.as_str()))
            .one(tx)
            .await?
            .ok_or_else(|| Failure::msg("a batch vanished"))?;
        let same = known.body_hash == new.body_hash;
        Ok(if same { Ok(known) } else { Err(BatchRefusal::IdempotencyConflict) })
    })
    .await
}

fn fingerprint(sent: &Sent<'_>) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(if sent.format == Format::Csv { b"csv\n" } else { b"json\n" });
    hash.update(sent.body);
    hex(hash.finish().as_ref())
}

/// The key of a file that was given none: the same file twice is one batch.
pub fn key_of_file(body: &[u8]) -> String {
    format!("file {}", hex(digest::digest(&digest::SHA256, body).as_ref()))
}

/// Applies the lines from `from` on, at most [`CHUNK`], unless somebody else has; how many are done then.
async fn chunk(
    tx: &Tx,
    now: DateTime<Utc>,
    feed: &feed::Model,
    id: FeedBatchId,
    from: usize,
    lines: &[Written],
) -> Result<usize, Failure> {
    let locked = feed_batch::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let mut batch = locked.ok_or_else(|| Failure::msg("a batch vanished"))?;
    if batch.lines_done as usize != from {
        return Ok(batch.lines_done as usize);
    }
    let rules = Rules { matches_by: feed.matches_by, orders_by: feed.orders_by, sent_at: batch.sent_at };
    let until = lines.len().min(from + CHUNK);
    let understood: Vec<_> = lines[from..until].iter().map(|line| rules.understand(line)).collect();
    let names: Vec<&Named> = understood.iter().flatten().map(|line| &line.named).collect();
    let offers = find_offers(tx, feed, &names).await?;
    let mut shelves = lock_shelves(tx, feed, offers.values().flatten().copied()).await?;
    let cause = Cause { actor: feed.id.to_string(), reason: Some(id.to_string()), ..Default::default() };
    let mut answers = Vec::with_capacity(understood.len());
    let mut moves = Vec::new();
    for (number, line) in (from as i32 + 1..).zip(understood) {
        let (answer, delta) = match line {
            Ok(line) => put(number, &line, &offers, &mut shelves),
            Err(fault) => (LineAnswer::invalid(number, fault), 0),
        };
        moves.extend(answer.offer_id.filter(|_| delta != 0).map(|offer_id| Move {
            offer_id,
            location_id: Some(feed.location_id),
            kind: Kind::Adjusted,
            on_hand_delta: delta,
            reserved_delta: 0,
            cause: cause.clone(),
        }));
        answers.push(answer);
    }
    stock::apply_to_locked(tx, now, moves).await?;
    remember(tx, feed, &shelves).await?;
    count(&mut batch, &answers);
    let row = feed_batch_chunk::Model {
        batch_id: id,
        first_line: from as i32 + 1,
        answers: serde_json::to_string(&answers)?,
    };
    feed_batch_chunk::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    batch.lines_done = until as i32;
    batch.finished_at = (until == lines.len()).then_some(now);
    feed_batch::Entity::update(batch.into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(until)
}

/// What one line does to its shelf.
fn put(
    number: i32,
    line: &Line,
    offers: &HashMap<Named, Vec<OfferId>>,
    shelves: &mut HashMap<OfferId, FeedShelf>,
) -> (LineAnswer, i64) {
    let found = offers.get(&line.named).map(Vec::as_slice).unwrap_or_default();
    match found {
        [offer] => match shelves.get_mut(offer) {
            Some(shelf) => shelf.take(number, line),
            None => (LineAnswer::new(number, LineResult::NotFound), 0),
        },
        [] => (LineAnswer::new(number, LineResult::NotFound), 0),
        _ => (LineAnswer::new(number, LineResult::Ambiguous), 0),
    }
}

/// The shop's offers of the goods that lines name, archived ones not counted.
async fn find_offers(
    tx: &Tx,
    feed: &feed::Model,
    names: &[&Named],
) -> Result<HashMap<Named, Vec<OfferId>>, Failure> {
    let of_shop = offer::Entity::find()
        .select_only()
        .column(offer::Column::OfferId)
        .filter(offer::Column::SellerId.eq(feed.seller_id))
        .filter(offer::Column::Publication.ne(offer::Publication::Archived));
    let text = |named: &&Named| match named {
        Named::Sku(text) | Named::Gtin(text) => Some(text.clone()),
        Named::Offer(_) => None,
    };
    let numbers = |column: variant::Column| {
        let named = column.is_in(names.iter().filter_map(text));
        let joined = of_shop.clone().column(column).join(JoinType::InnerJoin, to_variant());
        joined.filter(named).into_tuple::<(OfferId, String)>()
    };
    let rows: Vec<(OfferId, Named)> = match names.first() {
        None => vec![],
        Some(Named::Offer(_)) => {
            let ids = names.iter().filter_map(|named| match named {
                Named::Offer(id) => Some(*id),
                _ => None,
            });
            let found: Vec<OfferId> =
                of_shop.filter(offer::Column::OfferId.is_in(ids)).into_tuple().all(tx).await?;
            found.into_iter().map(|id| (id, Named::Offer(id))).collect()
        }
        Some(Named::Sku(_)) => {
            let found = numbers(variant::Column::Sku).all(tx).await?;
            found.into_iter().map(|(id, sku)| (id, Named::Sku(sku))).collect()
        }
        Some(Named::Gtin(_)) => {
            let found = numbers(variant::Column::Gtin).all(tx).await?;
            found.into_iter().map(|(id, gtin)| (id, Named::Gtin(gtin))).collect()
        }
    };
    let mut offers: HashMap<Named, Vec<OfferId>> = HashMap::new();
    for (id, named) in rows {
        offers.entry(named).or_default().push(id);
    }
    Ok(offers)
}

fn to_variant() -> RelationDef {
    offer::Entity::belongs_to(variant::Entity)
        .from(offer::Column::VariantId)
        .to(variant::Column::VariantId)
        .into()
}

/// Locks the levels of `offers` in the order of their ids, as everybody does, and reads what hangs on them.
async fn lock_shelves(
    tx: &Tx,
    feed: &feed::Model,
    offers: impl Iterator<Item = OfferId>,
) -> Result<HashMap<OfferId, FeedShelf>, Failure> {
    let offers: Vec<OfferId> = offers.collect();
    if offers.is_empty() {
        return Ok(HashMap::new());
    }
    let levels = stock_level::Entity::find()
        .filter(stock_level::Column::OfferId.is_in(offers.iter().copied()))
        .order_by_asc(stock_level::Column::OfferId)
        .lock_exclusive()
        .all(tx)
        .await?;
    let there = location_level::Entity::find()
        .filter(location_level::Column::LocationId.eq(feed.location_id))
        .filter(location_level::Column::OfferId.is_in(offers.iter().copied()))
        .all(tx)
        .await?;
    let marks = feed_mark::Entity::find()
        .filter(feed_mark::Column::FeedId.eq(feed.id))
        .filter(feed_mark::Column::OfferId.is_in(offers))
        .all(tx)
        .await?;
    let there: HashMap<OfferId, i64> = there.into_iter().map(|row| (row.offer_id, row.on_hand)).collect();
    let marks: HashMap<OfferId, (i64, i64)> =
        marks.into_iter().map(|row| (row.offer_id, (row.position, row.quantity))).collect();
    let shelf = |level: stock_level::Model| {
        let id = level.offer_id;
        (id, FeedShelf { level, there: there.get(&id).copied().unwrap_or(0), mark: marks.get(&id).copied() })
    };
    Ok(levels.into_iter().map(shelf).collect())
}

async fn remember(tx: &Tx, feed: &feed::Model, shelves: &HashMap<OfferId, FeedShelf>) -> Result<(), Failure> {
    let marks = shelves.iter().filter_map(|(offer_id, shelf)| {
        let (position, quantity) = shelf.mark?;
        let mark = feed_mark::Model { feed_id: feed.id, offer_id: *offer_id, position, quantity };
        Some(mark.into_active_model())
    });
    let marks: Vec<_> = marks.collect();
    if marks.is_empty() {
        return Ok(());
    }
    let newest = OnConflict::columns([feed_mark::Column::FeedId, feed_mark::Column::OfferId])
        .update_columns([feed_mark::Column::Position, feed_mark::Column::Quantity])
        .to_owned();
    feed_mark::Entity::insert_many(marks).on_conflict(newest).exec_without_returning(tx).await?;
    Ok(())
}

/// The answer to a finished batch.
async fn answer(env: &Env, id: FeedBatchId) -> Result<BatchAnswer, Failure> {
    let db = env.db.read();
    let batch = feed_batch::Entity::find_by_id(id).one(db).await?;
    let batch = batch.ok_or_else(|| Failure::msg("a batch vanished"))?;
    let chunks = feed_batch_chunk::Entity::find()
        .filter(feed_batch_chunk::Column::BatchId.eq(id))
        .order_by_asc(feed_batch_chunk::Column::FirstLine)
        .all(db)
        .await?;
    let mut results = Vec::with_capacity(batch.lines as usize);
    for chunk in chunks {
        results.extend(serde_json::from_str::<Vec<LineAnswer>>(&chunk.answers)?);
    }
    Ok(BatchAnswer::new(batch, results))
}
