//! The machine of the tests, its recipe, and what its boards say of themselves.

use std::sync::Arc;

use line::grade::Recipe;
use line::{
    BoardPlan, CameraPlan, ChannelsPlan, DropEyePlan, EyePlan, JetPlan, LanePlan, LinePlan, NeighbourPolicy,
    Tolerances, WeighPlan, WeighSource,
};
use units::{BinId, EyeId, TicksPerMetre, TriggerSeq, ValveId};
use wire::{BoardLimits, Identity, Measurement, ViewStatus};

use super::B0;

/// A lane with a camera, a weigh cell at 100 mm, three jets from 300 mm, the belt's end at 600 mm, and every drop eye.
/// Its valves and eyes are numbered from `lane * 8`.
pub fn lane(lane: u8) -> LanePlan {
    let base = lane * 8;
    let eye = |eye: u8| EyePlan {
        board: B0,
        eye: EyeId(base + eye),
    };
    let drop_eye = |number: u8| {
        Some(DropEyePlan {
            eye: eye(number),
            least_us: 20_000,
            most_us: 40_000,
        })
    };
    let jet = |bin: u8| JetPlan {
        bin: BinId(bin),
        board: B0,
        valve: ValveId(base + bin),
        at_um: 300_000 + 100_000 * i32::from(bin),
        drop_eye: drop_eye(1 + bin),
    };
    LanePlan {
        entry: eye(0),
        camera: Some(CameraPlan { view_um: 12_000 }),
        weigh: Some(WeighPlan {
            board: B0,
            cell: lane,
            at_um: 100_000,
            length_um: 20_000,
            source: WeighSource::Mass,
        }),
        jets: (0..3).map(jet).collect(),
        end_um: 600_000,
        tray_eye: drop_eye(4),
    }
}

/// A line of `lanes` such lanes on `boards` boards; all of it hangs on the first.
pub fn plan(lanes: u8, boards: usize) -> LinePlan {
    let board = |index: usize| BoardPlan {
        uid: 100 + index as u64,
        index_ticks: None,
    };
    LinePlan {
        ticks_per_metre: TicksPerMetre::new(20_000).unwrap(),
        bins: 3,
        boards: (0..boards).map(board).collect(),
        lanes: (0..lanes).map(lane).collect(),
        manifolds: Vec::new(),
        tolerances: Tolerances {
            jet_width_um: 4_000,
            margin_um: 1_000,
            least_length_um: 3_000,
            most_length_um: 12_000,
            station_um: 2_000,
            least_lead_us: 60_000,
            valve_recovery_us: 2_000,
            max_on_us: 100_000,
            measure_us: 60_000,
            weigh_us: 60_000,
            least_speed_um_s: 200_000,
            most_speed_um_s: 2_000_000,
            align_um: 200,
            status_silence_us: 200_000,
            late_limit: 3,
            late_window_us: 1_000_000,
            feed_us: 25_000,
        },
        neighbours: NeighbourPolicy::Recirculate,
        channels: ChannelsPlan::default(),
    }
}

/// A recipe with a bin for each millimetre of diameter from 7 mm, that asks for a mass too.
pub fn recipe() -> Arc<Recipe> {
    recipe_of(1, true)
}

/// As [`recipe`], named by `hash`, with or without a mass.
pub fn recipe_of(hash: u64, mass: bool) -> Arc<Recipe> {
    use line::grade::{Figure, Range, Rule};
    let rule = |bin: u8| {
        let least = 7_000 + 1_000 * i32::from(bin);
        let diameter = Range {
            figure: Figure::DiameterUm,
            least,
            most: least + 1_000,
        };
        let weight = Range {
            figure: Figure::MassUg,
            least: 1,
            most: i32::MAX,
        };
        let mut ranges = vec![diameter];
        if mass {
            ranges.push(weight);
        }
        Rule {
            bin: BinId(bin),
            ranges,
        }
    };
    Arc::new(Recipe::new(hash, (0..3).map(rule).collect()))
}

pub fn measurement(eye: EyeId, seq: TriggerSeq, status: ViewStatus, diameter_um: u16, in_view: u8) -> Measurement {
    Measurement {
        eye,
        seq,
        status,
        in_view,
        d_max_um: diameter_um,
        d_mid_um: diameter_um,
        d_min_um: diameter_um,
        u_diameter_um: 5,
        u_ddp: 5,
        residual_um: 5,
        taper: 0,
        lab_l: 8_000,
        lab_a: 0,
        lab_b: 0,
        u_lab: 10,
        overtone_a: 0,
        overtone_b: 0,
        lustre: 8_000,
        u_lustre: 50,
        blemishes: 0,
        blemish_area: 0,
        u_blemish_area: 10,
        nacre_um: None,
    }
}

pub fn identity(uid: u64, starts: u16) -> Identity {
    Identity {
        protocol: 1,
        uid,
        firmware: 1,
        limits: BoardLimits {
            valves: 64,
            eyes: 128,
            cells: 16,
            channels: 16,
            queue: 256,
            window: 8,
            horizon_ticks: 400_000,
            max_on_us: 200_000,
        },
        settings_crc: 0,
        starts,
    }
}
