//! The machine as operators see it: PackML states and modes, ISA-18.2 alarms, bins, OEE, and every word they read.
//!
//! Cold. The crate's rule: no input or output, no clock but what it is handed, no threads. The program feeds [`Operate`]
//! from the hot thread's figures, news and records, gives the core the commands that come out, and shows the rest.
//!
//! Words: a **request** is what an operator wishes, a **refusal** says why not; an **act** is a command for the core; a
//! **glance** is what the hot thread publishes some times a second, an **observation** what the program counts once a
//! second. An alarm is a [`alarm::Kind`] at a [`alarm::Place`].

#![forbid(unsafe_code)]

mod acts;
pub mod alarm;
mod bins;
mod health;
pub mod limits;
mod machine;
mod oee;
mod operate;
mod refusal;
mod setup;
mod state;
mod watch;
pub mod words;

pub use bins::{Bin, BinState};
pub use health::{Health, Lane, Share, Valve, is_fault};
pub use machine::{StopReason, Why, hold_text};
pub use oee::{Factors, Oee};
pub use operate::{Glance, LinkTrouble, Operate, Request};
pub use refusal::Refusal;
pub use setup::{JetSetup, Setup, SignalSetup, Use};
pub use state::{Command, Deed, Mode, State};
pub use watch::{Fault, LinkFigures, Observation, StoreFigures};
pub use words::{Lang, Text};
