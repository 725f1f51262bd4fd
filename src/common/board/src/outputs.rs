//! What a board can move. The board's program calls it; the microcontroller's pins, or the simulator's jets, do it.
//!
//! Any thread.

use units::{EyeId, Tick32, TriggerSeq, ValveId};

/// The board's outputs. No call may block.
pub trait Outputs {
    /// Switches a valve's coil.
    fn valve(&mut self, valve: ValveId, open: bool);
    /// Sets an output channel.
    fn channel(&mut self, channel: u8, value: u16);
    /// Fires strobe and camera of an entry eye; the picture's measurement carries `eye` and `seq`.
    fn flash(&mut self, eye: EyeId, seq: TriggerSeq, tick: Tick32);
}
