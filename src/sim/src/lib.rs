//! The virtual line: a pearl sorting line that knows the truth about itself. Its defaults stand in [`nature`].
//!
//! Cold; no thread of its own but in [`real_time`]. It may name the hot side, which never names it.
//!
//! From the belt up: [`belt`] moves, [`pearl`]s lie on it, a [`platform`] weighs them, a [`jet`]'s air moves them, [`world`] ties them together and tells
//! the [`truth`]. A [`rig`] is the world with the field boards that stand in it. [`virtual_time`] runs rig, links and core in
//! one thread from a seed; [`real_time`] runs the rig behind pseudo-terminals for the program itself. The [`judge`] holds
//! what happened against what was said, and a [`summary`] tells what came of it. [`demo`] makes the machine and its recipe,
//! [`draw`] gives the line pictures for an
//! eye of the host, [`faults`] is the timetable of what goes wrong, [`random`] draws one from a seed.
#![forbid(unsafe_code)]
// Times and counts of a run fit a float's 53 bits by far.
#![allow(clippy::cast_precision_loss)]

mod air;
pub mod belt;
pub mod chance;
pub mod demo;
pub mod digest;
pub mod draw;
pub mod faults;
mod field;
mod host;
pub mod jet;
pub mod judge;
mod lane;
pub mod nature;
pub mod pearl;
pub mod platform;
mod queue;
pub mod random;
pub mod real_time;
pub mod rig;
pub mod summary;
mod tap;
pub mod truth;
pub mod virtual_time;
pub mod world;

pub use tap::OrderSeen;
