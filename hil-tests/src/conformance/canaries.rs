//! Wrong boards: each is the virtual board with one thing wrong. The suite must find every one of them out.
//!
//! Cold; virtual time. A board wrong in what it says or does is a right board behind a relay that changes messages; one
//! wrong on the line is a right board whose bytes are changed.

use stand::{FromStand, ToStand};
use units::Tick32;
use wire::{
    BoardEndpoint, Decoder, ENCODED_MAX, Fault, FaultOf, FromBoard, Header, Hello, HostEndpoint, Kind, Messages,
    PROTOCOL, PushError, Status, ToBoard,
};

use super::{Abilities, Stop, Subject, VirtualBoard};

/// A board that is wrong in one way.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    /// In which.
    pub wrong: Wrong,
    /// The check that must find it out.
    pub caught_by: &'static str,
}

/// What can be wrong with a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing: the relay alone. The suite must not complain of it.
    Nothing,
    /// Its watchdog waits twice as long as it was set.
    WatchdogTooLong,
    /// Arming again feeds the watchdog.
    ArmFeeds,
    /// A board whose watchdog has fired lets itself be armed again.
    LatchForgets,
    /// Silence does not stop its feeder.
    FeederRunsOn,
    /// It fires late orders all the same.
    LateFires,
    /// It says that every cancel came in time.
    AlwaysDone,
    /// Orders that find the queue full vanish.
    SilentlyFull,
    /// Orders beyond the horizon are taken.
    NoHorizon,
    /// It reports an order twice.
    ReportsTwice,
    /// It compares ticks without thought of their end.
    TicksDoNotWrap,
    /// Its clock stops at its end.
    TimeDoesNotWrap,
    /// Its valves close 30 ms late.
    ValvesStick,
    /// Its valves open 40 ms early.
    ValvesRush,
    /// A trigger in ten vanishes, number and all.
    TriggersVanish,
    /// Its checksum is another's.
    WrongChecksum,
    /// It tests valves at a running belt.
    PulsesWhileMoving,
    /// It does not say that it has disarmed.
    SilentDisarm,
    /// It stays armed over a new session.
    StaysArmed,
    /// It does not tell that a channel has changed.
    DeafToChannels,
    /// It obeys damaged frames.
    TakesDamage,
    /// It never repeats a frame.
    NeverRepeats,
    /// It does not ask for what is missing.
    NeverAsks,
    /// It obeys whatever the session.
    AnySession,
    /// It obeys a frame that comes again, again.
    ObeysRepeats,
    /// It loses bytes of a window that comes at once.
    ShortOfRoom,
    /// It does not answer a host of another version.
    ShunsStrangers,
}

/// Every wrong board.
pub fn all() -> impl Iterator<Item = Canary> {
    use Wrong as W;
    [
        (W::WatchdogTooLong, "watchdog_fires_in_time"),
        (W::ArmFeeds, "only_feed_feeds"),
        (W::LatchForgets, "watchdog_latches"),
        (W::FeederRunsOn, "silence_stops_the_feeder"),
        (W::LateFires, "late_does_not_blow"),
        (W::AlwaysDone, "cancel_after_is_gone"),
        (W::SilentlyFull, "full_queue_refuses"),
        (W::NoHorizon, "wrong_orders_are_refused"),
        (W::ReportsTwice, "one_report_each"),
        (W::TicksDoNotWrap, "ticks_wrap"),
        (W::TimeDoesNotWrap, "time_wraps"),
        (W::ValvesStick, "never_open_too_long"),
        (W::ValvesRush, "fires_at_its_ticks"),
        (W::TriggersVanish, "eye_numbers_have_no_gap"),
        (W::WrongChecksum, "checksum_is_of_all_settings"),
        (W::PulsesWhileMoving, "pulse_is_refused_while_moving"),
        (W::SilentDisarm, "disarm_empties_the_queue"),
        (W::StaysArmed, "new_session_forgets"),
        (W::DeafToChannels, "channels_are_told"),
        (W::TakesDamage, "damage_is_dropped"),
        (W::NeverRepeats, "repeats_when_unheard"),
        (W::NeverAsks, "lost_frame_is_asked_for"),
        (W::AnySession, "other_session_refused"),
        (W::ObeysRepeats, "repeat_is_obeyed_once"),
        (W::ShortOfRoom, "window_back_to_back"),
        (W::ShunsStrangers, "any_version_is_greeted"),
    ]
    .into_iter()
    .map(|(wrong, caught_by)| Canary { wrong, caught_by })
}

impl Canary {
    /// The board.
    #[must_use]
    pub fn board(&self) -> Box<dyn Subject> {
        Box::new(WrongBoard::new(self.wrong))
    }
}

/// Speed of the relay's two links.
const BAUD: u32 = 3_000_000;
/// The relay looks at least so often, us.
const STEP_US: u64 = 100;
/// Bytes that a board short of room takes at once.
const ROOM: usize = 700;

/// A right board with something wrong before it.
pub struct WrongBoard {
    wrong: Wrong,
    board: VirtualBoard,
    /// The end that the suite speaks to, and that which speaks to the board.
    outer: BoardEndpoint<8>,
    inner: HostEndpoint<8>,
    /// Frames of the suite, and of this relay.
    coming: Decoder,
    going: Decoder,
    told: Vec<FromStand>,
    /// Frames that came, and numbers that went, in this session.
    came: Vec<Vec<u8>>,
    went: Vec<u8>,
    fed: u16,
    fed_us: u64,
    status: Option<Status>,
    triggers: u32,
    latest_at: u32,
}

impl WrongBoard {
    fn new(wrong: Wrong) -> Self {
        Self {
            wrong,
            board: VirtualBoard::new(),
            outer: BoardEndpoint::new(BAUD),
            inner: HostEndpoint::new(BAUD),
            coming: Decoder::new(),
            going: Decoder::new(),
            told: Vec::new(),
            came: Vec::new(),
            went: Vec::new(),
            fed: 0,
            fed_us: 0,
            status: None,
            triggers: 0,
            latest_at: 0,
        }
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    // ------------------------------------------------------------------------------------------- from the suite

    fn hear(&mut self, bytes: &[u8]) {
        let mut messages = Vec::new();
        let now_us = self.board.now_us();
        self.outer.receive(now_us, bytes, |message| messages.push(message));
        for message in messages {
            self.pass_on(message);
        }
    }

    fn pass_on(&mut self, message: ToBoard) {
        let tick = self.status.map_or(Tick32(0), |status| status.tick);
        let message = match message {
            ToBoard::Hello(hello) => {
                self.begin(hello);
                return;
            }
            ToBoard::Feed { count } => {
                (self.fed, self.fed_us) = (count, self.board.now_us());
                message
            }
            ToBoard::Arm { .. } if self.is(Wrong::ArmFeeds) => {
                self.say(&message);
                ToBoard::Feed { count: self.fed }
            }
            ToBoard::Fire(mut fire) if self.is(Wrong::LateFires) => {
                if fire.on.since(tick) < 200 {
                    fire.on = tick.wrapping_plus(400);
                }
                ToBoard::Fire(fire)
            }
            ToBoard::Fire(fire) if self.is(Wrong::TicksDoNotWrap) && fire.on.0 < tick.0 => {
                let order = fire.order;
                self.answer(FromBoard::Late { order, tick });
                return;
            }
            other => other,
        };
        self.say(&message);
    }

    fn begin(&mut self, hello: Hello) {
        if hello.session != self.outer.session() {
            self.outer.reset(hello.session);
            self.inner.reset(hello.session);
            self.came.clear();
            self.went.clear();
            self.status = None;
        }
        let called = self.inner.connect(&ToBoard::Hello(hello));
        debug_assert_eq!(called, Ok(()), "a session has begun");
    }

    fn say(&mut self, message: &ToBoard) {
        let pushed = self.inner.push(message);
        debug_assert!(pushed != Err(PushError::Full), "the relay keeps up");
        self.inner.flush();
    }

    // ------------------------------------------------------------------------------------------- from the board

    fn answer(&mut self, message: FromBoard<'_>) {
        if let FromBoard::Identity(_) = message {
            let answered = self.outer.connect(&message);
            debug_assert_eq!(answered, Ok(()), "a session has begun");
        } else if self.outer.push(&message) == Ok(()) {
            self.outer.flush();
        }
    }

    fn take_back(&mut self, message: FromBoard<'_>) {
        let message = match message {
            FromBoard::Status(status) => {
                self.status = Some(status);
                FromBoard::Status(self.worsened(status))
            }
            FromBoard::Gone { order } if self.is(Wrong::AlwaysDone) => FromBoard::Done { order },
            FromBoard::Fired { .. } if self.is(Wrong::ReportsTwice) => {
                self.answer(message);
                message
            }
            FromBoard::Settings { settings_crc } if self.is(Wrong::WrongChecksum) => FromBoard::Settings {
                settings_crc: settings_crc ^ 1,
            },
            FromBoard::Fault { of, fault } => match self.excuse(of, fault) {
                Some(message) => message,
                None => return,
            },
            FromBoard::Trigger { .. } => {
                self.triggers += 1;
                if self.is(Wrong::TriggersVanish) && self.triggers.is_multiple_of(10) {
                    return;
                }
                message
            }
            FromBoard::Disarmed { by_watchdog: false } if self.is(Wrong::SilentDisarm) => return,
            FromBoard::Channel { channel: 0, value: 0 } if self.is(Wrong::FeederRunsOn) => return,
            FromBoard::Channel { channel: 8, value: 0 } if self.is(Wrong::DeafToChannels) => return,
            other => other,
        };
        self.answer(message);
    }

    fn worsened(&mut self, status: Status) -> Status {
        let mut status = status;
        if self.is(Wrong::StaysArmed) {
            status.armed = true;
        }
        if self.is(Wrong::TimeDoesNotWrap) {
            self.latest_at = self.latest_at.max(status.at.0);
            status.at.0 = self.latest_at;
        }
        status
    }

    /// What a board says that ought to refuse and does not.
    fn excuse(&self, of: FaultOf, fault: Fault) -> Option<FromBoard<'static>> {
        match (self.wrong, of, fault) {
            (Wrong::SilentlyFull, _, Fault::QueueFull) | (Wrong::NoHorizon, _, Fault::Horizon) => None,
            (Wrong::LatchForgets, FaultOf::Board, Fault::Watchdog) => Some(FromBoard::Armed),
            (Wrong::PulsesWhileMoving, FaultOf::Valve(valve), Fault::Moving) => Some(FromBoard::Pulsed { valve }),
            _ => Some(FromBoard::Fault { of, fault }),
        }
    }

    fn retold(&self, told: FromStand) -> Option<FromStand> {
        match told {
            FromStand::Valve {
                valve,
                open: false,
                us,
                tick,
            } if self.is(Wrong::ValvesStick) => Some(FromStand::Valve {
                valve,
                open: false,
                us: us + 30_000,
                tick: tick.wrapping_plus(600),
            }),
            FromStand::Valve {
                valve,
                open: true,
                us,
                tick,
            } if self.is(Wrong::ValvesRush) => Some(FromStand::Valve {
                valve,
                open: true,
                us: us - 40_000,
                tick: tick.wrapping_plus(-800),
            }),
            FromStand::Output {
                channel: 0, value: 0, ..
            } if self.is(Wrong::FeederRunsOn) => None,
            other => Some(other),
        }
    }

    // ------------------------------------------------------------------------------------------- bytes on the line

    /// Carries bytes both ways until nothing moves.
    fn carry(&mut self, bytes: &mut Vec<u8>) -> Result<(), Stop> {
        let now_us = self.board.now_us();
        if self.is(Wrong::WatchdogTooLong) {
            let silent_us = now_us - self.fed_us.min(now_us);
            if (90_000..190_000).contains(&silent_us) && self.inner.is_idle() {
                let count = self.fed;
                self.say(&ToBoard::Feed { count });
            }
        }
        let mut out = [0; 2 * ENCODED_MAX];
        loop {
            let to_board = self.inner.poll_transmit(now_us, &mut out);
            self.board.send(&out[..to_board])?;
            let mut from_board = Vec::new();
            let mut told = Vec::new();
            self.board.receive(now_us, &mut from_board, &mut told)?;
            let told: Vec<FromStand> = told.into_iter().filter_map(|told| self.retold(told)).collect();
            self.told.extend(told);
            self.take_all_back(&from_board);
            let to_suite = self.outer.poll_transmit(now_us, &mut out);
            self.send_on(&out[..to_suite], bytes);
            if to_board + from_board.len() + to_suite == 0 {
                return Ok(());
            }
        }
    }

    fn take_all_back(&mut self, bytes: &[u8]) {
        // The endpoint is lent out while it hands over messages that go on to another.
        let mut inner = core::mem::replace(&mut self.inner, HostEndpoint::new(BAUD));
        inner.receive(self.board.now_us(), bytes, |message| self.take_back(message));
        self.inner = inner;
    }

    /// Frames to the suite, but for those that a wrong board does not send.
    fn send_on(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut input = bytes;
        let mut going = core::mem::take(&mut self.going);
        while let Some(frame) = going.next(&mut input) {
            let Ok(frame) = frame else { continue };
            let header = frame.header;
            let again = header.kind == Kind::Data && self.went.contains(&header.seq);
            let held = again && self.is(Wrong::NeverRepeats) || header.kind == Kind::Nak && self.is(Wrong::NeverAsks);
            if header.kind == Kind::Data && !again {
                self.went.push(header.seq);
                let keep = self.went.len().saturating_sub(64);
                self.went.drain(..keep);
            }
            if !held {
                let mut coded = [0; ENCODED_MAX];
                let len = wire::frame::seal(header, frame.body, &mut coded);
                out.extend_from_slice(&coded[..len]);
            }
        }
        self.going = going;
    }

    /// Frames of the suite that a wrong board takes where a right one does not.
    fn mistaken(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self.wrong {
            Wrong::ShortOfRoom => bytes[..bytes.len().min(ROOM)].to_vec(),
            Wrong::TakesDamage => bytes.split(|byte| *byte == 0).flat_map(mended).collect(),
            Wrong::AnySession | Wrong::ShunsStrangers | Wrong::ObeysRepeats => self.reframed(bytes),
            _ => bytes.to_vec(),
        }
    }

    fn reframed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut input = bytes;
        let mut coming = core::mem::take(&mut self.coming);
        while let Some(frame) = coming.next(&mut input) {
            let Ok(frame) = frame else { continue };
            let (header, body) = (frame.header, frame.body.to_vec());
            let data = header.kind == Kind::Data;
            let mut coded = [0; ENCODED_MAX];
            let session = if self.is(Wrong::AnySession) && data {
                self.outer.session()
            } else {
                header.session
            };
            let len = wire::frame::seal(Header { session, ..header }, &body, &mut coded);
            if self.is(Wrong::ShunsStrangers) && header.version != PROTOCOL {
                continue;
            }
            let again = data && self.came.contains(&body);
            if data {
                self.came.push(body.clone());
            }
            out.extend_from_slice(&coded[..len]);
            if again && self.is(Wrong::ObeysRepeats) {
                for message in Messages::<wire::Board>::numbered(&body).flatten() {
                    self.say(&message);
                }
            }
        }
        self.coming = coming;
        out
    }
}

/// A frame with its checksum put right.
fn mended(block: &[u8]) -> Vec<u8> {
    let mut block = block.to_vec();
    if block.len() < 11 || wire::cobs::decode_in_place(&mut block).is_err() {
        return vec![0];
    }
    let end = block.len() - 4;
    let header = Header {
        version: PROTOCOL,
        kind: if block[1] & 0x0F == 0 {
            Kind::Connect
        } else {
            Kind::Data
        },
        session: u16::from_le_bytes([block[2], block[3]]).max(1),
        seq: block[4],
        ack: block[5],
    };
    let mut coded = [0; ENCODED_MAX];
    let len = wire::frame::seal(header, &block[6..end], &mut coded);
    coded[..len].to_vec()
}

impl Subject for WrongBoard {
    fn abilities(&self) -> Abilities {
        self.board.abilities()
    }

    fn now_us(&self) -> u64 {
        self.board.now_us()
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let bytes = self.mistaken(bytes);
        self.hear(&bytes);
        Ok(())
    }

    fn receive(&mut self, until_us: u64, bytes: &mut Vec<u8>, told: &mut Vec<FromStand>) -> Result<(), Stop> {
        let (before, before_told) = (bytes.len(), told.len());
        loop {
            self.carry(bytes)?;
            told.append(&mut self.told);
            let now_us = self.now_us();
            if bytes.len() > before || told.len() > before_told || now_us >= until_us {
                return Ok(());
            }
            let (mut from_board, mut said) = (Vec::new(), Vec::new());
            self.board
                .receive(until_us.min(now_us + STEP_US), &mut from_board, &mut said)?;
            let said: Vec<FromStand> = said.into_iter().filter_map(|told| self.retold(told)).collect();
            self.told.extend(said);
            self.take_all_back(&from_board);
        }
    }

    fn stand(&mut self, message: &ToStand<'_>) -> Result<(), Stop> {
        self.board.stand(message)
    }
}
