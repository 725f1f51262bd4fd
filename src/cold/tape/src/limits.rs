//! Sizes of recordings. Any thread.

/// Bytes of one event at most: tag, time, board, length and the longest message of the bus.
pub const EVENT_MAX: usize = 1 + 10 + 1 + 1 + wire::BODY_MAX;
/// A block of events is closed at this size, in bytes.
pub const EVENTS_BLOCK: usize = 64 * 1024;
/// Bytes of a block at most; a text that does not fit is not kept.
pub const BLOCK_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a file at most, unless told otherwise. A line of 16 lanes at 15 pearls a second fills 150 MB an hour.
pub const FILE_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Room that is kept for the block that ends a file.
pub const END_ROOM: u64 = 64;
/// Texts of a recipe at most.
pub const TEXTS: usize = 8;

const _: () = assert!(wire::BODY_MAX <= u8::MAX as usize, "a message's length is one byte");
const _: () = assert!(EVENTS_BLOCK + EVENT_MAX <= BLOCK_MAX);
