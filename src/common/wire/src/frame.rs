//! Frames: header, body, checksum, and the stuffing that ends them with a zero.
//!
//! Any thread, host and board. [`seal`] makes the bytes of one frame; [`Decoder`] finds frames in bytes that come in pieces
//! of any size. What frames mean to the connection is in [`crate::link`].

use crate::cobs;
use crate::codec::{Body, Encode, Packer, PushError};
use crate::crc::crc32c;
use crate::limits::{CRC_BYTES, DECODED_MAX, HEADER_BYTES, OVERHEAD_BYTES};
use crate::{BODY_MAX, ENCODED_MAX};

/// Kinds of frames. The numbers are those on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Unnumbered, with exactly one message: `Hello` or `Identity`. Its layout is the same in every version.
    Connect = 0,
    /// Numbered, with messages.
    Data = 1,
    /// Acknowledges, without messages; its sequence number is that of the data frame that will be sent next.
    Ack = 2,
    /// As [`Kind::Ack`], and demands that everything from the acknowledged number on be repeated now.
    Nak = 3,
}

/// What stands before a frame's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the protocol, 1 to 15.
    pub version: u8,
    /// Kind of frame.
    pub kind: Kind,
    /// Session; never zero.
    pub session: u16,
    /// Number of this frame (data), or of the next (ack, nak); zero in a connect frame.
    pub seq: u8,
    /// Number of the frame that is expected from the other side: all before it have come. Zero in a connect frame.
    pub ack: u8,
}

/// A frame that has come whole.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its header.
    pub header: Header,
    /// Its messages, not yet decoded.
    pub body: &'a [u8],
}

/// Why bytes between two zeros are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameError {
    /// More bytes than a frame may have, without a zero.
    Overrun,
    /// The stuffing does not come out at the end.
    Cobs,
    /// Fewer bytes than header and checksum.
    Length,
    /// The checksum is another.
    Crc,
    /// A kind that does not exist, or a header that its kind can't have.
    Header,
    /// Whole, but of another version of the protocol than this crate speaks.
    Version(u8),
}

/// Writes the frame's bytes for the line into `out`, delimiter included, and gives their number:
/// `body.len()` + [`OVERHEAD_BYTES`].
///
/// # Panics
///
/// When the body is longer than [`BODY_MAX`] or `out` has no room: programmer's errors.
pub fn seal(header: Header, body: &[u8], out: &mut [u8]) -> usize {
    assert!(body.len() <= BODY_MAX, "no frame's body");
    let end = 1 + HEADER_BYTES + body.len();
    let len = end + CRC_BYTES + 1;
    let out = &mut out[..len];
    let [session_low, session_high] = header.session.to_le_bytes();
    out[1..=HEADER_BYTES].copy_from_slice(&[
        header.version << 4 | header.kind as u8,
        session_low,
        session_high,
        header.seq,
        header.ack,
    ]);
    out[1 + HEADER_BYTES..end].copy_from_slice(body);
    let crc = crc32c(&out[1..end]);
    out[end..end + CRC_BYTES].copy_from_slice(&crc.to_le_bytes());
    cobs::encode_in_place(&mut out[..len - 1]);
    out[len - 1] = 0;
    len
}

/// Collects messages for one frame. For tests and tools; a connection has [`crate::link::Endpoint`].
#[derive(Clone, Debug)]
pub struct FrameWriter {
    header: Header,
    body: Body,
    packer: Packer,
}

impl FrameWriter {
    /// A frame without messages yet.
    #[must_use]
    pub const fn new(header: Header) -> Self {
        Self {
            header,
            body: Body::new(),
            packer: Packer::new(),
        }
    }

    /// Adds a message.
    ///
    /// # Errors
    ///
    /// [`PushError::Full`] when the frame has no room for it (start another), [`PushError::Invalid`] when the message can't
    /// be coded or does not belong into this kind of frame.
    pub fn push<M: Encode>(&mut self, message: &M) -> Result<(), PushError> {
        let fits = match self.header.kind {
            Kind::Connect => message.is_connect() && self.body.is_empty(),
            Kind::Data => !message.is_connect(),
            Kind::Ack | Kind::Nak => false,
        };
        if fits {
            self.packer.push(&mut self.body, message)
        } else {
            Err(PushError::Invalid)
        }
    }

    /// Bytes that the frame will have on the line, delimiter included.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        self.body.len() + OVERHEAD_BYTES
    }

    /// Writes the frame into `out` and gives the number of bytes.
    pub fn finish(&self, out: &mut [u8; ENCODED_MAX]) -> usize {
        seal(self.header, self.body.bytes(), out)
    }
}

/// Finds frames in a stream of bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Bytes since the last zero.
    bytes: [u8; DECODED_MAX + 1],
    len: u8,
    /// More bytes have come than fit: they are thrown away up to the next zero.
    overrun: bool,
}

impl Decoder {
    /// A decoder that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; DECODED_MAX + 1],
            len: 0,
            overrun: false,
        }
    }

    /// Forgets the bytes of a frame that has begun.
    pub const fn clear(&mut self) {
        self.len = 0;
        self.overrun = false;
    }

    /// Takes bytes from the front of `input` up to the end of the next frame, or all. Gives the frame, or why there is none
    /// between two zeros, or `None` when `input` is used up. Zeros that follow one another are passed over.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Result<Frame<'_>, FrameError>> {
        loop {
            let Some(zero) = cobs::first_zero(input) else {
                let all = core::mem::take(input);
                self.append(all);
                return None;
            };
            let (head, rest) = input.split_at(zero);
            *input = &rest[1..];
            self.append(head);
            let (len, overrun) = (usize::from(self.len), self.overrun);
            self.clear();
            if overrun {
                return Some(Err(FrameError::Overrun));
            }
            if len > 0 {
                return Some(open(&mut self.bytes[..len]));
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let begin = usize::from(self.len);
        match self.bytes.get_mut(begin..begin + bytes.len()) {
            Some(room) if !self.overrun => {
                room.copy_from_slice(bytes);
                self.len += bytes.len() as u8;
            }
            _ => self.overrun = true,
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Checks the bytes between two zeros and takes them apart.
fn open(block: &mut [u8]) -> Result<Frame<'_>, FrameError> {
    cobs::decode_in_place(block).map_err(|_| FrameError::Cobs)?;
    let (covered, crc) = block[1..].split_last_chunk::<CRC_BYTES>().ok_or(FrameError::Length)?;
    let (&[first, session_low, session_high, seq, ack], body) =
        covered.split_first_chunk::<HEADER_BYTES>().ok_or(FrameError::Length)?;
    if crc32c(covered) != u32::from_le_bytes(*crc) {
        return Err(FrameError::Crc);
    }
    let kind = match first & 0x0F {
        0 => Kind::Connect,
        1 => Kind::Data,
        2 => Kind::Ack,
        3 => Kind::Nak,
        _ => return Err(FrameError::Header),
    };
    let header = Header {
        version: first >> 4,
        kind,
        session: u16::from_le_bytes([session_low, session_high]),
        seq,
        ack,
    };
    if header.version != crate::PROTOCOL && kind != Kind::Connect {
        return Err(FrameError::Version(header.version));
    }
    let fits = match kind {
        Kind::Connect => seq == 0 && ack == 0,
        Kind::Data => true,
        Kind::Ack | Kind::Nak => body.is_empty(),
    };
    if fits && header.session != 0 {
        Ok(Frame { header, body })
    } else {
        Err(FrameError::Header)
    }
}
