//! The router around two toy subgraphs, in the process and over HTTP.

mod admission;
mod http;
mod limits;
mod operations;
mod pages;
mod sharing;
mod socket;
mod start;
mod subscriptions;
mod toy;
mod variables;
mod websocket;
mod world;
