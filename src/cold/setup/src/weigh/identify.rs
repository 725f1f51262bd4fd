//! Identification of a weigh cell from a recording: platform, belt lines and noise, without any known mass.
//!
//! Cold threads; some seconds for 8 s of recording. The method is that of prediction errors (Ljung): the line's own
//! filter runs over the recording, and the figures are those for which its innovations are smallest for what it
//! expects of them. First the frequency is sought on a grid with a forgiving filter, then all figures by Gauss-Newton
//! steps while the filter becomes stricter; lines are taken from the spectrum of the innovations one after another as
//! long as each earns its place; last come the walks of zero and lines and the jitter of the gates.

use super::files::Recording;
use super::optimise::{golden, solve};
use super::reading::run;
use super::spectrum::spectrum;
use line::weigh::limits::LINES;
use line::weigh::{BeltLines, Checks, Model, ModelFault, Noise, Platform};
use std::ops::Range;

/// Why a platform could not be identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifyError {
    /// Too few pearls.
    #[error("{pearls} pearls with both gates are too few to identify the platform; record at least {least}")]
    TooFewPearls {
        /// Pearls with both gates.
        pearls: usize,
        /// Pearls that are needed.
        least: usize,
    },
    /// The codes hardly move.
    #[error("the codes do not move; see that the converter runs and the cell is connected, and record again")]
    Still,
    /// The filter can't run with any figures.
    #[error("the recording does not fit the filter ({0:?}); check sample rate, roll-on time and span in meta.json")]
    Model(ModelFault),
    /// No platform explains the recording.
    #[error(
        "no platform explains the recording: residuals are {ratio_percent} % of the signal; \
         check that the gates belong to these samples"
    )]
    NoPlatform {
        /// Residuals over signal, per cent.
        ratio_percent: u32,
    },
}

/// A cell's figures and how well they are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Identified {
    /// The model for the estimator.
    pub model: Model,
    /// Standard uncertainty of the natural frequency, Hz.
    pub natural_u_hz: f64,
    /// Standard uncertainty of the damping ratio.
    pub damping_u: f64,
    /// Mean squared innovation over its expected variance: 1 when the model holds.
    pub residual_ratio: f64,
    /// Samples that the figures rest on.
    pub samples: usize,
}

/// Pearls that an identification needs.
const LEAST_PEARLS: usize = 10;
/// Longest stretch that figures are fitted to, and that the grid is searched on, s.
const FIT_S: f64 = 8.0;
const GRID_PEARLS: usize = 16;
const GRID_LEAD_S: f64 = 0.2;
/// Frequencies of the grid: from here, by this factor, up to an eighth of the sample rate.
const GRID_FROM_HZ: f64 = 30.0;
const GRID_FACTOR: f64 = 1.05;
const GRID_DAMPING: [f64; 4] = [0.008, 0.03, 0.1, 0.3];
const GRID_EFFECTIVE_MG: f64 = 7_000.0;
/// Innovations beyond this many standard deviations count linearly (Huber).
const HUBER: f64 = 3.0;
/// Peaks of the innovations' spectrum over the noise around them that are tried as lines.
const LINE_FACTOR: f64 = 6.0;
/// Lines below this are taken for the zero's drift, Hz.
const LINE_FROM_HZ: f64 = 3.0;
/// Least distance of two lines, Hz.
const LINE_APART_HZ: f64 = 0.6;
/// How much the loss must fall for a line to earn its place: far more than three figures of chance.
const LINE_GAIN: f64 = 60.0;

/// One figure that is fitted, on a scale where steps make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    Natural,
    Damping,
    Softness,
    Landing,
    Lag,
    Line(usize),
}

impl Figure {
    const PLATFORM: [Self; 5] = [Self::Natural, Self::Damping, Self::Softness, Self::Landing, Self::Lag];

    fn get(self, model: &Model) -> f64 {
        let p = &model.platform;
        match self {
            Self::Natural => p.natural_hz.ln(),
            Self::Damping => p.damping.ln(),
            Self::Softness => 1e3 / p.effective_mg,
            Self::Landing => p.landing_us.ln(),
            Self::Lag => p.lag_us,
            Self::Line(i) => model.lines.hz()[i],
        }
    }

    fn set(self, model: &mut Model, value: f64) {
        let p = &mut model.platform;
        match self {
            Self::Natural => p.natural_hz = value.exp(),
            Self::Damping => p.damping = value.exp().clamp(1e-3, 0.6),
            Self::Softness => p.effective_mg = 1e3 / value.clamp(1e-4, 5.0),
            Self::Landing => p.landing_us = value.exp().clamp(200.0, 20_000.0),
            Self::Lag => p.lag_us = value.clamp(-3_000.0, 3_000.0),
            Self::Line(i) => {
                let mut hz = model.lines.hz().to_vec();
                hz[i] = value;
                model.lines = BeltLines::new(&hz);
            }
        }
    }

    /// Step of the numerical derivative, and the farthest that one Gauss-Newton step may go.
    fn steps(self) -> (f64, f64) {
        match self {
            Self::Natural => (2e-4, 0.03),
            Self::Damping => (1e-2, 0.5),
            Self::Softness => (2e-3, 0.1),
            Self::Landing => (1e-2, 0.3),
            Self::Lag => (2.0, 200.0),
            Self::Line(_) => (5e-3, 0.2),
        }
    }
}

/// Innovations over a stretch, each over its standard deviation; zero where there is none.
struct Innovations {
    normed: Vec<f64>,
    log_variance: f64,
    count: usize,
}

impl Innovations {
    fn loss(&self) -> f64 {
        let huber = |r: f64| {
            if r.abs() <= HUBER {
                r * r
            } else {
                HUBER * (2.0 * r.abs() - HUBER)
            }
        };
        self.normed.iter().map(|&r| huber(r)).sum::<f64>() + self.log_variance
    }

    fn ratio(&self) -> f64 {
        self.normed.iter().map(|r| r * r).sum::<f64>() / self.count.max(1) as f64
    }
}

struct Search<'a> {
    recording: &'a Recording,
    checks: Checks,
}

impl Search<'_> {
    fn innovations(&self, model: &Model, span: &Range<usize>) -> Result<Innovations, ModelFault> {
        let mut out = Innovations {
            normed: vec![0.0; span.len()],
            log_variance: 0.0,
            count: 0,
        };
        run(
            self.recording,
            span.clone(),
            model,
            &self.checks,
            |index, innovation| {
                out.normed[index - span.start] = innovation.residual_mg / innovation.variance_mg2.sqrt();
                out.log_variance += innovation.variance_mg2.ln();
                out.count += 1;
            },
        )?;
        Ok(out)
    }

    fn loss(&self, model: &Model, span: &Range<usize>) -> f64 {
        self.innovations(model, span).map_or(f64::INFINITY, |i| i.loss())
    }

    /// The best of the grid.
    fn grid(&self, start: &Model, span: &Range<usize>) -> Model {
        let (mut best, mut least) = (*start, f64::INFINITY);
        let mut hz = GRID_FROM_HZ;
        while hz < start.sample_hz / 8.0 {
            for damping in GRID_DAMPING {
                let mut model = *start;
                model.platform.natural_hz = hz;
                model.platform.damping = damping;
                let loss = self.loss(&model, span);
                if loss < least {
                    (best, least) = (model, loss);
                }
            }
            hz *= GRID_FACTOR;
        }
        best
    }

    /// Gauss-Newton steps with Levenberg's damping on `figures`. Returns the normal matrix of the last step.
    fn refine(
        &self,
        model: &mut Model,
        figures: &[Figure],
        span: &Range<usize>,
        rounds: usize,
    ) -> Option<Vec<Vec<f64>>> {
        let mut matrix = None;
        let mut damping = 1e-3;
        for _ in 0..rounds {
            let base = self.innovations(model, span).ok()?;
            let loss = base.loss();
            let columns = self.derivatives(model, figures, span, &base)?;
            let (normal, right) = normal_equations(&columns, &base.normed);
            let mut gained = 0.0;
            for _ in 0..4 {
                let mut damped = normal.clone();
                for (i, row) in damped.iter_mut().enumerate() {
                    row[i] *= 1.0 + damping;
                }
                let Some(step) = solve(&damped, &right) else { break };
                let mut trial = *model;
                for (figure, step) in figures.iter().zip(&step) {
                    let (_, most) = figure.steps();
                    figure.set(&mut trial, figure.get(model) + step.clamp(-most, most));
                }
                let better = loss - self.loss(&trial, span);
                if better > 0.0 {
                    *model = trial;
                    gained = better;
                    damping = (damping * 0.2).max(1e-6);
                    break;
                }
                damping = (damping * 20.0).min(1e3);
            }
            matrix = Some(normal);
            if gained < 0.5 {
                break;
            }
        }
        matrix
    }

    fn derivatives(
        &self,
        model: &Model,
        figures: &[Figure],
        span: &Range<usize>,
        base: &Innovations,
    ) -> Option<Vec<Vec<f64>>> {
        let mut columns = Vec::new();
        for figure in figures {
            let (step, _) = figure.steps();
            let mut moved = *model;
            figure.set(&mut moved, figure.get(model) + step);
            let innovations = self.innovations(&moved, span).ok()?;
            columns.push(
                innovations
                    .normed
                    .iter()
                    .zip(&base.normed)
                    .map(|(m, b)| (m - b) / step)
                    .collect(),
            );
        }
        Some(columns)
    }

    /// White noise at which the innovations are as large as expected, but not below `floor`.
    fn set_white(&self, model: &mut Model, span: &Range<usize>, floor: f64) {
        if let Ok(innovations) = self.innovations(model, span) {
            let mut sizes: Vec<f64> = innovations
                .normed
                .iter()
                .map(|r| r.abs())
                .filter(|r| *r > 0.0)
                .collect();
            let upper = sizes.len() * 9 / 10;
            if !sizes.is_empty() {
                // the size that a tenth of normal innovations exceed
                let ratio = *sizes.select_nth_unstable_by(upper, f64::total_cmp).1 / 1.645;
                model.noise.white_mg = (model.noise.white_mg * ratio.min(1.0)).max(floor);
            }
        }
    }

    /// Adds lines from the innovations' spectrum as long as each earns its place.
    fn find_lines(&self, model: &mut Model, span: &Range<usize>) {
        let mut rejected: Vec<f64> = Vec::new();
        while model.lines.hz().len() < LINES && rejected.len() < 2 {
            let Ok(innovations) = self.innovations(model, span) else {
                return;
            };
            let before = innovations.loss();
            let Some(spectrum) = spectrum(&innovations.normed, model.sample_hz) else {
                return;
            };
            let known = model.lines.hz().to_vec();
            let free = |hz: f64| known.iter().chain(&rejected).all(|k| (k - hz).abs() > LINE_APART_HZ);
            let Some(line) = spectrum
                .lines(LINE_FROM_HZ, LINE_FACTOR)
                .into_iter()
                .find(|line| free(line.hz))
            else {
                return;
            };
            let mut trial = *model;
            trial.lines = BeltLines::new(&[&known[..], &[line.hz]].concat());
            self.refine(&mut trial, &[Figure::Line(known.len())], span, 2);
            if before - self.loss(&trial, span) > LINE_GAIN {
                *model = trial;
            } else {
                rejected.push(line.hz);
            }
        }
    }

    /// Fits the noise figures one after another, each on a logarithmic scale.
    fn fit_noise(&self, model: &mut Model, span: &Range<usize>) {
        let white = model.noise.white_mg;
        let mut along = |from: f64, to: f64, set: fn(&mut Model, f64)| {
            let trial = *model;
            let best = golden(from.ln(), to.ln(), 0.3, |log| {
                let mut trial = trial;
                set(&mut trial, log.exp());
                self.loss(&trial, span)
            });
            set(model, best.exp());
        };
        // walks are sought around the white noise, mg a root second for mg, so that cells of other sizes are served alike
        along(0.1 * white, 6.0 * white, |model, walk| model.noise.line_walk_mg = walk);
        along(0.03 * white, 3.0 * white, |model, walk| model.noise.zero_walk_mg = walk);
        along(0.6 * white, 1.6 * white, |model, white| model.noise.white_mg = white);
        along(3.0, 400.0, |model, gate| model.noise.gate_us = gate);
    }
}

/// J'WJ and -J'Wr with Huber's weights.
fn normal_equations(columns: &[Vec<f64>], normed: &[f64]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let weights: Vec<f64> = normed
        .iter()
        .map(|r| if r.abs() <= HUBER { 1.0 } else { HUBER / r.abs() })
        .collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).zip(&weights).map(|((a, b), w)| a * b * w).sum::<f64>();
    let matrix = columns
        .iter()
        .map(|a| columns.iter().map(|b| dot(a, b)).collect())
        .collect();
    let right = columns.iter().map(|a| -dot(a, normed)).collect();
    (matrix, right)
}

/// White noise of a sample, mg, by third differences: the platform's swing hardly passes them.
fn white_by_differences(recording: &Recording) -> f64 {
    let mut sizes: Vec<f64> = recording
        .samples
        .windows(4)
        .map(|w| (f64::from(w[3]) - 3.0 * f64::from(w[2]) + 3.0 * f64::from(w[1]) - f64::from(w[0])).abs())
        .collect();
    if sizes.is_empty() {
        return 0.0;
    }
    let middle = sizes.len() / 2;
    // the third difference of white noise has 20 times its variance, and a normal's median size is 0.6745 sigma
    *sizes.select_nth_unstable_by(middle, f64::total_cmp).1 / (0.6745 * 20.0_f64.sqrt() * recording.counts_per_mg)
}

fn spread_mg(recording: &Recording, span: &Range<usize>) -> f64 {
    let samples = &recording.samples[span.clone()];
    let mean = samples.iter().map(|&code| f64::from(code)).sum::<f64>() / samples.len().max(1) as f64;
    let squares: f64 = samples.iter().map(|&code| (f64::from(code) - mean).powi(2)).sum();
    (squares / samples.len().max(1) as f64).sqrt() / recording.counts_per_mg
}

/// Stretches for the grid and for the fit, from a little before the first pearl.
fn spans(recording: &Recording) -> Result<(Range<usize>, Range<usize>), IdentifyError> {
    let both: Vec<f64> = recording
        .gates
        .iter()
        .filter(|g| g.leave_s.is_some())
        .filter_map(|g| g.enter_s)
        .collect();
    if both.len() < LEAST_PEARLS {
        return Err(IdentifyError::TooFewPearls {
            pearls: both.len(),
            least: LEAST_PEARLS,
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held at the recording's ends"
    )]
    let at = |seconds: f64| ((seconds.max(0.0) * recording.sample_hz) as usize).min(recording.samples.len());
    let start = both[0] - 1.0;
    let grid_end = both[GRID_PEARLS.min(both.len()) - 1];
    let from = at(start);
    let (grid, fit) = (
        at(both[0] - GRID_LEAD_S)..at(grid_end),
        from..at(start.max(0.0) + FIT_S),
    );
    if grid.is_empty() || fit.is_empty() {
        return Err(IdentifyError::TooFewPearls {
            pearls: 0,
            least: LEAST_PEARLS,
        });
    }
    Ok((grid, fit))
}

/// Identifies platform, lines and noise from `recording`. Its masses, if any, are not looked at.
///
/// # Errors
/// Too few pearls, dead codes, or a signal that no platform explains.
pub fn identify(recording: &Recording, checks: &Checks) -> Result<Identified, IdentifyError> {
    let (grid_span, span) = spans(recording)?;
    let white = white_by_differences(recording).max(0.3 / recording.counts_per_mg);
    let spread = spread_mg(recording, &span);
    if spread < white * 1.5 {
        return Err(IdentifyError::Still);
    }
    let search = Search {
        recording,
        checks: Checks {
            outlier_sigmas: f64::INFINITY,
            ..*checks
        },
    };
    let start = start_model(recording, white.max(0.04 * spread));
    start.check(&search.checks).map_err(IdentifyError::Model)?;
    let mut model = search.grid(&start, &grid_span);
    for _ in 0..3 {
        search.refine(&mut model, &Figure::PLATFORM, &grid_span, 4);
        search.set_white(&mut model, &grid_span, white);
    }
    search.find_lines(&mut model, &span);
    let mut normal = None;
    for round in 0..2 {
        let lines = (0..model.lines.hz().len()).map(Figure::Line);
        let figures: Vec<Figure> = Figure::PLATFORM.into_iter().chain(lines).collect();
        search.set_white(&mut model, &span, white);
        normal = search.refine(&mut model, &figures, &span, if round == 0 { 4 } else { 2 });
        search.fit_noise(&mut model, &span);
        if round == 0 {
            search.find_lines(&mut model, &span);
        }
    }
    conclude(&search, model, normal, &span, spread)
}

fn start_model(recording: &Recording, white_mg: f64) -> Model {
    Model {
        sample_hz: recording.sample_hz,
        counts_per_mg: recording.counts_per_mg,
        platform: Platform {
            natural_hz: GRID_FROM_HZ,
            damping: GRID_DAMPING[0],
            effective_mg: GRID_EFFECTIVE_MG,
            landing_us: 2_000.0,
            roll_us: recording.roll_on_ms * 1e3,
            lag_us: 0.0,
        },
        lines: BeltLines::none(),
        noise: Noise {
            white_mg,
            zero_walk_mg: 0.5,
            line_walk_mg: 1.0,
            push_mg: 0.0,
            gate_us: 50.0,
        },
    }
}

fn conclude(
    search: &Search<'_>,
    model: Model,
    normal: Option<Vec<Vec<f64>>>,
    span: &Range<usize>,
    spread_mg: f64,
) -> Result<Identified, IdentifyError> {
    let innovations = search.innovations(&model, span).map_err(IdentifyError::Model)?;
    let ratio = innovations.ratio();
    let residual_mg = model.noise.white_mg * ratio.sqrt();
    if residual_mg.is_nan() || residual_mg > 0.1 * spread_mg {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share in per cent"
        )]
        let ratio_percent = (100.0 * residual_mg / spread_mg) as u32;
        return Err(IdentifyError::NoPlatform { ratio_percent });
    }
    let deviation = |i: usize| {
        let normal = normal.as_ref()?;
        let mut unit = vec![0.0; normal.len()];
        unit[i] = 1.0;
        Some(solve(normal, &unit)?[i].sqrt())
    };
    let (natural, damping) = (deviation(0).unwrap_or(f64::NAN), deviation(1).unwrap_or(f64::NAN));
    Ok(Identified {
        model,
        natural_u_hz: natural * model.platform.natural_hz,
        damping_u: damping * model.platform.damping,
        residual_ratio: ratio,
        samples: innovations.count,
    })
}
