//! Why data are refused: what is wrong with them, and what to do.
//!
//! Any thread.

/// Which side of an edge was never met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneSide {
    /// Every pulse blew its pearl into the bin.
    OnlyHits,
    /// No pulse did.
    OnlyMisses,
}

/// See the module. Each is about one thing that was to be found: a lane's scale, a jet, a valve.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Too little was seen.
    #[error("{n} {what}, at least {least} are needed: let more test pearls through, or see why they are not seen")]
    TooFew {
        /// What was counted.
        what: &'static str,
        /// How many there were.
        n: usize,
        /// How many are needed.
        least: usize,
    },
    /// Too much of it does not fit the rest.
    #[error(
        "{rejected} of {n} {what} do not fit the others: clean the eyes, use single round pearls, and look for a belt that slips"
    )]
    TooManyRejected {
        /// What was counted.
        what: &'static str,
        /// How many were rejected.
        rejected: usize,
        /// Of how many.
        n: usize,
    },
    /// Not enough different speeds.
    #[error(
        "the belt ran at {slowest:.0} to {fastest:.0} ticks/s; the fastest must be at least 1.2 times the slowest: run the belt \
         slower and faster"
    )]
    SpeedsTooClose {
        /// Slowest level.
        slowest: f64,
        /// Fastest level.
        fastest: f64,
    },
    /// The belt's speed was not steady.
    #[error(
        "the belt ran at {slowest:.0} to {fastest:.0} ticks/s while it should have kept one speed: see to its drive, then repeat"
    )]
    Unsteady {
        /// Slowest observation of the level.
        slowest: f64,
        /// Fastest observation of the level.
        fastest: f64,
    },
    /// More than two speeds, and they do not lie on a line.
    #[error(
        "what was seen at the {levels} speeds does not lie on one line (chi squared {chi_squared:.0}): something moved between \
         them, repeat all of them"
    )]
    NotStraight {
        /// Speeds.
        levels: usize,
        /// Weighted squares that the line leaves, a degree of freedom.
        chi_squared: f64,
    },
    /// The pearls fall in no time, or backwards.
    #[error(
        "the fall from jet to drop eye would take {fall_us:.0} us: the drop eye sees something else than these pearls, or belongs to \
         another jet; look at its wiring"
    )]
    FallTime {
        /// Time that the fit gives.
        fall_us: f64,
    },
    /// The result is too far from what the file says.
    #[error(
        "{what} would be {found:.0} {unit}, the file says {configured:.0}: more than {most:.0} apart; measure by hand, correct the \
         file, and repeat"
    )]
    TooFar {
        /// What was found.
        what: &'static str,
        /// Its unit.
        unit: &'static str,
        /// What the data say.
        found: f64,
        /// What the file says.
        configured: f64,
        /// How far apart they may be.
        most: f64,
    },
    /// The result is too uncertain.
    #[error(
        "{what} is uncertain by {u:.0} {unit}, at most {most:.0} would do: take about {times:.1} times as many pearls, rounder ones, \
         or speeds that are farther apart"
    )]
    TooUncertain {
        /// What was found.
        what: &'static str,
        /// Unit of the uncertainty.
        unit: &'static str,
        /// Its standard uncertainty.
        u: f64,
        /// The largest that would do.
        most: f64,
        /// How many times the data would be needed.
        times: f64,
    },
    /// The ruler's own uncertainty is too large for the distance.
    #[error(
        "the ruler's {u_um:.0} um in {um:.0} um are {:.1} %, at most {:.1} % would do: measure more exactly, or over a longer \
         distance, such as to a far jet",
        100.0 * .u_um / .um,
        100.0 * super::limits::TICKS_UNCERTAINTY
    )]
    Ruler {
        /// The distance, um.
        um: f64,
        /// Its standard uncertainty, um.
        u_um: f64,
    },
    /// The pulses never went over an edge.
    #[error(
        "at {speed:.0} ticks/s {}: {}",
        match .side { OneSide::OnlyHits => "every pulse hit", OneSide::OnlyMisses => "no pulse hit" },
        match .side {
            OneSide::OnlyHits => "sweep farther, the edge of the hits was not reached",
            OneSide::OnlyMisses => "see that there is air, that the valve opens, and that the drop eye sees",
        }
    )]
    OneSided {
        /// Speed of the level.
        speed: f64,
        /// What was met.
        side: OneSide,
    },
    /// Hits and misses lie all over the sweep.
    #[error(
        "at {speed:.0} ticks/s {wrong} of {n} pulses are on the wrong side of the edge: hit and miss do not depend on when the valve \
         opens; look at the drop eye, the air pressure, and for pearls that roll"
    )]
    NoEdge {
        /// Speed of the level.
        speed: f64,
        /// Pulses on the wrong side.
        wrong: usize,
        /// Pulses.
        n: usize,
    },
    /// A number that is none, or a ruler's length that is none.
    #[error("{what} is {value}: give a positive length")]
    NotPositive {
        /// What.
        what: &'static str,
        /// Its value.
        value: f64,
    },
}
