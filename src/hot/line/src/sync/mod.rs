//! Stage sync: every board's ticks onto the line's scale, and the line's place and speed at any host time.
//!
//! Hot thread. Words: the **reference** is the board whose encoder is the line's scale, the first that is up; another
//! board's **offset** is what its ticks lack to that scale; it is **locked** when the offset may be sorted by.
//!
//! What was decided:
//! - All boards count one encoder, so an offset is a whole number that changes only when a board starts again or
//!   miscounts.
//! - With an index pulse the offset is exact: the pulse gives it modulo the index's ticks, the fit which revolution.
//! - Without one, and on a moving belt, both boards' ticks are compared at one host time by the clock fits
//!   ([`clock`]), and the mean of [`DIFFERENCES`] comparisons is taken; on a belt that stands the comparison is exact.
//! - A locked offset is watched. With an index each pulse must be where the offset puts it; the fit then watches the
//!   revolution alone, because adapters that gather bytes delay a busy board's messages less than an idle one's, and that
//!   is no fault of the belt. Without an index the mean must stay within the tolerance; as the fit grows better with
//!   time, it may move the offset by one tick at a time.
//! - A board that connects again without having started again keeps its offset; it must lock again all the same.
//! - When the reference goes, the first locked board is the reference; when none is left the belt is taken to run on at
//!   its last speed, so that a board that comes back after a start of its own goes on where the belt would be.

mod board;
mod clock;

use units::{BoardId, BoardUs32, HostUs, Speed, Tick, Tick32};
use wire::Status;

use self::board::{Board, Motion};
use crate::geometry::Geometry;
use crate::plan::LinePlan;

/// Comparisons in the mean.
const DIFFERENCES: usize = 32;
/// Comparisons on a standing belt that must be equal.
const EQUAL: usize = 8;
/// Comparisons from which the index's revolution is known.
const REVOLUTION: usize = 4;
/// Longest that a belt without boards is taken to run on, us.
const RUN_ON_US: i64 = 1_000_000;

/// What a message shows to be wrong with the belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The board's encoder slipped or lost counts.
    Slip,
    /// The belt runs backwards.
    Backwards,
    /// The board disagrees with the reference by so many ticks.
    Misaligned(i64),
}

#[derive(Clone, Debug)]
struct Differences {
    values: [i64; DIFFERENCES],
    len: usize,
    next: usize,
    /// Comparisons since the offset was last moved.
    rested: usize,
}

impl Differences {
    const EMPTY: Self = Self {
        values: [0; DIFFERENCES],
        len: 0,
        next: 0,
        rested: 0,
    };

    fn push(&mut self, value: i64) {
        self.values[self.next] = value;
        self.next = (self.next + 1) % DIFFERENCES;
        self.len = (self.len + 1).min(DIFFERENCES);
        self.rested = self.rested.saturating_add(1);
    }

    fn used(&self) -> &[i64] {
        &self.values[..self.len]
    }

    fn mean(&self) -> Option<i64> {
        let first = *self.used().first()?;
        let sum: i128 = self.used().iter().map(|v| i128::from(*v) - i128::from(first)).sum();
        let mean = sum.div_euclid(self.len as i128);
        Some(first.saturating_add(i64::try_from(mean).unwrap_or(0)))
    }

    fn spread(&self) -> i64 {
        let least = self.used().iter().copied().fold(i64::MAX, i64::min);
        self.used()
            .iter()
            .copied()
            .fold(i64::MIN, i64::max)
            .saturating_sub(least)
    }

    /// Whether the latest [`EQUAL`] are the same.
    fn equal(&self) -> bool {
        let latest = |back: usize| self.values[(self.next + DIFFERENCES - back) % DIFFERENCES];
        self.len >= EQUAL && (1..=EQUAL).all(|back| latest(back) == latest(1))
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Sync {
    boards: Vec<Board>,
    differences: Vec<Differences>,
    index_ticks: Vec<Option<i64>>,
    reference: Option<usize>,
    /// Where the line was when it was last known, and how fast.
    last: Option<(HostUs, Tick, Speed)>,
    per_metre: u32,
    align: i64,
    least_back: i64,
    silence_us: i64,
}

impl Sync {
    pub(crate) fn new(plan: &LinePlan, geometry: &Geometry) -> Self {
        let count = plan.boards.len();
        let index = |ticks: Option<u32>| ticks.map(i64::from).filter(|ticks| *ticks > 0);
        Self {
            boards: vec![Board::default(); count],
            differences: vec![Differences::EMPTY; count],
            index_ticks: plan.boards.iter().map(|board| index(board.index_ticks)).collect(),
            reference: None,
            last: None,
            per_metre: geometry.per_metre.get(),
            align: geometry.align,
            least_back: geometry.station.max(geometry.align),
            silence_us: i64::from(plan.tolerances.status_silence_us),
        }
    }

    /// A board has connected.
    pub(crate) fn up(&mut self, at: HostUs, board: BoardId, starts: u16) {
        self.down(at, board);
        let of = &mut self.boards[board.index()];
        of.connect(starts, at);
        self.differences[board.index()] = Differences::EMPTY;
    }

    /// A board is gone.
    pub(crate) fn down(&mut self, at: HostUs, board: BoardId) {
        if self.reference == Some(board.index()) {
            self.last = Some((at, self.now(at), self.speed()));
            self.reference = None;
        }
        let of = &mut self.boards[board.index()];
        of.up = false;
        of.locked = false;
        if self.reference.is_none() {
            let locked = |of: &Board| of.up && of.locked && of.has_read();
            self.reference = self.boards.iter().position(locked);
        }
    }

    /// Takes a `Status`.
    pub(crate) fn status(&mut self, at: HostUs, board: BoardId, status: &Status) -> Option<Trouble> {
        let index = board.index();
        let motion = self.boards[index].follow(at, status, self.per_metre, self.least_back);
        // The first board that is up is the scale; while it has not told where its encoder is, there is none.
        if self.reference.is_none() && self.boards.iter().position(|of| of.up) == Some(index) {
            self.take_reference(at, index);
        }
        match motion {
            Motion::Slip => {
                self.unlock(index);
                return Some(Trouble::Slip);
            }
            Motion::Backwards => return Some(Trouble::Backwards),
            Motion::Steady => {}
        }
        if self.reference == Some(index) {
            None
        } else {
            self.compare(index)
        }
    }

    /// The board becomes the line's scale; a new one goes on where the belt would be.
    fn take_reference(&mut self, at: HostUs, index: usize) {
        let resumed = self.now(at);
        let of = &mut self.boards[index];
        let tick = of.last().tick;
        // The first board ever is the scale as it counts.
        let fresh = if self.last.is_none() { 0 } else { resumed.0 - tick };
        of.offset = Some(of.offset.unwrap_or(fresh));
        of.locked = true;
        self.reference = Some(index);
    }

    /// Forgets what a slip has spoilt: a board's own lock, or everybody else's when it was the reference's.
    fn unlock(&mut self, slipped: usize) {
        for index in 0..self.boards.len() {
            let spoilt = index == slipped || self.reference == Some(slipped);
            if spoilt && self.reference != Some(index) {
                self.boards[index].locked = false;
                self.differences[index] = Differences::EMPTY;
            }
            if spoilt {
                self.boards[index].index = None;
            }
        }
    }

    /// Compares a board with the reference at its reading before the latest, which readings of the reference lie around.
    fn compare(&mut self, index: usize) -> Option<Trouble> {
        let reference = &self.boards[self.reference?];
        let of = &self.boards[index];
        let offset = reference.offset?;
        if !of.has_run() {
            return None;
        }
        let reading = of.before_last();
        let reference_us = reference.clock.us_of(of.clock.host_of(reading.us));
        let difference = reference.tick_between(reference_us)? + offset - reading.tick;
        let standing = reference.stands() && of.stands();
        let comparable = standing || (reference.clock.is_ready() && of.clock.is_ready());
        if self.boards[index].offset.is_none() {
            self.boards[index].offset = Some(difference);
        }
        if !comparable {
            return None;
        }
        self.differences[index].push(difference);
        if self.boards[index].locked {
            self.watch(index)
        } else {
            self.lock(index, standing);
            None
        }
    }

    /// Locks a board when its comparisons allow.
    fn lock(&mut self, index: usize, standing: bool) {
        let differences = &self.differences[index];
        let Some(mean) = differences.mean() else { return };
        let by_index = self.index_of(index).is_some();
        let exact = standing && differences.equal();
        let fitted = differences.len == DIFFERENCES && differences.spread() <= 4 * self.align;
        if exact {
            let latest = differences.values[(differences.next + DIFFERENCES - 1) % DIFFERENCES];
            self.set_lock(index, latest);
        } else if fitted && !by_index {
            self.set_lock(index, mean);
        } else if !fitted {
            self.boards[index].offset = Some(mean);
        }
    }

    /// Ticks of the index by which a board is aligned, when it and the reference have one.
    fn index_of(&self, index: usize) -> Option<i64> {
        self.index_ticks[self.reference?].and(self.index_ticks[index])
    }

    fn set_lock(&mut self, index: usize, offset: i64) {
        self.boards[index].offset = Some(offset);
        self.boards[index].locked = true;
        self.differences[index].len = 0;
        self.differences[index].rested = 0;
    }

    /// Watches a locked board's mean: closely without an index; with one, only for the revolution.
    fn watch(&mut self, index: usize) -> Option<Trouble> {
        let (mean, offset) = (self.differences[index].mean()?, self.boards[index].offset?);
        if self.differences[index].len < EQUAL {
            return None;
        }
        let off_by = mean.saturating_sub(offset);
        let turn = self.index_of(index);
        if off_by.abs() > turn.map_or(self.align, |turn| turn / 4) {
            self.boards[index].locked = false;
            self.differences[index] = Differences::EMPTY;
            return Some(Trouble::Misaligned(off_by));
        }
        let differences = &mut self.differences[index];
        if off_by != 0 && turn.is_none() && differences.rested >= 2 * DIFFERENCES {
            differences.rested = 0;
            self.boards[index].offset = Some(offset + off_by.signum());
        }
        None
    }

    /// Takes an index pulse.
    pub(crate) fn index(&mut self, board: BoardId, tick: Tick32) -> Option<Trouble> {
        let index = board.index();
        let turn = self.index_ticks[index]?;
        let of = &mut self.boards[index];
        let tick = of.ticks.peek(tick.0);
        let before = of.index.replace(tick);
        if before.is_some_and(|before| centred(tick - before, turn).abs() > self.align) {
            self.unlock(index);
            return Some(Trouble::Slip);
        }
        let reference = self.reference.filter(|reference| *reference != index)?;
        let reference = &self.boards[reference];
        let at_reference = reference.index? + reference.offset?;
        let of = &self.boards[index];
        let off_by = centred(at_reference - (tick + of.offset?), turn);
        if of.locked && off_by.abs() > self.align {
            self.unlock(index);
            return Some(Trouble::Misaligned(off_by));
        }
        let differences = &self.differences[index];
        if !of.locked && differences.len >= REVOLUTION {
            let mean = differences.mean()?;
            self.set_lock(index, mean + centred(at_reference - (tick + mean), turn));
        }
        None
    }

    /// A board's tick on the line's scale, or `None` while nothing is known of its encoder.
    pub(crate) fn to_line(&self, board: BoardId, tick: Tick32) -> Option<Tick> {
        self.boards[board.index()].to_line(tick)
    }

    /// A tick of the line as the board counts.
    pub(crate) fn to_board(&self, board: BoardId, tick: Tick) -> Option<Tick32> {
        let offset = self.boards[board.index()].offset?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the low 32 bits are wanted"
        )]
        Some(Tick32((tick - offset).0 as u32))
    }

    /// What a board counts, and what its clock shows, when the belt is at a tick of the line; `None` while the belt stands.
    pub(crate) fn moment(&self, board: BoardId, tick: Tick) -> Option<(Tick32, BoardUs32)> {
        let of = &self.boards[board.index()];
        let us = of.us_at((tick - of.offset?).0)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the low 32 bits are wanted"
        )]
        let at = BoardUs32(us as u32);
        Some((self.to_board(board, tick)?, at))
    }

    /// The line's tick at `at`.
    pub(crate) fn now(&self, at: HostUs) -> Tick {
        if let Some(reference) = self.reference {
            let of = &self.boards[reference];
            return Tick(of.tick_at(of.clock.us_of(at))).plus(of.offset.unwrap_or(0));
        }
        let Some((since, tick, speed)) = self.last else {
            return Tick(0);
        };
        tick.plus(speed.ticks_in(at.since(since).clamp(0, RUN_ON_US)))
    }

    /// The belt's speed.
    pub(crate) fn speed(&self) -> Speed {
        match (self.reference, self.last) {
            (Some(reference), _) => self.boards[reference].speed(),
            (None, Some((_, _, speed))) => speed,
            (None, None) => Speed(0),
        }
    }

    /// Slowest and fastest of the last third of a second or so.
    pub(crate) fn speeds(&self) -> (Speed, Speed) {
        match self.reference {
            Some(reference) => self.boards[reference].speeds(),
            None => (self.speed(), self.speed()),
        }
    }

    /// Line tick up to which everything that a board has seen has come, by its latest `Status`; `None` when it is down.
    /// See [`crate::Core::clock_fit_us`].
    pub(crate) fn clock_fit_us(&self, board: BoardId) -> Option<i64> {
        self.boards.get(board.index()).and_then(|of| of.clock.off_by_us())
    }

    pub(crate) fn heard(&self, board: BoardId) -> Option<Tick> {
        let of = &self.boards[board.index()];
        let heard = of.up && of.has_read();
        heard.then(|| Tick(of.last().tick).plus(of.offset.unwrap_or(0)))
    }

    /// Whether the board's `Status` has come within the longest silence.
    pub(crate) fn is_fresh(&self, at: HostUs, board: BoardId) -> bool {
        let of = &self.boards[board.index()];
        of.up && of.has_read() && at.since(of.heard) <= self.silence_us
    }

    /// Whether the line's place is known at `at`.
    pub(crate) fn is_known(&self, at: HostUs) -> bool {
        self.reference
            .is_some_and(|index| at.since(self.boards[index].heard) <= self.silence_us)
    }

    /// When the line's place was last known, if it is not now.
    pub(crate) fn unknown_since(&self) -> Option<HostUs> {
        match self.reference {
            Some(_) => None,
            None => Some(self.last.map_or(HostUs(0), |(at, _, _)| at)),
        }
    }

    /// The first board that does not agree with the reference, if any.
    pub(crate) fn unaligned(&self) -> Option<BoardId> {
        let index = self.boards.iter().position(|of| !of.up || !of.locked)?;
        u8::try_from(index).ok().map(BoardId)
    }
}

/// `value` modulo `turn`, between minus and plus half a turn.
fn centred(value: i64, turn: i64) -> i64 {
    let rest = value.rem_euclid(turn);
    if rest > turn / 2 { rest - turn } else { rest }
}
