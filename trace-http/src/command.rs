//! The command line: every subcommand of `trace` on one screen.
//!
//! Serving is in [`serve`]; every other subcommand is in [`cli`](crate::cli).
//!
//! Exit codes: 0 done, 1 refused by a rule, 2 wrongly used, 6 the machine could
//! not, 70 the writer of a served ledger ended; `cli` lists those of checking.

use std::{ffi::OsString, io, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    cli::{self, Manner},
    logging,
    serve::{self, ServeError},
    settings::{FileError, ServeSettings, with_file},
};

const WRONGLY_USED: u8 = 2;
const MACHINE_COULD_NOT: u8 = 6;

const AFTER_HELP: &str = "\
Examples:
  trace demo                                  a made-up city's ledger, made and served
  trace init --origin a.example/trace --name 甲 --area 131000
  trace verify FILE --anchor VKEY+LEAF0       check evidence, with nothing but the file

`trace COMMAND --help` has an example for each.";

/// A ledger of food records that nobody has to take on trust.
#[derive(Debug, Parser)]
#[command(name = "trace", version, about, after_help = AFTER_HELP)]
struct Trace {
    #[command(flatten)]
    manner: Manner,

    #[command(subcommand)]
    command: Act,
}

/// What `trace` can be asked to do.
#[derive(Debug, Subcommand)]
enum Act {
    /// Serve a ledger over HTTP
    #[command(after_help = "Example:\n  trace serve --data ./ledger --listen 127.0.0.1:8080")]
    Serve(Box<ServeSettings>),
    /// Everything else
    #[command(flatten)]
    Cli(Box<cli::Command>),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("log: {0}")]
    Log(io::Error),
}

/// Does what `arguments` ask for, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let done = parse(&arguments).and_then(|trace| match trace.command {
        Act::Serve(settings) => run_server(&settings).map(|()| 0),
        Act::Cli(command) => Ok(command.run(&trace.manner)),
    });
    let error = match done {
        Ok(code) => return code.into(),
        Err(error) => error,
    };
    match error {
        // Help and version are errors to clap; it knows where they go.
        CommandError::File(FileError::Usage(usage)) => {
            let is_told = usage.print().is_ok();
            if is_told && !usage.use_stderr() {
                return ExitCode::SUCCESS;
            }
            WRONGLY_USED.into()
        }
        CommandError::File(_) | CommandError::Serve(ServeError::Key(_)) => {
            eprintln!("error: {error}");
            WRONGLY_USED.into()
        }
        CommandError::Serve(_) | CommandError::Log(_) => {
            eprintln!("error: {error}");
            MACHINE_COULD_NOT.into()
        }
    }
}

fn parse(arguments: &[OsString]) -> Result<Trace, CommandError> {
    let matches = with_file(Trace::command(), "serve", arguments)?;
    Ok(Trace::from_arg_matches(&matches).map_err(FileError::from)?)
}

fn run_server(settings: &ServeSettings) -> Result<(), CommandError> {
    logging::start(settings.log_format, &settings.log).map_err(CommandError::Log)?;
    Ok(serve::run(settings)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        super::Trace::command().debug_assert();
    }
}
