//! Readings against known masses.
//!
//! Cold threads. Words: a **double** is a pearl that shares the platform with another; a refused double is no miss.

use super::files::{Gate, Recording};
use super::reading::Reading;
use std::fmt::Write as _;

/// How well a filter weighed.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The filter.
    pub name: &'static str,
    /// Pearls with a mass.
    pub n: usize,
    /// Pearls that were alone and have none.
    pub refused: usize,
    /// Doubles that have none.
    pub refused_doubles: usize,
    /// Mean error, mg.
    pub mean_mg: f64,
    /// Standard deviation of the error, mg.
    pub sd_mg: f64,
    /// 95th percentile of the error's size, mg.
    pub p95_mg: f64,
    /// Share of errors within twice the stated uncertainty; `None` for filters that state none.
    pub within_2u: Option<f64>,
}

/// Why there is no score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The recording was read without masses.
    #[error("the recording has no known masses; read it with them")]
    NoMasses,
    /// Readings and masses are not as many.
    #[error("{readings} readings for {masses} known masses; weigh the same recording")]
    Count {
        /// Readings.
        readings: usize,
        /// Masses.
        masses: usize,
    },
}

/// Whether the pearl of `row` shares the platform with a neighbour by its gates.
#[must_use]
pub fn is_double(gates: &[Gate], row: usize) -> bool {
    let overlap = |a: &Gate, b: &Gate| match (a.enter_s, a.leave_s, b.enter_s, b.leave_s) {
        (Some(a_in), Some(a_out), Some(b_in), Some(b_out)) => a_in < b_out && b_in < a_out,
        _ => false,
    };
    let near = row.saturating_sub(2)..(row + 3).min(gates.len());
    near.into_iter()
        .any(|other| other != row && overlap(&gates[row], &gates[other]))
}

/// Scores `readings` of a recording. Readings whose u is NaN come from filters that state none.
///
/// # Errors
/// There are no masses to compare with, or not as many.
pub fn score(name: &'static str, recording: &Recording, readings: &[Reading]) -> Result<Score, ScoreError> {
    let masses = recording.masses_mg.as_ref().ok_or(ScoreError::NoMasses)?;
    if masses.len() != readings.len() {
        return Err(ScoreError::Count {
            readings: readings.len(),
            masses: masses.len(),
        });
    }
    let (mut refused, mut refused_doubles, mut within, mut stated) = (0, 0, 0_usize, 0_usize);
    let mut errors = Vec::new();
    for (row, (reading, mass)) in readings.iter().zip(masses).enumerate() {
        match reading.mass {
            Ok((mg, u)) => {
                errors.push(mg - mass);
                stated += usize::from(!u.is_nan());
                within += usize::from((mg - mass).abs() <= 2.0 * u);
            }
            Err(_) if is_double(&recording.gates, row) => refused_doubles += 1,
            Err(_) => refused += 1,
        }
    }
    let n = errors.len();
    let mean_mg = errors.iter().sum::<f64>() / n as f64;
    let squares: f64 = errors.iter().map(|error| (error - mean_mg).powi(2)).sum();
    let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let p95 = (n * 95).div_ceil(100).saturating_sub(1);
    Ok(Score {
        name,
        n,
        refused,
        refused_doubles,
        mean_mg,
        sd_mg: (squares / n.saturating_sub(1).max(1) as f64).sqrt(),
        p95_mg: sizes.get(p95).copied().unwrap_or(f64::NAN),
        within_2u: (stated > 0).then(|| within as f64 / stated as f64),
    })
}

/// Scores as a table for people.
#[must_use]
pub fn score_table(scores: &[Score]) -> String {
    let mut table = format!(
        "{:<22} {:>5} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}\n",
        "filter", "n", "refused", "doubles", "mean mg", "sd mg", "p95 mg", "within 2u"
    );
    for s in scores {
        let within = s
            .within_2u
            .map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
        // writing to a string does not fail
        let _ = writeln!(
            table,
            "{:<22} {:>5} {:>8} {:>8} {:>9.3} {:>9.3} {:>9.3} {within:>9}",
            s.name, s.n, s.refused, s.refused_doubles, s.mean_mg, s.sd_mg, s.p95_mg
        );
    }
    table
}
