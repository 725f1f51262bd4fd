//! The far end of a contender that speaks the field bus: a board as the host sees it, with one measuring eye a lane.
//!
//! It answers the handshake, acknowledges, repeats and reports as a board does, but stands outside time: an order counts
//! as given when it arrives, and is reported as fired at once, whatever its tick. So a closed loop runs as fast as the
//! host does, and no belt has to keep up.

use std::{collections::VecDeque, os::fd::AsFd as _, os::fd::OwnedFd};

use rt::{
    clock,
    poll::{Interest, Poller, Token, Transfer, read, set_nonblocking, write},
    port::Pty,
};
use units::{BoardUs32, EyeId, Tick32, TriggerSeq};
use wire::{
    BoardEndpoint, BoardLimits, Fire, FromBoard, Identity, Measurement, Setting, Status, ToBoard, ViewStatus,
    settings::{at_start, canonical},
    settings_crc,
};

use crate::{
    contender::{FarEnd, Trouble},
    far_end::{Running, failed_transfer},
    limits::READ_BYTES,
};

/// Speed that a pty reaches, as the link's time-outs reckon it.
pub const PTY_BAUD: u32 = 500_000_000;
/// Eyes of the board, one a lane.
pub const EYES: u8 = 16;
/// Ticks between two pearls of the same eye; at 20 ticks a millimetre the least pitch of a jet.
const PITCH_TICKS: u32 = 400;
/// Ticks from a pearl's front to its end.
const PEARL_TICKS: u32 = 160;
/// Time between two states, in microseconds.
const STATUS_US: u64 = 10_000;

const LIMITS: BoardLimits = BoardLimits {
    valves: 64,
    eyes: EYES,
    cells: 0,
    channels: 0,
    queue: 1024,
    window: 32,
    horizon_ticks: 1 << 20,
    max_on_us: 100_000,
};

/// The far end over the field bus.
pub struct BusFarEnd {
    /// `None` once closed.
    board: Option<OwnedFd>,
    /// Kept open, or the pty would close before the contender opens it. Closed with the far end.
    host: Option<OwnedFd>,
    poller: Poller,
    token: Token,
    endpoint: BoardEndpoint<32>,
    /// In canonical order.
    settings: Vec<Setting>,
    staged: Vec<Setting>,
    armed: bool,
    /// Messages that the window has no room for yet.
    outbox: VecDeque<FromBoard<'static>>,
    /// Bytes that the pty has no room for yet.
    unsent: Vec<u8>,
    buffer: Vec<u8>,
    frames: Vec<u8>,
    /// Pearls measured whose order is awaited; orders come in the order of the measurements.
    awaited: VecDeque<u32>,
    status_due_us: u64,
    tick: u32,
    running: Box<dyn Running>,
}

impl BusFarEnd {
    /// The far end of `pty`, whose host's end the contender `running` has opened by its path or a duplicate.
    ///
    /// # Errors
    /// When the pty cannot be made non-blocking.
    pub fn new(pty: Pty, running: Box<dyn Running>) -> Result<Self, Trouble> {
        let failed = |source| Trouble::Failed {
            what: "far end",
            source,
        };
        set_nonblocking(&pty.board).map_err(failed)?;
        let mut poller = Poller::new();
        let added = poller.add(pty.board.as_fd(), Interest::Read);
        let token = added.map_err(|full| failed(std::io::Error::other(full)))?;
        let value = |(key, index)| Setting {
            key,
            index,
            value: at_start(key),
        };
        Ok(Self {
            board: Some(pty.board),
            host: Some(pty.host),
            poller,
            token,
            endpoint: BoardEndpoint::new(PTY_BAUD),
            settings: canonical(&LIMITS).map(value).collect(),
            staged: Vec::new(),
            armed: false,
            outbox: VecDeque::with_capacity(1024),
            unsent: Vec::with_capacity(READ_BYTES),
            buffer: vec![0; READ_BYTES],
            frames: vec![0; READ_BYTES],
            awaited: VecDeque::with_capacity(1024),
            status_due_us: 0,
            tick: 0,
            running,
        })
    }

    fn identity(&self) -> Identity {
        Identity {
            protocol: wire::PROTOCOL,
            uid: 1,
            firmware: 0x01_00_00,
            limits: LIMITS,
            settings_crc: settings_crc(self.settings.iter().copied()),
            starts: 1,
        }
    }

    /// Does what the host says, orders apart.
    fn obey(&mut self, message: ToBoard) {
        match message {
            ToBoard::Hello(hello) => {
                if hello.session != self.endpoint.session() {
                    self.endpoint.reset(hello.session);
                    self.armed = false;
                    self.outbox.clear();
                }
                let identity = FromBoard::Identity(self.identity());
                // Refused only without a session, and there is one.
                let _ = self.endpoint.connect(&identity);
            }
            ToBoard::Set(setting) => self.staged.push(setting),
            ToBoard::Commit => {
                for staged in self.staged.drain(..) {
                    let same = |old: &&mut Setting| old.key == staged.key && old.index == staged.index;
                    if let Some(old) = self.settings.iter_mut().find(same) {
                        *old = staged;
                    }
                }
                let settings_crc = settings_crc(self.settings.iter().copied());
                self.outbox.push_back(FromBoard::Settings { settings_crc });
            }
            ToBoard::Arm { .. } => {
                self.armed = true;
                self.outbox.push_back(FromBoard::Armed);
            }
            _ => {}
        }
    }

    fn report_status(&mut self, now_us: u64) {
        if now_us < self.status_due_us || self.endpoint.session() == 0 {
            return;
        }
        self.status_due_us = now_us + STATUS_US;
        #[expect(clippy::cast_possible_truncation, reason = "wraps as a board's clock does")]
        self.outbox.push_back(FromBoard::Status(Status {
            at: BoardUs32(now_us as u32),
            tick: Tick32(self.tick),
            fed: 0,
            queued: 0,
            armed: self.armed,
            blowing: false,
            dropped: 0,
        }));
    }

    /// Hands what waits to the link and the link's bytes to the pty, as far as there is room.
    fn carry(&mut self, now_us: u64) -> Result<(), Trouble> {
        while let Some(message) = self.outbox.front() {
            if self.endpoint.push(message) == Err(wire::PushError::Full) {
                break;
            }
            self.outbox.pop_front();
        }
        self.endpoint.flush();
        let board = self.board.as_ref().ok_or(Trouble::Closed)?;
        loop {
            if self.unsent.is_empty() {
                let count = self.endpoint.poll_transmit(now_us, &mut self.frames);
                if count == 0 {
                    self.poller.set_interest(self.token, Interest::Read);
                    return Ok(());
                }
                self.unsent.extend_from_slice(&self.frames[..count]);
            }
            match write(board, &self.unsent) {
                Transfer::Done(count) => drop(self.unsent.drain(..count)),
                Transfer::WouldBlock => {
                    self.poller.set_interest(self.token, Interest::ReadWrite);
                    return Ok(());
                }
                Transfer::Closed => return Err(Trouble::Closed),
                Transfer::Failed(code) => return Err(failed_transfer(code)),
            }
        }
    }

    /// Takes what the host sent; the orders among it.
    fn take(&mut self, now_us: u64, count: usize) -> Vec<Fire> {
        let (mut orders, mut others) = (Vec::new(), Vec::new());
        self.endpoint
            .receive(now_us, &self.buffer[..count], |message| match message {
                ToBoard::Fire(fire) => orders.push(fire),
                other => others.push(other),
            });
        others.into_iter().for_each(|message| self.obey(message));
        orders
    }
}

/// The clock of the link, in microseconds.
fn now_us() -> u64 {
    clock::now_us().0.unsigned_abs()
}

/// Eye and trigger number of a pearl.
fn trigger_of(pearl: u32) -> (EyeId, TriggerSeq) {
    #[expect(clippy::cast_possible_truncation, reason = "trigger numbers wrap at 2^16")]
    let seq = TriggerSeq((pearl / u32::from(EYES)) as u16);
    #[expect(clippy::cast_possible_truncation, reason = "below EYES")]
    let eye = EyeId((pearl % u32::from(EYES)) as u8);
    (eye, seq)
}

/// A plausible pearl; each figure differs from pearl to pearl.
fn measurement_of(pearl: u32) -> Measurement {
    let (eye, seq) = trigger_of(pearl);
    let d_min_um = 7000 + (pearl % 2000) as u16;
    let lustre = 8000 + 100 * (pearl % 20) as u16;
    Measurement {
        eye,
        seq,
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: d_min_um + 90,
        d_mid_um: d_min_um + 40,
        d_min_um,
        u_diameter_um: 8,
        u_ddp: 15,
        residual_um: 12,
        taper: 30,
        lab_l: 7400,
        lab_a: 120,
        lab_b: 640,
        u_lab: 60,
        overtone_a: 150,
        overtone_b: -90,
        lustre,
        u_lustre: 120,
        blemishes: 1,
        blemish_area: 20,
        u_blemish_area: 9,
        nacre_um: None,
    }
}

impl FarEnd for BusFarEnd {
    fn await_ready(&mut self, timeout_us: u64) -> Result<(), Trouble> {
        let started_us = now_us();
        while !self.armed {
            let waited_us = now_us() - started_us;
            if waited_us >= timeout_us {
                return Err(Trouble::Silent {
                    waited_us,
                    outstanding: 0,
                });
            }
            self.receive(timeout_us - waited_us, &mut |_| {})?;
        }
        Ok(())
    }

    fn trigger(&mut self, pearl: u32) {
        let (eye, seq) = trigger_of(pearl);
        let front = (pearl / u32::from(EYES)).wrapping_mul(PITCH_TICKS);
        self.tick = front.wrapping_add(PEARL_TICKS);
        let (tick, end) = (Tick32(front), Tick32(self.tick));
        self.outbox.push_back(FromBoard::Trigger { eye, seq, tick });
        self.outbox.push_back(FromBoard::Passed { eye, seq, tick: end });
    }

    fn measurement(&mut self, pearl: u32) {
        self.outbox.push_back(FromBoard::Measurement(measurement_of(pearl)));
        self.awaited.push_back(pearl);
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        self.carry(now_us())
    }

    fn receive(&mut self, timeout_us: u64, each: &mut dyn FnMut(u32)) -> Result<(), Trouble> {
        let now = now_us();
        let due_us = self
            .endpoint
            .next_deadline()
            .map_or(self.status_due_us, |at| at.min(self.status_due_us));
        let wait = self.poller.wait(Some(timeout_us.min(due_us.saturating_sub(now))));
        wait.map_err(|source| Trouble::Failed { what: "wait", source })?;
        let now = now_us();
        let board = self.board.as_ref().ok_or(Trouble::Closed)?;
        match read(board, &mut self.buffer) {
            Transfer::Done(count) => {
                for fire in self.take(now, count) {
                    self.awaited.pop_front().into_iter().for_each(&mut *each);
                    self.outbox.push_back(FromBoard::Fired {
                        order: fire.order,
                        opened: fire.on,
                        open_us: u32::from(fire.length) * 50,
                    });
                }
            }
            Transfer::WouldBlock => {}
            Transfer::Closed => return Err(Trouble::Closed),
            Transfer::Failed(code) => return Err(failed_transfer(code)),
        }
        self.report_status(now);
        self.carry(now)
    }
}

impl Drop for BusFarEnd {
    fn drop(&mut self) {
        self.board = None;
        self.host = None;
        self.running.end();
    }
}
