//! How the store is doing, for alarms: a few loads, never a wait for the disk. Any thread.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use serde::Serialize;

use crate::clock::Stamp;

/// What found no room or could not be kept, by kind, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Records; each is booked on its lot as unkept.
    pub records: u64,
    /// Events.
    pub events: u64,
    /// Requests that were turned away; whoever asked was told.
    pub requests: u64,
}

/// What went wrong last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// When.
    pub stamp: Stamp,
    /// What, where and what to do.
    pub text: String,
}

/// The store at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Records that wait.
    pub waiting_records: usize,
    /// Events that wait.
    pub waiting_events: usize,
    /// Age of the oldest entry that is not durable yet, us.
    pub lag_us: i64,
    /// See [`Dropped`].
    pub dropped: Dropped,
    /// Records made durable since the start.
    pub kept_records: u64,
    /// Transactions that failed and were tried again since the start.
    pub retries: u64,
    /// For how long nothing could be written, us; 0 when all is well.
    pub failing_us: i64,
    /// Room on the disk, bytes; `None` when it could not be asked.
    pub disk_free_bytes: Option<u64>,
    /// Size of the file and its log, bytes.
    pub file_bytes: u64,
    /// By how much own time is ahead of the computer's clock, us: more than a little means that the clock was set back.
    pub clock_behind_us: i64,
    /// What went wrong last; it stays when all is well again.
    pub trouble: Option<Trouble>,
}

/// No value.
const NONE: i64 = i64::MIN;

/// What handles and the thread that writes have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) records: Room,
    pub(crate) events: Room,
    pub(crate) requests: Room,
    pub(crate) kept_records: AtomicU64,
    pub(crate) retries: AtomicU64,
    /// Steady time of the oldest entry that is not durable.
    oldest_us: AtomicI64,
    failing_since_us: AtomicI64,
    disk_free: AtomicI64,
    pub(crate) file_bytes: AtomicU64,
    pub(crate) clock_behind_us: AtomicI64,
    trouble: Mutex<Option<Trouble>>,
    /// Dropped records by lot, not yet booked.
    unkept: Mutex<BTreeMap<u32, u64>>,
}

/// Places for one kind of entry, so that a flood of one never takes the place of another.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    taken: AtomicUsize,
    dropped: AtomicU64,
}

impl Room {
    const fn new(most: usize) -> Self {
        Self {
            most,
            taken: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Takes a place, or counts a drop.
    pub(crate) fn take(&self) -> bool {
        let took = self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
            (taken < self.most).then_some(taken + 1)
        });
        if took.is_err() {
            self.drop_many(1);
        }
        took.is_ok()
    }

    /// Gives places back.
    pub(crate) fn give(&self, places: usize) {
        self.taken.fetch_sub(places, Ordering::AcqRel);
    }

    pub(crate) fn drop_many(&self, many: u64) {
        self.dropped.fetch_add(many, Ordering::Relaxed);
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Shared {
    pub(crate) fn new(records: usize, events: usize, requests: usize) -> Self {
        Self {
            records: Room::new(records),
            events: Room::new(events),
            requests: Room::new(requests),
            kept_records: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            oldest_us: AtomicI64::new(NONE),
            failing_since_us: AtomicI64::new(NONE),
            disk_free: AtomicI64::new(NONE),
            file_bytes: AtomicU64::new(0),
            clock_behind_us: AtomicI64::new(0),
            trouble: Mutex::new(None),
            unkept: Mutex::new(BTreeMap::new()),
        }
    }

    /// An entry came at `steady_us`: it is the oldest if nothing else waits.
    pub(crate) fn came(&self, steady_us: i64) {
        if self.oldest_us.load(Ordering::Relaxed) == NONE {
            self.oldest_us.store(steady_us, Ordering::Relaxed);
        }
    }

    /// The oldest entry of the transaction that begins, or `None` when it is durable.
    pub(crate) fn set_oldest(&self, steady_us: Option<i64>) {
        self.oldest_us.store(steady_us.unwrap_or(NONE), Ordering::Relaxed);
    }

    pub(crate) fn set_disk_free(&self, bytes: Option<u64>) {
        let bytes = bytes.map_or(NONE, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        self.disk_free.store(bytes, Ordering::Relaxed);
    }

    /// Something went wrong; `failing` when writing as such does not go on.
    pub(crate) fn went_wrong(&self, steady_us: i64, failing: bool, trouble: Trouble) {
        if failing {
            let _ = self
                .failing_since_us
                .compare_exchange(NONE, steady_us, Ordering::Relaxed, Ordering::Relaxed);
        }
        *lock(&self.trouble) = Some(trouble);
    }

    /// A transaction went well.
    pub(crate) fn went_well(&self) {
        self.failing_since_us.store(NONE, Ordering::Relaxed);
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.failing_since_us.load(Ordering::Relaxed) != NONE
    }

    pub(crate) fn trouble(&self) -> Option<Trouble> {
        lock(&self.trouble).clone()
    }

    /// Records of a lot were dropped.
    pub(crate) fn unkept(&self, lot: u32, records: u64) {
        if records > 0 {
            *lock(&self.unkept).entry(lot).or_default() += records;
        }
    }

    pub(crate) fn take_unkept(&self) -> BTreeMap<u32, u64> {
        std::mem::take(&mut *lock(&self.unkept))
    }

    pub(crate) fn health(&self, steady_us: i64) -> Health {
        let since = |at: &AtomicI64| match at.load(Ordering::Relaxed) {
            NONE => 0,
            at => (steady_us - at).max(0),
        };
        let free = self.disk_free.load(Ordering::Relaxed);
        Health {
            waiting_records: self.records.taken(),
            waiting_events: self.events.taken(),
            lag_us: since(&self.oldest_us),
            dropped: Dropped {
                records: self.records.dropped(),
                events: self.events.dropped(),
                requests: self.requests.dropped(),
            },
            kept_records: self.kept_records.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            failing_us: since(&self.failing_since_us),
            disk_free_bytes: u64::try_from(free).ok(),
            file_bytes: self.file_bytes.load(Ordering::Relaxed),
            clock_behind_us: self.clock_behind_us.load(Ordering::Relaxed),
            trouble: self.trouble(),
        }
    }
}

/// What a thread that died has left is still a number or a text: it is used as it is.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
