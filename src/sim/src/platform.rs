//! A weigh platform as it truly moves, and the converter that samples it.
//!
//! Any thread. It shares no code with the estimator that weighs by it: a Runge-Kutta integration with several steps a sample
//! of a damped oscillator whose frequency falls with its load, a half-sine landing blow of its own strength for each pearl,
//! roll-on and roll-off ramps along the belt, lines of belt and drive whose phase wanders, a zero that drifts, white noise,
//! and a converter that rounds and whose clock is a little off. Only operations that IEEE 754 defines exactly are used, so
//! that a seed gives the same codes on every machine.

use line::weigh::{BeltLines, Model, Noise, Platform as Identified};
use line::{LanePlan, LinePlan, WeighSource};
use units::LaneId;

use crate::belt::Profile;
use crate::chance::{Chance, Distributions as _};
use crate::nature::Nature;

/// Samples in one message of a board.
pub const MESSAGE: usize = 48;
/// Steps of the integration in a sample.
const STEPS: u32 = 6;
/// Lines of belt and drive.
const LINES: usize = 3;
/// Ends of a 24-bit converter.
const CODES: (i32, i32) = (-(1 << 23), (1 << 23) - 1);
/// Stream of chance of each lane's figures, apart from what happens over time.
const STREAM_FIGURES: u64 = 3_000;
const STREAM_TIME: u64 = 4_000;

/// How the weigh cells behave; each lane's platform differs from these by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellNature {
    /// Samples a second.
    pub sample_hz: f64,
    /// How much faster the converter's clock is, millionths.
    pub clock_ppm: f64,
    /// Converter counts a milligram.
    pub counts_per_mg: f64,
    /// Frequency of the empty platform, Hz.
    pub natural_hz: f64,
    /// Damping ratio.
    pub damping: f64,
    /// Share by which both differ from lane to lane, at most.
    pub spread: f64,
    /// Moving mass of the platform, mg.
    pub effective_mg: f64,
    /// Length of the landing blow, us.
    pub blow_us: f64,
    /// Length of belt over which a pearl rolls on, and off, um.
    pub roll_um: f64,
    /// Standard deviation of a sample, mg.
    pub noise_mg: f64,
    /// Reading of the empty platform, mg, and its random walk, mg a root second.
    pub zero_mg: (f64, f64),
    /// Belt lines: Hz and mg.
    pub lines: [(f64, f64); LINES],
    /// Random walk of a line's phase, radians a root second.
    pub line_walk: f64,
}

impl Default for CellNature {
    /// A cell like those of a line with 12 pearls a second.
    fn default() -> Self {
        Self {
            sample_hz: 4_800.0,
            clock_ppm: 60.0,
            counts_per_mg: 200.0,
            natural_hz: 95.0,
            damping: 0.04,
            spread: 0.05,
            effective_mg: 6_000.0,
            blow_us: 2_000.0,
            roll_um: 6_000.0,
            noise_mg: 1.5,
            zero_mg: (1_200.0, 0.4),
            lines: [(26.0, 6.0), (50.3, 4.0), (100.6, 1.5)],
            line_walk: 0.05,
        }
    }
}

impl CellNature {
    /// The platform of a lane: natural frequency in Hz and damping ratio.
    fn figures(&self, seed: u64, lane: u8) -> (f64, f64) {
        let mut chance = Chance::new(seed, STREAM_FIGURES + u64::from(lane));
        let mut differ = |figure: f64| figure * (1.0 + chance.within(-self.spread, self.spread));
        (differ(self.natural_hz), differ(self.damping))
    }

    /// The model that an identification of a lane's cell would find, on a belt of `um_s`, when pearls are `gate_um` off
    /// where they are foretold (standard deviation).
    #[must_use]
    pub fn model(&self, seed: u64, lane: u8, um_s: f64, gate_um: f64) -> Model {
        let (natural_hz, damping) = self.figures(seed, lane);
        Model {
            sample_hz: self.sample_hz,
            counts_per_mg: self.counts_per_mg,
            platform: Identified {
                natural_hz,
                damping,
                effective_mg: self.effective_mg,
                landing_us: self.blow_us,
                roll_us: self.roll_um / um_s * 1e6,
                lag_us: 0.0,
            },
            lines: BeltLines::new(&self.lines.map(|(hz, _)| hz)),
            noise: Noise {
                white_mg: self.noise_mg,
                zero_walk_mg: self.zero_mg.1,
                line_walk_mg: 1.0,
                push_mg: 0.02,
                gate_us: gate_um / um_s * 1e6,
            },
        }
    }
}

/// What an identification of each of a line's streaming cells would have found, on a belt of `um_s`.
#[must_use]
pub fn models(plan: &LinePlan, nature: &Nature, seed: u64, um_s: f64) -> Vec<(LaneId, Model)> {
    // half of the roll's variance comes before the cell
    let gate_um = nature.roll_um * core::f64::consts::FRAC_1_SQRT_2;
    let streams = |lane: &LanePlan| lane.weigh.is_some_and(|weigh| weigh.source == WeighSource::Samples);
    let lanes = (0_u8..).zip(&plan.lanes).filter(|(_, lane)| streams(lane));
    lanes
        .map(|(lane, _)| (LaneId(lane), nature.cell.model(seed, lane, um_s, gate_um)))
        .collect()
}

/// A pearl near the platform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    /// Its number in its lane.
    pub(crate) number: u64,
    /// Where the belt is when it comes onto the platform and when it has left it, ticks.
    pub(crate) enter: f64,
    pub(crate) leave: f64,
    pub(crate) mass_mg: f64,
}

/// Its blow, once it has come.
#[derive(Clone, Copy, Debug)]
struct Blow {
    number: u64,
    at_us: f64,
    /// Greatest force, mg.
    force_mg: f64,
}

/// A line of belt or drive as it turns: its arrow, and the turn of one sample.
#[derive(Clone, Copy, Debug)]
struct Line {
    arrow: (f64, f64),
    turn: (f64, f64),
}

/// What is wrong with the converter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Converter {
    Sound,
    Stuck,
    Saturated,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Platform {
    nature: CellNature,
    /// Squared angular frequency without load, per us squared, and damping ratio.
    w2: f64,
    damping: f64,
    /// Length of the ramp, ticks.
    roll: f64,
    x: f64,
    v: f64,
    zero: f64,
    lines: [Line; LINES],
    blow: Option<Blow>,
    /// Number of the next sample, and when it is taken, us of the run.
    pub(crate) next: u32,
    pub(crate) next_us: f64,
    period_us: f64,
    chance: Chance,
    latest: i32,
}

impl Platform {
    pub(crate) fn new(nature: &CellNature, seed: u64, lane: u8, belt: &Profile) -> Self {
        let (hz, damping) = nature.figures(seed, lane);
        let mut chance = Chance::new(seed, STREAM_TIME + u64::from(lane));
        let w = core::f64::consts::TAU * hz * 1e-6;
        let period_us = 1e6 / (nature.sample_hz * (1.0 + nature.clock_ppm * 1e-6));
        let lines = nature.lines.map(|(hz, mg)| {
            let phase = rotation(chance.within(-3.0, 3.0));
            Line {
                arrow: (mg * phase.0, mg * phase.1),
                turn: rotation(core::f64::consts::TAU * hz * 1e-6 * period_us),
            }
        });
        // lanes do not sample at one moment
        let next_us = 1_000.0 + 10_000.0 * chance.uniform();
        Self {
            nature: *nature,
            w2: w * w,
            damping,
            roll: belt.ticks(nature.roll_um),
            x: 0.0,
            v: 0.0,
            zero: nature.zero_mg.0,
            lines,
            blow: None,
            next: u32::MAX - 30_000,
            next_us,
            period_us,
            chance,
            latest: 0,
        }
    }

    /// When the last sample of the next message has been taken, us.
    pub(crate) fn message_us(&self) -> f64 {
        self.next_us + (MESSAGE - 1) as f64 * self.period_us
    }

    /// Takes the next sample: three bytes, little-endian. `drift_mg` is what is wrong with the zero.
    pub(crate) fn sample(&mut self, belt: &Profile, loads: &[Load], converter: Converter, drift_mg: f64) -> [u8; 3] {
        let root = (self.period_us * 1e-6).sqrt();
        let mut reading = self.x + self.zero + drift_mg + self.nature.noise_mg * self.chance.normal();
        for line in &mut self.lines {
            reading += line.arrow.1;
            let wander = rotation(self.nature.line_walk * root * self.chance.normal());
            line.arrow = turned(turned(line.arrow, line.turn), wander);
        }
        self.zero += self.nature.zero_mg.1 * root * self.chance.normal();
        self.integrate(belt, loads);
        self.next = self.next.wrapping_add(1);
        self.next_us += self.period_us;
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        let code = ((reading * self.nature.counts_per_mg).round() as i32).clamp(CODES.0, CODES.1);
        let code = match converter {
            Converter::Sound => code,
            Converter::Stuck => self.latest,
            Converter::Saturated => CODES.1,
        };
        self.latest = code;
        let [low, middle, high, _] = code.to_le_bytes();
        [low, middle, high]
    }

    /// Moves the platform on by one sample.
    fn integrate(&mut self, belt: &Profile, loads: &[Load]) {
        let step = self.period_us / f64::from(STEPS);
        for n in 0..STEPS {
            let t = self.next_us + f64::from(n) * step;
            let (x, v) = (self.x, self.v);
            self.land(belt, loads, t);
            let half = self.force(belt, loads, t + 0.5 * step);
            let a = self.slope(self.force(belt, loads, t), x, v);
            let b = self.slope(half, x + 0.5 * step * a.0, v + 0.5 * step * a.1);
            let c = self.slope(half, x + 0.5 * step * b.0, v + 0.5 * step * b.1);
            let d = self.slope(self.force(belt, loads, t + step), x + step * c.0, v + step * c.1);
            self.x += step / 6.0 * (a.0 + 2.0 * b.0 + 2.0 * c.0 + d.0);
            self.v += step / 6.0 * (a.1 + 2.0 * b.1 + 2.0 * c.1 + d.1);
        }
    }

    /// A pearl that comes onto the platform lands with a blow of its own.
    fn land(&mut self, belt: &Profile, loads: &[Load], t_us: f64) {
        let place = belt.place_at(t_us);
        let last = self.blow.map(|blow| blow.number);
        let lands = |load: &&Load| load.enter <= place && last.is_none_or(|last| load.number > last);
        let Some(load) = loads.iter().filter(lands).min_by_key(|load| load.number) else {
            return;
        };
        // its impulse is that of a fall of some tenths of a millisecond of its own weight
        let impulse_mg_us = load.mass_mg * self.chance.within(300.0, 900.0);
        self.blow = Some(Blow {
            number: load.number,
            at_us: t_us,
            force_mg: impulse_mg_us * core::f64::consts::FRAC_PI_2 / self.nature.blow_us,
        });
    }

    /// Force and load at a time, mg.
    fn force(&self, belt: &Profile, loads: &[Load], t_us: f64) -> (f64, f64) {
        let place = belt.place_at(t_us);
        let share = |load: &Load| {
            let (on, off) = ((place - load.enter) / self.roll, (load.leave - place) / self.roll);
            on.min(off).clamp(0.0, 1.0)
        };
        let load: f64 = loads.iter().map(|load| load.mass_mg * share(load)).sum();
        let blow = self.blow.map_or(0.0, |blow| {
            let part = (t_us - blow.at_us) / self.nature.blow_us;
            if (0.0..1.0).contains(&part) {
                blow.force_mg * rotation(core::f64::consts::PI * part).1
            } else {
                0.0
            }
        });
        (load + blow, load)
    }

    fn slope(&self, (force, load): (f64, f64), x: f64, v: f64) -> (f64, f64) {
        let w2 = self.w2 / (1.0 + load / self.nature.effective_mg);
        (v, w2 * (force - x) - 2.0 * self.damping * w2.sqrt() * v)
    }
}

/// An arrow turned by another of length 1.
fn turned((x, y): (f64, f64), (cos, sin): (f64, f64)) -> (f64, f64) {
    (x * cos - y * sin, x * sin + y * cos)
}

/// Cosine and sine of an angle within half a turn, by the series of an eighth of it.
fn rotation(angle: f64) -> (f64, f64) {
    let a = angle / 8.0;
    let (mut cos, mut sin, mut term) = (1.0, 0.0, 1.0);
    for n in 1..=12_u32 {
        term *= a / f64::from(n);
        match n % 4 {
            0 => cos += term,
            1 => sin += term,
            2 => cos -= term,
            _ => sin -= term,
        }
    }
    let mut arrow = (cos, sin);
    for _ in 0..3 {
        arrow = turned(arrow, arrow);
    }
    arrow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pearl_that_lies_still_reads_its_mass_and_the_empty_platform_zero() {
        let nature = CellNature {
            noise_mg: 0.0,
            lines: [(26.0, 0.0); LINES],
            zero_mg: (1_200.0, 0.0),
            ..CellNature::default()
        };
        // a belt so slow that the platform settles
        let belt = Profile::new(20_000, 20_000.0, &[]);
        let mut platform = Platform::new(&nature, 1, 0, &belt);
        let load = Load {
            number: 0,
            enter: 100.0,
            leave: 1_000.0,
            mass_mg: 485.0,
        };
        let mut readings = Vec::new();
        while platform.next_us < 2.8e6 {
            let [low, middle, high] = platform.sample(&belt, &[load], Converter::Sound, 0.0);
            let code = i32::from_le_bytes([0, low, middle, high]) >> 8;
            readings.push((platform.next_us, f64::from(code) / nature.counts_per_mg));
        }
        let near = |us: f64| {
            let at = readings.iter().find(|(at, _)| *at >= us).expect("it was sampled");
            at.1
        };
        assert!((near(0.2e6) - 1_200.0).abs() < 0.01);
        assert!((near(2.0e6) - 1_685.0).abs() < 0.1, "{}", near(2.0e6));
        assert!((near(2.75e6) - 1_200.0).abs() < 5.0, "it rings out: {}", near(2.75e6));
        let most = readings.iter().map(|(_, mg)| *mg).fold(0.0, f64::max);
        assert!(most > 1_686.0, "the landing shows above the load: {most}");
    }

    #[test]
    fn rotations_are_those_of_the_library() {
        for angle in [-3.1, -0.2, 0.0, 0.034, 1.0, 3.1] {
            let (cos, sin) = rotation(angle);
            assert!((cos - f64::cos(angle)).abs() < 1e-12 && (sin - f64::sin(angle)).abs() < 1e-12);
        }
    }
}
