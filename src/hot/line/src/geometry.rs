//! The plan in ticks: distances are turned into ticks once, when the core is made.
//!
//! Hot thread. Positions along a lane are ticks from its entry eye.

use units::{Micrometres, TicksPerMetre};

use crate::limits::{BINS, BOARDS, JETS, LANES};
use crate::plan::{LanePlan, LinePlan};

/// One lane's stations.
#[derive(Clone, Debug)]
pub(crate) struct LaneTicks {
    /// The weigh platform's beginning and end.
    pub(crate) weigh: Option<(i64, i64)>,
    /// What the camera sees on each side of a pearl's centre.
    pub(crate) view: Option<i64>,
    /// The jets.
    pub(crate) jets: Vec<i64>,
    /// The belt's end.
    pub(crate) end: i64,
}

/// The whole line.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    pub(crate) per_metre: TicksPerMetre,
    pub(crate) lanes: Vec<LaneTicks>,
    /// The air's width.
    pub(crate) jet_width: i64,
    pub(crate) margin: i64,
    /// Half the length of the longest pearl: what a pearl is taken for until it has passed the eye.
    pub(crate) most_half: i64,
    pub(crate) station: i64,
    pub(crate) align: i64,
    /// Ticks a second.
    pub(crate) least_speed: i64,
    /// Ticks a second.
    pub(crate) most_speed: i64,
}

impl Geometry {
    /// # Panics
    /// When the plan has more of something than [`crate::limits`] allow, or names what it does not have.
    pub(crate) fn new(plan: &LinePlan) -> Self {
        assert_possible(plan);
        let per_metre = plan.ticks_per_metre;
        let ticks = |um: i32| per_metre.ticks(Micrometres(um));
        let of = &plan.tolerances;
        Self {
            per_metre,
            lanes: plan.lanes.iter().map(|lane| lane_ticks(lane, per_metre)).collect(),
            jet_width: ticks(of.jet_width_um),
            margin: ticks(of.margin_um),
            most_half: ticks(of.most_length_um) / 2 + 1,
            station: ticks(of.station_um),
            align: ticks(of.align_um).max(1),
            least_speed: ticks(of.least_speed_um_s).max(1),
            most_speed: ticks(of.most_speed_um_s),
        }
    }

    /// Least distance between the centres of two pearls of these half lengths, so that a pulse for one leaves the other.
    pub(crate) const fn reach(&self, half: i64, other_half: i64) -> i64 {
        half + other_half + self.jet_width + 2 * self.margin
    }

    /// The reach of two pearls of whatever length.
    pub(crate) const fn most_reach(&self) -> i64 {
        self.reach(self.most_half, self.most_half)
    }
}

fn lane_ticks(lane: &LanePlan, per_metre: TicksPerMetre) -> LaneTicks {
    let ticks = |um: i32| per_metre.ticks(Micrometres(um));
    LaneTicks {
        weigh: lane
            .weigh
            .map(|weigh| (ticks(weigh.at_um), ticks(weigh.at_um) + ticks(weigh.length_um))),
        view: lane.camera.map(|camera| ticks(camera.view_um)),
        jets: lane.jets.iter().map(|jet| ticks(jet.at_um)).collect(),
        end: ticks(lane.end_um),
    }
}

fn assert_possible(plan: &LinePlan) {
    assert!(plan.lanes.len() <= LANES, "at most {LANES} lanes");
    assert!(usize::from(plan.bins) <= BINS, "at most {BINS} bins");
    assert!((1..=BOARDS).contains(&plan.boards.len()), "1 to {BOARDS} boards");
    let boards = plan.boards.len();
    for lane in &plan.lanes {
        assert!(lane.jets.len() <= JETS, "at most {JETS} jets in a lane");
        let eyes = lane.jets.iter().filter_map(|jet| jet.drop_eye).chain(lane.tray_eye);
        let named = eyes.map(|eye| eye.eye.board).chain([lane.entry.board]);
        let named = named.chain(lane.jets.iter().map(|jet| jet.board));
        for board in named.chain(lane.weigh.map(|weigh| weigh.board)) {
            assert!(
                board.index() < boards,
                "a lane names a board that the line does not have"
            );
        }
        for jet in &lane.jets {
            assert!(jet.bin.0 < plan.bins, "a jet names a bin that the line does not have");
        }
    }
    for manifold in &plan.manifolds {
        assert!(
            manifold.board.index() < boards,
            "a manifold names a board that the line does not have"
        );
    }
    let channels = &plan.channels;
    let signals = channels.signals.iter().map(|signal| signal.at);
    for channel in signals.chain(channels.feeder).chain(channels.belt) {
        assert!(
            channel.board.index() < boards,
            "a channel names a board that the line does not have"
        );
    }
}
