//! The field bus of pearlsort: how host and boards talk over a serial link. Specified in `docs/WIRE.md`.
//!
//! Any thread, host and board: `no_std`, no allocation, no clock of its own, no panic on any bytes. From the line up:
//! [`cobs`] ends frames, [`crc`] checks them, [`frame`] takes them apart, [`codec`] knows the messages, [`link`] numbers,
//! acknowledges and repeats; [`settings`] says by what checksum both sides agree on a board's settings.

#![no_std]
#![forbid(unsafe_code)]

pub mod cobs;
pub mod codec;
mod counters;
pub mod crc;
pub mod frame;
pub mod limits;
pub mod link;
mod message;
pub mod settings;
mod timing;

pub use codec::{Board, DecodeError, Encode, Host, Messages, PushError, Role};
pub use counters::Counters;
pub use crc::crc32c;
pub use frame::{Decoder, Frame, FrameError, FrameWriter, Header, Kind};
pub use limits::{BODY_MAX, ENCODED_MAX, WINDOW_MAX};
pub use link::{BoardEndpoint, Endpoint, HostEndpoint};
pub use message::{
    Amend, BoardLimits, Fault, FaultOf, Fire, FromBoard, Hello, Identity, Mass, MassStatus, Measurement, Samples,
    Setting, SettingKey, Status, ToBoard, ViewStatus,
};
pub use settings::settings_crc;

/// Version of the protocol that this crate speaks.
pub const PROTOCOL: u8 = 1;
