//! A cell that streams samples, weighed on the host: `Samples` messages and each pearl's predicted gates become the same
//! `Mass` that a cell sends which weighs itself. Hot thread.
//!
//! The converter has a clock of its own: where it drifts against the board's, gates in board time would slide over the
//! samples. Each message says when its first sample was taken; the difference to the nominal rate is followed and taken
//! off the gates.

use super::estimator::Estimator;
use super::limits::{GATES, JUMP_US};
use super::model::{Checks, Model, ModelFault};
use super::passage::{Refusal, Weighing};
use units::{BoardUs, BoardUs32, Tick32, Unwrap32};
use wire::{Mass, MassStatus, Samples};

/// When and where a pearl's centre passes an edge of the platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Tick of the cell's board.
    pub tick: Tick32,
    /// Time of the cell's board.
    pub at: BoardUs32,
}

/// What has been seen of messages since the start; the estimator counts the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Messages of another cell.
    pub strange: u64,
    /// Times that the board's clock jumped against the samples, so that everything began anew.
    pub jumps: u64,
    /// Pearls foretold before any sample had come.
    pub early: u64,
}

/// Share of a new difference of the clocks that is believed: lines' time stamps jitter by a microsecond or two.
const FOLLOW: f64 = 0.25;

/// Weighs the pearls of one streaming cell.
#[derive(Clone, Debug)]
pub struct CellStream {
    cell: u8,
    model: Model,
    checks: Checks,
    estimator: Estimator,
    begun: bool,
    /// Number of the sample that is the estimator's first.
    base: u32,
    index: Unwrap32,
    clock: Unwrap32,
    start_us: i64,
    /// Board time less nominal time of the samples, us.
    ahead_us: f64,
    /// Gates of passages under way, by the passage's number.
    gates: [(Gate, Gate); GATES],
    number: u16,
    counters: StreamCounters,
}

impl CellStream {
    /// A cell of which nothing has come yet.
    ///
    /// # Errors
    /// The figure of the model that can't be used.
    pub fn new(cell: u8, model: &Model, checks: &Checks) -> Result<Self, ModelFault> {
        Ok(Self {
            cell,
            model: *model,
            checks: *checks,
            estimator: Estimator::new(model, checks, BoardUs(0))?,
            begun: false,
            base: 0,
            index: Unwrap32::new(),
            clock: Unwrap32::new(),
            start_us: 0,
            ahead_us: 0.0,
            gates: [(Gate::default(), Gate::default()); GATES],
            number: 0,
            counters: StreamCounters::default(),
        })
    }

    /// The estimator behind it, for zero, alarms and counters.
    #[must_use]
    pub const fn estimator(&self) -> &Estimator {
        &self.estimator
    }

    /// What has been seen of messages.
    #[must_use]
    pub const fn counters(&self) -> StreamCounters {
        self.counters
    }

    /// A pearl's centre will pass, or has just passed, the platform's edges at `entered` and `left`. It has to be told in
    /// the order of the pearls, and before `gate_delay_us` of the checks have gone by since it began to load the platform.
    pub fn expect(&mut self, entered: Gate, left: Gate, give: &mut impl FnMut(Mass)) {
        if !self.begun {
            self.counters.early += 1;
            let mass = self.message((entered, left), Err(Refusal::Lost));
            give(mass);
            return;
        }
        let (from, to) = (self.nominal(entered.at), self.nominal(left.at));
        let passage = self.estimator.entered(from);
        self.gates[place(passage)] = (entered, left);
        self.estimator.left(to);
        self.fetch(give);
    }

    /// Samples have come.
    pub fn samples(&mut self, message: &Samples<'_>, give: &mut impl FnMut(Mass)) {
        if message.cell != self.cell {
            self.counters.strange += 1;
            return;
        }
        self.follow(message, give);
        let (codes, _) = message.data.as_chunks::<3>();
        for (k, code) in (0_u32..).zip(codes) {
            let seq = message.first.wrapping_sub(self.base).wrapping_add(k);
            if let Some(weighing) = self.estimator.sample(seq, from_24_bits(*code)) {
                let mass = self.message_of(&weighing);
                give(mass);
            }
        }
        self.fetch(give);
    }

    /// The link is gone, or the board has begun anew: pearls under way are refused, the next samples are the first.
    pub fn end(&mut self, give: &mut impl FnMut(Mass)) {
        while let Some(weighing) = self.estimator.drain() {
            let mass = self.message_of(&weighing);
            give(mass);
        }
        self.begun = false;
    }

    /// Follows numbers and clock of a message.
    fn follow(&mut self, message: &Samples<'_>, give: &mut impl FnMut(Mass)) {
        if self.begun {
            let index = self.index.peek(message.first.wrapping_sub(self.base));
            let at_us = self.clock.peek(message.at.0);
            let nominal_us = self.start_us as f64 + index as f64 * 1e6 / self.model.sample_hz;
            let off = at_us as f64 - nominal_us - self.ahead_us;
            if off.abs() <= JUMP_US {
                if index >= 0 {
                    self.index.follow(message.first.wrapping_sub(self.base));
                    self.clock.follow(message.at.0);
                    self.ahead_us += FOLLOW * off;
                }
                return;
            }
            self.counters.jumps += 1;
            self.end(give);
        }
        self.base = message.first;
        (self.index, self.clock) = (Unwrap32::new(), Unwrap32::new());
        self.index.follow(0);
        self.start_us = self.clock.follow(message.at.0);
        self.ahead_us = 0.0;
        // `new` has checked the model, so that it can be used here too
        if let Ok(estimator) = Estimator::new(&self.model, &self.checks, BoardUs(self.start_us)) {
            self.estimator = estimator;
            self.begun = true;
        }
    }

    /// A moment of the board's clock on the samples' nominal scale.
    fn nominal(&self, at: BoardUs32) -> BoardUs {
        #[expect(clippy::cast_possible_truncation, reason = "far below the type's range")]
        BoardUs(self.clock.peek(at.0) - self.ahead_us as i64)
    }

    fn fetch(&mut self, give: &mut impl FnMut(Mass)) {
        while let Some(weighing) = self.estimator.fetch() {
            let mass = self.message_of(&weighing);
            give(mass);
        }
    }

    fn message_of(&mut self, weighing: &Weighing) -> Mass {
        let gates = self.gates[place(weighing.passage)];
        let mass = weighing.mass.map(|(mass, u)| {
            let ug = |value: i32| u32::try_from(value).unwrap_or(0);
            (ug(mass.0), ug(u.0))
        });
        self.message(gates, mass)
    }

    fn message(&mut self, (entered, left): (Gate, Gate), mass: Result<(u32, u32), Refusal>) -> Mass {
        let number = self.number;
        self.number = self.number.wrapping_add(1);
        let (status, (mass_ug, u_mass_ug)) = match mass {
            Ok(figures) => (MassStatus::Good, figures),
            Err(why) => (status_of(why), (0, 0)),
        };
        Mass {
            cell: self.cell,
            number,
            entered: entered.tick,
            left: left.tick,
            status,
            mass_ug,
            u_mass_ug,
        }
    }
}

/// What a cell that weighs itself would say.
const fn status_of(why: Refusal) -> MassStatus {
    match why {
        Refusal::GateOrder | Refusal::Dwell | Refusal::NoLeave | Refusal::LateGate => MassStatus::Gate,
        Refusal::Crowded => MassStatus::Shared,
        Refusal::Lost => MassStatus::Gap,
        Refusal::Saturated => MassStatus::Saturated,
        Refusal::Stuck => MassStatus::Stuck,
        Refusal::Absurd | Refusal::Disturbed | Refusal::Misfit | Refusal::Uncertain => MassStatus::Disturbed,
        Refusal::Empty => MassStatus::Empty,
        Refusal::Zero => MassStatus::Zero,
    }
}

const fn place(passage: u32) -> usize {
    passage as usize % GATES
}

/// Little-endian two's complement.
const fn from_24_bits([low, middle, high]: [u8; 3]) -> i32 {
    i32::from_le_bytes([0, low, middle, high]) >> 8
}
