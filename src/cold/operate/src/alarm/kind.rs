//! What there are alarms of. Each kind has its name, priority, cause, consequence and what to do in the catalogue of
//! words ([`crate::words`]).
//!
//! Cold, any thread.

use std::fmt;
use std::str::FromStr;

use line::HoldCause;
use units::{BinId, BoardId, LaneId, ValveId};

use crate::setup::{Setup, Use};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What an alarm is of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its name in files, addresses and the catalogue of words.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The safety chain is open.
    SafetyOpen = "safety_open",
    /// A guard door is open.
    GuardOpen = "guard_open",
    /// The hot thread has died.
    HotEnded = "hot_ended",
    /// A valve seems to stay open.
    ValveOpen = "valve_open",
    /// Air pressure is low.
    AirLow = "air_low",
    /// A lamp is dead.
    LampDead = "lamp_dead",
    /// Another watched signal is lost.
    SignalLost = "signal_lost",
    /// A board is gone.
    BoardDown = "board_down",
    /// A board is not what the line needs.
    BoardRefused = "board_refused",
    /// A board's watchdog closed everything.
    Watchdog = "watchdog",
    /// Boards disagree about the belt.
    Misaligned = "misaligned",
    /// A board dropped messages.
    BoardDropped = "board_dropped",
    /// Many orders came late.
    Late = "late",
    /// A valve seems to stay shut.
    ValveShut = "valve_shut",
    /// A drop eye seems to be blind.
    EyeBlind = "eye_blind",
    /// A bin is in quarantine.
    Quarantine = "quarantine",
    /// The line could not start.
    StartRefused = "start_refused",
    /// The belt does not run empty.
    NotEmptied = "not_emptied",
    /// The belt is too slow, too fast or runs backwards.
    BeltSpeed = "belt_speed",
    /// No pearls come.
    Starved = "starved",
    /// A bin is full.
    BinFull = "bin_full",
    /// A bin is nearly full.
    BinNearlyFull = "bin_nearly_full",
    /// A bin is not there.
    BinMissing = "bin_missing",
    /// Orders were late, fewer than hold the line.
    LateSome = "late_some",
    /// The lead of orders shrinks.
    LeadShrinking = "lead_shrinking",
    /// The computer stood still.
    HostStall = "host_stall",
    /// Frames are sent again.
    RepeatRate = "repeat_rate",
    /// Frames are damaged.
    CrcRate = "crc_rate",
    /// A link is slow.
    RoundTrip = "round_trip",
    /// A board's clock does not fit.
    ClockFit = "clock_fit",
    /// A valve's pearls land later than they did.
    ValveDrift = "valve_drift",
    /// A valve's pearls are seen less often in their bin.
    ValveConfirm = "valve_confirm",
    /// A weigh cell's zero drifts.
    ZeroDrift = "zero_drift",
    /// A weigh cell's zero has left its band.
    ZeroLost = "zero_lost",
    /// A weigh cell's residuals have grown: its model does not fit any more.
    WeighMisfit = "weigh_misfit",
    /// A weigh cell's model can't be used.
    ModelRefused = "model_refused",
    /// Many pearls of a lane have no mass.
    WeighFaults = "weigh_faults",
    /// Many pearls of a lane have no view.
    ViewFaults = "view_faults",
    /// A lamp ages.
    LampAgeing = "lamp_ageing",
    /// Many pearls are recirculated for faults.
    Recirculation = "recirculation",
    /// Pearls were lost.
    Lost = "lost",
    /// Pearls were seen where none was expected.
    Intruders = "intruders",
    /// Pearls were not seen where they were expected.
    Missing = "missing",
    /// Numbers of eyes or cells have gaps.
    Gaps = "gaps",
    /// Triggers came twice.
    Doubled = "doubled",
    /// Pearls fell into a bin into which they were not sent.
    Misplaced = "misplaced",
    /// Pearls fell that the program before had ordered.
    LeftOver = "left_over",
    /// Orders were taken back too late.
    Gone = "gone",
    /// Orders were not answered.
    Unanswered = "unanswered",
    /// Messages spoke of what the line does not have.
    Unknown = "unknown",
    /// Messages spoke of pearls or orders that are over.
    Unmatched = "unmatched",
    /// Messages found no room on a link.
    Unsent = "unsent",
    /// Records were dropped between hot and cold side.
    RecordsDropped = "records_dropped",
    /// News were dropped between hot and cold side.
    NewsDropped = "news_dropped",
    /// The recording has gaps.
    RecordingDropped = "recording_dropped",
    /// The store can't write.
    StoreFailed = "store_failed",
    /// The store dropped records.
    StoreDropped = "store_dropped",
    /// The store lags behind.
    StoreBehind = "store_behind",
    /// The disk fills.
    DiskLow = "disk_low",
    /// A saved recipe is faulty.
    RecipeFaulty = "recipe_faulty",
    /// There are more alarms than are kept.
    AlarmsFull = "alarms_full",
}

impl Kind {
    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// The part of the line that an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The whole line.
    Line,
    /// A board.
    Board(BoardId),
    /// A valve of a board.
    Valve(BoardId, ValveId),
    /// A lane.
    Lane(LaneId),
    /// A bin.
    Bin(BinId),
    /// A channel of a board.
    Channel(BoardId, u8),
}

/// One alarm: what and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmId {
    /// What.
    pub kind: Kind,
    /// Where.
    pub place: Place,
}

impl AlarmId {
    /// The alarm of a kind at a place.
    #[must_use]
    pub const fn new(kind: Kind, place: Place) -> Self {
        Self { kind, place }
    }

    /// The alarm of a kind about the whole line.
    #[must_use]
    pub const fn line(kind: Kind) -> Self {
        Self::new(kind, Place::Line)
    }
}

/// `kind`, or `kind.board-0`, `kind.valve-0-12`, `kind.lane-3`, `kind.bin-2`, `kind.channel-0-8`; numbers from 0.
impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match self.place {
            Place::Line => Ok(()),
            Place::Board(board) => write!(f, ".board-{}", board.0),
            Place::Valve(board, valve) => write!(f, ".valve-{}-{}", board.0, valve.0),
            Place::Lane(lane) => write!(f, ".lane-{}", lane.0),
            Place::Bin(bin) => write!(f, ".bin-{}", bin.0),
            Place::Channel(board, channel) => write!(f, ".channel-{}-{channel}", board.0),
        }
    }
}

/// A text is not the name of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAlarm;

impl FromStr for AlarmId {
    type Err = NoAlarm;

    fn from_str(text: &str) -> Result<Self, NoAlarm> {
        let (name, place) = text
            .split_once('.')
            .map_or((text, None), |(name, rest)| (name, Some(rest)));
        let kind = Kind::named(name).ok_or(NoAlarm)?;
        let Some(place) = place else {
            return Ok(Self::line(kind));
        };
        let mut parts = place.split('-');
        let what = parts.next().ok_or(NoAlarm)?;
        let mut number = || parts.next().and_then(|part| part.parse::<u8>().ok()).ok_or(NoAlarm);
        let place = match what {
            "board" => Place::Board(BoardId(number()?)),
            "valve" => Place::Valve(BoardId(number()?), ValveId(number()?)),
            "lane" => Place::Lane(LaneId(number()?)),
            "bin" => Place::Bin(BinId(number()?)),
            "channel" => Place::Channel(BoardId(number()?), number()?),
            _ => return Err(NoAlarm),
        };
        match parts.next() {
            None => Ok(Self { kind, place }),
            Some(_) => Err(NoAlarm),
        }
    }
}

/// The alarm of a cause for which the line holds; none for an operator's wish.
#[must_use]
pub fn of_hold(cause: HoldCause, setup: &Setup) -> Option<AlarmId> {
    let (kind, place) = match cause {
        HoldCause::Command => return None,
        HoldCause::Link(board) => (Kind::BoardDown, Place::Board(board)),
        HoldCause::Alignment(board) => (Kind::Misaligned, Place::Board(board)),
        HoldCause::Late => (Kind::Late, Place::Line),
        HoldCause::ValveOpen(board, valve) => (Kind::ValveOpen, Place::Valve(board, valve)),
        HoldCause::ValveShut(board, valve) => (Kind::ValveShut, Place::Valve(board, valve)),
        HoldCause::EyeBlind(board, _) => (Kind::EyeBlind, Place::Board(board)),
        HoldCause::Quarantine(bin) => (Kind::Quarantine, Place::Bin(bin)),
        HoldCause::Watchdog(board) => (Kind::Watchdog, Place::Board(board)),
        HoldCause::Dropped(board) => (Kind::BoardDropped, Place::Board(board)),
        HoldCause::Signal(board, channel) => (
            setup
                .signal_at(board, channel)
                .map_or(Kind::SignalLost, |signal| of_use(signal.used_for)),
            Place::Channel(board, channel),
        ),
    };
    Some(AlarmId { kind, place })
}

/// The alarm of a signal that is not as it must be.
#[must_use]
pub const fn of_use(used_for: Use) -> Kind {
    match used_for {
        Use::SafetyChain => Kind::SafetyOpen,
        Use::GuardDoor => Kind::GuardOpen,
        Use::AirPressure => Kind::AirLow,
        Use::LampCurrent => Kind::LampDead,
        Use::Other => Kind::SignalLost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_alarms_come_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(*kind));
        }
        for place in [
            Place::Line,
            Place::Board(BoardId(3)),
            Place::Valve(BoardId(1), ValveId(127)),
            Place::Lane(LaneId(63)),
            Place::Bin(BinId(0)),
            Place::Channel(BoardId(0), 8),
        ] {
            let id = AlarmId::new(Kind::ValveDrift, place);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for wrong in [
            "",
            "x",
            "late.",
            "late.lane",
            "late.lane-256",
            "late.lane-1-2",
            "late.valve-1",
            "late.board--1",
        ] {
            assert_eq!(wrong.parse::<AlarmId>(), Err(NoAlarm), "{wrong}");
        }
    }
}
