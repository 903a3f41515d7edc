//! The executable. `souk --help` says what it can do.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request is thousands of small allocations, some freed by another thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    souk::cli::run(std::env::args_os()).into()
}
