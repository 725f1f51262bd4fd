//! The hardware side of the host: bytes become events, orders become bytes.
//!
//! Hot and cold: [`session`] runs anywhere and touches no hardware; [`hot`] is the hot thread's loop over the ports;
//! [`ports`] finds and opens ports on a cold thread; [`cameras`] take frames on threads of their own; [`faults`] spoils
//! links for tests.
//!
//! Words: a **link** is host and board on one serial line; a **port** is the host's device for it.

#![forbid(unsafe_code)]

pub mod cameras;
pub mod faults;
pub mod hot;
pub mod limits;
mod link_io;
mod plan;
pub mod ports;
pub mod session;

pub use plan::{LinkPlan, Needs, Refusal, Size};
pub use session::{DownReason, HostLink, LinkCounters, LinkEvent, SendError};
