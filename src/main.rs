//! The `mpp` program: parses arguments, runs one command, prints its output and returns the exit status. The
//! library decides; the command line only prompts and prints.

#![forbid(unsafe_code)]

mod agents;
mod author;
mod cli;
mod evidence;
mod registry;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os().skip(1))
}
