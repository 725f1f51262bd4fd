//! Capacities of this crate. Cold.

/// Longest line of text from a scale, bytes; a longer one is garbage.
pub const LINE_BYTES: usize = 128;
/// Lines or readings looked at within one weighing.
pub const READINGS: usize = 1_000;
/// Registers in one Modbus query: what Laumas and CAS instruments manage.
pub const REGISTERS: u16 = 32;
/// Longest time-out, ms.
pub const TIMEOUT_MS: u64 = 60_000;
/// Longest Modbus RTU frame, bytes (Modbus over serial line 1.02, 2.5.1).
pub const FRAME_BYTES: usize = 256;

const _: () = assert!(5 + 2 * (REGISTERS as usize) <= FRAME_BYTES, "an answer fits a frame");
