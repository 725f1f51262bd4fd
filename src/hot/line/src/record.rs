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
    /// Its jet blew, and yet it came to the tray.
    Missed,
}

impl Cause {
    /// Number of causes: [`Cause::index`] is below it.
    pub const COUNT: usize = PLAIN.len() + VIEWS.len() + MASSES.len();

    /// The cause's place in a table, each view and mass status with one of its own.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::NotRunning => 0,
            Self::NoBin => 1,
            Self::Doubt => 2,
            Self::NoMeasurement => 3,
            Self::NoMass => 4,
            Self::Touching => 5,
            Self::Length => 6,
            Self::Neighbour => 7,
            Self::Intruder => 8,
            Self::Missing => 9,
            Self::Valve => 10,
            Self::Manifold => 11,
            Self::TooLate => 12,
            Self::Inhibited => 13,
            Self::Quarantine => 14,
            Self::Hold => 15,
            Self::Link => 16,
            Self::Speed => 17,
            Self::OrderLate => 18,
            Self::OrderFault => 19,
            Self::Overflow => 20,
            Self::Missed => 21,
            Self::View(status) => PLAIN.len() + status as usize,
            Self::Mass(status) => PLAIN.len() + VIEWS.len() + status as usize,
        }
    }

    /// Every cause, in the order of [`Cause::index`].
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = PLAIN.iter().map(|(cause, _)| *cause);
        let views = VIEWS.iter().map(|(status, _)| Self::View(*status));
        plain
            .chain(views)
            .chain(MASSES.iter().map(|(status, _)| Self::Mass(*status)))
    }

    /// The cause's name in tables and files, in snake case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::View(status) => VIEWS[status as usize].1,
            Self::Mass(status) => MASSES[status as usize].1,
            _ => PLAIN[self.index()].1,
        }
    }
}

const PLAIN: [(Cause, &str); 22] = [
    (Cause::NotRunning, "not_running"),
    (Cause::NoBin, "no_bin"),
    (Cause::Doubt, "doubt"),
    (Cause::NoMeasurement, "no_measurement"),
    (Cause::NoMass, "no_mass"),
    (Cause::Touching, "touching"),
    (Cause::Length, "length"),
    (Cause::Neighbour, "neighbour"),
    (Cause::Intruder, "intruder"),
    (Cause::Missing, "missing"),
    (Cause::Valve, "valve"),
    (Cause::Manifold, "manifold"),
    (Cause::TooLate, "too_late"),
    (Cause::Inhibited, "inhibited"),
    (Cause::Quarantine, "quarantine"),
    (Cause::Hold, "hold"),
    (Cause::Link, "link"),
    (Cause::Speed, "speed"),
    (Cause::OrderLate, "order_late"),
    (Cause::OrderFault, "order_fault"),
    (Cause::Overflow, "overflow"),
    (Cause::Missed, "missed"),
];

const VIEWS: [(ViewStatus, &str); 10] = [
    (ViewStatus::Good, "view_good"),
    (ViewStatus::Empty, "view_empty"),
    (ViewStatus::Several, "view_several"),
    (ViewStatus::Cut, "view_cut"),
    (ViewStatus::Foreign, "view_foreign"),
    (ViewStatus::Overexposed, "view_overexposed"),
    (ViewStatus::Dark, "view_dark"),
    (ViewStatus::Dirty, "view_dirty"),
    (ViewStatus::Malformed, "view_malformed"),
    (ViewStatus::Late, "view_late"),
];

const MASSES: [(MassStatus, &str); 9] = [
    (MassStatus::Good, "mass_good"),
    (MassStatus::Shared, "mass_shared"),
    (MassStatus::Gap, "mass_gap"),
    (MassStatus::Saturated, "mass_saturated"),
    (MassStatus::Stuck, "mass_stuck"),
    (MassStatus::Empty, "mass_empty"),
    (MassStatus::Disturbed, "mass_disturbed"),
    (MassStatus::Gate, "mass_gate"),
    (MassStatus::Zero, "mass_zero"),
];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_own_place_and_name() {
        let mut names = std::collections::BTreeSet::new();
        for (index, cause) in Cause::all().enumerate() {
            assert_eq!(cause.index(), index);
            assert!(names.insert(cause.name()), "{} twice", cause.name());
        }
        assert_eq!(names.len(), Cause::COUNT);
    }
}
