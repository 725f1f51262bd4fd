//! Every capacity and time of this crate, by name, with the relations that hold between them.
//!
//! Any thread.

/// Frames that the host keeps until they are acknowledged; a board may allow fewer.
pub const WINDOW: usize = 16;

/// Field boards of a line.
pub const MAX_LINKS: usize = 32;

/// Time for which a board is called in vain before it is looked for on another port, in microseconds.
pub const CALL_TIMEOUT_US: i64 = 1_000_000;

/// Time in which a board's settings must be agreed on, in microseconds; then the handshake begins anew.
pub const SETTING_TIMEOUT_US: i64 = 2_000_000;

/// Bytes read from one port at once.
pub const READ_BYTES: usize = 4_096;

/// Bytes written to one port at once: what a port does not take waits here, and until it has gone no more is made.
pub const WRITE_BYTES: usize = 2_048;

/// Up to this speed a port is handed one frame at a time: what waits in the driver's buffer, no acknowledgement can
/// overtake, and 2,048 bytes take 178 ms at 115,200 baud.
pub const SLOW_BAUD: u32 = 500_000;

/// Reads from one port in one round of the hot loop, so that a port that never falls silent can't starve the others.
pub const READS_A_ROUND: usize = 4;

/// Messages from the handler that wait to be pushed into their links, at most in one round.
pub const OUTGOING: usize = 4_096;

/// Ports on their way between the hot loop and the keeper, in each direction.
pub const PORT_RING: usize = 2 * MAX_LINKS;

/// Longest wait of the hot loop when nothing is due, in microseconds: stop requests are seen by then.
pub const LONGEST_WAIT_US: u64 = 50_000;

/// Time for which a port is asked who is there, in milliseconds: six `Hello`s.
pub const PROBE_MS: u64 = 320;

/// Time between two looks of the keeper at the lost ports, in milliseconds.
pub const KEEPER_PERIOD_MS: u64 = 20;

/// Time between two searches for a board that is missing, in milliseconds.
pub const SEARCH_AGAIN_MS: u64 = 500;

/// Ports that a search asks at most.
pub const MAX_CANDIDATES: usize = 64;

const _: () = assert!(WINDOW >= 2 && WINDOW <= wire::WINDOW_MAX);
const _: () = assert!(WRITE_BYTES > wire::ENCODED_MAX, "a connect frame has a zero before it");
const _: () = assert!(
    MAX_LINKS < rt::limits::MAX_POLLED,
    "the waker needs a place beside the links"
);
const _: () = assert!(PROBE_MS * 1_000 > 6 * wire::limits::HELLO_EVERY_US);
