//! Where the belt is and how fast it runs, from the encoder alone.
//!
//! Any thread. The encoder's count wraps at 2^32; it is unwrapped here, and everything behind counts in `i64`. Speed is
//! the median of the latest [`SPEED_WINDOWS`] windows: when the encoder slips, one window shows a speed that the belt
//! never had, and a valve's lags shifted by that speed would blow at another pearl.

use units::{Speed, Tick32, Unwrap32};

use crate::limits::{MAX_CLOCK_US, SPEED_WINDOW_US, SPEED_WINDOWS, STANDSTILL_US};

/// A moment as the board's hardware gives it: its clock and its encoder, read together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The board's clock, in microseconds since it started; unwrapped, never running backwards.
    pub us: u64,
    /// The encoder's count.
    pub tick: Tick32,
}

/// A moment on the board's unwrapped scales.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Microseconds since the board started.
    pub(crate) us: u64,
    /// Unwrapped tick.
    pub(crate) tick: i64,
}

/// The belt as the encoder shows it.
#[derive(Clone, Debug)]
pub(crate) struct Belt {
    unwrap: Unwrap32,
    at: Mark,
    speed: Speed,
    /// Start of the running speed window; none before the first reading.
    window: Option<Mark>,
    /// Speeds of the latest windows, the oldest to be overwritten next.
    recent: [i32; SPEED_WINDOWS],
    oldest: usize,
    /// When and where the belt was last seen to move.
    moved: Mark,
}

impl Belt {
    pub(crate) const fn new() -> Self {
        Self {
            unwrap: Unwrap32::new(),
            at: Mark { us: 0, tick: 0 },
            speed: Speed(0),
            window: None,
            recent: [0; SPEED_WINDOWS],
            oldest: 0,
            moved: Mark { us: 0, tick: 0 },
        }
    }

    /// Takes a reading. Says whether the speed has changed by it.
    pub(crate) fn follow(&mut self, now: Now) -> bool {
        // A clock that steps back is a fault of the caller's; time stands still rather than run backwards.
        let at = Mark {
            us: now.us.min(MAX_CLOCK_US).max(self.at.us),
            tick: self.unwrap.follow(now.tick.0),
        };
        self.at = at;
        let Some(start) = self.window else {
            self.window = Some(at);
            self.moved = at;
            return false;
        };
        if at.tick.abs_diff(self.moved.tick) > 1 {
            self.moved = at;
        }
        let elapsed_us = at.us - start.us;
        if elapsed_us < SPEED_WINDOW_US {
            return false;
        }
        self.window = Some(at);
        self.recent[self.oldest] = speed_over(at.tick.saturating_sub(start.tick), elapsed_us);
        self.oldest = (self.oldest + 1) % SPEED_WINDOWS;
        let speed = Speed(median(self.recent));
        let changed = speed != self.speed;
        self.speed = speed;
        changed
    }

    /// The latest reading.
    pub(crate) const fn at(&self) -> Mark {
        self.at
    }

    /// The belt's present speed.
    pub(crate) const fn speed(&self) -> Speed {
        self.speed
    }

    /// A tick of the bus on the board's own scale: the one nearest to the latest reading.
    pub(crate) const fn unwrapped(&self, tick: Tick32) -> i64 {
        self.unwrap.peek(tick.0)
    }

    /// Whether the belt has stood for [`STANDSTILL_US`].
    pub(crate) const fn stands_still(&self) -> bool {
        self.window.is_some() && self.at.us - self.moved.us >= STANDSTILL_US
    }
}

/// Ticks a second of `ticks` in `us` (not zero), held within the type's range.
fn speed_over(ticks: i64, us: u64) -> i32 {
    let us = i64::try_from(us).unwrap_or(i64::MAX);
    let speed = ticks.saturating_mul(1_000_000) / us;
    i32::try_from(speed).unwrap_or(if speed < 0 { i32::MIN } else { i32::MAX })
}

fn median(mut speeds: [i32; SPEED_WINDOWS]) -> i32 {
    speeds.sort_unstable();
    speeds[SPEED_WINDOWS / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the belt at `speed` for `us`, a reading each millisecond, from where it is.
    fn run(belt: &mut Belt, speed: i64, us: u64) {
        let start = belt.at();
        for step in 1..=us / 1_000 {
            let moved = speed * i64::try_from(step).unwrap() / 1_000;
            let tick = Tick32(u32::try_from((start.tick + moved).rem_euclid(1 << 32)).unwrap());
            belt.follow(Now {
                us: start.us + step * 1_000,
                tick,
            });
        }
    }

    #[test]
    fn speed_is_measured_over_the_counters_end_and_backwards() {
        let mut belt = Belt::new();
        belt.follow(Now {
            us: 0,
            tick: Tick32(u32::MAX - 500),
        });
        run(&mut belt, 20_000, 100_000);
        assert_eq!(belt.speed(), Speed(20_000));
        assert!(belt.at().tick > i64::from(u32::MAX));
        run(&mut belt, -20_000, 200_000);
        assert_eq!(belt.speed(), Speed(-20_000));
    }

    #[test]
    fn a_slip_of_the_encoder_is_no_speed() {
        let mut belt = Belt::new();
        belt.follow(Now::default());
        run(&mut belt, 20_000, 100_000);
        let at = belt.at();
        belt.follow(Now {
            us: at.us,
            tick: Tick32(u32::try_from(at.tick + 10_000).unwrap()),
        });
        for _ in 0..6 {
            run(&mut belt, 20_000, 10_000);
            assert_eq!(belt.speed(), Speed(20_000));
        }
    }

    #[test]
    fn an_encoder_that_trembles_by_one_tick_stands_still() {
        let mut belt = Belt::new();
        belt.follow(Now::default());
        run(&mut belt, 20_000, 50_000);
        let at = belt.at();
        let tick = u32::try_from(at.tick).unwrap();
        for step in 1..=50 {
            assert!(!belt.stands_still());
            belt.follow(Now {
                us: at.us + step * 5_000,
                tick: Tick32(tick + u32::from(step % 2 == 0)),
            });
        }
        assert!(belt.stands_still());
        assert!(belt.speed().0.abs() < 100);
    }

    #[test]
    fn a_clock_that_steps_back_is_held() {
        let mut belt = Belt::new();
        belt.follow(Now {
            us: 50_000,
            tick: Tick32(0),
        });
        belt.follow(Now {
            us: 10,
            tick: Tick32(7),
        });
        assert_eq!(belt.at(), Mark { us: 50_000, tick: 7 });
    }
}
