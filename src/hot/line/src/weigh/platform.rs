//! One sample of the platform's motion, exactly: the transition of a damped oscillator under a load that stands still
//! for the sample, and what of a pearl's ramp, landing blow and gate errors falls into it. Hot thread.
//!
//! Time is counted in samples, so a velocity is mg a sample and a frequency radians a sample.

/// Transition of (position - force, velocity) over one sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transition {
    pub(super) xx: f64,
    pub(super) xv: f64,
    pub(super) vx: f64,
    pub(super) vv: f64,
}

/// Terms of the exponential's series. At the least allowed rate (seven samples a period) the last is below 1e-12.
const TERMS: i32 = 16;

/// `exp` of `[[0, 1], [-w2, -2 z w]]`, by its power series with every power reduced to a first power and the identity
/// (Cayley and Hamilton). `w2` is the squared angular frequency and `damping` the ratio z.
pub(super) fn transition(w2: f64, damping: f64) -> Transition {
    let c = 2.0 * damping * w2.sqrt();
    let (mut one, mut first) = (1.0, 0.0);
    let (mut sum_one, mut sum_first) = (1.0, 0.0);
    let mut n = 0;
    while n < TERMS {
        n += 1;
        let scale = 1.0 / f64::from(n);
        (one, first) = (-w2 * first * scale, (one - c * first) * scale);
        sum_one += one;
        sum_first += first;
    }
    Transition {
        xx: sum_one,
        xv: sum_first,
        vx: -w2 * sum_first,
        vv: sum_one - c * sum_first,
    }
}

/// A pearl's times on the sample scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) enter: f64,
    /// Infinite while the leaving gate has not closed.
    pub(super) leave: f64,
    pub(super) roll: f64,
    pub(super) landing: f64,
}

/// Shares of a pearl's load over one sample.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shares {
    /// Share of the weight that the platform carries, mean over the sample.
    pub(super) weight: f64,
    /// Share of the landing blow that falls into the sample.
    pub(super) blow: f64,
    /// Change of the weight's share over the sample by rolling on, and by rolling off.
    pub(super) on_step: f64,
    pub(super) off_step: f64,
    /// Change of the blow's force over the sample.
    pub(super) blow_step: f64,
}

/// Integral of the ramp from 0 to 1 over a length of 1.
fn ramp_integral(u: f64) -> f64 {
    if u <= 0.0 {
        0.0
    } else if u < 1.0 {
        0.5 * u * u
    } else {
        u - 0.5
    }
}

/// Share of the blow that has fallen: a force 30 u^2 (1 - u)^2, smooth at both ends.
fn blow_integral(u: f64) -> f64 {
    let u = u.clamp(0.0, 1.0);
    u * u * u * (10.0 - u * (15.0 - 6.0 * u))
}

fn blow_force(u: f64) -> f64 {
    let u = u.clamp(0.0, 1.0);
    let w = u * (1.0 - u);
    30.0 * w * w
}

impl Times {
    /// Shares over the sample that begins at `at`.
    pub(super) fn shares(&self, at: f64) -> Shares {
        let on = (at - self.enter) / self.roll;
        let step = 1.0 / self.roll;
        let mut shares = Shares::default();
        if on + step <= 0.0 {
            return shares;
        }
        shares.weight = if on >= 1.0 {
            1.0
        } else {
            (ramp_integral(on + step) - ramp_integral(on)) * self.roll
        };
        shares.on_step = (on + step).min(1.0) - on.clamp(0.0, 1.0);
        let off = (at - self.leave) / self.roll + 1.0;
        if off + step > 0.0 {
            shares.weight -= (ramp_integral(off + step) - ramp_integral(off)) * self.roll;
            shares.off_step = (off + step).clamp(0.0, 1.0) - off.clamp(0.0, 1.0);
        }
        let blow = (at - self.enter) / self.landing;
        if blow < 1.0 {
            let blow_end = blow + 1.0 / self.landing;
            shares.blow = blow_integral(blow_end) - blow_integral(blow);
            shares.blow_step = (blow_force(blow_end) - blow_force(blow)) / self.landing;
        }
        shares
    }
}

/// Cosine and sine of an angle within a half turn, from the series of a sixteenth of it doubled four times: the same
/// bits on every machine, which the standard library does not promise.
pub(super) fn rotation(angle: f64) -> (f64, f64) {
    let a = angle / 16.0;
    let a2 = a * a;
    let (mut cos, mut sin) = (
        1.0 - a2 / 2.0 * (1.0 - a2 / 12.0 * (1.0 - a2 / 30.0 * (1.0 - a2 / 56.0))),
        a * (1.0 - a2 / 6.0 * (1.0 - a2 / 20.0 * (1.0 - a2 / 42.0 * (1.0 - a2 / 72.0)))),
    );
    for _ in 0..4 {
        (cos, sin) = (cos * cos - sin * sin, 2.0 * cos * sin);
    }
    (cos, sin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_is_that_of_a_damped_oscillator() {
        for (w, z) in [(0.1, 0.005), (0.13, 0.05), (0.9, 0.3)] {
            let wd = w * f64::sqrt(1.0 - z * z);
            let (e, c, s) = (f64::exp(-z * w), f64::cos(wd), f64::sin(wd));
            let t = transition(w * w, z);
            let want = [
                e * (c + z * w / wd * s),
                e * s / wd,
                -w * w * e * s / wd,
                e * (c - z * w / wd * s),
            ];
            for (got, want) in [t.xx, t.xv, t.vx, t.vv].into_iter().zip(want) {
                assert!((got - want).abs() < 1e-12, "{got} for {want} at {w}, {z}");
            }
        }
    }

    #[test]
    fn shares_add_up_to_the_stay_and_to_one_blow() {
        let times = Times {
            enter: 10.3,
            leave: 255.1,
            roll: 28.8,
            landing: 9.6,
        };
        let (mut weight, mut blow, mut on, mut off) = (0.0, 0.0, 0.0, 0.0);
        for k in 0..300 {
            let s = times.shares(f64::from(k));
            weight += s.weight;
            blow += s.blow;
            on += s.on_step;
            off += s.off_step;
        }
        assert!((weight - (255.1 - 10.3 - 28.8)).abs() < 1e-9, "{weight}");
        assert!((blow - 1.0).abs() < 1e-12 && (on - 1.0).abs() < 1e-12 && (off - 1.0).abs() < 1e-12);
    }

    #[test]
    fn rotations_are_those_of_the_library() {
        for angle in [-3.1, -0.01, 0.0, 0.3, 1.5, 3.1] {
            let (c, s) = rotation(angle);
            assert!(
                (c - f64::cos(angle)).abs() < 1e-9 && (s - f64::sin(angle)).abs() < 1e-9,
                "{angle}"
            );
        }
    }
}
