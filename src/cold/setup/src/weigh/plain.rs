//! The filters that a scale without a model has, for comparison.
//!
//! Cold threads.

use super::files::{Gate, Recording};
use super::reading::{Flag, Reading};
use super::score::is_double;
use line::weigh::Refusal;

/// A filter over the samples of one pearl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// Mean over the plateau.
    Plateau,
    /// Mean over the last 22 ms of the plateau.
    Last22Ms,
    /// Hann-weighted mean over the plateau.
    Hann,
}

impl Plain {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plateau, Self::Last22Ms, Self::Hann];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plateau => "plateau mean",
            Self::Last22Ms => "mean of last 22 ms",
            Self::Hann => "Hann-weighted mean",
        }
    }
}

/// Length of time on each side over which the zero is taken, s.
const ZERO_S: f64 = 2.0;

/// Weighs every pearl that was alone by a plain filter, against the median of the gaps around it. States no uncertainty.
#[must_use]
pub fn plain_readings(recording: &Recording, filter: Plain) -> Vec<Reading> {
    let gaps = gap_samples(recording);
    let weigh = |(row, gate): (usize, &Gate)| {
        let mass = if is_double(&recording.gates, row) {
            Err(Flag::Refused(Refusal::Crowded))
        } else {
            mass(recording, gate, filter, &gaps).ok_or(Flag::Refused(Refusal::Lost))
        };
        Reading {
            enter_text: gate.enter_text.clone(),
            mass: mass.map(|mg| (mg, f64::NAN)),
        }
    };
    recording.gates.iter().enumerate().map(weigh).collect()
}

/// Indices of samples during which no pearl was on the platform.
fn gap_samples(recording: &Recording) -> Vec<usize> {
    let mut free = vec![true; recording.samples.len()];
    for gate in &recording.gates {
        if let (Some(enter), Some(leave)) = (gate.enter_s, gate.leave_s) {
            let range = index(recording, enter)..index(recording, leave).max(index(recording, enter));
            free[range].fill(false);
        }
    }
    (0..free.len()).filter(|&i| free[i]).collect()
}

fn index(recording: &Recording, seconds: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held at the recording's ends"
    )]
    let index = (seconds.max(0.0) * recording.sample_hz).ceil() as usize;
    index.min(recording.samples.len())
}

fn mass(recording: &Recording, gate: &Gate, filter: Plain, gaps: &[usize]) -> Option<f64> {
    let (enter, leave, roll) = (gate.enter_s?, gate.leave_s?, recording.roll_on_ms / 1e3);
    let start = if filter == Plain::Last22Ms {
        (leave - roll - 0.022).max(enter + roll)
    } else {
        enter + roll
    };
    let (from, to) = (index(recording, start), index(recording, leave - roll));
    if from >= to {
        return None;
    }
    let plateau = &recording.samples[from..to];
    let n = plateau.len() as f64;
    let weight = |i: usize| match filter {
        Plain::Hann => 1.0 - (std::f64::consts::TAU * (i as f64 + 0.5) / n).cos(),
        Plain::Plateau | Plain::Last22Ms => 1.0,
    };
    let (mut sum, mut weights) = (0.0, 0.0);
    for (i, &code) in plateau.iter().enumerate() {
        sum += weight(i) * f64::from(code);
        weights += weight(i);
    }
    let near = (index(recording, enter - ZERO_S), index(recording, leave + ZERO_S));
    let range = gaps.partition_point(|&i| i < near.0)..gaps.partition_point(|&i| i < near.1);
    let mut zeros: Vec<i32> = gaps[range].iter().map(|&i| recording.samples[i]).collect();
    if zeros.is_empty() {
        return None;
    }
    let middle = zeros.len() / 2;
    let zero = *zeros.select_nth_unstable(middle).1;
    Some((sum / weights - f64::from(zero)) / recording.counts_per_mg)
}
