//! The host's side of one link, without the port: handshake, settings, silence, counts.
//!
//! Any thread; no input or output, no clock, no allocation after [`HostLink::new`]. The virtual line drives it by calls,
//! the hot loop by a port. Words: a link is **closed** without a port, **calls** until the board answers, **sets** until
//! the settings agree, then it is **ready**; a **refused** board is left alone until its port is opened anew.

use units::{BoardId, HostUs};
use wire::limits::HELLO_EVERY_US;
use wire::{Fault, FaultOf, FromBoard, Hello, HostEndpoint, Identity, PushError, ToBoard};

use crate::limits::{CALL_TIMEOUT_US, SETTING_TIMEOUT_US, WINDOW};
use crate::plan::{LinkPlan, Refusal};

/// Why a link went down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// The port is lost, or was closed.
    Port,
    /// The board has said nothing for too long.
    Silence,
    /// The board's watchdog has closed everything: it needs a new handshake.
    Watchdog,
    /// The board is not what the line needs.
    Refused(Refusal),
}

/// What a link tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LinkEvent<'a> {
    /// The board has answered and will be set.
    Up {
        /// What it is.
        identity: Identity,
    },
    /// The settings agree: messages flow from here on. Channels that were told before are told again after this.
    Ready {
        /// What the board is.
        identity: Identity,
        /// Whether it has started anew since the connection before.
        restarted: bool,
    },
    /// The board has said something; only while the link is ready.
    Message(FromBoard<'a>),
    /// The link is no longer up. Unless the port is lost or the board refused, it calls again by itself.
    Down {
        /// Why.
        reason: DownReason,
    },
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The link is not ready.
    #[error("the board is not ready")]
    NotReady,
    /// The window is full.
    #[error("too much is on its way to the board unacknowledged")]
    Full,
    /// The message has no coding.
    #[error("the message can't be coded")]
    Invalid,
}

/// Counts of a link, beside those of its [`wire::Counters`]; modulo 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Connections begun: sessions.
    pub sessions: u32,
    /// Times that it became ready.
    pub ready: u32,
    /// Times that it went down.
    pub downs: u32,
    /// Messages of the board that came before the link was ready and were not passed on.
    pub early: u32,
    /// Messages not taken because the link was not ready or its window full.
    pub not_sent: u32,
}

/// Where the handshake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Calling {
        since_us: i64,
        hello_us: i64,
    },
    Setting {
        /// Settings sent so far, in canonical order; one more when `Commit` is out too.
        sent: usize,
        give_up_us: i64,
        /// What the board said of the first setting that it did not take.
        fault: Option<Fault>,
    },
    Ready,
    Refused {
        /// It is another board than the one wanted, which may be on another port.
        stranger: bool,
    },
}

/// One link to one board.
#[derive(Debug)]
pub struct HostLink {
    endpoint: HostEndpoint<WINDOW>,
    dialogue: Dialogue,
}

/// All of a link but its endpoint.
#[derive(Debug)]
struct Dialogue {
    plan: LinkPlan,
    phase: Phase,
    identity: Option<Identity>,
    settings_crc: u32,
    /// Starts that the board told at the connection before.
    starts: Option<u16>,
    heard_us: i64,
    /// Channels told before the link was ready.
    channels: [Option<u16>; 256],
    counters: LinkCounters,
    /// The link must begin anew, for this reason.
    restart: Option<DownReason>,
}

impl HostLink {
    /// A closed link. `session` is the number of the session before the first: take it from something that differs
    /// between runs of the program, so that a board does not take the new program for the old one.
    #[must_use]
    pub fn new(plan: LinkPlan, session: u16) -> Self {
        let mut endpoint = HostEndpoint::new(plan.baud());
        endpoint.reset(session);
        let dialogue = Dialogue {
            plan,
            phase: Phase::Closed,
            identity: None,
            settings_crc: 0,
            starts: None,
            heard_us: 0,
            channels: [None; 256],
            counters: LinkCounters::default(),
            restart: None,
        };
        Self { endpoint, dialogue }
    }

    /// A port is there: calls the board in a new session.
    pub fn open(&mut self, now: HostUs) {
        let session = match self.endpoint.session().wrapping_add(1) {
            0 => 1,
            session => session,
        };
        self.endpoint.reset(session);
        self.dialogue.begin(now.0);
    }

    /// The port is lost.
    pub fn close(&mut self, mut sink: impl FnMut(LinkEvent<'_>)) {
        let was_up = self.dialogue.is_up();
        self.endpoint.reset(self.endpoint.session());
        self.dialogue.phase = Phase::Closed;
        if was_up {
            self.dialogue.count_down();
            sink(LinkEvent::Down {
                reason: DownReason::Port,
            });
        }
    }

    /// Takes bytes that came from the port.
    pub fn receive(&mut self, now: HostUs, bytes: &[u8], mut sink: impl FnMut(LinkEvent<'_>)) {
        if self.dialogue.phase == Phase::Closed {
            return;
        }
        let dialogue = &mut self.dialogue;
        self.endpoint
            .receive(micros(now), bytes, |message| dialogue.hear(now.0, message, &mut sink));
        self.settle(now, &mut sink);
    }

    /// Does what is due by time: calling again, giving up. Call it after [`Self::receive`], so that bytes which have
    /// come count before silence does.
    pub fn poll(&mut self, now: HostUs, mut sink: impl FnMut(LinkEvent<'_>)) {
        let silent = match self.dialogue.phase {
            Phase::Setting { give_up_us, .. } => now.0 >= give_up_us,
            Phase::Ready => now.0 >= self.dialogue.silent_us(),
            Phase::Calling { .. } | Phase::Closed | Phase::Refused { .. } => false,
        };
        if silent {
            self.dialogue.restart = Some(DownReason::Silence);
        }
        self.settle(now, &mut sink);
    }

    /// Writes the bytes that are to go out now into `out` and gives their number; whole frames, so give it room for
    /// [`crate::limits::WRITE_BYTES`].
    pub fn transmit(&mut self, now: HostUs, out: &mut [u8]) -> usize {
        match self.dialogue.phase {
            Phase::Closed | Phase::Refused { .. } => 0,
            Phase::Calling { since_us, hello_us } => {
                if now.0 >= hello_us {
                    let hello = Hello {
                        protocol: wire::PROTOCOL,
                        session: self.endpoint.session(),
                    };
                    let called = self.endpoint.connect(&ToBoard::Hello(hello));
                    debug_assert!(called.is_ok(), "a session runs");
                    let hello_us = now.0.saturating_add_unsigned(HELLO_EVERY_US);
                    self.dialogue.phase = Phase::Calling { since_us, hello_us };
                }
                self.endpoint.poll_transmit(micros(now), out)
            }
            Phase::Setting { .. } => {
                self.push_settings();
                self.endpoint.poll_transmit(micros(now), out)
            }
            Phase::Ready => self.endpoint.poll_transmit(micros(now), out),
        }
    }

    /// Takes a message for the board; it goes out with the next [`Self::transmit`].
    ///
    /// # Errors
    /// When the link is not ready, the window is full, or the message has no coding. The first two are counted.
    pub fn send(&mut self, message: &ToBoard) -> Result<(), SendError> {
        if self.dialogue.phase != Phase::Ready {
            self.dialogue.count_not_sent();
            return Err(SendError::NotReady);
        }
        match self.endpoint.push(message) {
            Ok(()) => {
                self.endpoint.flush();
                Ok(())
            }
            Err(PushError::Full) => {
                self.dialogue.count_not_sent();
                Err(SendError::Full)
            }
            Err(PushError::Invalid) => Err(SendError::Invalid),
        }
    }

    /// Arms the board with the settings that the handshake agreed on.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn arm(&mut self) -> Result<(), SendError> {
        self.send(&self.arm_message())
    }

    /// The message with which [`Self::arm`] arms.
    #[must_use]
    pub const fn arm_message(&self) -> ToBoard {
        ToBoard::Arm {
            settings_crc: self.dialogue.settings_crc,
        }
    }

    /// Time of the next [`Self::poll`] that has something to do.
    #[must_use]
    pub fn next_poll(&self) -> Option<HostUs> {
        match self.dialogue.phase {
            Phase::Setting { give_up_us, .. } => Some(HostUs(give_up_us)),
            Phase::Ready => Some(HostUs(self.dialogue.silent_us())),
            Phase::Calling { .. } | Phase::Closed | Phase::Refused { .. } => None,
        }
    }

    /// Time of the next [`Self::transmit`] that has something to do; one in the past means at once.
    #[must_use]
    pub fn next_transmit(&self) -> Option<HostUs> {
        let endpoint = || {
            self.endpoint
                .next_deadline()
                .map(|us| HostUs(us.min(i64::MAX as u64).cast_signed()))
        };
        match self.dialogue.phase {
            Phase::Closed | Phase::Refused { .. } => None,
            Phase::Calling { hello_us, .. } => Some(HostUs(hello_us).min(endpoint().unwrap_or(HostUs(i64::MAX)))),
            Phase::Setting { .. } | Phase::Ready => endpoint(),
        }
    }

    /// From when on the board should be looked for on another port: nobody answers on this one, or a stranger does.
    #[must_use]
    pub fn gives_port_up_at(&self) -> Option<HostUs> {
        match self.dialogue.phase {
            Phase::Calling { since_us, .. } => Some(HostUs(since_us.saturating_add(CALL_TIMEOUT_US))),
            Phase::Refused { stranger: true } => Some(HostUs(i64::MIN)),
            Phase::Refused { stranger: false } | Phase::Closed | Phase::Setting { .. } | Phase::Ready => None,
        }
    }

    /// The board's place in the line.
    #[must_use]
    pub const fn board(&self) -> BoardId {
        self.dialogue.plan.board()
    }

    /// What the line asks of the board.
    #[must_use]
    pub const fn plan(&self) -> &LinkPlan {
        &self.dialogue.plan
    }

    /// Whether messages flow.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.dialogue.phase == Phase::Ready
    }

    /// Whether there is no port.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.dialogue.phase == Phase::Closed
    }

    /// What the board is, once it has answered in this session.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        self.dialogue.identity.as_ref()
    }

    /// Counts of the link.
    #[must_use]
    pub const fn counters(&self) -> &LinkCounters {
        &self.dialogue.counters
    }

    /// Counts of the bytes, frames and repeats.
    #[must_use]
    pub const fn wire_counters(&self) -> &wire::Counters {
        self.endpoint.counters()
    }

    /// Smoothed round trip beyond the bytes' own time on the line, once measured, in microseconds.
    #[must_use]
    pub const fn round_trip_us(&self) -> Option<u32> {
        self.endpoint.round_trip_us()
    }

    /// Acts on what was heard.
    fn settle(&mut self, now: HostUs, sink: &mut impl FnMut(LinkEvent<'_>)) {
        if let Some(identity) = &self.dialogue.identity {
            self.endpoint.set_window(identity.limits.window);
        }
        if let Some(reason) = self.dialogue.restart.take() {
            self.dialogue.count_down();
            sink(LinkEvent::Down { reason });
            self.open(now);
        }
    }

    /// Sends settings as far as the window has room, and `Commit` behind them.
    fn push_settings(&mut self) {
        let Phase::Setting { sent, .. } = &mut self.dialogue.phase else {
            return;
        };
        let Some(identity) = &self.dialogue.identity else {
            return;
        };
        let all = self.dialogue.plan.all_settings(&identity.limits).map(ToBoard::Set);
        for message in all.chain([ToBoard::Commit]).skip(*sent) {
            if self.endpoint.push(&message).is_err() {
                break;
            }
            *sent += 1;
        }
        self.endpoint.flush();
    }
}

impl Dialogue {
    fn begin(&mut self, now_us: i64) {
        self.phase = Phase::Calling {
            since_us: now_us,
            hello_us: now_us,
        };
        self.identity = None;
        self.channels = [None; 256];
        self.restart = None;
        self.heard_us = now_us;
        self.counters.sessions = self.counters.sessions.wrapping_add(1);
    }

    const fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Setting { .. } | Phase::Ready)
    }

    const fn silent_us(&self) -> i64 {
        self.heard_us.saturating_add(self.plan.silence_us())
    }

    const fn count_down(&mut self) {
        self.counters.downs = self.counters.downs.wrapping_add(1);
    }

    const fn count_not_sent(&mut self) {
        self.counters.not_sent = self.counters.not_sent.wrapping_add(1);
    }

    fn hear(&mut self, now_us: i64, message: FromBoard<'_>, sink: &mut impl FnMut(LinkEvent<'_>)) {
        self.heard_us = now_us;
        match (self.phase, message) {
            (Phase::Calling { .. }, FromBoard::Identity(identity)) => self.on_identity(now_us, identity, sink),
            // The answer to a `Hello` that was said twice.
            (_, FromBoard::Identity(_)) => {}
            (Phase::Setting { fault, .. }, FromBoard::Settings { settings_crc }) => {
                self.on_settings(settings_crc, fault, sink);
            }
            (Phase::Ready, message) => {
                sink(LinkEvent::Message(message));
                if message == (FromBoard::Disarmed { by_watchdog: true }) {
                    self.restart = Some(DownReason::Watchdog);
                }
            }
            (_, message) => self.on_early(message),
        }
    }

    fn on_identity(&mut self, now_us: i64, identity: Identity, sink: &mut impl FnMut(LinkEvent<'_>)) {
        self.identity = Some(identity);
        if let Err(refusal) = self.plan.check(&identity) {
            self.refuse(refusal, sink);
            return;
        }
        sink(LinkEvent::Up { identity });
        self.settings_crc = self.plan.settings_crc(&identity.limits);
        if identity.settings_crc == self.settings_crc {
            self.on_ready(sink);
        } else {
            let give_up_us = now_us.saturating_add(SETTING_TIMEOUT_US);
            self.phase = Phase::Setting {
                sent: 0,
                give_up_us,
                fault: None,
            };
        }
    }

    fn on_settings(&mut self, theirs: u32, fault: Option<Fault>, sink: &mut impl FnMut(LinkEvent<'_>)) {
        if theirs == self.settings_crc {
            self.on_ready(sink);
        } else {
            self.refuse(
                Refusal::Settings {
                    ours: self.settings_crc,
                    theirs,
                    fault,
                },
                sink,
            );
        }
    }

    fn on_ready(&mut self, sink: &mut impl FnMut(LinkEvent<'_>)) {
        let Some(identity) = self.identity else { return };
        let restarted = self.starts.is_some_and(|starts| starts != identity.starts);
        self.starts = Some(identity.starts);
        self.phase = Phase::Ready;
        self.counters.ready = self.counters.ready.wrapping_add(1);
        sink(LinkEvent::Ready { identity, restarted });
        for channel in 0..=u8::MAX {
            if let Some(value) = self.channels[usize::from(channel)].take() {
                sink(LinkEvent::Message(FromBoard::Channel { channel, value }));
            }
        }
    }

    fn refuse(&mut self, refusal: Refusal, sink: &mut impl FnMut(LinkEvent<'_>)) {
        self.phase = Phase::Refused {
            stranger: matches!(refusal, Refusal::Uid { .. }),
        };
        self.count_down();
        sink(LinkEvent::Down {
            reason: DownReason::Refused(refusal),
        });
    }

    /// A message before the link is ready: channels are kept, for they are told once only; the rest is counted.
    fn on_early(&mut self, message: FromBoard<'_>) {
        match message {
            FromBoard::Channel { channel, value } => self.channels[usize::from(channel)] = Some(value),
            FromBoard::Fault {
                of: FaultOf::Board,
                fault: found,
            } => {
                if let Phase::Setting { fault, .. } = &mut self.phase {
                    fault.get_or_insert(found);
                }
            }
            _ => self.counters.early = self.counters.early.wrapping_add(1),
        }
    }
}

/// Host time as the endpoint counts it.
const fn micros(now: HostUs) -> u64 {
    if now.0 < 0 { 0 } else { now.0.cast_unsigned() }
}
