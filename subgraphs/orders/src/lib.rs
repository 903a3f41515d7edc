//! Orders: what somebody means to buy, what it costs, and the way of an order from the cart to the buyer's door.

pub mod pricing;
pub mod settlement;
