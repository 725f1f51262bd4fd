//! The test stand's port of a board: a rig puts itself in the place of encoder, eyes, cells and channels, and is told
//! what the board does to its valves and outputs, with board time and tick.
//!
//! Any thread, rig and board: `no_std`, no allocation, no panic on any bytes. A board on a line has no such port. It uses
//! the field bus's frames (`docs/WIRE.md`: stuffing, checksum), each with one message of this page in a session of its
//! own, numbered by `seq` so that a loss is seen, not repeated: nothing here may be lost on a stand that works.
//! Numbers are little-endian. A message has exactly one coding; what is none is refused.

#![no_std]
#![forbid(unsafe_code)]

mod codec;
mod shaft;

pub use codec::{Refused, decode_from, decode_to, encode_from, encode_to};
pub use shaft::Shaft;
use units::{EyeId, Tick32, TriggerSeq, ValveId};

/// Session of the stand's frames: a field bus frame that strays here is refused.
pub const SESSION: u16 = 0x5A5A;

/// Pieces of the shaft's way that a board keeps beside the one that runs.
pub const PIECES: usize = 16;

/// From a time on the shaft runs evenly from a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Board time at which it begins, us; one that has passed begins at once, as if it had begun then.
    pub from_us: u32,
    /// Encoder count at that time...
    pub count: Tick32,
    /// ...and billionths of a tick beyond it.
    pub nano: u32,
    /// Thousandths of a tick a second.
    pub rate: i32,
}

/// From the rig to the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToStand<'a> {
    /// Answered by [`FromStand::Pong`].
    Ping {
        /// Comes back.
        token: u32,
    },
    /// Sets the board's clock, us. The shaft stands from then on, where it is.
    Clock {
        /// Its new time; never less than the present one.
        us: u64,
    },
    /// See [`Piece`]. Pieces come in the order of their times.
    Shaft(Piece),
    /// An edge of an eye, latched at a tick.
    Eye {
        /// Which.
        eye: EyeId,
        /// Whether it is interrupted from now.
        interrupted: bool,
        /// The tick latched.
        tick: Tick32,
    },
    /// The encoder's index pulse, latched at a tick.
    Index {
        /// The tick latched.
        tick: Tick32,
    },
    /// An input channel's value.
    Channel {
        /// Which.
        channel: u8,
        /// Its value.
        value: u16,
    },
    /// A valve's coil draws no current.
    Coil {
        /// Which.
        valve: ValveId,
    },
    /// What a smart camera or a weigh cell has made: the body of a field bus frame with one `Measurement`, `Mass` or
    /// `Samples`.
    Report(&'a [u8]),
    /// The supply goes and comes back after a time: everything is forgotten but the number of starts.
    Reset {
        /// For how long it is dark, us.
        dark_us: u32,
    },
    /// The program comes to an impossible place.
    Panic,
    /// The program goes round in circles: the chip's own watchdog must help.
    Hang,
    /// The queue at its fullest is measured; ends the connection. Answered by [`FromStand::Cost`].
    Measure,
}

/// Why a board has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// Its supply came.
    Power = 0,
    /// [`ToStand::Reset`].
    Asked = 1,
    /// A panic or a fault of the processor.
    Panic = 2,
    /// The chip's watchdog.
    Watchdog = 3,
}

/// What a board has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Bytes from the field bus that found no room.
    pub bus_lost: u32,
    /// Bytes from the stand that found no room, and frames of it that were refused.
    pub stand_lost: u32,
    /// Messages to the stand that found no room.
    pub told_lost: u32,
    /// Bytes of the stack that were never used.
    pub stack_left: u32,
}

/// Cycles of the processor for one frame with one fire order, from the frame's bytes to the valve's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Orders in the queue at the fullest.
    pub queued: u16,
    /// Into an empty queue.
    pub first: u32,
    /// Behind all others on one valve, as hosts give orders.
    pub last: u32,
    /// Before all others on one valve, every number in the list that is looked through: the worst.
    pub worst: u32,
    /// A poll in which nothing is due, with the queue full.
    pub poll: u32,
}

/// From the board to the rig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromStand {
    /// The board has started; valves are closed.
    Started {
        /// Its number.
        uid: u64,
        /// Times that it has started.
        starts: u16,
        /// Why.
        cause: Cause,
    },
    /// Answer to [`ToStand::Ping`].
    Pong {
        /// The ping's.
        token: u32,
        /// The board's clock, us.
        us: u64,
        /// Its encoder.
        tick: Tick32,
        /// How it is.
        health: Health,
    },
    /// A valve was switched.
    Valve {
        /// Which.
        valve: ValveId,
        /// Whether it is open now.
        open: bool,
        /// The board's clock, us.
        us: u64,
        /// Its encoder.
        tick: Tick32,
    },
    /// An output channel was set.
    Output {
        /// Which.
        channel: u8,
        /// To what.
        value: u16,
        /// The board's clock, us.
        us: u64,
    },
    /// Strobe and camera of an entry eye were fired.
    Flash {
        /// Of which eye.
        eye: EyeId,
        /// For which trigger.
        seq: TriggerSeq,
        /// The trigger's tick.
        tick: Tick32,
    },
    /// See [`Cost`].
    Cost(Cost),
}
