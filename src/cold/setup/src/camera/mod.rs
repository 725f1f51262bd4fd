//! Calibration of a camera station: scale and distortion from a ruled target, dark and white references, colour from a
//! chart, lustre and surface from the customer's master pearls, and the check against a reference pearl.
//!
//! Cold threads. Each step gives a new [`vision::Calibration`] and says how well it fits; data that do not bear it are
//! refused. [`station`] keeps the result in a file, dated, with the residuals of every step.
//!
//! Words: a **station** is the three cameras that look at one flash; a **chip** is a body of known colour; a **master** is a
//! pearl whose class the customer has decided; the **reference pearl** has certified figures and is measured at each start.

mod colour;
mod masters;
mod refer;
mod references;
mod ruled;
mod solve;
pub mod station;

pub use colour::{ChipSeen, ColourFit, colour, difference};
pub use masters::{Master, MastersFit, masters};
pub use refer::{Certified, Drift, Tolerance, check, rescaled};
pub use references::{References, references};
pub use ruled::{RuledFit, ruled};

/// Why a step of the calibration is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unfit {
    /// The target shows too few lines.
    #[error(
        "only {across} lines across and {along} lines along are seen; {LEAST_LINES} of each are needed: look at focus, light and the target's place"
    )]
    Lines {
        /// Lines across the belt.
        across: usize,
        /// Lines along it.
        along: usize,
    },
    /// The target's lines do not lie where any scale and distortion puts them.
    #[error(
        "the lines lie {rms_px:.2} px off; at most {limit_px} px are allowed: is the target flat, and its pitch right?"
    )]
    Residual {
        /// Root mean square distance.
        rms_px: f64,
        /// What is allowed.
        limit_px: f64,
    },
    /// A figure lies outside of what a station can have.
    #[error("{what} is {value:.4}, outside of {least} to {most}: {advice}")]
    Range {
        /// Which.
        what: &'static str,
        /// What was found.
        value: f64,
        /// Least that is allowed.
        least: f64,
        /// Most that is allowed.
        most: f64,
        /// What to look at.
        advice: &'static str,
    },
    /// Too few chips, masters or frames.
    #[error("{found} {what} are too few; {needed} are needed")]
    Few {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Chips that are all of one kind determine no colour.
    #[error("the chips are too much alike to tell colours by: take chips of all series")]
    Alike,
    /// The chart and what was seen of it do not go together.
    #[error(
        "chips lie {median:.1} off (CIEDE2000, median), at most {limit} is allowed: are chart and chips in the same order?"
    )]
    Colour {
        /// Median difference.
        median: f64,
        /// What is allowed.
        limit: f64,
    },
    /// The masters' order is not what the eye sees.
    #[error(
        "the masters' {what} and the eye's agree only to {rank:.2} (Spearman), {limit} is needed: are the masters in order, and clean?"
    )]
    Order {
        /// Lustre or surface.
        what: &'static str,
        /// Rank correlation.
        rank: f64,
        /// What is needed.
        limit: f64,
    },
}

/// Lines of the target each way that a fit needs.
pub const LEAST_LINES: usize = 4;
