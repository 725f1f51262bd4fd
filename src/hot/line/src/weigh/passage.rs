//! A pearl's passage over the platform and what becomes of it: a mass or a refusal. Hot thread.

use super::estimator::SETTLED_LOOKS;
use units::{BoardUs, Micrograms};

/// Why no mass is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The entering gate is earlier than that of the pearl before, or the leaving gate is not after the entering gate.
    GateOrder,
    /// The gates are too close together or too far apart.
    Dwell,
    /// The leaving gate did not come.
    NoLeave,
    /// A gate was told after its samples had been filtered.
    LateGate,
    /// More pearls on the platform, or waiting for it, than can be told apart.
    Crowded,
    /// Samples are missing.
    Lost,
    /// The converter stood at the end of its range.
    Saturated,
    /// The converter gave the same code again and again.
    Stuck,
    /// A code that no load gives.
    Absurd,
    /// The signal does what no pearl does: a hand, a blow, a pearl that no gate saw.
    Disturbed,
    /// The residuals are larger than the model allows.
    Misfit,
    /// Nothing was on the platform.
    Empty,
    /// The uncertainty is too large.
    Uncertain,
    /// The zero has left its band or moves too fast.
    Zero,
}

impl Refusal {
    /// The name that stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GateOrder => "gate-order",
            Self::Dwell => "dwell",
            Self::NoLeave => "no-leave",
            Self::LateGate => "late-gate",
            Self::Crowded => "crowded",
            Self::Lost => "lost",
            Self::Saturated => "saturated",
            Self::Stuck => "stuck",
            Self::Absurd => "absurd",
            Self::Disturbed => "disturbed",
            Self::Misfit => "misfit",
            Self::Empty => "empty",
            Self::Uncertain => "uncertain",
            Self::Zero => "zero",
        }
    }
}

/// What became of one passage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighing {
    /// Which passage: counted from 0 over the calls of `entered`.
    pub passage: u32,
    /// Its entering gate.
    pub entered: BoardUs,
    /// Mass and standard uncertainty, or why there is none.
    pub mass: Result<(Micrograms, Micrograms), Refusal>,
}

/// A pearl between its entering gate and its publication.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) number: u32,
    pub(super) entered: BoardUs,
    /// Gates on the sample scale, with the model's lag taken off.
    pub(super) enter: f64,
    pub(super) leave: Option<f64>,
    pub(super) fault: Option<Refusal>,
    /// The sample at which it was taken into the filter.
    pub(super) begun: Option<u64>,
    /// Times that its coming has been filtered again.
    pub(super) looks: usize,
    /// Its leaving filtered a second time, or found to need none.
    pub(super) left_again: bool,
}

impl Passage {
    /// In the filter, but not yet linearised where it is.
    pub(super) fn is_coming(&self) -> bool {
        self.begun.is_some() && self.looks < SETTLED_LOOKS
    }

    /// Unloading at `at`, and that not yet filtered a second time; `early` is how long before its gate that begins.
    pub(super) fn is_leaving(&self, at: f64, early: f64) -> bool {
        self.begun.is_some() && !self.left_again && self.leave.is_some_and(|leave| at >= leave - early)
    }

    /// Keeps the first fault.
    pub(super) fn refuse(&mut self, why: Refusal) {
        self.fault.get_or_insert(why);
    }

    /// Whether sample `at` counts for it: from the sample before its gate to `hold` after it leaves.
    pub(super) fn covers(&self, at: f64, hold: f64) -> bool {
        at > self.enter - 1.0 && self.leave.is_none_or(|leave| at < leave + hold)
    }
}
