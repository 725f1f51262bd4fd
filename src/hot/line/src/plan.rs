//! The machine as the core knows it: where the stations stand and which board serves them. Made and checked by
//! `config`, or by a test; the core trusts it.
//!
//! Words: distances are measured along the belt from the lane's **entry eye**, in micrometres; `at_um` is where a
//! pearl's centre is when the station acts on it.

use units::{BinId, BoardId, EyeId, TicksPerMetre, ValveId};

/// An eye by its board and number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EyePlan {
    /// Board that reads it.
    pub board: BoardId,
    /// Its number there.
    pub eye: EyeId,
}

/// The camera station behind an entry eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameraPlan {
    /// Length of belt that it sees on each side of the pearl's centre, um. A neighbour within it is seen even when the
    /// eye missed it.
    pub view_um: i32,
}

/// How a mass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeighSource {
    /// The cell weighs itself and sends `Mass`.
    Mass,
    /// The cell streams samples and the core's estimator weighs.
    Samples,
}

/// The weigh cell of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeighPlan {
    /// Board that reads it.
    pub board: BoardId,
    /// Its number there.
    pub cell: u8,
    /// Where the platform begins, um.
    pub at_um: i32,
    /// Its length, um.
    pub length_um: i32,
    /// How the mass is made.
    pub source: WeighSource,
}

/// An eye in a bin's or the tray's mouth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropEyePlan {
    /// The eye.
    pub eye: EyePlan,
    /// Least time from the jet (or the belt's end) to the eye, us.
    pub least_us: i32,
    /// Longest time, us.
    pub most_us: i32,
}

/// One air jet of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JetPlan {
    /// Bin that it blows into.
    pub bin: BinId,
    /// Board that drives its valve.
    pub board: BoardId,
    /// The valve there.
    pub valve: ValveId,
    /// Where it stands, um.
    pub at_um: i32,
    /// The eye in the bin's mouth, where there is one.
    pub drop_eye: Option<DropEyePlan>,
}

/// One lane. Stations stand in belt order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanePlan {
    /// The entry eye.
    pub entry: EyePlan,
    /// The camera station; without it only recipes that ask for no view serve the lane.
    pub camera: Option<CameraPlan>,
    /// The weigh cell, where there is one.
    pub weigh: Option<WeighPlan>,
    /// The jets, in belt order.
    pub jets: Vec<JetPlan>,
    /// The belt's end, um.
    pub end_um: i32,
    /// The eye in the recirculate tray's mouth, where there is one.
    pub tray_eye: Option<DropEyePlan>,
}

/// Valves fed by one manifold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifold {
    /// Board that drives them.
    pub board: BoardId,
    /// The valves.
    pub valves: Vec<ValveId>,
    /// Most of them that may be open at once.
    pub most_open: u8,
}

/// What happens when a pearl is to be blown and a neighbour that is to stay lies within the jet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighbourPolicy {
    /// Both are recirculated: nothing is blown.
    Recirculate,
    /// The pearl in the purer (earlier) bin is kept back; the neighbour keeps its own bin if it can be had alone.
    Purity,
}

/// One field board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardPlan {
    /// Its identity.
    pub uid: u64,
    /// Encoder ticks between index pulses, or `None` when the encoder has no index.
    pub index_ticks: Option<u32>,
}

/// Distances and times within which things count as the same, or as safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerances {
    /// Width of the air at the belt, um.
    pub jet_width_um: i32,
    /// Room kept on each side for rolling, jitter and fit, um.
    pub margin_um: i32,
    /// Least and most length of one pearl in the entry eye, um. Longer is two that touch, shorter is dirt.
    pub least_length_um: i32,
    /// See `least_length_um`.
    pub most_length_um: i32,
    /// How far a pearl may be from where it is expected at a station, um.
    pub station_um: i32,
    /// Least time between giving an order and its tick, us.
    pub least_lead_us: i32,
    /// Least off-time between two pulses of a valve, us.
    pub valve_recovery_us: i32,
    /// Longest that a valve may be open, us.
    pub max_on_us: i32,
    /// Longest time from trigger to measurement, us.
    pub measure_us: i32,
    /// Longest time from the weigh platform's end to the mass, us.
    pub weigh_us: i32,
    /// Least belt speed at which pearls are sorted, um/s.
    pub least_speed_um_s: i32,
    /// Most belt speed, um/s.
    pub most_speed_um_s: i32,
    /// Farthest that boards may disagree about the belt before nothing is ordered, um.
    pub align_um: i32,
    /// Longest silence of a board's `Status` before its orders stop, us.
    pub status_silence_us: i32,
    /// Late orders within `late_window_us` that hold the line.
    pub late_limit: u16,
    /// See `late_limit`, us.
    pub late_window_us: i64,
    /// Time between two feeds of the watchdogs, us.
    pub feed_us: i32,
}

/// A numbered channel of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelPlan {
    /// The board.
    pub board: BoardId,
    /// Its number there.
    pub channel: u8,
}

/// A signal without which nothing is sorted: safety chain, guard door, air pressure, lamp current, belt drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalPlan {
    /// Where it comes in.
    pub at: ChannelPlan,
    /// Least value that is good.
    pub least: u16,
    /// Most value that is good.
    pub most: u16,
}

/// The line's other signals. All of it is optional: a line without them is fed and driven by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelsPlan {
    /// Output that runs the feeder: 1 while the line sorts. Its board stops it by itself when the watchdog is not fed.
    pub feeder: Option<ChannelPlan>,
    /// Output that runs the belt: 1 from `Start` until the line has stopped.
    pub belt: Option<ChannelPlan>,
    /// Signals whose loss holds the line.
    pub signals: Vec<SignalPlan>,
}

/// The whole machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePlan {
    /// Encoder ticks a metre.
    pub ticks_per_metre: TicksPerMetre,
    /// Grade bins.
    pub bins: u8,
    /// Field boards; a `BoardId` is an index here.
    pub boards: Vec<BoardPlan>,
    /// Lanes; a `LaneId` is an index here.
    pub lanes: Vec<LanePlan>,
    /// Manifolds with a limit.
    pub manifolds: Vec<Manifold>,
    /// Distances and times.
    pub tolerances: Tolerances,
    /// What to do about neighbours in a jet.
    pub neighbours: NeighbourPolicy,
    /// Feeder, belt and the line's other signals.
    pub channels: ChannelsPlan,
}
