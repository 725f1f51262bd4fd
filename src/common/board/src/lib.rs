//! What a field board does, without the hardware: encoder, fire queue, valve guards, watchdog, eyes, channels, link.
//!
//! Any thread: `no_std`, no allocation, no clock of its own, so that the simulator and a microcontroller run the very
//! same lines. Bytes, edges and the moment come in; bytes, valve switchings and flashes go out. No bytes and no order of
//! calls make it panic.
//!
//! The board keeps by itself what must hold even when the host is gone: no valve is open longer than its longest time,
//! silence closes everything and stops the feeder, and an order whose tick has passed is not fired.
//!
//! From the outside in: [`Board`] is the link and the controls; `controls` obeys messages; `valves` opens and closes by
//! `queue`; `belt` knows place and speed; `eyes`, `channels`, `settings` are what their names say.

#![no_std]
#![forbid(unsafe_code)]

mod belt;
mod board;
mod channels;
mod controls;
mod description;
mod eyes;
pub mod limits;
mod outbox;
mod outputs;
mod queue;
mod settings;
mod valves;

pub use belt::Now;
pub use board::Board;
pub use description::{Description, Wiring};
pub use outputs::Outputs;
