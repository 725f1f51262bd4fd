//! The catalogue of faults: each sort once, at a time when the line sorts at full rate.
//!
//! Cold. Tests run them all; scenarios may begin from them.

use units::{BoardId, EyeId, LaneId, ValveId};

use crate::belt::SpeedChange;
use crate::chance::Chance;
use crate::faults::{Fault, FaultPlan, TimedFault};

/// Stream of chance of random timetables.
const STREAM: u64 = 3;
const BOARD: BoardId = BoardId(1);
const LANE: LaneId = LaneId(3);
/// Valve of lane 3 and bin 4, which gets many pearls.
const VALVE: ValveId = ValveId(22);
const VALVES_BOARD: BoardId = BoardId(0);

/// A named timetable.
type Entry = (&'static str, FaultPlan);

/// Every sort of fault by name, on a line of at least nine lanes at 1 m/s.
#[must_use]
pub fn catalogue() -> Vec<Entry> {
    [links(), belts(), jets_and_eyes(), stations_and_host()].concat()
}

/// One fault from `from_s` to `until_s`.
fn one(from_s: f64, until_s: f64, fault: Fault) -> FaultPlan {
    FaultPlan::none().with(from_s, until_s, fault)
}

/// The serial links and the boards behind them.
fn links() -> Vec<Entry> {
    let (board, first) = (BOARD, BoardId(0));
    let noise = |drop, double, flip| {
        one(
            8.0,
            12.0,
            Fault::LinkNoise {
                board,
                drop,
                double,
                flip,
            },
        )
    };
    let delay = Fault::LinkDelay { board, most_us: 15_000 };
    let reorder = Fault::LinkReorder { board, share: 0.05 };
    vec![
        ("bytes dropped", noise(1e-3, 0.0, 0.0)),
        ("bytes doubled", noise(0.0, 1e-3, 0.0)),
        ("bytes flipped", noise(0.0, 0.0, 1e-3)),
        ("bytes delayed", one(8.0, 12.0, delay)),
        ("bytes reordered", one(8.0, 12.0, reorder)),
        ("link stalled 0.5 s", one(8.0, 8.5, Fault::LinkStall { board })),
        ("link cut 2 s", one(8.0, 10.0, Fault::LinkCut { board })),
        ("first link cut 2 s", one(8.0, 10.0, Fault::LinkCut { board: first })),
        ("board reset", one(8.0, 8.3, Fault::BoardReset { board })),
        ("first board reset", one(8.0, 8.3, Fault::BoardReset { board: first })),
    ]
}

/// The belt, its encoders, and the eyes at its entry.
fn belts() -> Vec<Entry> {
    let slip = |board, ticks| one(8.0, 8.0, Fault::EncoderSlip { board, ticks });
    let (lane, share) = (LANE, 0.1);
    vec![
        ("encoder slips", slip(BOARD, 40)),
        ("first encoder gains", slip(BoardId(0), -40)),
        ("belt slows and speeds up", slower_and_faster()),
        ("belt stops", stop()),
        ("belt reverses", reverse()),
        (
            "triggers missing",
            one(8.0, 12.0, Fault::TriggersMissing { lane, share }),
        ),
        (
            "triggers doubled",
            one(8.0, 12.0, Fault::TriggersDoubled { lane, share }),
        ),
    ]
}

/// Valves, drop eyes, and an entry eye that sees nothing.
fn jets_and_eyes() -> Vec<Entry> {
    let (board, valve) = (VALVES_BOARD, VALVE);
    let dead = |until_s, eye| one(8.0, until_s, Fault::EyeDead { board, eye: EyeId(eye) });
    vec![
        ("valve stays shut", one(8.0, 14.0, Fault::ValveShut { board, valve })),
        ("valve stays open", one(8.0, 14.0, Fault::ValveOpen { board, valve })),
        ("drop eye dead", dead(14.0, 8 + 7 * 3 + 4)),
        ("tray eye dead", dead(14.0, 8 + 7 * 3 + 6)),
        ("entry eye dead", dead(9.0, 3)),
    ]
}

/// Cameras, weigh cells, the safety chain, the host, and pearls that slip where nobody looks.
fn stations_and_host() -> Vec<Entry> {
    let slip = Fault::SlipUnseen {
        lane: LANE,
        share: 0.05,
        um: 20_000.0,
    };
    vec![
        ("camera silent", one(8.0, 10.0, Fault::CameraSilent { lane: LANE })),
        ("weigh cell silent", one(8.0, 10.0, Fault::CellSilent { lane: LANE })),
        ("safety chain open", one(8.0, 9.0, Fault::SafetyOpen)),
        ("host stalled 50 ms", one(8.0, 8.05, Fault::HostStall)),
        ("host stalled 2 s", one(8.0, 10.0, Fault::HostStall)),
        ("pearls slip unseen", one(8.0, 12.0, slip)),
    ]
}

/// A timetable of one to three faults of the catalogue, at other times, places and lengths, from a seed.
#[must_use]
pub fn random(seed: u64) -> FaultPlan {
    let mut chance = Chance::new(seed, STREAM);
    let faults = catalogue();
    let mut plan = FaultPlan::none();
    let mut changes_speed = false;
    for _ in 0..=chance.below(3) {
        let number = usize::try_from(chance.below(u32::try_from(faults.len()).unwrap_or(1))).unwrap_or(0);
        let (_, drawn) = &faults[number];
        // Two courses of the belt's speed can't both hold.
        if !drawn.speed_changes().is_empty() && core::mem::replace(&mut changes_speed, true) {
            continue;
        }
        let later_us = u64::from(chance.below(5_000_000));
        let (board, lane) = (
            BoardId(u8::from(chance.happens(0.5))),
            LaneId(u8::try_from(chance.below(16)).unwrap_or(0)),
        );
        let stretch = chance.within(0.2, 1.5);
        for timed in &drawn.faults {
            let length_us = (timed.until_us - timed.from_us) as f64 * stretch;
            let from_us = timed.from_us + later_us;
            let is_speed = matches!(timed.fault, Fault::Speed(_));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast of a float saturates"
            )]
            let until_us = if is_speed {
                timed.until_us + later_us
            } else {
                from_us + length_us as u64
            };
            plan.faults.push(TimedFault {
                from_us,
                until_us,
                fault: elsewhere(timed.fault, board, lane),
            });
        }
    }
    plan
}

/// The same fault of another board or lane; valves and eyes stay where they are on their board.
fn elsewhere(fault: Fault, board: BoardId, lane: LaneId) -> Fault {
    match fault {
        Fault::LinkNoise { drop, double, flip, .. } => Fault::LinkNoise {
            board,
            drop,
            double,
            flip,
        },
        Fault::LinkDelay { most_us, .. } => Fault::LinkDelay { board, most_us },
        Fault::LinkReorder { share, .. } => Fault::LinkReorder { board, share },
        Fault::LinkStall { .. } => Fault::LinkStall { board },
        Fault::LinkCut { .. } => Fault::LinkCut { board },
        Fault::BoardReset { .. } => Fault::BoardReset { board },
        Fault::EncoderSlip { ticks, .. } => Fault::EncoderSlip { board, ticks },
        Fault::TriggersMissing { share, .. } => Fault::TriggersMissing { lane, share },
        Fault::TriggersDoubled { share, .. } => Fault::TriggersDoubled { lane, share },
        Fault::SlipUnseen { share, um, .. } => Fault::SlipUnseen { lane, share, um },
        Fault::ValveShut { valve, .. } => Fault::ValveShut { board, valve },
        Fault::ValveOpen { valve, .. } => Fault::ValveOpen { board, valve },
        Fault::EyeDead { eye, .. } => Fault::EyeDead { board, eye },
        Fault::CameraSilent { .. } => Fault::CameraSilent { lane },
        Fault::CellSilent { .. } => Fault::CellSilent { lane },
        Fault::Speed(_) | Fault::SafetyOpen | Fault::HostStall => fault,
    }
}

fn change(ramp_us: u64, um_s: f64) -> Fault {
    Fault::Speed(SpeedChange {
        at_us: 0,
        ramp_us,
        um_s,
    })
}

fn slower_and_faster() -> FaultPlan {
    FaultPlan::none()
        .with(8.0, 9.0, change(1_000_000, 600_000.0))
        .with(11.0, 12.0, change(1_000_000, 1_050_000.0))
}

fn stop() -> FaultPlan {
    FaultPlan::none()
        .with(8.0, 8.5, change(500_000, 0.0))
        .with(10.0, 10.5, change(500_000, 1_000_000.0))
}

fn reverse() -> FaultPlan {
    FaultPlan::none()
        .with(8.0, 8.5, change(500_000, 0.0))
        .with(9.0, 9.2, change(200_000, -100_000.0))
        .with(10.0, 10.6, change(600_000, 1_000_000.0))
}
