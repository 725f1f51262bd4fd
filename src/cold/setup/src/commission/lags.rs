//! A valve's lags, and its jet's place, from pulses swept over the edges at which they cease to blow a pearl off.
//!
//! Any thread. The pulses are as long as a pearl's whole passage through the air or longer, so that each edge of the hits
//! stands on one edge of the pulse alone: a pulse that opens too late misses by its opening, one that closes too early by
//! its closing. With the ordered edge at `x` from the pearl's centre at the entry eye, and a true lag that is `e` longer
//! than the board's setting, air begins or ends at `x + e v`. Half of the pearls are blown off at
//!
//! `x_open = D - q - e_on v`, `x_close = D + q - e_off v`
//!
//! where `q` is the same for both, the pulse's two edges being mirrored at the jet. So each lag's error is a slope over the
//! speed, and the jet's distance `D` is half of the intercepts' sum. Both stand on `q` not depending on the speed: where
//! the air gets weak for fast pearls, its change adds to one error what it takes from the other; their sum stays right.
//!
//! Hit or miss follows a logistic function of `(x + e v - a) / s`, fitted by maximum likelihood to all speeds at once (McCullagh
//! and Nelder, "Generalized linear models", 1989); the uncertainties come from its information matrix.

use super::distances::check_speeds;
use super::limits::{
    DISTANCE_CHANGE_UM, LAG_CHANGE_US, LAG_UNCERTAINTY_US, LEAST_PULSES, LEAST_SCATTER, MOST_WRONG_FAR,
    MOST_WRONG_SIDE, REJECT_PULSE_AT,
};
use super::refusal::{OneSide, Refusal};
use super::robust::{Figure, median, rejected};

/// One pulse near one of its edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgeTrial {
    /// Belt speed at the pulse, ticks/s.
    pub speed: f64,
    /// Ordered tick of the edge, less the tick of the pearl's centre at the entry eye.
    pub offset: f64,
    /// Whether the bin's drop eye saw the pearl.
    pub hit: bool,
}

/// All pulses of one valve, by edge and belt speed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// Pulses that opened about as late as can be, a list for each speed.
    pub opening: Vec<Vec<EdgeTrial>>,
    /// Pulses that closed about as early as can be, a list for each speed.
    pub closing: Vec<Vec<EdgeTrial>>,
}

/// A valve's lags, as found.
#[derive(Clone, Debug, PartialEq)]
pub struct Lags {
    /// From switching on to air at the jet, us.
    pub on_us: Figure,
    /// From switching off to no air, us.
    pub off_us: Figure,
    /// From the entry eye to the jet, ticks.
    pub at: Figure,
    /// Pulses.
    pub n: usize,
    /// Those that were rejected.
    pub rejected: usize,
    /// Hit (1) or miss (0) less the fitted probability of a hit, opening before closing, level by level.
    pub residuals: Vec<f64>,
}

/// What the file says of the jet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Configured {
    /// Lag on in the board's settings while it was swept, us.
    pub on_us: f64,
    /// Lag off, us.
    pub off_us: f64,
    /// Where the jet stands, um.
    pub at_um: f64,
    /// Ticks a metre.
    pub ticks_per_metre: f64,
}

/// Finds a valve's lags.
///
/// # Errors
/// See [`Refusal`].
pub fn lags(sweep: &Sweep, configured: Configured) -> Result<Lags, Refusal> {
    // Turned about, a closing edge is an opening one: later is then a miss for both.
    let closing: Vec<Vec<EdgeTrial>> = sweep.closing.iter().map(|level| mirrored(level)).collect();
    let open = edge(&sweep.opening)?;
    let close = edge(&closing)?;
    let at = Figure {
        value: 0.5 * (open.at.value - close.at.value),
        u: 0.5 * open.at.u.hypot(close.at.u),
    };
    let lag = |what, configured: f64, error: Figure, sign: f64| {
        let lag = Figure {
            value: configured + sign * error.value * 1e6,
            u: error.u * 1e6,
        };
        check_lag(what, lag, configured)
    };
    let on_us = lag("the lag on", configured.on_us, open.error, 1.0)?;
    let off_us = lag("the lag off", configured.off_us, close.error, -1.0)?;
    let at_um = at.value * 1e6 / configured.ticks_per_metre;
    if (at_um - configured.at_um).abs() > DISTANCE_CHANGE_UM {
        return Err(Refusal::TooFar {
            what: "the jet's distance",
            unit: "um",
            found: at_um,
            configured: configured.at_um,
            most: DISTANCE_CHANGE_UM,
        });
    }
    let mut residuals = open.residuals;
    residuals.extend(close.residuals);
    Ok(Lags {
        on_us,
        off_us,
        at,
        n: residuals.len(),
        rejected: open.rejected + close.rejected,
        residuals,
    })
}

fn mirrored(level: &[EdgeTrial]) -> Vec<EdgeTrial> {
    let mirror = |trial: &EdgeTrial| EdgeTrial {
        offset: -trial.offset,
        ..*trial
    };
    level.iter().map(mirror).collect()
}

fn check_lag(what: &'static str, lag: Figure, configured: f64) -> Result<Figure, Refusal> {
    let unit = "us";
    if lag.u > LAG_UNCERTAINTY_US || !lag.u.is_finite() {
        return Err(Refusal::TooUncertain {
            what,
            unit,
            u: lag.u,
            most: LAG_UNCERTAINTY_US,
            times: (lag.u / LAG_UNCERTAINTY_US).powi(2).max(1.1),
        });
    }
    if (lag.value - configured).abs() > LAG_CHANGE_US || lag.value < 0.0 {
        return Err(Refusal::TooFar {
            what,
            unit,
            found: lag.value,
            configured,
            most: LAG_CHANGE_US.min(configured),
        });
    }
    Ok(lag)
}

/// An opening edge: later pulses miss.
#[derive(Clone, Debug)]
struct Edge {
    /// Offset of the edge at standstill, ticks.
    at: Figure,
    /// What is added to the offset for each tick a second, s.
    error: Figure,
    rejected: usize,
    residuals: Vec<f64>,
}

fn edge(levels: &[Vec<EdgeTrial>]) -> Result<Edge, Refusal> {
    for level in levels {
        if level.len() < LEAST_PULSES {
            return Err(Refusal::TooFew {
                what: "pulses at an edge and speed",
                n: level.len(),
                least: LEAST_PULSES,
            });
        }
    }
    let speeds = check_speeds(levels.iter().map(|level| level.iter().map(|trial| trial.speed)))?;
    let mut astray = Vec::new();
    let mut thresholds = Vec::new();
    for (level, speed) in levels.iter().zip(&speeds) {
        let found = threshold(level, *speed)?;
        let wrong = level.iter().filter(|trial| trial.hit != (trial.offset <= found));
        astray.extend(wrong.map(|trial| (trial.offset - found).abs()));
        thresholds.push(found);
    }
    // For a logistic edge the middle distance of what is astray is 0.8 of its scale.
    let scale = (median(&astray) / 0.8).max(LEAST_SCATTER);
    let mut keep = Vec::new();
    for (level, threshold) in levels.iter().zip(&thresholds) {
        let far = |trial: &EdgeTrial| (trial.offset - threshold).abs() > REJECT_PULSE_AT * scale;
        keep.extend(
            level
                .iter()
                .map(|trial| trial.hit == (trial.offset <= *threshold) || !far(trial)),
        );
    }
    let rejected = rejected(&keep, "pulses")?;
    let all: Vec<EdgeTrial> = levels.iter().flatten().copied().collect();
    let good: Vec<EdgeTrial> = all
        .iter()
        .zip(&keep)
        .filter_map(|(trial, keep)| keep.then_some(*trial))
        .collect();
    let model = Logistic::fit(&good, median(&thresholds), scale);
    let residual = |trial: &EdgeTrial| f64::from(u8::from(trial.hit)) - model.hits(trial);
    Ok(Edge {
        at: model.at,
        error: model.error,
        rejected,
        residuals: all.iter().map(residual).collect(),
    })
}

/// The offset that leaves the fewest pulses on the wrong side.
fn threshold(level: &[EdgeTrial], speed: f64) -> Result<f64, Refusal> {
    let hits = level.iter().filter(|trial| trial.hit).count();
    if hits == 0 || hits == level.len() {
        let side = if hits == 0 {
            OneSide::OnlyMisses
        } else {
            OneSide::OnlyHits
        };
        return Err(Refusal::OneSided { speed, side });
    }
    let mut sorted = level.to_vec();
    sorted.sort_by(|one, other| one.offset.total_cmp(&other.offset));
    // With the edge before everything, all hits are on the wrong side; each pulse that it passes changes that by one.
    let mut wrong = hits;
    let (mut least, mut best) = (wrong, Vec::new());
    for (at, trial) in sorted.iter().enumerate() {
        wrong = if trial.hit { wrong - 1 } else { wrong + 1 };
        let next = sorted.get(at + 1).map_or(trial.offset + 1.0, |next| next.offset);
        if next == trial.offset {
            continue;
        }
        if wrong < least {
            best.clear();
            least = wrong;
        }
        if wrong == least {
            best.push(0.5 * (trial.offset + next));
        }
    }
    if least as f64 > MOST_WRONG_SIDE * level.len() as f64 || best.is_empty() {
        return Err(Refusal::NoEdge {
            speed,
            wrong: least,
            n: level.len(),
        });
    }
    let threshold = median(&best);
    sure_far_off(level, speed, threshold)?;
    Ok(threshold)
}

/// Far from the edge, hit or miss must be sure: else the drop eye errs, or the sweep does not reach beyond the edge.
fn sure_far_off(level: &[EdgeTrial], speed: f64, threshold: f64) -> Result<(), Refusal> {
    let distance = |trial: &&EdgeTrial| (trial.offset - threshold).abs();
    let farthest = level.iter().map(|trial| distance(&trial)).fold(0.0, f64::max);
    let far = level.iter().filter(|trial| distance(trial) > 0.5 * farthest);
    let n = far.clone().count();
    let wrong = far.filter(|trial| trial.hit != (trial.offset <= threshold)).count();
    if wrong as f64 > MOST_WRONG_FAR * n as f64 {
        return Err(Refusal::NoEdge { speed, wrong, n });
    }
    Ok(())
}

/// The logistic edge: a hit has the probability `1 / (1 + exp((x + e v - a) / s))`.
#[derive(Clone, Copy, Debug)]
struct Logistic {
    at: Figure,
    error: Figure,
    scale: f64,
}

/// Newton steps; it converges in a handful, for its likelihood has one maximum.
const STEPS: usize = 60;

impl Logistic {
    fn hits(&self, trial: &EdgeTrial) -> f64 {
        let z = (self.at.value - trial.offset - self.error.value * trial.speed) / self.scale;
        1.0 / (1.0 + (-z).exp())
    }

    /// Fits the edge. In `beta = (a, -e, -1) / s` the likelihood is concave; offset and speed are counted from their middles
    /// and in units of `scale`, so that the steps are well conditioned.
    fn fit(trials: &[EdgeTrial], middle: f64, scale: f64) -> Self {
        let n = trials.len().max(1) as f64;
        let speed = trials.iter().map(|trial| trial.speed).sum::<f64>() / n;
        let least_scale = LEAST_SCATTER / scale;
        let mut beta = [0.0, 0.0, -1.0];
        for _ in 0..STEPS {
            let (gradient, information) = slopes(trials, [middle, speed, scale], beta);
            let Some(inverse) = inverse(information) else { break };
            let step: [f64; 3] = std::array::from_fn(|row| dot(inverse[row], gradient));
            // No farther than doubles or halves the scale, so that hits and misses without overlap lead to no overflow.
            let most = 0.5 * beta[2].abs();
            let shorten = (most / step[2].abs()).min(1.0);
            let sharpest = -1.0 / least_scale;
            beta = std::array::from_fn(|at| beta[at] + shorten * step[at]);
            // Sharper than ticks are can't be known: there the edge lies between the last hit and the first miss.
            if beta[2] < sharpest {
                let by = sharpest / beta[2];
                beta = beta.map(|value| value * by);
            }
            if step
                .iter()
                .zip(&beta)
                .all(|(step, beta)| step.abs() < 1e-9 * (1.0 + beta.abs()))
            {
                break;
            }
        }
        Self::from(trials, [middle, speed, scale], beta)
    }

    /// Place and error with their uncertainties, by the information at `beta` and the chain rule.
    fn from(trials: &[EdgeTrial], units: [f64; 3], beta: [f64; 3]) -> Self {
        let [middle, speed, scale] = units;
        let (_, information) = slopes(trials, units, beta);
        let nothing = [[f64::INFINITY; 3]; 3];
        let covariance = inverse(information).unwrap_or(nothing);
        // x = middle + scale u and v = speed (1 + w): at u = -(beta0 + beta1 w) / beta2 half of the pearls are hit.
        let height = -beta[0] / beta[2];
        let slope = -beta[1] / beta[2];
        let variance = |by: [f64; 3]| {
            let row: [f64; 3] = std::array::from_fn(|at| dot(covariance[at], by));
            dot(by, row)
        };
        let of_slope = [0.0, -1.0 / beta[2], beta[1] / (beta[2] * beta[2])];
        let of_height = [-1.0 / beta[2], 0.0, beta[0] / (beta[2] * beta[2])];
        let of_start: [f64; 3] = std::array::from_fn(|at| of_height[at] - of_slope[at]);
        Self {
            at: Figure {
                value: middle + scale * (height - slope),
                u: scale * variance(of_start).sqrt(),
            },
            error: Figure {
                value: -scale * slope / speed,
                u: scale * variance(of_slope).sqrt() / speed,
            },
            scale: -scale / beta[2],
        }
    }
}

/// Gradient of the log likelihood, and its information matrix.
fn slopes(trials: &[EdgeTrial], [middle, speed, scale]: [f64; 3], beta: [f64; 3]) -> ([f64; 3], [[f64; 3]; 3]) {
    let mut gradient = [0.0; 3];
    let mut information = [[0.0; 3]; 3];
    for trial in trials {
        let x = [1.0, trial.speed / speed - 1.0, (trial.offset - middle) / scale];
        let p = 1.0 / (1.0 + (-dot(beta, x)).exp());
        let error = f64::from(u8::from(trial.hit)) - p;
        // A trace of weight keeps the matrix whole where every pulse is certain.
        let weight = (p * (1.0 - p)).max(1e-9);
        for row in 0..3 {
            gradient[row] += error * x[row];
            for column in 0..3 {
                information[row][column] += weight * x[row] * x[column];
            }
        }
    }
    (gradient, information)
}

fn dot(one: [f64; 3], other: [f64; 3]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// Inverse by cofactors; `None` where there is none.
fn inverse(m: [[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let cofactor = |row: usize, column: usize| {
        let (r1, r2) = ((row + 1) % 3, (row + 2) % 3);
        let (c1, c2) = ((column + 1) % 3, (column + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|column| m[0][column] * cofactor(0, column)).sum();
    if !determinant.is_normal() {
        return None;
    }
    Some(std::array::from_fn(|row| {
        std::array::from_fn(|column| cofactor(column, row) / determinant)
    }))
}

#[cfg(test)]
mod tests;
