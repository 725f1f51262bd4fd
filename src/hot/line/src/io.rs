//! The core's door: everything that reaches it is an [`Input`] with a time, everything that leaves goes through
//! [`Output`]. A recording is the inputs; a replay gives the outputs again.
//!
//! Hot thread. Words: a **hold** stops the feeder, lets the belt run empty and recirculates everything on it.

use std::sync::Arc;

use units::{BinId, BoardId, BoardUs32, EyeId, HostUs, LaneId, PearlId, ValveId};
use wire::{FromBoard, Identity, Samples, ToBoard};

use crate::grade::Recipe;
use crate::record::Record;
use crate::weigh::{Model, ModelFault};

/// Why a link went down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DownCause {
    /// The port is gone.
    Port,
    /// Nothing came for too long, or nothing was acknowledged.
    Silence,
    /// The board began anew.
    Reset,
    /// The board is not the one that the line needs.
    Refused,
}

/// An operator's or the supervisor's wish. It is an event: it has a time and is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Arm the boards and sort, as soon as all are up and agree.
    Start,
    /// Feeder off, belt runs empty, everything recirculates.
    Hold,
    /// As `Hold`, and the boards are disarmed when the belt is empty.
    Stop,
    /// Send nothing into a bin (full, missing, being changed), or allow it again.
    Inhibit {
        /// The bin.
        bin: BinId,
        /// `true` forbids it.
        on: bool,
    },
    /// The bin has been emptied after a quarantine: use it again.
    Release {
        /// The bin.
        bin: BinId,
    },
    /// The cause of a hold is dealt with: sorting may go on after `Start`.
    Acknowledge,
    /// Test pulse of a valve at standstill.
    Pulse {
        /// Board.
        board: BoardId,
        /// Valve.
        valve: ValveId,
        /// Length, us.
        us: u16,
    },
    /// The belt's bins hold pearls of this lot from now on.
    Lot {
        /// Number that the store gave it.
        lot: u32,
    },
    /// Feeder on or off while the line sorts. While it is off, pearls already on the belt are sorted, and pearls that come
    /// all the same are recirculated. It stands until the next such command, over holds and starts.
    Feed {
        /// `false` switches it off.
        on: bool,
    },
    /// Belt drive on or off, where the line has one: to clear the belt, and off at once when the safety chain opens, so
    /// that closing it does not set the belt going.
    Belt {
        /// `false` switches it off.
        on: bool,
    },
}

/// One event.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A board has said something.
    Board {
        /// Which.
        board: BoardId,
        /// What.
        message: FromBoard<'a>,
    },
    /// A board's handshake is complete: its limits are checked and its settings agree.
    LinkUp {
        /// Which.
        board: BoardId,
        /// What it is.
        identity: Identity,
    },
    /// A board is gone.
    LinkDown {
        /// Which.
        board: BoardId,
        /// Why.
        cause: DownCause,
    },
    /// See [`Command`].
    Command(Command),
    /// A recipe takes effect for pearls that trigger from now on.
    Recipe(Arc<Recipe>),
    /// A lane's streaming cell is weighed by this model from now on; without one it weighs nothing.
    Model {
        /// The lane.
        lane: LaneId,
        /// The cell's model, as it was identified.
        model: &'a Model,
    },
    /// Time has passed and nothing else.
    Clock,
}

/// Why the line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldCause {
    /// An operator wished it.
    Command,
    /// A board is gone.
    Link(BoardId),
    /// Boards disagree about the belt's place or speed.
    Alignment(BoardId),
    /// Too many orders came late.
    Late,
    /// A valve seems to be stuck open.
    ValveOpen(BoardId, ValveId),
    /// A valve seems to stay shut.
    ValveShut(BoardId, ValveId),
    /// A pearl may be in a bin where it does not belong.
    Quarantine(BinId),
    /// A board's watchdog closed everything.
    Watchdog(BoardId),
    /// A board dropped messages.
    Dropped(BoardId),
    /// The safety chain is open, or another of the line's signals is lost.
    Signal(BoardId, u8),
    /// A drop eye seems to be blind: pearls in a row came there unseen.
    EyeBlind(BoardId, EyeId),
}

/// News for the cold side, beside the records: what alarms and the journal are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// Sorting has begun.
    Running,
    /// The line holds.
    Held(HoldCause),
    /// The line has stopped, boards disarmed.
    Stopped,
    /// `Start` was refused for this cause; it is tried again with the next `Start`.
    StartRefused(HoldCause),
    /// A board is up.
    BoardUp(BoardId),
    /// A board is gone.
    BoardDown(BoardId, DownCause),
    /// All boards agree about the belt within the tolerance.
    Aligned,
    /// They do not any more; the farthest is this one, by so many um.
    Misaligned(BoardId, i32),
    /// A bin is in quarantine: pearls that came after `since` may not belong there, at most `pearls` of them.
    Quarantined {
        /// The bin.
        bin: BinId,
        /// Time of the last proof that all was well.
        since: HostUs,
        /// Pearls sent there since.
        pearls: u32,
    },
    /// A bin is free again.
    Released(BinId),
    /// A pearl was seen at a station where none was expected.
    Intruder(LaneId),
    /// A pearl fell into a bin that the program which ran before had sent there: no record of this run speaks of it.
    LeftOver(BinId),
    /// A pearl was not seen where it was expected.
    Missing(LaneId, PearlId),
    /// An eye's numbers have a gap of so many.
    Gap(LaneId, u16),
    /// The command's answer to a test pulse.
    Pulsed(BoardId, ValveId),
    /// A channel of a board changed.
    Channel(BoardId, u8, u16),
    /// A lane's streaming cell is weighed by another model from now on.
    Model(LaneId),
    /// The model can't be used; the one before stays.
    ModelRefused(LaneId, ModelFault),
    /// The zero of a lane's cell has left its band or moves too fast (`true`): nothing is weighed there until it is back.
    Zero(LaneId, bool),
    /// The residuals of a lane's cell have grown beyond what its model allows: it wants to be identified again.
    Misfit(LaneId),
    /// A valve's pearls land later (earlier, when negative) by so many us than they did at first: told at each further
    /// [`crate::limits::DRIFT_STEP_US`].
    Drift(BoardId, ValveId, i32),
}

/// Where the core's results go. Nothing here may block, allocate or fail: what is full drops and counts.
pub trait Output {
    /// Send `message` to `board`.
    fn send(&mut self, board: BoardId, message: ToBoard);
    /// Arm `board` with the settings that its handshake agreed on, or disarm it.
    fn arm(&mut self, board: BoardId, on: bool);
    /// A pearl's story is complete.
    fn record(&mut self, record: &Record);
    /// Samples of a lane's cell are about to be weighed by: for whoever identifies its platform.
    fn samples(&mut self, _lane: LaneId, _samples: &Samples<'_>) {}
    /// A pearl has passed the platform of a lane's streaming cell, between these times of the cell's board.
    fn passage(&mut self, _lane: LaneId, _entered: BoardUs32, _left: BoardUs32) {}
    /// See [`Notice`].
    fn notice(&mut self, at: HostUs, notice: Notice);
    /// No pearl needs this recipe any more: whoever gets it may drop it, away from the hot thread.
    fn retire(&mut self, recipe: Arc<Recipe>);
}
