//! The connection: both directions numbered, acknowledged and repeated. Host and board run these very lines.
//!
//! Any thread; no input or output, no clock: the caller brings bytes and microseconds (of any clock that does not run
//! backwards) and carries bytes away. Words: a frame is **open** while messages are added, **sealed** when its number is
//! fixed, **on the way** when it was sent and is not yet acknowledged. Rules and times are in `docs/WIRE.md`.
//!
//! The receiver keeps no frames: what comes after a gap is dropped and comes again from the missing one on (go-back-N). A
//! serial line keeps the order, so a gap is certain at the first frame behind it and is answered by a `Nak` at once. A
//! time-out repeats only the oldest frame: its acknowledgement says what else is missing.

mod arrival;
mod receiver;
mod sender;

use arrival::Connection;
use receiver::Receiver;
use sender::Sender;

use crate::PROTOCOL;
use crate::codec::{Body, Encode, Packer, PushError, Role};
use crate::counters::{Counters, add};
use crate::frame::{Decoder, Header, Kind, seal};
use crate::limits::{OVERHEAD_BYTES, WINDOW_MAX};

/// One end of a link; `WINDOW` frames are kept until acknowledged, the open one included.
#[derive(Debug)]
pub struct Endpoint<R, const WINDOW: usize> {
    decoder: Decoder,
    sender: Sender<WINDOW>,
    receiver: Receiver,
    counters: Counters,
    session: u16,
    role: core::marker::PhantomData<R>,
}

/// The host's end.
pub type HostEndpoint<const WINDOW: usize> = Endpoint<crate::Host, WINDOW>;
/// A board's end.
pub type BoardEndpoint<const WINDOW: usize> = Endpoint<crate::Board, WINDOW>;

impl<R: Role, const WINDOW: usize> Endpoint<R, WINDOW> {
    const WINDOW_FITS: () = assert!(
        WINDOW >= 2 && WINDOW <= WINDOW_MAX,
        "a window has 2 to WINDOW_MAX frames"
    );

    /// An end without a session: it refuses all but connect frames. `baud` is the line's speed; for a line without one (a
    /// pseudo-terminal) give the speed that it reaches.
    #[must_use]
    pub const fn new(baud: u32) -> Self {
        const { Self::WINDOW_FITS };
        Self {
            decoder: Decoder::new(),
            sender: Sender::new(baud),
            receiver: Receiver::new(),
            counters: Counters::new(),
            session: 0,
            role: core::marker::PhantomData,
        }
    }

    /// Begins `session` (0: none): nothing is kept but the counts. Messages not yet acknowledged are counted as dropped.
    pub fn reset(&mut self, session: u16) {
        add(&mut self.counters.dropped, self.sender.messages_kept());
        self.sender.reset();
        self.receiver = Receiver::new();
        self.session = session;
    }

    /// The session that runs; 0 before the first.
    #[must_use]
    pub const fn session(&self) -> u16 {
        self.session
    }

    /// Holds the frames on the way to what the other side allows (`BoardLimits::window`); at least one.
    pub fn set_window(&mut self, frames: u8) {
        self.sender.window = usize::from(frames).clamp(1, WINDOW);
    }

    /// Sends a connect message (`Hello`, `Identity`) ahead of all else, in a frame of the present session. A second one
    /// takes the place of the first that is not yet out.
    ///
    /// # Errors
    ///
    /// [`PushError::Invalid`] for any other message, or without a session.
    pub fn connect(&mut self, message: &R::Out<'_>) -> Result<(), PushError> {
        if !message.is_connect() || self.session == 0 {
            return Err(PushError::Invalid);
        }
        let mut body = Body::new();
        Packer::new().push(&mut body, message)?;
        self.sender.connect = Some(body);
        add(&mut self.counters.messages_sent, 1);
        Ok(())
    }

    /// Adds a message to the open frame, or to a new one when it is full. It goes out with the next [`Self::flush`], or when
    /// its frame is full.
    ///
    /// # Errors
    ///
    /// [`PushError::Full`] (counted) when all frames of the window are taken, [`PushError::Invalid`] when the message can't
    /// be coded, is a connect message, or there is no session.
    pub fn push(&mut self, message: &R::Out<'_>) -> Result<(), PushError> {
        if message.is_connect() || self.session == 0 {
            return Err(PushError::Invalid);
        }
        let pushed = self.sender.push(message);
        match pushed {
            Ok(()) => add(&mut self.counters.messages_sent, 1),
            Err(PushError::Full) => add(&mut self.counters.full, 1),
            Err(PushError::Invalid) => {}
        }
        pushed
    }

    /// Lets the open frame go out when its turn comes. Messages still join it until then.
    pub fn flush(&mut self) {
        self.sender.flush = !self.sender.open_is_empty();
    }

    /// Writes what must go out now into `out`, whole frames only, and gives the number of bytes. Call it when there is room
    /// on the line: after a push and flush, after [`Self::receive`], and at [`Self::next_deadline`]. On a slow line give
    /// room for one frame at a time, and only when the driver's buffer is nearly empty: acknowledgements ride on what goes
    /// out last.
    pub fn poll_transmit(&mut self, now_us: u64, out: &mut [u8]) -> usize {
        let mut out = Out { bytes: out, len: 0 };
        self.send_connect(now_us, &mut out);
        if self.session == 0 {
            return out.len;
        }
        if self.receiver.nak_due && self.send_bare(Kind::Nak, now_us, &mut out) {
            self.receiver.nak_due = false;
            add(&mut self.counters.naks_sent, 1);
        }
        self.sender.check_timeout(now_us, &mut self.counters);
        while self.send_data(now_us, &mut out) {}
        if self.receiver.ack_is_due(now_us) {
            self.send_bare(Kind::Ack, now_us, &mut out);
        }
        out.len
    }

    /// When [`Self::poll_transmit`] has something to do if nothing else happens; `Some(0)`: at once; `None`: never.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        if self.sender.connect.is_some() {
            return Some(0);
        }
        if self.session == 0 {
            return None;
        }
        if self.receiver.nak_due || self.sender.may_send() {
            return Some(0);
        }
        let ack = (self.receiver.unacknowledged > 0).then_some(self.receiver.ack_by_us);
        [ack, self.sender.timeout_at_us()].into_iter().flatten().min()
    }

    /// Takes bytes from the line, in pieces of any size, and hands over the messages of this session in order, each exactly
    /// once; connect messages as they come (a board answers each `Hello`; see `docs/WIRE.md`).
    pub fn receive<F: FnMut(R::In<'_>)>(&mut self, now_us: u64, bytes: &[u8], mut deliver: F) {
        add(&mut self.counters.bytes_received, bytes.len() as u32);
        let mut input = bytes;
        let mut connection = Connection::<WINDOW> {
            sender: &mut self.sender,
            receiver: &mut self.receiver,
            counters: &mut self.counters,
            session: self.session,
            now_us,
        };
        while let Some(frame) = self.decoder.next(&mut input) {
            match frame {
                Ok(frame) => connection.on_frame::<R, F>(frame, &mut deliver),
                Err(error) => connection.on_error(error),
            }
        }
    }

    /// What was counted since the endpoint was made.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether everything pushed has gone out and been acknowledged.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sender.sealed == 0 && self.sender.open_is_empty() && self.sender.connect.is_none()
    }

    /// Frames on the way.
    #[must_use]
    pub const fn on_the_way(&self) -> usize {
        self.sender.ever_sent
    }

    /// How long frames have been on the way without any acknowledgement of a new one, in microseconds; 0 when none is. The
    /// link is dead when this grows: only the caller knows how long is too long.
    #[must_use]
    pub const fn stuck_for_us(&self, now_us: u64) -> u64 {
        if self.sender.ever_sent == 0 {
            0
        } else {
            now_us.saturating_sub(self.sender.waiting_since_us)
        }
    }

    /// Smoothed round trip beyond the bytes' own time on the line, once measured, in microseconds.
    #[must_use]
    pub const fn round_trip_us(&self) -> Option<u32> {
        self.sender.timing.round_trip_us()
    }

    fn header(&self, kind: Kind, seq: u8) -> Header {
        Header {
            version: PROTOCOL,
            kind,
            session: self.session,
            seq,
            ack: self.receiver.expected,
        }
    }

    /// Sends the connect frame that waits. A zero before it ends whatever noise the line has carried.
    fn send_connect(&mut self, now_us: u64, out: &mut Out<'_>) {
        let Some(body) = self.sender.connect else { return };
        if out.room() < 1 + body.len() + OVERHEAD_BYTES {
            return;
        }
        out.put_zero();
        let header = Header {
            ack: 0,
            ..self.header(Kind::Connect, 0)
        };
        let bytes = 1 + out.put_frame(header, body.bytes());
        self.sender.connect = None;
        self.count_sent(now_us, bytes);
    }

    /// Sends a frame without messages if there is room.
    fn send_bare(&mut self, kind: Kind, now_us: u64, out: &mut Out<'_>) -> bool {
        if out.room() < OVERHEAD_BYTES {
            return false;
        }
        let bytes = out.put_frame(self.header(kind, self.sender.next_seq()), &[]);
        self.receiver.acknowledged();
        self.count_sent(now_us, bytes);
        true
    }

    /// Sends the next data frame if there is one, the window allows it and there is room.
    fn send_data(&mut self, now_us: u64, out: &mut Out<'_>) -> bool {
        if !self.sender.may_send() || out.room() < self.sender.next_slot().body.len() + OVERHEAD_BYTES {
            return false;
        }
        self.sender.seal_if_open();
        let header = self.header(Kind::Data, self.sender.next_seq());
        let bytes = out.put_frame(header, self.sender.next_slot().body.bytes());
        self.receiver.acknowledged();
        let carried_us = self.count_sent(now_us, bytes);
        if self.sender.mark_sent(carried_us, now_us) {
            add(&mut self.counters.repeats, 1);
        }
        true
    }

    fn count_sent(&mut self, now_us: u64, bytes: usize) -> u64 {
        add(&mut self.counters.frames_sent, 1);
        add(&mut self.counters.bytes_sent, bytes as u32);
        self.sender.timing.sent(now_us, bytes)
    }
}

/// Room for bytes that go out.
struct Out<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Out<'_> {
    fn room(&self) -> usize {
        self.bytes.len() - self.len
    }

    fn put_zero(&mut self) {
        self.bytes[self.len] = 0;
        self.len += 1;
    }

    fn put_frame(&mut self, header: Header, body: &[u8]) -> usize {
        let bytes = seal(header, body, &mut self.bytes[self.len..]);
        self.len += bytes;
        bytes
    }
}
