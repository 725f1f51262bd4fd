//! Real time on the host: what the hot thread needs of Linux, and what may pass between it and the cold side.
//!
//! The only crate of the host that may say `unsafe`; each block says why it is sound. Atomics enter by one door,
//! [`sync`](crate::sync), which becomes the model checker under `--cfg loom`.
//!
//! Between hot and cold pass four things only, each with its module: rings out and a bounded command ring in
//! ([`ring`]), published values in ([`published`]), counters out ([`counter`], [`histogram`]). Beside them stand the
//! thread itself ([`thread`]), its proof that it does not allocate ([`alloc`]), its clock ([`clock`]), its ports
//! ([`port`], [`poll`]), the watcher that tells the host's stalls from ours ([`watch`]) and the survey of the computer
//! ([`survey`], [`latency`]).
//!
//! Words: **hot** is the thread that reads ports, runs the core and writes orders; it never waits for anything but
//! its ports, never allocates after start and never frees. **Cold** is every other thread.

#![warn(clippy::undocumented_unsafe_blocks)]

pub mod counter;
pub mod histogram;
pub mod limits;
pub mod published;
mod sync;

// What speaks to the kernel is no matter for the model checker.
#[cfg(not(loom))]
pub mod alloc;
#[cfg(not(loom))]
pub mod clock;
#[cfg(not(loom))]
pub mod latency;
#[cfg(not(loom))]
pub mod poll;
#[cfg(not(loom))]
pub mod port;
#[cfg(not(loom))]
pub mod ring;
#[cfg(not(loom))]
pub mod survey;
#[cfg(not(loom))]
pub mod thread;
#[cfg(not(loom))]
pub mod watch;
