//! A serial port with deadlines: lines of text and exact numbers of bytes, or why not. Cold; blocks.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serialport::{ClearBuffer, DataBits, Parity, SerialPort as _, StopBits, TTYPort};

use crate::Refusal;
use crate::limits::LINE_BYTES;

/// How the line is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Line {
    /// Bits a second.
    pub baud: u32,
    /// Data bits: 7 or 8.
    #[serde(default = "eight")]
    pub data_bits: u8,
    /// Parity.
    #[serde(default)]
    pub parity: ParityName,
    /// Stop bits: 1 or 2.
    #[serde(default = "one")]
    pub stop_bits: u8,
}

/// Parity by its name in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParityName {
    /// No parity bit.
    #[default]
    None,
    /// Even number of ones.
    Even,
    /// Odd number of ones.
    Odd,
}

const fn eight() -> u8 {
    8
}

const fn one() -> u8 {
    1
}

/// An open port.
#[derive(Debug)]
pub(crate) struct Port {
    port: TTYPort,
    timeout: Duration,
    /// Bytes read beyond the line or frame asked for.
    ahead: Vec<u8>,
}

impl Port {
    pub(crate) fn open(path: &Path, line: &Line, timeout: Duration) -> Result<Self, Refusal> {
        let parity = match line.parity {
            ParityName::None => Parity::None,
            ParityName::Even => Parity::Even,
            ParityName::Odd => Parity::Odd,
        };
        let data_bits = if line.data_bits == 7 {
            DataBits::Seven
        } else {
            DataBits::Eight
        };
        let stop_bits = if line.stop_bits == 2 {
            StopBits::Two
        } else {
            StopBits::One
        };
        let builder = serialport::new(path.to_string_lossy(), line.baud)
            .parity(parity)
            .data_bits(data_bits)
            .stop_bits(stop_bits)
            .timeout(timeout);
        let port = TTYPort::open(&builder).map_err(|source| Refusal::Port {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            port,
            timeout,
            ahead: Vec::new(),
        })
    }

    /// When a call that begins now has to end.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    pub(crate) fn silent(&self) -> Refusal {
        Refusal::Silent {
            after_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Throws away what has come so far.
    pub(crate) fn discard(&mut self) -> Result<(), Refusal> {
        self.ahead.clear();
        self.port.clear(ClearBuffer::Input).map_err(cut)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        match self.port.write_all(bytes) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(self.silent()),
            written => written.map_err(Refusal::Cut),
        }
    }

    /// Waits until something more has come.
    fn hear(&mut self, deadline: Instant) -> Result<(), Refusal> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.silent());
        }
        self.port.set_timeout(left).map_err(cut)?;
        let mut bytes = [0; 256];
        match self.port.read(&mut bytes) {
            Ok(0) => Err(Refusal::Cut(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                self.ahead.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(self.silent()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(Refusal::Cut(error)),
        }
    }

    /// Exactly `count` bytes.
    pub(crate) fn read_exact(&mut self, count: usize, deadline: Instant) -> Result<Vec<u8>, Refusal> {
        while self.ahead.len() < count {
            self.hear(deadline)?;
        }
        Ok(self.ahead.drain(..count).collect())
    }

    /// A line without its end (CR, LF, or both); empty lines are passed over.
    pub(crate) fn read_line(&mut self, deadline: Instant) -> Result<Vec<u8>, Refusal> {
        let is_end = |byte: &u8| *byte == b'\n' || *byte == b'\r';
        loop {
            let begin = self.ahead.iter().position(|byte| !is_end(byte));
            self.ahead.drain(..begin.unwrap_or(self.ahead.len()));
            if let Some(end) = self.ahead.iter().position(is_end) {
                let mut line: Vec<u8> = self.ahead.drain(..=end).collect();
                line.pop();
                return Ok(line);
            }
            if self.ahead.len() > LINE_BYTES {
                let heard = std::mem::take(&mut self.ahead);
                return Err(Refusal::garbled(
                    "no line's end within its longest length",
                    &heard[..32],
                ));
            }
            self.hear(deadline)?;
        }
    }

    /// Waits until a line's end has gone by, so that the next line is whole.
    pub(crate) fn skip_to_line(&mut self, deadline: Instant) -> Result<(), Refusal> {
        let mut passed = 0;
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n' || *byte == b'\r') {
                self.ahead.drain(..end);
                return Ok(());
            }
            passed += self.ahead.len();
            if passed > LINE_BYTES {
                let heard = std::mem::take(&mut self.ahead);
                return Err(Refusal::garbled("no line's end within its longest length", &heard));
            }
            self.ahead.clear();
            self.hear(deadline)?;
        }
    }

    /// Listens until the line has been silent for `quiet`, so that a late answer is not taken for the next one.
    pub(crate) fn wait_for_silence(&mut self, quiet: Duration) -> Result<(), Refusal> {
        let last = self.deadline() + quiet;
        loop {
            self.ahead.clear();
            match self.hear((Instant::now() + quiet).min(last)) {
                Ok(()) if Instant::now() < last => {}
                Ok(()) => return Err(Refusal::garbled("the scale talks without being asked", &self.ahead)),
                Err(Refusal::Silent { .. }) => return Ok(()),
                Err(other) => return Err(other),
            }
        }
    }
}

fn cut(error: serialport::Error) -> Refusal {
    Refusal::Cut(error.into())
}
