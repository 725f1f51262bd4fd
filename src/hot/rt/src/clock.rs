//! The host's monotonic clock. Any thread; a few tens of nanoseconds a reading, no system call.
//!
//! The core never reads it: [`HostUs`] reaches the core inside events, stamped where they are read.

use rustix::time::{ClockId, clock_gettime};
use units::HostUs;

/// Nanoseconds since an arbitrary start, never falling.
#[must_use]
#[inline]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// Microseconds of the same clock, as events carry them.
#[must_use]
#[inline]
pub fn now_us() -> HostUs {
    HostUs((now_ns() / 1000).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_falls_and_both_readings_agree() {
        let (first, middle, last) = (now_ns(), now_us(), now_ns());
        assert!(first <= last);
        assert!((first / 1000) as i64 <= middle.0 && middle.0 <= (last / 1000) as i64);
    }
}
