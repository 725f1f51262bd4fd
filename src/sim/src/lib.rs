//! The virtual line: a pearl sorting line that knows the truth about itself.
//!
//! Cold; no thread of its own but in `real_time`. It may name the hot side, which never names it.
#![forbid(unsafe_code)]
// Times and counts of a run fit a float's 53 bits by far.
#![allow(clippy::cast_precision_loss)]

mod air;
pub mod belt;
pub mod catalogue;
pub mod chance;
pub mod demo;
pub mod digest;
pub mod faults;
mod field;
mod host;
pub mod jet;
pub mod judge;
mod lane;
pub mod nature;
pub mod pearl;
mod pipe;
mod queue;
pub mod real_time;
pub mod rig;
pub mod summary;
mod tap;
pub mod truth;
pub mod virtual_time;
pub mod world;

pub use tap::OrderSeen;
