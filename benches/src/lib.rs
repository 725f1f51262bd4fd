//! pearlsort measured next to its peers, in the same run and on the same computer.
//!
//! A **contender** ([`contender`]) is a sorter at the host's end of a pseudo-terminal; the driver plays what stands at
//! the **far end** ([`far_end`]): it sends a trigger and a measurement for each pearl and takes the orders. Two figures
//! are measured ([`capacity`], [`latency`]), interleaved over the contenders and repeated, and go into a [`report`]. Beside them
//! stands what an order costs on the wire ([`orders`]); a [`page`] shows it all.
//!
//! Peers speak plain lines ([`lines`]), as an integrator would: no CRC, no numbering, no tracking, no scheduling. The
//! contenders written here are the daemon itself ([`ours`], on a [`belt`]), the bare floor and shapes of a hot side ([`floor`],
//! [`hot_shapes`], [`bus_shape`]); those that are programs of their own stand in `peers/` ([`program`]).
//!
//! The eye stands beside OpenCV in the same way ([`crops`]).

#![forbid(unsafe_code)]

pub mod belt;
pub mod bus_far_end;
pub mod bus_shape;
pub mod capacity;
pub mod contender;
pub mod crops;
pub mod far_end;
pub mod floor;
pub mod hot_shapes;
pub mod latency;
pub mod limits;
pub mod lines;
pub mod orders;
pub mod ours;
pub mod page;
pub mod program;
pub mod report;
pub mod weighing;
