//! The encoder, as the test stand turns it: pieces of even motion on the board's clock. A board on a line reads its
//! encoder's counter instead (`docs/PORTING.md`).

use board::Now;
use stand::{PIECES, Piece};
use units::Tick32;

/// Billionths of a tick.
const TICK: i64 = 1_000_000_000;
/// The running piece is begun anew after so long: its sums stay small.
const ANEW_US: u64 = 1_000_000;

/// A piece on the board's whole clock.
#[derive(Clone, Copy)]
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
pub(crate) struct Shaft {
    running: Stretch,
    next: [Stretch; PIECES],
    first: usize,
    len: usize,
    /// Pieces that found no room.
    lost: u32,
}

impl Shaft {
    pub(crate) const fn new() -> Self {
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
    pub(crate) fn take(&mut self, piece: Piece, now_us: u64) {
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

    /// The moment: clock and encoder together.
    pub(crate) fn now(&mut self, us: u64) -> Now {
        while self.len > 0 && self.next[self.first].from_us <= us {
            self.running = self.next[self.first];
            self.first = (self.first + 1) % PIECES;
            self.len -= 1;
        }
        if us >= self.running.from_us + ANEW_US {
            self.running = self.running.at(us);
        }
        Now {
            us,
            tick: Tick32(self.running.at(us).count),
        }
    }

    /// Lets the shaft stand where it is: the clock is about to be set.
    pub(crate) fn stand(&mut self, us: u64, from_us: u64) {
        self.now(us);
        self.running = self.running.at(us);
        self.running.from_us = from_us;
        self.running.rate = 0;
        self.len = 0;
    }

    /// When the shaft comes to `tick`, or something changes before; none when it does not come there.
    pub(crate) fn comes_us(&self, tick: Tick32, us: u64) -> Option<u64> {
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
    pub(crate) const fn lost(&self) -> u32 {
        self.lost
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 32 bits are wanted")]
const fn wrapped(count: i64) -> u32 {
    count as u32
}

#[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are wanted")]
const fn low(us: u64) -> u32 {
    us as u32
}
