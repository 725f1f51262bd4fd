//! Capacities and times of the store, in one place. Any thread.

use std::time::Duration;

/// Records that wait for the disk: at 64 lanes x 30/s half a minute.
pub const WAITING_RECORDS: usize = 65_536;
/// Events that wait for the disk.
pub const WAITING_EVENTS: usize = 4_096;
/// Requests that wait for an answer.
pub const WAITING_REQUESTS: usize = 64;
/// Records and events of one transaction at most.
pub const BATCH: usize = 16_384;
/// Age of a transaction's first entry at which it is made durable. With the time that a healthy disk takes it stays well
/// below the second that a power cut may cost.
pub const BATCH_AGE: Duration = Duration::from_millis(200);
/// Longest wait for the answer to a request.
pub const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// First and longest pause before a transaction that failed is tried again.
pub const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// How long another program's lock is waited for before the transaction counts as failed.
pub const BUSY_WAIT: Duration = Duration::from_millis(500);
/// Time between two looks at the disk.
pub const DISK_LOOK: Duration = Duration::from_secs(1);
/// Time between two looks for what may be removed.
pub const RETENTION_LOOK: Duration = Duration::from_secs(30);
/// Records removed in one transaction: few, so that new ones don't wait.
pub const REMOVED_AT_ONCE: u32 = 5_000;
/// The computer's clock may run so far ahead of own time before own time follows it.
pub const CLOCK_STEP_US: i64 = 2_000_000;
/// Characters of a text that people give (names, notes): longer ones are refused.
pub const TEXT: usize = 2_000;
/// Characters of an audit entry's or event's longest text: longer ones are refused.
pub const LONG_TEXT: usize = 1 << 20;
/// Rows of one page of an answer.
pub const PAGE: u32 = 10_000;

const _: () = assert!(
    BATCH <= WAITING_RECORDS,
    "a whole transaction must fit among what waits"
);
const _: () = assert!(
    BATCH_AGE.as_millis() * 4 <= 1_000,
    "a transaction must be durable long before its entries are a second old"
);
