//! Sizes and times of the field bus, each named once. `docs/WIRE.md` gives the same figures.
//!
//! Any thread, host and board.

/// Bytes of the header: version and kind, session (2), sequence number, acknowledgement.
pub const HEADER_BYTES: usize = 5;
/// Bytes of the checksum.
pub const CRC_BYTES: usize = 4;
/// Bytes of an encoded frame at most, its zero delimiter included.
pub const ENCODED_MAX: usize = 255;
/// Bytes of a decoded frame at most: one code byte and the delimiter are added on the line.
pub const DECODED_MAX: usize = ENCODED_MAX - 2;
/// Bytes of messages in a frame at most.
pub const BODY_MAX: usize = DECODED_MAX - HEADER_BYTES - CRC_BYTES;
/// Bytes that a frame has on the line beyond its messages.
pub const OVERHEAD_BYTES: usize = ENCODED_MAX - BODY_MAX;
/// Bytes of a message's head at most; only `Samples` has more behind it.
pub const MESSAGE_HEAD_MAX: usize = 48;
/// Bytes of a `Samples` message before its data.
pub const SAMPLES_HEAD_BYTES: usize = 11;
/// Converter samples in one `Samples` message at most.
pub const SAMPLES_MAX: usize = (BODY_MAX - SAMPLES_HEAD_BYTES) / 3;
/// Bytes of the longest message of a connect frame (`Identity`).
pub const CONNECT_BODY_MAX: usize = 40;
/// Fire orders in one block at most.
pub const FIRE_BLOCK_MAX: usize = 128;
/// Frames on the way, unacknowledged, at most: sequence numbers have 8 bits and a quarter of them must tell old from new.
pub const WINDOW_MAX: usize = 32;
/// Bits of one byte on the line: start, eight, stop.
pub const BITS_A_BYTE: u32 = 10;

/// A numbered frame is acknowledged within this time, alone if nothing else goes out.
pub const ACK_DELAY_US: u64 = 2_000;
/// So many unacknowledged frames are acknowledged at once.
pub const ACK_EVERY: u8 = 2;
/// A demand to repeat is said again after this time when nothing has come of it.
pub const NAK_AGAIN_US: u64 = 10_000;
/// Round trip, beyond the bytes' own time, that is taken before one has been measured.
pub const FIRST_ROUND_TRIP_US: u32 = 4_000;
/// The time-out allows at least this much beyond a delayed acknowledgement and two frames in the other direction.
pub const TIMEOUT_SLACK_US: u32 = 1_000;
/// The measured part of the time-out is held below this, and so is the doubled time-out.
pub const TIMEOUT_MAX_US: u32 = 100_000;
/// The host repeats `Hello` after this time until `Identity` comes.
pub const HELLO_EVERY_US: u64 = 50_000;

const _: () = assert!(DECODED_MAX < 254, "a run of 254 would need a second code byte");
const _: () = assert!(SAMPLES_HEAD_BYTES + 3 * SAMPLES_MAX <= BODY_MAX);
const _: () = assert!(WINDOW_MAX <= 64, "old, new and foreign sequence numbers must differ");
const _: () = assert!(CONNECT_BODY_MAX <= MESSAGE_HEAD_MAX);
const _: () = assert!(MESSAGE_HEAD_MAX <= BODY_MAX);
const _: () = assert!(FIRE_BLOCK_MAX * 3 > BODY_MAX, "a block never fills before its frame");
