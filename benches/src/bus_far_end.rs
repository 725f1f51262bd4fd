//! The far end of a contender that speaks the field bus: a board with one measuring eye a lane, on a belt that runs.
//!
//! It answers the handshake, acknowledges, repeats and reports as a board does. Encoder and clock go by the computer's
//! clock; pearls pass the eyes where the belt is, never nearer to each other than the least pitch of a jet. Every order is
//! held against the pearl that it is for: its lane and tick name it, and its bin must be the one that was earned.

use std::{collections::VecDeque, os::fd::AsFd as _, os::fd::OwnedFd};

use rt::{
    clock,
    poll::{Interest, Poller, Token, Transfer, read, set_nonblocking, write},
    port::Pty,
};
use units::{BoardUs32, EyeId, Tick32, TriggerSeq};
use wire::{
    BoardEndpoint, Fire, FromBoard, Identity, Measurement, Setting, Status, ToBoard, ViewStatus,
    settings::{at_start, canonical},
    settings_crc,
};

use crate::{
    belt::{Belt, LANES, LIMITS, PEARL_TICKS, PITCH_TICKS, PTY_BAUD, UID, bin_of, lane_and_bin},
    contender::{FarEnd, Stamps, Trouble},
    far_end::{Running, failed_transfer},
    limits::{DRAIN_US, READ_BYTES},
};

/// Time between two states, in microseconds.
const STATUS_US: u64 = 10_000;
/// States told before the first pearl, so that the host knows the belt's speed.
const STATES_BEFORE: u32 = 10;
/// Farthest that pearls may lie ahead of the belt, in microseconds of it: the loop is then faster than the belt.
const AHEAD_US: u64 = 50_000;

/// A pearl whose order has not come.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    pearl: u32,
    /// Tick of its centre at the eye, as the board counts.
    centre: u32,
    bin: u8,
}

/// A pulse that waits for its tick.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    order: units::OrderId,
    on: Tick32,
}

/// What was not as it should be.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    /// Orders that are for no pearl.
    strange: u32,
    /// Orders into a bin that the pearl has not earned.
    wrong: u32,
    /// Pearls that lay too far ahead of the belt.
    ahead: u32,
}

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
    /// What the host has just said.
    inbox: Vec<ToBoard>,
    /// Bytes that the pty has no room for yet.
    unsent: Vec<u8>,
    buffer: Vec<u8>,
    frames: Vec<u8>,
    stamps: Stamps,
    belt: Belt,
    /// When the encoder stood at 0, in microseconds of the computer's clock.
    zero_us: u64,
    /// The time as last read.
    now_us: u64,
    /// Front of the latest pearl of each lane, in ticks.
    fronts: [Option<u64>; LANES as usize],
    waiting: [VecDeque<Waiting>; LANES as usize],
    pulses: Vec<Pulse>,
    status_due_us: u64,
    states: u32,
    sent: u64,
    faults: Faults,
    running: Box<dyn Running>,
}

impl BusFarEnd {
    /// The far end of `pty`, whose host's end the contender `running` has opened by its path or a duplicate.
    ///
    /// # Errors
    /// When the pty cannot be made non-blocking.
    pub fn new(pty: Pty, belt: Belt, running: Box<dyn Running>) -> Result<Self, Trouble> {
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
            inbox: Vec::with_capacity(1024),
            unsent: Vec::with_capacity(READ_BYTES),
            buffer: vec![0; READ_BYTES],
            frames: vec![0; READ_BYTES],
            stamps: Stamps::default(),
            belt,
            zero_us: now_us(),
            now_us: now_us(),
            fronts: [None; LANES as usize],
            waiting: std::array::from_fn(|_| VecDeque::with_capacity(64)),
            pulses: Vec::with_capacity(1024),
            status_due_us: 0,
            states: 0,
            sent: 0,
            faults: Faults::default(),
            running,
        })
    }

    fn identity(&self) -> Identity {
        Identity {
            protocol: wire::PROTOCOL,
            uid: UID,
            firmware: 0x01_00_00,
            limits: LIMITS,
            settings_crc: settings_crc(self.settings.iter().copied()),
            starts: 1,
        }
    }

    /// The encoder's count, as last read.
    fn tick(&self) -> u64 {
        self.belt.ticks_at(self.now_us - self.zero_us)
    }

    /// Does what the host says.
    fn obey(&mut self, message: ToBoard, each: &mut dyn FnMut(u32)) {
        match message {
            ToBoard::Fire(fire) => self.fire(&fire, each),
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

    /// An order: finds the pearl that it is for and holds it against what that has earned.
    fn fire(&mut self, fire: &Fire, each: &mut dyn FnMut(u32)) {
        let Some((lane, bin)) = lane_and_bin(fire.valve) else {
            self.faults.strange += 1;
            return;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "ticks wrap at 2^32"
        )]
        let jet = self.belt.jet_ticks(bin) as u32;
        let centre = fire.on.0.wrapping_add(u32::from(fire.length) / 2).wrapping_sub(jet);
        let lane = &mut self.waiting[usize::from(lane)];
        let near = |of: &Waiting| of.centre.wrapping_sub(centre).cast_signed().abs() <= 2;
        match lane.iter().position(near).and_then(|at| lane.remove(at)) {
            Some(of) => {
                self.faults.wrong += u32::from(of.bin != bin);
                each(of.pearl);
            }
            None => self.faults.strange += 1,
        }
        let pulse = Pulse {
            order: fire.order,
            on: fire.on,
        };
        if self.belt.reports_at_once() {
            self.report(pulse);
        } else {
            self.pulses.push(pulse);
        }
    }

    fn report(&mut self, pulse: Pulse) {
        self.outbox.push_back(FromBoard::Fired {
            order: pulse.order,
            opened: pulse.on,
            open_us: 15_000,
        });
    }

    /// Reports the pulses whose tick has come.
    #[expect(clippy::cast_possible_truncation, reason = "ticks wrap at 2^32")]
    fn open_valves(&mut self) {
        let tick = self.tick() as u32;
        while let Some(at) = self
            .pulses
            .iter()
            .position(|pulse| tick.wrapping_sub(pulse.on.0).cast_signed() >= 0)
        {
            let pulse = self.pulses.swap_remove(at);
            self.report(pulse);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "wraps as a board's counters do")]
    fn report_status(&mut self) {
        if self.now_us < self.status_due_us || self.endpoint.session() == 0 {
            return;
        }
        self.status_due_us = self.now_us + STATUS_US;
        self.states += 1;
        self.open_valves();
        self.outbox.push_back(FromBoard::Status(Status {
            at: BoardUs32(self.now_us as u32),
            tick: Tick32(self.tick() as u32),
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
            self.stamps.written_ns = clock::now_ns();
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
}

/// The clock of the link, in microseconds.
fn now_us() -> u64 {
    clock::now_us().0.unsigned_abs()
}

/// Eye and trigger number of a pearl.
fn trigger_of(pearl: u32) -> (EyeId, TriggerSeq) {
    #[expect(clippy::cast_possible_truncation, reason = "trigger numbers wrap at 2^16")]
    let seq = TriggerSeq((pearl / u32::from(LANES)) as u16);
    #[expect(clippy::cast_possible_truncation, reason = "below LANES")]
    let eye = EyeId((pearl % u32::from(LANES)) as u8);
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
        let mut told_before = None;
        loop {
            let waited_us = now_us() - started_us;
            if waited_us >= timeout_us {
                return Err(Trouble::Silent {
                    waited_us,
                    outstanding: 0,
                });
            }
            self.receive(STATUS_US, &mut |_| {})?;
            if self.armed && self.running.is_ready() {
                let told = *told_before.get_or_insert(self.states);
                if self.states >= told + STATES_BEFORE {
                    return Ok(());
                }
            }
        }
    }

    fn trigger(&mut self, pearl: u32) {
        let (eye, seq) = trigger_of(pearl);
        let belt = self.tick();
        let passed = belt.saturating_sub(u64::from(PEARL_TICKS));
        let lane = &mut self.fronts[eye.index()];
        let front = lane.map_or(passed, |before| passed.max(before + u64::from(PITCH_TICKS)));
        *lane = Some(front);
        self.faults.ahead += u32::from(front > belt + self.belt.ticks_at(AHEAD_US));
        self.sent += 1;
        #[expect(clippy::cast_possible_truncation, reason = "ticks wrap at 2^32")]
        let front = front as u32;
        let (tick, end) = (Tick32(front), Tick32(front.wrapping_add(PEARL_TICKS)));
        self.waiting[eye.index()].push_back(Waiting {
            pearl,
            centre: front.wrapping_add(PEARL_TICKS / 2),
            bin: bin_of(&measurement_of(pearl)),
        });
        self.outbox.push_back(FromBoard::Trigger { eye, seq, tick });
        self.outbox.push_back(FromBoard::Passed { eye, seq, tick: end });
    }

    fn measurement(&mut self, pearl: u32) {
        self.outbox.push_back(FromBoard::Measurement(measurement_of(pearl)));
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        self.now_us = now_us();
        self.carry(self.now_us)
    }

    fn receive(&mut self, timeout_us: u64, each: &mut dyn FnMut(u32)) -> Result<(), Trouble> {
        let now = now_us();
        let due_us = self
            .endpoint
            .next_deadline()
            .map_or(self.status_due_us, |at| at.min(self.status_due_us));
        let wait = self.poller.wait(Some(timeout_us.min(due_us.saturating_sub(now))));
        wait.map_err(|source| Trouble::Failed { what: "wait", source })?;
        self.now_us = now_us();
        let board = self.board.as_ref().ok_or(Trouble::Closed)?;
        match read(board, &mut self.buffer) {
            Transfer::Done(count) => {
                self.stamps.read_ns = clock::now_ns();
                let (inbox, bytes) = (&mut self.inbox, &self.buffer[..count]);
                self.endpoint.receive(self.now_us, bytes, |message| inbox.push(message));
                for at in 0..self.inbox.len() {
                    self.obey(self.inbox[at], each);
                }
                self.inbox.clear();
            }
            Transfer::WouldBlock => {}
            Transfer::Closed => return Err(Trouble::Closed),
            Transfer::Failed(code) => return Err(failed_transfer(code)),
        }
        self.report_status();
        self.carry(self.now_us)
    }

    fn stamps(&self) -> Stamps {
        self.stamps
    }

    fn finish(&mut self) -> Result<Option<String>, Trouble> {
        let give_up_us = now_us() + DRAIN_US;
        let open = |far: &Self| far.waiting.iter().any(|lane| !lane.is_empty()) || !far.pulses.is_empty();
        while open(self) && now_us() < give_up_us {
            self.receive(STATUS_US, &mut |_| {})?;
        }
        // The last reports get to the host.
        for _ in 0..STATES_BEFORE {
            self.receive(STATUS_US, &mut |_| {})?;
        }
        let unanswered = self.waiting.iter().map(VecDeque::len).sum::<usize>();
        let Faults { strange, wrong, ahead } = self.faults;
        if unanswered > 0 || strange + wrong + ahead > 0 {
            return Err(Trouble::Unsound(format!(
                "of {} pearls {unanswered} got no order; {strange} orders for no pearl, {wrong} into a bin not earned, \
                 {ahead} pearls ahead of the belt; {}",
                self.sent,
                self.running.verdict(self.sent).err().unwrap_or_default(),
            )));
        }
        self.running.verdict(self.sent).map_err(Trouble::Unsound)
    }
}

impl Drop for BusFarEnd {
    fn drop(&mut self) {
        self.board = None;
        self.host = None;
        self.running.end();
    }
}

#[cfg(test)]
mod tests {
    use units::OrderId;

    use super::*;
    use crate::belt::valve_of;

    struct Nobody;
    impl Running for Nobody {
        fn end(&mut self) {}
    }

    fn far_end() -> BusFarEnd {
        let pty = rt::port::open_pty().expect("a pty");
        BusFarEnd::new(pty, Belt::REAL, Box::new(Nobody)).expect("a far end")
    }

    /// The order that pearl 0 of a new far end asks for, into `bin`, so many ticks off.
    fn order(far: &BusFarEnd, bin: u8, off: u32) -> Fire {
        let centre = far.waiting[0].front().expect("it was sent").centre;
        Fire {
            order: OrderId(0),
            valve: valve_of(0, bin),
            on: Tick32(centre + far.belt.jet_ticks(bin) as u32 - 150 + off),
            length: 300,
        }
    }

    #[test]
    fn an_order_is_held_against_the_pearl_and_its_bin() {
        let earned = bin_of(&measurement_of(0));
        for (bin, off, answered, faults) in [
            (earned, 0, 1, (0, 0)),
            ((earned + 1) % 4, 0, 1, (0, 1)),
            (earned, 100, 0, (1, 0)),
        ] {
            let mut far = far_end();
            far.trigger(0);
            let fire = order(&far, bin, off);
            let mut count = 0;
            far.fire(&fire, &mut |_| count += 1);
            assert_eq!((count, (far.faults.strange, far.faults.wrong)), (answered, faults));
        }
    }

    #[test]
    fn pearls_of_a_lane_keep_their_pitch_and_stay_near_the_belt() {
        let mut far = far_end();
        for pearl in 0..48 {
            far.trigger(pearl);
        }
        for lane in &far.waiting {
            let centres: Vec<_> = lane.iter().map(|of| of.centre).collect();
            assert_eq!(centres.len(), 3);
            assert!(centres.windows(2).all(|pair| pair[1] - pair[0] == PITCH_TICKS));
        }
        assert_eq!(far.faults.ahead, 0, "the third lies 40 mm ahead, 40 ms at 1 m/s");
        for pearl in 48..160 {
            far.trigger(pearl);
        }
        assert!(far.faults.ahead > 0, "the belt can't be that fast");
    }
}
