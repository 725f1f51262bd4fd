//! Distance from the entry eye to a jet, from landings in its bin at two or more belt speeds.
//!
//! Any thread. A pearl that leaves the belt at distance `D` and falls for the time `t` is seen by the drop eye when the
//! belt, at speed `v`, has run `D + t v`: the intercept is the distance, the slope the fall time. The pulse must be wide
//! and lie evenly about the jet, so that pearls leave the belt at the jet and not at an edge of the pulse.

use super::limits::{
    DISTANCE_CHANGE_UM, DISTANCE_UNCERTAINTY_UM, LEAST_PASSAGES, LEAST_SPEED_RATIO, MOST_CHI_SQUARED, MOST_SPEED_SPREAD,
};
use super::refusal::Refusal;
use super::robust::{Figure, Point, kept, line, mean, median, rejected, variance_about};

/// One landing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landing {
    /// Belt speed while the pearl fell, ticks/s.
    pub speed: f64,
    /// Tick of the landing less the tick of the pearl's centre at the entry eye.
    pub ticks: f64,
}

/// Landings at one belt speed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// In the order in which they came.
    pub landings: Vec<Landing>,
}

/// A jet's distance, as found.
#[derive(Clone, Debug, PartialEq)]
pub struct Distance {
    /// From the entry eye to the jet, ticks.
    pub at: Figure,
    /// From the jet to the drop eye, us.
    pub fall_us: Figure,
    /// Landings seen.
    pub n: usize,
    /// Those that were rejected.
    pub rejected: usize,
    /// Residual of each landing, ticks, level by level, rejected ones included.
    pub residuals: Vec<f64>,
}

/// Finds a jet's distance. `configured_um` is where the file has it; a metre is `ticks_per_metre` ticks.
///
/// # Errors
/// See [`Refusal`].
pub fn distance(levels: &[Level], configured_um: f64, ticks_per_metre: f64) -> Result<Distance, Refusal> {
    let found = distance_of(levels)?;
    let um = 1e6 / ticks_per_metre;
    let (at_um, u_um) = (found.at.value * um, found.at.u * um);
    if (at_um - configured_um).abs() > DISTANCE_CHANGE_UM {
        return Err(Refusal::TooFar {
            what: "the jet's distance",
            unit: "um",
            found: at_um,
            configured: configured_um,
            most: DISTANCE_CHANGE_UM,
        });
    }
    if u_um > DISTANCE_UNCERTAINTY_UM {
        return Err(Refusal::TooUncertain {
            what: "the jet's distance",
            unit: "um",
            u: u_um,
            most: DISTANCE_UNCERTAINTY_UM,
            times: (u_um / DISTANCE_UNCERTAINTY_UM).powi(2).max(1.1),
        });
    }
    Ok(found)
}

/// As [`distance`], without a file to hold it against.
pub(super) fn distance_of(levels: &[Level]) -> Result<Distance, Refusal> {
    let speeds = check_levels(levels)?;
    let middles: Vec<f64> = levels.iter().map(|level| median(&ticks_of(level))).collect();
    // A first slope from the medians takes the small differences of speed within a level out of its scatter.
    let at_middles: Vec<Point> = speeds
        .iter()
        .zip(&middles)
        .map(|(x, y)| Point {
            x: *x,
            y: *y,
            weight: 1.0,
        })
        .collect();
    let first = line(&at_middles);
    let mut points = Vec::new();
    let mut left_out = 0;
    for level in levels {
        let residual = |landing: &Landing| landing.ticks - first.slope.value * landing.speed;
        let residuals: Vec<f64> = level.landings.iter().map(residual).collect();
        let keep = kept(&residuals);
        left_out += rejected(&keep, "landings")?;
        let good: Vec<f64> = residuals
            .iter()
            .zip(&keep)
            .filter_map(|(residual, keep)| keep.then_some(*residual))
            .collect();
        let weight = 1.0 / variance_about(&good, mean(&good).value);
        let good = level.landings.iter().zip(&keep).filter(|(_, keep)| **keep);
        let of_level: Vec<Point> = good
            .map(|(landing, _)| Point {
                x: landing.speed,
                y: landing.ticks,
                weight,
            })
            .collect();
        points.push(of_level);
    }
    let fitted = line(&points.concat());
    check_straight(&points, fitted.intercept.value, fitted.slope.value)?;
    let fall_us = Figure {
        value: fitted.slope.value * 1e6,
        u: fitted.slope.u * 1e6,
    };
    if fall_us.value <= 0.0 {
        return Err(Refusal::FallTime { fall_us: fall_us.value });
    }
    let residual = |landing: &Landing| landing.ticks - fitted.intercept.value - fitted.slope.value * landing.speed;
    let residuals: Vec<f64> = levels
        .iter()
        .flat_map(|level| level.landings.iter().map(residual))
        .collect();
    Ok(Distance {
        at: fitted.intercept,
        fall_us,
        n: residuals.len(),
        rejected: left_out,
        residuals,
    })
}

fn ticks_of(level: &Level) -> Vec<f64> {
    level.landings.iter().map(|landing| landing.ticks).collect()
}

/// The levels' speeds, when there are enough landings at enough steady speeds.
fn check_levels(levels: &[Level]) -> Result<Vec<f64>, Refusal> {
    for level in levels {
        if level.landings.len() < LEAST_PASSAGES {
            return Err(Refusal::TooFew {
                what: "landings at one speed",
                n: level.landings.len(),
                least: LEAST_PASSAGES,
            });
        }
    }
    let speeds = levels
        .iter()
        .map(|level| level.landings.iter().map(|landing| landing.speed));
    check_speeds(speeds)
}

/// The middle speed of each level, when each was steady and they are far enough apart.
pub(super) fn check_speeds(levels: impl Iterator<Item = impl Iterator<Item = f64>>) -> Result<Vec<f64>, Refusal> {
    let mut middles = Vec::new();
    for level in levels {
        let speeds: Vec<f64> = level.collect();
        let (slowest, fastest) = range(&speeds);
        if fastest > slowest * (1.0 + MOST_SPEED_SPREAD) {
            return Err(Refusal::Unsteady { slowest, fastest });
        }
        middles.push(median(&speeds));
    }
    let (slowest, fastest) = range(&middles);
    if middles.len() < 2 || fastest < slowest * LEAST_SPEED_RATIO || slowest <= 0.0 {
        return Err(Refusal::SpeedsTooClose { slowest, fastest });
    }
    Ok(middles)
}

fn range(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() { (0.0, 0.0) } else { (least, most) }
}

/// With more than two levels, the levels' means must lie on the line within their own uncertainty.
fn check_straight(levels: &[Vec<Point>], intercept: f64, slope: f64) -> Result<(), Refusal> {
    if levels.len() < 3 {
        return Ok(());
    }
    let of_level = |points: &Vec<Point>| {
        let residual = |point: &Point| point.y - intercept - slope * point.x;
        let sum: f64 = points.iter().map(residual).sum();
        let weight = points.first().map_or(0.0, |point| point.weight);
        weight * sum * sum / points.len().max(1) as f64
    };
    let chi_squared = levels.iter().map(of_level).sum::<f64>() / (levels.len() as f64 - 2.0);
    if chi_squared > MOST_CHI_SQUARED {
        return Err(Refusal::NotStraight {
            levels: levels.len(),
            chi_squared,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::chance::Chance;
    use super::*;

    const K: f64 = 20_000.0;
    const AT: f64 = 5_213.0;
    const FALL_S: f64 = 0.060;

    fn level(chance: &mut Chance, speed: f64, n: usize) -> Level {
        let landing = |_| {
            let speed = speed * (1.0 + 0.005 * chance.normal());
            let ticks = AT + 10.0 * chance.normal() + (FALL_S + 0.001 * chance.normal()) * speed;
            Landing {
                speed,
                ticks: ticks.round(),
            }
        };
        Level {
            landings: (0..n).map(landing).collect(),
        }
    }

    fn levels(seed: u64, speeds: &[f64], n: usize) -> Vec<Level> {
        let mut chance = Chance::new(seed);
        speeds.iter().map(|speed| level(&mut chance, *speed, n)).collect()
    }

    #[test]
    fn the_truth_lies_within_two_uncertainties_in_about_95_percent() {
        let mut covered = [0, 0];
        for seed in 0..1_000 {
            let found = distance(&levels(seed, &[10_000.0, 20_000.0], 50), 260_000.0, K).expect("good data");
            covered[0] += i32::from((found.at.value - AT).abs() <= 2.0 * found.at.u);
            covered[1] += i32::from((found.fall_us.value - FALL_S * 1e6).abs() <= 2.0 * found.fall_us.u);
        }
        assert!(covered.iter().all(|n| (925..=975).contains(n)), "{covered:?} of 1000");
    }

    #[test]
    fn wild_landings_are_rejected_and_kept_on_record() {
        let mut seen = levels(3, &[10_000.0, 14_000.0, 20_000.0], 60);
        let clean = distance(&seen, 260_000.0, K).expect("good data");
        seen[0].landings[5].ticks += 2_000.0;
        seen[2].landings[7].ticks -= 900.0;
        let found = distance(&seen, 260_000.0, K).expect("few are wild");
        assert_eq!((found.n, found.residuals.len()), (180, 180));
        assert_eq!(found.rejected, clean.rejected + 2);
        assert!((found.at.value - clean.at.value).abs() < clean.at.u);
        assert!(found.residuals[5] > 1_900.0);
    }

    fn refusal(levels: &[Level], configured_um: f64) -> Refusal {
        distance(levels, configured_um, K).expect_err("bad data")
    }

    #[test]
    fn bad_landings_are_refused_with_their_reason() {
        let at_um = 260_000.0;
        let few = refusal(&levels(1, &[10_000.0, 20_000.0], 7), at_um);
        assert!(matches!(few, Refusal::TooFew { n: 7, .. }), "{few}");
        let one = refusal(&levels(1, &[10_000.0], 50), at_um);
        assert!(matches!(one, Refusal::SpeedsTooClose { .. }), "{one}");
        let close = refusal(&levels(1, &[10_000.0, 11_900.0], 50), at_um);
        assert!(matches!(close, Refusal::SpeedsTooClose { .. }), "{close}");
        let far = refusal(&levels(1, &[10_000.0, 20_000.0], 50), 250_000.0);
        assert!(matches!(far, Refusal::TooFar { .. }), "{far}");

        let mut wild = levels(1, &[10_000.0, 20_000.0], 50);
        for (at, landing) in wild[1].landings.iter_mut().enumerate().take(10) {
            landing.ticks += 700.0 + 13.0 * at as f64;
        }
        let wild = refusal(&wild, at_um);
        assert!(
            matches!(wild, Refusal::TooManyRejected { rejected: 10.., .. }),
            "{wild}"
        );

        let mut unsteady = levels(1, &[10_000.0, 20_000.0], 50);
        unsteady[0].landings[0].speed = 13_000.0;
        let unsteady = refusal(&unsteady, at_um);
        assert!(matches!(unsteady, Refusal::Unsteady { .. }), "{unsteady}");
    }

    #[test]
    fn a_fall_of_no_time_and_a_bent_line_are_refused() {
        let mut backwards = levels(1, &[10_000.0, 20_000.0], 50);
        for landing in &mut backwards[1].landings {
            landing.ticks -= 1_500.0;
        }
        let backwards = refusal(&backwards, 260_000.0);
        assert!(matches!(backwards, Refusal::FallTime { .. }), "{backwards}");

        let mut bent = levels(1, &[10_000.0, 15_000.0, 20_000.0], 50);
        for landing in &mut bent[1].landings {
            landing.ticks += 60.0;
        }
        let bent = refusal(&bent, 260_000.0);
        assert!(matches!(bent, Refusal::NotStraight { .. }), "{bent}");
    }

    #[test]
    fn scatter_that_leaves_the_distance_uncertain_is_refused_with_how_much_more_is_needed() {
        let mut chance = Chance::new(4);
        let mut rough = levels(4, &[10_000.0, 20_000.0], 25);
        for landing in rough.iter_mut().flat_map(|level| &mut level.landings) {
            landing.ticks += 60.0 * chance.normal();
        }
        let rough = refusal(&rough, 260_000.0);
        assert!(matches!(rough, Refusal::TooUncertain { times: 1.1.., .. }), "{rough}");
    }
}
