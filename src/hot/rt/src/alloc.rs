//! The proof that the hot side does not allocate: a global allocator that counts while a thread is hot.
//!
//! A program installs it with `#[global_allocator] static ALLOCATOR: CountingAllocator = CountingAllocator;` and wraps the
//! hot loop in a [`HotSection`]; [`hot_allocations`] tells any thread what happened inside. Off the hot side it costs one
//! thread-local load on top of the system's allocator. [`is_counting`] says whether it is installed at all, so that a
//! zero is never the zero of a counter that does not run.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    marker::PhantomData,
};
use std::alloc::System;

use crate::sync::{AtomicU64, Ordering};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Cold,
    Hot,
    /// `is_counting` is looking whether allocations pass through here.
    Probe,
    /// The probe saw one.
    Seen,
}

thread_local! {
    // `const` and without a destructor: reading it allocates nothing and works at any moment of a thread's life.
    static MODE: Cell<Mode> = const { Cell::new(Mode::Cold) };
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static FREES: AtomicU64 = AtomicU64::new(0);
static LARGEST_BYTES: AtomicU64 = AtomicU64::new(0);

/// What hot threads took from the allocator and gave back since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HotAllocations {
    /// Calls of alloc, zeroed alloc and realloc.
    pub allocations: u64,
    /// Calls of dealloc: freeing may take the allocator's lock just as well.
    pub frees: u64,
    /// The largest block asked for, in bytes: a hint at the culprit.
    pub largest_bytes: u64,
}

/// The system's allocator, counting while the calling thread is hot.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

#[inline]
fn note_allocation(bytes: usize) {
    match MODE.get() {
        Mode::Cold | Mode::Seen => {}
        Mode::Probe => MODE.set(Mode::Seen),
        Mode::Hot => {
            // Relaxed: mere counts, several hot threads may add.
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
            LARGEST_BYTES.fetch_max(bytes as u64, Ordering::Relaxed);
        }
    }
}

#[inline]
fn note_free() {
    if MODE.get() == Mode::Hot {
        // Relaxed: a mere count.
        FREES.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on to `System` unchanged, which keeps the contract; the counting touches no memory of the
// allocator, does not allocate and does not unwind.
unsafe impl GlobalAlloc for CountingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note_allocation(layout.size());
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note_allocation(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        note_allocation(bytes);
        // SAFETY: as in `alloc`; `block` came from `System`, for every block does.
        unsafe { System.realloc(block, layout, bytes) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note_free();
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Marks the calling thread hot until it is dropped. Sections nest.
#[derive(Debug)]
pub struct HotSection {
    was_hot: bool,
    /// It speaks of the thread that made it, so it must not leave it.
    stays: PhantomData<*const ()>,
}

impl HotSection {
    /// From here on this thread must not allocate.
    #[must_use]
    pub fn enter() -> Self {
        Self {
            was_hot: MODE.replace(Mode::Hot) == Mode::Hot,
            stays: PhantomData,
        }
    }
}

impl Drop for HotSection {
    fn drop(&mut self) {
        MODE.set(if self.was_hot { Mode::Hot } else { Mode::Cold });
    }
}

/// What all hot sections of the program did so far.
#[must_use]
pub fn hot_allocations() -> HotAllocations {
    // Relaxed: mere counts; each is right by itself.
    HotAllocations {
        allocations: ALLOCATIONS.load(Ordering::Relaxed),
        frees: FREES.load(Ordering::Relaxed),
        largest_bytes: LARGEST_BYTES.load(Ordering::Relaxed),
    }
}

/// Whether [`CountingAllocator`] is the program's global allocator. Allocates a byte to find out; cold threads only.
#[must_use]
pub fn is_counting() -> bool {
    let before = MODE.replace(Mode::Probe);
    drop(core::hint::black_box(Box::new(0_u8)));
    MODE.replace(before) == Mode::Seen
}
