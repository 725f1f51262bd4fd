//! Fixed figures of the measurements.

/// Pearls outstanding in the closed loop: each order that comes back lets the next pearl in.
pub const OUTSTANDING: u32 = 64;
/// Pearls a second when latency is measured.
pub const LATENCY_RATE: u32 = 200;
/// Time from a pearl's trigger to its measurement when latency is measured, in microseconds: the flash and the camera.
pub const MEASURING_US: i64 = 1000;
/// Time given to a contender until it takes pearls: an interpreter has to start, in microseconds.
pub const START_US: u64 = 10_000_000;
/// Time between two questions whether a contender is there, in microseconds. What is sent before it opens its port may be
/// thrown away (pyserial does so), so the question is repeated.
pub const PROBE_US: u64 = 100_000;
/// Silence after which a contender counts as dead, in microseconds.
pub const SILENCE_US: u64 = 2_000_000;
/// Time after a measurement in which what is under way must come to its end, in microseconds.
pub const DRAIN_US: u64 = 2_000_000;
/// Pearls sent before anything is counted.
pub const WARM_UP_PEARLS: u32 = 200;
/// SCHED_FIFO priority of the far end and of the contenders that take one, as cyclictest's.
pub const PRIORITY: u8 = 80;
/// Bytes read at once.
pub const READ_BYTES: usize = 16 * 1024;

/// Time between two pearls when latency is measured, in microseconds.
pub const LATENCY_PERIOD_US: i64 = 1_000_000 / LATENCY_RATE as i64;

const _: () = assert!(
    MEASURING_US * 2 < LATENCY_PERIOD_US,
    "a pearl is answered before the next one's trigger"
);
