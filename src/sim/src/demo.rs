//! The virtual line's own machine: where its stations stand, how its boards are wired and set, what its recipe is.
//!
//! Any thread, cold. Eight lanes hang on a board. On a board, lane `l` has entry eye `l`, weigh cell `l`, the valves
//! `6 l` to `6 l + 5` in belt order, and the drop eyes `8 + 7 l` to `8 + 7 l + 6`, of which the last is the tray's.

use line::grade::{Figure, Range, Recipe, Rule};
use line::{
    BoardPlan, CameraPlan, ChannelPlan, ChannelsPlan, DropEyePlan, EyePlan, JetPlan, LanePlan, LinePlan,
    NeighbourPolicy, SignalPlan, Tolerances, WeighPlan, WeighSource,
};
use units::{BinId, BoardId, EyeId, TicksPerMetre, ValveId};
use wire::{Setting, SettingKey};

/// Lanes on one board.
pub const LANES_A_BOARD: u8 = 8;
/// Grade bins.
pub const BINS: u8 = 6;
/// Encoder ticks a metre of the shaft that all boards count.
pub const TICKS_PER_METRE: u32 = 20_000;
/// Ticks of one revolution: an index pulse each.
pub const INDEX_TICKS: u32 = 10_000;
/// Channel of the first board that runs the feeder.
pub const FEEDER_CHANNEL: u8 = 0;
/// Channel of the first board that reads the safety chain: 1 when it is closed.
pub const SAFETY_CHANNEL: u8 = 8;
/// Identity of the first board; the others follow.
pub const FIRST_UID: u64 = 0x5045_4152_4c00_0001;

const CAMERA_VIEW_UM: i32 = 20_000;
const PLATFORM_AT_UM: i32 = 60_000;
const PLATFORM_MOST_UM: i32 = 40_000;
/// What the platform is shorter than the least gap between arrivals, so that roll does not bring two onto it.
const PLATFORM_SPARE_UM: i32 = 3_000;
/// From the platform's end to the first jet: half a large pearl, air, margin and lag...
const FIRST_JET_UM: i32 = 20_000;
/// ...and what the belt runs while the cell thinks (9 ms), the links carry (10 ms), the order leads (60 ms), and to spare.
const FIRST_JET_US: i64 = 95_000;
/// Longest time from the platform's end to the mass of a cell that weighs itself, and of one that streams: the pearl's time to
/// roll off and 6 ms, a message's 10 ms, and the link.
const WEIGH_US: i32 = 18_000;
const SAMPLES_WEIGH_US: i32 = 36_000;
/// Rate of the cells that stream.
const SAMPLES_PER_S: u32 = 4_800;
const JET_PITCH_UM: i32 = 60_000;
const END_UM: i32 = 80_000;
const JET_WIDTH_UM: i32 = 4_000;
const LAG_ON_US: u32 = 900;
const LAG_OFF_US: u32 = 500;
/// The longest pulse, as a length of belt at the given speed.
const LONGEST_PULSE_UM: i64 = 70_000;

/// What may be chosen about the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DemoOptions {
    /// Pearls a second in each lane.
    pub rate: f64,
    /// Belt speed for which the stations stand far enough apart, um/s.
    pub um_s: i32,
    /// Least gap between the centres of arrivals, as a share of their mean pitch.
    pub least_gap: f64,
    /// Whether the weigh cells stream samples; else they weigh themselves.
    pub samples: bool,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            rate: 15.0,
            um_s: 1_000_000,
            least_gap: crate::nature::Nature::default().least_gap,
            samples: false,
        }
    }
}

/// A machine with its recipe.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The plan that the core gets.
    pub plan: LinePlan,
    /// Settings of each board, in canonical order, complete for a board as [`board::Description::standard`] describes.
    pub settings: Vec<Vec<Setting>>,
    /// The recipe's rules, in order: the checkers grade by them.
    pub rules: Vec<Rule>,
}

impl Machine {
    /// The recipe, as the core gets it.
    #[must_use]
    pub fn recipe(&self) -> Recipe {
        Recipe::new(RECIPE_HASH, self.rules.clone())
    }
}

/// Name of the virtual line's recipe in its records.
const RECIPE_HASH: u64 = 0x0050_4541_524c_0001;

/// The default machine with its recipe.
#[must_use]
pub fn machine(lanes: u8, options: DemoOptions) -> Machine {
    let plan = demo_plan(lanes, options);
    let settings = (0..plan.boards.len())
        .map(|board| board_settings(&plan, board))
        .collect();
    Machine {
        plan,
        settings,
        rules: demo_rules(),
    }
}

/// The plan of a line of so many lanes; see the module for its wiring.
///
/// # Panics
/// When there are no lanes.
#[must_use]
pub fn demo_plan(lanes: u8, options: DemoOptions) -> LinePlan {
    assert!(lanes > 0, "a line has lanes");
    let boards = lanes.div_ceil(LANES_A_BOARD);
    let board = |n: u8| BoardPlan {
        uid: FIRST_UID + u64::from(n),
        index_ticks: Some(INDEX_TICKS),
    };
    LinePlan {
        ticks_per_metre: TicksPerMetre::new(TICKS_PER_METRE).expect("within the range"),
        bins: BINS,
        boards: (0..boards).map(board).collect(),
        lanes: (0..lanes).map(|lane| lane_plan(lane, options)).collect(),
        manifolds: Vec::new(),
        tolerances: tolerances(options),
        neighbours: NeighbourPolicy::Recirculate,
        channels: channels(),
    }
}

/// The first board runs the feeder and watches the safety chain; the belt is driven by hand.
fn channels() -> ChannelsPlan {
    let at = |channel| ChannelPlan {
        board: BoardId(0),
        channel,
    };
    ChannelsPlan {
        feeder: Some(at(FEEDER_CHANNEL)),
        belt: None,
        signals: vec![SignalPlan {
            at: at(SAFETY_CHANNEL),
            least: 1,
            most: 1,
        }],
    }
}

fn lane_plan(lane: u8, options: DemoOptions) -> LanePlan {
    let board = BoardId(lane / LANES_A_BOARD);
    let local = lane % LANES_A_BOARD;
    let eye = |n: u8| EyePlan { board, eye: EyeId(n) };
    let first_eye = LANES_A_BOARD + local * (BINS + 1);
    let pitch_um = f64::from(options.um_s) / options.rate;
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let platform_um = (options.least_gap * pitch_um) as i32 - PLATFORM_SPARE_UM;
    let platform_um = platform_um.clamp(2 * PLATFORM_SPARE_UM, PLATFORM_MOST_UM);
    let first_jet_us = FIRST_JET_US + i64::from(weigh_us(options) - WEIGH_US);
    let first_jet_um = PLATFORM_AT_UM + platform_um + FIRST_JET_UM + run_um(options.um_s, first_jet_us);
    let jet_at_um = |bin: u8| first_jet_um + i32::from(bin) * JET_PITCH_UM;
    let jet = |bin: u8| JetPlan {
        bin: BinId(bin),
        board,
        valve: ValveId(local * BINS + bin),
        at_um: jet_at_um(bin),
        drop_eye: Some(DropEyePlan {
            eye: eye(first_eye + bin),
            least_us: 45_000,
            most_us: 75_000,
        }),
    };
    LanePlan {
        entry: eye(local),
        camera: Some(CameraPlan {
            view_um: CAMERA_VIEW_UM,
        }),
        weigh: Some(WeighPlan {
            board,
            cell: local,
            at_um: PLATFORM_AT_UM,
            length_um: platform_um,
            source: if options.samples {
                WeighSource::Samples
            } else {
                WeighSource::Mass
            },
        }),
        jets: (0..BINS).map(jet).collect(),
        end_um: jet_at_um(BINS - 1) + END_UM,
        tray_eye: Some(DropEyePlan {
            eye: eye(first_eye + BINS),
            least_us: 60_000,
            most_us: 100_000,
        }),
    }
}

fn tolerances(options: DemoOptions) -> Tolerances {
    let longest_us = LONGEST_PULSE_UM * 1_000_000 / i64::from(options.um_s);
    Tolerances {
        jet_width_um: JET_WIDTH_UM,
        margin_um: 1_500,
        least_length_um: 3_000,
        most_length_um: 13_500,
        station_um: 3_000,
        least_lead_us: 60_000,
        valve_recovery_us: 2_000,
        max_on_us: i32::try_from(longest_us.clamp(20_000, 200_000)).unwrap_or(200_000),
        measure_us: 25_000,
        weigh_us: weigh_us(options),
        least_speed_um_s: 200_000,
        most_speed_um_s: options.um_s + options.um_s / 10,
        align_um: 200,
        status_silence_us: 60_000,
        late_limit: 5,
        late_window_us: 10_000_000,
        feed_us: 20_000,
    }
}

/// Longest time from the platform's end to the mass, us.
const fn weigh_us(options: DemoOptions) -> i32 {
    if options.samples { SAMPLES_WEIGH_US } else { WEIGH_US }
}

/// What the belt runs in `us`, um.
fn run_um(um_s: i32, us: i64) -> i32 {
    i32::try_from(i64::from(um_s) * us / 1_000_000).unwrap_or(i32::MAX)
}

/// All settings of a board, in canonical order.
fn board_settings(plan: &LinePlan, board: usize) -> Vec<Setting> {
    let limits = board::Description::standard(0).limits;
    let streams = |cell: u8| {
        let mut cells = plan.lanes.iter().filter_map(|lane| lane.weigh);
        cells.any(|weigh| weigh.board.index() == board && weigh.cell == cell && weigh.source == WeighSource::Samples)
    };
    let is_drop_eye = |eye: u8| eye >= LANES_A_BOARD;
    let speed = i64::from(plan.tolerances.least_speed_um_s) * i64::from(plan.ticks_per_metre.get()) / 1_000_000;
    let value = |key, index| match key {
        SettingKey::WatchdogUs => 100_000,
        SettingKey::LeastSpeed => u32::try_from(speed).unwrap_or(0),
        SettingKey::StatusUs => 10_000,
        SettingKey::IndexTicks => plan.boards[board].index_ticks.unwrap_or(0),
        SettingKey::LagOnUs => LAG_ON_US,
        SettingKey::LagOffUs => LAG_OFF_US,
        SettingKey::MaxOnUs => plan.tolerances.max_on_us.unsigned_abs(),
        SettingKey::MinOffUs => plan.tolerances.valve_recovery_us.unsigned_abs(),
        SettingKey::EyeKind => u32::from(is_drop_eye(index)),
        SettingKey::SampleRate => u32::from(streams(index)) * SAMPLES_PER_S,
        SettingKey::LeastTicks | SettingKey::DeadBand => 0,
    };
    wire::settings::canonical(&limits)
        .map(|(key, index)| Setting {
            key,
            index,
            value: value(key, index),
        })
        .collect()
}

/// The default recipe: bins from the purest to the rest. Every rule asks for a mass, so that a pearl that was not weighed
/// is not binned; what is smaller than 4.05 mm, or blemished over 60 % of its surface, no bin takes.
#[must_use]
pub fn demo_rules() -> Vec<Rule> {
    let rule = |bin: u8, least_d: i32, most_ddp: i32, least_lustre: i32, most_blemish: i32| Rule {
        bin: BinId(bin),
        ranges: vec![
            Range {
                figure: Figure::DiameterUm,
                least: least_d,
                most: 20_000,
            },
            Range {
                figure: Figure::Ddp,
                least: 0,
                most: most_ddp,
            },
            Range {
                figure: Figure::Lustre,
                least: least_lustre,
                most: 10_001,
            },
            Range {
                figure: Figure::BlemishArea,
                least: 0,
                most: most_blemish,
            },
            Range {
                figure: Figure::MassUg,
                least: 50_000,
                most: 4_000_000,
            },
        ],
    };
    vec![
        rule(0, 6_500, 300, 6_000, 1_000),
        rule(1, 4_500, 300, 6_000, 1_000),
        rule(2, 6_500, 800, 4_000, 2_500),
        rule(3, 4_500, 800, 4_000, 2_500),
        rule(4, 5_500, 1_200, 2_500, 4_000),
        rule(5, 4_050, 20_000, 0, 6_000),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_or_output_is_used_twice_and_all_exist() {
        let plan = demo_plan(20, DemoOptions::default());
        let limits = board::Description::standard(0).limits;
        let mut eyes = std::collections::BTreeSet::new();
        let mut valves = std::collections::BTreeSet::new();
        for lane in &plan.lanes {
            let drops = lane.jets.iter().map(|jet| jet.drop_eye.unwrap().eye);
            for eye in drops.chain([lane.entry, lane.tray_eye.unwrap().eye]) {
                assert!(eye.eye.0 < limits.eyes && eye.board.index() < plan.boards.len());
                assert!(eyes.insert((eye.board, eye.eye)));
            }
            for jet in &lane.jets {
                assert!(jet.valve.0 < limits.valves);
                assert!(valves.insert((jet.board, jet.valve)));
            }
        }
    }

    #[test]
    fn the_first_jet_is_far_enough_at_any_speed() {
        for um_s in [300_000, 1_000_000, 3_000_000] {
            let plan = demo_plan(
                1,
                DemoOptions {
                    um_s,
                    ..DemoOptions::default()
                },
            );
            let lane = &plan.lanes[0];
            let weigh = lane.weigh.unwrap();
            let way_um = lane.jets[0].at_um - weigh.at_um - weigh.length_um - 10_000;
            let time_us = i64::from(way_um) * 1_000_000 / i64::from(um_s);
            assert!(
                time_us >= 9_000 + 10_000 + i64::from(plan.tolerances.least_lead_us),
                "{time_us} us at {um_s} um/s"
            );
        }
    }

    #[test]
    fn the_recipe_takes_nearly_every_pearl_and_every_bin_gets_some() {
        let mut chance = crate::chance::Chance::new(1, 1);
        let mut bins = [0_u32; BINS as usize];
        let rules = demo_rules();
        for _ in 0..20_000 {
            let pearl = crate::pearl::Pearl::draw(&mut chance, &crate::nature::Nature::default());
            let fits = |rule: &&Rule| {
                rule.ranges.iter().all(|r| {
                    pearl
                        .truth
                        .get(r.figure)
                        .is_some_and(|value| (r.least..r.most).contains(&value))
                })
            };
            if let Some(rule) = rules.iter().find(fits) {
                bins[rule.bin.index()] += 1;
            }
        }
        assert!(bins.iter().sum::<u32>() > 19_800, "{bins:?}");
        assert!(bins.iter().all(|count| *count > 300), "{bins:?}");
    }
}
