//! Market data as it happens: a book that a client can keep without ever asking twice.
//!
//! A subscriber owns no queue. It remembers the sequence that it has sent and what it showed then; when it may send again it
//! looks at the market as it is now and sends the difference. So a slow client costs what a quick one costs, deltas conflate
//! by themselves, and clients that are at the same place share one answer. Only trades cannot be conflated: they are read
//! from the market's tape, and a client that has too many of them before it is told so and let go.

mod candles;
mod desk;
mod follow;
mod ladder;
mod mine;
mod reader;
pub mod rows;
mod tickers;

pub use candles::live_candle;
pub use desk::Desk;
pub use follow::{Terms, Update, follow};
pub use ladder::{Ladder, Level};
pub use mine::mine;
pub use reader::{Answers, Delta, Next, Reader, Snapshot, TRADES_MAX};
pub use tickers::{Ticker, tickers};

#[cfg(test)]
mod tests;
