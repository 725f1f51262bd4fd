//! The virtual board as a subject: the code that every board runs, in virtual time, with a test stand around it.
//!
//! Cold, one thread; no clock but its own.

use board::{Board, Description, Now, Outputs};
use stand::{Cause, FromStand, Shaft, ToStand};
use units::{EyeId, Tick32, TriggerSeq, ValveId};
use wire::{FromBoard, Host, Messages};

use super::{Abilities, Stop, Subject};

/// Speed of its link.
const BAUD: u32 = 1_000_000;
/// What is given to the line in one go.
const OUT_BYTES: usize = 1_024;

/// What the board does, told to the stand.
struct Hands<'a> {
    now: Now,
    told: &'a mut Vec<FromStand>,
}

impl Outputs for Hands<'_> {
    fn valve(&mut self, valve: ValveId, open: bool) {
        let Now { us, tick } = self.now;
        self.told.push(FromStand::Valve { valve, open, us, tick });
    }

    fn channel(&mut self, channel: u8, value: u16) {
        let us = self.now.us;
        self.told.push(FromStand::Output { channel, value, us });
    }

    fn flash(&mut self, eye: EyeId, seq: TriggerSeq, tick: Tick32) {
        self.told.push(FromStand::Flash { eye, seq, tick });
    }
}

/// See the module.
pub struct VirtualBoard {
    board: Box<Board>,
    description: Description,
    has_stand: bool,
    shaft: Shaft,
    /// The suite's time.
    now_us: u64,
    /// The board's clock at the suite's time 0, modulo 2^64.
    clock_zero_us: u64,
    /// It has no supply until then.
    dark_until_us: u64,
    /// It has started and not yet said so.
    starts: bool,
    told: Vec<FromStand>,
}

impl VirtualBoard {
    /// A standard board on a stand.
    #[must_use]
    pub fn new() -> Self {
        let description = Description::standard(0x5045_4152_4C00_00FF);
        Self {
            board: Box::new(Board::new(description, BAUD)),
            description,
            has_stand: true,
            shaft: Shaft::new(),
            now_us: 0,
            clock_zero_us: 0,
            dark_until_us: 0,
            starts: true,
            told: Vec::new(),
        }
    }

    /// A standard board of which only the link can be reached.
    #[must_use]
    pub fn bare() -> Self {
        Self {
            has_stand: false,
            ..Self::new()
        }
    }

    /// The board's clock and encoder.
    fn now(&mut self) -> Now {
        let us = self.now_us.wrapping_add(self.clock_zero_us);
        let tick = self.shaft.tick(us);
        Now { us, tick }
    }

    fn is_dark(&self) -> bool {
        self.now_us < self.dark_until_us
    }

    /// Calls the board with its outputs.
    fn with<T>(&mut self, call: impl FnOnce(&mut Board, Now, &mut Hands<'_>) -> T) -> T {
        let now = self.now();
        let mut hands = Hands {
            now,
            told: &mut self.told,
        };
        call(&mut self.board, now, &mut hands)
    }

    /// When the board next has something to do, in the suite's time.
    fn wakes_us(&mut self) -> u64 {
        let now = self.now();
        let deadline_us = self.board.next_deadline_us();
        let match_us = self
            .board
            .next_match_tick()
            .and_then(|tick| self.shaft.comes_us(tick, now.us));
        let next = [deadline_us, match_us].into_iter().flatten().min();
        // What could not be done at its time is tried again a moment later, never at the same.
        next.map_or(u64::MAX, |us| self.now_us + us.saturating_sub(now.us).max(1))
    }

    fn start_anew(&mut self, dark_us: u64) {
        self.description.starts = self.description.starts.wrapping_add(1);
        *self.board = Board::new(self.description, BAUD);
        self.shaft = Shaft::new();
        self.dark_until_us = self.now_us + dark_us;
        self.clock_zero_us = self.dark_until_us.wrapping_neg();
        self.starts = true;
    }

    fn tell_start(&mut self) {
        if core::mem::take(&mut self.starts) {
            let first = self.description.starts == 1;
            self.told.push(FromStand::Started {
                uid: self.description.uid,
                starts: self.description.starts,
                cause: if first { Cause::Power } else { Cause::Asked },
            });
        }
    }
}

impl Default for VirtualBoard {
    fn default() -> Self {
        Self::new()
    }
}

impl Subject for VirtualBoard {
    fn abilities(&self) -> Abilities {
        Abilities {
            stand: self.has_stand,
            chip: false,
            slack_us: 500,
        }
    }

    fn now_us(&self) -> u64 {
        self.now_us
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if !self.is_dark() {
            self.with(|board, now, hands| board.receive(now, bytes, hands));
        }
        Ok(())
    }

    fn receive(&mut self, until_us: u64, bytes: &mut Vec<u8>, told: &mut Vec<FromStand>) -> Result<(), Stop> {
        let (before, before_told) = (bytes.len(), told.len());
        loop {
            if self.is_dark() {
                self.now_us = self.dark_until_us.min(until_us);
            } else {
                self.tell_start();
                self.with(|board, now, hands| board.poll(now, hands));
                let mut out = [0; OUT_BYTES];
                let count = self.with(|board, now, _| board.transmit(now.us, &mut out));
                bytes.extend_from_slice(&out[..count]);
            }
            told.append(&mut self.told);
            if bytes.len() > before || told.len() > before_told || self.now_us >= until_us {
                return Ok(());
            }
            let wakes_us = if self.is_dark() { u64::MAX } else { self.wakes_us() };
            self.now_us = wakes_us.min(until_us);
        }
    }

    fn stand(&mut self, message: &ToStand<'_>) -> Result<(), Stop> {
        let now = self.now();
        match *message {
            ToStand::Ping { token } => self.told.push(FromStand::Pong {
                token,
                us: now.us,
                tick: now.tick,
                health: stand::Health::default(),
            }),
            ToStand::Clock { us } => {
                let us = us.max(now.us);
                self.clock_zero_us = us.wrapping_sub(self.now_us);
                self.shaft.stand(now.us, us);
            }
            ToStand::Shaft(piece) => self.shaft.take(piece, now.us),
            ToStand::Eye { eye, interrupted, tick } => self.with(|board, now, hands| {
                board.poll(now, hands);
                board.eye(eye, interrupted, tick, hands);
            }),
            ToStand::Index { tick } => self.board.index(tick),
            ToStand::Channel { channel, value } => self.board.channel_input(channel, value),
            ToStand::Coil { valve } => self.board.coil_fault(valve),
            ToStand::Report(body) => {
                for message in Messages::<Host>::numbered(body).flatten() {
                    match message {
                        FromBoard::Measurement(measurement) => self.board.measurement(&measurement),
                        FromBoard::Mass(mass) => self.board.mass(&mass),
                        FromBoard::Samples(samples) => self.board.samples(&samples),
                        _ => {}
                    }
                }
            }
            ToStand::Reset { dark_us } => self.start_anew(u64::from(dark_us)),
            ToStand::Panic | ToStand::Hang | ToStand::Measure => {
                return Err(Stop::NotHere("needs a chip with a program of its own".to_owned()));
            }
        }
        Ok(())
    }
}
