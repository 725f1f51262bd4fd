//! How the program ends: exit codes after sysexits.h, so that scripts and service managers can tell causes apart. Cold.

use std::process::ExitCode;

/// Why the program ends otherwise than well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command did its work and its verdict is no.
    Verdict = 1,
    /// The command line is wrong.
    Usage = 64,
    /// Data are wrong.
    Data = 65,
    /// A file is missing.
    NoInput = 66,
    /// A port or board is not there.
    Unavailable = 69,
    /// A fault in pearlsort.
    Software = 70,
    /// Reading or writing failed.
    Io = 74,
    /// Not permitted.
    NoPermission = 77,
    /// The configuration is wrong.
    Config = 78,
}

/// A message for the person at the machine, with the code to exit with.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// How to exit.
    pub exit: Exit,
    /// What happened, where, and what to do.
    pub message: String,
}

impl Failure {
    /// A failure that exits with `exit` and says `message`.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }
}

/// The code for an error: that of the [`Failure`] in it, or of its kind of input or output error.
#[must_use]
pub fn code_of(error: &anyhow::Error) -> ExitCode {
    let exit = if let Some(failure) = error.downcast_ref::<Failure>() {
        failure.exit
    } else if let Some(io) = error.downcast_ref::<std::io::Error>() {
        match io.kind() {
            std::io::ErrorKind::NotFound => Exit::NoInput,
            std::io::ErrorKind::PermissionDenied => Exit::NoPermission,
            _ => Exit::Io,
        }
    } else {
        Exit::Software
    };
    ExitCode::from(exit as u8)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_failure_keeps_its_code_under_added_context() {
        let error = Err::<(), _>(Failure::new(Exit::Config, "wrong"))
            .context("while starting")
            .unwrap_err();
        assert_eq!(code_of(&error), ExitCode::from(78));
    }

    #[test]
    fn a_missing_file_is_told_from_a_forbidden_one() {
        let error = |kind| anyhow::Error::from(std::io::Error::from(kind));
        assert_eq!(code_of(&error(std::io::ErrorKind::NotFound)), ExitCode::from(66));
        assert_eq!(
            code_of(&error(std::io::ErrorKind::PermissionDenied)),
            ExitCode::from(77)
        );
        assert_eq!(code_of(&error(std::io::ErrorKind::WriteZero)), ExitCode::from(74));
    }
}
