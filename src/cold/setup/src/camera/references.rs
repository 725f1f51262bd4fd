//! Dark and white references: counts without light, and the exposure by a matt white sphere. Cold.

use vision::{Calibration, View};

use super::Unfit;
use super::solve::median;

/// Counts without light, and how much they scatter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct References {
    /// Mean of each channel.
    pub dark: [f32; 3],
    /// Standard deviation of a byte, counts.
    pub noise: f32,
    /// Exposure against that of the calibration given.
    pub exposure: f32,
    /// Scatter of the white sphere's views around it, relative.
    pub spread: f32,
}

const MOST_DARK: f64 = 20.0;
const MOST_NOISE: f64 = 6.0;
const EXPOSURE: (f64, f64) = (0.4, 2.5);
const MOST_SPREAD: f64 = 0.05;

/// From frames with the lens covered, and the bodies (counts over shading, as [`vision::Raw`] has them, made with
/// `calibration`) of a white sphere of known albedo.
///
/// # Errors
/// When there is light in the dark frames, or the white sphere tells no one exposure.
pub fn references(
    calibration: &Calibration,
    dark: &[View<'_>],
    white: &[[f32; 3]],
    albedo: f32,
) -> Result<References, Unfit> {
    for (what, found) in [("dark frames", dark.len()), ("views of the white sphere", white.len())] {
        if found == 0 {
            return Err(Unfit::Few { what, found, needed: 1 });
        }
    }
    let (mut sums, mut squares, mut count) = ([0.0f64; 3], 0.0f64, 0.0f64);
    for view in dark {
        for row in view.pixels.chunks_exact(view.stride.max(1)).take(view.height) {
            for pixel in row.chunks_exact(3).take(view.width) {
                for (sum, &byte) in sums.iter_mut().zip(pixel) {
                    *sum += f64::from(byte);
                    squares += f64::from(byte).powi(2);
                }
                count += 1.0;
            }
        }
    }
    let count: f64 = count.max(1.0);
    let means = sums.map(|sum| sum / count);
    let noise = (squares / count - means.iter().map(|m| m * m).sum::<f64>()).max(0.0) / 3.0;
    let dark_level = means.iter().copied().fold(0.0, f64::max);
    within(
        "the dark level (counts)",
        dark_level,
        (0.0, MOST_DARK),
        "cover the lens, switch the lamps off",
    )?;
    within(
        "the dark noise (counts)",
        noise.sqrt(),
        (0.0, MOST_NOISE),
        "look at the camera's gain",
    )?;
    // A white body's albedo through the calibration's line, backwards.
    let light = &calibration.light;
    let expected: f32 = (0..3).map(|k| (albedo - light.albedo[k][1]) / light.albedo[k][0]).sum();
    let exposures: Vec<f64> = white
        .iter()
        .map(|body| f64::from(body.iter().sum::<f32>() / expected * light.exposure))
        .collect();
    let middle = median(exposures.clone()).unwrap_or(0.0);
    let spread = exposures.iter().map(|e| (e / middle - 1.0).abs()).fold(0.0, f64::max);
    within(
        "the exposure",
        middle,
        EXPOSURE,
        "look at lamps, strobe and exposure time",
    )?;
    within(
        "the scatter of the white sphere",
        spread,
        (0.0, MOST_SPREAD),
        "look at lamps and strobe: they are unsteady",
    )?;
    #[expect(clippy::cast_possible_truncation, reason = "figures to f32")]
    Ok(References {
        dark: means.map(|m| m as f32),
        noise: noise.sqrt() as f32,
        exposure: middle as f32,
        spread: spread as f32,
    })
}

fn within(what: &'static str, value: f64, (least, most): (f64, f64), advice: &'static str) -> Result<(), Unfit> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Unfit::Range {
        what,
        value,
        least,
        most,
        advice,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn white(exposure: f32) -> [f32; 3] {
        let light = Calibration::nominal().light;
        [0, 1, 2].map(|k| exposure * (0.9 - light.albedo[k][1]) / light.albedo[k][0])
    }

    #[test]
    fn dark_and_exposure_come_back() {
        let bytes: Vec<u8> = (0..64 * 64).flat_map(|k| [2, 3 + (k % 2) as u8 * 2, 1]).collect();
        let views = [View::rgb8(&bytes, 64, 64)];
        let found = references(
            &Calibration::nominal(),
            &views,
            &[white(0.8), white(0.81), white(0.79)],
            0.9,
        );
        let found = found.expect("good references");
        assert_eq!(found.dark, [2.0, 4.0, 1.0]);
        assert!(
            (found.exposure - 0.8).abs() < 1e-4 && (found.spread - 0.0125).abs() < 1e-3,
            "{found:?}"
        );
    }

    #[test]
    fn light_in_the_dark_and_unsteady_lamps_are_refused() {
        let (dark, lit) = (vec![1; 64 * 64 * 3], vec![40; 64 * 64 * 3]);
        let nominal = Calibration::nominal();
        let with = |bytes: &[u8], white: &[[f32; 3]]| references(&nominal, &[View::rgb8(bytes, 64, 64)], white, 0.9);
        assert!(matches!(with(&lit, &[white(1.0)]), Err(Unfit::Range { .. })));
        assert!(matches!(
            with(&dark, &[white(1.0), white(0.7), white(1.0)]),
            Err(Unfit::Range { .. })
        ));
        assert!(matches!(with(&dark, &[white(0.1)]), Err(Unfit::Range { .. })));
        assert!(matches!(with(&dark, &[]), Err(Unfit::Few { .. })));
    }
}
