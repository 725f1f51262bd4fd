//! Messages of the stand to bytes and back: a tag, then the fields in the order of their types.
//!
//! Any thread, rig and board.

use units::{EyeId, Tick32, TriggerSeq, ValveId};
use wire::frame::seal;
use wire::{BODY_MAX, ENCODED_MAX, Frame, Header, Kind, PROTOCOL};

use crate::{Cause, Cost, FromStand, Health, Piece, SESSION, ToStand};

/// Why a frame is no message of the stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A frame of another session or kind.
    Foreign,
    /// No message has this tag.
    Tag,
    /// The message is too short or too long, or a field has a value that it can't have.
    Malformed,
}

/// Writes the frame of a message and gives its length.
///
/// # Panics
/// When a report is longer than a body of the field bus less a byte: a mistake of the caller's.
pub fn encode_to(seq: u8, message: &ToStand<'_>, out: &mut [u8; ENCODED_MAX]) -> usize {
    let body = &mut Writer::new();
    match *message {
        ToStand::Ping { token } => body.tag(0x01).u32(token),
        ToStand::Clock { us } => body.tag(0x02).u64(us),
        ToStand::Shaft(piece) => body
            .tag(0x03)
            .u32(piece.from_us)
            .u32(piece.count.0)
            .u32(piece.nano)
            .u32(piece.rate.cast_unsigned()),
        ToStand::Eye { eye, interrupted, tick } => body.tag(0x04).u8(eye.0).u8(u8::from(interrupted)).u32(tick.0),
        ToStand::Index { tick } => body.tag(0x05).u32(tick.0),
        ToStand::Channel { channel, value } => body.tag(0x06).u8(channel).u16(value),
        ToStand::Coil { valve } => body.tag(0x07).u8(valve.0),
        ToStand::Report(report) => body.tag(0x08).bytes(report),
        ToStand::Reset { dark_us } => body.tag(0x09).u32(dark_us),
        ToStand::Panic => body.tag(0x0A),
        ToStand::Hang => body.tag(0x0B),
        ToStand::Measure => body.tag(0x0C),
    }
    .seal(seq, out)
}

/// The message of a frame from the rig.
///
/// # Errors
/// When it is none.
pub fn decode_to<'a>(frame: &Frame<'a>) -> Result<ToStand<'a>, Refused> {
    let mut body = Reader::of(frame)?;
    let message = match body.u8()? {
        0x01 => ToStand::Ping { token: body.u32()? },
        0x02 => ToStand::Clock { us: body.u64()? },
        0x03 => ToStand::Shaft(Piece {
            from_us: body.u32()?,
            count: Tick32(body.u32()?),
            nano: body.u32()?,
            rate: body.u32()?.cast_signed(),
        }),
        0x04 => ToStand::Eye {
            eye: EyeId(body.u8()?),
            interrupted: body.bool()?,
            tick: Tick32(body.u32()?),
        },
        0x05 => ToStand::Index {
            tick: Tick32(body.u32()?),
        },
        0x06 => ToStand::Channel {
            channel: body.u8()?,
            value: body.u16()?,
        },
        0x07 => ToStand::Coil {
            valve: ValveId(body.u8()?),
        },
        0x08 => ToStand::Report(core::mem::take(&mut body.0)),
        0x09 => ToStand::Reset { dark_us: body.u32()? },
        0x0A => ToStand::Panic,
        0x0B => ToStand::Hang,
        0x0C => ToStand::Measure,
        _ => return Err(Refused::Tag),
    };
    body.end(message)
}

/// Writes the frame of a message and gives its length.
pub fn encode_from(seq: u8, message: &FromStand, out: &mut [u8; ENCODED_MAX]) -> usize {
    let body = &mut Writer::new();
    match *message {
        FromStand::Started { uid, starts, cause } => body.tag(0x81).u64(uid).u16(starts).u8(cause as u8),
        FromStand::Pong {
            token,
            us,
            tick,
            health,
        } => body
            .tag(0x82)
            .u32(token)
            .u64(us)
            .u32(tick.0)
            .u32(health.bus_lost)
            .u32(health.stand_lost)
            .u32(health.told_lost)
            .u32(health.stack_left),
        FromStand::Valve { valve, open, us, tick } => body.tag(0x83).u8(valve.0).u8(u8::from(open)).u64(us).u32(tick.0),
        FromStand::Output { channel, value, us } => body.tag(0x84).u8(channel).u16(value).u64(us),
        FromStand::Flash { eye, seq, tick } => body.tag(0x85).u8(eye.0).u16(seq.0).u32(tick.0),
        FromStand::Cost(cost) => body
            .tag(0x86)
            .u16(cost.queued)
            .u32(cost.first)
            .u32(cost.last)
            .u32(cost.worst)
            .u32(cost.poll),
    }
    .seal(seq, out)
}

/// The message of a frame from the board.
///
/// # Errors
/// When it is none.
pub fn decode_from(frame: &Frame<'_>) -> Result<FromStand, Refused> {
    let mut body = Reader::of(frame)?;
    let message = match body.u8()? {
        0x81 => FromStand::Started {
            uid: body.u64()?,
            starts: body.u16()?,
            cause: match body.u8()? {
                0 => Cause::Power,
                1 => Cause::Asked,
                2 => Cause::Panic,
                3 => Cause::Watchdog,
                _ => return Err(Refused::Malformed),
            },
        },
        0x82 => FromStand::Pong {
            token: body.u32()?,
            us: body.u64()?,
            tick: Tick32(body.u32()?),
            health: Health {
                bus_lost: body.u32()?,
                stand_lost: body.u32()?,
                told_lost: body.u32()?,
                stack_left: body.u32()?,
            },
        },
        0x83 => FromStand::Valve {
            valve: ValveId(body.u8()?),
            open: body.bool()?,
            us: body.u64()?,
            tick: Tick32(body.u32()?),
        },
        0x84 => FromStand::Output {
            channel: body.u8()?,
            value: body.u16()?,
            us: body.u64()?,
        },
        0x85 => FromStand::Flash {
            eye: EyeId(body.u8()?),
            seq: TriggerSeq(body.u16()?),
            tick: Tick32(body.u32()?),
        },
        0x86 => FromStand::Cost(Cost {
            queued: body.u16()?,
            first: body.u32()?,
            last: body.u32()?,
            worst: body.u32()?,
            poll: body.u32()?,
        }),
        _ => return Err(Refused::Tag),
    };
    body.end(message)
}

/// A body in the making.
struct Writer {
    bytes: [u8; BODY_MAX],
    len: usize,
}

impl Writer {
    const fn new() -> Self {
        Self {
            bytes: [0; BODY_MAX],
            len: 0,
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let end = self.len + bytes.len();
        assert!(end <= BODY_MAX, "a message of the stand fits a frame");
        self.bytes[self.len..end].copy_from_slice(bytes);
        self.len = end;
        self
    }

    fn tag(&mut self, tag: u8) -> &mut Self {
        self.u8(tag)
    }

    fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn seal(&self, seq: u8, out: &mut [u8; ENCODED_MAX]) -> usize {
        let header = Header {
            version: PROTOCOL,
            kind: Kind::Data,
            session: SESSION,
            seq,
            ack: 0,
        };
        seal(header, &self.bytes[..self.len], out)
    }
}

/// What is left of a body.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn of(frame: &Frame<'a>) -> Result<Self, Refused> {
        let ours = frame.header.kind == Kind::Data && frame.header.session == SESSION;
        if ours {
            Ok(Self(frame.body))
        } else {
            Err(Refused::Foreign)
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Refused::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, Refused> {
        self.take().map(u8::from_le_bytes)
    }

    fn bool(&mut self) -> Result<bool, Refused> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Refused::Malformed),
        }
    }

    fn u16(&mut self) -> Result<u16, Refused> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Refused> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Refused> {
        self.take().map(u64::from_le_bytes)
    }

    fn end<T>(&self, message: T) -> Result<T, Refused> {
        if self.0.is_empty() {
            Ok(message)
        } else {
            Err(Refused::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::Decoder;

    use super::*;

    fn to_stand() -> [ToStand<'static>; 12] {
        [
            ToStand::Ping { token: 7 },
            ToStand::Clock { us: 1 << 40 },
            ToStand::Shaft(Piece {
                from_us: u32::MAX,
                count: Tick32(5),
                nano: 999_999_999,
                rate: -20_000_000,
            }),
            ToStand::Eye {
                eye: EyeId(127),
                interrupted: true,
                tick: Tick32(0),
            },
            ToStand::Index { tick: Tick32(1) },
            ToStand::Channel { channel: 8, value: 1 },
            ToStand::Coil { valve: ValveId(3) },
            ToStand::Report(&[1; BODY_MAX - 1]),
            ToStand::Reset { dark_us: 500_000 },
            ToStand::Panic,
            ToStand::Hang,
            ToStand::Measure,
        ]
    }

    fn from_stand() -> [FromStand; 6] {
        [
            FromStand::Started {
                uid: 9,
                starts: 2,
                cause: Cause::Watchdog,
            },
            FromStand::Pong {
                token: 1,
                us: u64::MAX,
                tick: Tick32(3),
                health: Health {
                    bus_lost: 1,
                    stand_lost: 2,
                    told_lost: 3,
                    stack_left: 4,
                },
            },
            FromStand::Valve {
                valve: ValveId(63),
                open: true,
                us: 12,
                tick: Tick32(13),
            },
            FromStand::Output {
                channel: 1,
                value: 65_535,
                us: 3,
            },
            FromStand::Flash {
                eye: EyeId(1),
                seq: TriggerSeq(2),
                tick: Tick32(3),
            },
            FromStand::Cost(Cost {
                queued: 256,
                first: 1,
                last: 2,
                worst: 3,
                poll: 4,
            }),
        ]
    }

    /// Puts a frame on the line and takes it off.
    fn carried<T>(bytes: &[u8], look: impl FnOnce(&Frame<'_>) -> T) -> T {
        let (mut decoder, mut input) = (Decoder::new(), bytes);
        let frame = decoder.next(&mut input).expect("a frame").expect("a whole one");
        look(&frame)
    }

    #[test]
    fn every_message_comes_back_as_it_was() {
        let mut out = [0; ENCODED_MAX];
        for message in to_stand() {
            let len = encode_to(3, &message, &mut out);
            carried(&out[..len], |frame| assert_eq!(decode_to(frame), Ok(message)));
        }
        for message in from_stand() {
            let len = encode_from(3, &message, &mut out);
            carried(&out[..len], |frame| assert_eq!(decode_from(frame), Ok(message)));
        }
    }

    #[test]
    fn cut_long_and_foreign_frames_are_refused() {
        let header = Header {
            version: PROTOCOL,
            kind: Kind::Data,
            session: SESSION,
            seq: 0,
            ack: 0,
        };
        let refused = |header, body: &[u8]| decode_to(&Frame { header, body }).err();
        assert_eq!(refused(header, &[0x01, 1, 2, 3]), Some(Refused::Malformed));
        assert_eq!(refused(header, &[0x0A, 0]), Some(Refused::Malformed));
        assert_eq!(refused(header, &[0x04, 1, 2, 0, 0, 0, 0]), Some(Refused::Malformed));
        assert_eq!(refused(header, &[0x7F]), Some(Refused::Tag));
        assert_eq!(refused(header, &[]), Some(Refused::Malformed));
        let of_the_bus = Header { session: 1, ..header };
        assert_eq!(refused(of_the_bus, &[0x0A]), Some(Refused::Foreign));
    }
}
