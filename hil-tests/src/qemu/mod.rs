//! The firmware in an emulated microcontroller, as a rig: one [`Emulator`] a board, its pearls and its belt in a
//! [`QemuLine`].
//!
//! Cold. The firmware is built by `src/firmware/build.sh` and runs in qemu's `lm3s6965evb` in wall time; its encoder, eyes,
//! camera and cells are the test stand's (crate `stand`). What this rig can not do: disturb a board's clock while it runs.

mod cost;
mod emulator;
mod line;
mod seat;

pub use cost::{Costs, cost, sizes};
pub use emulator::{Emulator, firmware, subject};
pub use line::QemuLine;

/// Late by so much may be what is heard of an emulated board on a busy computer, us.
pub const SLACK_US: u64 = 40_000;
