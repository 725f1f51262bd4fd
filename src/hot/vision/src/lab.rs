//! CIELAB of an albedo, and the colour series nearest to it. Any thread.
//!
//! Formulae: CIE 15:2018, white point D65 as the reference is a perfect white body under the station's own light, with
//! the primaries of IEC 61966-2-1 (linear sRGB).

use crate::calibration::{Chip, Series};

/// Linear red, green, blue to X/Xn, Y/Yn, Z/Zn.
const TO_XYZ: [[f32; 3]; 3] = [
    [0.433_953, 0.376_219, 0.189_828],
    [0.212_671, 0.715_160, 0.072_169],
    [0.017_758, 0.109_477, 0.872_765],
];

/// CIELAB of linear red, green, blue, each 1 for a perfect white.
#[must_use]
pub fn lab(rgb: &[f32; 3]) -> [f32; 3] {
    let [x, y, z] = TO_XYZ.map(|row| {
        let value: f32 = row.iter().zip(rgb).map(|(a, b)| a * b).sum();
        if value > 216.0 / 24389.0 {
            value.cbrt()
        } else {
            value * (24389.0 / 3132.0) + 16.0 / 116.0
        }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// X/Xn, Y/Yn, Z/Zn to linear red, green, blue: the inverse of [`TO_XYZ`].
const TO_RGB: [[f32; 3]; 3] = [
    [3.079_931, -1.537_147, -0.542_784],
    [-0.921_233, 1.875_989, 0.045_244],
    [0.052_890, -0.204_042, 1.151_152],
];

/// Linear red, green, blue of a colour in CIELAB.
#[must_use]
pub fn linear_rgb(&[l, a, b]: &[f32; 3]) -> [f32; 3] {
    let y = (l + 16.0) / 116.0;
    let xyz = [y + a / 500.0, y, y - b / 200.0].map(|t| {
        if t > 6.0 / 29.0 {
            t * t * t
        } else {
            (t - 16.0 / 116.0) * (3132.0 / 24389.0)
        }
    });
    TO_RGB.map(|row| row.iter().zip(xyz).map(|(m, v)| m * v).sum())
}

/// Lightness counts less than hue and chroma in a series' name, the more so as exposure is less sure than colour.
const LIGHTNESS_WEIGHT: f32 = 0.25;

/// The series whose middle is nearest.
pub(crate) fn series(lab: &[f32; 3], chips: &[Chip]) -> Option<Series> {
    let distance = |chip: &Chip| {
        let [l, a, b] = [0, 1, 2].map(|k| lab[k] - chip.lab[k]);
        LIGHTNESS_WEIGHT * l * l + a * a + b * b
    };
    chips
        .iter()
        .min_by(|p, q| distance(p).total_cmp(&distance(q)))
        .map(|chip| chip.series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_is_a_hundred_and_grey_has_no_colour() {
        let [l, a, b] = lab(&[1.0; 3]);
        assert!((l - 100.0).abs() < 0.01 && a.abs() < 0.02 && b.abs() < 0.02);
        let [l, a, b] = lab(&[0.184_187; 3]);
        assert!((l - 50.0).abs() < 0.01 && a.abs() < 0.02 && b.abs() < 0.02);
    }

    #[test]
    fn a_colour_comes_back_from_its_place() {
        for rgb in [[0.8, 0.6, 0.4], [0.01, 0.02, 0.005], [1.0, 1.0, 1.0]] {
            for (got, want) in linear_rgb(&lab(&rgb)).into_iter().zip(rgb) {
                assert!((got - want).abs() < 1e-4, "{got}, not {want}");
            }
        }
    }

    #[test]
    fn red_of_the_standard_has_its_known_place() {
        let [l, a, b] = lab(&[1.0, 0.0, 0.0]);
        assert!(
            (l - 53.24).abs() < 0.1 && (a - 80.09).abs() < 0.2 && (b - 67.20).abs() < 0.2,
            "{l} {a} {b}"
        );
    }
}
