//! Codec of [`ToBoard`].
//!
//! Any thread, host and board.

use units::ValveId;

use super::primitives::{Head, Source};
use super::{Coded, DecodeError, Encode, Packer, PushError};
use crate::limits::FIRE_BLOCK_MAX;
use crate::message::{Amend, Fire, Hello, Setting, ToBoard};
use crate::settings;

/// First bytes of the messages from host to board.
pub mod tag {
    /// `Hello`.
    pub const HELLO: u8 = 0x01;
    /// `Set`.
    pub const SET: u8 = 0x02;
    /// `Commit`.
    pub const COMMIT: u8 = 0x03;
    /// `Arm`.
    pub const ARM: u8 = 0x04;
    /// `Disarm`.
    pub const DISARM: u8 = 0x05;
    /// `Feed`.
    pub const FEED: u8 = 0x06;
    /// `Amend`.
    pub const AMEND: u8 = 0x07;
    /// `Output`.
    pub const OUTPUT: u8 = 0x08;
    /// `Pulse`.
    pub const PULSE: u8 = 0x09;
    /// A block of `Fire`: this, plus its number of orders less one.
    pub const FIRE_BLOCK: u8 = 0x80;
}

impl Encode for ToBoard {
    fn is_connect(&self) -> bool {
        matches!(self, Self::Hello(_))
    }

    fn encode(&self, head: &mut Head, packer: &mut Packer) -> Result<Coded<'_>, PushError> {
        match *self {
            Self::Hello(Hello { protocol, session }) => {
                if session == 0 {
                    return Err(PushError::Invalid);
                }
                head.put([tag::HELLO, protocol]);
                head.u16(session);
            }
            Self::Set(Setting { key, index, value }) => {
                head.put([tag::SET, key as u8, index]);
                head.u32(value);
            }
            Self::Commit => head.u8(tag::COMMIT),
            Self::Arm { settings_crc } => {
                head.u8(tag::ARM);
                head.u32(settings_crc);
            }
            Self::Disarm => head.u8(tag::DISARM),
            Self::Feed { count } => {
                head.u8(tag::FEED);
                head.u16(count);
            }
            Self::Fire(fire) => return encode_fire(fire, head, packer),
            Self::Amend(Amend { order, length }) => {
                head.u8(tag::AMEND);
                head.order(order, &mut packer.context);
                head.varint(u32::from(length));
            }
            Self::Output { channel, value } => {
                head.put([tag::OUTPUT, channel]);
                head.u16(value);
            }
            Self::Pulse { valve, us } => {
                head.put([tag::PULSE, valve.0]);
                head.u16(us);
            }
        }
        Ok(Coded::Whole)
    }
}

/// A fire order goes into the open block when its number follows; else it begins one.
fn encode_fire(fire: Fire, head: &mut Head, packer: &mut Packer) -> Result<Coded<'static>, PushError> {
    let Fire {
        order,
        valve,
        on,
        length,
    } = fire;
    if length == 0 {
        return Err(PushError::Invalid);
    }
    let follows = packer.context.order == Some(order.0.wrapping_sub(1));
    let coded = match packer.block {
        Some((_, entries)) if follows && usize::from(entries) < FIRE_BLOCK_MAX => {
            packer.context.order = Some(order.0);
            Coded::InBlock
        }
        _ => {
            head.u8(tag::FIRE_BLOCK);
            head.order(order, &mut packer.context);
            Coded::NewBlock
        }
    };
    head.u8(valve.0);
    head.tick(on, &mut packer.context);
    head.length(length, &mut packer.context);
    Ok(coded)
}

/// Decodes one message.
pub(super) fn decode(source: &mut Source<'_>) -> Result<ToBoard, DecodeError> {
    if source.block_left > 0 {
        let order = units::OrderId(source.context.order.unwrap_or_default()).next();
        source.context.order = Some(order.0);
        return decode_fire(source, order);
    }
    let tag = source.u8()?;
    if (tag == tag::HELLO) != source.connect {
        return Err(DecodeError::Tag(tag));
    }
    if tag & tag::FIRE_BLOCK != 0 {
        source.block_left = (tag & !tag::FIRE_BLOCK) + 1;
        let order = source.order()?;
        return decode_fire(source, order);
    }
    Ok(match tag {
        tag::HELLO => {
            let (protocol, session) = (source.u8()?, source.u16()?);
            if session == 0 {
                return Err(DecodeError::Value);
            }
            ToBoard::Hello(Hello { protocol, session })
        }
        tag::SET => {
            let &[key, index] = source.array()?;
            let key = settings::from_number(key).ok_or(DecodeError::Value)?;
            ToBoard::Set(Setting {
                key,
                index,
                value: source.u32()?,
            })
        }
        tag::COMMIT => ToBoard::Commit,
        tag::ARM => ToBoard::Arm {
            settings_crc: source.u32()?,
        },
        tag::DISARM => ToBoard::Disarm,
        tag::FEED => ToBoard::Feed { count: source.u16()? },
        tag::AMEND => ToBoard::Amend(Amend {
            order: source.order()?,
            length: source.varint16()?,
        }),
        tag::OUTPUT => ToBoard::Output {
            channel: source.u8()?,
            value: source.u16()?,
        },
        tag::PULSE => ToBoard::Pulse {
            valve: ValveId(source.u8()?),
            us: source.u16()?,
        },
        _ => return Err(DecodeError::Tag(tag)),
    })
}

fn decode_fire(source: &mut Source<'_>, order: units::OrderId) -> Result<ToBoard, DecodeError> {
    source.block_left -= 1;
    let valve = ValveId(source.u8()?);
    let on = source.tick()?;
    let length = source.length()?;
    if length == 0 {
        return Err(DecodeError::Value);
    }
    Ok(ToBoard::Fire(Fire {
        order,
        valve,
        on,
        length,
    }))
}
