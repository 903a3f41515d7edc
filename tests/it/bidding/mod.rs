//! The engine of bidding: journal, recovery, followers, owners; on both databases, and on a journal that fails as a seed says.

mod damage;
mod faults;
mod followers;
mod owners;
pub mod play;
mod writing;
