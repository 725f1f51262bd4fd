//! Consistent overhead byte stuffing: takes the zeros out of a frame, so that zero can end it.
//!
//! Any thread, host and board. A frame here has at most [`DECODED_MAX`] bytes, so that no run needs a second code byte: one
//! byte is put in front, each zero becomes the distance to the next one, and both ways work in place.

use crate::limits::DECODED_MAX;

/// The bytes can't be an encoded frame: a distance leads beyond the end, or there are too few or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CobsError;

/// Encodes `block[1..]` in place; `block[0]` is room for the first code byte. No delimiter is added.
///
/// # Panics
///
/// When the block is empty or longer than a frame's: a programmer's error.
pub fn encode_in_place(block: &mut [u8]) {
    assert!(!block.is_empty() && block.len() <= DECODED_MAX + 1, "no frame's length");
    block[0] = 0;
    let mut at = block.len() as u8;
    let mut next = at;
    for byte in block.iter_mut().rev() {
        at -= 1;
        // No branch: zeros come as they like, and a wrong guess costs more than the byte.
        let zero = *byte == 0;
        *byte = if zero { next - at } else { *byte };
        next = if zero { at } else { next };
    }
}

/// Decodes `block` (without its delimiter, hence without zeros) in place; the frame is `block[1..]` afterwards.
///
/// # Errors
///
/// When the bytes can't be an encoded frame; the block is then spoilt.
pub fn decode_in_place(block: &mut [u8]) -> Result<(), CobsError> {
    if block.is_empty() || block.len() > DECODED_MAX + 1 {
        return Err(CobsError);
    }
    let mut at = 0;
    loop {
        let distance = usize::from(block[at]);
        block[at] = 0;
        at += distance;
        if at == block.len() {
            return Ok(());
        }
        if distance == 0 || at > block.len() {
            return Err(CobsError);
        }
    }
}

/// Where the first zero is. Eight bytes a step: a zero byte, and no other below it, borrows into its top bit.
#[must_use]
pub fn first_zero(bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let zeros = word.wrapping_sub(LOW) & !word & HIGH;
        if zeros != 0 {
            return Some(8 * at + zeros.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == 0).map(|at| 8 * words.len() + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(frame: &[u8], encoded: &[u8]) {
        let mut block = [0xAA; DECODED_MAX + 1];
        let block = &mut block[..=frame.len()];
        block[1..].copy_from_slice(frame);
        encode_in_place(block);
        assert_eq!(block, encoded);
        assert!(!block.contains(&0));
        assert_eq!(decode_in_place(block), Ok(()));
        assert_eq!(&block[1..], frame);
    }

    #[test]
    fn known_vectors_hold() {
        there_and_back(&[], &[1]);
        there_and_back(&[0], &[1, 1]);
        there_and_back(&[0, 0], &[1, 1, 1]);
        there_and_back(&[0x11, 0x22, 0x00, 0x33], &[3, 0x11, 0x22, 2, 0x33]);
        there_and_back(&[0x11, 0, 0, 0], &[2, 0x11, 1, 1, 1]);
        let longest = [7; DECODED_MAX];
        let mut encoded = [7; DECODED_MAX + 1];
        encoded[0] = 254;
        there_and_back(&longest, &encoded);
    }

    #[test]
    fn a_distance_beyond_the_end_is_refused() {
        for bad in [
            &mut [3u8, 1][..],
            &mut [1, 3, 9],
            &mut [255; 254],
            &mut [1, 0, 1],
            &mut [],
        ] {
            assert_eq!(decode_in_place(bad), Err(CobsError));
        }
    }

    #[test]
    fn the_first_zero_is_found_wherever_it_is() {
        for other in [1, 0x7F, 0x80, 0xFF] {
            let mut bytes = [other; 40];
            assert_eq!(first_zero(&bytes), None);
            for at in (0..bytes.len()).rev() {
                bytes[at] = 0;
                assert_eq!(first_zero(&bytes), Some(at));
            }
        }
    }
}
