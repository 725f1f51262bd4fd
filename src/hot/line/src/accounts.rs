//! What the core counts. In = binned + recirculated + lost + in flight, after every event.
//!
//! Hot thread; the cold side reads copies.

use units::BinId;

use crate::limits::BINS;
use crate::record::Cause;

/// Counts since the core was made. Pearls first, then what else came or went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// Pearls that came in: triggers, each counted once.
    pub entered: u64,
    /// Pearls on the belt, or not yet known to have landed.
    pub in_flight: u64,
    /// Pearls in each bin, as far as eyes and boards can tell.
    pub binned: [u64; BINS],
    /// Pearls seen nowhere after they should have landed, or of whose order nothing is known.
    pub lost: u64,
    /// Orders given.
    pub orders: u64,
    /// Orders taken back in time.
    pub cancelled: u64,
    /// Orders shortened in time.
    pub shortened: u64,
    /// Orders taken back or shortened too late.
    pub gone: u64,
    /// Orders that the boards refused as late.
    pub late: u64,
    /// Orders of which no report came.
    pub unanswered: u64,
    /// Pearls seen where none was expected.
    pub intruders: u64,
    /// Pearls not seen where they were expected.
    pub missing: u64,
    /// Numbers that eyes and cells left out.
    pub gaps: u64,
    /// Triggers that came twice for one interruption.
    pub doubled: u64,
    /// Pearls seen in a bin into which they were not sent.
    pub misplaced: u64,
    /// Pearls that fell into a bin right after a start, ordered by the program that ran before.
    pub left_over: u64,
    /// Quarantines.
    pub quarantines: u64,
    /// Messages that name what the line does not have, or that came from a board that is not up.
    pub unknown: u64,
    /// Messages about a pearl or order that the core does not track (any more).
    pub unmatched: u64,
    recirculated: [u64; Cause::COUNT],
    binned_total: u64,
    recirculated_total: u64,
}

impl Accounts {
    pub(crate) const fn new() -> Self {
        Self {
            entered: 0,
            in_flight: 0,
            binned: [0; BINS],
            lost: 0,
            orders: 0,
            cancelled: 0,
            shortened: 0,
            gone: 0,
            late: 0,
            unanswered: 0,
            intruders: 0,
            missing: 0,
            gaps: 0,
            doubled: 0,
            misplaced: 0,
            left_over: 0,
            quarantines: 0,
            unknown: 0,
            unmatched: 0,
            recirculated: [0; Cause::COUNT],
            binned_total: 0,
            recirculated_total: 0,
        }
    }

    /// Pearls recirculated for `cause`.
    #[must_use]
    pub const fn recirculated(&self, cause: Cause) -> u64 {
        self.recirculated[cause.index()]
    }

    /// Pearls in all bins.
    #[must_use]
    pub const fn binned_total(&self) -> u64 {
        self.binned_total
    }

    /// Pearls recirculated for any cause.
    #[must_use]
    pub const fn recirculated_total(&self) -> u64 {
        self.recirculated_total
    }

    pub(crate) fn enter(&mut self) {
        self.entered += 1;
        self.in_flight += 1;
    }

    pub(crate) fn bin(&mut self, bin: BinId) {
        self.in_flight -= 1;
        self.binned_total += 1;
        if let Some(count) = self.binned.get_mut(bin.index()) {
            *count += 1;
        }
    }

    pub(crate) fn recirculate(&mut self, cause: Cause) {
        self.in_flight -= 1;
        self.recirculated_total += 1;
        self.recirculated[cause.index()] += 1;
    }

    pub(crate) fn lose(&mut self) {
        self.in_flight -= 1;
        self.lost += 1;
    }

    /// The sum holds.
    ///
    /// # Panics
    /// When a pearl was counted twice or not at all, which no input can cause.
    pub(crate) fn check(&self) {
        let out = self.binned_total + self.recirculated_total + self.lost;
        assert!(self.entered == out + self.in_flight, "a pearl is unaccounted");
    }
}
