//! Every capacity of this crate, and the relations between them, checked at compile time. Any thread.

/// Most descriptors a [`Poller`](crate::poll::Poller) watches: 64 links and their wakers.
pub const MAX_POLLED: usize = 128;

/// Stack touched before a hot thread's body runs, in bytes, so that its first deep call faults no page in.
pub const PREFAULTED_STACK_BYTES: usize = 256 * 1024;

/// Stack of a hot thread in bytes.
pub const HOT_STACK_BYTES: usize = 2 * 1024 * 1024;

/// Sub-buckets of an octave in a [`Histogram`](crate::histogram::Histogram), as a power of two: the relative error is
/// at most 2 to the power of minus this. (The model checker runs a smaller table: it must visit every bucket.)
pub const SUB_BUCKET_BITS: u32 = if cfg!(loom) { 1 } else { 5 };

/// Values of a histogram below 2 to the power of this are told apart; greater ones fall into the last bucket.
/// In nanoseconds 2^40 is 18 minutes.
pub const TOP_BITS: u32 = if cfg!(loom) { 3 } else { 40 };

/// Buckets of a histogram.
pub const HISTOGRAM_BUCKETS: usize = ((TOP_BITS - SUB_BUCKET_BITS + 1) as usize) << SUB_BUCKET_BITS;

/// Time between two wakes of the host's watcher, in microseconds.
pub const WATCH_PERIOD_US: i64 = 1000;

/// Stalls of the host kept until somebody fetches them.
pub const MAX_STALLS: usize = 1024;

/// Largest real-time priority Linux knows.
pub const MAX_PRIORITY: u8 = 99;

const _: () = assert!(PREFAULTED_STACK_BYTES * 2 <= HOT_STACK_BYTES);
const _: () = assert!(SUB_BUCKET_BITS < TOP_BITS && TOP_BITS < 64);
const _: () = assert!(
    HISTOGRAM_BUCKETS * size_of::<u64>() <= 16 * 1024,
    "a histogram stays within half an L1 cache"
);
