//! Parses the command line, runs it, and turns the outcome into an exit code.

use std::process::ExitCode;

use pgauntlet::{cli, exit};

fn main() -> ExitCode {
    exit::code(cli::main(std::env::args_os().collect(), exit::HELP))
}
