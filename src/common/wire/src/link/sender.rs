//! What one end sends: the frames that it keeps until they are acknowledged, and when they go out again.
//!
//! Any thread, host and board. The kept frames stand in a ring by their numbers: those on the way, those sealed and not yet
//! sent, and last the open one.

use crate::codec::{Body, Encode, Packer, PushError};
use crate::counters::{Counters, add};
use crate::limits::WINDOW_MAX;
use crate::timing::Timing;

/// One kept frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) body: Body,
    pub(super) messages: u8,
    /// Sent more than once: its acknowledgement measures nothing (Karn).
    pub(super) repeated: bool,
    /// When the line will have carried it, as reckoned when it was sent last.
    pub(super) carried_us: u64,
}

/// What goes out.
#[derive(Debug)]
pub(super) struct Sender<const WINDOW: usize> {
    slots: [Slot; WINDOW],
    /// Slot of the oldest kept frame; the others follow round the ring.
    head: usize,
    /// Number of the oldest kept frame.
    oldest: u8,
    /// Frames sealed; the open one is behind them.
    pub(super) sealed: usize,
    /// Of these, sent in the present round: the next to send.
    sent: usize,
    /// Of these, sent at all: may be acknowledged.
    pub(super) ever_sent: usize,
    /// Most frames on the way that the other side allows.
    pub(super) window: usize,
    packer: Packer,
    /// The open frame goes out when its turn comes.
    pub(super) flush: bool,
    /// After a time-out only the oldest frame goes out.
    probing: bool,
    /// When the line last moved: an acknowledgement came, or the first frame went out while none was on the way.
    pub(super) waiting_since_us: u64,
    pub(super) connect: Option<Body>,
    pub(super) timing: Timing,
}

impl Slot {
    const EMPTY: Self = Self {
        body: Body::new(),
        messages: 0,
        repeated: false,
        carried_us: 0,
    };
}

impl<const WINDOW: usize> Sender<WINDOW> {
    pub(super) const fn new(baud: u32) -> Self {
        Self {
            slots: [Slot::EMPTY; WINDOW],
            head: 0,
            oldest: 0,
            sealed: 0,
            sent: 0,
            ever_sent: 0,
            window: WINDOW,
            packer: Packer::new(),
            flush: false,
            probing: false,
            waiting_since_us: 0,
            connect: None,
            timing: Timing::new(baud),
        }
    }

    pub(super) fn reset(&mut self) {
        (self.head, self.oldest, self.sealed, self.sent, self.ever_sent) = (0, 0, 0, 0, 0);
        (self.window, self.packer, self.flush, self.probing, self.connect) =
            (WINDOW, Packer::new(), false, false, None);
        self.timing.reset();
        self.clear(0);
    }

    /// Slot of the frame that is `offset` behind the oldest.
    pub(super) fn slot(&self, offset: usize) -> &Slot {
        &self.slots[(self.head + offset) % WINDOW]
    }

    pub(super) fn slot_mut(&mut self, offset: usize) -> &mut Slot {
        &mut self.slots[(self.head + offset) % WINDOW]
    }

    pub(super) fn clear(&mut self, offset: usize) {
        let slot = self.slot_mut(offset);
        slot.body.clear();
        (slot.messages, slot.repeated) = (0, false);
    }

    pub(super) fn messages_kept(&self) -> u32 {
        let open = usize::from(self.sealed < WINDOW);
        (0..self.sealed + open)
            .map(|offset| u32::from(self.slot(offset).messages))
            .sum()
    }

    pub(super) fn open_is_empty(&self) -> bool {
        self.sealed == WINDOW || self.slot(self.sealed).body.is_empty()
    }

    pub(super) fn push<M: Encode>(&mut self, message: &M) -> Result<(), PushError> {
        while self.sealed < WINDOW {
            let slot = &mut self.slots[(self.head + self.sealed) % WINDOW];
            match self.packer.push(&mut slot.body, message) {
                Ok(()) => {
                    slot.messages += 1;
                    return Ok(());
                }
                Err(PushError::Full) if !slot.body.is_empty() => self.seal_open(),
                Err(error) => return Err(error),
            }
        }
        Err(PushError::Full)
    }

    /// Fixes the open frame and opens the next, if there is a slot for it.
    pub(super) fn seal_open(&mut self) {
        self.sealed += 1;
        self.packer = Packer::new();
        self.flush = false;
        if self.sealed < WINDOW {
            self.clear(self.sealed);
        }
    }

    /// Whether a data frame may go out now.
    pub(super) fn may_send(&self) -> bool {
        let waiting = self.sent < self.sealed || (self.flush && !self.open_is_empty());
        let allowed = if self.probing { 1 } else { self.window };
        waiting && self.sent < allowed
    }

    pub(super) fn next_seq(&self) -> u8 {
        self.oldest.wrapping_add(self.sent as u8)
    }

    pub(super) fn next_slot(&self) -> &Slot {
        self.slot(self.sent)
    }

    pub(super) fn seal_if_open(&mut self) {
        if self.sent == self.sealed {
            self.seal_open();
        }
    }

    /// Notes that the next frame has gone out; gives whether it was a repeat.
    pub(super) fn mark_sent(&mut self, carried_us: u64, now_us: u64) -> bool {
        if self.ever_sent == 0 {
            self.waiting_since_us = now_us;
        }
        let repeat = self.sent < self.ever_sent;
        let slot = self.slot_mut(self.sent);
        (slot.carried_us, slot.repeated) = (carried_us, repeat);
        self.sent += 1;
        self.ever_sent = self.ever_sent.max(self.sent);
        repeat
    }

    /// When the oldest frame's acknowledgement is overdue.
    pub(super) fn timeout_at_us(&self) -> Option<u64> {
        (self.sent > 0).then(|| self.slot(0).carried_us.saturating_add(self.timing.timeout_us()))
    }

    pub(super) fn check_timeout(&mut self, now_us: u64, counters: &mut Counters) {
        if self.timeout_at_us().is_some_and(|at_us| now_us >= at_us) {
            self.timing.timed_out();
            add(&mut counters.timeouts, 1);
            (self.sent, self.probing) = (0, true);
        }
    }

    /// Whether `ack` names a frame that was sent, the next one, or one acknowledged before.
    pub(super) fn may_acknowledge(&self, ack: u8) -> bool {
        let ahead = usize::from(ack.wrapping_sub(self.oldest));
        ahead <= self.ever_sent || ahead >= 256 - WINDOW_MAX
    }

    /// Lets go of the frames before `ack`.
    pub(super) fn acknowledge(&mut self, ack: u8, now_us: u64) {
        let count = usize::from(ack.wrapping_sub(self.oldest));
        if count == 0 || count > self.ever_sent {
            return;
        }
        let newest = self.slot(count - 1);
        let (carried_us, repeated) = (newest.carried_us, newest.repeated);
        if carried_us > now_us && !repeated {
            let ahead_us = carried_us - now_us;
            self.timing.line_is_ahead(ahead_us);
            for offset in count..self.ever_sent {
                let slot = self.slot_mut(offset);
                slot.carried_us = slot.carried_us.saturating_sub(ahead_us);
            }
        }
        if !repeated {
            self.timing.measured(now_us.saturating_sub(carried_us));
        }
        let all_taken = self.sealed == WINDOW;
        self.head = (self.head + count) % WINDOW;
        self.oldest = ack;
        self.sealed -= count;
        self.ever_sent -= count;
        self.sent = self.sent.saturating_sub(count);
        self.probing = false;
        self.waiting_since_us = now_us;
        if all_taken {
            self.clear(self.sealed);
        }
    }

    /// Repeats everything on the way, unless the repeat is still being carried: then the demand is older than it.
    pub(super) fn repeat_all(&mut self, now_us: u64) {
        let being_repeated = self.sent > 0 && self.slot(0).repeated && self.slot(0).carried_us > now_us;
        if self.ever_sent > 0 && !being_repeated {
            (self.sent, self.probing) = (0, false);
        }
    }
}
