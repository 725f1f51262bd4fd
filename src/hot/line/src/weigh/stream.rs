//! A cell that streams samples, weighed on the host: `Samples` messages and each pearl's foretold passage become the same
//! `Mass` that a cell sends which weighs itself. Hot thread.
//!
//! A pearl is foretold once, by the ticks at which its centre passes the platform's edges, as soon as its place is known.
//! When it does so is worked out as late as can be: with the message whose samples reach that far, so that the belt's
//! speed is carried on over some milliseconds and not over the way from the eye.
//!
//! The converter has a clock of its own: where it drifts against the board's, gates in board time would slide over the
//! samples. Each message says when its first sample was taken; the difference to the nominal rate is followed and taken
//! off the gates.

use super::estimator::Estimator;
use super::limits::{EXPECTED, GATES, JUMP_US};
use super::model::{Checks, Model, ModelFault};
use super::passage::{Refusal, Weighing};
use units::{BoardUs, BoardUs32, Tick, Tick32, Unwrap32};
use wire::{Mass, MassStatus, Samples};

/// When and where a pearl's centre passes an edge of the platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Tick of the cell's board.
    pub tick: Tick32,
    /// Time of the cell's board.
    pub at: BoardUs32,
}

/// Where a pearl came onto the platform and where it left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// Where it came.
    pub entered: Gate,
    /// Where it left.
    pub left: Gate,
    /// Whether its mass is asked for; else its load is only to be known.
    pub asked: bool,
}

/// What has been seen of messages since the start; the estimator counts the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Messages of another cell.
    pub strange: u64,
    /// Messages that came before the cell had a model.
    pub unmodelled: u64,
    /// Times that the board's clock jumped against the samples, so that everything began anew.
    pub jumps: u64,
    /// Pearls that could not be foretold: too many were.
    pub crowded: u64,
}

/// Share of a new difference of the clocks that is believed: lines' time stamps jitter by a microsecond or two.
const FOLLOW: f64 = 0.25;

/// A pearl on its way to the platform, or on it.
#[derive(Clone, Copy, Debug, Default)]
struct Foretold {
    entered: Tick,
    left: Tick,
    asked: bool,
    /// Its number with the estimator, once it has entered.
    passage: Option<u32>,
}

/// Pearls in belt order, the one farthest along first.
#[derive(Clone, Copy, Debug)]
struct Queue {
    pearls: [Foretold; EXPECTED],
    len: usize,
}

impl Queue {
    const EMPTY: Self = Self {
        pearls: [Foretold {
            entered: Tick(0),
            left: Tick(0),
            asked: false,
            passage: None,
        }; EXPECTED],
        len: 0,
    };

    fn push(&mut self, pearl: Foretold) -> bool {
        let has_room = self.len < EXPECTED;
        if has_room {
            self.pearls[self.len] = pearl;
            self.len += 1;
        }
        has_room
    }

    fn first(&self) -> Option<&Foretold> {
        self.pearls[..self.len].first()
    }

    fn pop(&mut self) {
        self.pearls.copy_within(1..self.len, 0);
        self.len -= 1;
    }
}

/// A cell's model with what is refused, and the estimator that runs on it.
#[derive(Clone, Debug)]
struct Running {
    model: Model,
    checks: Checks,
    estimator: Estimator,
}

/// Weighs the pearls of one streaming cell.
#[derive(Clone, Debug)]
pub struct CellStream {
    cell: u8,
    running: Option<Running>,
    begun: bool,
    /// Number of the sample that is the estimator's first.
    base: u32,
    index: Unwrap32,
    clock: Unwrap32,
    start_us: i64,
    /// Board time less nominal time of the samples, us.
    ahead_us: f64,
    expected: Queue,
    /// Gates of passages under way, by the passage's number.
    gates: [Gates; GATES],
    number: u16,
    counters: StreamCounters,
}

impl CellStream {
    /// A cell of which nothing has come yet, and whose model is not known: it weighs nothing until [`Self::set_model`].
    #[must_use]
    pub fn new(cell: u8) -> Self {
        Self {
            cell,
            running: None,
            begun: false,
            base: 0,
            index: Unwrap32::new(),
            clock: Unwrap32::new(),
            start_us: 0,
            ahead_us: 0.0,
            expected: Queue::EMPTY,
            gates: [Gates::default(); GATES],
            number: 0,
            counters: StreamCounters::default(),
        }
    }

    /// Weighs by this model from the next message on; pearls on the platform are refused.
    ///
    /// # Errors
    /// The figure of the model that can't be used: the one before stays.
    pub fn set_model(
        &mut self,
        model: &Model,
        checks: &Checks,
        give: &mut impl FnMut(Mass, Gates),
    ) -> Result<(), ModelFault> {
        let estimator = Estimator::new(model, checks, BoardUs(0))?;
        self.refuse_entered(give);
        self.begun = false;
        self.running = Some(Running {
            model: *model,
            checks: *checks,
            estimator,
        });
        Ok(())
    }

    /// The estimator behind it, for zero, alarms and counters; `None` without a model.
    #[must_use]
    pub fn estimator(&self) -> Option<&Estimator> {
        self.running.as_ref().map(|running| &running.estimator)
    }

    /// What has been seen of messages.
    #[must_use]
    pub const fn counters(&self) -> StreamCounters {
        self.counters
    }

    /// A pearl's centre will pass the platform's edges at the line's ticks `entered` and `left`. Pearls are foretold in the
    /// order in which they lie. Of one that is not `asked` for only the load has to be known.
    pub fn expect(&mut self, entered: Tick, left: Tick, asked: bool) {
        let pearl = Foretold {
            entered,
            left,
            asked,
            passage: None,
        };
        if !self.expected.push(pearl) {
            self.counters.crowded += 1;
        }
    }

    /// Samples have come. `gate` says when and where the cell's board has, or will have, the belt at a tick; `None` while
    /// the belt stands.
    pub fn samples(
        &mut self,
        message: &Samples<'_>,
        gate: impl Fn(Tick) -> Option<Gate>,
        give: &mut impl FnMut(Mass, Gates),
    ) {
        if message.cell != self.cell {
            self.counters.strange += 1;
            return;
        }
        if self.running.is_none() {
            self.counters.unmodelled += 1;
            return;
        }
        self.follow(message, give);
        let (codes, _) = message.data.as_chunks::<3>();
        self.tell_gates(message.at, codes.len(), gate);
        for (k, code) in (0_u32..).zip(codes) {
            let seq = message.first.wrapping_sub(self.base).wrapping_add(k);
            let Some(running) = &mut self.running else { return };
            if let Some(weighing) = running.estimator.sample(seq, from_24_bits(*code)) {
                let (mass, gates) = self.message_of(&weighing);
                give(mass, gates);
            }
        }
        self.fetch(give);
    }

    /// The link is gone, the board has begun anew or is disarmed: pearls on the platform are refused, those on their way
    /// are forgotten, the next samples are the first.
    pub fn end(&mut self, give: &mut impl FnMut(Mass, Gates)) {
        self.refuse_entered(give);
        self.expected = Queue::EMPTY;
        self.begun = false;
    }

    fn refuse_entered(&mut self, give: &mut impl FnMut(Mass, Gates)) {
        while let Some(weighing) = self.running.as_mut().and_then(|running| running.estimator.drain()) {
            let (mass, gates) = self.message_of(&weighing);
            give(mass, gates);
        }
        while self.expected.first().is_some_and(|pearl| pearl.passage.is_some()) {
            self.expected.pop();
        }
    }

    /// Tells the estimator of every edge that is passed before the end of a message of `count` samples from `from` on.
    fn tell_gates(&mut self, from: BoardUs32, count: usize, gate: impl Fn(Tick) -> Option<Gate>) {
        let Some(Running { model, .. }) = &self.running else {
            return;
        };
        let end_us = self.nominal(from).0 as f64 + count as f64 * 1e6 / model.sample_hz;
        let passed = |stream: &Self, tick: Tick| {
            let gate = gate(tick)?;
            let at = stream.nominal(gate.at);
            (at.0 as f64 <= end_us).then_some((gate, at))
        };
        for place in 0..self.expected.len {
            let pearl = self.expected.pearls[place];
            if pearl.passage.is_some() {
                continue;
            }
            let Some((entered, at)) = passed(self, pearl.entered) else {
                break;
            };
            let Some(running) = &mut self.running else { return };
            let passage = running.estimator.entered(at);
            self.expected.pearls[place].passage = Some(passage);
            // should it never be seen to leave, it is named by where it would have
            self.gates[slot_of(passage)] = Gates {
                entered,
                left: gate(pearl.left).unwrap_or(entered),
                asked: pearl.asked,
            };
        }
        while let Some(&Foretold {
            left,
            passage: Some(passage),
            ..
        }) = self.expected.first()
        {
            let Some((left, at)) = passed(self, left) else { break };
            let Some(running) = &mut self.running else { return };
            running.estimator.left_by(passage, at);
            self.gates[slot_of(passage)].left = left;
            self.expected.pop();
        }
    }

    /// Follows numbers and clock of a message.
    fn follow(&mut self, message: &Samples<'_>, give: &mut impl FnMut(Mass, Gates)) {
        let Some(Running { model, .. }) = &self.running else {
            return;
        };
        let sample_hz = model.sample_hz;
        if self.begun {
            let index = self.index.peek(message.first.wrapping_sub(self.base));
            let at_us = self.clock.peek(message.at.0);
            let nominal_us = self.start_us as f64 + index as f64 * 1e6 / sample_hz;
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
            self.refuse_entered(give);
        }
        self.base = message.first;
        (self.index, self.clock) = (Unwrap32::new(), Unwrap32::new());
        self.index.follow(0);
        self.start_us = self.clock.follow(message.at.0);
        self.ahead_us = 0.0;
        let Some(running) = &mut self.running else { return };
        // `set_model` has checked the model, so that it can be used here too
        if let Ok(estimator) = Estimator::new(&running.model, &running.checks, BoardUs(self.start_us)) {
            running.estimator = estimator;
            self.begun = true;
        }
    }

    /// A moment of the board's clock on the samples' nominal scale.
    fn nominal(&self, at: BoardUs32) -> BoardUs {
        #[expect(clippy::cast_possible_truncation, reason = "far below the type's range")]
        BoardUs(self.clock.peek(at.0) - self.ahead_us as i64)
    }

    fn fetch(&mut self, give: &mut impl FnMut(Mass, Gates)) {
        while let Some(weighing) = self.running.as_mut().and_then(|running| running.estimator.fetch()) {
            let (mass, gates) = self.message_of(&weighing);
            give(mass, gates);
        }
    }

    fn message_of(&mut self, weighing: &Weighing) -> (Mass, Gates) {
        let gates = self.gates[slot_of(weighing.passage)];
        let number = self.number;
        self.number = self.number.wrapping_add(1);
        let ug = |value: i32| u32::try_from(value).unwrap_or(0);
        let (status, mass_ug, u_mass_ug) = match weighing.mass {
            Ok((mass, u)) => (MassStatus::Good, ug(mass.0), ug(u.0)),
            Err(why) => (status_of(why), 0, 0),
        };
        let mass = Mass {
            cell: self.cell,
            number,
            entered: gates.entered.tick,
            left: gates.left.tick,
            status,
            mass_ug,
            u_mass_ug,
        };
        (mass, gates)
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

const fn slot_of(passage: u32) -> usize {
    passage as usize % GATES
}

/// Little-endian two's complement.
const fn from_24_bits([low, middle, high]: [u8; 3]) -> i32 {
    i32::from_le_bytes([0, low, middle, high]) >> 8
}
