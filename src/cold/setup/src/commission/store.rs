//! Where results are kept: a file of JSON beside the machine's file, to which every run is added.
//!
//! Cold side; it reads and writes files. What was found before is never overwritten: a drift over months shows in it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::distances::Distance;
use super::lags::Lags;
use super::robust::Figure;
use super::ticks::TicksAMetre;

/// Version of the file's form.
pub const VERSION: u32 = 1;

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// See [`VERSION`].
    pub version: u32,
    /// The runs, oldest first.
    pub runs: Vec<Run>,
}

/// One run of a calibration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What was calibrated: `ticks`, `distances`, `lags` or `signals`.
    pub kind: String,
    /// When it ended, UTC, as RFC 3339 has it.
    pub at: String,
    /// The machine's file.
    pub machine: String,
    /// CRC-32C of that file, 8 hexadecimal digits: whether it has changed since.
    pub machine_crc32c: String,
    /// What was found.
    pub results: Vec<Found>,
    /// What was refused, and why.
    pub refused: Vec<Refused>,
}

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Of what: `line`, `lane 3 jet 2`, or a signal.
    pub of: String,
    /// The figures.
    pub values: Vec<Value>,
    /// Observations.
    pub n: usize,
    /// Those that were rejected.
    pub rejected: usize,
    /// Unit of the residuals.
    pub residual_unit: String,
    /// Residual of each observation, rejected ones included.
    pub residuals: Vec<f64>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// Its name, as in the machine's file where it stands there.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its standard uncertainty.
    pub u: f64,
    /// The unit of both.
    pub unit: String,
    /// What the machine's file says.
    pub configured: Option<f64>,
}

/// What was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Of what.
    pub of: String,
    /// Why, and what to do.
    pub why: String,
}

/// Why a store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is not such a file.
    #[error("{}: {why}; nothing was written: move the file away, or name another with --store", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It is of another version.
    #[error("{}: version {found}, this program writes version {VERSION}; nothing was written: name another with --store",
        .path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
}

impl Default for Store {
    fn default() -> Self {
        Self {
            version: VERSION,
            runs: Vec::new(),
        }
    }
}

impl Store {
    /// Reads a store; one that is not there is empty.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                return Err(StoreError::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let malformed = |error: serde_json::Error| StoreError::Malformed {
            path: path.to_owned(),
            why: error.to_string(),
        };
        // The version first: a file of another one has another form.
        let value: serde_json::Value = serde_json::from_str(&text).map_err(malformed)?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(found) if found != u64::from(VERSION) => Err(StoreError::Version {
                path: path.to_owned(),
                found,
            }),
            _ => serde_json::from_value(value).map_err(malformed),
        }
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        // Every number is finite and every key a string, so it has a form in JSON.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Adds a run to the store at `path`; a run that can't be written whole leaves the file as it was.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn add(path: &Path, run: Run) -> Result<(), StoreError> {
        let mut store = Self::read(path)?;
        store.runs.push(run);
        let failed = |source| StoreError::Io {
            path: path.to_owned(),
            source,
        };
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        let written = std::fs::File::create(&new).and_then(|mut file| {
            file.write_all(store.text().as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&new, path)).map_err(failed)
    }
}

/// Where the results of a machine's file are kept unless told otherwise: `line.calibration.json` beside `line.toml`.
#[must_use]
pub fn beside(machine: &Path) -> PathBuf {
    machine.with_extension("calibration.json")
}

fn value(name: &str, figure: Figure, unit: &str, configured: f64) -> Value {
    Value {
        name: name.to_owned(),
        value: figure.value,
        u: figure.u,
        unit: unit.to_owned(),
        configured: Some(configured),
    }
}

impl Found {
    /// Ticks a metre.
    #[must_use]
    pub fn ticks(of: &str, found: &TicksAMetre, configured: f64) -> Self {
        Self {
            of: of.to_owned(),
            values: vec![value("ticks-per-metre", found.ticks, "ticks/m", configured)],
            n: found.n,
            rejected: found.rejected,
            residual_unit: "ticks".to_owned(),
            residuals: found.residuals.clone(),
        }
    }

    /// A jet's distance.
    #[must_use]
    pub fn distance(of: &str, found: &Distance, configured_um: f64, ticks_per_metre: f64) -> Self {
        let mut fall = value("fall", found.fall_us, "us", 0.0);
        fall.configured = None;
        Self {
            of: of.to_owned(),
            values: vec![value("at", in_um(found.at, ticks_per_metre), "um", configured_um), fall],
            n: found.n,
            rejected: found.rejected,
            residual_unit: "ticks".to_owned(),
            residuals: found.residuals.clone(),
        }
    }

    /// A valve's lags.
    #[must_use]
    pub fn lags(of: &str, found: &Lags, configured: &super::Configured) -> Self {
        Self {
            of: of.to_owned(),
            values: vec![
                value("lag-on-us", found.on_us, "us", configured.on_us),
                value("lag-off-us", found.off_us, "us", configured.off_us),
                value(
                    "at",
                    in_um(found.at, configured.ticks_per_metre),
                    "um",
                    configured.at_um,
                ),
            ],
            n: found.n,
            rejected: found.rejected,
            residual_unit: "hit less its probability".to_owned(),
            residuals: found.residuals.clone(),
        }
    }
}

/// Ticks as um.
fn in_um(figure: Figure, ticks_per_metre: f64) -> Figure {
    let um = 1e6 / ticks_per_metre;
    Figure {
        value: figure.value * um,
        u: figure.u * um,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        let found = Distance {
            at: Figure { value: 5_213.0, u: 4.5 },
            fall_us: Figure {
                value: 60_100.0,
                u: 150.0,
            },
            n: 4,
            rejected: 1,
            residuals: vec![0.5, -0.25, -1.0, 900.0],
        };
        Run {
            kind: "distances".into(),
            at: "2026-03-01T08:00:00Z".into(),
            machine: "line.toml".into(),
            machine_crc32c: "e3069283".into(),
            results: vec![Found::distance("lane 0 jet 1", &found, 260_000.0, 20_000.0)],
            refused: vec![Refused {
                of: "lane 0 jet 2".into(),
                why: "3 landings at one speed, at least 20 are needed".into(),
            }],
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("pearlsort-store-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        folder.join(name)
    }

    #[test]
    fn the_files_form_is_the_golden_one() {
        let store = Store {
            version: VERSION,
            runs: vec![run()],
        };
        assert_eq!(store.text(), include_str!("store.golden.json"));
    }

    #[test]
    fn runs_are_added_and_read_back() {
        let path = scratch("added.json");
        let _ = std::fs::remove_file(&path);
        Store::add(&path, run()).expect("it is written");
        Store::add(&path, run()).expect("it is written");
        assert_eq!(Store::read(&path).expect("it is read").runs, [run(), run()]);
        std::fs::remove_file(&path).expect("it is there");
    }

    #[test]
    fn a_file_of_another_form_is_left_alone() {
        let path = scratch("other.json");
        for (text, version) in [
            ("{\"version\": 2}", true),
            ("{\"version\": 1}", false),
            ("nonsense", false),
        ] {
            std::fs::write(&path, text).expect("it is written");
            let error = Store::add(&path, run()).expect_err("it is refused");
            assert_eq!(
                matches!(error, StoreError::Version { found: 2, .. }),
                version,
                "{error}"
            );
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        }
        std::fs::remove_file(&path).expect("it is there");
    }

    #[test]
    fn the_store_stands_beside_the_machines_file() {
        assert_eq!(
            beside(Path::new("config/line.toml")),
            Path::new("config/line.calibration.json")
        );
    }
}
