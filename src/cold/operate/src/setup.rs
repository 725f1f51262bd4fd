//! What this crate must know of a line: its names, signals and jets.
//!
//! Cold, any thread. A figure that no part of the line tells is `None`: not known, which is never taken for good.

use line::{ChannelPlan, LinePlan};
use units::{BinId, BoardId, LaneId, ValveId};

use crate::words::Text;

/// What a watched signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// The safety chain: open, the line aborts.
    SafetyChain,
    /// A guard door: open, the line aborts.
    GuardDoor,
    /// Air pressure: low, the line holds.
    AirPressure,
    /// A lamp's current: dead, the line holds.
    LampCurrent,
    /// Something else: lost, the line holds.
    Other,
}

impl Use {
    /// Every use.
    pub const ALL: [Self; 5] = [
        Self::SafetyChain,
        Self::GuardDoor,
        Self::AirPressure,
        Self::LampCurrent,
        Self::Other,
    ];

    /// Its name in the catalogue of words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SafetyChain => "safety_chain",
            Self::GuardDoor => "guard_door",
            Self::AirPressure => "air_pressure",
            Self::LampCurrent => "lamp_current",
            Self::Other => "other",
        }
    }

    /// Whether its loss aborts; else it holds.
    #[must_use]
    pub const fn aborts(self) -> bool {
        matches!(self, Self::SafetyChain | Self::GuardDoor)
    }
}

/// A signal that the core watches; they stand in the order of the plan's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalSetup {
    /// Where it comes in.
    pub at: ChannelPlan,
    /// What it is.
    pub used_for: Use,
    /// What the configuration calls it.
    pub name: Text,
    /// Least value that is good.
    pub least: u16,
    /// Most value that is good.
    pub most: u16,
}

/// A jet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JetSetup {
    /// Bin that it blows into.
    pub bin: BinId,
    /// Board that drives it.
    pub board: BoardId,
    /// The valve there.
    pub valve: ValveId,
    /// Whether an eye in the bin's mouth sees what falls in.
    pub has_eye: bool,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Names of the boards.
    pub boards: Vec<String>,
    /// Names of the bins.
    pub bins: Vec<Text>,
    /// The jets of each lane, in belt order.
    pub lanes: Vec<Vec<JetSetup>>,
    /// The watched signals.
    pub signals: Vec<SignalSetup>,
    /// Whether the program drives the feeder.
    pub has_feeder: bool,
    /// Whether the program drives the belt.
    pub has_belt: bool,
    /// Pearls a second that the line was made for, all lanes.
    pub design_pearls_s: Option<u32>,
    /// Least lead of an order, us.
    pub least_lead_us: i32,
    /// Least speed of the belt at which pearls are sorted, um/s.
    pub least_speed_um_s: i32,
}

impl Setup {
    /// The setup of a plan without names: boards, bins and signals have their numbers. A signal is taken for the safety
    /// chain where `used_for` says nothing else.
    #[must_use]
    pub fn new(plan: &LinePlan, used_for: impl Fn(ChannelPlan) -> Option<Use>) -> Self {
        let jets = |lane: &line::LanePlan| {
            let jets = lane.jets.iter().map(|jet| JetSetup {
                bin: jet.bin,
                board: jet.board,
                valve: jet.valve,
                has_eye: jet.drop_eye.is_some(),
            });
            jets.collect()
        };
        let signal = |of: &line::SignalPlan| {
            let used_for = used_for(of.at).unwrap_or(Use::SafetyChain);
            SignalSetup {
                at: of.at,
                used_for,
                name: crate::words::signal(used_for).to_text(),
                least: of.least,
                most: of.most,
            }
        };
        let bin = |number: u8| crate::words::place("bin").filled(&[("number", &(u32::from(number) + 1).to_string())]);
        Self {
            boards: (1..=plan.boards.len()).map(|number| number.to_string()).collect(),
            bins: (0..plan.bins).map(bin).collect(),
            lanes: plan.lanes.iter().map(jets).collect(),
            signals: plan.channels.signals.iter().map(signal).collect(),
            has_feeder: plan.channels.feeder.is_some(),
            has_belt: plan.channels.belt.is_some(),
            design_pearls_s: None,
            least_lead_us: plan.tolerances.least_lead_us,
            least_speed_um_s: plan.tolerances.least_speed_um_s,
        }
    }

    /// The watched signal of a channel.
    #[must_use]
    pub fn signal_at(&self, board: BoardId, channel: u8) -> Option<&SignalSetup> {
        let at = ChannelPlan { board, channel };
        self.signals.iter().find(|signal| signal.at == at)
    }

    /// The jet of a lane that blows into a bin: its place, and what it is.
    #[must_use]
    pub fn jet(&self, lane: LaneId, bin: BinId) -> Option<(usize, JetSetup)> {
        let jets = self.lanes.get(lane.index())?;
        jets.iter().copied().enumerate().find(|(_, jet)| jet.bin == bin)
    }

    /// Whether a board drives a valve of the line.
    #[must_use]
    pub fn has_valve(&self, board: BoardId, valve: ValveId) -> bool {
        let mut jets = self.lanes.iter().flatten();
        jets.any(|jet| jet.board == board && jet.valve == valve)
    }
}
