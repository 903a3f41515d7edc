//! Follows a journal beside its writer: a replay that keeps rows and takes snapshots, so that no answer waits for either.

use std::collections::BTreeMap;
use std::time::Duration;

use chassis::Failure;
use matching::{BookEvent, Change, Event, MarketId, OrderId, Side};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::announce::Book;
use super::journal::{Journal, Row, Snapshot};
use super::projection::{News, Projection};
use super::recovery::{Damaged, Recovered, recover, replay_each};
use super::writer::Handle;

/// Rows of the journal in one transaction of the projection.
const ROWS_MAX: u64 = 64;
/// How long to wait for news that nobody announced.
const LOOK: Duration = Duration::from_secs(1);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_millis(200);
/// Rows between two snapshots.
const SNAPSHOT_EVERY: u64 = 1_000;

/// One partition's follower. Losing it loses nothing: it starts again from the watermark.
pub struct Follower<J> {
    journal: J,
    projection: Projection,
    at: Option<Recovered>,
    /// The books as they were last said.
    said: BTreeMap<MarketId, Book>,
    snapshot_every: u64,
}

impl<J: Journal> Follower<J> {
    pub fn new(journal: J, projection: Projection) -> Self {
        Self { journal, projection, at: None, said: BTreeMap::new(), snapshot_every: SNAPSHOT_EVERY }
    }

    /// Takes snapshots after another number of rows.
    pub fn with_snapshots_every(self, rows: u64) -> Self {
        Self { snapshot_every: rows, ..self }
    }

    /// Follows a writer of this process until it ends. What is left then, whoever writes next follows.
    pub async fn run(mut self, writer: Handle, stop: CancellationToken) {
        while !stop.is_cancelled() && !writer.is_closed() {
            let pause = match self.turn().await {
                Ok(true) => continue,
                Ok(false) => LOOK,
                Err(failure) => {
                    warn!(error = %failure, "A partition could not be followed; trying again");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = writer.durable() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Projects what is new, at most one transaction; whether there may be more.
    pub async fn turn(&mut self) -> Result<bool, Failure> {
        // A failure in the middle leaves nothing here: the next turn starts from what is durable.
        let mut at = match self.at.take() {
            Some(at) => at,
            None => recover(&self.journal, Some(self.projection.watermark().await?)).await?,
        };
        let before = at.seq;
        let rows = self.journal.rows(before, ROWS_MAX).await?;
        let mut news = News::default();
        for (row, crc32) in &rows {
            follow(&mut at, row, *crc32, &mut news)?;
        }
        news.books = self.news(&at, &news.events);
        if !rows.is_empty() {
            self.projection.enter(before, at.seq, &news).await?;
            self.said.append(&mut news.books);
        }
        if at.seq / self.snapshot_every > before / self.snapshot_every {
            self.journal.keep(&snapshot(&at)).await?;
        }
        self.at = Some(at);
        Ok(rows.len() as u64 == ROWS_MAX)
    }

    /// The books of `events` whose best prices or last sale changed.
    fn news(&self, at: &Recovered, events: &[Event]) -> BTreeMap<MarketId, Book> {
        let mut books: BTreeMap<MarketId, Book> = BTreeMap::new();
        for event in events {
            let Event::Book(BookEvent { market, ts, change, .. }) = event else { continue };
            let book = books.entry(*market).or_insert_with(|| book(at, *market));
            book.at = *ts;
            if let Change::Matched(matched) = change {
                book.last_sale = Some((matched.price, *ts));
            }
        }
        let is_news = |market: &MarketId, book: &mut Book| {
            let known = self.said.get(market);
            book.last_sale.is_some()
                || known.is_none_or(|known| (known.bid, known.ask) != (book.bid, book.ask))
        };
        books.retain(is_news);
        books
    }
}

fn book(at: &Recovered, id: MarketId) -> Book {
    let market = at.state.market(id);
    Book {
        bid: market.and_then(|market| market.best(Side::Bid)),
        ask: market.and_then(|market| market.best(Side::Ask)),
        last_sale: None,
        seq: market.map_or(0, |market| market.seq()),
        at: at.state.now(),
    }
}

/// Applies a row and notes down which order each of its notes belongs to.
fn follow(at: &mut Recovered, row: &Row, crc32: u32, news: &mut News) -> Result<(), Damaged> {
    let notes = row.read_notes().map_err(|_| Damaged::Malformed { seq: row.seq })?;
    let notes: BTreeMap<usize, &[u8]> = notes.into_iter().collect();
    let of_orders = &mut news.notes;
    replay_each(at, row, crc32, &mut news.events, |index, events| {
        if let (Some(note), Some(order)) = (notes.get(&index), events.iter().find_map(placed)) {
            of_orders.insert(order, note.to_vec());
        }
    })
}

fn placed(event: &Event) -> Option<OrderId> {
    match event {
        Event::Book(BookEvent { change: Change::Placed(placed), .. }) => Some(placed.order),
        _ => None,
    }
}

fn snapshot(at: &Recovered) -> Snapshot {
    let payload = at.state.encode();
    Snapshot { seq: at.seq, digest: matching::digest_of(&payload), payload }
}
