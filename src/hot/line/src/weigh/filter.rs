//! The Kalman filter: platform, zero, belt lines and up to two pearls in one state. Hot thread.
//!
//! Order of the state: position, velocity, zero, two quadratures a belt line, then four a pearl (mass, landing impulse,
//! error of the entering gate, error of the leaving gate). Lines are held in a turning frame, so that only position and
//! velocity move and a sample costs the order of n squared. A state that no pearl uses is not there: n is small when
//! the platform is empty.

use super::limits::{BASE, LINES, PER_SLOT, SLOTS, STATES, STRIDE};
use super::model::Model;
use super::platform::{Shares, Times, Transition, rotation, transition};

const X: usize = 0;
const V: usize = 1;
const Z: usize = 2;
/// Offsets within a pearl's states.
const MASS: usize = 0;
const BLOW: usize = 1;
const ENTER: usize = 2;
const LEAVE: usize = 3;

/// Prior of a pearl's mass, mg: mean and standard deviation. Wide enough to be nothing beside the samples.
const MASS_PRIOR_MG: (f64, f64) = (600.0, 1_500.0);
/// Standard deviation of the landing impulse, mg ms: a gramme that falls onto the platform at 10 mm/s has 1,000.
const BLOW_PRIOR_MG_MS: f64 = 2_000.0;
/// Gate errors up to this many standard deviations are counted on: a pearl is taken in this much before its gate.
pub(super) const GATE_SIGMAS: f64 = 4.0;
/// Distances from the point of linearisation that matter: some 0.1 mg in the mass.
const FAR_MG: f64 = 5.0;
const FAR_SAMPLES: f64 = 0.1;
/// Standard deviations of the platform's motion and zero when nothing is known, mg and mg a sample.
const UNKNOWN_MG: [f64; BASE] = [500.0, 100.0, 500.0];
/// Farthest from rest that a disturbed platform is followed from, mg: beyond, the motion itself has gone astray.
const ASTRAY_MG: f64 = 3_000.0;
/// Share of a landing blow's force, sample by sample, that its assumed shape may be wrong by.
const BLOW_SHAPE: f64 = 0.04;
/// Standard deviation of a belt line's quadratures at the start, mg.
const LINE_PRIOR_MG: f64 = 20.0;

/// Constants of the filter, in samples and mg.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constants {
    pub(super) lines: usize,
    turn: [(f64, f64); LINES],
    w2: f64,
    damping: f64,
    effective: f64,
    white: f64,
    zero_walk: f64,
    line_walk: f64,
    push: f64,
    gate: f64,
    blow: f64,
    pub(super) roll: f64,
    pub(super) landing: f64,
}

impl Constants {
    /// Standard deviation of a gate's time, samples.
    pub(super) fn gate_sd(&self) -> f64 {
        self.gate.sqrt()
    }

    pub(super) fn new(model: &Model) -> Self {
        let per_us = model.sample_hz / 1e6;
        let radians = core::f64::consts::TAU / model.sample_hz;
        let mut turn = [(1.0, 0.0); LINES];
        for (turn, &hz) in turn.iter_mut().zip(model.lines.hz()) {
            *turn = rotation(hz * radians);
        }
        let w = model.platform.natural_hz * radians;
        let square = |x: f64| x * x;
        Self {
            lines: model.lines.hz().len(),
            turn,
            w2: w * w,
            damping: model.platform.damping,
            effective: model.platform.effective_mg,
            white: square(model.noise.white_mg),
            zero_walk: square(model.noise.zero_walk_mg) / model.sample_hz,
            line_walk: square(model.noise.line_walk_mg) / model.sample_hz,
            push: square(model.noise.push_mg),
            gate: square(model.noise.gate_us * per_us),
            blow: square(BLOW_PRIOR_MG_MS * per_us * 1e3),
            roll: model.platform.roll_us * per_us,
            landing: model.platform.landing_us * per_us,
        }
    }
}

/// Where the motion of one pearl is linearised.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Point {
    pub(super) mass: f64,
    pub(super) blow: f64,
    pub(super) enter: f64,
    pub(super) leave: f64,
}

impl Point {
    /// The point held where a pearl can be, for a first pass that may stray.
    fn held(self, constants: &Constants) -> Self {
        let late = GATE_SIGMAS * constants.gate_sd();
        Self {
            mass: self.mass.clamp(0.0, MASS_PRIOR_MG.0 + 2.0 * MASS_PRIOR_MG.1),
            blow: self.blow,
            enter: self.enter.clamp(-late, late),
            leave: self.leave.clamp(-late, late),
        }
    }

    /// Whether `other` is so far away that the motion has to be linearised there instead.
    pub(super) fn is_far_from(&self, other: &Self) -> bool {
        (self.mass - other.mass).abs() > FAR_MG
            || (self.enter - other.enter).abs() > FAR_SAMPLES
            || (self.leave - other.leave).abs() > FAR_SAMPLES
    }
}

/// A pearl in the filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Which passage it is, as an index into the estimator's table.
    pub(super) passage: usize,
    /// That passage's number, since places in the table are used again.
    pub(super) number: u32,
    pub(super) times: Times,
    /// Fixed point of linearisation; without it the latest estimate is taken.
    pub(super) at: Option<Point>,
    /// Sum of squared innovations over their variance, and their number, while the pearl was on.
    pub(super) misfit: f64,
    /// Largest squared innovation over its variance among those that were not judged.
    pub(super) worst: f64,
    pub(super) samples: u32,
}

/// Innovation of one sample and its variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Innovation {
    /// What was read minus what was expected, mg.
    pub residual_mg: f64,
    /// Variance that the filter expected of it, mg squared.
    pub variance_mg2: f64,
}

/// The filter's whole state, copied for a second pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter {
    mean: [f64; STATES],
    cov: [[f64; STRIDE]; STATES],
    phase: [(f64, f64); LINES],
    pub(super) slots: [Option<Slot>; SLOTS],
    used: usize,
}

impl Filter {
    pub(super) fn new(constants: &Constants, zero_mg: f64) -> Self {
        let mut filter = Self {
            mean: [0.0; STATES],
            cov: [[0.0; STRIDE]; STATES],
            phase: [(1.0, 0.0); LINES],
            slots: [None; SLOTS],
            used: BASE + 2 * constants.lines,
        };
        filter.mean[Z] = zero_mg;
        for (i, sd) in UNKNOWN_MG.into_iter().enumerate() {
            filter.cov[i][i] = sd * sd;
        }
        for i in BASE..filter.used {
            filter.cov[i][i] = LINE_PRIOR_MG * LINE_PRIOR_MG;
        }
        filter
    }

    pub(super) fn zero_mg(&self) -> f64 {
        self.mean[Z]
    }

    /// Standard uncertainty of the zero, mg.
    pub(super) fn zero_u_mg(&self) -> f64 {
        self.cov[Z][Z].sqrt()
    }

    /// Amplitudes of the lines in the turning frame, mg.
    pub(super) fn line(&self, line: usize) -> (f64, f64) {
        (self.mean[BASE + 2 * line], self.mean[BASE + 2 * line + 1])
    }

    fn base(constants: &Constants, slot: usize) -> usize {
        BASE + 2 * constants.lines + PER_SLOT * slot
    }

    /// Takes a pearl in, in the first free slot; false when none is free.
    pub(super) fn add(&mut self, constants: &Constants, slot: Slot) -> bool {
        let Some(free) = self.slots.iter().position(Option::is_none) else {
            return false;
        };
        let base = Self::base(constants, free);
        self.used = base + PER_SLOT;
        for i in base..self.used {
            for j in 0..self.used {
                self.cov[i][j] = 0.0;
                self.cov[j][i] = 0.0;
            }
        }
        let point = slot.at.unwrap_or(Point {
            mass: MASS_PRIOR_MG.0,
            ..Point::default()
        });
        self.mean[base + MASS] = point.mass;
        self.mean[base + BLOW] = point.blow;
        // the gates' priors stay where the gates were seen: else every second pass would let them drift on
        self.mean[base + ENTER] = 0.0;
        self.mean[base + LEAVE] = 0.0;
        self.cov[base + MASS][base + MASS] = MASS_PRIOR_MG.1 * MASS_PRIOR_MG.1;
        self.cov[base + BLOW][base + BLOW] = constants.blow;
        self.cov[base + ENTER][base + ENTER] = constants.gate;
        self.cov[base + LEAVE][base + LEAVE] = constants.gate;
        self.slots[free] = Some(slot);
        true
    }

    /// Forgets a pearl. One in a later slot moves down, so that the states in use stay together.
    pub(super) fn remove(&mut self, constants: &Constants, slot: usize) {
        let last = SLOTS - 1;
        for to in slot..last {
            let (a, b) = (Self::base(constants, to), Self::base(constants, to + 1));
            self.slots[to] = self.slots[to + 1].take();
            if self.slots[to].is_some() {
                for p in 0..PER_SLOT {
                    self.mean[a + p] = self.mean[b + p];
                    self.cov[a + p] = self.cov[b + p];
                }
                for row in &mut self.cov {
                    for p in 0..PER_SLOT {
                        row[a + p] = row[b + p];
                    }
                }
            }
        }
        self.slots[last] = None;
        let filled = self.slots.iter().take_while(|slot| slot.is_some()).count();
        self.used = Self::base(constants, filled);
        for row in &mut self.cov {
            row[self.used..].fill(0.0);
        }
    }

    /// Mass and its variance by a slot, mg and mg squared.
    pub(super) fn mass(&self, constants: &Constants, slot: usize) -> (f64, f64) {
        let i = Self::base(constants, slot) + MASS;
        (self.mean[i], self.cov[i][i])
    }

    /// Where a second pass would linearise.
    pub(super) fn point(&self, constants: &Constants, slot: usize) -> Point {
        let base = Self::base(constants, slot);
        Point {
            mass: self.mean[base + MASS],
            blow: self.mean[base + BLOW],
            enter: self.mean[base + ENTER],
            leave: self.mean[base + LEAVE],
        }
    }

    /// Whether a pearl's estimate has gone far from where its motion is linearised.
    pub(super) fn is_astray(&self, constants: &Constants) -> bool {
        let astray = |(i, slot): (usize, &Option<Slot>)| {
            let at = slot.as_ref().and_then(|slot| slot.at);
            at.is_some_and(|at| self.point(constants, i).is_far_from(&at))
        };
        self.slots.iter().enumerate().any(astray)
    }

    /// Whether an innovation that was not judged is larger than `ratio` times its variance.
    pub(super) fn has_outlier(&self, ratio: f64) -> bool {
        self.slots.iter().flatten().any(|slot| slot.worst > ratio)
    }

    /// After something that the model does not know: platform and zero may be anywhere, pearls on it are lost, and the
    /// lines are as they were in `calm`, a state from `age` samples ago, when nothing had gone wrong yet.
    pub(super) fn forget_motion(&mut self, constants: &Constants, calm: Option<&Self>, age: f64) {
        let lines = BASE..BASE + 2 * constants.lines;
        for i in 0..self.used {
            for j in 0..self.used {
                let kept = i == j || (lines.contains(&i) && lines.contains(&j));
                self.cov[i][j] = if kept { self.cov[i][j] } else { 0.0 };
            }
        }
        for (i, sd) in UNKNOWN_MG.into_iter().enumerate() {
            self.cov[i][i] = sd * sd;
        }
        // Where the motion had got to may be absurd: from rest it finds back.
        if self.mean[X].abs() > ASTRAY_MG || self.mean[V].abs() > ASTRAY_MG {
            (self.mean[X], self.mean[V]) = (0.0, 0.0);
        }
        for i in lines.clone() {
            if let Some(calm) = calm {
                self.mean[i] = calm.mean[i];
                self.cov[i][lines.clone()].copy_from_slice(&calm.cov[i][lines.clone()]);
                self.cov[i][i] += constants.line_walk * age;
            } else {
                self.cov[i][i] = LINE_PRIOR_MG * LINE_PRIOR_MG;
            }
        }
        if let Some(calm) = calm {
            self.mean[Z] = calm.mean[Z];
        }
    }

    /// What a sample of `reading_mg` says beyond what was expected. Leaves the state as it is.
    pub(super) fn innovation(&self, constants: &Constants, reading_mg: f64) -> (Innovation, [f64; STRIDE]) {
        let mut gain = [0.0; STRIDE];
        for ((gain, x), z) in gain.iter_mut().zip(&self.cov[X]).zip(&self.cov[Z]) {
            *gain = x + z;
        }
        let mut expected = self.mean[X] + self.mean[Z];
        for line in 0..constants.lines {
            let (cos, sin) = self.phase[line];
            let i = BASE + 2 * line;
            expected += cos * self.mean[i] + sin * self.mean[i + 1];
            for ((gain, a), b) in gain.iter_mut().zip(&self.cov[i]).zip(&self.cov[i + 1]) {
                *gain += cos * a + sin * b;
            }
        }
        let mut variance = constants.white + gain[X] + gain[Z];
        for line in 0..constants.lines {
            let (cos, sin) = self.phase[line];
            let i = BASE + 2 * line;
            variance += cos * gain[i] + sin * gain[i + 1];
        }
        (
            Innovation {
                residual_mg: reading_mg - expected,
                variance_mg2: variance,
            },
            gain,
        )
    }

    /// Takes a sample in.
    pub(super) fn correct(&mut self, innovation: Innovation, gain: &[f64; STRIDE]) {
        let scale = 1.0 / innovation.variance_mg2;
        let step = innovation.residual_mg * scale;
        let n = self.used;
        for (i, row) in self.cov[..n].iter_mut().enumerate() {
            self.mean[i] += gain[i] * step;
            let weight = gain[i] * scale;
            // the whole stride: a fixed length that the compiler turns into vector instructions
            for (cov, gain) in row.iter_mut().zip(gain) {
                *cov -= weight * gain;
            }
        }
        let misfit = innovation.residual_mg * step;
        for slot in self.slots.iter_mut().flatten() {
            slot.misfit += misfit;
            slot.worst = slot.worst.max(misfit);
            slot.samples += 1;
        }
    }

    /// Moves the state from sample `at` to the next.
    pub(super) fn predict(&mut self, constants: &Constants, at: f64) {
        let mut shares = [Shares::default(); SLOTS];
        let mut points = [Point::default(); SLOTS];
        let mut load = 0.0;
        for (i, slot) in self.slots.iter().enumerate() {
            let Some(slot) = slot else { break };
            points[i] = slot.at.unwrap_or_else(|| self.point(constants, i).held(constants));
            let mut times = slot.times;
            times.enter += points[i].enter;
            times.leave += points[i].leave;
            shares[i] = times.shares(at);
            load += points[i].mass.max(0.0) * shares[i].weight;
        }
        let ratio = 1.0 / (1.0 + load / constants.effective);
        let w2 = constants.w2 * ratio;
        let now = transition(w2, constants.damping);
        self.move_platform(constants, now, w2, ratio, &shares, &points);
        self.walk(constants);
    }

    fn move_platform(
        &mut self,
        constants: &Constants,
        t: Transition,
        w2: f64,
        ratio: f64,
        shares: &[Shares; SLOTS],
        points: &[Point; SLOTS],
    ) {
        let filled = self.slots.iter().take_while(|slot| slot.is_some()).count();
        // force and its derivatives by each pearl's states
        let (mut force, mut shape) = (0.0, 0.0);
        let mut by = [[0.0; PER_SLOT]; SLOTS];
        for i in 0..filled {
            let base = Self::base(constants, i);
            let (s, p) = (&shares[i], &points[i]);
            let shift = -(p.mass * s.on_step + p.blow * s.blow_step);
            let unsure = BLOW_SHAPE * s.blow * p.blow;
            shape += unsure * unsure;
            by[i] = [s.weight, s.blow, shift, p.mass * s.off_step];
            force += s.weight * self.mean[base + MASS] + s.blow * self.mean[base + BLOW];
            force += shift * (self.mean[base + ENTER] - p.enter) + by[i][LEAVE] * (self.mean[base + LEAVE] - p.leave);
        }
        let (dx, v) = (self.mean[X] - force, self.mean[V]);
        let mut next = (force + t.xx * dx + t.xv * v, t.vx * dx + t.vv * v);
        let mut rows = [[0.0; 2]; PER_SLOT * SLOTS];
        let slope = if filled > 0 { slope(w2, constants.damping, t) } else { t };
        for i in 0..filled {
            // load slows the platform: w2 falls by w2 / (effective + load) a milligram
            let fall = -w2 * ratio / constants.effective;
            let bend = (
                fall * (slope.xx * dx + slope.xv * v),
                fall * (slope.vx * dx + slope.vv * v),
            );
            let (s, p, base) = (&shares[i], &points[i], Self::base(constants, i));
            let load_by = [s.weight, 0.0, -p.mass * s.on_step, p.mass * s.off_step];
            let at = [p.mass, p.blow, p.enter, p.leave];
            for (p, (by, load_by)) in by[i].into_iter().zip(load_by).enumerate() {
                let off = load_by * (self.mean[base + p] - at[p]);
                next.0 += bend.0 * off;
                next.1 += bend.1 * off;
                rows[PER_SLOT * i + p] = [(1.0 - t.xx) * by + bend.0 * load_by, -t.vx * by + bend.1 * load_by];
            }
        }
        (self.mean[X], self.mean[V]) = next;
        self.move_covariance(constants, t, &rows[..PER_SLOT * filled], shape);
    }

    /// F P F' where F differs from the identity in the rows of position and velocity alone.
    fn move_covariance(&mut self, constants: &Constants, t: Transition, pearls: &[[f64; 2]], shape: f64) {
        let first = Self::base(constants, 0);
        let (mut x, mut v) = ([0.0; STRIDE], [0.0; STRIDE]);
        for j in 0..STRIDE {
            x[j] = t.xx * self.cov[X][j] + t.xv * self.cov[V][j];
            v[j] = t.vx * self.cov[X][j] + t.vv * self.cov[V][j];
        }
        for (i, [to_x, to_v]) in pearls.iter().enumerate() {
            for ((x, v), cov) in x.iter_mut().zip(&mut v).zip(&self.cov[first + i]) {
                *x += to_x * cov;
                *v += to_v * cov;
            }
        }
        let mut square = [
            t.xx * x[X] + t.xv * x[V],
            t.vx * x[X] + t.vv * x[V],
            t.vx * v[X] + t.vv * v[V],
        ];
        for (i, [to_x, to_v]) in pearls.iter().enumerate() {
            square[0] += to_x * x[first + i];
            square[1] += to_v * x[first + i];
            square[2] += to_v * v[first + i];
        }
        for j in 2..self.used {
            self.cov[j][X] = x[j];
            self.cov[j][V] = v[j];
        }
        self.cov[X] = x;
        self.cov[V] = v;
        self.cov[X][X] = square[0];
        self.cov[X][V] = square[1];
        self.cov[V][X] = square[1];
        self.cov[V][V] = square[2];
        // a random push during the sample moves the velocity by w2 times itself
        self.cov[V][V] += (constants.push + shape) * t.vx * t.vx;
    }

    fn walk(&mut self, constants: &Constants) {
        self.cov[Z][Z] += constants.zero_walk;
        for line in 0..constants.lines {
            let i = BASE + 2 * line;
            self.cov[i][i] += constants.line_walk;
            self.cov[i + 1][i + 1] += constants.line_walk;
            let ((c, s), (cos, sin)) = (self.phase[line], constants.turn[line]);
            let turned = (c * cos - s * sin, c * sin + s * cos);
            // first-order normalisation keeps the frame's length at one for ever
            let keep = 1.5 - 0.5 * (turned.0 * turned.0 + turned.1 * turned.1);
            self.phase[line] = (turned.0 * keep, turned.1 * keep);
        }
    }
}

/// Derivative of the transition by `w2`, from a step that is small beside it.
fn slope(w2: f64, damping: f64, at: Transition) -> Transition {
    let step = w2 * 1e-4;
    let more = transition(w2 + step, damping);
    Transition {
        xx: (more.xx - at.xx) / step,
        xv: (more.xv - at.xv) / step,
        vx: (more.vx - at.vx) / step,
        vv: (more.vv - at.vv) / step,
    }
}
