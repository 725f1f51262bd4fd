//! Recordings from a seed, with known masses: a platform other than the estimator's own equations, integrated finely.
//!
//! For tests and for curves of error against rate. It shares no code with the estimator: a Runge-Kutta integration with
//! eight steps a sample, a half-sine landing blow whose strength differs from pearl to pearl, belt lines whose frequency
//! wanders, a zero that drifts, white noise, a converter that rounds, gates that jitter.

use super::files::{Gate, Recording};
use std::f64::consts::{PI, TAU};

/// Random numbers from a seed: xorshift with a multiply, the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A series of its own for each seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// A number from 0 to below 1.
    pub fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}

/// A cell and what runs over it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where the random numbers start.
    pub seed: u64,
    /// Length of the recording, s.
    pub seconds: f64,
    /// Samples a second.
    pub sample_hz: f64,
    /// Converter counts a milligram.
    pub counts_per_mg: f64,
    /// Pearls a second, on average.
    pub pearls_per_s: f64,
    /// Share of pearls that come while another is still on.
    pub doubles: f64,
    /// Time fully or partly on the platform between rolling on and rolling off, ms: `dwell_ms` in a recording.
    pub dwell_ms: f64,
    /// Time to roll on, and to roll off, ms.
    pub roll_on_ms: f64,
    /// Time without pearls at the start, s.
    pub quiet_s: f64,
    /// Platform without load, Hz.
    pub natural_hz: f64,
    /// How far that drifts over the recording, as a share of it: a cell that warms up.
    pub natural_drift: f64,
    /// Damping ratio.
    pub damping: f64,
    /// Moving mass of the platform, g.
    pub effective_g: f64,
    /// Length of the landing blow, ms.
    pub blow_ms: f64,
    /// Standard deviation of a sample, mg.
    pub noise_mg: f64,
    /// Belt lines: frequency in Hz, amplitude in mg.
    pub lines: Vec<(f64, f64)>,
    /// How far a line's frequency wanders, Hz a root second.
    pub line_wander_hz: f64,
    /// How far the zero wanders, mg a root second.
    pub zero_wander_mg: f64,
    /// Standard deviation of a gate's time, ms.
    pub gate_jitter_ms: f64,
}

impl Default for Plan {
    /// A cell like those of a line with 12 pearls a second.
    fn default() -> Self {
        Self {
            seed: 1,
            seconds: 20.0,
            sample_hz: 4_800.0,
            counts_per_mg: 200.0,
            pearls_per_s: 12.0,
            doubles: 0.02,
            dwell_ms: 45.0,
            roll_on_ms: 6.0,
            quiet_s: 1.0,
            natural_hz: 95.0,
            natural_drift: 0.0,
            damping: 0.04,
            effective_g: 6.0,
            blow_ms: 2.0,
            noise_mg: 1.5,
            lines: vec![(26.0, 6.0), (50.3, 4.0), (52.0, 3.5), (100.6, 1.5)],
            line_wander_hz: 0.02,
            zero_wander_mg: 0.5,
            gate_jitter_ms: 0.0,
        }
    }
}

struct Pearl {
    enter_s: f64,
    leave_s: f64,
    mass_mg: f64,
    blow_mg_s: f64,
}

/// Steps of the integration in a sample.
const STEPS: u32 = 8;

impl Plan {
    /// The recording of this plan, with its masses.
    #[must_use]
    pub fn record(&self) -> Recording {
        let mut random = Random::new(self.seed);
        let pearls = self.pearls(&mut random);
        let motion = self.motion(&pearls);
        let samples = self.convert(&motion, &mut random);
        let jitter_s = self.gate_jitter_ms / 1e3;
        let mut gates = Vec::new();
        for pearl in &pearls {
            let enter_s = round_time(pearl.enter_s + jitter_s * random.normal());
            let leave_s = round_time(pearl.leave_s + jitter_s * random.normal());
            gates.push(Gate {
                enter_text: format!("{enter_s:.5}"),
                enter_s: Some(enter_s),
                leave_s: Some(leave_s),
            });
        }
        Recording {
            samples,
            sample_hz: self.sample_hz,
            counts_per_mg: self.counts_per_mg,
            roll_on_ms: self.roll_on_ms,
            gates,
            masses_mg: Some(pearls.iter().map(|pearl| pearl.mass_mg).collect()),
        }
    }

    fn pearls(&self, random: &mut Random) -> Vec<Pearl> {
        let stay_s = (self.dwell_ms + self.roll_on_ms) / 1e3;
        let pitch_s = 1.0 / self.pearls_per_s;
        let mut enter_s = self.quiet_s;
        let mut pearls = Vec::new();
        while enter_s + stay_s + 0.1 < self.seconds {
            // median 6.5 mm, as pearls come; from 4 to 11 mm
            let diameter_mm = (6.5 * (0.2 * random.normal()).exp()).clamp(4.0, 11.0);
            let mass_mg = 2.7 * PI / 6.0 * diameter_mm.powi(3);
            let blow_mg_s = mass_mg * (0.3 + 0.6 * random.uniform()) / 1e3;
            pearls.push(Pearl {
                enter_s,
                leave_s: enter_s + stay_s,
                mass_mg,
                blow_mg_s,
            });
            enter_s += if random.uniform() < self.doubles {
                stay_s * (0.5 + 0.4 * random.uniform())
            } else {
                (pitch_s * (0.85 + 0.3 * random.uniform())).max(stay_s + 0.002)
            };
        }
        pearls
    }

    /// The platform's position, mg, at each sample.
    fn motion(&self, pearls: &[Pearl]) -> Vec<f64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "lengths of recordings"
        )]
        let n = (self.seconds * self.sample_hz) as usize;
        let step = 1.0 / (self.sample_hz * f64::from(STEPS));
        let (mut x, mut v, mut first) = (0.0, 0.0, 0);
        let mut motion = Vec::with_capacity(n);
        for i in 0..n {
            motion.push(x);
            let begin = i as f64 / self.sample_hz;
            while pearls.get(first).is_some_and(|pearl| pearl.leave_s < begin) {
                first += 1;
            }
            let near = &pearls[first..(first + 3).min(pearls.len())];
            for s in 0..STEPS {
                let t = begin + f64::from(s) * step;
                let slope = |t: f64, x: f64, v: f64| (v, self.acceleration(near, t, x, v));
                let a = slope(t, x, v);
                let b = slope(t + step / 2.0, x + step / 2.0 * a.0, v + step / 2.0 * a.1);
                let c = slope(t + step / 2.0, x + step / 2.0 * b.0, v + step / 2.0 * b.1);
                let d = slope(t + step, x + step * c.0, v + step * c.1);
                x += step / 6.0 * (a.0 + 2.0 * b.0 + 2.0 * c.0 + d.0);
                v += step / 6.0 * (a.1 + 2.0 * b.1 + 2.0 * c.1 + d.1);
            }
        }
        motion
    }

    fn acceleration(&self, pearls: &[Pearl], t: f64, x: f64, v: f64) -> f64 {
        let (mut force, mut load) = (0.0, 0.0);
        for pearl in pearls {
            let ramp = 1e3 / self.roll_on_ms;
            let share = ((t - pearl.enter_s) * ramp)
                .min((pearl.leave_s - t) * ramp)
                .clamp(0.0, 1.0);
            load += pearl.mass_mg * share;
            let blow = (t - pearl.enter_s) * 1e3 / self.blow_ms;
            force += pearl.mass_mg * share;
            if (0.0..1.0).contains(&blow) {
                force += pearl.blow_mg_s * PI / 2.0 * 1e3 / self.blow_ms * (PI * blow).sin();
            }
        }
        let natural_hz = self.natural_hz * (1.0 + self.natural_drift * t / self.seconds);
        let w = TAU * natural_hz / (1.0 + load / (self.effective_g * 1e3)).sqrt();
        w * w * (force - x) - 2.0 * self.damping * w * v
    }

    fn convert(&self, motion: &[f64], random: &mut Random) -> Vec<i32> {
        let root = (1.0 / self.sample_hz).sqrt();
        let mut zero = 1_200.0;
        let mut lines: Vec<(f64, f64, f64)> = self
            .lines
            .iter()
            .map(|&(hz, amplitude)| (hz, amplitude, TAU * random.uniform()))
            .collect();
        let mut samples = Vec::with_capacity(motion.len());
        for x in motion {
            let mut reading = x + zero + self.noise_mg * random.normal();
            for (hz, amplitude, phase) in &mut lines {
                reading += *amplitude * phase.sin();
                *phase = (*phase + TAU * *hz / self.sample_hz) % TAU;
                *hz += self.line_wander_hz * root * random.normal();
            }
            zero += self.zero_wander_mg * root * random.normal();
            #[expect(clippy::cast_possible_truncation, reason = "the converter's range holds every load")]
            samples.push((reading * self.counts_per_mg).round() as i32);
        }
        samples
    }
}

fn round_time(seconds: f64) -> f64 {
    (seconds * 1e5).round() / 1e5
}
