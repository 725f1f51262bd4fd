//! When an acknowledgement is overdue: the line's own time for the bytes, and a round trip beyond it, measured.
//!
//! Any thread, host and board.

use crate::limits::{ACK_DELAY_US, BITS_A_BYTE, ENCODED_MAX, FIRST_ROUND_TRIP_US, TIMEOUT_MAX_US, TIMEOUT_SLACK_US};

/// Rounds of doubling after which the time-out stays.
const DOUBLINGS_MAX: u8 = 4;

/// Time-out of one direction of a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Nanoseconds that the line needs for a byte.
    byte_ns: u32,
    /// When the line will have carried all bytes handed to it.
    line_free_us: u64,
    /// Smoothed round trip beyond the bytes' own time, eighths of a microsecond.
    round_trip_8: u32,
    /// Its smoothed mean deviation, quarters of a microsecond.
    deviation_4: u32,
    measured: bool,
    /// Time-outs in a row: each doubles the next.
    doublings: u8,
}

impl Timing {
    pub(crate) const fn new(baud: u32) -> Self {
        let baud = if baud == 0 { 1 } else { baud };
        let byte_ns = BITS_A_BYTE as u64 * 1_000_000_000 / baud as u64;
        let byte_ns = if byte_ns > u32::MAX as u64 {
            u32::MAX
        } else {
            byte_ns as u32
        };
        Self {
            byte_ns,
            line_free_us: 0,
            round_trip_8: 0,
            deviation_4: 0,
            measured: false,
            doublings: 0,
        }
    }

    /// Forgets what was measured; the line's speed stays.
    pub(crate) const fn reset(&mut self) {
        self.line_free_us = 0;
        self.measured = false;
        self.doublings = 0;
    }

    /// Time that the line needs for `bytes`, rounded up.
    const fn carry_us(&self, bytes: usize) -> u64 {
        (bytes as u64 * self.byte_ns as u64).div_ceil(1_000)
    }

    /// Counts bytes handed to the line; gives when it will have carried them.
    pub(crate) fn sent(&mut self, now_us: u64, bytes: usize) -> u64 {
        self.line_free_us = self.line_free_us.max(now_us).saturating_add(self.carry_us(bytes));
        self.line_free_us
    }

    /// The line has carried more by now than was reckoned: `ahead_us` is taken off the reckoning.
    pub(crate) const fn line_is_ahead(&mut self, ahead_us: u64) {
        self.line_free_us = self.line_free_us.saturating_sub(ahead_us);
    }

    /// Takes in the round trip of a frame that was sent once, smoothed as in RFC 6298 (gains 1/8 and 1/4), and ends the
    /// doubling. A frame that was sent again ends nothing: on a line slower than the time-out every frame would be.
    pub(crate) fn measured(&mut self, round_trip_us: u64) {
        self.doublings = 0;
        let us = round_trip_us.min(u64::from(TIMEOUT_MAX_US)) as u32;
        if self.measured {
            let off = us.abs_diff(self.round_trip_8 / 8);
            self.deviation_4 = self.deviation_4 - self.deviation_4 / 4 + off;
            self.round_trip_8 = self.round_trip_8 - self.round_trip_8 / 8 + us;
        } else {
            (self.round_trip_8, self.deviation_4, self.measured) = (us * 8, us * 2, true);
        }
    }

    /// A time-out has passed: the next is doubled.
    pub(crate) fn timed_out(&mut self) {
        self.doublings = (self.doublings + 1).min(DOUBLINGS_MAX);
    }

    /// Smoothed round trip beyond the bytes' own time, once measured.
    pub(crate) const fn round_trip_us(&self) -> Option<u32> {
        if self.measured {
            Some(self.round_trip_8 / 8)
        } else {
            None
        }
    }

    /// Time that an acknowledgement may take after the line has carried the frame.
    pub(crate) fn timeout_us(&self) -> u64 {
        // An acknowledgement that rides at once and one that is held back differ by more than the mean deviation says.
        let expected = if self.measured {
            self.round_trip_8 / 8 + self.deviation_4.max(ACK_DELAY_US as u32 + TIMEOUT_SLACK_US)
        } else {
            FIRST_ROUND_TRIP_US
        };
        // It may be held back, wait behind a frame that has just begun in the other direction, and ride on the next.
        let held_back = ACK_DELAY_US + 2 * self.carry_us(ENCODED_MAX) + u64::from(TIMEOUT_SLACK_US);
        let once = u64::from(expected.min(TIMEOUT_MAX_US)).max(held_back);
        (once << self.doublings).min(once.max(u64::from(TIMEOUT_MAX_US)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_out_is_ten_milliseconds_or_less_from_one_megabaud_up() {
        for baud in [1_000_000, 3_000_000, 12_000_000] {
            let timeout_us = Timing::new(baud).timeout_us();
            assert!(timeout_us <= 10_000, "{timeout_us} us at {baud} baud");
        }
    }

    #[test]
    fn the_time_out_follows_the_round_trip_and_doubles_while_nothing_comes() {
        let mut timing = Timing::new(1_000_000);
        for _ in 0..100 {
            timing.measured(20_000);
        }
        assert!(
            (20_000..25_000).contains(&timing.timeout_us()),
            "{}",
            timing.timeout_us()
        );
        let once = timing.timeout_us();
        timing.timed_out();
        assert_eq!(timing.timeout_us(), 2 * once);
        for _ in 0..10 {
            timing.timed_out();
        }
        assert_eq!(timing.timeout_us(), u64::from(TIMEOUT_MAX_US));
        timing.measured(20_000);
        assert!(timing.timeout_us() <= once);
    }

    #[test]
    fn bytes_in_flight_take_the_lines_time() {
        let mut timing = Timing::new(115_200);
        assert_eq!(timing.sent(1_000, 255), 1_000 + 22_136);
        assert_eq!(timing.sent(1_000, 255), 1_000 + 2 * 22_136);
        assert_eq!(timing.sent(100_000, 0), 100_000);
    }
}
