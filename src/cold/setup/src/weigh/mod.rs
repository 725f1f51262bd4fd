//! Everything about a weigh cell that is not done a sample at a time: recordings, identification, scoring.
//!
//! Cold threads.

mod calibrate;
mod collect;
mod diagnose;
mod files;
mod identify;
mod optimise;
mod plain;
mod reading;
mod score;
mod spectrum;
mod svg;
pub mod synthetic;

pub use calibrate::{Calibration, CalibrationError, CalibrationLog, Demands, Load, LogError, calibrate};
pub use collect::Collector;
pub use diagnose::{Diagnosis, Finding, NamedLine, Verdict, diagnose};
pub use files::{Gate, Recording, RecordingError, read_codes, read_recording, write_readings};
pub use identify::{Identified, IdentifyError, identify};
pub use plain::{Plain, plain_readings};
pub use reading::{Flag, Reading, default_checks, weigh};
pub use score::{Score, ScoreError, is_double, score, score_table};
pub use spectrum::{Line, Spectrum, spectrum};
pub use svg::Chart;
