//! The line in front of contenders that speak the field bus: one board, [`LANES`] lanes with an entry eye, a camera and
//! [`BINS`] jets each; no weigh cells and no drop eyes. Pearls, jets and ticks are those of a real line; only the belt's
//! speed differs between the two measurements.
//!
//! Any thread, cold. A closed loop asks for hundreds of thousands of pearls a second, and a core that tracks by tick
//! wants each of them on a place of its own: the belt that carries them is fast beyond any real one ([`Belt::FAST`]).

use std::sync::Arc;

use devices::{LinkPlan, Needs};
use line::{
    BoardPlan, CameraPlan, ChannelsPlan, EyePlan, JetPlan, LanePlan, LinePlan, NeighbourPolicy, Tolerances,
    grade::{Figure, Range, Recipe, Rule},
};
use units::{BinId, BoardId, EyeId, Micrometres, TicksPerMetre, ValveId};
use wire::{BoardLimits, Measurement};

/// Lanes, each with its eye.
pub const LANES: u8 = 16;
/// Bins, each with a jet in every lane.
pub const BINS: u8 = 4;
/// Speed of a pty, as the link's time-outs reckon it.
pub const PTY_BAUD: u32 = 500_000_000;
/// Identity of the board.
pub const UID: u64 = 0x5045_4152_4c42_0001;
/// Length of a pearl in ticks: 8 mm.
pub const PEARL_TICKS: u32 = 160;
/// Least distance between two pearls of a lane in ticks: 20 mm, a little more than a jet of 4 mm parts.
pub const PITCH_TICKS: u32 = 400;

const PER_METRE: TicksPerMetre = TicksPerMetre::new(20_000).expect("within the range");
/// From the eye to the first jet: what the belt runs in this time (the lead of 60 ms, and room for a host that other work
/// keeps busy)...
const FIRST_JET_US: i64 = 200_000;
/// ...and this.
const FIRST_JET_UM: i32 = 20_000;
const JET_PITCH_UM: i32 = 60_000;
const LEAST_LEAD_US: i32 = 60_000;
/// A far end that other work keeps busy is late with its `Status`; the line shall not hold for that.
const SILENCE_US: u32 = 1_000_000;

/// What the board says of itself.
pub const LIMITS: BoardLimits = BoardLimits {
    valves: LANES * BINS,
    eyes: LANES,
    cells: 0,
    channels: 0,
    queue: 1024,
    window: 32,
    horizon_ticks: 1 << 24,
    max_on_us: 100_000,
};

const _: () = assert!(FIRST_JET_US > LEAST_LEAD_US as i64, "an order must find its lead");

/// A belt by its speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belt {
    um_s: i32,
}

impl Belt {
    /// 1 m/s, as on a real line; the board reports each pulse when its tick has come.
    pub const REAL: Self = Self { um_s: 1_000_000 };
    /// 1,500 m/s: 1.2 million pearls a second at the least pitch. Orders still lead by 60 ms of it and more, but what lies
    /// between eye and jet would be far more pearls than a line can hold; so each pulse is reported at once.
    pub const FAST: Self = Self { um_s: 1_500_000_000 };

    /// Whether pulses are reported when the order comes, whatever its tick.
    #[must_use]
    pub fn reports_at_once(self) -> bool {
        self == Self::FAST
    }

    /// The encoder's count after a time.
    #[must_use]
    pub fn ticks_at(self, us: u64) -> u64 {
        let ticks_s = i64::from(self.um_s).unsigned_abs() * u64::from(PER_METRE.get()) / 1_000_000;
        us * ticks_s / 1_000_000
    }

    /// Ticks from the entry eye to a bin's jet.
    #[must_use]
    pub fn jet_ticks(self, bin: u8) -> i64 {
        PER_METRE.ticks(Micrometres(self.jet_um(bin)))
    }

    fn jet_um(self, bin: u8) -> i32 {
        let run_um = i64::from(self.um_s) * FIRST_JET_US / 1_000_000;
        FIRST_JET_UM + i32::try_from(run_um).expect("within 2 km") + JET_PITCH_UM * i32::from(bin)
    }

    /// The machine as the core gets it.
    #[must_use]
    pub fn plan(self) -> LinePlan {
        let um_s = self.um_s;
        LinePlan {
            ticks_per_metre: PER_METRE,
            bins: BINS,
            boards: vec![BoardPlan {
                uid: UID,
                index_ticks: None,
            }],
            lanes: (0..LANES).map(|lane| self.lane(lane)).collect(),
            manifolds: Vec::new(),
            tolerances: Tolerances {
                jet_width_um: 4_000,
                margin_um: 1_500,
                least_length_um: 3_000,
                most_length_um: 13_500,
                station_um: 3_000,
                least_lead_us: LEAST_LEAD_US,
                valve_recovery_us: 2_000,
                max_on_us: 100_000,
                measure_us: 100_000,
                weigh_us: 18_000,
                least_speed_um_s: 200_000,
                most_speed_um_s: um_s + um_s / 10,
                align_um: 200,
                status_silence_us: SILENCE_US.cast_signed(),
                late_limit: 5,
                late_window_us: 10_000_000,
                feed_us: 20_000,
            },
            neighbours: NeighbourPolicy::Recirculate,
            channels: ChannelsPlan::default(),
        }
    }

    fn lane(self, lane: u8) -> LanePlan {
        let board = BoardId(0);
        LanePlan {
            entry: EyePlan {
                board,
                eye: EyeId(lane),
            },
            camera: Some(CameraPlan { view_um: 8_000 }),
            weigh: None,
            jets: (0..BINS)
                .map(|bin| JetPlan {
                    bin: BinId(bin),
                    board,
                    valve: valve_of(lane, bin),
                    at_um: self.jet_um(bin),
                    drop_eye: None,
                })
                .collect(),
            end_um: self.jet_um(BINS),
            tray_eye: None,
        }
    }
}

/// The valve of a lane's jet.
#[must_use]
pub const fn valve_of(lane: u8, bin: u8) -> ValveId {
    ValveId(lane * BINS + bin)
}

/// Lane and bin that a valve serves; `None` when there is no such valve.
#[must_use]
pub fn lane_and_bin(valve: ValveId) -> Option<(u8, u8)> {
    (valve.0 < LANES * BINS).then_some((valve.0 / BINS, valve.0 % BINS))
}

/// What the link asks of the board: its settings are those of a start.
#[must_use]
pub fn link_plan() -> LinkPlan {
    LinkPlan::new(BoardId(0), UID, PTY_BAUD, SILENCE_US, Needs::default(), &[])
}

/// Diameter that divides the fine from the small.
const FINE_UM: i32 = 8_000;
const LUSTROUS: i32 = 9_000;

/// The recipe: two sizes of lustrous pearls, two of the others.
#[must_use]
pub fn recipe() -> Arc<Recipe> {
    let range = |figure, least, most| Range { figure, least, most };
    let rule = |bin, least_um, lustre| Rule {
        bin: BinId(bin),
        ranges: vec![
            range(Figure::DiameterUm, least_um, 20_000),
            range(Figure::Ddp, 0, 300),
            range(Figure::Lustre, lustre, 10_001),
            range(Figure::BlemishArea, 0, 1_000),
        ],
    };
    let rules = vec![
        rule(0, FINE_UM, LUSTROUS),
        rule(1, 5_000, LUSTROUS),
        rule(2, FINE_UM, 0),
        rule(3, 5_000, 0),
    ];
    Arc::new(Recipe::new(1, rules))
}

/// The bin that a measurement earns, said in another way than the recipe says it: the far end judges orders by it.
#[must_use]
pub fn bin_of(measurement: &Measurement) -> u8 {
    let small = i32::from(measurement.d_min_um) < FINE_UM;
    let dull = i32::from(measurement.lustre) < LUSTROUS;
    u8::from(small) + 2 * u8::from(dull)
}
