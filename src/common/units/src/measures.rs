//! Lengths, masses, shares and speed, as integers with their unit in the type's name.
//!
//! Any thread.

/// A length in micrometres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micrometres(pub i32);

/// A mass in micrograms: a 7 mm pearl has about 485,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micrograms(pub i32);

/// A share in 0.01 %: 10,000 is the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CentiPercent(pub i32);

/// Encoder ticks in a metre of belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicksPerMetre(u32);

/// A belt speed in ticks a second; negative when the belt runs backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Speed(pub i32);

impl TicksPerMetre {
    /// Least and most ticks a metre that make sense on a line: 1 mm and 1 um a tick.
    pub const RANGE: core::ops::RangeInclusive<u32> = 1_000..=1_000_000;

    /// Ticks a metre, or `None` outside [`Self::RANGE`].
    #[must_use]
    pub const fn new(ticks: u32) -> Option<Self> {
        if ticks >= *Self::RANGE.start() && ticks <= *Self::RANGE.end() {
            Some(Self(ticks))
        } else {
            None
        }
    }

    /// The number of ticks in a metre.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Ticks in `length`, rounded to the nearest, halves away from zero.
    #[must_use]
    pub const fn ticks(self, length: Micrometres) -> i64 {
        round_div(length.0 as i64 * self.0 as i64, 1_000_000)
    }

    /// The length of `ticks`, rounded to the nearest micrometre and held within the type's range.
    #[must_use]
    pub const fn length(self, ticks: i64) -> Micrometres {
        let um = round_div(ticks.saturating_mul(1_000_000), self.0 as i64);
        if um > i32::MAX as i64 {
            Micrometres(i32::MAX)
        } else if um < i32::MIN as i64 {
            Micrometres(i32::MIN)
        } else {
            #[expect(clippy::cast_possible_truncation, reason = "held within the range just above")]
            Micrometres(um as i32)
        }
    }
}

impl Speed {
    /// Ticks that the belt runs in `us` microseconds at this speed, rounded to the nearest.
    #[must_use]
    pub const fn ticks_in(self, us: i64) -> i64 {
        round_div(us.saturating_mul(self.0 as i64), 1_000_000)
    }

    /// Microseconds that the belt needs for `ticks` at this speed, rounded down, or `None` when it stands still or
    /// runs backwards.
    #[must_use]
    pub const fn us_for(self, ticks: i64) -> Option<i64> {
        if self.0 <= 0 {
            None
        } else {
            Some(ticks.saturating_mul(1_000_000).div_euclid(self.0 as i64))
        }
    }
}

/// `value / by`, to the nearest, halves away from zero. `by` is positive.
const fn round_div(value: i64, by: i64) -> i64 {
    let half = by / 2;
    if value >= 0 {
        value.saturating_add(half) / by
    } else {
        value.saturating_sub(half) / by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: TicksPerMetre = TicksPerMetre::new(20_000).unwrap();

    #[test]
    fn lengths_and_ticks_agree_to_half_a_tick() {
        for um in [-70_000, -26, -25, -24, 0, 24, 25, 26, 7_013, 2_000_000] {
            let back = K.length(K.ticks(Micrometres(um))).0;
            assert!((back - um).abs() <= 25, "{um} um came back as {back} um");
        }
    }

    #[test]
    fn ticks_a_metre_outside_the_range_are_refused() {
        assert!(TicksPerMetre::new(999).is_none());
        assert!(TicksPerMetre::new(1_000_001).is_none());
    }

    #[test]
    fn a_belt_that_stands_needs_no_finite_time() {
        assert_eq!(Speed(0).us_for(1), None);
        assert_eq!(Speed(-5).us_for(1), None);
        assert_eq!(Speed(20_000).us_for(20), Some(1_000));
        assert_eq!(Speed(20_000).ticks_in(60_000), 1_200);
    }
}
