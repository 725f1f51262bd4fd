//! Faults of serial links, for tests: bytes dropped, doubled, flipped, delayed, reordered, stalled, cut. One model, used by
//! the virtual line in virtual time and, around any port, by `pearlsort run --allow-faults`.
//!
//! Cold: [`relay`] has a thread of its own, everything else runs anywhere and has no clock. The hot thread knows nothing of
//! it: it reads and writes the relay's end as it would a port. Nothing here runs unless a timetable is given.
//!
//! Words: a **timetable** is a list of faults with their times; a link's **trouble** is what is on at a moment.

mod chance;
mod pipe;
pub mod relay;
mod spec;

use units::BoardId;

pub use chance::Chance;
pub use pipe::{Carriage, Pipe};
pub use spec::{Spec, SpecError};

/// Something that goes wrong with a link, in both directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LinkFault {
    /// Bytes are dropped, doubled and flipped, each with its probability a byte.
    Noise {
        /// Probability of each sort, a byte.
        drop: f64,
        /// See `drop`.
        double: f64,
        /// See `drop`.
        flip: f64,
    },
    /// Bytes come later by up to so much; they keep their order.
    Delay {
        /// Longest delay, us.
        most_us: u32,
    },
    /// Runs of bytes overtake one another with this probability.
    Reorder {
        /// Probability a run.
        share: f64,
    },
    /// Nothing arrives until the fault is over, then everything at once.
    Stall,
    /// The link is gone: nothing arrives, ever.
    Cut,
}

/// A fault of one board's link with its time, us since the timetable's beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedLinkFault {
    /// The board.
    pub board: BoardId,
    /// When it begins, us.
    pub from_us: u64,
    /// When it is over, us.
    pub until_us: u64,
    /// What it is.
    pub fault: LinkFault,
}

/// What is wrong with a link at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trouble {
    pub(crate) noise: Option<[f64; 3]>,
    pub(crate) delay_us: u32,
    pub(crate) reorder: f64,
    pub(crate) stalled_until_us: Option<u64>,
    /// Whether the link is gone.
    pub cut: bool,
}

impl Trouble {
    /// With one fault more, that is over at `until_us`.
    #[must_use]
    pub const fn with(mut self, fault: LinkFault, until_us: u64) -> Self {
        match fault {
            LinkFault::Noise { drop, double, flip } => self.noise = Some([drop, double, flip]),
            LinkFault::Delay { most_us } => self.delay_us = most_us,
            LinkFault::Reorder { share } => self.reorder = share,
            LinkFault::Stall => self.stalled_until_us = Some(until_us),
            LinkFault::Cut => self.cut = true,
        }
        self
    }
}

/// The timetable of a program's links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkFaults {
    /// Seed of what is left to chance.
    pub seed: u64,
    /// The faults, in any order.
    pub faults: Vec<TimedLinkFault>,
}

impl LinkFaults {
    /// What is wrong with a board's link.
    #[must_use]
    pub fn trouble(&self, board: BoardId, us: u64) -> Trouble {
        let is_on = |timed: &&TimedLinkFault| timed.board == board && timed.from_us <= us && us < timed.until_us;
        self.faults
            .iter()
            .filter(is_on)
            .fold(Trouble::default(), |trouble, timed| {
                trouble.with(timed.fault, timed.until_us)
            })
    }
}
