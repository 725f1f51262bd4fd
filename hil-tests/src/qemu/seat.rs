//! One emulated board in its place on the line: the bytes between host and board, its clock, its encoder, its stand.
//!
//! Cold; the line's thread. Words: **run time** is the line's own, us since its beginning; the board's clock is run time and
//! an **offset** that is measured once after each start (both are the computer's own clock, so they do not drift).

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rt::poll::{Transfer, read, set_nonblocking, write};
use rt::port::{Pty, open_pty};
use sim::belt::Profile;
use stand::{FromStand, Piece, ToStand};
use units::{BoardUs32, EyeId, Tick32};
use wire::{Decoder, ENCODED_MAX, FrameWriter, FromBoard, Header, Kind, Messages, PROTOCOL, ToBoard};

use super::emulator::{Emulator, Time};

const BUFFER_BYTES: usize = 4_096;
/// Bytes that wait for a port at most; more are dropped, as a line without flow control would.
const UNSENT_MOST: usize = 64 * 1_024;
/// Pings after a start by which the offset is measured: the quickest counts.
const PINGS: u32 = 16;
/// A ping without answer is sent again after so long, us.
const PING_AGAIN_US: u64 = 100_000;
/// The first clock and counter of a board wrap so long after it was set, us and ticks.
const WRAPS_AFTER_US: u64 = 15_000_000;
const WRAPS_AFTER_TICKS: f64 = 150_000.0;
/// The belt's way is given in pieces of this length, us, so long ahead.
const PIECE_US: u64 = 5_000;
const AHEAD_US: u64 = 30_000;
/// A piece is given when the one that runs would be off by more, ticks.
const OFF_TICKS: f64 = 0.02;

/// What a board has done, in run time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) at_us: u64,
    pub(super) what: FromStand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It starts; its clock is being measured.
    Starts { left: u32, pinged_us: u64, best_us: u64 },
    /// It has clock and encoder.
    Runs,
}

/// See the module.
pub(super) struct Seat {
    emulator: Emulator,
    host: Pty,
    to_board: Vec<u8>,
    to_host: Vec<u8>,
    to_stand: Vec<u8>,
    tap: Decoder,
    decoder: Decoder,
    seq: u8,
    state: State,
    token: u32,
    /// Board time less run time, us, modulo 2^64.
    offset_us: u64,
    /// What the encoder counts at the belt's place 0, and how it counts: 1, backwards -1, not 0.
    tick_zero: f64,
    sense: f64,
    /// Starts that were asked for and have not happened.
    restarts: u32,
    /// The first start sets clock and counter shortly before their ends.
    first: bool,
    /// Until when the way was given, run time us; and the last piece: from when, from which count, at which rate.
    given_us: u64,
    last: Option<(u64, f64, f64)>,
}

impl Seat {
    pub(super) fn start(firmware: &Path, uid: u64) -> Result<Self> {
        let number = u32::try_from(uid & 0x00FF_FFFF).unwrap_or(0);
        let emulator = Emulator::start(firmware, number, Time::Wall)?;
        let host = open_pty()?;
        for port in [host.board.as_fd(), emulator.bus.as_fd(), emulator.stand.as_fd()] {
            set_nonblocking(port).context("a port")?;
        }
        Ok(Self {
            emulator,
            host,
            to_board: Vec::with_capacity(BUFFER_BYTES),
            to_host: Vec::with_capacity(BUFFER_BYTES),
            to_stand: Vec::with_capacity(BUFFER_BYTES),
            tap: Decoder::new(),
            decoder: Decoder::new(),
            seq: 0,
            state: State::Starts {
                left: PINGS,
                pinged_us: 0,
                best_us: u64::MAX,
            },
            token: 0,
            offset_us: 0,
            tick_zero: 4_294_967_296.0 - WRAPS_AFTER_TICKS,
            sense: 1.0,
            restarts: 0,
            first: true,
            given_us: 0,
            last: None,
        })
    }

    /// The path for the host.
    pub(super) fn path(&self) -> &PathBuf {
        &self.host.path
    }

    /// Ports whose bytes end a wait.
    pub(super) fn ports(&self) -> [BorrowedFd<'_>; 3] {
        [
            self.host.board.as_fd(),
            self.emulator.bus.as_fd(),
            self.emulator.stand.as_fd(),
        ]
    }

    /// Whether it has clock and encoder: before that it sees nothing of the line.
    pub(super) fn runs(&self) -> bool {
        self.state == State::Runs
    }

    pub(super) fn is_alive(&mut self) -> Result<()> {
        self.emulator.runs()
    }

    // ------------------------------------------------------------------------------------------- the field bus

    /// Carries the field bus's bytes both ways; `each` hears the messages that go to the board.
    pub(super) fn carry(&mut self, each: impl FnMut(&ToBoard)) {
        let mut buffer = [0; BUFFER_BYTES];
        let mut each = each;
        while let Transfer::Done(count @ 1..) = read(&self.host.board, &mut buffer) {
            let mut input = &buffer[..count];
            while let Some(frame) = self.tap.next(&mut input) {
                let Ok(frame) = frame else { continue };
                if frame.header.kind == Kind::Data {
                    Messages::<wire::Board>::numbered(frame.body)
                        .flatten()
                        .for_each(|message| each(&message));
                }
            }
            keep(&mut self.to_board, &buffer[..count]);
        }
        while let Transfer::Done(count @ 1..) = read(&self.emulator.bus, &mut buffer) {
            keep(&mut self.to_host, &buffer[..count]);
        }
        push_out(self.emulator.bus.as_fd(), &mut self.to_board);
        push_out(self.host.board.as_fd(), &mut self.to_host);
        push_out(self.emulator.stand.as_fd(), &mut self.to_stand);
    }

    // ------------------------------------------------------------------------------------------- the stand

    /// Says something to the stand.
    pub(super) fn say(&mut self, message: &ToStand<'_>) {
        let mut frame = [0; ENCODED_MAX];
        let len = stand::encode_to(self.seq, message, &mut frame);
        self.seq = self.seq.wrapping_add(1);
        keep(&mut self.to_stand, &frame[..len]);
        push_out(self.emulator.stand.as_fd(), &mut self.to_stand);
    }

    /// Passes on what a camera or a cell has made.
    pub(super) fn report(&mut self, message: &FromBoard<'_>) -> Result<()> {
        let header = Header {
            version: PROTOCOL,
            kind: Kind::Data,
            session: stand::SESSION,
            seq: 0,
            ack: 0,
        };
        let mut frame = FrameWriter::new(header);
        if frame.push(message).is_err() {
            bail!("a report that has no coding: {message:?}");
        }
        let mut out = [0; ENCODED_MAX];
        let len = frame.finish(&mut out);
        let (mut decoder, mut input) = (Decoder::new(), &out[..len]);
        if let Some(Ok(frame)) = decoder.next(&mut input) {
            self.say(&ToStand::Report(frame.body));
        }
        Ok(())
    }

    /// An edge of an eye at a place of the belt.
    pub(super) fn edge(&mut self, eye: EyeId, interrupted: bool, place: f64) {
        let tick = self.tick(place);
        self.say(&ToStand::Eye { eye, interrupted, tick });
    }

    /// Takes what the stand has told, in run time.
    pub(super) fn hear(&mut self, now_us: u64, out: &mut Vec<Told>) -> Result<()> {
        let mut buffer = [0; BUFFER_BYTES];
        while let Transfer::Done(count @ 1..) = read(&self.emulator.stand, &mut buffer) {
            let mut input = &buffer[..count];
            let mut decoder = core::mem::take(&mut self.decoder);
            while let Some(frame) = decoder.next(&mut input) {
                // What a start has cut short is no frame.
                let message = frame.ok().and_then(|frame| stand::decode_from(&frame).ok());
                if let Some(message) = message {
                    self.heard(message, now_us, out)?;
                }
            }
            self.decoder = decoder;
        }
        if let State::Starts { pinged_us, left, .. } = self.state
            && (now_us >= pinged_us + PING_AGAIN_US || left == PINGS && pinged_us == 0)
        {
            self.ping(now_us);
        }
        Ok(())
    }

    fn heard(&mut self, message: FromStand, now_us: u64, out: &mut Vec<Told>) -> Result<()> {
        let at = |us: u64| us.wrapping_sub(self.offset_us).min(now_us);
        match message {
            FromStand::Started { cause, .. } => {
                if self.runs() && self.restarts == 0 {
                    bail!("an emulated board has started anew by itself: {cause:?}");
                }
                self.restarts = self.restarts.saturating_sub(1);
                out.push(Told {
                    at_us: now_us,
                    what: message,
                });
                self.start_anew();
                self.ping(now_us);
            }
            FromStand::Pong { token, us, .. } => self.ponged(token, us, now_us),
            FromStand::Valve { us, .. } | FromStand::Output { us, .. } => out.push(Told {
                at_us: at(us),
                what: message,
            }),
            FromStand::Flash { .. } | FromStand::Cost(_) => out.push(Told {
                at_us: now_us,
                what: message,
            }),
        }
        Ok(())
    }

    // ------------------------------------------------------------------------------------------- clock and encoder

    /// Run time begins anew: `passed_us` of it count no more.
    pub(super) fn begin(&mut self, passed_us: u64) {
        self.offset_us = self.offset_us.wrapping_add(passed_us);
        (self.last, self.given_us) = (None, 0);
    }

    /// The board's clock at a time of the run, as it sends it.
    #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are wanted")]
    pub(super) fn board_time(&self, at_us: u64) -> BoardUs32 {
        BoardUs32(at_us.wrapping_add(self.offset_us) as u32)
    }

    fn start_anew(&mut self) {
        self.state = State::Starts {
            left: PINGS,
            pinged_us: 0,
            best_us: u64::MAX,
        };
        (self.last, self.given_us) = (None, 0);
    }

    fn ping(&mut self, now_us: u64) {
        self.token = self.token.wrapping_add(1);
        let token = self.token;
        if let State::Starts { pinged_us, .. } = &mut self.state {
            *pinged_us = now_us;
        }
        self.say(&ToStand::Ping { token });
    }

    fn ponged(&mut self, token: u32, us: u64, now_us: u64) {
        let State::Starts {
            left,
            pinged_us,
            best_us,
        } = self.state
        else {
            return;
        };
        if token != self.token {
            return;
        }
        let took_us = now_us - pinged_us;
        if took_us < best_us {
            self.offset_us = us.wrapping_sub(pinged_us + took_us / 2);
        }
        if left > 1 {
            self.state = State::Starts {
                left: left - 1,
                pinged_us,
                best_us: best_us.min(took_us),
            };
            self.ping(now_us);
            return;
        }
        if core::mem::take(&mut self.first) {
            let ahead_us = (1 << 32) - WRAPS_AFTER_US;
            // The clock is set to what it would be had it started so much earlier.
            self.offset_us = self.offset_us.wrapping_add(ahead_us);
            let clock_us = now_us.wrapping_add(self.offset_us);
            self.say(&ToStand::Clock { us: clock_us });
            // By how much it missed is measured anew.
            self.start_anew();
            self.ping(now_us);
            return;
        }
        self.state = State::Runs;
    }

    fn count(&self, place: f64) -> f64 {
        self.sense * place + self.tick_zero
    }

    /// The count at a place of the belt, as the board has it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the low 32 bits are wanted"
    )]
    pub(super) fn tick(&self, place: f64) -> Tick32 {
        Tick32(self.count(place).floor() as i64 as u32)
    }

    /// The place of the belt at which the board counts `tick`, the nearest to `near`.
    pub(super) fn place_of(&self, tick: Tick32, near: f64) -> f64 {
        near.floor() + f64::from(tick.since(self.tick(near.floor())))
    }

    /// The encoder loses ticks.
    pub(super) fn slip(&mut self, ticks: i32) {
        self.tick_zero -= f64::from(ticks);
        self.given_us = 0;
    }

    /// From this place on the encoder counts forwards (1), backwards (-1), or not (0).
    pub(super) fn count_in_sense(&mut self, sense: f64, place: f64) {
        self.tick_zero += (self.sense - sense) * place;
        self.sense = sense;
        self.given_us = 0;
    }

    /// The board is to be dark for so long, and to start anew. A board forgets its counter.
    pub(super) fn reset(&mut self, dark_us: u64) {
        self.restarts += 1;
        self.tick_zero = 0.0;
        let dark_us = u32::try_from(dark_us).unwrap_or(u32::MAX);
        self.say(&ToStand::Reset { dark_us });
        // Until it has said that it has started.
        self.state = State::Starts {
            left: PINGS,
            pinged_us: u64::MAX - PING_AGAIN_US,
            best_us: u64::MAX,
        };
    }

    /// Gives the board the belt's way, a little ahead.
    pub(super) fn turn(&mut self, belt: &Profile, now_us: u64) {
        if !self.runs() {
            return;
        }
        if self.given_us == 0 {
            self.last = None;
            self.given_us = now_us;
        }
        while self.given_us < now_us + AHEAD_US {
            let from_us = self.given_us;
            let to_us = from_us + PIECE_US;
            let here = self.count(belt.place_at(from_us as f64));
            let there = self.count(belt.place_at(to_us as f64));
            // As the board will have it: in thousandths of a tick a second.
            let rate = ((there - here) / PIECE_US as f64 * 1e9).round() * 1e-9;
            self.given_us = to_us;
            let off = self.last.map_or(f64::INFINITY, |(since_us, count, rate)| {
                let at = |us: u64| count + rate * (us - since_us) as f64;
                (at(from_us) - here).abs().max((at(to_us) - there).abs())
            });
            if off > OFF_TICKS {
                self.last = Some((from_us, here, rate));
                let piece = piece(from_us.wrapping_add(self.offset_us), here, rate);
                self.say(&ToStand::Shaft(piece));
            }
        }
    }
}

/// A piece of the way: from a board time on, at a count, at so many ticks a microsecond.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the low 32 bits are wanted, and rates of belts are small"
)]
fn piece(board_us: u64, count: f64, rate: f64) -> Piece {
    let whole = count.floor();
    Piece {
        from_us: board_us as u32,
        count: Tick32(whole as i64 as u32),
        nano: ((count - whole) * 1e9) as u32,
        rate: (rate * 1e9).round() as i32,
    }
}

/// Adds bytes that wait, or drops them when too many do.
fn keep(unsent: &mut Vec<u8>, bytes: &[u8]) {
    if unsent.len() + bytes.len() <= UNSENT_MOST {
        unsent.extend_from_slice(bytes);
    }
}

fn push_out(port: BorrowedFd<'_>, unsent: &mut Vec<u8>) {
    while !unsent.is_empty() {
        match write(port, unsent) {
            Transfer::Done(bytes) => drop(unsent.drain(..bytes)),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_the_way_is_whole_ticks_and_a_fraction_also_below_zero() {
        let here = piece(1 << 32, -0.25, 0.02);
        assert_eq!(here.from_us, 0, "board time wraps");
        assert_eq!(here.count, Tick32(u32::MAX));
        assert_eq!(here.nano, 750_000_000);
        assert_eq!(here.rate, 20_000_000, "thousandths of a tick a second");
        assert_eq!(piece(0, 4_294_967_297.5, -0.02).count, Tick32(1), "the counter wraps");
    }

    #[test]
    fn bytes_that_nobody_takes_are_dropped_not_heaped_up() {
        let mut unsent = Vec::new();
        for _ in 0..100 {
            keep(&mut unsent, &[0; BUFFER_BYTES]);
        }
        assert_eq!(unsent.len(), UNSENT_MOST);
    }
}
