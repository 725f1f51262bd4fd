//! A recording out of what a running line saw of a streaming cell: its `Samples` messages and the passages that the core
//! foretold to its estimator.
//!
//! Cold threads. Board times are laid onto the samples' own scale by a straight line through the messages' times, so that a
//! converter whose clock is off is no matter.

use super::files::{Gate, Recording};
use units::{BoardUs32, Unwrap32};

/// Messages from which the converter's clock is taken.
const LEAST_MESSAGES: usize = 16;
/// Samples kept at most: a minute at the fastest converters that are usual.
const MOST_SAMPLES: usize = 600_000;

/// Gathers samples and passages until there is enough to identify a platform.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    samples: Vec<i32>,
    next: Option<u32>,
    clock: Unwrap32,
    /// Index of each message's first sample, and the board's time of it.
    messages: Vec<(usize, i64)>,
    passages: Vec<(i64, i64)>,
}

impl Collector {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Samples have come, three bytes each as on the field bus. A gap in the numbers begins anew.
    pub fn samples(&mut self, first: u32, at: BoardUs32, data: &[u8]) {
        if self.next.is_some_and(|next| next != first) || self.samples.len() > MOST_SAMPLES {
            *self = Self::default();
        }
        let (codes, _) = data.as_chunks::<3>();
        self.messages.push((self.samples.len(), self.clock.follow(at.0)));
        self.samples.extend(
            codes
                .iter()
                .map(|[low, middle, high]| i32::from_le_bytes([0, *low, *middle, *high]) >> 8),
        );
        self.next = u32::try_from(codes.len()).ok().map(|count| first.wrapping_add(count));
    }

    /// A pearl has passed the platform between these times.
    pub fn passage(&mut self, entered: BoardUs32, left: BoardUs32) {
        if self.next.is_some() {
            self.passages
                .push((self.clock.peek(entered.0), self.clock.peek(left.0)));
        }
    }

    /// Samples without a gap so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether nothing has come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// What has come as a recording: of a cell with this rate and span, on whose platform a pearl rolls for so long. `None` while
    /// there is too little to lay the passages onto the samples.
    #[must_use]
    pub fn recording(&self, sample_hz: f64, counts_per_mg: f64, roll_on_ms: f64) -> Option<Recording> {
        let (origin, per_us) = self.scale()?;
        // a gate in s of the nominal rate, as the samples are counted
        let seconds = |us: i64| (us as f64 - origin) * per_us / sample_hz;
        let end_s = self.samples.len() as f64 / sample_hz;
        let mut gates = Vec::new();
        for &(entered, left) in &self.passages {
            let (enter_s, leave_s) = (seconds(entered), seconds(left));
            if enter_s > 0.0 && leave_s < end_s {
                gates.push(Gate {
                    enter_text: format!("{enter_s:.6}"),
                    enter_s: Some(enter_s),
                    leave_s: Some(leave_s),
                });
            }
        }
        gates.sort_by(|a, b| a.enter_s.partial_cmp(&b.enter_s).unwrap_or(std::cmp::Ordering::Equal));
        Some(Recording {
            samples: self.samples.clone(),
            sample_hz,
            counts_per_mg,
            roll_on_ms,
            gates,
            masses_mg: None,
        })
    }

    /// Board time of sample 0, us, and samples a microsecond of the board: least squares over the messages.
    fn scale(&self) -> Option<(f64, f64)> {
        let n = self.messages.len();
        if n < LEAST_MESSAGES {
            return None;
        }
        let zero = self.messages[0].1;
        let points = self
            .messages
            .iter()
            .map(|(index, us)| ((us - zero) as f64, *index as f64));
        let (sum_x, sum_y) = points.clone().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x, sy + y));
        let (mean_x, mean_y) = (sum_x / n as f64, sum_y / n as f64);
        let (xx, xy) = points.fold((0.0, 0.0), |(xx, xy), (x, y)| {
            (xx + (x - mean_x) * (x - mean_x), xy + (x - mean_x) * (y - mean_y))
        });
        let per_us = xy / xx;
        (per_us.is_finite() && per_us > 0.0).then(|| (zero as f64 + mean_x - mean_y / per_us, per_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_lie_on_the_samples_although_clocks_differ_and_wrap() {
        let mut collector = Collector::new();
        // the converter runs 200 ppm fast; board time and numbers wrap under way
        let us = |sample: f64| sample / 4_800.0 * 1e6 / 1.000_2;
        let at = |us: f64| BoardUs32((u32::MAX - 2_000_000).wrapping_add(us as u32));
        for message in 0..500_u32 {
            let first = (u32::MAX - 9_000).wrapping_add(48 * message);
            let codes: Vec<u8> = (0..48_i32).flat_map(|k| (k - 20).to_le_bytes()[..3].to_vec()).collect();
            collector.samples(first, at(us(f64::from(48 * message))), &codes);
            if message == 250 {
                collector.passage(at(us(11_000.0)), at(us(11_240.0)));
            }
        }
        let recording = collector.recording(4_800.0, 200.0, 6.0).expect("there is enough");
        assert_eq!((recording.samples.len(), recording.samples[0]), (24_000, -20));
        let gate = &recording.gates[0];
        let index = |seconds: Option<f64>| seconds.expect("both gates are there") * 4_800.0;
        assert!((index(gate.enter_s) - 11_000.0).abs() < 0.02, "{gate:?}");
        assert!((index(gate.leave_s) - 11_240.0).abs() < 0.02, "{gate:?}");
    }

    #[test]
    fn a_gap_begins_anew() {
        let mut collector = Collector::new();
        for first in [0, 2, 4, 7] {
            collector.samples(first, BoardUs32(first * 208), &[0, 0, 1, 0, 0, 1]);
        }
        assert_eq!(collector.len(), 2);
        assert!(collector.recording(4_800.0, 200.0, 6.0).is_none());
    }
}
