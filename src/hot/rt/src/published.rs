//! A value that the cold side publishes and the hot thread reads: a recipe, a calibration, the line's settings.
//!
//! [`Publisher`] lives on a cold thread, [`Reader`] on the hot one. Neither waits for the other. A reader that sleeps
//! misses the values in between and finds the newest.
//!
//! The hot thread never frees: three slots rotate between the two ends (**back** belongs to the publisher, **front** to
//! the reader, **middle** is offered), so an old value travels back to the publisher, who drops it. Beyond that the
//! publisher keeps one reference of its own to every value (the **history**) until nobody else holds one, so even a
//! clone made and dropped on the hot thread never is the last.

use std::sync::Arc as Handle;

use crate::sync::{Arc, AtomicU8, Cell, Ordering};

/// Set in `middle` while it holds a value that the reader has not taken.
const FRESH: u8 = 0b100;
/// The bits of `middle` that name a slot.
const SLOT: u8 = 0b011;

#[derive(Debug)]
struct Shared<T> {
    slots: [Cell<Option<Handle<T>>>; 3],
    middle: AtomicU8,
}

// SAFETY: a slot is touched only by the end that owns its number. The numbers back, middle and front are always
// different: each end gives one away and gets one in a single atomic swap. `Handle<T>` crosses threads, hence the bounds.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

/// The cold end: publishes values and frees old ones.
#[derive(Debug)]
pub struct Publisher<T: Send + Sync> {
    shared: Arc<Shared<T>>,
    back: u8,
    history: Vec<Handle<T>>,
}

/// The hot end: reads the newest value, never frees one.
#[derive(Debug)]
pub struct Reader<T: Send + Sync> {
    shared: Arc<Shared<T>>,
    front: u8,
}

/// Two ends with nothing published yet. One reader to a publisher; for two readers make two pairs.
#[must_use]
pub fn pair<T: Send + Sync>() -> (Publisher<T>, Reader<T>) {
    let shared = Arc::new(Shared {
        slots: [Cell::new(None), Cell::new(None), Cell::new(None)],
        middle: AtomicU8::new(1),
    });
    let publisher = Publisher {
        shared: Arc::clone(&shared),
        back: 0,
        history: Vec::new(),
    };
    (publisher, Reader { shared, front: 2 })
}

impl<T: Send + Sync> Publisher<T> {
    /// Offers `value` in place of whatever was offered before, and frees the values that nobody holds any more.
    pub fn publish(&mut self, value: Handle<T>) {
        self.history.push(Handle::clone(&value));
        self.shared.slots[usize::from(self.back)].with_mut(|slot| {
            // SAFETY: `back` is this end's own slot until the swap below gives it away; `&mut self` keeps it to one caller.
            unsafe { *slot = Some(value) }
        });
        // Release: the slot's new content is visible to the reader that takes it. Acquire: what the reader did with the
        // slot that comes back has ended before it is written again.
        let old = self.shared.middle.swap(self.back | FRESH, Ordering::AcqRel);
        self.back = old & SLOT;
        self.retire();
    }

    /// Frees the values that nobody else holds any more; returns how many remain.
    pub fn retire(&mut self) -> usize {
        // `get_mut` succeeds only for the sole owner, and synchronises with the drop of the last other handle.
        self.history.retain_mut(|value| Handle::get_mut(value).is_none());
        self.history.len()
    }

    /// Whether the reader has taken the newest value (true as well while nothing was published).
    #[must_use]
    pub fn is_taken(&self) -> bool {
        // Relaxed: a mere question; nothing is read on the strength of the answer.
        self.shared.middle.load(Ordering::Relaxed) & FRESH == 0
    }
}

impl<T: Send + Sync> Drop for Publisher<T> {
    /// The reader may still hold what the history keeps, and must not be the one to free it: such values are left to
    /// the end of the process. Empty when the publisher outlives the reader and its clones.
    fn drop(&mut self) {
        self.shared.slots[usize::from(self.back)].with_mut(|slot| {
            // SAFETY: `back` is this end's own slot.
            unsafe { *slot = None }
        });
        for value in self.history.drain(..) {
            if Arc::strong_count(&self.shared) > 1 && Handle::strong_count(&value) > 1 {
                std::mem::forget(value);
            }
        }
    }
}

impl<T: Send + Sync> Reader<T> {
    /// The newest value if it changed since the last call, else `None`. Wait-free: one load, one swap when it changed.
    #[inline]
    pub fn latest(&mut self) -> Option<&Handle<T>> {
        // Relaxed: only a hint; the swap below orders what follows.
        if self.shared.middle.load(Ordering::Relaxed) & FRESH == 0 {
            return None;
        }
        // Acquire: the value written before the publisher's swap is visible. Release: this end's last use of the slot
        // given away comes before the publisher's next write to it.
        let taken = self.shared.middle.swap(self.front, Ordering::AcqRel);
        self.front = taken & SLOT;
        self.current()
    }

    /// The value last taken by [`latest`](Self::latest); `None` before the first.
    #[must_use]
    #[inline]
    pub fn current(&self) -> Option<&Handle<T>> {
        self.shared.slots[usize::from(self.front)].with(|slot| {
            // SAFETY: `front` is this end's own slot until `latest`, which needs `&mut self`, gives it away; the
            // reference returned borrows `self` and so ends before that.
            unsafe { (*slot).as_ref() }
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use super::*;

    /// A value that remembers on which thread it was freed.
    struct Recipe {
        number: u64,
        check: u64,
        freed_on: mpsc::Sender<std::thread::ThreadId>,
        alive: Arc<AtomicUsize>,
    }

    impl Drop for Recipe {
        fn drop(&mut self) {
            self.alive.fetch_sub(1, Ordering::Relaxed);
            let _ = self.freed_on.send(std::thread::current().id());
        }
    }

    #[test]
    fn nothing_is_read_before_the_first_and_each_change_once() {
        let (mut publisher, mut reader) = pair();
        assert!(reader.latest().is_none() && reader.current().is_none());
        publisher.publish(Handle::new(1));
        assert!(!publisher.is_taken());
        publisher.publish(Handle::new(2));
        assert_eq!(reader.latest().map(|value| **value), Some(2));
        assert!(publisher.is_taken() && reader.latest().is_none());
        assert_eq!(reader.current().map(|value| **value), Some(2));
    }

    #[test]
    fn ten_thousand_swaps_are_seen_whole_in_order_and_freed_on_the_cold_side() {
        const SWAPS: u64 = 10_000;
        let (mut publisher, mut reader) = pair::<Recipe>();
        let (freed_on, freed) = mpsc::channel();
        let alive = Arc::new(AtomicUsize::new(0));
        let hot = std::thread::spawn(move || {
            let mut last = 0;
            let mut kept: Option<Handle<Recipe>> = None;
            while last < SWAPS {
                if let Some(recipe) = reader.latest() {
                    assert!(recipe.number > last && recipe.check == !recipe.number);
                    last = recipe.number;
                    // The core holds on to its recipe and lets the one before go: never the last handle.
                    kept = Some(Handle::clone(recipe));
                }
            }
            drop(kept);
            reader
        });
        let hot_id = hot.thread().id();
        for number in 1..=SWAPS {
            alive.fetch_add(1, Ordering::Relaxed);
            publisher.publish(Handle::new(Recipe {
                number,
                check: !number,
                freed_on: freed_on.clone(),
                alive: Arc::clone(&alive),
            }));
        }
        let reader = hot.join().expect("the reader saw whole values in order");
        assert!(publisher.retire() <= 3, "only what the slots hold is left");
        drop(reader);
        drop(publisher);
        drop(freed_on);
        assert_eq!(alive.load(Ordering::Relaxed), 0, "every value is freed");
        assert!(freed.iter().all(|id| id != hot_id), "the hot thread frees nothing");
    }

    #[test]
    fn a_publisher_that_dies_first_leaves_the_reader_its_value_and_nothing_to_free() {
        let (mut publisher, mut reader) = pair();
        let value = Handle::new(7);
        let probe = Handle::downgrade(&value);
        publisher.publish(value);
        reader.latest();
        drop(publisher);
        assert_eq!(reader.current().map(|value| **value), Some(7));
        drop(reader);
        assert!(
            probe.upgrade().is_some(),
            "the value outlives the reader: it was not freed there"
        );
    }
}
