//! Log-linear histograms of latencies: fixed buckets, one relative error over the whole range, no allocation on record.
//!
//! [`Recorder`] lives on the hot thread and costs it a few plain loads and stores; [`RecorderView`] copies it from a cold
//! thread without stopping it; [`Histogram`] is the copy, which merges and answers quantiles.
//!
//! A value below 2^5 has a bucket of its own; above, every octave is cut into 32 buckets, so a bucket is at most 1/32 of
//! its values wide (the layout of HdrHistogram). Values have no unit here: whoever records says which, by the name it
//! gives the histogram.

use crate::{
    limits::{HISTOGRAM_BUCKETS, SUB_BUCKET_BITS, TOP_BITS},
    sync::{Arc, AtomicU64, Ordering},
};

const SUB_BUCKETS: u64 = 1 << SUB_BUCKET_BITS;

/// The bucket of `value`.
#[inline]
const fn bucket_of(value: u64) -> usize {
    if value >= 1 << TOP_BITS {
        return HISTOGRAM_BUCKETS - 1;
    }
    // Below SUB_BUCKETS the shift is 0 and the bucket is the value itself.
    let shift = (63 - (value | SUB_BUCKETS).leading_zeros()) - SUB_BUCKET_BITS;
    #[expect(clippy::cast_possible_truncation, reason = "below SUB_BUCKETS * 2")]
    let within = (value >> shift) as usize;
    ((shift as usize) << SUB_BUCKET_BITS) + within
}

/// The greatest value that falls into `bucket`.
const fn top_of(bucket: usize) -> u64 {
    if bucket < SUB_BUCKETS as usize {
        return bucket as u64;
    }
    let shift = (bucket >> SUB_BUCKET_BITS) - 1;
    let within = bucket as u64 % SUB_BUCKETS + SUB_BUCKETS;
    ((within + 1) << shift) - 1
}

/// A histogram at rest: merged, asked, shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; HISTOGRAM_BUCKETS],
            count: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// An empty histogram. Allocates its table, once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts `value`. Does not allocate.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.buckets[bucket_of(value)] += 1;
        self.count += 1;
        self.max = self.max.max(value);
    }

    /// Adds what `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// Values counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The greatest value, exactly; `None` while empty.
    #[must_use]
    pub const fn max(&self) -> Option<u64> {
        if self.count == 0 { None } else { Some(self.max) }
    }

    /// The least value below or at which a share `q` (0 to 1) of all values lies, rounded up to its bucket's end: never
    /// too low, too high by at most 1/32 of itself. `None` while empty.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank; counts stay far below 2^53"
        )]
        let rank = ((q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                let last = bucket == HISTOGRAM_BUCKETS - 1;
                return Some(if last { self.max } else { top_of(bucket).min(self.max) });
            }
        }
        Some(self.max)
    }

    /// Buckets that hold something, as (greatest value of the bucket, count), ascending. For charts.
    pub fn occupied(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let filled = self.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(bucket, count)| (top_of(bucket), *count))
    }
}

#[derive(Debug)]
struct Table {
    buckets: [AtomicU64; HISTOGRAM_BUCKETS],
    max: AtomicU64,
}

/// A histogram being recorded by one thread.
#[derive(Debug)]
pub struct Recorder {
    table: Arc<Table>,
}

/// The reading end of a [`Recorder`].
#[derive(Clone, Debug)]
pub struct RecorderView {
    table: Arc<Table>,
}

impl Default for Recorder {
    fn default() -> Self {
        let buckets = core::array::from_fn(|_| AtomicU64::new(0));
        Self {
            table: Arc::new(Table {
                buckets,
                max: AtomicU64::new(0),
            }),
        }
    }
}

impl Recorder {
    /// An empty recorder. Allocates its table, once, and touches all of it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts `value`: wait-free, no allocation, about 2 ns.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let table = &*self.table;
        // Relaxed: this thread is the only writer and reads its own values. The maximum goes first.
        if value > table.max.load(Ordering::Relaxed) {
            table.max.store(value, Ordering::Relaxed);
        }
        let bucket = &table.buckets[bucket_of(value)];
        let count = bucket.load(Ordering::Relaxed) + 1;
        // Release: whoever sees this count also sees a maximum that is not below `value`.
        bucket.store(count, Ordering::Release);
    }

    /// A reading end for another thread.
    #[must_use]
    pub fn view(&self) -> RecorderView {
        RecorderView {
            table: Arc::clone(&self.table),
        }
    }
}

impl RecorderView {
    /// Copies the counts as they stand. The recorder runs on meanwhile: a value recorded during the copy may be in or
    /// not, one recorded before is in, and the maximum is never below a value that is in.
    #[must_use]
    pub fn read(&self) -> Histogram {
        let mut copy = Histogram::new();
        for (mine, theirs) in copy.buckets.iter_mut().zip(&self.table.buckets) {
            // Acquire: pairs with the recorder's release, so that the maximum read below covers this count.
            *mine = theirs.load(Ordering::Acquire);
        }
        copy.count = copy.buckets.iter().sum();
        // Relaxed: ordered after the loads above by their acquire.
        copy.max = self.table.max.load(Ordering::Relaxed);
        copy
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_join_without_gap_and_are_at_most_a_thirty_second_wide() {
        for bucket in 1..HISTOGRAM_BUCKETS {
            let (low, high) = (top_of(bucket - 1) + 1, top_of(bucket));
            assert_eq!((bucket_of(low), bucket_of(high)), (bucket, bucket));
            assert!((high - low) * SUB_BUCKETS <= low, "bucket {bucket}: {low} to {high}");
        }
        assert_eq!(bucket_of(0), 0);
        assert_eq!(top_of(HISTOGRAM_BUCKETS - 1), (1 << TOP_BITS) - 1);
        assert_eq!(bucket_of(u64::MAX), HISTOGRAM_BUCKETS - 1);
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        assert_eq!((Histogram::new().quantile(0.5), Histogram::new().max()), (None, None));
    }

    #[test]
    fn a_view_reads_while_the_recorder_runs() {
        const VALUES: u64 = 200_000;
        let mut recorder = Recorder::new();
        let view = recorder.view();
        let hot = std::thread::spawn(move || (1..=VALUES).for_each(|value| recorder.record(value)));
        let mut last = 0;
        while last < VALUES {
            let copy = view.read();
            assert!(copy.count() >= last);
            // Values ascend, so the copy's top bucket must lie at or below the bucket of its maximum.
            let top = copy.occupied().last().map_or(0, |(top, _)| top);
            assert!(bucket_of(top) <= bucket_of(copy.max().unwrap_or(0)));
            last = copy.count();
        }
        hot.join().expect("the recorder ends");
        assert_eq!(view.read().max(), Some(VALUES));
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0..64_u64, 0..100_000_u64, any::<u64>()], 1..300)
    }

    proptest! {
        #[test]
        fn quantiles_agree_with_a_sorted_list(mut values in values(), q in 0.0..=1.0_f64) {
            let mut recorder = Recorder::new();
            let mut histogram = Histogram::new();
            for value in &values {
                recorder.record(*value);
                histogram.record(*value);
            }
            prop_assert_eq!(&recorder.view().read(), &histogram);
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let exact = values[rank - 1];
            let answer = histogram.quantile(q).expect("not empty");
            prop_assert!(answer >= exact);
            if exact < 1 << TOP_BITS {
                prop_assert!(answer - exact <= exact / SUB_BUCKETS, "{} for {}", answer, exact);
            }
            prop_assert_eq!(histogram.max(), values.last().copied());
        }

        #[test]
        fn merged_is_as_if_recorded_in_one(left in values(), right in values()) {
            let fill = |values: &[u64]| {
                let mut histogram = Histogram::new();
                values.iter().for_each(|value| histogram.record(*value));
                histogram
            };
            let mut merged = fill(&left);
            merged.merge(&fill(&right));
            prop_assert_eq!(merged, fill(&[left, right].concat()));
        }
    }
}
