//! Everything about a weigh cell that is not done a sample at a time: recordings, identification, scoring.
//!
//! Cold threads.

mod files;
mod identify;
mod optimise;
mod plain;
mod reading;
mod score;
mod spectrum;
pub mod synthetic;

pub use files::{Gate, Recording, RecordingError, read_recording, write_readings};
pub use identify::{Identified, IdentifyError, identify};
pub use plain::{Plain, plain_readings};
pub use reading::{Flag, Reading, default_checks, weigh};
pub use score::{Score, ScoreError, is_double, score, score_table};
pub use spectrum::{Line, Spectrum, spectrum};
