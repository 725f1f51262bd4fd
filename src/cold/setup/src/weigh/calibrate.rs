//! Two-point calibration of a cell with reference masses, and the log that keeps every one of them.
//!
//! Cold threads. Words: **CAL** counts calibrations, **CFG** changes of what a weighing depends on (model, checks);
//! neither ever goes back, and there is no way to reset them.

use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Codes while a known mass lay still on the platform.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The reference mass, mg; 0 for the empty platform.
    pub mass_mg: f64,
    /// Its standard uncertainty, mg.
    pub u_mg: f64,
    /// The codes.
    pub codes: &'a [i32],
}

/// How still and how long a load must lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demands {
    /// Fewest codes a load.
    pub least_codes: usize,
    /// Least reference mass of the span, mg.
    pub least_span_mg: f64,
    /// Farthest that the first and last quarter of a load's codes may differ, as a share of the span: creep, drift, a
    /// mass that was still being put on.
    pub most_creep: f64,
    /// Largest standard uncertainty of the span, as a share of it.
    pub most_u: f64,
    /// Largest residual of a check load, as a share of the span.
    pub most_residual: f64,
    /// Codes at or beyond these are saturated.
    pub codes: (i32, i32),
}

impl Default for Demands {
    fn default() -> Self {
        Self {
            least_codes: 1_000,
            least_span_mg: 100.0,
            most_creep: 5e-4,
            most_u: 2e-4,
            most_residual: 1e-3,
            codes: (-(1 << 23), (1 << 23) - 1),
        }
    }
}

/// One calibration, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// CAL: number of this calibration, from 1.
    pub cal: u64,
    /// CFG at the time.
    pub cfg: u64,
    /// When, seconds since 1970.
    pub at_unix_s: i64,
    /// Who did it.
    pub by: String,
    /// Counts of the empty platform.
    pub zero_counts: f64,
    /// Span, counts a milligram.
    pub counts_per_mg: f64,
    /// Relative standard uncertainty of the span.
    pub u_relative: f64,
    /// Difference of first and last quarter of each load, mg: creep, drift and temperature together.
    pub creep_mg: Vec<f64>,
    /// Residuals of the loads by the straight line, mg, in the order in which they were put on.
    pub residuals_mg: Vec<f64>,
    /// Temperature of the cell, where it is known, degrees Celsius.
    pub temperature_c: Option<f64>,
}

/// Why a calibration is refused.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// The loads are not two points and checks.
    #[error("{what}; put on nothing, then the reference mass, then any check masses")]
    Loads {
        /// What is wrong.
        what: &'static str,
    },
    /// A load's codes can't be used.
    #[error("load {load} ({mass_mg} mg): {what}; take it off and repeat")]
    Codes {
        /// Which load, from 1.
        load: usize,
        /// Its mass.
        mass_mg: f64,
        /// What is wrong.
        what: String,
    },
    /// The span is not known well enough.
    #[error("the span is uncertain by {parts_per_million} ppm, more than allowed; use a better mass or wait longer")]
    Uncertain {
        /// Relative standard uncertainty, parts per million.
        parts_per_million: u32,
    },
    /// A check load does not lie on the line.
    #[error("check load {load} is off by {residual_mg:.2} mg; check the masses and the platform's freedom")]
    Residual {
        /// Which load, from 1.
        load: usize,
        /// By how much.
        residual_mg: f64,
    },
}

/// A load's mean, its standard uncertainty and its creep, in counts.
struct Settled {
    mean: f64,
    u: f64,
    creep: f64,
}

fn mean(codes: &[i32]) -> f64 {
    codes.iter().map(|&code| f64::from(code)).sum::<f64>() / codes.len().max(1) as f64
}

fn settle(load: &Load<'_>, demands: &Demands) -> Result<Settled, String> {
    let n = load.codes.len();
    if n < demands.least_codes {
        return Err(format!("{n} codes are too few, {} are needed", demands.least_codes));
    }
    let (low, high) = demands.codes;
    if load.codes.iter().any(|&code| code <= low || code >= high) {
        return Err("the converter is saturated".to_owned());
    }
    if load.codes.iter().all(|&code| code == load.codes[0]) {
        return Err("the converter is stuck".to_owned());
    }
    // means of blocks: vibration is far from white, so that single codes would promise too much
    let blocks: Vec<f64> = load.codes.chunks_exact(n / 16).take(16).map(mean).collect();
    let centre = blocks.iter().sum::<f64>() / 16.0;
    let spread = blocks.iter().map(|block| (block - centre).powi(2)).sum::<f64>() / 15.0;
    let creep = mean(&load.codes[n - n / 4..]) - mean(&load.codes[..n / 4]);
    Ok(Settled {
        mean: mean(load.codes),
        u: (spread / 16.0).sqrt(),
        creep,
    })
}

/// The reference load among loads that are in order.
fn reference<'a>(loads: &[Load<'a>], demands: &Demands) -> Result<Load<'a>, CalibrationError> {
    let [empty, reference, ..] = loads else {
        return Err(CalibrationError::Loads {
            what: "fewer than two loads",
        });
    };
    if empty.mass_mg != 0.0 {
        return Err(CalibrationError::Loads {
            what: "the first load is not the empty platform",
        });
    }
    if reference.mass_mg.is_nan() || reference.mass_mg < demands.least_span_mg {
        return Err(CalibrationError::Loads {
            what: "the reference mass is too small",
        });
    }
    Ok(*reference)
}

fn refuse_creep(
    loads: &[Load<'_>],
    settled: &[Settled],
    counts: f64,
    demands: &Demands,
) -> Result<(), CalibrationError> {
    let mg_per_count = loads[1].mass_mg / counts;
    for (i, (load, load_settled)) in loads.iter().zip(settled).enumerate() {
        if load_settled.creep.abs() > demands.most_creep * counts {
            let what = format!("it creeps by {:.2} mg", load_settled.creep * mg_per_count);
            return Err(CalibrationError::Codes {
                load: i + 1,
                mass_mg: load.mass_mg,
                what,
            });
        }
    }
    Ok(())
}

/// Calibrates from `loads`: first the empty platform, then the reference mass, then any number of checks. `before` is the
/// latest calibration, whose counter goes on.
///
/// # Errors
/// What is wrong with the data; nothing is calibrated then.
pub fn calibrate(
    loads: &[Load<'_>],
    demands: &Demands,
    before: Option<&Calibration>,
    stamp: (i64, &str),
) -> Result<Calibration, CalibrationError> {
    let reference = reference(loads, demands)?;
    let mut settled = Vec::new();
    for (i, load) in loads.iter().enumerate() {
        let wrong = |what| CalibrationError::Codes {
            load: i + 1,
            mass_mg: load.mass_mg,
            what,
        };
        settled.push(settle(load, demands).map_err(wrong)?);
    }
    let counts = settled[1].mean - settled[0].mean;
    let span = counts / reference.mass_mg;
    if counts.is_nan() || counts < 100.0 * settled[0].u.max(settled[1].u) {
        return Err(CalibrationError::Loads {
            what: "the reference mass hardly moves the codes",
        });
    }
    refuse_creep(loads, &settled, counts, demands)?;
    let u_relative = (settled[0].u.hypot(settled[1].u) / counts).hypot(reference.u_mg / reference.mass_mg);
    if u_relative.is_nan() || u_relative > demands.most_u {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "held within the range"
        )]
        let parts_per_million = (u_relative * 1e6) as u32;
        return Err(CalibrationError::Uncertain { parts_per_million });
    }
    let residuals_mg: Vec<f64> = loads
        .iter()
        .zip(&settled)
        .map(|(load, s)| (s.mean - settled[0].mean) / span - load.mass_mg)
        .collect();
    if let Some(i) = residuals_mg
        .iter()
        .position(|r| r.abs() > demands.most_residual * reference.mass_mg)
    {
        return Err(CalibrationError::Residual {
            load: i + 1,
            residual_mg: residuals_mg[i],
        });
    }
    Ok(Calibration {
        cal: before.map_or(0, |before| before.cal) + 1,
        cfg: before.map_or(0, |before| before.cfg),
        at_unix_s: stamp.0,
        by: stamp.1.to_owned(),
        zero_counts: settled[0].mean,
        counts_per_mg: span,
        u_relative,
        creep_mg: settled.iter().map(|s| s.creep / span).collect(),
        residuals_mg,
        temperature_c: None,
    })
}

/// What is wrong with the log of calibrations.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file can't be read or written.
    #[error("{path}: {source}; check the folder and its rights")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A line is no calibration.
    #[error("{path}:{line}: {source}; the log must not be edited, restore it from a backup")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Where it stops making sense.
        source: serde_json::Error,
    },
    /// A counter goes back, or CAL skips.
    #[error("{path}:{line}: CAL {cal}, CFG {cfg} do not follow the entry before; restore the log from a backup")]
    Counter {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// CAL found.
        cal: u64,
        /// CFG found.
        cfg: u64,
    },
}

/// Every calibration of a cell, a line of JSON each, only ever appended to.
#[derive(Clone, Debug)]
pub struct CalibrationLog {
    path: PathBuf,
    entries: Vec<Calibration>,
}

impl CalibrationLog {
    /// Opens the log at `path`; a missing file is an empty log.
    ///
    /// # Errors
    /// The file can't be read, or is no log whose counters only go on.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => {
                return Err(LogError::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let mut log = Self {
            path: path.to_owned(),
            entries: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let entry: Calibration = serde_json::from_str(line).map_err(|source| LogError::Line {
                path: path.to_owned(),
                line: index + 1,
                source,
            })?;
            log.check(&entry)?;
            log.entries.push(entry);
        }
        Ok(log)
    }

    /// The latest calibration.
    #[must_use]
    pub fn latest(&self) -> Option<&Calibration> {
        self.entries.last()
    }

    /// All calibrations, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Calibration] {
        &self.entries
    }

    fn check(&self, entry: &Calibration) -> Result<(), LogError> {
        let (cal, cfg) = self.latest().map_or((0, 0), |latest| (latest.cal, latest.cfg));
        if entry.cal == cal + 1 && entry.cfg >= cfg {
            return Ok(());
        }
        let line = self.entries.len() + 1;
        Err(LogError::Counter {
            path: self.path.clone(),
            line,
            cal: entry.cal,
            cfg: entry.cfg,
        })
    }

    /// Appends a calibration and sees it on the disk before it returns.
    ///
    /// # Errors
    /// Its counters do not follow the latest, or the file can't be written.
    pub fn append(&mut self, entry: Calibration) -> Result<(), LogError> {
        self.check(&entry)?;
        let io = |source| LogError::Io {
            path: self.path.clone(),
            source,
        };
        let mut line = serde_json::to_string(&entry).map_err(|error| io(error.into()))?;
        line.push('\n');
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .map_err(io)?;
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(io)?;
        self.entries.push(entry);
        Ok(())
    }
}
