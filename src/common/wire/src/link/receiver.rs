//! What one end has received: the number that it expects, and what it owes the other side, acknowledgement or demand.
//!
//! Any thread, host and board.

use crate::limits::{ACK_DELAY_US, ACK_EVERY, NAK_AGAIN_US, WINDOW_MAX};

/// What comes in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receiver {
    pub(super) expected: u8,
    /// Data frames that came and are not yet acknowledged.
    pub(super) unacknowledged: u8,
    /// When the acknowledgement must go out, while there is something to acknowledge.
    pub(super) ack_by_us: u64,
    pub(super) nak_due: bool,
    /// A demand for the expected frame was sent, at this time.
    pub(super) asked_us: Option<u64>,
    /// How far ahead of the expected number the latest early frame was.
    pub(super) early_by: u8,
}

impl Receiver {
    pub(super) const fn new() -> Self {
        Self {
            expected: 0,
            unacknowledged: 0,
            ack_by_us: 0,
            nak_due: false,
            asked_us: None,
            early_by: 0,
        }
    }

    pub(super) fn ack_is_due(&self, now_us: u64) -> bool {
        self.unacknowledged > 0 && now_us >= self.ack_by_us
    }

    /// An acknowledgement has gone out.
    pub(super) const fn acknowledged(&mut self) {
        self.unacknowledged = 0;
    }

    /// The expected frame has come.
    pub(super) fn accept(&mut self, now_us: u64) {
        self.expected = self.expected.wrapping_add(1);
        (self.nak_due, self.asked_us, self.early_by) = (false, None, 0);
        if self.unacknowledged == 0 {
            self.ack_by_us = now_us.saturating_add(ACK_DELAY_US);
        }
        self.unacknowledged = self.unacknowledged.saturating_add(1);
        if self.unacknowledged >= ACK_EVERY {
            self.ack_by_us = now_us;
        }
    }

    /// A frame came again: the acknowledgement was lost, or is late.
    pub(super) fn acknowledge_at_once(&mut self, now_us: u64) {
        self.unacknowledged = self.unacknowledged.max(1);
        self.ack_by_us = now_us;
    }

    /// Something is missing or damaged: asks for it, once until it comes, again after a while.
    pub(super) fn ask(&mut self, now_us: u64) {
        if self
            .asked_us
            .is_none_or(|asked_us| now_us >= asked_us.saturating_add(NAK_AGAIN_US))
        {
            (self.nak_due, self.asked_us) = (true, Some(now_us));
        }
    }

    /// A frame came early. If its number does not rise, the sender has begun a new round and what is missing was lost again.
    pub(super) fn ask_for_gap(&mut self, early_by: u8, now_us: u64) {
        if self.asked_us.is_some() && early_by <= self.early_by {
            self.asked_us = None;
        }
        self.early_by = early_by;
        self.ask(now_us);
    }
}

/// Where a sequence number lies.
pub(super) enum Place {
    Expected,
    /// Ahead of the expected by so many.
    Early(u8),
    Old,
    Foreign,
}

pub(super) fn place(seq: u8, expected: u8) -> Place {
    const WINDOW: u8 = WINDOW_MAX as u8;
    match seq.wrapping_sub(expected) {
        0 => Place::Expected,
        ahead @ 1..=WINDOW => Place::Early(ahead),
        behind if behind >= WINDOW.wrapping_neg() => Place::Old,
        _ => Place::Foreign,
    }
}
