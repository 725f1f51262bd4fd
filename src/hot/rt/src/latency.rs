//! How late this computer wakes a thread, measured as cyclictest does: sleep to an absolute time, note how late the wake
//! came, repeat. For `pearlsort doctor` and the benches; a thread of its own while it runs.

use std::{io, thread::JoinHandle};

use crate::{
    clock,
    histogram::{Histogram, Recorder, RecorderView},
    thread::{Grant, HotThread, Spawned, spawn},
    watch::sleep_until,
};

/// LinuxCNC's bands for the worst wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Below 20 us.
    Excellent,
    /// 20 to 50 us.
    Good,
    /// 50 to 500 us: only where hardware keeps the time, as pearlsort's field boards do.
    WithBoards,
    /// Above 500 us: beyond what LinuxCNC runs on. pearlsort orders 60 ms ahead and may still run; what a stall costs is
    /// late orders, which are dropped and counted.
    Refuse,
}

impl Verdict {
    /// The band of a worst wake-up of `worst_us` microseconds.
    #[must_use]
    pub const fn of(worst_us: u64) -> Self {
        match worst_us {
            0..20 => Self::Excellent,
            20..50 => Self::Good,
            50..=500 => Self::WithBoards,
            _ => Self::Refuse,
        }
    }
}

/// How to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencySpec {
    /// Wakes to measure.
    pub wakes: u32,
    /// Time between two wakes, in microseconds; cyclictest takes 1,000.
    pub period_us: u32,
    /// SCHED_FIFO priority; cyclictest takes 80.
    pub priority: Option<u8>,
    /// The core to measure.
    pub core: Option<usize>,
}

/// A measurement under way.
pub struct LatencyRun {
    lateness_ns: RecorderView,
    thread: JoinHandle<()>,
    /// What rights the measuring thread was given: without priority the figures say little.
    pub grants: Vec<Grant>,
}

/// Starts measuring. To keep processors awake meanwhile, hold
/// [`hold_cpu_latency`](crate::thread::hold_cpu_latency)'s guard.
///
/// # Errors
/// When the system starts no thread.
pub fn start(spec: LatencySpec) -> io::Result<LatencyRun> {
    let mut recorder = Recorder::new();
    let lateness_ns = recorder.view();
    let hot = HotThread {
        name: "latency".to_owned(),
        priority: spec.priority,
        core: spec.core,
    };
    let Spawned { handle, grants } = spawn(hot, move || {
        let period_us = i64::from(spec.period_us);
        let mut due = clock::now_us() + period_us;
        for _ in 0..spec.wakes {
            sleep_until(due);
            let now_ns = clock::now_ns();
            recorder.record(now_ns.saturating_sub(due.0.unsigned_abs() * 1000));
            // After a wake later than a period the missed ones are not made up, as they would count as late again.
            due = core::cmp::max(due + period_us, clock::now_us());
        }
    })?;
    Ok(LatencyRun {
        lateness_ns,
        thread: handle,
        grants,
    })
}

impl LatencyRun {
    /// What was measured so far, in nanoseconds.
    #[must_use]
    pub fn so_far_ns(&self) -> Histogram {
        self.lateness_ns.read()
    }

    /// Whether all wakes were measured.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end; how late each wake came, in nanoseconds.
    #[must_use]
    pub fn finish_ns(self) -> Histogram {
        // It ends by itself, and whatever happened to it the counts stand.
        let _ = self.thread.join();
        self.lateness_ns.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_measures_as_many_wakes_as_it_was_told() {
        let spec = LatencySpec {
            wakes: 50,
            period_us: 200,
            priority: Some(80),
            core: None,
        };
        let run = start(spec).expect("a thread starts");
        assert_eq!(run.grants.len(), 1);
        let lateness_ns = run.finish_ns();
        assert_eq!(lateness_ns.count(), 50);
        assert!(lateness_ns.max() > Some(0));
    }

    #[test]
    fn verdicts_follow_the_bands() {
        let verdicts = [0, 19, 20, 49, 50, 500, 501].map(Verdict::of);
        use Verdict::{Excellent, Good, Refuse, WithBoards};
        assert_eq!(
            verdicts,
            [Excellent, Excellent, Good, Good, WithBoards, WithBoards, Refuse]
        );
    }
}
