//! The executable. `souk --help` says what it can do.

use std::process::ExitCode;

use clap::Parser;
use souk::cli::Cli;
use souk::import::RowsRefused;

/// An import that left rows out.
const ROWS_REFUSED: u8 = 2;

fn main() -> ExitCode {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nobody chose a TLS provider before main");
    let cli = Cli::parse();
    let runtime = tokio::runtime::Runtime::new().expect("a process may start threads");
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "the last word of a command belongs on its standard error"
            )]
            {
                eprintln!("souk: {error:#}");
            }
            match error.downcast_ref::<RowsRefused>() {
                Some(_) => ExitCode::from(ROWS_REFUSED),
                None => ExitCode::FAILURE,
            }
        }
    }
}
