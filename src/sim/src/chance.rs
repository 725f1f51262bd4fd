//! What the virtual line draws by chance: the generator of the link faults, with the distributions that nature needs.
//!
//! Any thread. Logarithm and exponential are made here of operations that IEEE 754 defines exactly, because those of a
//! system's library differ in the last bit.

pub use devices::faults::Chance;

/// 2^-53: a step of the uniform numbers.
const STEP: f64 = 1.0 / 9_007_199_254_740_992.0;
const LN_2: f64 = core::f64::consts::LN_2;

/// Distributions over the uniform numbers of [`Chance`].
pub trait Distributions {
    /// Exponential of mean 1.
    fn exponential(&mut self) -> f64;
    /// Normal of mean 0 and standard deviation 1, by the inverse of its distribution.
    fn normal(&mut self) -> f64;
}

impl Distributions for Chance {
    fn exponential(&mut self) -> f64 {
        -ln(1.0 - self.uniform())
    }

    fn normal(&mut self) -> f64 {
        let half = 0.5 * STEP;
        inverse_normal(self.uniform() + half)
    }
}

/// Natural logarithm of a positive normal number, to about 1e-15.
#[must_use]
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = i32::try_from(bits >> 52 & 0x7FF).unwrap_or(0) - 1023;
    let mut mantissa = f64::from_bits(bits & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000);
    if mantissa > core::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let s2 = s * s;
    let mut sum = 0.0;
    // 2 artanh(s); |s| < 0.172, so the term after s^21 is below 1e-18.
    for n in (0..=10).rev() {
        sum = sum * s2 + 1.0 / f64::from(2 * n + 1);
    }
    2.0 * s * sum + f64::from(exponent) * LN_2
}

/// Exponential for arguments of -700 to 700, to about 1e-15.
#[must_use]
pub fn exp(x: f64) -> f64 {
    let turns = (x / LN_2).round();
    let r = x - turns * LN_2;
    let mut sum = 1.0;
    for n in (1..=14).rev() {
        sum = 1.0 + sum * r / f64::from(n);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within the exponent's range for the arguments allowed"
    )]
    let exponent = (turns as i64 + 1023).clamp(1, 2046);
    sum * f64::from_bits(exponent.cast_unsigned() << 52)
}

/// The number below which a share `p` of a normal distribution lies: Acklam's rational approximation, to 1.2e-9.
fn inverse_normal(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
    ];
    const TAIL: f64 = 0.024_25;
    let polynomial = |c: &[f64], x: f64| c.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |q: f64| polynomial(&C, q) / (polynomial(&D, q) * q + 1.0);
    if p < TAIL {
        tail((-2.0 * ln(p)).sqrt())
    } else if p > 1.0 - TAIL {
        -tail((-2.0 * ln(1.0 - p)).sqrt())
    } else {
        let q = p - 0.5;
        let r = q * q;
        polynomial(&A, r) * q / (polynomial(&B, r) * r + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_and_exponential_are_those_of_the_library_to_a_few_bits() {
        for n in 1..2_000 {
            let x = f64::from(n) * 0.013 - 9.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp({x})");
            let y = f64::from(n) * 0.37;
            assert!((ln(y) - y.ln()).abs() < 1e-14 * y.ln().abs().max(1.0), "ln({y})");
        }
    }

    #[test]
    fn normals_and_exponentials_have_their_moments() {
        let mut chance = Chance::new(3, 0);
        let count = 200_000;
        let (mut sum, mut squares, mut beyond_3, mut waits) = (0.0, 0.0, 0, 0.0);
        for _ in 0..count {
            let x = chance.normal();
            sum += x;
            squares += x * x;
            beyond_3 += u32::from(x.abs() > 3.0);
            waits += chance.exponential();
        }
        let n = f64::from(count);
        assert!((sum / n).abs() < 0.01);
        assert!((squares / n - 1.0).abs() < 0.015);
        assert!((f64::from(beyond_3) / n - 0.0027).abs() < 0.0006);
        assert!((waits / n - 1.0).abs() < 0.01);
    }
}
