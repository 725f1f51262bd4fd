//! Hue angle in integers, so that a colour is the same on every machine.
//!
//! Any thread.

/// 0.01 degrees in a full circle.
pub const CIRCLE: i32 = 36_000;

/// Fraction bits of the fixed-point numbers below.
const BITS: u32 = 16;
/// Coefficients of atan(z) / z in powers of z^2 for 0 <= z <= 1, in 0.01 degrees with 20 bits of fraction: the minimax
/// polynomial of degree 11, whose error is below 2e-6 radians.
const ATAN: [i64; 6] = [
    scaled(99_997_726),
    scaled(-33_262_347),
    scaled(19_354_346),
    scaled(-11_643_287),
    scaled(5_265_332),
    scaled(-1_172_120),
];

/// A coefficient in 1e-8, times 18,000 / pi (0.01 degrees a radian) and 2^20.
const fn scaled(coefficient: i64) -> i64 {
    // 18,000 / pi = 5,729.577951
    coefficient * 5_729_578 / 100_000_000 * (1 << 20) / 1_000
}

/// Angle of (`a`, `b`) from the a axis towards the b axis, 0.01 degrees in `0..36_000`; 0 where both are 0.
#[must_use]
pub fn hue(a: i16, b: i16) -> i32 {
    let (x, y) = (u32::from(a.unsigned_abs()), u32::from(b.unsigned_abs()));
    let (long, short) = (x.max(y), x.min(y));
    if long == 0 {
        return 0;
    }
    let z = i64::from((short << BITS) / long);
    let square = (z * z) >> BITS;
    let series = ATAN
        .iter()
        .rev()
        .fold(0, |sum, coefficient| ((sum * square) >> BITS) + coefficient);
    let eighth = (((series * z) >> BITS) + (1 << 19)) >> 20;
    let quarter = if y > x { 9_000 - eighth } else { eighth };
    let half = if a < 0 { 18_000 - quarter } else { quarter };
    let full = if b < 0 { i64::from(CIRCLE) - half } else { half };
    #[expect(clippy::cast_possible_truncation, reason = "within one circle")]
    let full = full as i32;
    if full == CIRCLE { 0 } else { full }
}

/// Length of (`a`, `b`), rounded down.
#[must_use]
pub fn chroma(a: i16, b: i16) -> i32 {
    let (a, b) = (u32::from(a.unsigned_abs()), u32::from(b.unsigned_abs()));
    // The root of a whole number below 2^52, rounded by IEEE 754, has the right whole part on every machine.
    #[expect(clippy::cast_possible_truncation, reason = "at most the square root of 2^31")]
    let root = f64::from(a * a + b * b).sqrt() as i32;
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hue_agrees_with_the_true_angle_to_a_hundredth_of_a_degree() {
        for a in (-9_000_i16..9_000).step_by(37) {
            for b in (-9_000_i16..9_000).step_by(41) {
                let truth = f64::from(b).atan2(f64::from(a)).to_degrees() * 100.0;
                let off = (f64::from(hue(a, b)) - truth).rem_euclid(36_000.0);
                assert!(
                    !(1.01..=35_998.99).contains(&off),
                    "({a}, {b}): {} for {truth}",
                    hue(a, b)
                );
            }
        }
    }

    #[test]
    fn the_axes_are_exact() {
        assert_eq!(
            [hue(5, 0), hue(0, 5), hue(-5, 0), hue(0, -5)],
            [0, 9_000, 18_000, 27_000]
        );
        assert_eq!([hue(0, 0), hue(7, 7), hue(-7, -7)], [0, 4_500, 22_500]);
        assert_eq!([chroma(300, 400), chroma(0, 0), chroma(-1, 0)], [500, 0, 1]);
        assert_eq!(chroma(i16::MIN, i16::MIN), 46_340);
    }
}
