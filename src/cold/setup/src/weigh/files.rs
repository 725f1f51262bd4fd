//! A recording in its folder: `samples.i32`, `meta.json`, and the gates in the first two columns of `truth.csv`.
//!
//! Cold threads. A file that is not what it should be is an error that names file, line and remedy. A row whose gates
//! make no sense is no error: its pearl is refused.

use super::reading::{Flag, Reading};
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// One pearl's row.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The entering gate as it stands in the file.
    pub enter_text: String,
    /// When the pearl passed the entering gate, s from sample 0; `None` when the file has no number there.
    pub enter_s: Option<f64>,
    /// When it passed the leaving gate.
    pub leave_s: Option<f64>,
}

/// A weigh cell's recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Converter codes, one a sample.
    pub samples: Vec<i32>,
    /// Samples a second.
    pub sample_hz: f64,
    /// Converter counts a milligram.
    pub counts_per_mg: f64,
    /// Time that a pearl needs to roll on, and to roll off, ms.
    pub roll_on_ms: f64,
    /// Gates in the order of the file.
    pub gates: Vec<Gate>,
    /// Known masses, mg, one a gate, where they were asked for. Nothing but scoring reads them.
    pub masses_mg: Option<Vec<f64>>,
}

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file can't be read.
    #[error("{path}: {source}; a recording has samples.i32, meta.json and truth.csv")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// `samples.i32` is no list of 32-bit numbers.
    #[error("{path}: {bytes} bytes are no whole number of 4-byte samples; copy the file again")]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// There is nothing in the file.
    #[error("{path}: nothing in it; record again")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// `meta.json` is not JSON of the right form.
    #[error("{path}: {source}; it needs the numbers sps, counts_per_g and roll_on_ms")]
    Meta {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        source: serde_json::Error,
    },
    /// A figure of `meta.json` is impossible.
    #[error("{path}: {name} is {value}, but must be {range}; correct it")]
    Figure {
        /// The file.
        path: PathBuf,
        /// The figure's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
    /// A line of `truth.csv` is not what it should be.
    #[error("{path}:{line}: {what}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what to do.
        what: String,
    },
}

#[derive(Deserialize)]
struct Meta {
    sps: f64,
    counts_per_g: f64,
    roll_on_ms: f64,
}

/// Reads a recording. The masses are read only with `with_masses`.
///
/// # Errors
/// The file and line that can't be read, and what to do.
pub fn read_recording(folder: &Path, with_masses: bool) -> Result<Recording, RecordingError> {
    let meta = read_meta(&folder.join("meta.json"))?;
    let samples = read_codes(&folder.join("samples.i32"))?;
    let (gates, masses_mg) = read_gates(&folder.join("truth.csv"), with_masses)?;
    Ok(Recording {
        samples,
        sample_hz: meta.sps,
        counts_per_mg: meta.counts_per_g / 1e3,
        roll_on_ms: meta.roll_on_ms,
        gates,
        masses_mg,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, RecordingError> {
    std::fs::read(path).map_err(|source| RecordingError::Read {
        path: path.to_owned(),
        source,
    })
}

fn read_meta(path: &Path) -> Result<Meta, RecordingError> {
    let meta: Meta = serde_json::from_slice(&read(path)?).map_err(|source| RecordingError::Meta {
        path: path.to_owned(),
        source,
    })?;
    let figures = [
        ("sps", meta.sps, 200.0..=200_000.0, "200 to 200000 samples a second"),
        (
            "counts_per_g",
            meta.counts_per_g,
            100.0..=1e9,
            "100 to 1e9 counts a gram",
        ),
        ("roll_on_ms", meta.roll_on_ms, 0.5..=100.0, "0.5 to 100 ms"),
    ];
    for (name, value, range, words) in figures {
        if !range.contains(&value) {
            return Err(RecordingError::Figure {
                path: path.to_owned(),
                name,
                value,
                range: words,
            });
        }
    }
    Ok(meta)
}

/// Reads a file of converter codes, 32 bits little-endian each.
///
/// # Errors
/// It can't be read, is empty, or holds no whole number of codes.
pub fn read_codes(path: &Path) -> Result<Vec<i32>, RecordingError> {
    let bytes = read(path)?;
    if bytes.is_empty() {
        return Err(RecordingError::Empty { path: path.to_owned() });
    }
    let (samples, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(RecordingError::Length {
            path: path.to_owned(),
            bytes: bytes.len(),
        });
    }
    Ok(samples.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect())
}

type Gates = (Vec<Gate>, Option<Vec<f64>>);

fn read_gates(path: &Path, with_masses: bool) -> Result<Gates, RecordingError> {
    let wrong = |line: usize, what: &str| RecordingError::Row {
        path: path.to_owned(),
        line,
        what: what.to_owned(),
    };
    let text = String::from_utf8(read(path)?).map_err(|_| wrong(1, "not UTF-8 text; save it as CSV"))?;
    let mut lines = text.lines().enumerate();
    let Some((_, head)) = lines.next() else {
        return Err(RecordingError::Empty { path: path.to_owned() });
    };
    let columns: Vec<&str> = head.trim_start_matches('\u{feff}').split(',').map(str::trim).collect();
    if columns.len() < 2 || columns[0] != "enter_s" || columns[1] != "leave_s" {
        return Err(wrong(1, "the first two columns must be named enter_s,leave_s"));
    }
    let mass_column = columns.iter().position(|name| *name == "mass_g");
    if with_masses && mass_column.is_none() {
        return Err(wrong(
            1,
            "no column mass_g; a score needs the known masses, weigh without --score",
        ));
    }
    let (mut gates, mut masses) = (Vec::new(), Vec::new());
    for (index, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
        let fields: Vec<&str> = row.split(',').map(str::trim).collect();
        if fields.len() < 2 {
            return Err(wrong(index + 1, "fewer than two columns; write enter_s,leave_s"));
        }
        gates.push(Gate {
            enter_text: fields[0].to_owned(),
            enter_s: time(fields[0]),
            leave_s: time(fields[1]),
        });
        if let (true, Some(column)) = (with_masses, mass_column) {
            let mass_g = fields
                .get(column)
                .and_then(|text| text.parse::<f64>().ok())
                .filter(|mass| mass.is_finite());
            masses.push(mass_g.ok_or_else(|| wrong(index + 1, "mass_g is not a number; correct it"))? * 1e3);
        }
    }
    Ok((gates, with_masses.then_some(masses)))
}

/// A time of day-long recordings at most; anything else is no time.
fn time(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|time| time.abs() <= 1e6)
}

/// Readings as CSV: `enter_s,mass_mg,u_mg,flag`, a row a gate, `enter_s` as given, masses empty where refused.
#[must_use]
pub fn write_readings(readings: &[Reading]) -> String {
    let mut csv = String::from("enter_s,mass_mg,u_mg,flag\n");
    for reading in readings {
        // writing to a string does not fail
        let _ = match &reading.mass {
            Ok((mass, u)) => writeln!(csv, "{},{mass:.3},{u:.3},", reading.enter_text),
            Err(flag) => writeln!(csv, "{},,,{}", reading.enter_text, Flag::name(*flag)),
        };
    }
    csv
}
