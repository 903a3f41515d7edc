//! The engine seen from outside: by its public types only.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod bytes;
mod model;
mod naive;
mod rules;
mod script;
