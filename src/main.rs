//! The command line: reads the words, runs one command, prints its report. Everything that can be
//! decided is decided in the library; this side asks, prints and returns the exit status.

#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os().skip(1))
}
