//! What the estimator has to know of one weigh cell: the platform, the belt's lines, the noise, and what is refused.
//! Found by `setup` from a recording, on the cold side. Any thread.

use super::limits::{LATEST_LOOK_US, LINES, RING};

/// The platform as a damped oscillator whose frequency falls with the load on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Platform {
    /// Natural frequency without load, Hz.
    pub natural_hz: f64,
    /// Damping ratio.
    pub damping: f64,
    /// Moving mass of the platform as the load sees it, mg: with a load m the frequency is
    /// `natural_hz / sqrt(1 + m / effective_mg)`.
    pub effective_mg: f64,
    /// Length of the blow with which a pearl lands, us.
    pub landing_us: f64,
    /// Time over which a pearl rolls on, and off, us.
    pub roll_us: f64,
    /// How much later than the true load the gates are seen by the samples' clock, us; may be negative.
    pub lag_us: f64,
}

/// Sinusoids that belt and drive put on the signal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BeltLines {
    hz: [f64; LINES],
    count: usize,
}

impl BeltLines {
    /// No lines.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            hz: [0.0; LINES],
            count: 0,
        }
    }

    /// Lines at `hz`; those that do not fit are left out.
    #[must_use]
    pub fn new(hz: &[f64]) -> Self {
        let count = hz.len().min(LINES);
        let mut lines = Self::none();
        lines.hz[..count].copy_from_slice(&hz[..count]);
        lines.count = count;
        lines
    }

    /// The frequencies, Hz.
    #[must_use]
    pub fn hz(&self) -> &[f64] {
        &self.hz[..self.count]
    }
}

/// How far the parts of the signal stray.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Standard deviation of one sample, mg.
    pub white_mg: f64,
    /// Random walk of the zero, mg a root second.
    pub zero_walk_mg: f64,
    /// Random walk of each quadrature of a belt line, mg a root second.
    pub line_walk_mg: f64,
    /// Random push on the platform, mg of force a sample: what the model of the platform leaves out.
    pub push_mg: f64,
    /// Standard deviation of a gate's time, us.
    pub gate_us: f64,
}

/// A weigh cell's model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model {
    /// Samples a second.
    pub sample_hz: f64,
    /// Converter counts a milligram (the span).
    pub counts_per_mg: f64,
    /// The platform.
    pub platform: Platform,
    /// The belt's lines.
    pub lines: BeltLines,
    /// The noise.
    pub noise: Noise,
}

/// Where a mass is no longer given, and how long things may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checks {
    /// Codes at or below this are saturated.
    pub least_code: i32,
    /// Codes at or above this are saturated.
    pub most_code: i32,
    /// Equal codes in a row that mean a stuck converter.
    pub stuck_samples: u16,
    /// A mass below this is an empty platform, mg.
    pub least_mg: f64,
    /// A mass above this, or a reading farther than this from the zero, is absurd, mg.
    pub most_mg: f64,
    /// Largest standard uncertainty that is still given, mg.
    pub most_u_mg: f64,
    /// Farthest that the zero may be from where it was at the start, mg.
    pub zero_band_mg: f64,
    /// Fastest that the zero may move, mg a second.
    pub zero_rate_mg_s: f64,
    /// Shortest and longest time between the gates, us.
    pub dwell_us: (i64, i64),
    /// Residuals beyond this many standard deviations are not noise. Infinite while a platform is being identified.
    pub outlier_sigmas: f64,
    /// How much later than it happened a gate may be told, us: samples are filtered this much after they came.
    pub gate_delay_us: i64,
    /// Time after the leaving gate during which samples still count for the mass, us.
    pub hold_us: i64,
}

impl Default for Checks {
    /// For a 24-bit converter and pearls of 4 to 12 mm.
    fn default() -> Self {
        Self {
            least_code: -(1 << 23),
            most_code: (1 << 23) - 1,
            stuck_samples: 24,
            least_mg: 20.0,
            most_mg: 5_000.0,
            most_u_mg: 2.0,
            zero_band_mg: 500.0,
            zero_rate_mg_s: 20.0,
            dwell_us: (8_000, 500_000),
            outlier_sigmas: 8.0,
            gate_delay_us: 10_000,
            hold_us: 2_000,
        }
    }
}

/// Why a model can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelFault {
    /// The rate is not a positive number, or the platform rings too fast for it: at least seven samples a period.
    SampleRate,
    /// The span is not a positive number.
    Span,
    /// Frequency, damping (0 to 0.7), effective mass or landing time is not a number that a platform can have.
    Platform,
    /// A belt line is not between 0 and half the sample rate.
    Line,
    /// A noise figure is negative or not a number, or the white noise is zero.
    Noise,
    /// Delay, hold, roll-on and dwell do not fit the ring of samples.
    Delay,
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn not_negative(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

impl Model {
    /// Checks that the filter can run on this model.
    ///
    /// # Errors
    /// The first figure that it can't run on.
    pub fn check(&self, checks: &Checks) -> Result<(), ModelFault> {
        let p = &self.platform;
        if !positive(self.sample_hz) || !positive(p.natural_hz) || p.natural_hz * 7.0 > self.sample_hz {
            return Err(ModelFault::SampleRate);
        }
        if !positive(self.counts_per_mg) {
            return Err(ModelFault::Span);
        }
        let platform = positive(p.damping) && p.damping < 0.7 && positive(p.effective_mg);
        if !platform || !positive(p.landing_us) || !positive(p.roll_us) || !p.lag_us.is_finite() {
            return Err(ModelFault::Platform);
        }
        if !self
            .lines
            .hz()
            .iter()
            .all(|&hz| positive(hz) && hz < self.sample_hz / 2.0)
        {
            return Err(ModelFault::Line);
        }
        let n = &self.noise;
        let walks = [n.zero_walk_mg, n.line_walk_mg, n.push_mg, n.gate_us];
        if !positive(n.white_mg) || !walks.into_iter().all(not_negative) {
            return Err(ModelFault::Noise);
        }
        self.check_delay(checks)
    }

    fn check_delay(&self, checks: &Checks) -> Result<(), ModelFault> {
        let p = &self.platform;
        let (least, most) = checks.dwell_us;
        let held = checks.gate_delay_us >= 0 && checks.hold_us >= 0 && least > 0 && least < most;
        let unloads_late = p.roll_us + p.lag_us.abs() < checks.gate_delay_us as f64;
        let waits = (checks.gate_delay_us + checks.hold_us) as f64 * self.sample_hz / 1e6;
        // what is gone over again at the latest look must still be in the ring, two overlapping pearls included
        let again = (2.0 * (p.roll_us + LATEST_LOOK_US) + 8.0 * self.noise.gate_us) * self.sample_hz / 1e6;
        let fits = waits < RING as f64 / 4.0 && again < RING as f64 / 2.0;
        if held && unloads_late && fits {
            Ok(())
        } else {
            Err(ModelFault::Delay)
        }
    }
}
