//! A ring of bytes from an interrupt to the main loop. Neither waits for the other; what finds no room is dropped and
//! counted.

use core::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};

/// Room for `N` bytes less one; `N` is a power of two.
pub(crate) struct Ring<const N: usize> {
    bytes: [AtomicU8; N],
    /// Where the next byte goes; the interrupt's.
    head: AtomicUsize,
    /// Where the next byte comes from; the main loop's.
    tail: AtomicUsize,
    lost: AtomicU32,
}

impl<const N: usize> Ring<N> {
    const IS_POWER_OF_TWO: () = assert!(N.is_power_of_two());

    pub(crate) const fn new() -> Self {
        const { Self::IS_POWER_OF_TWO };
        Self {
            bytes: [const { AtomicU8::new(0) }; N],
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
            lost: AtomicU32::new(0),
        }
    }

    /// Adds a byte: from the interrupt only.
    pub(crate) fn push(&self, byte: u8) {
        let head = self.head.load(Ordering::Relaxed);
        let next = (head + 1) % N;
        if next == self.tail.load(Ordering::Acquire) {
            self.count_lost();
            return;
        }
        self.bytes[head].store(byte, Ordering::Relaxed);
        self.head.store(next, Ordering::Release);
    }

    /// Counts a byte that was lost on its way here: from the interrupt only.
    pub(crate) fn count_lost(&self) {
        self.lost
            .store(self.lost.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Takes bytes out, as many as there are and fit: from the main loop only.
    pub(crate) fn take(&self, out: &mut [u8]) -> usize {
        let head = self.head.load(Ordering::Acquire);
        let mut tail = self.tail.load(Ordering::Relaxed);
        let mut count = 0;
        while tail != head && count < out.len() {
            out[count] = self.bytes[tail].load(Ordering::Relaxed);
            tail = (tail + 1) % N;
            count += 1;
        }
        self.tail.store(tail, Ordering::Release);
        count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.load(Ordering::Acquire) == self.tail.load(Ordering::Relaxed)
    }

    /// Bytes that found no room, modulo 2^32.
    pub(crate) fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }
}
