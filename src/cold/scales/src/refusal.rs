//! Why a scale gives no weighing. Cold.

use std::io;
use std::path::PathBuf;

/// Why there is no weighing, or a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The port can't be opened.
    #[error("{path}: {source}; check the path, the cable, and that no other program holds the port")]
    Port {
        /// The port.
        path: PathBuf,
        /// Why not.
        source: serialport::Error,
    },
    /// Nothing was heard in time.
    #[error("the scale was silent for {after_ms} ms; check its power, the cable, its baud rate and address")]
    Silent {
        /// Time waited, ms.
        after_ms: u64,
    },
    /// The line is gone.
    #[error("the line to the scale broke: {0}; check the cable and open the port again")]
    Cut(io::Error),
    /// What came is not what the protocol allows.
    #[error("{what}: {heard}; check baud rate, parity, and that the file fits this scale")]
    Garbled {
        /// What is wrong with it.
        what: &'static str,
        /// What was heard, printable.
        heard: String,
    },
    /// The scale does not come to rest.
    #[error("the scale does not come to rest; wait, shield it from wind and shaking")]
    Unstable,
    /// More than the scale can weigh.
    #[error("more lies on the scale than it can weigh; take some off")]
    OverRange,
    /// Less than the scale can weigh.
    #[error("the scale is below its range; put its pan back, then zero it")]
    UnderRange,
    /// The mass is said in another unit than the file's.
    #[error("the scale weighs in {found}, its file says {expected}; set the scale to {expected}")]
    WrongUnit {
        /// Unit of the file.
        expected: String,
        /// Unit heard.
        found: String,
    },
    /// The scale understood and declined.
    #[error("the scale declined: {0}")]
    Declined(String),
    /// The scale reports a fault of its own.
    #[error("the scale reports a fault: {0}; have it repaired before it is used")]
    Faulty(String),
    /// The file gives no way to do this.
    #[error("this scale's file has no command to {0}; do it at the scale")]
    NoCommand(&'static str),
}

impl Refusal {
    /// The name that stands in files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Port { .. } => "port",
            Self::Silent { .. } => "silent",
            Self::Cut(_) => "cut",
            Self::Garbled { .. } => "garbled",
            Self::Unstable => "unstable",
            Self::OverRange => "over-range",
            Self::UnderRange => "under-range",
            Self::WrongUnit { .. } => "wrong-unit",
            Self::Declined(_) => "declined",
            Self::Faulty(_) => "faulty",
            Self::NoCommand(_) => "no-command",
        }
    }

    /// Bytes that are not what they should be.
    pub(crate) fn garbled(what: &'static str, heard: &[u8]) -> Self {
        Self::Garbled {
            what,
            heard: heard.escape_ascii().to_string(),
        }
    }
}
