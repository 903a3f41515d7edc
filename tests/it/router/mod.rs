//! The router around two toy subgraphs, in the process and over HTTP.

mod limits;
mod operations;
mod pages;
mod sharing;
mod start;
mod subscriptions;
mod toy;
mod world;
