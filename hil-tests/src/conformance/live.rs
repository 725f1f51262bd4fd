//! A board behind a port as a subject, in real time: its link, and its stand where there is one.
//!
//! Cold, one thread.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use anyhow::{Context, Result};

use rt::clock::now_us;
use rt::poll::{Interest, Poller, Transfer, read, set_nonblocking, write};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use stand::{FromStand, ToStand};
use wire::{Decoder, ENCODED_MAX};

use super::{Abilities, Stop, Subject};

const BUFFER_BYTES: usize = 4_096;
/// How late things may be behind a serial port, us: adapters gather bytes for up to 16 ms.
const PORT_SLACK_US: u64 = 20_000;
/// Priority of the thread that speaks to a board.
const PRIORITY: u8 = 70;
/// A port that takes no bytes for so long is stuck.
const STUCK_US: u64 = 2_000_000;
/// Time between two looks at a port that takes no bytes.
const LOOK_US: u64 = 1_000;

/// See the module.
pub struct Live {
    bus: OwnedFd,
    stand: Option<Stand>,
    abilities: Abilities,
    poller: Poller,
    zero_us: i64,
}

struct Stand {
    port: OwnedFd,
    decoder: Decoder,
    seq: u8,
    expected: Option<u8>,
}

impl Live {
    /// A board behind a serial port of which only the link can be reached.
    ///
    /// # Errors
    /// When the port is missing, held by another program, no terminal, or can't have that speed.
    pub fn open(path: &Path, baud: u32) -> Result<Self> {
        let port = rt::port::open(path).with_context(|| format!("{} can't be opened", path.display()))?;
        rt::port::claim(&port).with_context(|| path.display().to_string())?;
        rt::port::make_raw(&port).with_context(|| path.display().to_string())?;
        let speed = || -> rustix::io::Result<()> {
            let mut terminal = tcgetattr(&port)?;
            terminal.set_speed(baud)?;
            tcsetattr(&port, OptionalActions::Now, &terminal)
        };
        speed().with_context(|| format!("{} can't be set to {baud} baud", path.display()))?;
        Ok(Self::new(port, None, false, PORT_SLACK_US)?)
    }

    /// A board whose link is at `bus` (a serial port in raw mode, a socket) and whose stand is at `stand`. `chip` says
    /// whether its program can be brought down, `slack_us` how late things may be here.
    ///
    /// # Errors
    /// When a port can't be made to return at once.
    pub fn new(bus: OwnedFd, stand: Option<OwnedFd>, chip: bool, slack_us: u64) -> std::io::Result<Self> {
        // The thread that speaks to a live board runs before others where it may: what it measures is the board's time.
        let _granted = rt::thread::set_fifo(PRIORITY);
        let mut poller = Poller::new();
        for port in std::iter::once(&bus).chain(&stand) {
            set_nonblocking(port)?;
            poller
                .add(port.as_fd(), Interest::Read)
                .map_err(std::io::Error::other)?;
        }
        Ok(Self {
            abilities: Abilities {
                stand: stand.is_some(),
                chip,
                slack_us,
            },
            bus,
            stand: stand.map(|port| Stand {
                port,
                decoder: Decoder::new(),
                seq: 0,
                expected: None,
            }),
            poller,
            zero_us: now_us().0,
        })
    }
}

impl Subject for Live {
    fn abilities(&self) -> Abilities {
        self.abilities
    }

    fn now_us(&self) -> u64 {
        now_us().0.abs_diff(self.zero_us)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        send_all(&self.bus, bytes)
    }

    fn receive(&mut self, until_us: u64, bytes: &mut Vec<u8>, told: &mut Vec<FromStand>) -> Result<(), Stop> {
        let (before, before_told) = (bytes.len(), told.len());
        let mut buffer = [0; BUFFER_BYTES];
        loop {
            take(&self.bus, &mut buffer, |came| bytes.extend_from_slice(came))?;
            if let Some(stand) = &mut self.stand {
                stand.take(&mut buffer, told)?;
            }
            let left_us = until_us.saturating_sub(self.now_us());
            if left_us == 0 || bytes.len() > before || told.len() > before_told {
                return Ok(());
            }
            // An interrupted wait is a short one.
            let _ready = self.poller.wait(Some(left_us));
        }
    }

    fn stand(&mut self, message: &ToStand<'_>) -> Result<(), Stop> {
        let Some(stand) = &mut self.stand else {
            return Err(Stop::NotHere("needs a test stand".to_owned()));
        };
        let mut frame = [0; ENCODED_MAX];
        let len = stand::encode_to(stand.seq, message, &mut frame);
        stand.seq = stand.seq.wrapping_add(1);
        send_all(&stand.port, &frame[..len])
    }
}

impl Stand {
    fn take(&mut self, buffer: &mut [u8], told: &mut Vec<FromStand>) -> Result<(), Stop> {
        let Self {
            port,
            decoder,
            expected,
            ..
        } = self;
        let mut wrong = None;
        take(port, buffer, |mut input| {
            while let Some(frame) = decoder.next(&mut input) {
                match frame
                    .ok()
                    .and_then(|frame| Some((frame.header.seq, stand::decode_from(&frame).ok()?)))
                {
                    Some((seq, message)) => {
                        // A board that has started counts from 0.
                        let anew = matches!(message, FromStand::Started { .. });
                        if !anew && expected.is_some_and(|expected| expected != seq) {
                            wrong = Some("the stand has lost a message");
                        }
                        *expected = Some(seq.wrapping_add(1));
                        told.push(message);
                    }
                    None => wrong = Some("the stand has sent what is no message"),
                }
            }
        })?;
        wrong.map_or(Ok(()), |wrong| Err(Stop::Error(wrong.to_owned())))
    }
}

/// Takes all bytes that have come.
fn take(port: &OwnedFd, buffer: &mut [u8], mut each: impl FnMut(&[u8])) -> Result<(), Stop> {
    loop {
        match read(port, buffer) {
            Transfer::Done(0) | Transfer::Closed => return Err(Stop::Error("the port is closed".to_owned())),
            Transfer::Done(count) => each(&buffer[..count]),
            Transfer::WouldBlock => return Ok(()),
            Transfer::Failed(error) => return Err(Stop::Error(format!("the port can't be read: {error}"))),
        }
    }
}

fn send_all(port: &OwnedFd, mut bytes: &[u8]) -> Result<(), Stop> {
    let began = now_us();
    while !bytes.is_empty() {
        match write(port, bytes) {
            Transfer::Done(count) => bytes = &bytes[count..],
            Transfer::WouldBlock if now_us().since(began).unsigned_abs() < STUCK_US => {
                std::thread::sleep(std::time::Duration::from_micros(LOOK_US));
            }
            Transfer::WouldBlock => return Err(Stop::Error("the port takes no bytes".to_owned())),
            Transfer::Closed => return Err(Stop::Error("the port is closed".to_owned())),
            Transfer::Failed(error) => return Err(Stop::Error(format!("the port can't be written: {error}"))),
        }
    }
    Ok(())
}
