//! Colour from a chart: from counts over shading to linear red, green and blue of the standard observer. Cold.
//!
//! A straight line in three channels (ISO 17321-1 calls it the colour transformation), by least squares over the chips, and
//! the difference that it leaves in CIEDE2000 (CIE 142-2001, written after Sharma, Wu and Dalal, Color Res. Appl. 30, 2005).

use vision::{lab, linear_rgb};

use super::Unfit;
use super::solve::{Normal, median, solve};

/// One chip: what is known, and what the eye saw (see [`vision::Raw::body`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChipSeen {
    /// L, a, b as certified.
    pub lab: [f32; 3],
    /// Counts over shading.
    pub body: [f32; 3],
}

/// What the chart told.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourFit {
    /// See [`vision::Light::albedo`].
    pub albedo: [[f32; 2]; 3],
    /// See [`vision::Light::matrix`].
    pub matrix: [[f32; 3]; 3],
    /// CIEDE2000 that is left of each chip, in order.
    pub residuals: Vec<f64>,
}

/// Chips that a fit of four figures a channel needs, to be judged at all.
const LEAST_CHIPS: usize = 8;
/// Median difference that a chart may leave.
const MOST_MEDIAN: f64 = 2.5;

/// Fits the chart.
///
/// # Errors
/// When the chips are too few or too much alike, or what is seen is not what they are.
pub fn colour(chips: &[ChipSeen]) -> Result<ColourFit, Unfit> {
    if chips.len() < LEAST_CHIPS {
        return Err(Unfit::Few {
            what: "chips",
            found: chips.len(),
            needed: LEAST_CHIPS,
        });
    }
    let mut rows = [[0.0f64; 4]; 3];
    for (channel, row) in rows.iter_mut().enumerate() {
        let mut normal = Normal::<4>::new();
        for chip in chips {
            let [r, g, b] = chip.body.map(f64::from);
            normal.add(&[r, g, b, 1.0], f64::from(linear_rgb(&chip.lab)[channel]));
        }
        *row = normal.solve().ok_or(Unfit::Alike)?;
    }
    let matrix = rows.map(|[r, g, b, _]| [r, g, b]);
    // M (body + offset) = M body + t.
    let offset = solve(matrix, rows.map(|row| row[3])).ok_or(Unfit::Alike)?;
    #[expect(clippy::cast_possible_truncation, reason = "figures to f32")]
    let (matrix, albedo) = (
        matrix.map(|row| row.map(|v| v as f32)),
        offset.map(|offset| [1.0, offset as f32]),
    );
    let residuals: Vec<f64> = chips
        .iter()
        .map(|chip| {
            let body = [0, 1, 2].map(|k| albedo[k][0] * chip.body[k] + albedo[k][1]);
            let seen = matrix.map(|row| row.iter().zip(body).map(|(m, v)| m * v).sum());
            difference(&lab(&seen), &chip.lab)
        })
        .collect();
    let median = median(residuals.clone()).unwrap_or(f64::MAX);
    if median.is_nan() || median > MOST_MEDIAN {
        return Err(Unfit::Colour {
            median,
            limit: MOST_MEDIAN,
        });
    }
    Ok(ColourFit {
        albedo,
        matrix,
        residuals,
    })
}

/// Difference of two colours, CIEDE2000 with all weights 1.
#[must_use]
pub fn difference(one: &[f32; 3], other: &[f32; 3]) -> f64 {
    let ([l1, a1, b1], [l2, a2, b2]) = (one.map(f64::from), other.map(f64::from));
    let grey = |c: f64| (c.powi(7) / (c.powi(7) + 25.0f64.powi(7))).sqrt();
    let mean_chroma = 0.5 * (a1.hypot(b1) + a2.hypot(b2));
    let stretch = 1.0 + 0.5 * (1.0 - grey(mean_chroma));
    let (a1, a2) = (a1 * stretch, a2 * stretch);
    let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
    let hue = |a: f64, b: f64| b.atan2(a).to_degrees().rem_euclid(360.0);
    let (h1, h2) = (hue(a1, b1), hue(a2, b2));
    let mut turn = h2 - h1;
    if c1 * c2 == 0.0 {
        turn = 0.0;
    } else if turn > 180.0 {
        turn -= 360.0;
    } else if turn < -180.0 {
        turn += 360.0;
    }
    let (dl, dc) = (l2 - l1, c2 - c1);
    let dh = 2.0 * (c1 * c2).sqrt() * (0.5 * turn).to_radians().sin();
    let (l, c) = (0.5 * (l1 + l2), 0.5 * (c1 + c2));
    let h = if c1 * c2 == 0.0 {
        h1 + h2
    } else {
        (h1 + 0.5 * turn).rem_euclid(360.0)
    };
    let cos = |degrees: f64| degrees.to_radians().cos();
    let t = 1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0) - 0.20 * cos(4.0 * h - 63.0);
    let bow = (l - 50.0).powi(2);
    let sl = 1.0 + 0.015 * bow / (20.0 + bow).sqrt();
    let (sc, sh) = (1.0 + 0.045 * c, 1.0 + 0.015 * c * t);
    let around = 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
    let rotation = -(2.0 * around).to_radians().sin() * 2.0 * grey(c);
    let (l, c, h) = (dl / sl, dc / sc, dh / sh);
    (l * l + c * c + h * h + rotation * c * h).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_those_of_the_published_pairs() {
        // Sharma, Wu and Dalal, pairs 1, 7, 17, 25.
        for (one, other, de) in [
            ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
            ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
            ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
            ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ] {
            let got = difference(&one, &other);
            assert!((got - de).abs() < 2e-4, "{got}, not {de}");
        }
    }

    /// Chips of all series, seen by a camera with another mix of channels.
    fn chart(noise: f32) -> Vec<ChipSeen> {
        let labs = [
            [90.0, 0.0, 3.0],
            [86.0, 1.0, 11.0],
            [81.0, 7.0, 8.0],
            [78.0, 8.0, 20.0],
            [78.0, 7.0, -5.0],
            [64.0, 12.0, -9.0],
            [50.0, 0.0, 0.0],
            [40.0, -3.0, 4.0],
            [70.0, -6.0, -2.0],
        ];
        let mix = [[0.85, 0.10, 0.02], [0.06, 0.90, 0.05], [0.03, 0.12, 0.80]];
        let seen = |(k, lab): (usize, [f32; 3])| {
            let rgb = linear_rgb(&lab);
            let mut body = mix.map(|row| row.iter().zip(rgb).map(|(m, v)| m * v).sum::<f32>() + 0.01);
            body[k % 3] += noise * if k % 2 == 0 { 1.0 } else { -1.0 };
            ChipSeen { lab, body }
        };
        labs.into_iter().enumerate().map(seen).collect()
    }

    #[test]
    fn a_chart_gives_every_chip_back() {
        let fit = colour(&chart(0.0)).expect("a good chart");
        assert!(fit.residuals.iter().all(|de| *de < 0.05), "{fit:?}");
        let fit = colour(&chart(0.004)).expect("a noisy chart");
        assert!(fit.residuals.iter().all(|de| *de < 2.0), "{fit:?}");
    }

    #[test]
    fn bad_charts_are_refused_by_name() {
        let good = chart(0.0);
        assert!(matches!(colour(&good[..5]), Err(Unfit::Few { .. })));
        let alike = vec![good[0]; 9];
        assert!(matches!(colour(&alike), Err(Unfit::Alike | Unfit::Colour { .. })));
        let mut swapped = good;
        for k in 0..4 {
            let other = swapped[8 - k].lab;
            swapped[8 - k].lab = swapped[k].lab;
            swapped[k].lab = other;
        }
        assert!(matches!(colour(&swapped), Err(Unfit::Colour { .. })));
    }
}
