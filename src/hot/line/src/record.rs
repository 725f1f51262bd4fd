//! What is kept of one pearl: the core's only product beside the orders.
//!
//! Hot thread makes it, the cold side keeps it. Words: a **cause** says why a pearl was not binned.

use units::{BinId, HostUs, LaneId, Micrograms, Micrometres, PearlId, Tick, TriggerSeq};
use wire::{MassStatus, Measurement, ViewStatus};

/// Where a pearl was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Into a grade bin.
    Bin(BinId),
    /// Nothing blew: off the belt's end into the recirculate tray.
    Tray(Cause),
}

/// Why a pearl was recirculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The line was not sorting when it came.
    NotRunning,
    /// No bin of the recipe takes it.
    NoBin,
    /// A bin would take it, but its figures are too uncertain for that.
    Doubt,
    /// No measurement came in time.
    NoMeasurement,
    /// A measurement came, but its figures do not hold.
    View(ViewStatus),
    /// No mass came in time.
    NoMass,
    /// A mass came, but it does not hold.
    Mass(MassStatus),
    /// Its length in the eye is that of two pearls that touch.
    Touching,
    /// Its length in the eye is too short for a pearl, or the eye never cleared.
    Length,
    /// A neighbour would be blown with it.
    Neighbour,
    /// The camera or a station saw a pearl near it that the entry eye had not.
    Intruder,
    /// It was not where a station expected it.
    Missing,
    /// The valve had not recovered, or would have been open too long.
    Valve,
    /// Too many valves of the manifold were open.
    Manifold,
    /// The decision came with less than the least lead.
    TooLate,
    /// The bin was inhibited.
    Inhibited,
    /// The bin was in quarantine.
    Quarantine,
    /// The line went into hold after its trigger.
    Hold,
    /// A board was down, or boards did not agree about the belt.
    Link,
    /// The belt was too slow, too fast, or ran backwards.
    Speed,
    /// The board refused the order as late.
    OrderLate,
    /// The board refused the order for another reason, or did not fire it.
    OrderFault,
    /// The core had no room to track it.
    Overflow,
}

/// What became of it, as far as eyes can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Landing {
    /// The eye of its destination saw it.
    Seen,
    /// The destination has no eye; the board's report stands for it.
    NoEye,
    /// The eye of its destination did not see it: it is lost.
    Lost,
    /// Another eye saw it: the tray's, when the jet missed it.
    Tray,
    /// Another bin's eye saw it: that bin is quarantined.
    Bin(BinId),
}

/// A mass with its standard uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MassFigure {
    /// Mass.
    pub mass: Micrograms,
    /// Its standard uncertainty.
    pub u: Micrograms,
}

/// One pearl's passage, from trigger to landing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// The pearl.
    pub pearl: PearlId,
    /// Its lane.
    pub lane: LaneId,
    /// Its trigger's number.
    pub seq: TriggerSeq,
    /// Host time of its trigger.
    pub triggered: HostUs,
    /// Tick at which its centre was at the entry eye.
    pub centre: Tick,
    /// Its length in the eye.
    pub length: Micrometres,
    /// What the camera saw, if anything.
    pub view: Option<Measurement>,
    /// What it weighs, if known.
    pub mass: Option<MassFigure>,
    /// Where the recipe would have it, by its figures alone.
    pub earned: Option<BinId>,
    /// Where it was sent.
    pub sent: Destination,
    /// What became of it.
    pub landing: Landing,
    /// Time from the last figure needed to the order, us; `None` without order.
    pub decision_us: Option<i32>,
    /// Lead of the order before its tick when it left the core, us; `None` without order.
    pub lead_us: Option<i32>,
    /// Hash of the recipe that graded it.
    pub recipe: u64,
    /// Lot.
    pub lot: u32,
}
