//! What data must be like to be believed, by name.
//!
//! Any thread. The counts come from the uncertainty that they leave; the farthest changes from what a hand measures with
//! a ruler, or reads on a valve's sheet.

/// Passages, or landings at one speed, without which nothing is fitted.
pub const LEAST_PASSAGES: usize = 20;

/// Pulses at one edge and speed without which nothing is fitted.
pub const LEAST_PULSES: usize = 20;

/// Share of observations that may be rejected before the data are refused.
pub const MOST_REJECTED: f64 = 0.15;

/// An observation farther from the median than so many robust standard deviations is rejected: of good normal data one
/// in sixteen thousand, were the scatter known; of few data, where it is not, some more.
pub const REJECT_AT: f64 = 4.0;

/// A pulse on the wrong side of its edge by more than so many scales of the edge is rejected.
pub const REJECT_PULSE_AT: f64 = 8.0;

/// Least robust standard deviation that is believed, in ticks: that of rounding both ends of a passage.
pub const LEAST_SCATTER: f64 = 0.4;

/// The fastest belt speed is at least so many times the slowest.
pub const LEAST_SPEED_RATIO: f64 = 1.2;

/// Speeds within one level may differ by this share.
pub const MOST_SPEED_SPREAD: f64 = 0.1;

/// Levels that lie off their common line by more than so many times their own variance are refused.
pub const MOST_CHI_SQUARED: f64 = 16.0;

/// Share of the pulses at an edge that may be on its wrong side.
pub const MOST_WRONG_SIDE: f64 = 0.3;

/// The same for pulses in the outer halves of the sweep, where hit or miss is to be sure.
pub const MOST_WRONG_FAR: f64 = 0.1;

/// Farthest from the file's ticks a metre, as a share.
pub const TICKS_CHANGE: f64 = 0.05;

/// Largest standard uncertainty of ticks a metre, as a share: 0.3 mm in 100 mm.
pub const TICKS_UNCERTAINTY: f64 = 0.003;

/// Farthest from a jet's place in the file, um: what a `[[trim]]` may say.
pub const DISTANCE_CHANGE_UM: f64 = 5_000.0;

/// Largest standard uncertainty of a jet's place, um.
pub const DISTANCE_UNCERTAINTY_UM: f64 = 500.0;

/// Farthest from a valve's lag in the file, us: a wrong valve type is for the file, not for a trim.
pub const LAG_CHANGE_US: f64 = 5_000.0;

/// Largest standard uncertainty of a lag, us: at 1 m/s it is as many um of belt.
pub const LAG_UNCERTAINTY_US: f64 = 500.0;

const _: () = assert!(
    LEAST_SPEED_RATIO > 1.0 + MOST_SPEED_SPREAD,
    "levels must not run into one another"
);
const _: () = assert!(LEAST_PASSAGES >= 8, "a median of deviations needs a few");
const _: () = assert!(MOST_WRONG_FAR < MOST_WRONG_SIDE, "far from an edge it is surer");
const _: () = assert!(MOST_WRONG_SIDE < 0.5, "at half there is no edge");
