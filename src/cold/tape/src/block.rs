//! Blocks: a file is its mark and version, then blocks to its end. Cold.
//!
//! A block is its kind (1 byte), its number (4, from 0), its length (4), the CRC-32C of those nine bytes and the content (4),
//! and the content.

use wire::crc::Crc32c;

/// A file begins with it; the version follows in four bytes.
pub(crate) const MARK: [u8; 8] = *b"PEARLREC";
/// Bytes before a block's content.
pub(crate) const HEAD_BYTES: usize = 13;

pub(crate) const HEAD: u8 = 0;
pub(crate) const RECIPE: u8 = 1;
pub(crate) const EVENTS: u8 = 2;
pub(crate) const END: u8 = 3;

/// What stands before a block's content.
pub(crate) fn head(kind: u8, number: u32, content: &[u8]) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[0] = kind;
    head[1..5].copy_from_slice(&number.to_le_bytes());
    // `BLOCK_MAX` is far below 2^32.
    head[5..9].copy_from_slice(&(content.len() as u32).to_le_bytes());
    let crc = Crc32c::new().with(&head[..9]).with(content).value();
    head[9..].copy_from_slice(&crc.to_le_bytes());
    head
}
