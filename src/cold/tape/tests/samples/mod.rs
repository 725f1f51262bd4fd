//! One of each kind of event, and a recipe.

#![allow(unreachable_pub, reason = "a module of one test")]

use line::grade::{Doubt, Figure, Range, Row, Term};
use line::{Command, DownCause, Input};
use tape::{Event, Head, Machine, RecipeEntry, Text};
use units::{BinId, BoardId, BoardUs32, EyeId, OrderId, Tick32, TriggerSeq, ValveId};
use wire::{
    BoardLimits, Fault, FaultOf, FromBoard, Identity, Mass, MassStatus, Measurement, Samples, Status, ViewStatus,
};

pub fn head() -> Head {
    Head {
        program: "0.1.0".to_owned(),
        machine: Machine::File {
            name: "config/line.toml".to_owned(),
            text: "kind = \"line\" # 一号分选线".to_owned(),
        },
        plan: 0x0123_4567_89AB_CDEF,
        recipe: entry().hash,
    }
}

pub fn entry() -> RecipeEntry {
    let term = |figure, least, most, guard| Term {
        range: Range { figure, least, most },
        guard,
    };
    RecipeEntry {
        hash: 0xFEDC_BA98_7654_3210,
        doubt: Doubt::FinalPass,
        rows: vec![
            Row {
                bin: BinId(0),
                lanes: u64::MAX,
                terms: vec![
                    term(Figure::DiameterUm, 7_000, 7_500, 1_000),
                    term(Figure::Hue, 35_000, 2_000, -500),
                ],
            },
            Row {
                bin: BinId(5),
                lanes: 3,
                terms: Vec::new(),
            },
        ],
        texts: vec![Text {
            name: "recipes/a.toml".to_owned(),
            text: "kind = \"recipe\"".to_owned(),
        }],
    }
}

fn identity() -> Identity {
    Identity {
        protocol: wire::PROTOCOL,
        uid: 0x5045_4152_4C00_0001,
        firmware: 0x00_01_02_03,
        limits: BoardLimits {
            valves: 48,
            eyes: 64,
            cells: 8,
            channels: 16,
            queue: 256,
            window: 8,
            horizon_ticks: 400_000,
            max_on_us: 200_000,
        },
        settings_crc: 0xDEAD_BEEF,
        starts: 7,
    }
}

fn measurement() -> Measurement {
    Measurement {
        eye: EyeId(3),
        seq: TriggerSeq(65_535),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: 7_300,
        d_mid_um: 7_200,
        d_min_um: 7_100,
        u_diameter_um: 10,
        u_ddp: 15,
        residual_um: 20,
        taper: 30,
        lab_l: 7_000,
        lab_a: -200,
        lab_b: 300,
        u_lab: 50,
        overtone_a: 10,
        overtone_b: -10,
        lustre: 6_000,
        u_lustre: 100,
        blemishes: 2,
        blemish_area: 40,
        u_blemish_area: 10,
        nacre_um: Some(400),
    }
}

fn messages() -> Vec<FromBoard<'static>> {
    let (eye, seq, tick) = (EyeId(3), TriggerSeq(9), Tick32(1_203_411));
    let order = OrderId(77);
    vec![
        FromBoard::Armed,
        FromBoard::Disarmed { by_watchdog: true },
        FromBoard::Status(Status {
            at: BoardUs32(4_000_000_000),
            tick,
            fed: 1,
            queued: 2,
            armed: true,
            blowing: false,
            dropped: 0,
        }),
        FromBoard::Index { tick },
        FromBoard::Trigger { eye, seq, tick },
        FromBoard::Passed { eye, seq, tick },
        FromBoard::Measurement(measurement()),
        FromBoard::Mass(Mass {
            cell: 3,
            number: 4,
            entered: tick,
            left: Tick32(1_204_000),
            status: MassStatus::Good,
            mass_ug: 500_000,
            u_mass_ug: 400,
        }),
        FromBoard::Samples(Samples {
            cell: 1,
            first: 10,
            at: BoardUs32(5),
            data: &[1, 2, 3, 4, 5, 6],
        }),
        FromBoard::Fired {
            order,
            opened: tick,
            open_us: 5_000,
        },
        FromBoard::Late { order, tick },
        FromBoard::Fault {
            of: FaultOf::Order(order),
            fault: Fault::Coil,
        },
        FromBoard::Done { order },
        FromBoard::Gone { order },
        FromBoard::Landed { eye, seq, tick },
        FromBoard::Channel {
            channel: 8,
            value: 40_000,
        },
        FromBoard::Pulsed { valve: ValveId(4) },
    ]
}

/// One of each, with times that go on, stand still and go back.
pub fn inputs() -> Vec<(i64, Input<'static>)> {
    let board = BoardId(1);
    let recipe = entry().compiled().expect("two rows can be compiled");
    let commands = [
        Command::Start,
        Command::Hold,
        Command::Stop,
        Command::Inhibit {
            bin: BinId(2),
            on: true,
        },
        Command::Release { bin: BinId(2) },
        Command::Acknowledge,
        Command::Pulse {
            board,
            valve: ValveId(4),
            us: 5_000,
        },
        Command::Lot { lot: 70_000 },
    ];
    let mut inputs = vec![
        Input::Recipe(recipe),
        Input::LinkUp {
            board,
            identity: identity(),
        },
    ];
    inputs.extend(messages().into_iter().map(|message| Input::Board { board, message }));
    inputs.extend(commands.into_iter().map(Input::Command));
    let causes = [
        DownCause::Port,
        DownCause::Silence,
        DownCause::Reset,
        DownCause::Refused,
    ];
    inputs.extend(causes.into_iter().map(|cause| Input::LinkDown { board, cause }));
    inputs.push(Input::Clock);
    let times = (0..).map(|n: i64| 1_000_000 + n / 2 * 40_000 - n % 3);
    times.zip(inputs).collect()
}

/// The event that an input becomes, as text.
pub fn as_event(input: &Input<'_>) -> String {
    let event = match input {
        Input::Board { board, message } => Event::Board {
            board: *board,
            message: *message,
        },
        Input::LinkUp { board, identity } => Event::LinkUp {
            board: *board,
            identity: *identity,
        },
        Input::LinkDown { board, cause } => Event::LinkDown {
            board: *board,
            cause: *cause,
        },
        Input::Command(command) => Event::Command(*command),
        Input::Recipe(recipe) => Event::Recipe(recipe.hash()),
        Input::Model { lane, model } => Event::Model {
            lane: *lane,
            model: **model,
        },
        Input::Clock => Event::Clock,
    };
    format!("{event:?}")
}
