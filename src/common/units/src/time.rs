//! Positions of the belt in ticks and the two clocks: the board's and the host's.
//!
//! Any thread. A wrapped value ([`Tick32`], [`BoardUs32`]) is what a field board counts; its differences are taken
//! modulo 2^32 and are right as long as the true distance is below 2^31.

use core::ops::{Add, Sub};

macro_rules! wide {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// The value moved by `delta`, saturating at the ends of the range.
            #[must_use]
            pub const fn plus(self, delta: i64) -> Self {
                Self(self.0.saturating_add(delta))
            }

            /// Signed distance from `earlier` to `self`, saturating.
            #[must_use]
            pub const fn since(self, earlier: Self) -> i64 {
                self.0.saturating_sub(earlier.0)
            }
        }

        impl Add<i64> for $name {
            type Output = Self;
            fn add(self, delta: i64) -> Self {
                self.plus(delta)
            }
        }

        impl Sub<i64> for $name {
            type Output = Self;
            fn sub(self, delta: i64) -> Self {
                Self(self.0.saturating_sub(delta))
            }
        }

        impl Sub for $name {
            type Output = i64;
            fn sub(self, earlier: Self) -> i64 {
                self.since(earlier)
            }
        }
    };
}

wide! {
    /// A position of the belt: encoder ticks, unwrapped, on the line's common scale.
    Tick
}
wide! {
    /// A field board's clock in microseconds, unwrapped.
    BoardUs
}
wide! {
    /// The host's monotonic clock in microseconds. Events carry it; the core knows no other clock.
    HostUs
}

macro_rules! wrapped {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The value moved by `delta`, modulo 2^32.
            #[must_use]
            pub const fn wrapping_plus(self, delta: i32) -> Self {
                Self(self.0.wrapping_add_signed(delta))
            }

            /// Signed distance from `earlier` to `self`, modulo 2^32: right while the true distance is below 2^31.
            #[must_use]
            pub const fn since(self, earlier: Self) -> i32 {
                self.0.wrapping_sub(earlier.0).cast_signed()
            }
        }
    };
}

wrapped! {
    /// An encoder count as a field board sends it.
    Tick32
}
wrapped! {
    /// A board's microsecond counter as it sends it.
    BoardUs32
}

/// Unwraps a 32-bit counter: each value is taken as the one nearest to the last accepted, so it must be fed at least
/// once every 2^31 counts (at 50,000 ticks/s every 11 hours, in microseconds every 35 minutes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwrap32 {
    last: Option<i64>,
}

impl Unwrap32 {
    /// An unwrapper that has seen nothing: its first value is taken as it stands.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// The unwrapped value of `raw`, and remembers it as the latest.
    pub const fn follow(&mut self, raw: u32) -> i64 {
        let value = self.peek(raw);
        self.last = Some(value);
        value
    }

    /// The unwrapped value of `raw` by the latest followed one, which stays as it is. For values from the past, such
    /// as a latched tick that was repeated on the link.
    #[must_use]
    pub const fn peek(&self, raw: u32) -> i64 {
        match self.last {
            None => raw as i64,
            #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are wanted")]
            Some(last) => last + raw.wrapping_sub(last as u32).cast_signed() as i64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwrapping_follows_a_counter_over_its_end_both_ways() {
        let mut unwrap = Unwrap32::new();
        assert_eq!(unwrap.follow(u32::MAX - 1), i64::from(u32::MAX) - 1);
        assert_eq!(unwrap.follow(3), i64::from(u32::MAX) + 4);
        assert_eq!(unwrap.follow(u32::MAX), i64::from(u32::MAX));
    }

    #[test]
    fn a_value_from_the_past_does_not_move_the_unwrapper() {
        let mut unwrap = Unwrap32::new();
        unwrap.follow(u32::MAX);
        unwrap.follow(10);
        let before = unwrap;
        assert_eq!(unwrap.peek(u32::MAX - 5), i64::from(u32::MAX) - 5);
        assert_eq!(unwrap, before);
    }

    #[test]
    fn wrapped_differences_cross_the_end() {
        assert_eq!(Tick32(5).since(Tick32(u32::MAX)), 6);
        assert_eq!(Tick32(u32::MAX).since(Tick32(5)), -6);
        assert_eq!(Tick32(u32::MAX).wrapping_plus(2), Tick32(1));
    }

    #[test]
    fn wide_values_saturate_instead_of_wrapping() {
        assert_eq!(Tick(i64::MAX) + 1, Tick(i64::MAX));
        assert_eq!(Tick(i64::MIN).since(Tick(1)), i64::MIN);
    }
}
