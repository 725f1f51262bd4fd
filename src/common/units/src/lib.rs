//! Units and names of the line, so that a tick is never taken for a microsecond nor a lane for a valve.
//!
//! For every thread and for field boards: `no_std`, no dependencies, no allocation, nothing but integers.
//!
//! Words: a **tick** is one count of the belt's encoder. On the field bus ticks and board microseconds are 32-bit and
//! wrap ([`Tick32`], [`BoardUs32`]); the host unwraps them ([`Unwrap32`]) into [`Tick`] and [`BoardUs`], which never wrap
//! in the life of a machine. [`HostUs`] is the host's monotonic clock and reaches the core only inside events.

#![no_std]
#![forbid(unsafe_code)]

mod ids;
mod measures;
mod time;

pub use ids::{BinId, BoardId, EyeId, LaneId, OrderId, PearlId, TriggerSeq, ValveId};
pub use measures::{CentiPercent, Micrograms, Micrometres, Speed, TicksPerMetre};
pub use time::{BoardUs, BoardUs32, HostUs, Tick, Tick32, Unwrap32};
