//! A candle while it burns.

use std::time::Duration;

use chassis::Failure;
use chrono::DateTime;
use futures::{Stream, StreamExt, stream};
use matching::MarketId;
use tokio::sync::watch;
use uuid::Uuid;

use crate::candle::{Candle, Interval, Sale, read};
use crate::engine::{Board, Handle, Projection};

/// How long the rows may take to have what the books show.
const CATCH_UP: Duration = Duration::from_secs(10);
/// How often to ask whether they have.
const LOOK: Duration = Duration::from_millis(50);

/// A market's latest candle.
struct Burning {
    handle: Handle,
    market: MarketId,
    interval: Interval,
    news: watch::Receiver<u64>,
    /// Matches until here are in it.
    seq: u64,
    candle: Option<Candle>,
}

/// The market's latest candle as it is, then as each match changes it; a candle that ended comes once more, whole. Ends when
/// more matches than the tape keeps were missed, or another process takes the market over. `None`: it is not here.
///
/// `projection` is that of the market's partition.
///
/// # Errors
/// The rows cannot be read, or do not follow the journal any more.
pub async fn live_candle(
    projection: &Projection,
    handle: Handle,
    market: MarketId,
    interval: Interval,
) -> Result<Option<impl Stream<Item = Candle> + Send + use<>>, Failure> {
    let Some(news) = handle.view().watch(market) else { return Ok(None) };
    let Some(seq) = handle.view().look(market, |board| board.picture.seq) else { return Ok(None) };
    until_projected(projection, handle.view().row()).await?;
    let candle = read::latest(projection.db(), Uuid::from_u128(market.0), interval).await?;
    // Rows may be ahead of what was seen before they were read.
    let seq = candle.map_or(seq, |candle| seq.max(candle.last_seq as u64));
    let burning = Burning { handle, market, interval, news, seq, candle };
    let later = stream::unfold(burning, |mut burning| async move {
        let candles = burning.next().await?;
        Some((stream::iter(candles), burning))
    });
    Ok(Some(stream::iter(candle).chain(later.flatten())))
}

/// Waits until the rows have everything up to a row of the journal.
async fn until_projected(projection: &Projection, row: u64) -> Result<(), Failure> {
    let caught_up = async {
        while projection.watermark().await? < row {
            tokio::time::sleep(LOOK).await;
        }
        Ok::<(), Failure>(())
    };
    let in_time = tokio::time::timeout(CATCH_UP, caught_up).await;
    in_time.unwrap_or_else(|_| Err(Failure::msg("the rows of a market do not follow its journal")))
}

impl Burning {
    /// Candles that changed, the latest last.
    async fn next(&mut self) -> Option<Vec<Candle>> {
        loop {
            self.news.mark_unchanged();
            let view = self.handle.view();
            let (seq, sales) = view.look(self.market, |board| sales_after(board, self.seq))??;
            self.seq = seq;
            let changed = self.add(&sales);
            if !changed.is_empty() {
                return Some(changed);
            }
            self.news.changed().await.ok()?;
        }
    }

    fn add(&mut self, sales: &[Sale]) -> Vec<Candle> {
        let mut changed: Vec<Candle> = Vec::new();
        for sale in sales {
            let new = Candle::of(self.interval, sale);
            let candle = match self.candle.filter(|candle| candle.start == new.start) {
                Some(mut candle) => {
                    candle.join(&new);
                    candle
                }
                None => new,
            };
            changed.pop_if(|last| last.start == candle.start);
            changed.push(candle);
            self.candle = Some(candle);
        }
        changed
    }
}

/// The newest sequence, and the matches after `seq`; `None`: they are not all known any more.
fn sales_after(board: &Board, seq: u64) -> Option<(u64, Vec<Sale>)> {
    let newest = board.picture.seq;
    if newest <= seq {
        return Some((seq, Vec::new()));
    }
    let steps = (seq + 1..).zip(board.tape.since(seq)?);
    let sales = steps.filter_map(|(seq, step)| {
        let trade = step.trade()?;
        Some(Sale {
            seq: seq as i64,
            at: DateTime::from_timestamp_micros(trade.ts)?,
            price_minor: trade.price,
            quantity: trade.quantity.into(),
        })
    });
    Some((newest, sales.collect()))
}
