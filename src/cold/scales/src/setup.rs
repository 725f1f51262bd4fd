//! A scale's file: how its line is set, what it speaks, in which unit. Cold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::ascii::{Ascii, AsciiSetup, Pattern};
use crate::limits::TIMEOUT_MS;
use crate::modbus::Modbus;
use crate::mt_sics::{MtSics, MtSicsSetup};
use crate::port::{Line, Port};
use crate::registers::{Registers, RegistersSetup};
use crate::{Refusal, Scale, Unit};

/// What stands in a scale's file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Setup {
    /// Always `scale`: what kind of file this is.
    pub kind: Kind,
    /// What the scale is called.
    pub name: String,
    /// Unit that it is set to.
    pub unit: Unit,
    /// Longest wait for an answer, or for rest, ms.
    pub timeout_ms: u64,
    /// The line.
    pub line: Line,
    /// What it speaks.
    pub protocol: Protocol,
}

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A scale.
    Scale,
}

/// What a scale speaks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// See [`crate::mt_sics`].
    MtSics(MtSicsSetup),
    /// See [`crate::ascii`].
    Ascii(AsciiSetup),
    /// See [`crate::registers`].
    ModbusRtu(RegistersSetup),
}

/// What is wrong with a scale's file.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// It can't be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not TOML of the right form.
    #[error("{path}: {source}")]
    Form {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        source: Box<toml::de::Error>,
    },
    /// A figure is impossible.
    #[error("{path}: {what}; correct it")]
    Figure {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// Whether a file says that it is a scale's.
#[must_use]
pub fn is_scale_file(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let table: Option<toml::Table> = toml::from_str(&text).ok();
    let kind = table.as_ref().and_then(|table| table.get("kind"));
    kind.and_then(toml::Value::as_str) == Some("scale")
}

impl Setup {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load(path: &Path) -> Result<Self, SetupError> {
        let text = std::fs::read_to_string(path).map_err(|source| SetupError::Read {
            path: path.to_owned(),
            source,
        })?;
        let setup: Self = toml::from_str(&text).map_err(|source| SetupError::Form {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        setup.check().map_err(|what| SetupError::Figure {
            path: path.to_owned(),
            what,
        })?;
        Ok(setup)
    }

    /// What is wrong with the figures, if anything.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), String> {
        if !(10..=TIMEOUT_MS).contains(&self.timeout_ms) {
            return Err(format!("timeout-ms is {}, must be 10 to {TIMEOUT_MS}", self.timeout_ms));
        }
        let line = &self.line;
        if !(300..=1_000_000).contains(&line.baud)
            || ![7, 8].contains(&line.data_bits)
            || ![1, 2].contains(&line.stop_bits)
        {
            return Err("the line must have 300 to 1000000 baud, 7 or 8 data bits, 1 or 2 stop bits".to_owned());
        }
        match &self.protocol {
            Protocol::MtSics(_) => Ok(()),
            Protocol::Ascii(ascii) => {
                let pattern = Pattern::parse(&ascii.pattern).map_err(|what| format!("pattern: {what}"))?;
                if pattern.has_state() && ascii.stable.is_empty() {
                    return Err("the pattern has {state}: write which states mean rest (stable)".to_owned());
                }
                if !pattern.has_state() && ascii.equal_lines.is_none_or(|count| count < 2) {
                    return Err("the pattern has no {state}: write equal-lines (2 or more), to tell rest".to_owned());
                }
                Ok(())
            }
            Protocol::ModbusRtu(registers) => registers.check(),
        }
    }

    /// Opens the scale at a port.
    ///
    /// # Errors
    /// Why it can't be opened. Whether the scale answers is told by its first weighing.
    ///
    /// # Panics
    /// When the figures were changed since they were checked.
    pub fn open(&self, port: &Path) -> Result<Box<dyn Scale>, Refusal> {
        self.check().expect("figures are those of the checked file");
        let timeout = Duration::from_millis(self.timeout_ms);
        let port = Port::open(port, &self.line, timeout)?;
        Ok(match &self.protocol {
            Protocol::MtSics(setup) => Box::new(MtSics::new(port, self.unit, *setup)),
            Protocol::Ascii(setup) => {
                let pattern = Pattern::parse(&setup.pattern).expect("checked above");
                Box::new(Ascii::new(port, self.unit, pattern, setup.clone()))
            }
            Protocol::ModbusRtu(setup) => {
                let modbus = Modbus::new(port, setup.address, timeout);
                Box::new(Registers::new(modbus, self.unit, setup.clone()))
            }
        })
    }
}
