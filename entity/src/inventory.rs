//! Tables of inventory: the log of stock movements, what follows from it, promises, and mirrors of offers and sellers.

pub mod inbound_shipment;
pub mod inbound_shipment_line;
pub mod location;
pub mod location_level;
pub mod offer;
pub mod reservation;
pub mod reservation_line;
pub mod seller;
pub mod stock_level;
pub mod stock_movement;
