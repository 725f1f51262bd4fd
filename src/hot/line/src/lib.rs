//! The core of the line: a function from events to orders and records.
//!
//! Runs on the hot thread. It does no IO, has no clock but the events', starts no thread and allocates nothing after
//! [`Core::new`]. The same events give the same orders and records, byte for byte, on any machine at any speed.
//!
//! A pearl passes the stages in the order of the modules: `sync` (boards' ticks onto the line's), `track`, `weigh`,
//! `grade`, `schedule`, `settle` (what the boards and drop eyes say became of it), `record`. Stages do not import one
//! another; `core` hands the pearl on. `pearl` and `geometry` are what they work on.

#![forbid(unsafe_code)]

mod accounts;
mod core;
mod geometry;
pub mod grade;
mod io;
pub mod limits;
mod pearl;
mod plan;
mod recipes;
mod record;
mod schedule;
mod settle;
mod sync;
mod track;
pub mod weigh;

pub use self::core::{Core, LineState};
pub use accounts::Accounts;
pub use io::{Command, DownCause, HoldCause, Input, Notice, Output};
pub use plan::{
    BoardPlan, CameraPlan, ChannelPlan, ChannelsPlan, DropEyePlan, EyePlan, JetPlan, LanePlan, LinePlan, Manifold,
    NeighbourPolicy, SignalPlan, Tolerances, WeighPlan, WeighSource,
};
pub use record::{Cause, Destination, Landing, MassFigure, Record};
