//! Tables that every service's database has: events out and in, leases, idempotency and the audit trail.

pub mod audit_event;
pub mod dead_letter;
pub mod idempotency;
pub mod inbox;
pub mod lease;
pub mod outbox;
