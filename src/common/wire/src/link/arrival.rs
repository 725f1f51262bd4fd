//! What a frame that has come does to the connection.
//!
//! Any thread, host and board.

use super::receiver::{Place, Receiver, place};
use super::sender::Sender;
use crate::codec::{Messages, Role};
use crate::counters::{Counters, add};
use crate::frame::{Frame, FrameError, Header, Kind};

/// What a received frame acts on.
pub(super) struct Connection<'e, const WINDOW: usize> {
    pub(super) sender: &'e mut Sender<WINDOW>,
    pub(super) receiver: &'e mut Receiver,
    pub(super) counters: &'e mut Counters,
    pub(super) session: u16,
    pub(super) now_us: u64,
}

impl<const WINDOW: usize> Connection<'_, WINDOW> {
    pub(super) fn on_error(&mut self, error: FrameError) {
        let counters = &mut *self.counters;
        let (count, damaged) = match error {
            FrameError::Overrun => (&mut counters.overrun, true),
            FrameError::Cobs => (&mut counters.cobs, true),
            FrameError::Length => (&mut counters.length, true),
            FrameError::Crc => (&mut counters.crc, true),
            FrameError::Header => (&mut counters.header, false),
            FrameError::Version(version) => {
                counters.other_version = version;
                (&mut counters.version, false)
            }
        };
        add(count, 1);
        if damaged && self.session != 0 {
            self.receiver.ask(self.now_us);
        }
    }

    pub(super) fn on_frame<R: Role, F: FnMut(R::In<'_>)>(&mut self, frame: Frame<'_>, deliver: &mut F) {
        add(&mut self.counters.frames_received, 1);
        let Header {
            kind,
            session,
            seq,
            ack,
            ..
        } = frame.header;
        if kind == Kind::Connect {
            self.on_connect::<R, F>(frame, deliver);
            return;
        }
        if session != self.session {
            add(&mut self.counters.session, 1);
            return;
        }
        let place = place(seq, self.receiver.expected);
        if matches!(place, Place::Foreign) || !self.sender.may_acknowledge(ack) {
            add(&mut self.counters.window, 1);
            return;
        }
        self.sender.acknowledge(ack, self.now_us);
        if kind == Kind::Nak {
            add(&mut self.counters.naks_received, 1);
            self.sender.repeat_all(self.now_us);
        }
        match (kind, place) {
            (Kind::Data, Place::Expected) => self.on_expected::<R, F>(frame.body, deliver),
            (Kind::Data, Place::Early(by)) => {
                add(&mut self.counters.early, 1);
                self.receiver.ask_for_gap(by, self.now_us);
            }
            (Kind::Data, _) => {
                add(&mut self.counters.duplicates, 1);
                self.receiver.acknowledge_at_once(self.now_us);
            }
            (_, Place::Early(_)) => self.receiver.ask(self.now_us),
            _ => {}
        }
    }

    /// A frame is looked through whole before its first message is handed over.
    fn on_expected<R: Role, F: FnMut(R::In<'_>)>(&mut self, body: &[u8], deliver: &mut F) {
        let Ok(count) = Messages::<R>::numbered(body).check() else {
            add(&mut self.counters.malformed, 1);
            return;
        };
        self.receiver.accept(self.now_us);
        add(&mut self.counters.messages_received, count);
        Messages::<R>::numbered(body).flatten().for_each(deliver);
    }

    fn on_connect<R: Role, F: FnMut(R::In<'_>)>(&mut self, frame: Frame<'_>, deliver: &mut F) {
        let Ok(message) = Messages::<R>::connect(frame.body) else {
            add(&mut self.counters.malformed, 1);
            return;
        };
        // A Hello names the session that it begins; an Identity belongs to the session that was asked for.
        if frame.header.session != R::session_of(&message).unwrap_or(self.session) {
            add(&mut self.counters.session, 1);
            return;
        }
        add(&mut self.counters.messages_received, 1);
        deliver(message);
    }
}
