//! The watcher of the host: tells a stall of the computer from a fault of the program.
//!
//! One thread, above the hot one in priority, sleeps to an absolute time again and again and does nothing else. When it
//! wakes late, everything on its core was late: a virtual machine descheduled, a firmware interrupt, a kernel that held
//! on. The demo excuses a late order only by such a stall. What begins and ends between two wakes goes unseen.

use std::{io, thread::JoinHandle};

use rustix::thread::{ClockId, Timespec, clock_nanosleep_absolute};
use units::HostUs;

use crate::{
    clock,
    histogram::{Recorder, RecorderView},
    limits::{MAX_STALLS, WATCH_PERIOD_US},
    ring::{Consumer, Producer, ring},
    thread::{Grant, HotThread, Spawned, spawn},
};

/// A time in which the host did not run what was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// When the watcher should have woken.
    pub from: HostUs,
    /// When it did.
    pub until: HostUs,
}

impl Stall {
    /// How long it took, in microseconds.
    #[must_use]
    pub fn length_us(&self) -> i64 {
        self.until - self.from
    }

    /// Whether any part of it lies between `from` and `until`, ends included.
    #[must_use]
    pub fn overlaps(&self, from: HostUs, until: HostUs) -> bool {
        self.from <= until && from <= self.until
    }
}

/// What to watch for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchFor {
    /// Stalls longer than this, in microseconds.
    pub limit_us: u32,
    /// SCHED_FIFO priority; above the hot thread's, or the watcher would see the hot thread's own work as a stall.
    pub priority: u8,
    /// The core to watch: the hot thread's.
    pub core: Option<usize>,
}

/// A running watcher. Ends when it is dropped.
pub struct Watch {
    stalls: Option<Consumer<Stall>>,
    lateness_us: RecorderView,
    thread: Option<JoinHandle<()>>,
    /// What rights the watcher was given. Without priority it also sees other programs' work as stalls.
    pub grants: Vec<Grant>,
}

/// Starts a watcher.
///
/// # Errors
/// When the system starts no thread.
pub fn start(watch_for: WatchFor) -> io::Result<Watch> {
    let (producer, consumer) = ring(MAX_STALLS);
    let recorder = Recorder::new();
    let lateness_us = recorder.view();
    let hot = HotThread {
        name: "host-watch".to_owned(),
        priority: Some(watch_for.priority),
        core: watch_for.core,
    };
    let Spawned { handle, grants } = spawn(hot, move || watch(watch_for.limit_us, producer, recorder))?;
    Ok(Watch {
        stalls: Some(consumer),
        lateness_us,
        thread: Some(handle),
        grants,
    })
}

/// Runs until the consumer is gone.
fn watch(limit_us: u32, mut stalls: Producer<Stall>, mut lateness_us: Recorder) {
    let mut due = clock::now_us() + WATCH_PERIOD_US;
    while !stalls.is_abandoned() {
        sleep_until(due);
        let stall = Stall {
            from: due,
            until: clock::now_us(),
        };
        let late_us = stall.length_us();
        lateness_us.record(late_us.unsigned_abs());
        if late_us > i64::from(limit_us) {
            // A full ring counts what it drops; the reader sees the count.
            let _ = stalls.push(stall);
        }
        due = if late_us < WATCH_PERIOD_US {
            due + WATCH_PERIOD_US
        } else {
            stall.until + WATCH_PERIOD_US
        };
    }
}

/// Sleeps until the monotonic clock shows `due`.
pub(crate) fn sleep_until(due: HostUs) {
    let at = Timespec {
        tv_sec: due.0 / 1_000_000,
        tv_nsec: due.0 % 1_000_000 * 1000,
    };
    // A signal ends the sleep early; go back to it.
    while clock_nanosleep_absolute(ClockId::Monotonic, &at).is_err() {}
}

impl Watch {
    /// The stalls since the last call, oldest first.
    pub fn stalls(&mut self) -> impl Iterator<Item = Stall> + '_ {
        self.stalls.iter_mut().flat_map(|ring| ring.drain(MAX_STALLS))
    }

    /// Stalls that were not kept because nobody fetched the earlier ones.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.stalls.as_ref().map_or(0, Consumer::dropped)
    }

    /// How late each wake came, in microseconds, since the start.
    #[must_use]
    pub fn lateness_us(&self) -> crate::histogram::Histogram {
        self.lateness_us.read()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stalls = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to report that was not in the ring.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_logs_late_wakes_with_time_and_length_and_ends_when_dropped() {
        let start_us = clock::now_us();
        // No wake comes at the very microsecond it was due, so a limit of 0 logs nearly all of them.
        let mut watch = start(WatchFor {
            limit_us: 0,
            priority: 90,
            core: None,
        })
        .expect("a thread starts");
        let mut seen = Vec::new();
        while seen.len() < 20 {
            seen.extend(watch.stalls());
            sleep_until(clock::now_us() + 1000);
        }
        assert!(seen.iter().all(|stall| stall.from > start_us && stall.length_us() > 0));
        assert!(
            seen.windows(2)
                .all(|pair| pair[1].from >= pair[0].from + WATCH_PERIOD_US)
        );
        assert!(watch.lateness_us().count() >= 20);
        assert_eq!(watch.dropped(), 0);
    }

    #[test]
    fn a_stall_overlaps_what_it_touches() {
        let stall = Stall {
            from: HostUs(100),
            until: HostUs(200),
        };
        assert!(stall.overlaps(HostUs(0), HostUs(100)) && stall.overlaps(HostUs(150), HostUs(160)));
        assert!(stall.overlaps(HostUs(200), HostUs(300)));
        assert!(!stall.overlaps(HostUs(0), HostUs(99)) && !stall.overlaps(HostUs(201), HostUs(300)));
    }
}
