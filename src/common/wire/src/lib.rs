//! The field bus of pearlsort: how host and boards talk over a serial link. Specified in `docs/WIRE.md`.
//!
//! Any thread, host and board: `no_std`, no allocation, no clock of its own.

#![no_std]
#![forbid(unsafe_code)]

mod message;

pub use message::{
    Amend, BoardLimits, Fault, FaultOf, Fire, FromBoard, Hello, Identity, Mass, MassStatus, Measurement, Samples,
    Setting, SettingKey, Status, ToBoard, ViewStatus,
};

/// Version of the protocol that this crate speaks.
pub const PROTOCOL: u8 = 1;
