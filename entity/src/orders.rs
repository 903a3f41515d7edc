//! Tables of orders: carts, what prices are made of, orders and trades and how far they are, and mirrors of offers, stock and sellers.

pub mod authentication_task;
pub mod cart;
pub mod cart_line;
pub mod fulfilment;
pub mod offer;
pub mod order;
pub mod order_event;
pub mod order_line;
pub mod order_return;
pub mod order_share;
pub mod parcel_weight;
pub mod payout;
pub mod platform_rate;
pub mod promotion;
pub mod promotion_buyer;
pub mod promotion_use;
pub mod refund;
pub mod seller;
pub mod settlement;
pub mod shipping_rate;
pub mod stock;
pub mod strike;
pub mod tariff;
pub mod trade;
pub mod trade_event;
pub mod trade_parcel;
