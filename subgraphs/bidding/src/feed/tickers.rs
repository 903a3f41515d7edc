//! The few numbers of many markets, as they change.

use std::collections::BTreeMap;

use futures::{FutureExt, Stream, StreamExt, stream};
use matching::{MarketId, Price, Timestamp};
use tokio::sync::watch;

use crate::engine::{Board, Handle};

/// A market in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticker {
    pub market: MarketId,
    /// Of the newest event in it.
    pub seq: u64,
    pub lowest_ask: Option<Price>,
    pub highest_bid: Option<Price>,
    /// The latest match.
    pub last_sale: Option<(Price, Timestamp)>,
}

impl Ticker {
    fn of(market: MarketId, board: &Board) -> Self {
        let picture = &board.picture;
        Self {
            market,
            seq: picture.seq,
            lowest_ask: picture.best_ask(),
            highest_bid: picture.best_bid(),
            last_sale: picture.last_match,
        }
    }

    fn is_news_after(&self, told: Option<&Self>) -> bool {
        told.is_none_or(|told| Self { seq: told.seq, ..*self } != *told)
    }
}

/// Markets that one client watches, and what it was told of each.
struct Watch {
    markets: Vec<(MarketId, Handle, watch::Receiver<u64>)>,
    told: BTreeMap<MarketId, Ticker>,
}

/// The tickers of markets as they are, then each that changes; a slow reader gets the latest of each. Ends when one of the
/// markets is taken over by another process. Markets that are not here are left out.
pub fn tickers(markets: Vec<(MarketId, Handle)>) -> impl Stream<Item = Ticker> + Send {
    let watched = |(id, handle): (MarketId, Handle)| {
        let news = handle.view().watch(id)?;
        Some((id, handle, news))
    };
    let markets = markets.into_iter().filter_map(watched).collect();
    let watch = Watch { markets, told: BTreeMap::new() };
    let rounds = stream::unfold((watch, true), |(mut watch, is_first)| async move {
        if !is_first && !watch.wait().await {
            return None;
        }
        let news = watch.look()?;
        Some((stream::iter(news), (watch, false)))
    });
    rounds.flatten()
}

impl Watch {
    /// Waits until something happens; false: a market was taken away, or there is none.
    async fn wait(&mut self) -> bool {
        let changes = self.markets.iter_mut().map(|(.., news)| news.changed().boxed());
        let changes: Vec<_> = changes.collect();
        !changes.is_empty() && futures::future::select_all(changes).await.0.is_ok()
    }

    fn look(&mut self) -> Option<Vec<Ticker>> {
        let mut news = Vec::new();
        for (id, handle, receiver) in &mut self.markets {
            receiver.mark_unchanged();
            let ticker = handle.view().look(*id, |board| Ticker::of(*id, board))?;
            if ticker.is_news_after(self.told.get(id)) {
                self.told.insert(*id, ticker);
                news.push(ticker);
            }
        }
        Some(news)
    }
}
