//! Tables of bidding: markets, the journal of commands with its snapshots, the orders, trades and candles that follow from it,
//! stock kept for asks, money held for bids, and mirrors of sellers, variants and offers.

pub mod account;
pub mod ask_batch;
pub mod ask_batch_item;
pub mod backing;
pub mod backing_piece;
pub mod candle;
pub mod failed_trade;
pub mod holding;
pub mod holding_piece;
pub mod journal;
pub mod market;
pub mod offer;
pub mod order;
pub mod partition;
pub mod payee;
pub mod seller;
pub mod selling;
pub mod selling_due;
pub mod snapshot;
pub mod sold;
pub mod ticker;
pub mod trade;
pub mod variant;
pub mod watermark;
