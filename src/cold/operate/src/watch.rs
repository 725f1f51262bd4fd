//! What the figures mean: each second they are held against their thresholds, and become alarms or their end. Most of
//! these alarms come before anything fails.
//!
//! Cold, any thread. A figure that is not told is not known: its alarm neither comes nor goes.

use std::collections::VecDeque;

use line::LineState;
use units::{BinId, BoardId, HostUs, LaneId};

use crate::alarm::{AlarmId, Alarms, Kind, Place, Value};
use crate::bins::Bin;
use crate::health::{Health, Valve};
use crate::limits::{
    BEHIND_OFF, BEHIND_ON, CLOCK_FIT_OFF_US, CLOCK_FIT_ON_US, CONFIRMED_OFF, CONFIRMED_ON, DAMAGED_OFF, DAMAGED_ON,
    DISK_OFF_BYTES, DISK_ON_BYTES, DRIFT_OFF_US, DRIFT_ON_US, FAULTY_OFF, FAULTY_ON, LAMP_OFF, LAMP_ON,
    LEAD_ROOM_OFF_US, LEAD_ROOM_ON_US, LEAST_FRAMES, LEAST_PEARLS, RATE_SECONDS, REPEATS_OFF, REPEATS_ON,
    ROUND_TRIP_OFF_US, ROUND_TRIP_ON_US, STALL_ON_US, UNMEASURED_OFF, UNMEASURED_ON, ZERO_OFF_UG, ZERO_ON_UG,
};
use crate::setup::{Setup, Use};

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident => $kind:ident, $most:literal;)*) => {
        /// What the hot side counts as wrong. Every count has its alarm.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fault {
            $($(#[$doc])* $fault,)*
        }

        impl Fault {
            /// Every count.
            pub const ALL: &[Self] = &[$(Self::$fault,)*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The alarm that says it.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self {
                    $(Self::$fault => Kind::$kind,)*
                }
            }

            /// Most of them for a thousand pearls of the same minute that are no alarm: pearls roll and touch, and that is
            /// no fault of the line. Of most faults there is none.
            #[must_use]
            pub const fn most_per_mille(self) -> u64 {
                match self {
                    $(Self::$fault => $most,)*
                }
            }
        }
    };
}

faults! {
    /// Orders that the boards refused as late.
    Late => LateSome, 0;
    /// Pearls seen nowhere.
    Lost => Lost, 0;
    /// Pearls seen where none was expected.
    Intruders => Intruders, 50;
    /// Pearls not seen where they were expected.
    Missing => Missing, 20;
    /// Numbers that eyes and cells left out.
    Gaps => Gaps, 0;
    /// Triggers that came twice.
    Doubled => Doubled, 20;
    /// Pearls in a bin into which they were not sent.
    Misplaced => Misplaced, 0;
    /// Pearls of the program that ran before.
    LeftOver => LeftOver, 0;
    /// Orders taken back too late.
    Gone => Gone, 5;
    /// Orders without a report.
    Unanswered => Unanswered, 0;
    /// Messages about what the line does not have.
    Unknown => Unknown, 5;
    /// Messages about what is not followed.
    Unmatched => Unmatched, 50;
    /// Messages that no link took.
    Unsent => Unsent, 0;
    /// Records dropped between hot and cold side.
    RecordsDropped => RecordsDropped, 0;
    /// News dropped between hot and cold side.
    NewsDropped => NewsDropped, 0;
    /// Events that the recording lacks.
    Unrecorded => RecordingDropped, 0;
    /// Records that the store dropped.
    StoreDropped => StoreDropped, 0;
}

/// Figures of one board's link. Counts grow, or wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFigures {
    /// Frames sent, repeats included.
    pub frames_sent: u32,
    /// Of them sent again.
    pub repeats: u32,
    /// Whole frames that came.
    pub frames_received: u32,
    /// Runs of bytes that the line spoilt.
    pub damaged: u32,
    /// Smoothed round trip, us; `None` before one was measured.
    pub round_trip_us: Option<u32>,
    /// Farthest that the clock lay off its fit, us; `None` before there is a fit.
    pub clock_fit_us: Option<i64>,
}

/// Figures of the store; a line without one has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// Whether it can't write.
    pub is_failing: bool,
    /// Records that wait.
    pub waiting: u64,
    /// Records that find room.
    pub room: u64,
    /// Room left on the disk, bytes, where it is known.
    pub free_bytes: Option<u64>,
}

/// What the program tells once a second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The boards' links, in their order.
    pub links: Vec<LinkFigures>,
    /// Pearls that came in.
    pub entered: u64,
    /// Counts of [`Fault`], in its order.
    pub faults: [u64; Fault::COUNT],
    /// The store, where there is one.
    pub store: Option<StoreFigures>,
    /// Longest stall of the computer since the last observation, us; `None` where nobody watches.
    pub stall_us: Option<i64>,
    /// Drift of each lane's weigh cell's zero, ug, where it is known.
    pub zeros_ug: Vec<Option<i32>>,
}

impl Observation {
    /// Sets a count.
    pub fn set(&mut self, fault: Fault, count: u64) {
        self.faults[fault as usize] = count;
    }
}

/// Seconds over which faults are counted for their rate.
const MINUTE: usize = 60;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    links: VecDeque<Vec<LinkFigures>>,
    faults: VecDeque<(u64, [u64; Fault::COUNT])>,
    /// First values of the signals that are lamps.
    lamps: Vec<Option<u16>>,
}

/// `Some(true)` from `on` upwards, `Some(false)` below `off`, `None` between.
fn band<T: PartialOrd>(value: T, on: T, off: T) -> Option<bool> {
    if value >= on {
        Some(true)
    } else if value < off {
        Some(false)
    } else {
        None
    }
}

/// As [`band`], for figures that are bad when they are small.
fn band_below<T: PartialOrd>(value: T, on: T, off: T) -> Option<bool> {
    if value <= on {
        Some(true)
    } else if value > off {
        Some(false)
    } else {
        None
    }
}

fn value(value: impl Into<f64>, unit: &'static str) -> Option<Value> {
    Some(Value {
        value: value.into(),
        unit,
    })
}

impl Watch {
    /// Holds the second's figures against their thresholds.
    pub(crate) fn observe(&mut self, at: HostUs, seen: &Observation, alarms: &mut Alarms) {
        self.links.push_back(seen.links.clone());
        if self.links.len() > RATE_SECONDS {
            self.links.pop_front();
        }
        for (board, now) in (0_u8..).zip(&seen.links) {
            self.observe_link(at, BoardId(board), now, alarms);
        }
        self.observe_faults(at, seen, alarms);
        if let Some(store) = seen.store {
            observe_store(at, &store, alarms);
        }
        if let Some(stall_us) = seen.stall_us.filter(|us| *us >= STALL_ON_US) {
            #[expect(clippy::cast_precision_loss, reason = "shown")]
            let shown = value(stall_us as f64 / 1e3, "ms");
            alarms.strike(at, AlarmId::line(Kind::HostStall), shown);
        }
        for (lane, zero) in (0_u8..).zip(&seen.zeros_ug) {
            if let Some(zero_ug) = zero {
                let id = AlarmId::new(Kind::ZeroDrift, Place::Lane(LaneId(lane)));
                let condition = band(zero_ug.saturating_abs(), ZERO_ON_UG, ZERO_OFF_UG);
                alarms.set_banded(at, id, condition, value(f64::from(*zero_ug) / 1e3, "mg"));
            }
        }
    }

    fn observe_link(&self, at: HostUs, board: BoardId, now: &LinkFigures, alarms: &mut Alarms) {
        let place = Place::Board(board);
        if let Some(before) = self.links.front().and_then(|links| links.get(board.index())) {
            let mut rate = |kind, part: u32, part_before: u32, all: u32, all_before: u32, on: u64, off: u64| {
                let (part, all) = (
                    u64::from(part.wrapping_sub(part_before)),
                    u64::from(all.wrapping_sub(all_before)),
                );
                if all + part >= LEAST_FRAMES {
                    let per_mille = part * 1_000 / all.max(1);
                    #[expect(clippy::cast_precision_loss, reason = "shown")]
                    let shown = value(per_mille as f64, "per_mille");
                    alarms.set_banded(at, AlarmId::new(kind, place), band(per_mille, on, off), shown);
                }
            };
            rate(
                Kind::RepeatRate,
                now.repeats,
                before.repeats,
                now.frames_sent,
                before.frames_sent,
                REPEATS_ON,
                REPEATS_OFF,
            );
            rate(
                Kind::CrcRate,
                now.damaged,
                before.damaged,
                now.frames_received,
                before.frames_received,
                DAMAGED_ON,
                DAMAGED_OFF,
            );
        }
        if let Some(us) = now.round_trip_us {
            let condition = band(i64::from(us), ROUND_TRIP_ON_US, ROUND_TRIP_OFF_US);
            alarms.set_banded(at, AlarmId::new(Kind::RoundTrip, place), condition, value(us, "us"));
        }
        if let Some(us) = now.clock_fit_us {
            let condition = band(us, CLOCK_FIT_ON_US, CLOCK_FIT_OFF_US);
            #[expect(clippy::cast_precision_loss, reason = "shown")]
            alarms.set_banded(
                at,
                AlarmId::new(Kind::ClockFit, place),
                condition,
                value(us as f64, "us"),
            );
        }
    }

    fn observe_faults(&mut self, at: HostUs, seen: &Observation, alarms: &mut Alarms) {
        let (_, last) = self.faults.back().copied().unwrap_or_default();
        self.faults.push_back((seen.entered, seen.faults));
        // Before there is a minute, everything since the start counts.
        let (entered, first) = if self.faults.len() > MINUTE {
            self.faults.pop_front().unwrap_or_default()
        } else {
            (0, [0; Fault::COUNT])
        };
        let pearls = seen.entered.saturating_sub(entered);
        for (n, fault) in Fault::ALL.iter().enumerate() {
            let in_a_minute = seen.faults[n].saturating_sub(first[n]);
            if seen.faults[n] > last[n] && in_a_minute * 1_000 > fault.most_per_mille() * pearls.max(LEAST_PEARLS) {
                alarms.strike(at, AlarmId::line(fault.kind()), Some(Value::count(seen.faults[n])));
            }
        }
    }

    /// A watched signal's value: a lamp that fades is told before it is dead.
    pub(crate) fn lamp(&mut self, at: HostUs, signal: usize, now: u16, setup: &Setup, alarms: &mut Alarms) {
        let Some(of) = setup.signals.get(signal).filter(|of| of.used_for == Use::LampCurrent) else {
            return;
        };
        self.lamps.resize(setup.signals.len(), None);
        if !(of.least..=of.most).contains(&now) {
            return;
        }
        let first = u32::from((*self.lamps[signal].get_or_insert(now)).max(1));
        let loss = first.saturating_sub(u32::from(now)) * 1_000 / first;
        let id = AlarmId::new(Kind::LampAgeing, Place::Channel(of.at.board, of.at.channel));
        alarms.set_banded(at, id, band(loss, LAMP_ON, LAMP_OFF), value(loss, "per_mille"));
    }

    /// Current of a lamp against its first value, 1 as at first; `None` where it is not watched or told.
    pub(crate) fn lamp_share(&self, signal: usize, now: Option<u16>) -> Option<f64> {
        let first = (*self.lamps.get(signal)?)?;
        Some(f64::from(now?) / f64::from(first.max(1)))
    }
}

fn observe_store(at: HostUs, store: &StoreFigures, alarms: &mut Alarms) {
    alarms.set(at, AlarmId::line(Kind::StoreFailed), store.is_failing, None);
    let behind = store.waiting * 1_000 / store.room.max(1);
    let shown = Some(Value::count(store.waiting));
    alarms.set_banded(
        at,
        AlarmId::line(Kind::StoreBehind),
        band(behind, BEHIND_ON, BEHIND_OFF),
        shown,
    );
    if let Some(free) = store.free_bytes {
        let condition = band_below(free, DISK_ON_BYTES, DISK_OFF_BYTES);
        #[expect(clippy::cast_precision_loss, reason = "shown")]
        let shown = value(free as f64 / 1e6, "mb");
        alarms.set_banded(at, AlarmId::line(Kind::DiskLow), condition, shown);
    }
}

/// What the records tell of lanes, valves and leads.
pub(crate) fn observe_health(at: HostUs, health: &Health, setup: &Setup, alarms: &mut Alarms) {
    if let Some(p1_us) = health.lead_p1_us() {
        let room = i64::from(p1_us) - i64::from(setup.least_lead_us);
        let condition = band_below(room, LEAD_ROOM_ON_US, LEAD_ROOM_OFF_US);
        alarms.set_banded(
            at,
            AlarmId::line(Kind::LeadShrinking),
            condition,
            value(f64::from(p1_us) / 1e3, "ms"),
        );
    }
    if let Some(share) = health.faulty() {
        let condition = band(share, FAULTY_ON, FAULTY_OFF);
        alarms.set_banded(
            at,
            AlarmId::line(Kind::Recirculation),
            condition,
            value(share * 1e2, "percent"),
        );
    }
    for (lane, of) in (0_u8..).zip(health.lanes()) {
        let place = Place::Lane(LaneId(lane));
        for (kind, share) in [(Kind::ViewFaults, of.no_view), (Kind::WeighFaults, of.no_mass)] {
            if let Some(share) = share.get() {
                let condition = band(share, UNMEASURED_ON, UNMEASURED_OFF);
                alarms.set_banded(at, AlarmId::new(kind, place), condition, value(share * 1e2, "percent"));
            }
        }
        for valve in &of.valves {
            observe_valve(at, valve, alarms);
        }
    }
}

fn observe_valve(at: HostUs, valve: &Valve, alarms: &mut Alarms) {
    let place = Place::Valve(valve.board, valve.valve);
    if let Some(us) = valve.drift_us {
        let condition = band(us.saturating_abs(), DRIFT_ON_US, DRIFT_OFF_US);
        alarms.set_banded(at, AlarmId::new(Kind::ValveDrift, place), condition, value(us, "us"));
    }
    if let Some(share) = valve.confirmed.get() {
        let condition = band_below(share, CONFIRMED_ON, CONFIRMED_OFF);
        alarms.set_banded(
            at,
            AlarmId::new(Kind::ValveConfirm, place),
            condition,
            value(share * 1e2, "percent"),
        );
    }
}

/// What the bins are.
pub(crate) fn observe_bins(at: HostUs, bins: &[Bin], alarms: &mut Alarms) {
    for (bin, of) in (0_u8..).zip(bins) {
        let id = |kind| AlarmId::new(kind, Place::Bin(BinId(bin)));
        let pearls = Some(Value::count(of.pearls));
        alarms.set(at, id(Kind::BinFull), of.is_full(), pearls);
        alarms.set(
            at,
            id(Kind::BinNearlyFull),
            of.is_nearly_full() && !of.is_full(),
            pearls,
        );
        alarms.set(at, id(Kind::BinMissing), of.is_there == Some(false), None);
        alarms.set(at, id(Kind::Quarantine), of.is_quarantined, None);
    }
}

/// Whether the belt runs as it must while the line sorts.
pub(crate) fn observe_belt(at: HostUs, line: LineState, um_s: i64, setup: &Setup, alarms: &mut Alarms) {
    let slow = line == LineState::Running && um_s < i64::from(setup.least_speed_um_s);
    #[expect(clippy::cast_precision_loss, reason = "shown")]
    let shown = value(um_s as f64 / 1e6, "m_s");
    alarms.set(at, AlarmId::line(Kind::BeltSpeed), slow, shown);
}
