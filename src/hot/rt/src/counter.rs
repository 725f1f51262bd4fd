//! Counters, gauges and snapshots that the hot thread writes and any cold thread reads.
//!
//! A [`Counter`] or [`Gauge`] has one writer (it is `Send`, not `Sync`, not `Clone`), which makes counting a plain load
//! and store; its views are cloned at will. Two counters read one after the other may disagree by what happened in
//! between: figures that must agree (in = binned + recirculated + lost) go together through a [`SnapshotWriter`].

use core::marker::PhantomData;

use crossbeam_utils::CachePadded;

use crate::sync::{Arc, AtomicU64, Ordering, fence, yield_now};

/// Takes `Sync` from a type: shared references to a writer must not reach a second thread.
type OneThread = PhantomData<core::cell::Cell<()>>;

/// A count that only grows, written by one thread. It has a cache line to itself: whoever reads it does not slow what the
/// hot thread keeps beside it.
#[derive(Debug)]
pub struct Counter {
    value: Arc<CachePadded<AtomicU64>>,
    one_thread: OneThread,
}

/// The reading end of a [`Counter`].
#[derive(Clone, Debug)]
pub struct CounterView {
    value: Arc<CachePadded<AtomicU64>>,
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            value: Arc::new(CachePadded::new(AtomicU64::new(0))),
            one_thread: PhantomData,
        }
    }
}

impl Counter {
    /// A counter at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `amount`, wrapping after 2^64.
    #[inline]
    pub fn add(&self, amount: u64) {
        // Relaxed load and store in place of a locked add: there is one writer, and nothing is ordered by a count.
        let value = self.value.load(Ordering::Relaxed).wrapping_add(amount);
        self.value.store(value, Ordering::Relaxed);
    }

    /// The count now.
    #[must_use]
    #[inline]
    pub fn get(&self) -> u64 {
        // Relaxed: the writer reads its own value.
        self.value.load(Ordering::Relaxed)
    }

    /// A reading end for another thread.
    #[must_use]
    pub fn view(&self) -> CounterView {
        CounterView {
            value: Arc::clone(&self.value),
        }
    }
}

impl CounterView {
    /// The count as last seen by this thread; never falls.
    #[must_use]
    pub fn get(&self) -> u64 {
        // Relaxed: one location is coherent by itself, so the count never falls; nothing else is read by it.
        self.value.load(Ordering::Relaxed)
    }
}

/// A value that goes up and down, written by one thread.
#[derive(Debug)]
pub struct Gauge {
    value: Arc<CachePadded<AtomicU64>>,
    one_thread: OneThread,
}

/// The reading end of a [`Gauge`].
#[derive(Clone, Debug)]
pub struct GaugeView {
    value: Arc<CachePadded<AtomicU64>>,
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            value: Arc::new(CachePadded::new(AtomicU64::new(0))),
            one_thread: PhantomData,
        }
    }
}

impl Gauge {
    /// A gauge at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the gauge.
    #[inline]
    pub fn set(&self, value: i64) {
        // Relaxed: nothing is ordered by a gauge.
        self.value.store(value.cast_unsigned(), Ordering::Relaxed);
    }

    /// Raises the gauge to `value` if it stands lower: a high-water mark.
    #[inline]
    pub fn raise(&self, value: i64) {
        // Relaxed: one writer reads its own value.
        if value > self.value.load(Ordering::Relaxed).cast_signed() {
            self.set(value);
        }
    }

    /// A reading end for another thread.
    #[must_use]
    pub fn view(&self) -> GaugeView {
        GaugeView {
            value: Arc::clone(&self.value),
        }
    }
}

impl GaugeView {
    /// The value as last seen by this thread.
    #[must_use]
    pub fn get(&self) -> i64 {
        // Relaxed: nothing else is read by it.
        self.value.load(Ordering::Relaxed).cast_signed()
    }
}

#[derive(Debug)]
struct Words<const N: usize> {
    /// Odd while a write is under way, grows by two with each.
    version: AtomicU64,
    words: [AtomicU64; N],
}

/// The hot end of `N` figures that are read together or not at all (a sequence lock over atomic words).
#[derive(Debug)]
pub struct SnapshotWriter<const N: usize> {
    shared: Arc<Words<N>>,
}

/// The cold end of a [`SnapshotWriter`].
#[derive(Clone, Debug)]
pub struct SnapshotReader<const N: usize> {
    shared: Arc<Words<N>>,
}

/// Two ends of a snapshot of `N` figures, all zero.
#[must_use]
pub fn snapshot<const N: usize>() -> (SnapshotWriter<N>, SnapshotReader<N>) {
    let shared = Arc::new(Words {
        version: AtomicU64::new(0),
        words: core::array::from_fn(|_| AtomicU64::new(0)),
    });
    (
        SnapshotWriter {
            shared: Arc::clone(&shared),
        },
        SnapshotReader { shared },
    )
}

impl<const N: usize> SnapshotWriter<N> {
    /// Replaces all figures. Wait-free; a reader never holds it up.
    #[inline]
    pub fn write(&mut self, figures: &[u64; N]) {
        let shared = &*self.shared;
        // Relaxed: one writer reads its own version.
        let version = shared.version.load(Ordering::Relaxed);
        shared.version.store(version + 1, Ordering::Relaxed);
        // Release fence: whoever sees one of the words below also sees the odd version above.
        fence(Ordering::Release);
        for (word, figure) in shared.words.iter().zip(figures) {
            // Relaxed: the fences order the words as a whole.
            word.store(*figure, Ordering::Relaxed);
        }
        // Release: whoever sees the even version sees all the words above.
        shared.version.store(version + 2, Ordering::Release);
    }
}

impl<const N: usize> SnapshotReader<N> {
    /// The figures of one write, or `None` when a write was under way.
    #[must_use]
    pub fn try_read(&self) -> Option<[u64; N]> {
        let shared = &*self.shared;
        // Acquire: pairs with the release of the even version, so that its words are seen.
        let before = shared.version.load(Ordering::Acquire);
        if before % 2 == 1 {
            return None;
        }
        // Relaxed: the fences order the words as a whole.
        let figures = core::array::from_fn(|index| shared.words[index].load(Ordering::Relaxed));
        // Acquire fence: if any word came from a later write, its odd version is seen by the load below.
        fence(Ordering::Acquire);
        let after = shared.version.load(Ordering::Relaxed);
        (before == after).then_some(figures)
    }

    /// The figures of one write; gives way to other threads while a write is under way. Cold side only.
    #[must_use]
    pub fn read(&self) -> [u64; N] {
        loop {
            if let Some(figures) = self.try_read() {
                return figures;
            }
            yield_now();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_counter_and_a_gauge_are_seen_by_their_views() {
        let (counter, gauge) = (Counter::new(), Gauge::new());
        let (count, level) = (counter.view(), gauge.view());
        std::thread::spawn(move || {
            (0..1000).for_each(|_| counter.add(2));
            gauge.set(-5);
            gauge.raise(-7);
            gauge.raise(-3);
        })
        .join()
        .expect("the writer ends");
        assert_eq!((count.get(), level.get()), (2000, -3));
    }

    #[test]
    fn figures_of_a_snapshot_agree_while_they_are_written() {
        const WRITES: u64 = 200_000;
        let (mut writer, reader) = snapshot::<3>();
        let hot = std::thread::spawn(move || {
            for number in 1..=WRITES {
                writer.write(&[number, number * 2, number * 3]);
            }
        });
        let mut last = 0;
        while last < WRITES {
            let [one, two, three] = reader.read();
            assert!(
                one >= last && two == one * 2 && three == one * 3,
                "torn: {one} {two} {three}"
            );
            last = one;
        }
        hot.join().expect("the writer ends");
    }
}
