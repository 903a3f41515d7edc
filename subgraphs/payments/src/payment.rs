//! Payments: how they move.

pub mod state;
