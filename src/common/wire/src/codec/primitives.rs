//! Numbers to bytes and back: little-endian fixed ones, and variable ones of seven bits a byte (LEB128), lowest first. A
//! signed difference is folded to unsigned first (zig-zag: 0, -1, 1, -2 become 0, 1, 2, 3).
//!
//! Any thread, host and board.

use units::{OrderId, Tick32};

use super::{Context, DecodeError};
use crate::limits::MESSAGE_HEAD_MAX;

/// Room for one message's bytes while it is coded.
#[doc(hidden)]
#[derive(Debug)]
pub struct Head {
    bytes: [u8; MESSAGE_HEAD_MAX],
    len: usize,
}

impl Head {
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; MESSAGE_HEAD_MAX],
            len: 0,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        // The longest message fits: `MESSAGE_HEAD_MAX` is held against every message by a test.
        self.bytes[self.len..self.len + N].copy_from_slice(&bytes);
        self.len += N;
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.put([value]);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.put(value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.put(value.to_le_bytes());
    }

    pub(super) fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    /// A difference modulo 2^16.
    fn difference(&mut self, value: u16, before: u16) {
        let d = value.wrapping_sub(before).cast_signed();
        self.varint(u32::from(((d << 1) ^ (d >> 15)).cast_unsigned()));
    }

    /// A tick: whole the first time in a body, then the difference modulo 2^32.
    pub(super) fn tick(&mut self, tick: Tick32, context: &mut Context) {
        match context.tick.replace(tick.0) {
            None => self.u32(tick.0),
            Some(before) => {
                let d = tick.0.wrapping_sub(before).cast_signed();
                self.varint(((d << 1) ^ (d >> 31)).cast_unsigned());
            }
        }
    }

    /// An order's number: whole the first time in a body, then the difference modulo 2^16.
    pub(super) fn order(&mut self, order: OrderId, context: &mut Context) {
        match context.order.replace(order.0) {
            None => self.u16(order.0),
            Some(before) => self.difference(order.0, before),
        }
    }

    /// A fire order's length: the difference modulo 2^16 from the length before in the body, which is 0 at its begin.
    pub(super) fn length(&mut self, length: u16, context: &mut Context) {
        self.difference(length, context.length);
        context.length = length;
    }
}

/// A body that is being decoded.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Source<'a> {
    bytes: &'a [u8],
    /// Whether the frame is a connect frame.
    pub(super) connect: bool,
    /// Entries of the fire block that are still to come.
    pub(super) block_left: u8,
    pub(super) context: Context,
}

impl<'a> Source<'a> {
    pub(super) const fn new(bytes: &'a [u8], connect: bool) -> Self {
        Self {
            bytes,
            connect,
            block_left: 0,
            context: Context {
                tick: None,
                order: None,
                length: 0,
            },
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.block_left == 0
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or(DecodeError::Short)?;
        self.bytes = rest;
        Ok(head)
    }

    pub(super) fn slice(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.bytes.split_at_checked(len).ok_or(DecodeError::Short)?;
        self.bytes = rest;
        Ok(head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        let &[value] = self.array()?;
        Ok(value)
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(|b| u16::from_le_bytes(*b))
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(|b| u32::from_le_bytes(*b))
    }

    pub(super) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(|b| u64::from_le_bytes(*b))
    }

    pub(super) fn varint(&mut self) -> Result<u32, DecodeError> {
        let first = self.u8()?;
        if first < 0x80 {
            return Ok(u32::from(first));
        }
        let mut value = u32::from(first & 0x7F);
        for shift in [7, 14, 21, 28] {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                // No needless last byte, and nothing beyond 32 bits.
                return if byte == 0 || (shift == 28 && byte > 0x0F) {
                    Err(DecodeError::Varint)
                } else {
                    Ok(value)
                };
            }
        }
        Err(DecodeError::Varint)
    }

    pub(super) fn varint16(&mut self) -> Result<u16, DecodeError> {
        u16::try_from(self.varint()?).map_err(|_| DecodeError::Varint)
    }

    fn difference(&mut self, before: u16) -> Result<u16, DecodeError> {
        let folded = self.varint16()?;
        Ok(before.wrapping_add((folded >> 1) ^ (folded & 1).wrapping_neg()))
    }

    pub(super) fn tick(&mut self) -> Result<Tick32, DecodeError> {
        let tick = match self.context.tick {
            None => self.u32()?,
            Some(before) => {
                let folded = self.varint()?;
                before.wrapping_add((folded >> 1) ^ (folded & 1).wrapping_neg())
            }
        };
        self.context.tick = Some(tick);
        Ok(Tick32(tick))
    }

    pub(super) fn order(&mut self) -> Result<OrderId, DecodeError> {
        let order = match self.context.order {
            None => self.u16()?,
            Some(before) => self.difference(before)?,
        };
        self.context.order = Some(order);
        Ok(OrderId(order))
    }

    pub(super) fn length(&mut self) -> Result<u16, DecodeError> {
        let length = self.difference(self.context.length)?;
        self.context.length = length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_numbers_have_one_coding() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 0x0FFF_FFFF, 0x1000_0000, u32::MAX] {
            let mut head = Head::new();
            head.varint(value);
            assert_eq!(Source::new(head.bytes(), false).varint(), Ok(value));
        }
        for bad in [
            &[0x80, 0][..],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0x10],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 1],
        ] {
            assert_eq!(Source::new(bad, false).varint(), Err(DecodeError::Varint));
        }
        assert_eq!(Source::new(&[0x80], false).varint(), Err(DecodeError::Short));
    }

    #[test]
    fn differences_cross_the_end_both_ways() {
        let ticks = [5, u32::MAX, 0x8000_0000, 0, 0x7FFF_FFFF, 6];
        let orders = [0, u16::MAX, 0x8000, 0x7FFF, 3];
        let (mut head, mut context) = (Head::new(), Context::default());
        ticks.iter().for_each(|&tick| head.tick(Tick32(tick), &mut context));
        let mut source = Source::new(head.bytes(), false);
        ticks
            .iter()
            .for_each(|&tick| assert_eq!(source.tick(), Ok(Tick32(tick))));
        let (mut head, mut context) = (Head::new(), Context::default());
        orders
            .iter()
            .for_each(|&order| head.order(OrderId(order), &mut context));
        orders.iter().for_each(|&length| head.length(length, &mut context));
        let mut source = Source::new(head.bytes(), false);
        orders
            .iter()
            .for_each(|&order| assert_eq!(source.order(), Ok(OrderId(order))));
        orders
            .iter()
            .for_each(|&length| assert_eq!(source.length(), Ok(length)));
        assert!(source.is_empty());
    }
}
