//! Timetables of faults drawn from seeds, in virtual time: none may break what must always hold. Cold.
//!
//! A seed gives its timetable, its pearls and its whole run again: what a failing run found, `random --seed S --count 1`
//! shows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use line::Notice;
use sim::faults::FaultPlan;
use sim::virtual_time::{VirtualOptions, run_heard};

use crate::broken::{Between, Break};
use crate::scenario::Scenario;

/// The feeder lays pearls for this time, us: the timetables' faults begin within it.
const FEEDS_US: u64 = 14_000_000;

/// What a seed has shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The seed.
    pub seed: u64,
    /// Its timetable.
    pub faults: FaultPlan,
    /// What is broken; empty when nothing is.
    pub broken: Vec<String>,
    /// The judge's first complaints, in words.
    pub complaints: Vec<String>,
    /// The core's news, with their times, us of the run.
    pub notices: Vec<(u64, Notice)>,
    /// Pearls that came.
    pub pearls: u64,
    /// Digest of all orders and records: the same again for the same seed.
    pub digest: String,
}

/// Runs one seed on the line of `base`, whose own faults do not count.
#[must_use]
pub fn run_seed(base: &Scenario, seed: u64, breaks: Option<Break>) -> Shown {
    let faults = sim::random::timetable(seed, &base.machine.plan, f64::from(base.um_s));
    let options = VirtualOptions {
        seed,
        rate: base.rate,
        um_s: base.um_s,
        most_us: FEEDS_US,
        nature: base.nature,
        faults: faults.clone(),
        ..VirtualOptions::default()
    };
    let mut between = Between::new(&base.machine.plan, breaks, None);
    let outcome = run_heard(&base.machine, &options, |_| {}, &mut between);
    let mut broken = outcome.summary.complaints();
    if !outcome.complete {
        broken.push("pearls or records are left over".to_owned());
    }
    Shown {
        seed,
        faults,
        broken,
        complaints: outcome.complaints,
        notices: outcome.notices,
        pearls: outcome.summary.pearls_in,
        digest: outcome.summary.digest.unwrap_or_default(),
    }
}

/// Runs so many seeds from `first` on, `jobs` at once; gives those that broke something, by seed, and the pearls of all.
pub fn run(
    base: &Scenario,
    first: u64,
    count: u64,
    breaks: Option<Break>,
    jobs: usize,
    progress: impl Fn(u64) + Sync,
) -> (Vec<Shown>, u64) {
    let next = AtomicU64::new(first);
    let (done, pearls) = (AtomicU64::new(0), AtomicU64::new(0));
    let bad = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    let shown = run_seed(base, seed, breaks);
                    pearls.fetch_add(shown.pearls, Ordering::Relaxed);
                    if !shown.broken.is_empty() {
                        bad.lock().unwrap_or_else(PoisonError::into_inner).push(shown);
                    }
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    let mut bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    bad.sort_by_key(|shown| shown.seed);
    (bad, pearls.into_inner())
}
