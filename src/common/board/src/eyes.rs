//! Eyes: interruptions latched by the hardware become triggers, passages and landings, each eye with its own numbers.
//!
//! Any thread. An interruption counts once it has lasted the eye's least ticks; its tick is that of its beginning all
//! the same. A number is used up even when the report of it has to be dropped, so that the host sees the gap.

use units::{EyeId, Tick32, TriggerSeq};
use wire::FromBoard;

use crate::limits::MAX_EYES;
use crate::outbox::Outbox;
use crate::outputs::Outputs;
use crate::settings::{EyeKind, Settings};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Clear,
    /// Interrupted since this tick, not yet for long enough.
    Doubtful(Tick32),
    /// Interrupted for long enough; the trigger of this number is out.
    Interrupted(TriggerSeq),
}

#[derive(Clone, Copy, Debug)]
struct Eye {
    state: State,
    /// Number of the next interruption.
    next: TriggerSeq,
}

/// All eyes of a board.
#[derive(Clone, Debug)]
pub(crate) struct Eyes {
    eyes: [Eye; MAX_EYES],
    /// Eyes whose interruption is doubtful, a bit each.
    doubtful: u128,
}

impl Eyes {
    pub(crate) const fn new() -> Self {
        Self {
            eyes: [Eye {
                state: State::Clear,
                next: TriggerSeq(0),
            }; MAX_EYES],
            doubtful: 0,
        }
    }

    /// Takes an edge that the hardware has latched at `tick`.
    pub(crate) fn edge(
        &mut self,
        eye: EyeId,
        interrupted: bool,
        tick: Tick32,
        settings: &Settings,
        outbox: &mut Outbox,
        outputs: &mut impl Outputs,
    ) {
        let of = settings.eye(eye);
        match (self.eyes[eye.index()].state, interrupted) {
            (State::Clear, true) if of.least_ticks == 0 => {
                self.confirm(eye, tick, of.kind, outbox, outputs);
            }
            (State::Clear, true) => {
                self.eyes[eye.index()].state = State::Doubtful(tick);
                self.doubtful |= 1 << eye.0;
            }
            (State::Doubtful(since), false) => {
                self.doubtful &= !(1 << eye.0);
                if tick.since(since).unsigned_abs() >= of.least_ticks {
                    let seq = self.confirm(eye, since, of.kind, outbox, outputs);
                    self.clear(eye, seq, tick, of.kind, outbox);
                } else {
                    self.eyes[eye.index()].state = State::Clear;
                }
            }
            (State::Interrupted(seq), false) => self.clear(eye, seq, tick, of.kind, outbox),
            // An edge that changes nothing: the hardware latched a bounce.
            (State::Doubtful(_) | State::Interrupted(_), true) | (State::Clear, false) => {}
        }
    }

    /// Confirms the interruptions that have lasted for long enough at `tick`.
    pub(crate) fn advance(
        &mut self,
        tick: Tick32,
        settings: &Settings,
        outbox: &mut Outbox,
        outputs: &mut impl Outputs,
    ) {
        for eye in bits(self.doubtful) {
            let of = settings.eye(eye);
            if let State::Doubtful(since) = self.eyes[eye.index()].state
                && tick.since(since).unsigned_abs() >= of.least_ticks
            {
                self.doubtful &= !(1 << eye.0);
                self.confirm(eye, since, of.kind, outbox, outputs);
            }
        }
    }

    /// Whether an interruption waits to be confirmed.
    pub(crate) const fn waits(&self) -> bool {
        self.doubtful != 0
    }

    /// Ticks from `tick` until the first doubtful interruption has lasted for long enough on a belt that runs forwards.
    pub(crate) fn ticks_to_confirm(&self, tick: Tick32, settings: &Settings) -> Option<i64> {
        let left = |eye: EyeId| match self.eyes[eye.index()].state {
            State::Doubtful(since) => Some(i64::from(settings.eye(eye).least_ticks) - i64::from(tick.since(since))),
            State::Clear | State::Interrupted(_) => None,
        };
        bits(self.doubtful).filter_map(left).min()
    }

    fn confirm(
        &mut self,
        eye: EyeId,
        tick: Tick32,
        kind: EyeKind,
        outbox: &mut Outbox,
        outputs: &mut impl Outputs,
    ) -> TriggerSeq {
        let at = &mut self.eyes[eye.index()];
        let seq = at.next;
        at.next = seq.next();
        at.state = State::Interrupted(seq);
        match kind {
            EyeKind::Entry => {
                outputs.flash(eye, seq, tick);
                outbox.push(FromBoard::Trigger { eye, seq, tick });
            }
            EyeKind::Drop => outbox.push(FromBoard::Landed { eye, seq, tick }),
        }
        seq
    }

    fn clear(&mut self, eye: EyeId, seq: TriggerSeq, tick: Tick32, kind: EyeKind, outbox: &mut Outbox) {
        self.eyes[eye.index()].state = State::Clear;
        if kind == EyeKind::Entry {
            outbox.push(FromBoard::Passed { eye, seq, tick });
        }
    }
}

/// The eyes of a set of bits, lowest first.
fn bits(mut set: u128) -> impl Iterator<Item = EyeId> {
    core::iter::from_fn(move || {
        let lowest = set.trailing_zeros();
        if lowest == u128::BITS {
            return None;
        }
        set &= set - 1;
        u8::try_from(lowest).ok().map(EyeId)
    })
}
