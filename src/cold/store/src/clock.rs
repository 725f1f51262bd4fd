//! Own time: what the computer's clock says, made never to fall.
//!
//! Any thread. A clock that is set back leaves own time running on by the monotonic clock; one that is set forward by more
//! than [`crate::limits::CLOCK_STEP_US`] takes it along (a computer without battery starts in 1970 and is set by the
//! network later). Order among entries is by their numbers, never by time.

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use units::HostUs;

use crate::limits::CLOCK_STEP_US;

/// Where time comes from; tests have one of their own.
pub trait Clock: Send + Sync {
    /// Microseconds since an arbitrary start, never falling, sleep included.
    fn steady_us(&self) -> i64;
    /// Microseconds since 1970 (UTC), as the computer's clock has them: it may be set.
    fn wall_us(&self) -> i64;
    /// The hot side's clock, which records' triggers are told by.
    fn host(&self) -> HostUs;
}

/// The computer's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn steady_us(&self) -> i64 {
        read(ClockId::Boottime)
    }

    fn wall_us(&self) -> i64 {
        read(ClockId::Realtime)
    }

    fn host(&self) -> HostUs {
        HostUs(read(ClockId::Monotonic))
    }
}

fn read(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
}

/// When something came to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stamp {
    /// Own time, us since 1970: never falls from one entry to the next.
    pub at_us: i64,
    /// What the computer's clock said, us since 1970.
    pub wall_us: i64,
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) steady_us: i64,
    pub(crate) wall_us: i64,
}

impl Moment {
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self {
            steady_us: clock.steady_us(),
            wall_us: clock.wall_us(),
        }
    }
}

/// Makes own time from moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnTime {
    anchor_steady_us: i64,
    anchor_at_us: i64,
    latest_at_us: i64,
}

impl OwnTime {
    /// Own time that begins `now`, and not before what the file has already.
    pub(crate) fn new(now: Moment, latest_stored_us: i64) -> Self {
        let at_us = now.wall_us.max(latest_stored_us.saturating_add(1));
        Self {
            anchor_steady_us: now.steady_us,
            anchor_at_us: at_us,
            latest_at_us: at_us,
        }
    }

    /// The stamp of what came at `moment`; moments may be a little out of order among threads.
    pub(crate) fn stamp(&mut self, moment: Moment) -> Stamp {
        let run_on = self.anchor_at_us + (moment.steady_us - self.anchor_steady_us);
        let at_us = if moment.wall_us - run_on > CLOCK_STEP_US {
            self.anchor_steady_us = moment.steady_us;
            self.anchor_at_us = moment.wall_us;
            moment.wall_us
        } else {
            run_on
        };
        self.latest_at_us = self.latest_at_us.max(at_us);
        Stamp {
            at_us: self.latest_at_us,
            wall_us: moment.wall_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 86_400_000_000;

    fn moment(steady_us: i64, wall_us: i64) -> Moment {
        Moment { steady_us, wall_us }
    }

    #[test]
    fn a_clock_set_back_leaves_own_time_running_on() {
        let mut time = OwnTime::new(moment(0, 10 * DAY_US), 0);
        assert_eq!(time.stamp(moment(5, 10 * DAY_US + 5)).at_us, 10 * DAY_US + 5);
        let back = time.stamp(moment(9, 9 * DAY_US));
        assert_eq!((back.at_us, back.wall_us), (10 * DAY_US + 9, 9 * DAY_US));
    }

    #[test]
    fn a_clock_set_forward_takes_own_time_along() {
        let mut time = OwnTime::new(moment(0, 0), 0);
        assert_eq!(time.stamp(moment(7, 20 * DAY_US)).at_us, 20 * DAY_US);
        assert_eq!(time.stamp(moment(8, 20 * DAY_US + 1)).at_us, 20 * DAY_US + 1);
    }

    #[test]
    fn own_time_begins_after_what_the_file_has() {
        let mut time = OwnTime::new(moment(0, 3 * DAY_US), 4 * DAY_US);
        assert_eq!(time.stamp(moment(0, 3 * DAY_US)).at_us, 4 * DAY_US + 1);
    }

    #[test]
    fn moments_out_of_order_do_not_make_it_fall() {
        let mut time = OwnTime::new(moment(100, 1_000), 0);
        let later = time.stamp(moment(200, 1_100)).at_us;
        assert_eq!(time.stamp(moment(150, 1_050)).at_us, later);
    }
}
