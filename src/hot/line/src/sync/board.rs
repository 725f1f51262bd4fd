//! One board's encoder and clock: unwrapped, its speed, and what a healthy encoder never shows.
//!
//! Hot thread. Words: a **slip** is a change of speed that no belt makes, a jump of the count, or an index pulse that
//! is not where the last one puts it.

use units::{HostUs, Speed, Tick, Tick32, Unwrap32};
use wire::Status;

use super::clock::Clock;
use crate::limits::MOST_ACCELERATION_UM_S2;

/// Readings over which the speed is taken: three periods of `Status`.
const READINGS: usize = 4;
/// Speeds of which the slowest and fastest are kept.
const SPEEDS: usize = 16;
/// Two readings nearer to each other than this say too little about speed, us.
const LEAST_US: i64 = 2_000;
/// Two readings farther apart than this say nothing about speed, us.
const MOST_US: i64 = 2_000_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) us: i64,
    pub(super) tick: i64,
}

/// What a reading shows of the belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motion {
    Steady,
    Slip,
    Backwards,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    pub(super) up: bool,
    /// Starts that its identity named.
    pub(super) starts: Option<u16>,
    pub(super) ticks: Unwrap32,
    pub(super) clock: Clock,
    us: Unwrap32,
    /// Line tick less board tick; none until something is known of it.
    pub(super) offset: Option<i64>,
    /// Whether the offset is good enough to sort by.
    pub(super) locked: bool,
    /// Latest index pulse, board tick.
    pub(super) index: Option<i64>,
    /// When its latest `Status` came.
    pub(super) heard: HostUs,
    readings: [Reading; READINGS],
    len: usize,
    recent: [i32; SPEEDS],
    recent_len: usize,
    next_recent: usize,
    /// The belt's speed over the latest readings, and the slowest and fastest of the latest speeds.
    speed: Speed,
    speeds: (Speed, Speed),
    /// Farthest that the belt has been.
    farthest: i64,
}

impl Board {
    /// Begins anew with a connection. A board that has not started again in between still counts the same ticks.
    pub(super) fn connect(&mut self, starts: u16, at: HostUs) {
        let same = self.starts == Some(starts);
        let kept = Self {
            ticks: self.ticks,
            offset: self.offset,
            ..Self::default()
        };
        *self = if same { kept } else { Self::default() };
        self.up = true;
        self.starts = Some(starts);
        self.heard = at;
    }

    /// Takes a `Status`; `least_back` is how far the belt may run back before it counts.
    pub(super) fn follow(&mut self, at: HostUs, status: &Status, per_metre: u32, least_back: i64) -> Motion {
        let reading = Reading {
            us: self.us.follow(status.at.0),
            tick: self.ticks.follow(status.tick.0),
        };
        self.heard = at;
        self.clock.sample(at, reading.us);
        self.motion(reading, i64::from(per_metre), least_back)
    }

    fn motion(&mut self, reading: Reading, per_metre: i64, least_back: i64) -> Motion {
        let last = self.last();
        let elapsed_us = reading.us - last.us;
        if self.len == 0 || !(0..=MOST_US).contains(&elapsed_us) {
            self.restart(reading);
            return Motion::Steady;
        }
        if elapsed_us < LEAST_US {
            return Motion::Steady;
        }
        let speed = speed_over(reading.tick - last.tick, elapsed_us);
        if self.len >= 2 {
            let before = self.before_last();
            let speed_before = speed_over(last.tick - before.tick, last.us - before.us);
            let most = MOST_ACCELERATION_UM_S2 * per_metre / 1_000_000 * elapsed_us / 1_000_000;
            let unsharp = 2_000_000 / elapsed_us + 2_000_000 / (last.us - before.us).max(1);
            if i64::from(speed).abs_diff(i64::from(speed_before)) > (most + unsharp).unsigned_abs() {
                self.restart(reading);
                return Motion::Slip;
            }
        }
        self.push(reading, speed);
        if reading.tick < self.farthest - least_back {
            self.farthest = reading.tick;
            return Motion::Backwards;
        }
        self.farthest = self.farthest.max(reading.tick);
        Motion::Steady
    }

    fn restart(&mut self, reading: Reading) {
        self.readings = [reading; READINGS];
        self.len = 1;
        self.speed = Speed(0);
        self.farthest = reading.tick;
    }

    fn push(&mut self, reading: Reading, speed: i32) {
        self.readings.rotate_left(1);
        self.readings[READINGS - 1] = reading;
        self.len = (self.len + 1).min(READINGS);
        self.recent[self.next_recent] = speed;
        self.next_recent = (self.next_recent + 1) % SPEEDS;
        self.recent_len = (self.recent_len + 1).min(SPEEDS);
        let first = self.readings[READINGS - self.len];
        self.speed = Speed(speed_over(reading.tick - first.tick, reading.us - first.us));
        let used = &self.recent[..self.recent_len];
        let slowest = used.iter().copied().fold(self.speed.0, i32::min);
        self.speeds = (Speed(slowest), Speed(used.iter().copied().fold(self.speed.0, i32::max)));
    }

    pub(super) fn last(&self) -> Reading {
        self.readings[READINGS - 1]
    }

    pub(super) fn before_last(&self) -> Reading {
        self.readings[READINGS - 2]
    }

    /// Its tick when its clock showed `us`, between two readings: right to a tick however the belt's speed changes.
    pub(super) fn tick_between(&self, us: i64) -> Option<i64> {
        let known = &self.readings[READINGS - self.len..];
        let holds = |pair: &&[Reading]| pair[0].us <= us && us <= pair[1].us && pair[0].us < pair[1].us;
        let pair = known.windows(2).find(holds)?;
        let (ticks, elapsed) = (pair[1].tick - pair[0].tick, pair[1].us - pair[0].us);
        let part = i128::from(ticks) * i128::from(us - pair[0].us) / i128::from(elapsed);
        Some(pair[0].tick + i64::try_from(part).unwrap_or(0))
    }

    /// Whether its speed is known.
    pub(super) fn has_run(&self) -> bool {
        self.len >= 2
    }

    /// Whether it has said where its encoder is.
    pub(super) fn has_read(&self) -> bool {
        self.len > 0
    }

    /// The belt's speed over the latest readings.
    pub(super) const fn speed(&self) -> Speed {
        self.speed
    }

    /// Slowest and fastest of the latest speeds.
    pub(super) const fn speeds(&self) -> (Speed, Speed) {
        self.speeds
    }

    /// Whether the encoder has not moved over all readings.
    pub(super) fn stands(&self) -> bool {
        self.len == READINGS && self.readings.iter().all(|r| r.tick == self.last().tick)
    }

    /// Its tick when its clock shows `us`, by its speed. No farther than a second from the latest reading.
    pub(super) fn tick_at(&self, us: i64) -> i64 {
        let last = self.last();
        let since = us.saturating_sub(last.us).clamp(-1_000_000, 1_000_000);
        last.tick + self.speed().ticks_in(since)
    }

    /// What its clock shows when it counts `tick`, the inverse of [`Self::tick_at`] and [`Self::tick_between`]: between two
    /// readings by both, else by its speed. `None` while the belt stands or hardly moves, or a second away and farther.
    pub(super) fn us_at(&self, tick: i64) -> Option<i64> {
        let known = &self.readings[READINGS - self.len..];
        let holds = |pair: &&[Reading]| pair[0].tick <= tick && tick < pair[1].tick;
        if let Some(pair) = known.windows(2).find(holds) {
            let (ticks, elapsed) = (pair[1].tick - pair[0].tick, pair[1].us - pair[0].us);
            let part = i128::from(elapsed) * i128::from(tick - pair[0].tick) / i128::from(ticks);
            return Some(pair[0].us + i64::try_from(part).unwrap_or(0));
        }
        let last = self.last();
        let since = self.speed().us_for(tick.checked_sub(last.tick)?)?;
        (-1_000_000..=1_000_000).contains(&since).then_some(last.us + since)
    }

    /// A tick of the bus on the line's scale.
    pub(super) fn to_line(&self, tick: Tick32) -> Option<Tick> {
        self.offset.map(|offset| Tick(self.ticks.peek(tick.0)).plus(offset))
    }
}

/// Ticks a second of `ticks` in `us`, held within the type's range; 0 when no time has passed.
fn speed_over(ticks: i64, us: i64) -> i32 {
    let speed = if us <= 0 {
        0
    } else {
        ticks.saturating_mul(1_000_000) / us
    };
    i32::try_from(speed).unwrap_or(if speed < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use units::{BoardUs32, Tick32};

    use super::*;

    fn status(us: i64, tick: i64) -> Status {
        Status {
            at: BoardUs32(us as u32),
            tick: Tick32(tick as u32),
            fed: 0,
            queued: 0,
            armed: true,
            blowing: false,
            dropped: 0,
        }
    }

    /// A board that has read a belt of this speed (ticks a second) and acceleration (ticks a second squared) every 10 ms.
    fn running(speed: i64, acceleration: i64, readings: i64) -> Board {
        let mut board = Board::default();
        board.connect(1, HostUs(0));
        for n in 0..readings {
            let us = n * 10_000;
            let tick = speed * us / 1_000_000 + acceleration * us / 1_000 * us / 2_000_000_000;
            board.follow(HostUs(us), &status(us, tick), 20_000, 1_000);
        }
        board
    }

    proptest! {
        #[test]
        fn a_clock_at_a_tick_is_the_inverse_of_the_tick_at_a_clock(
            speed in 4_000_i64..60_000,
            acceleration in -5_000_i64..5_000,
            readings in 2_i64..40,
            away_us in -40_000_i64..900_000,
        ) {
            let board = running(speed, acceleration, readings);
            let us = board.last().us + away_us;
            let tick = board.tick_between(us).unwrap_or_else(|| board.tick_at(us));
            let back = board.us_at(tick);
            // a tick's time, and what the speeds over one reading and over three differ by
            let tick_us = 1_000_000 / speed + 2;
            let off = back.map(|back| (back - us).abs());
            let unsharp = away_us.abs() * 4 * 1_000_000 / speed / 10_000 + away_us.abs() / 50;
            prop_assert!(off.is_some_and(|off| off <= tick_us + unsharp.min(2_000)), "{off:?} us at {away_us} us");
        }

        #[test]
        fn later_ticks_come_later(speed in 4_000_i64..60_000, readings in 2_i64..40, from in -500_i64..5_000, step in 0_i64..500) {
            let board = running(speed, 0, readings);
            let tick = board.last().tick + from;
            let (first, second) = (board.us_at(tick), board.us_at(tick + step));
            prop_assert!(first.is_none() || second.is_none() || first <= second, "{first:?}, {second:?}");
        }
    }

    #[test]
    fn a_belt_that_stands_comes_nowhere() {
        let board = running(0, 0, 10);
        assert_eq!(board.us_at(1), None);
        assert_eq!(running(20_000, 0, 10).us_at(40_000), None, "farther than a second");
        assert_eq!(Board::default().us_at(5), None);
    }
}
