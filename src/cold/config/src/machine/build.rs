//! Last stage: from a faultless raw file to the core's plan and the boards' settings.
//!
//! Cold side, any thread.

use std::path::PathBuf;

use line::{
    BoardPlan, CameraPlan, ChannelPlan, ChannelsPlan, DropEyePlan, EyePlan, JetPlan, LanePlan, LinePlan, Manifold,
    NeighbourPolicy, SignalPlan, Tolerances, WeighPlan, WeighSource,
};
use units::{BoardId, EyeId, Micrometres, TicksPerMetre, ValveId};
use wire::settings::{at_start, canonical};
use wire::{Setting, SettingKey};

use super::budget::Budget;
use super::raw::Raw;
use super::wiring::{Wired, WiredLane, board_of, uid};
use super::{ChannelConfig, HotThread, Line, LinkConfig, Signal};

/// Builds the line.
pub(super) fn build(raw: &Raw<'_>, wired: &Wired, recipe: Option<PathBuf>, budgets: Vec<Budget>) -> Line {
    let hot = raw.root.table("hot-thread");
    let whole = |key: &str| hot.as_ref().and_then(|node| node.whole(key));
    Line {
        name: raw.root.name("name"),
        plan: plan(raw, wired),
        links: raw.boards.iter().map(link).collect(),
        settings: (0..raw.boards.len()).map(|board| settings(raw, wired, board)).collect(),
        bins: raw.bins.clone(),
        channels: raw
            .channels
            .iter()
            .filter_map(|channel| channel_config(raw, channel))
            .collect(),
        hot: HotThread {
            priority: whole("priority").unwrap_or(80) as u8,
            core: whole("core").map(|core| core as u16),
        },
        recipe,
        budgets,
        most_pearls_per_s: raw.belt.most_pearls_per_s,
        cells_folder: None,
        cells: Vec::new(),
        samples_per_s: raw.weigh.as_ref().map(|weigh| weigh.samples_per_s),
        vision_on_host: raw.camera.as_ref().is_some_and(|camera| !camera.on_board),
    }
}

fn link(board: &super::raw::Board<'_>) -> LinkConfig {
    LinkConfig {
        name: board.name.to_owned(),
        uid: uid(board.uid).unwrap_or_default(),
        port: board.port.map(PathBuf::from),
        baud: board.baud,
        has: board.has,
    }
}

fn channel_config(raw: &Raw<'_>, channel: &super::raw::Channel<'_>) -> Option<ChannelConfig> {
    Some(ChannelConfig {
        board: BoardId(board_of(&raw.boards, channel.board)? as u8),
        number: channel.number,
        signal: match channel.signal {
            "feeder-run" => Signal::FeederRun,
            "feeder-speed" => Signal::FeederSpeed,
            "belt-run" => Signal::BeltRun,
            "belt-speed" => Signal::BeltSpeed,
            "safety-chain" => Signal::SafetyChain,
            "guard-door" => Signal::GuardDoor,
            "air-pressure" => Signal::AirPressure,
            "lamp-current" => Signal::LampCurrent,
            "stack-light" => Signal::StackLight,
            _ => return None,
        },
        name: channel.name.clone(),
        least: channel.least,
        most: channel.most,
    })
}

fn plan(raw: &Raw<'_>, wired: &Wired) -> LinePlan {
    let board = |board: &super::raw::Board<'_>| BoardPlan {
        uid: uid(board.uid).unwrap_or_default(),
        index_ticks: board.index_ticks,
    };
    let manifold = |manifold: &super::raw::Manifold<'_>| {
        Some(Manifold {
            board: BoardId(board_of(&raw.boards, manifold.board)? as u8),
            valves: manifold.valves.iter().map(|valve| ValveId(*valve)).collect(),
            most_open: manifold.most_open,
        })
    };
    LinePlan {
        ticks_per_metre: ticks_per_metre(raw),
        bins: raw.bins.len() as u8,
        boards: raw.boards.iter().map(board).collect(),
        lanes: wired
            .lanes
            .iter()
            .enumerate()
            .map(|(index, lane)| lane_plan(raw, index, lane))
            .collect(),
        manifolds: raw.manifolds.iter().filter_map(manifold).collect(),
        tolerances: tolerances(raw),
        neighbours: if raw.jets.purity {
            NeighbourPolicy::Purity
        } else {
            NeighbourPolicy::Recirculate
        },
        channels: channels_plan(raw),
    }
}

/// The outputs that the core drives and the inputs that it watches. A switch is good when it is not 0; a converter's
/// input is watched when the file gives a bound.
fn channels_plan(raw: &Raw<'_>) -> ChannelsPlan {
    let mut plan = ChannelsPlan::default();
    for channel in &raw.channels {
        let Some(config) = channel_config(raw, channel) else {
            continue;
        };
        let at = ChannelPlan {
            board: config.board,
            channel: config.number,
        };
        match config.signal {
            Signal::FeederRun => plan.feeder = Some(at),
            Signal::BeltRun => plan.belt = Some(at),
            Signal::SafetyChain | Signal::GuardDoor => {
                let (least, most) = (config.least.unwrap_or(1), config.most.unwrap_or(u16::MAX));
                plan.signals.push(SignalPlan { at, least, most });
            }
            Signal::AirPressure | Signal::LampCurrent if config.least.is_some() || config.most.is_some() => {
                let (least, most) = (config.least.unwrap_or(0), config.most.unwrap_or(u16::MAX));
                plan.signals.push(SignalPlan { at, least, most });
            }
            _ => {}
        }
    }
    plan
}

fn ticks_per_metre(raw: &Raw<'_>) -> TicksPerMetre {
    TicksPerMetre::new(raw.belt.ticks_per_metre).expect("the form's bounds are those of the type")
}

fn tolerances(raw: &Raw<'_>) -> Tolerances {
    let timing = &raw.timing;
    Tolerances {
        jet_width_um: raw.jets.width_um,
        margin_um: raw.jets.margin_um,
        least_length_um: raw.eye.least_pearl_um,
        most_length_um: raw.eye.most_pearl_um,
        station_um: raw.eye.tolerance_um,
        least_lead_us: timing.least_lead_us,
        valve_recovery_us: raw.valves.recovery_us,
        max_on_us: raw.valves.max_on_us,
        measure_us: raw
            .camera
            .as_ref()
            .map_or(timing.link_us, |c| c.exposure_us + c.vision_us + timing.link_us),
        weigh_us: raw
            .weigh
            .as_ref()
            .map_or(timing.link_us, |weigh| weigh.result_us + timing.link_us),
        least_speed_um_s: raw.belt.least_speed_um_s,
        most_speed_um_s: raw.belt.most_speed_um_s,
        align_um: timing.align_um,
        status_silence_us: timing.status_silence_us,
        late_limit: timing.late_limit,
        late_window_us: timing.late_window_us,
        feed_us: timing.feed_us,
    }
}

fn lane_plan(raw: &Raw<'_>, index: usize, lane: &WiredLane) -> LanePlan {
    let eye = |board, eye| EyePlan { board, eye: EyeId(eye) };
    let drop_eye = |number: u8, tray: bool| {
        let eyes = raw.drop_eyes.as_ref()?;
        let (least_us, most_us) = if tray {
            (eyes.tray_least_us, eyes.tray_most_us)
        } else {
            (eyes.least_us, eyes.most_us)
        };
        Some(DropEyePlan {
            eye: eye(lane.jet_board, number),
            least_us,
            most_us,
        })
    };
    let jet = |(jet, wired): (usize, &super::wiring::WiredJet)| {
        let shift = raw
            .trims
            .iter()
            .find(|trim| trim.lane == index && trim.jet == jet)
            .map_or(0, |trim| trim.shift_um);
        JetPlan {
            bin: wired.bin,
            board: lane.jet_board,
            valve: ValveId(wired.valve),
            at_um: raw.jets.at_um[jet].0 + shift,
            drop_eye: wired.drop_eye.and_then(|number| drop_eye(number, false)),
        }
    };
    LanePlan {
        entry: eye(lane.board, lane.entry_eye),
        camera: raw.camera.as_ref().map(|camera| CameraPlan {
            view_um: camera.view_um,
        }),
        weigh: raw.weigh.as_ref().and_then(|weigh| {
            Some(WeighPlan {
                board: lane.board,
                cell: lane.cell?,
                at_um: weigh.at_um,
                length_um: weigh.length_um,
                source: if weigh.samples {
                    WeighSource::Samples
                } else {
                    WeighSource::Mass
                },
            })
        }),
        jets: lane.jets.iter().enumerate().map(jet).collect(),
        end_um: raw.belt.end_um,
        tray_eye: lane.tray_eye.and_then(|number| drop_eye(number, true)),
    }
}

/// Every setting of a board, in canonical order. What the file does not use stays as at the board's start.
fn settings(raw: &Raw<'_>, wired: &Wired, board: usize) -> Vec<Setting> {
    let id = BoardId(board as u8);
    let per_metre = ticks_per_metre(raw);
    let ticks = |um: i32| u32::try_from(per_metre.ticks(Micrometres(um))).unwrap_or_default();
    let lag = |valve: u8, on: bool| {
        let jets = wired.lanes.iter().enumerate().filter(|(_, lane)| lane.jet_board == id);
        let mut jets = jets.flat_map(|(lane, wired)| {
            wired
                .jets
                .iter()
                .enumerate()
                .map(move |(jet, wired)| (lane, jet, wired.valve))
        });
        let trim = jets
            .find(|(.., number)| *number == valve)
            .and_then(|(lane, jet, _)| raw.trims.iter().find(|trim| trim.lane == lane && trim.jet == jet));
        let (own, common) = if on {
            (trim.and_then(|trim| trim.lag_on_us), raw.valves.lag_on_us)
        } else {
            (trim.and_then(|trim| trim.lag_off_us), raw.valves.lag_off_us)
        };
        own.unwrap_or(common)
    };
    let used_valve = |valve: u8| {
        wired
            .lanes
            .iter()
            .any(|lane| lane.jet_board == id && lane.jets.iter().any(|jet| jet.valve == valve))
    };
    let entry_eye = |eye: u8| wired.lanes.iter().any(|lane| lane.board == id && lane.entry_eye == eye);
    let drop_eye = |eye: u8| {
        let of = |lane: &WiredLane| lane.tray_eye == Some(eye) || lane.jets.iter().any(|jet| jet.drop_eye == Some(eye));
        wired.lanes.iter().any(|lane| lane.jet_board == id && of(lane))
    };
    let dead_band = |number: u8| {
        let of =
            |channel: &&super::raw::Channel<'_>| channel.number == number && channel.board == raw.boards[board].name;
        raw.channels
            .iter()
            .find(of)
            .map_or(0, |channel| u32::from(channel.dead_band))
    };
    let value = |key: SettingKey, index: u8| match key {
        SettingKey::WatchdogUs => raw.timing.watchdog_us,
        SettingKey::LeastSpeed => ticks(raw.belt.least_speed_um_s),
        SettingKey::StatusUs => raw.timing.status_us,
        SettingKey::IndexTicks => raw.boards[board].index_ticks.unwrap_or(0),
        SettingKey::LagOnUs if used_valve(index) => lag(index, true),
        SettingKey::LagOffUs if used_valve(index) => lag(index, false),
        // A valve that the line does not use never opens: its longest on-time stays zero.
        SettingKey::MaxOnUs if used_valve(index) => raw.valves.max_on_us.unsigned_abs(),
        SettingKey::MinOffUs if used_valve(index) => raw.valves.recovery_us.unsigned_abs(),
        SettingKey::LeastTicks if entry_eye(index) || drop_eye(index) => ticks(raw.eye.shortest_um),
        SettingKey::EyeKind => u32::from(drop_eye(index)),
        SettingKey::SampleRate
            if wired
                .lanes
                .iter()
                .any(|lane| lane.board == id && lane.cell == Some(index)) =>
        {
            raw.weigh
                .as_ref()
                .filter(|weigh| weigh.samples)
                .map_or(0, |weigh| weigh.samples_per_s)
        }
        SettingKey::DeadBand => dead_band(index),
        _ => at_start(key),
    };
    let setting = |(key, index)| Setting {
        key,
        index,
        value: value(key, index),
    };
    canonical(&raw.boards[board].has).map(setting).collect()
}
