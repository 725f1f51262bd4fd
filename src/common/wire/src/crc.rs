//! CRC-32C (Castagnoli): polynomial 0x1EDC6F41, reflected, start and final exclusive-or 0xFFFFFFFF; the check value of
//! `123456789` is 0xE3069283.
//!
//! Any thread, host and board. Sixteen bytes a step with 16 kB of tables; with the feature `small-tables` one byte a step
//! with 1 kB, for microcontrollers.

/// The polynomial, bits reversed.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// Bytes taken in one step.
#[cfg(not(feature = "small-tables"))]
const STEP: usize = 16;
#[cfg(feature = "small-tables")]
const STEP: usize = 1;

/// `TABLES[k][b]`: what byte `b` does to the checksum when `k` bytes follow it in the step.
static TABLES: [[u32; 256]; STEP] = tables();

const fn tables() -> [[u32; 256]; STEP] {
    let mut tables = [[0u32; 256]; STEP];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut k = 1;
    while k < STEP {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        k += 1;
    }
    tables
}

/// A checksum in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crc32c(u32);

impl Crc32c {
    /// The checksum of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(u32::MAX)
    }

    /// The checksum with `bytes` added.
    #[must_use]
    pub fn with(self, bytes: &[u8]) -> Self {
        let mut crc = self.0;
        #[cfg(not(feature = "small-tables"))]
        let bytes = {
            let (steps, rest) = bytes.as_chunks::<STEP>();
            for step in steps {
                crc = whole_step(crc, step);
            }
            rest
        };
        for &byte in bytes {
            crc = (crc >> 8) ^ TABLES[0][((crc ^ u32::from(byte)) & 0xFF) as usize];
        }
        Self(crc)
    }

    /// Its value.
    #[must_use]
    pub const fn value(self) -> u32 {
        !self.0
    }
}

impl Default for Crc32c {
    fn default() -> Self {
        Self::new()
    }
}

/// CRC-32C of `bytes`.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    Crc32c::new().with(bytes).value()
}

/// Sixteen bytes at once: the checksum falls into the first four, and every byte has a table of its own.
#[cfg(not(feature = "small-tables"))]
fn whole_step(crc: u32, step: &[u8; STEP]) -> u32 {
    let [a, b, c, d] = (crc ^ u32::from_le_bytes([step[0], step[1], step[2], step[3]])).to_le_bytes();
    let head = TABLES[15][a as usize] ^ TABLES[14][b as usize] ^ TABLES[13][c as usize] ^ TABLES[12][d as usize];
    let rest = step[4..].iter().zip(TABLES[..12].iter().rev());
    rest.fold(head, |crc, (&byte, table)| crc ^ table[byte as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vectors_hold() {
        assert_eq!(crc32c(b""), 0);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        // RFC 3720 (iSCSI), appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        let rising: [u8; 32] = core::array::from_fn(|i| u8::try_from(i).unwrap_or(0));
        assert_eq!(crc32c(&rising), 0x46DD_794E);
    }

    #[test]
    fn pieces_give_the_checksum_of_the_whole() {
        let bytes: [u8; 100] = core::array::from_fn(|i| u8::try_from(i * 2).unwrap_or(0));
        for cut in 0..bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(
                Crc32c::new().with(head).with(tail).value(),
                crc32c(&bytes),
                "cut at {cut}"
            );
        }
    }
}
