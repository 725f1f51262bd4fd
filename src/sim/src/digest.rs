//! A digest of what the core has given: the same run has the same digest, on any machine.
//!
//! Any thread. 64 bits, multiplied and folded word by word; it tells runs apart, it is no proof against malice.

use core::hash::{Hash, Hasher};

use line::Record;
use units::BoardId;
use wire::ToBoard;

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    state: u64,
}

impl Digest {
    /// Takes a message to a board.
    pub fn message(&mut self, board: BoardId, message: &ToBoard) {
        let (kind, words): (u64, [u64; 3]) = match *message {
            ToBoard::Hello(hello) => (1, [u64::from(hello.session), 0, 0]),
            ToBoard::Set(set) => (2, [set.key as u64, u64::from(set.index), u64::from(set.value)]),
            ToBoard::Commit => (3, [0; 3]),
            ToBoard::Arm { settings_crc } => (4, [u64::from(settings_crc), 0, 0]),
            ToBoard::Disarm => (5, [0; 3]),
            ToBoard::Feed { count } => (6, [u64::from(count), 0, 0]),
            ToBoard::Fire(fire) => (
                7,
                [
                    u64::from(fire.order.0) << 8 | u64::from(fire.valve.0),
                    u64::from(fire.on.0),
                    u64::from(fire.length),
                ],
            ),
            ToBoard::Amend(amend) => (8, [u64::from(amend.order.0), u64::from(amend.length), 0]),
            ToBoard::Output { channel, value } => (9, [u64::from(channel), u64::from(value), 0]),
            ToBoard::Pulse { valve, us } => (10, [u64::from(valve.0), u64::from(us), 0]),
        };
        self.word(kind << 8 | u64::from(board.0));
        for word in words {
            self.word(word);
        }
    }

    /// Takes a record.
    pub fn record(&mut self, record: &Record) {
        record.hash(self);
    }

    /// The digest so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.finish()
    }

    fn word(&mut self, word: u64) {
        let product = u128::from(self.state ^ word ^ 0x2545_F491_4F6C_DD1D) * u128::from(MULTIPLIER);
        #[expect(clippy::cast_possible_truncation, reason = "folded")]
        let folded = (product >> 64) as u64 ^ product as u64;
        self.state = folded.rotate_left(23).wrapping_add(word);
    }
}

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        let mut last = *self;
        last.word(0xFFFF);
        last.state
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.word(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.word(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.word(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.word(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.word(value);
    }

    fn write_i8(&mut self, value: i8) {
        self.word(i64::from(value).cast_unsigned());
    }

    fn write_i16(&mut self, value: i16) {
        self.word(i64::from(value).cast_unsigned());
    }

    fn write_i32(&mut self, value: i32) {
        self.word(i64::from(value).cast_unsigned());
    }

    fn write_i64(&mut self, value: i64) {
        self.word(value.cast_unsigned());
    }

    // Enumerations hash their variant as `isize`: the same word on every machine.
    fn write_isize(&mut self, value: isize) {
        self.word((value as i64).cast_unsigned());
    }

    fn write_usize(&mut self, value: usize) {
        self.word(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_content_matter() {
        let of = |messages: &[ToBoard]| {
            let mut digest = Digest::default();
            for message in messages {
                digest.message(BoardId(0), message);
            }
            digest.value()
        };
        let (a, b) = (ToBoard::Feed { count: 1 }, ToBoard::Feed { count: 2 });
        assert_eq!(of(&[a, b]), of(&[a, b]));
        assert_ne!(of(&[a, b]), of(&[b, a]));
        assert_ne!(of(&[a]), of(&[a, b]));
        assert_ne!(of(&[]), of(&[ToBoard::Commit]));
    }
}
