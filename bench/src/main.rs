//! Load drivers. They talk to a running marketplace as clients do, and read its CPU and memory from the system.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

mod checkout;
mod client;
mod engine;
mod hop;
mod list;
mod live;
mod markets;
mod process;
mod search;
mod summary;

use clap::{Parser, Subcommand};

/// Measures a running marketplace. `bench/run` starts one and runs everything.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Pages of 20 products with variants, lowest offer and stock.
    List(list::List),
    /// Orders of guests, from the cart until they are paid.
    Checkout(checkout::Checkout),
    /// One call to a subgraph that costs little itself.
    Hop(hop::Hop),
    /// Stock changes on their way to subscribers.
    Live(live::Live),
    /// Bids until they are durable, and a price change on its way to subscribers.
    Markets(markets::Markets),
    /// The engine of bidding against PostgreSQL alone.
    Engine(engine::Engine),
    /// Searches with facets, and suggestions.
    Search(search::Search),
    /// Price changes until a search finds them.
    Seen(search::Seen),
    /// Resident memory of a process.
    Memory {
        #[arg(long)]
        pid: u32,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nobody chose a TLS provider before main");
    match Cli::parse().command {
        Command::List(list) => list.run().await,
        Command::Checkout(checkout) => checkout.run().await,
        Command::Hop(hop) => hop.run().await,
        Command::Live(live) => live.run().await,
        Command::Markets(markets) => markets.run().await,
        Command::Engine(engine) => engine.run().await,
        Command::Search(search) => search.run().await,
        Command::Seen(seen) => seen.run().await,
        Command::Memory { pid } => {
            println!("resident: {} MiB", process::resident_bytes(pid)? / (1024 * 1024));
            Ok(())
        }
    }
}
