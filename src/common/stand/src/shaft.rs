//! The encoder as the stand turns it: pieces of even motion on the board's clock. A board on a line reads its encoder's
//! counter instead (`docs/PORTING.md`).
//!
//! Any thread.

use units::Tick32;

use crate::{PIECES, Piece};

/// Billionths of a tick.
const TICK: i64 = 1_000_000_000;
/// The running piece is begun anew after so long: its sums stay small.
const ANEW_US: u64 = 1_000_000;

/// A piece on the board's whole clock.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from_us: u64,
    count: u32,
    nano: i64,
    /// Thousandths of a tick a second: billionths of a tick a microsecond.
    rate: i64,
}

impl Stretch {
    /// The same motion from a later time on.
    fn at(&self, us: u64) -> Self {
        let since = i64::try_from(us.saturating_sub(self.from_us)).unwrap_or(0);
        let way = self.nano + self.rate * since;
        let ticks = way.div_euclid(TICK);
        Self {
            from_us: us.max(self.from_us),
            count: wrapped(i64::from(self.count) + ticks),
            nano: way.rem_euclid(TICK),
            rate: self.rate,
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Shaft {
    running: Stretch,
    next: [Stretch; PIECES],
    first: usize,
    len: usize,
    /// Pieces that found no room.
    lost: u32,
}

impl Shaft {
    /// A shaft that stands at 0.
    #[must_use]
    pub const fn new() -> Self {
        let stands = Stretch {
            from_us: 0,
            count: 0,
            nano: 0,
            rate: 0,
        };
        Self {
            running: stands,
            next: [stands; PIECES],
            first: 0,
            len: 0,
            lost: 0,
        }
    }

    /// Takes a piece of the way; `now_us` unwraps its time.
    pub fn take(&mut self, piece: Piece, now_us: u64) {
        let ahead = piece.from_us.wrapping_sub(low(now_us)).cast_signed();
        let stretch = Stretch {
            from_us: now_us.saturating_add_signed(i64::from(ahead)),
            count: piece.count.0,
            nano: i64::from(piece.nano),
            rate: i64::from(piece.rate),
        };
        if self.len == PIECES {
            self.lost += 1;
            return;
        }
        self.next[(self.first + self.len) % PIECES] = stretch;
        self.len += 1;
    }

    /// The encoder's count at a time of the board's clock that does not run backwards.
    pub fn tick(&mut self, us: u64) -> Tick32 {
        while self.len > 0 && self.next[self.first].from_us <= us {
            self.running = self.next[self.first];
            self.first = (self.first + 1) % PIECES;
            self.len -= 1;
        }
        if us >= self.running.from_us + ANEW_US {
            self.running = self.running.at(us);
        }
        Tick32(self.running.at(us).count)
    }

    /// Lets the shaft stand where it is at `us`: the clock is set to `from_us`.
    pub fn stand(&mut self, us: u64, from_us: u64) {
        self.tick(us);
        self.running = self.running.at(us);
        self.running.from_us = from_us;
        self.running.rate = 0;
        self.len = 0;
    }

    /// When the shaft comes to `tick`, or something changes before; none when it does not come there.
    #[must_use]
    pub fn comes_us(&self, tick: Tick32, us: u64) -> Option<u64> {
        let here = self.running.at(us);
        let ahead = i64::from(tick.0.wrapping_sub(here.count).cast_signed());
        let change_us = (self.len > 0).then(|| self.next[self.first].from_us);
        let comes_us = if ahead <= 0 {
            Some(us)
        } else if here.rate > 0 {
            let way = ahead * TICK - here.nano;
            let in_us = (way + here.rate - 1) / here.rate;
            Some(us.saturating_add(in_us.unsigned_abs()))
        } else {
            None
        };
        [change_us, comes_us].into_iter().flatten().min()
    }

    /// Pieces that found no room.
    #[must_use]
    pub const fn lost(&self) -> u32 {
        self.lost
    }
}

impl Default for Shaft {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the low 32 bits are wanted"
)]
const fn wrapped(count: i64) -> u32 {
    count as u32
}

#[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are wanted")]
const fn low(us: u64) -> u32 {
    us as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(from_us: u32, count: u32, rate: i32) -> Piece {
        Piece {
            from_us,
            count: Tick32(count),
            nano: 0,
            rate,
        }
    }

    #[test]
    fn pieces_follow_one_another_over_the_counters_end() {
        let mut shaft = Shaft::new();
        let start_us = u64::from(u32::MAX) - 500;
        shaft.take(piece(u32::MAX - 500, u32::MAX - 9, 20_000_000), start_us);
        shaft.take(piece(499, 10, -20_000_000), start_us);
        assert_eq!(shaft.tick(start_us), Tick32(u32::MAX - 9));
        assert_eq!(shaft.tick(start_us + 500), Tick32(0));
        assert_eq!(shaft.tick(start_us + 1_000), Tick32(10));
        assert_eq!(shaft.tick(start_us + 1_500), Tick32(0));
    }

    #[test]
    fn a_tick_is_come_to_when_it_is_and_not_before() {
        let mut shaft = Shaft::new();
        shaft.take(
            Piece {
                nano: 123_456_789,
                ..piece(0, 1_000, 19_999_999)
            },
            0,
        );
        let mut us = 0;
        assert_eq!(shaft.tick(us), Tick32(1_000));
        for tick in [1_001, 1_500, 50_000, 1_000_000] {
            let comes_us = shaft.comes_us(Tick32(tick), us).expect("it comes there");
            assert_eq!(shaft.clone().tick(comes_us), Tick32(tick));
            assert_eq!(shaft.clone().tick(comes_us - 1), Tick32(tick - 1));
            us = comes_us;
            shaft.tick(us);
        }
        shaft.take(piece(u32::try_from(us).unwrap() + 10, 0, 0), us);
        assert_eq!(
            shaft.comes_us(Tick32(2_000_000), us),
            Some(us + 10),
            "something changes first"
        );
        shaft.tick(us + 10);
        assert_eq!(shaft.comes_us(Tick32(5), us + 10), None);
    }

    #[test]
    fn a_clock_that_is_set_leaves_the_shaft_where_it_stands() {
        let mut shaft = Shaft::new();
        shaft.take(piece(0, 0, 20_000_000), 0);
        assert_eq!(shaft.tick(1_000), Tick32(20));
        shaft.stand(1_000, 5_000_000_000);
        assert_eq!(shaft.tick(5_000_001_000), Tick32(20));
    }
}
