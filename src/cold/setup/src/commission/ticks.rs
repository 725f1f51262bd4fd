//! Encoder ticks a metre: a pearl's passage in ticks over a distance that a ruler gives.
//!
//! Any thread. From entry eye to weigh platform the passage is seen directly; from eye to drop eye it is the intercept of
//! [`super::distance`], which takes the fall out.

use super::distances::{Level, distance_of};
use super::limits::{LEAST_PASSAGES, TICKS_CHANGE, TICKS_UNCERTAINTY};
use super::refusal::Refusal;
use super::robust::{Figure, kept, mean, rejected};

/// A distance along the belt, measured by hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ruler {
    /// The distance, um.
    pub um: f64,
    /// Its standard uncertainty, um.
    pub u_um: f64,
}

/// Ticks a metre, as found.
#[derive(Clone, Debug, PartialEq)]
pub struct TicksAMetre {
    /// The figure, ticks a metre.
    pub ticks: Figure,
    /// Passages or landings that it stands on.
    pub n: usize,
    /// Those that were rejected.
    pub rejected: usize,
    /// Residual of each observation, ticks, rejected ones included.
    pub residuals: Vec<f64>,
}

/// From passages between two stations that both see the pearl on the belt. `configured` is what the file says.
///
/// # Errors
/// See [`Refusal`].
pub fn ticks_by_passages(passages: &[f64], ruler: Ruler, configured: f64) -> Result<TicksAMetre, Refusal> {
    if passages.len() < LEAST_PASSAGES {
        return Err(Refusal::TooFew {
            what: "passages",
            n: passages.len(),
            least: LEAST_PASSAGES,
        });
    }
    let keep = kept(passages);
    let rejected = rejected(&keep, "passages")?;
    let good: Vec<f64> = passages
        .iter()
        .zip(&keep)
        .filter_map(|(passage, keep)| keep.then_some(*passage))
        .collect();
    let passage = mean(&good);
    let residuals = passages.iter().map(|value| value - passage.value).collect();
    scaled(passage, ruler, configured).map(|ticks| TicksAMetre {
        ticks,
        n: passages.len(),
        rejected,
        residuals,
    })
}

/// From landings at two or more speeds, for a line without weigh cells.
///
/// # Errors
/// See [`Refusal`].
pub fn ticks_by_landings(levels: &[Level], ruler: Ruler, configured: f64) -> Result<TicksAMetre, Refusal> {
    let found = distance_of(levels)?;
    scaled(found.at, ruler, configured).map(|ticks| TicksAMetre {
        ticks,
        n: found.n,
        rejected: found.rejected,
        residuals: found.residuals,
    })
}

/// A passage of a known length as ticks a metre.
fn scaled(passage: Figure, ruler: Ruler, configured: f64) -> Result<Figure, Refusal> {
    for (what, value) in [("the ruler's distance", ruler.um), ("the passage", passage.value)] {
        if value <= 0.0 || !value.is_finite() {
            return Err(Refusal::NotPositive { what, value });
        }
    }
    let value = passage.value / ruler.um * 1e6;
    let share = (passage.u / passage.value).hypot(ruler.u_um / ruler.um);
    let figure = Figure {
        value,
        u: value * share,
    };
    if (value - configured).abs() > TICKS_CHANGE * configured {
        return Err(Refusal::TooFar {
            what: "ticks a metre",
            unit: "ticks/m",
            found: value,
            configured,
            most: TICKS_CHANGE * configured,
        });
    }
    if ruler.u_um / ruler.um > TICKS_UNCERTAINTY {
        return Err(Refusal::Ruler {
            um: ruler.um,
            u_um: ruler.u_um,
        });
    }
    if share > TICKS_UNCERTAINTY {
        // More pearls make their own share smaller, not the ruler's.
        let left = TICKS_UNCERTAINTY.powi(2) - (ruler.u_um / ruler.um).powi(2);
        return Err(Refusal::TooUncertain {
            what: "ticks a metre",
            unit: "ticks/m",
            u: figure.u,
            most: TICKS_UNCERTAINTY * value,
            times: ((passage.u / passage.value).powi(2) / left).clamp(1.1, 1e3),
        });
    }
    Ok(figure)
}

#[cfg(test)]
mod tests {
    use super::super::chance::Chance;
    use super::*;

    const TRUE: f64 = 20_137.0;
    const RULER: Ruler = Ruler {
        um: 100_000.0,
        u_um: 100.0,
    };

    /// Passages over a distance that the ruler misjudges by its own uncertainty.
    fn passages(seed: u64, n: usize) -> Vec<f64> {
        let mut chance = Chance::new(seed);
        let distance = RULER.um + RULER.u_um * chance.normal();
        (0..n)
            .map(|_| (TRUE * distance * 1e-6 + 7.0 * chance.normal()).round())
            .collect()
    }

    #[test]
    fn the_truth_lies_within_two_uncertainties_in_about_95_percent() {
        let covered = (0..1_000)
            .filter(|seed| {
                let found = ticks_by_passages(&passages(*seed, 60), RULER, 20_000.0).expect("good data");
                (found.ticks.value - TRUE).abs() <= 2.0 * found.ticks.u
            })
            .count();
        assert!((930..=975).contains(&covered), "{covered} of 1000");
    }

    #[test]
    fn a_few_wild_passages_are_rejected_and_kept_on_record() {
        let mut seen = passages(1, 60);
        let clean = ticks_by_passages(&seen, RULER, 20_000.0).expect("good data");
        seen[10] = 0.0;
        seen[20] = 9_000.0;
        seen[30] = 2_300.0;
        let found = ticks_by_passages(&seen, RULER, 20_000.0).expect("few are wild");
        assert_eq!(
            (found.n, found.rejected, found.residuals.len()),
            (60, 3 + clean.rejected, 60)
        );
        assert!((found.ticks.value - clean.ticks.value).abs() < clean.ticks.u);
    }

    #[test]
    fn bad_passages_are_refused_with_their_reason() {
        let few = ticks_by_passages(&passages(1, 5), RULER, 20_000.0);
        assert!(matches!(few, Err(Refusal::TooFew { n: 5, .. })), "{few:?}");

        let mut wild = passages(1, 60);
        for (at, value) in wild.iter_mut().enumerate().take(12) {
            *value += 500.0 + 10.0 * at as f64;
        }
        let wild = ticks_by_passages(&wild, RULER, 20_000.0);
        assert!(matches!(wild, Err(Refusal::TooManyRejected { .. })), "{wild:?}");

        let far = ticks_by_passages(&passages(1, 60), RULER, 25_000.0);
        assert!(matches!(far, Err(Refusal::TooFar { .. })), "{far:?}");

        let coarse = Ruler { u_um: 1_000.0, ..RULER };
        let coarse = ticks_by_passages(&passages(1, 60), coarse, 20_000.0);
        assert!(matches!(coarse, Err(Refusal::Ruler { .. })), "{coarse:?}");

        let mut chance = Chance::new(5);
        let rolling: Vec<f64> = passages(1, 20).iter().map(|p| p + 60.0 * chance.normal()).collect();
        let rolling = ticks_by_passages(&rolling, RULER, 20_000.0);
        assert!(matches!(rolling, Err(Refusal::TooUncertain { .. })), "{rolling:?}");

        let none = Ruler { um: 0.0, ..RULER };
        let none = ticks_by_passages(&passages(1, 60), none, 20_000.0);
        assert!(matches!(none, Err(Refusal::NotPositive { .. })), "{none:?}");
    }
}
