//! Tables of inventory: the log of stock movements, what follows from it, promises, mirrors of offers, variants and
//! sellers, and what it exchanges with systems outside.

pub mod feed;
pub mod feed_batch;
pub mod feed_batch_chunk;
pub mod feed_mark;
pub mod inbound_shipment;
pub mod inbound_shipment_line;
pub mod location;
pub mod location_level;
pub mod offer;
pub mod reservation;
pub mod reservation_line;
pub mod seller;
pub mod shared_secret;
pub mod stock_level;
pub mod stock_movement;
pub mod variant;
pub mod webhook;
pub mod webhook_change;
pub mod webhook_delivery;
