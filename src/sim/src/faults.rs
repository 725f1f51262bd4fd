//! Faults of the virtual line, as a timetable.
//!
//! Any thread. A fault is on from `from_us` until `until_us` of the run's time; those that happen at a moment happen at
//! `from_us`. Times are in microseconds since the run's beginning.

use devices::faults::{LinkFault, Trouble};
use units::{BoardId, EyeId, LaneId, ValveId};
use wire::MassStatus;

use crate::belt::SpeedChange;

/// A weigh cell whose zero is farther off says so, ug.
const CELL_ZERO_UG: f64 = 2_000.0;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Something is wrong with a board's link.
    Link {
        /// The board.
        board: BoardId,
        /// What.
        fault: LinkFault,
    },
    /// The board is dark, and starts anew when the fault is over.
    BoardReset {
        /// The board.
        board: BoardId,
    },
    /// The board's encoder loses (or, negative, gains) so many ticks at once.
    EncoderSlip {
        /// The board.
        board: BoardId,
        /// Ticks lost.
        ticks: i32,
    },
    /// The board's encoder counts nothing.
    EncoderStop {
        /// The board.
        board: BoardId,
    },
    /// The board's encoder counts backwards.
    EncoderReverse {
        /// The board.
        board: BoardId,
    },
    /// The board's clock runs fast (or, negative, slow) by so many millionths beyond its own drift.
    ClockSkew {
        /// The board.
        board: BoardId,
        /// Millionths.
        ppm: i32,
    },
    /// The board's clock jumps ahead (or, negative, back) at once.
    ClockStep {
        /// The board.
        board: BoardId,
        /// How far, us.
        us: i32,
    },
    /// The belt changes its speed; `from_us` of the timetable counts, not the change's own.
    Speed(SpeedChange),
    /// The lane's entry eye misses this share of pearls.
    TriggersMissing {
        /// The lane.
        lane: LaneId,
        /// Probability a pearl.
        share: f64,
    },
    /// The lane's entry eye sees this share of pearls twice.
    TriggersDoubled {
        /// The lane.
        lane: LaneId,
        /// Probability a pearl.
        share: f64,
    },
    /// The valve stays shut, whatever its board does.
    ValveShut {
        /// Its board.
        board: BoardId,
        /// The valve.
        valve: ValveId,
    },
    /// The valve stays open, whatever its board does.
    ValveOpen {
        /// Its board.
        board: BoardId,
        /// The valve.
        valve: ValveId,
    },
    /// The valve opens later than it should, by so much.
    ValveSlow {
        /// Its board.
        board: BoardId,
        /// The valve.
        valve: ValveId,
        /// How much, us.
        us: u32,
    },
    /// The eye sees nothing.
    EyeDead {
        /// Its board.
        board: BoardId,
        /// The eye.
        eye: EyeId,
    },
    /// The lane's camera reports nothing.
    CameraSilent {
        /// The lane.
        lane: LaneId,
    },
    /// The lane's weigh cell reports nothing.
    CellSilent {
        /// The lane.
        lane: LaneId,
    },
    /// The lane's weigh cell finds its converter stuck at a code, and says so.
    CellStuck {
        /// The lane.
        lane: LaneId,
    },
    /// The lane's weigh cell finds its converter at its end, and says so.
    CellSaturated {
        /// The lane.
        lane: LaneId,
    },
    /// The lane's weigh cell drifts: masses are off by so much more each second, until the cell finds its zero too far off
    /// and says so.
    CellDrifting {
        /// The lane.
        lane: LaneId,
        /// Drift, ug/s.
        ug_s: f64,
    },
    /// The safety chain is open.
    SafetyOpen,
    /// The host does nothing.
    HostStall,
    /// The lane's pearls slip behind the weigh cell, where nothing sees it, with this probability.
    SlipUnseen {
        /// The lane.
        lane: LaneId,
        /// Probability a pearl.
        share: f64,
        /// How far they stay behind, um.
        um: f64,
    },
}

/// A fault with its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedFault {
    /// When it begins, us.
    pub from_us: u64,
    /// When it is over, us.
    pub until_us: u64,
    /// What it is.
    pub fault: Fault,
}

impl TimedFault {
    /// Whether it is on.
    #[must_use]
    pub const fn is_on(&self, us: u64) -> bool {
        self.from_us <= us && us < self.until_us
    }
}

/// The timetable of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultPlan {
    /// The faults, in any order.
    pub faults: Vec<TimedFault>,
}

impl FaultPlan {
    /// No faults.
    #[must_use]
    pub const fn none() -> Self {
        Self { faults: Vec::new() }
    }

    /// The plan with one fault more, from and until so many seconds.
    #[must_use]
    pub fn with(mut self, from_s: f64, until_s: f64, fault: Fault) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let us = |s: f64| (s * 1e6) as u64;
        self.faults.push(TimedFault {
            from_us: us(from_s),
            until_us: us(until_s),
            fault,
        });
        self
    }

    /// What is wrong with a lane's weigh cell: what it says of itself, and by how much its masses are off, ug.
    #[must_use]
    pub fn cell(&self, of: u8, us: u64) -> (MassStatus, i32) {
        let mut seen = (MassStatus::Good, 0);
        for timed in self.faults.iter().filter(|timed| timed.is_on(us)) {
            match timed.fault {
                Fault::CellStuck { lane } if lane.0 == of => seen.0 = MassStatus::Stuck,
                Fault::CellSaturated { lane } if lane.0 == of => seen.0 = MassStatus::Saturated,
                Fault::CellDrifting { lane, ug_s } if lane.0 == of => {
                    let drift_ug = ug_s * (us - timed.from_us) as f64 * 1e-6;
                    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
                    if drift_ug.abs() > CELL_ZERO_UG {
                        seen.0 = MassStatus::Zero;
                    } else {
                        seen.1 = drift_ug as i32;
                    }
                }
                _ => {}
            }
        }
        seen
    }

    /// By how much a lane's weigh cell has drifted, ug.
    #[must_use]
    pub fn cell_drift_ug(&self, of: u8, us: u64) -> f64 {
        let drift = |timed: &TimedFault| match timed.fault {
            Fault::CellDrifting { lane, ug_s } if lane.0 == of => ug_s * (us - timed.from_us) as f64 * 1e-6,
            _ => 0.0,
        };
        self.faults.iter().filter(|timed| timed.is_on(us)).map(drift).sum()
    }

    /// The changes of speed, in order.
    #[must_use]
    pub fn speed_changes(&self) -> Vec<SpeedChange> {
        let change = |timed: &TimedFault| match timed.fault {
            Fault::Speed(change) => Some(SpeedChange {
                at_us: timed.from_us,
                ..change
            }),
            _ => None,
        };
        let mut changes: Vec<SpeedChange> = self.faults.iter().filter_map(change).collect();
        changes.sort_by_key(|change| change.at_us);
        changes
    }

    /// The faults of one sort that are on at a time.
    pub fn on(&self, us: u64) -> impl Iterator<Item = &Fault> {
        self.faults
            .iter()
            .filter(move |timed| timed.is_on(us))
            .map(|timed| &timed.fault)
    }

    /// What is wrong with a board's link.
    #[must_use]
    pub fn trouble(&self, of: BoardId, us: u64) -> Trouble {
        let on = self.faults.iter().filter(|timed| timed.is_on(us));
        on.fold(Trouble::default(), |trouble, timed| match timed.fault {
            Fault::Link { board, fault } if board == of => trouble.with(fault, timed.until_us),
            _ => trouble,
        })
    }

    /// Whether a fault is on at `us`, or has been until `us` less `margin_us`.
    #[must_use]
    pub fn is_within(&self, us: u64, margin_us: u64) -> bool {
        self.faults
            .iter()
            .any(|timed| timed.from_us <= us && us < timed.until_us.max(timed.from_us) + margin_us)
    }

    /// When the last fault is over, us.
    #[must_use]
    pub fn over_us(&self) -> u64 {
        self.faults
            .iter()
            .map(|timed| timed.until_us.max(timed.from_us))
            .max()
            .unwrap_or(0)
    }
}
