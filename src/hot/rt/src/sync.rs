//! The one door of the atomics: the processor's, or the model checker's under `--cfg loom`. Any thread.
//!
//! No other file of the crate names `core::sync::atomic` or `loom`. [`Cell`] has loom's shape in both worlds, so that
//! the checker sees every access to shared memory that is not atomic.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU8, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::{sync::Arc, thread::yield_now};

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell as Cell,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering, fence},
    },
    thread::yield_now,
};

/// Shared memory without a lock: whoever calls must know that nobody else is in the way.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct Cell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> Cell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    /// Runs `read` with a pointer to the value.
    #[inline]
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// Runs `write` with a pointer to the value.
    #[inline]
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}
