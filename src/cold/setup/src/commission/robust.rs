//! Robust figures: medians, rejection of what does not fit, and the weighted line.
//!
//! Any thread. The median absolute deviation times 1.4826 is the standard deviation of normal data; unlike it, it is not
//! moved by a few observations that are wrong by any amount (Huber and Ronchetti, "Robust statistics", 2009).

use super::limits::{LEAST_SCATTER, MOST_REJECTED, REJECT_AT};
use super::refusal::Refusal;

/// A value with its standard uncertainty, in the same unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The value.
    pub value: f64,
    /// Its standard uncertainty.
    pub u: f64,
}

const NORMAL: f64 = 1.4826;

/// The median; of an empty list it is 0.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

/// Robust standard deviation about the median.
pub(super) fn scatter(values: &[f64]) -> f64 {
    let middle = median(values);
    let deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    NORMAL * median(&deviations)
}

/// Which values are kept: those within [`REJECT_AT`] robust standard deviations of the median.
pub(super) fn kept(values: &[f64]) -> Vec<bool> {
    let middle = median(values);
    let most = REJECT_AT * scatter(values).max(LEAST_SCATTER);
    values.iter().map(|value| (value - middle).abs() <= most).collect()
}

/// Refuses when more than [`MOST_REJECTED`] of the values are not kept; else gives how many.
pub(super) fn rejected(kept: &[bool], what: &'static str) -> Result<usize, Refusal> {
    let (n, rejected) = (kept.len(), kept.iter().filter(|kept| !**kept).count());
    if rejected as f64 > MOST_REJECTED * n as f64 {
        return Err(Refusal::TooManyRejected { what, rejected, n });
    }
    Ok(rejected)
}

/// Mean and its standard uncertainty from the scatter of the values, of which there are two at least.
pub(super) fn mean(values: &[f64]) -> Figure {
    let n = values.len() as f64;
    let value = values.iter().sum::<f64>() / n;
    Figure {
        value,
        u: (variance_about(values, value) / n).sqrt(),
    }
}

/// Variance about the mean; never less than that of rounding to ticks.
pub(super) fn variance_about(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).max(LEAST_SCATTER * LEAST_SCATTER)
}

/// A point of a line, with the weight 1 / variance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) weight: f64,
}

/// A line through points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fitted {
    pub(super) intercept: Figure,
    pub(super) slope: Figure,
}

/// The weighted line of least squares, for points at two different places at least.
pub(super) fn line(points: &[Point]) -> Fitted {
    // About the weighted middle, where slope and height do not depend on each other.
    let sum = |of: &dyn Fn(&Point) -> f64| points.iter().map(|point| point.weight * of(point)).sum::<f64>();
    let weight = sum(&|_| 1.0);
    let (x, y) = (sum(&|p| p.x) / weight, sum(&|p| p.y) / weight);
    let spread = sum(&|p| (p.x - x).powi(2));
    let slope = sum(&|p| (p.x - x) * (p.y - y)) / spread;
    let variance = 1.0 / weight + x * x / spread;
    Fitted {
        intercept: Figure {
            value: y - slope * x,
            u: variance.sqrt(),
        },
        slope: Figure {
            value: slope,
            u: (1.0 / spread).sqrt(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wild_value_moves_neither_median_nor_scatter() {
        let mut values: Vec<f64> = (0..21).map(f64::from).collect();
        let before = (median(&values), scatter(&values));
        values[20] = 1e9;
        assert_eq!((median(&values), scatter(&values)), before);
        let kept = kept(&values);
        assert!(!kept[20]);
        assert_eq!(rejected(&kept, "values"), Ok(1));
    }

    #[test]
    fn values_that_are_all_the_same_are_all_kept() {
        assert!(kept(&[7.0; 30]).iter().all(|kept| *kept));
        assert!(kept(&[7.0, 7.0, 7.0, 8.0, 7.0]).iter().all(|kept| *kept));
    }

    #[test]
    fn a_line_through_exact_points_is_that_line() {
        let point = |x: f64, weight| Point {
            x,
            y: 3.0 - 0.25 * x,
            weight,
        };
        let fitted = line(&[point(1.0, 2.0), point(2.0, 1.0), point(5.0, 4.0)]);
        assert!((fitted.intercept.value - 3.0).abs() < 1e-12);
        assert!((fitted.slope.value + 0.25).abs() < 1e-12);
    }
}
