//! The command line: each option has an environment variable and a default, and `--help` is good reading.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::{EventId, FeedId};
use orders::operator::Action;

use crate::fake_stripe::FakeStripe;
use crate::import::RowsRefused;
use crate::market::ServiceName;
use crate::operator::SagaId;
use crate::serve::{Among, Listen};
use crate::settings::Settings;
use crate::{demo, doctor, fake_stripe, feed, import, operator, serve};

/// A marketplace backend: one federated GraphQL endpoint with live stock.
///
/// Without a command, `souk` serves everything in one process with nothing to install.
#[derive(Debug, Parser)]
#[command(name = "souk", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    among: Among,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the whole marketplace in one process (the default).
    Serve {
        #[command(flatten)]
        serve: Serving,
        #[command(flatten)]
        among: Among,
    },
    /// Serves a marketplace with 10,000 real books, sneakers, sellers, live stock and traders.
    Demo(Demo),
    /// Serves one subgraph, for a cluster.
    Subgraph {
        /// Which one.
        name: ServiceName,
        #[command(flatten)]
        serve: Serving,
        #[command(flatten)]
        among: Among,
        /// Where accounts publishes its keys; needed by every subgraph but accounts.
        #[arg(long, env = "SOUK_JWKS_URL")]
        jwks_url: Option<String>,
    },
    /// Serves the endpoint over subgraphs that run elsewhere.
    #[cfg(feature = "router")]
    Router(serve::Router),
    /// Delivers events between the services of a cluster, over their databases.
    Relay(Serving),
    /// Brings the databases up to date and ends.
    Migrate(Settings),
    /// Brings a file of goods into the catalog: CSV or JSON Lines, a row for each variant and offer.
    Import(import::Import),
    /// Prints, writes or checks the composed schema.
    #[cfg(feature = "router")]
    #[command(subcommand)]
    Schema(crate::schema::Command),
    /// People with power.
    #[command(subcommand)]
    Admin(Admin),
    /// Stock.
    #[command(subcommand)]
    Inventory(Inventory),
    /// Money.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Trades and candles of markets.
    #[command(subcommand)]
    Markets(Markets),
    /// Orders on their way to being paid, and trades of the market.
    #[command(subcommand)]
    Sagas(Sagas),
    /// Systems outside that report stock.
    #[command(subcommand)]
    Feed(Feed),
    /// The search index.
    #[command(subcommand)]
    Search(Search),
    /// Events that could not be applied.
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// What services said to each other.
    #[command(subcommand)]
    Events(Events),
    /// Keys that sign access tokens.
    #[command(subcommand)]
    Keys(Keys),
    /// Serves a Stripe to test against: its API for payments in memory, with faults on request.
    ///
    /// No money moves, any key that begins with `sk_test_` is taken, and nothing is left when it ends. What tests need
    /// beyond Stripe's API is under `/_fake/`: reset, faults, clock, webhooks, disputes, ledger and calls.
    FakeStripe(FakeStripe),
    /// Looks at the configuration, the databases and the machine, and says what is wrong.
    Doctor(Settings),
}

/// What every command that serves takes.
#[derive(Debug, Args)]
#[group(skip)]
struct Serving {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    listen: Listen,
}

#[derive(Debug, Args)]
struct Demo {
    #[command(flatten)]
    serve: Serving,
    /// The books so many times over, each a little different: for measuring.
    #[arg(long, default_value_t = 1, hide = true)]
    copies: usize,
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Makes an administrator, or makes an existing user one.
    Create {
        #[command(flatten)]
        settings: Settings,
        /// The administrator's e-mail address.
        #[arg(long, env = "SOUK_ADMIN_EMAIL")]
        email: String,
        /// The password; read from standard input when it is not given.
        #[arg(long, env = "SOUK_ADMIN_PASSWORD", hide_env_values = true)]
        password: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Inventory {
    /// Replays the event log of stock and compares it with the levels.
    Verify(Settings),
}

#[derive(Debug, Subcommand)]
enum Ledger {
    /// Adds every transfer up and compares accounts and payments with it.
    Verify(Settings),
}

#[derive(Debug, Subcommand)]
enum Markets {
    /// Replays the journals of markets and compares trades and candles with them.
    Verify(Settings),
    /// Replays the journals of markets and makes trades and candles what follows from them.
    Rebuild(Settings),
}

#[derive(Debug, Subcommand)]
enum Sagas {
    /// Shows those that need an operator, with their state.
    List(Settings),
    /// Moves one that cannot move by itself.
    Act {
        #[command(flatten)]
        settings: Settings,
        /// The order's id, `ord_…`, or the trade's, `trd_…`.
        id: SagaId,
        /// What to do.
        action: SagaAction,
        /// Why; it is kept in the audit trail.
        #[arg(long)]
        reason: String,
    },
}

/// What an operator does to a saga.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum SagaAction {
    /// Asks again.
    Retry,
    /// What was asked for has happened: goes on.
    Skip,
    /// Undoes an order whose money may not have been taken, or a trade before its piece is at the authentication centre.
    Compensate,
    /// Settled by hand: the goods are the buyer's.
    ResolvePaid,
    /// Settled by hand: nothing is owed.
    ResolveCancelled,
}

impl From<SagaAction> for Action {
    fn from(action: SagaAction) -> Self {
        match action {
            SagaAction::Retry => Self::Retry,
            SagaAction::Skip => Self::Skip,
            SagaAction::Compensate => Self::Compensate,
            SagaAction::ResolvePaid => Self::ResolvePaid,
            SagaAction::ResolveCancelled => Self::ResolveCancelled,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Feed {
    /// Applies a CSV or JSON file of quantities as a batch of a feed, and prints the lines that were not applied.
    Apply {
        #[command(flatten)]
        settings: Settings,
        /// The feed's id: `fed_…`.
        #[arg(long)]
        feed: FeedId,
        /// The idempotency key; the same file twice is one batch when it is not given.
        #[arg(long)]
        key: Option<String>,
        /// The file; its name ends in `.csv` or `.json`.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Search {
    /// Builds the search index anew beside the one that serves, then swaps them. Goes on where a killed one ended.
    Rebuild(Settings),
}

#[derive(Debug, Subcommand)]
enum DeadLetters {
    /// Shows what waits.
    List(Settings),
    /// Delivers one again.
    Retry {
        #[command(flatten)]
        settings: Settings,
        /// The event's id: `evt_…`.
        id: EventId,
    },
    /// Gives one up.
    Drop {
        #[command(flatten)]
        settings: Settings,
        /// The event's id: `evt_…`.
        id: EventId,
        /// Why; it is kept in the audit trail.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
enum Events {
    /// Delivers what was said since a time once more; who has applied it will skip it.
    Replay {
        #[command(flatten)]
        settings: Settings,
        /// As RFC 3339: `2026-01-31T12:00:00Z`.
        #[arg(long)]
        since: chrono::DateTime<chrono::Utc>,
    },
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Signs with the next key from now on; the previous one is trusted until its tokens have ended.
    Rotate(Settings),
}

/// An import that left rows out.
const ROWS_REFUSED: u8 = 2;

/// Does what the command line says, and says on standard error why it could not: the exit code of the process. Call it
/// once in a process, first of all.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nobody chose a TLS provider before the command line");
    let cli = Cli::parse_from(arguments);
    let runtime = tokio::runtime::Runtime::new().expect("a process may start threads");
    match runtime.block_on(cli.run()) {
        Ok(()) => 0,
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "the last word of a command belongs on its standard error"
            )]
            {
                eprintln!("souk: {error:#}");
            }
            error.downcast_ref::<RowsRefused>().map_or(1, |_| ROWS_REFUSED)
        }
    }
}

impl Cli {
    async fn run(self) -> anyhow::Result<()> {
        let Self { settings, listen, among, command } = self;
        let command = command.unwrap_or(Command::Serve { serve: Serving { settings, listen }, among });
        match command {
            Command::Serve { serve: Serving { settings, listen }, among } => {
                serve::everything(&settings, &listen, Some(&among), None).await
            }
            Command::Demo(Demo { serve: Serving { settings, listen }, copies }) => {
                serve::everything(&settings, &listen, None, Some(demo::Demo { copies })).await
            }
            Command::Subgraph { name, serve: Serving { settings, listen }, among, jwks_url } => {
                serve::subgraph(&settings, &listen, &among, name, jwks_url).await
            }
            #[cfg(feature = "router")]
            Command::Router(router) => serve::router(router).await,
            Command::Relay(Serving { settings, listen }) => serve::relay(&settings, &listen).await,
            Command::Migrate(settings) => operator::migrate(&settings).await,
            Command::Import(import) => import::run(import).await,
            #[cfg(feature = "router")]
            Command::Schema(command) => crate::schema::run(command).await,
            Command::Admin(Admin::Create { settings, email, password }) => {
                operator::create_admin(&settings, &email, password).await
            }
            Command::Inventory(Inventory::Verify(settings)) => operator::verify_inventory(&settings).await,
            Command::Ledger(Ledger::Verify(settings)) => operator::verify_ledger(&settings).await,
            Command::Markets(Markets::Verify(settings)) => operator::verify_markets(&settings).await,
            Command::Markets(Markets::Rebuild(settings)) => operator::rebuild_markets(&settings).await,
            Command::Sagas(Sagas::List(settings)) => operator::list_sagas(&settings).await,
            Command::Sagas(Sagas::Act { settings, id, action, reason }) => {
                operator::act_on_saga(&settings, id, action.into(), &reason).await
            }
            Command::Feed(Feed::Apply { settings, feed, key, file }) => {
                feed::apply(&settings, feed, &file, key).await
            }
            Command::Search(Search::Rebuild(settings)) => operator::rebuild_search(&settings).await,
            Command::DeadLetters(DeadLetters::List(settings)) => operator::list_dead_letters(&settings).await,
            Command::DeadLetters(DeadLetters::Retry { settings, id }) => {
                operator::retry_dead_letter(&settings, id).await
            }
            Command::DeadLetters(DeadLetters::Drop { settings, id, reason }) => {
                operator::drop_dead_letter(&settings, id, reason).await
            }
            Command::Events(Events::Replay { settings, since }) => {
                operator::replay_events(&settings, since).await
            }
            Command::Keys(Keys::Rotate(settings)) => operator::rotate_keys(&settings).await,
            Command::FakeStripe(options) => fake_stripe::run(options).await,
            Command::Doctor(settings) => doctor::run(&settings).await,
        }
    }
}

/// A path as a person reads it.
pub(crate) fn shown(path: &std::path::Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path)).display().to_string()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn every_command_and_option_has_a_name_of_its_own() {
        Cli::command().debug_assert();
    }
}
