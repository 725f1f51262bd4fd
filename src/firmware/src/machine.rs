//! What the board moves, and what the test stand is told of it.

use board::Outputs;
use stand::{FromStand, Health, Shaft};
use units::{EyeId, Tick32, TriggerSeq, ValveId};
use wire::ENCODED_MAX;

use crate::clock::Clock;
use crate::hardware::{self, Port};
use crate::port::Out;

/// Bytes to the stand that wait.
const TOLD: usize = 1024;

/// Clock, encoder and outputs.
pub(crate) struct Machine {
    pub(crate) clock: Clock,
    pub(crate) shaft: Shaft,
    /// Open valves, a bit each.
    open: u64,
    told: Out<TOLD>,
    told_seq: u8,
    pub(crate) health: Health,
}

impl Machine {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            shaft: Shaft::new(),
            open: 0,
            told: Out::new(Port::Stand),
            told_seq: 0,
            health: Health::default(),
        }
    }

    /// Clock and encoder, read together.
    pub(crate) fn now(&mut self) -> board::Now {
        let us = self.clock.now_us();
        board::Now {
            us,
            tick: self.shaft.tick(us),
        }
    }

    /// Tells the stand something; what has no room is counted, and seen by the frame's number.
    pub(crate) fn tell(&mut self, message: &FromStand) {
        let mut frame = [0; ENCODED_MAX];
        let len = stand::encode_from(self.told_seq, message, &mut frame);
        self.told_seq = self.told_seq.wrapping_add(1);
        if self.told.push(&frame[..len]) {
            return;
        }
        self.told.pump();
        if !self.told.push(&frame[..len]) {
            self.health.told_lost += 1;
        }
    }

    /// Sends to the stand what its port takes now; says whether that is all.
    pub(crate) fn pump(&mut self) -> bool {
        self.told.pump();
        self.told.is_empty()
    }
}

impl Outputs for Machine {
    fn valve(&mut self, valve: ValveId, open: bool) {
        let bit = 1_u64.checked_shl(u32::from(valve.0)).unwrap_or(0);
        self.open = if open { self.open | bit } else { self.open & !bit };
        hardware::shift_out(self.open);
        let now = self.now();
        self.tell(&FromStand::Valve {
            valve,
            open,
            us: now.us,
            tick: now.tick,
        });
    }

    fn channel(&mut self, channel: u8, value: u16) {
        let us = self.clock.now_us();
        self.tell(&FromStand::Output { channel, value, us });
    }

    fn flash(&mut self, eye: EyeId, seq: TriggerSeq, tick: Tick32) {
        self.tell(&FromStand::Flash { eye, seq, tick });
    }
}
