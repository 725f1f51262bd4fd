//! `pearlsort scale read`: tries a scale that the plant owns. Cold; blocks for as long as the scale's file says.
//!
//! Standard output is CSV, a row a weighing; why a weighing was refused goes to standard error in words.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use scales::{Refusal, Setup, SetupError};

use crate::cli::ScaleReadArgs;
use crate::exit::{Exit, Failure, code_of};

/// Reads weighings and prints them. Exits with the code of the first refusal, if any.
///
/// # Errors
/// When the scale's file or port can't be opened, or zero or tare were refused.
pub fn read(arguments: &ScaleReadArgs) -> Result<ExitCode> {
    let setup = Setup::load(&arguments.config).map_err(|error| setup_failure(&error))?;
    let mut scale = setup.open(&arguments.port).map_err(|refusal| failure(&refusal))?;
    if arguments.zero {
        scale.zero().map_err(|refusal| failure(&refusal))?;
    }
    if arguments.tare {
        scale.tare().map_err(|refusal| failure(&refusal))?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "mass_mg,division_mg,flag")?;
    let mut first: Option<Failure> = None;
    for _ in 0..arguments.count {
        match scale.weigh() {
            Ok(weighing) => writeln!(out, "{:.3},{:.3},", weighing.mass_mg, weighing.division_mg)?,
            Err(refusal) => {
                writeln!(out, ",,{}", refusal.name())?;
                eprintln!("pearlsort: {}: {refusal}", setup.name);
                first.get_or_insert(failure(&refusal));
                if matches!(refusal, Refusal::Cut(_)) {
                    break;
                }
            }
        }
    }
    Ok(first.map_or(ExitCode::SUCCESS, |failure| code_of(&failure.into())))
}

/// What is wrong with a scale's file, as a failure of the command.
#[must_use]
pub fn setup_failure(error: &SetupError) -> Failure {
    let exit = match error {
        SetupError::Read { source, .. } => match source.kind() {
            std::io::ErrorKind::NotFound => Exit::NoInput,
            std::io::ErrorKind::PermissionDenied => Exit::NoPermission,
            _ => Exit::Io,
        },
        SetupError::Form { .. } | SetupError::Figure { .. } => Exit::Config,
    };
    Failure::new(exit, error.to_string())
}

fn failure(refusal: &Refusal) -> Failure {
    let exit = match refusal {
        Refusal::Port { .. } | Refusal::Silent { .. } | Refusal::Cut(_) => Exit::Unavailable,
        Refusal::Garbled { .. } => Exit::Data,
        Refusal::WrongUnit { .. } | Refusal::NoCommand(_) => Exit::Config,
        Refusal::Unstable | Refusal::OverRange | Refusal::UnderRange | Refusal::Declined(_) | Refusal::Faulty(_) => {
            Exit::Verdict
        }
    };
    Failure::new(exit, refusal.to_string())
}
