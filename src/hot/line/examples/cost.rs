//! What a pearl costs the core: all its events, from trigger to landing, on a belt at full rate.
//!
//! `cargo run --release -p line --example cost` prints nanoseconds a pearl, for a line of 16 lanes at 15 pearls a second:
//! the median over slices of the shift, so that a busy computer is not counted, with and without the core.

use std::sync::Arc;
use std::time::Instant;

use line::grade::{Figure, Range, Recipe, Rule};
use line::{
    BoardPlan, CameraPlan, ChannelsPlan, Command, Core, DropEyePlan, EyePlan, Input, JetPlan, LanePlan, LinePlan,
    NeighbourPolicy, Notice, Output, Record, Tolerances, WeighPlan, WeighSource,
};
use units::{BinId, BoardId, BoardUs32, EyeId, HostUs, OrderId, Tick32, TicksPerMetre, TriggerSeq, ValveId};
use wire::{BoardLimits, FromBoard, Identity, Mass, MassStatus, Measurement, Status, ToBoard, ViewStatus};

const LANES: u8 = 16;
const BINS: u8 = 6;
/// Microseconds between two pearls of a lane: 15 a second.
const PITCH_US: i64 = 66_667;
const PEARLS_A_LANE: i64 = 20_000;
const B0: BoardId = BoardId(0);

#[derive(Default)]
struct Sink {
    orders: u64,
    records: u64,
    last: Option<OrderId>,
}

impl Output for Sink {
    fn send(&mut self, _board: BoardId, message: ToBoard) {
        if let ToBoard::Fire(fire) = message {
            self.orders += 1;
            self.last = Some(fire.order);
        }
    }
    fn arm(&mut self, _board: BoardId, _on: bool) {}
    fn record(&mut self, _record: &Record) {
        self.records += 1;
    }
    fn notice(&mut self, _at: HostUs, _notice: Notice) {}
    fn retire(&mut self, _recipe: Arc<Recipe>) {}
}

fn drop_eye(eye: u8) -> Option<DropEyePlan> {
    Some(DropEyePlan {
        eye: EyePlan {
            board: B0,
            eye: EyeId(eye),
        },
        least_us: 20_000,
        most_us: 40_000,
    })
}

fn plan() -> LinePlan {
    let lane = |lane: u8| LanePlan {
        entry: EyePlan {
            board: B0,
            eye: EyeId(lane * 8),
        },
        camera: Some(CameraPlan { view_um: 12_000 }),
        weigh: Some(WeighPlan {
            board: B0,
            cell: lane,
            at_um: 100_000,
            length_um: 20_000,
            source: WeighSource::Mass,
        }),
        jets: (0..BINS)
            .map(|bin| JetPlan {
                bin: BinId(bin),
                board: B0,
                valve: ValveId(lane * 8 + bin),
                at_um: 300_000 + 60_000 * i32::from(bin),
                drop_eye: drop_eye(lane * 8 + 1 + bin),
            })
            .collect(),
        end_um: 800_000,
        tray_eye: drop_eye(lane * 8 + 7),
    };
    LinePlan {
        ticks_per_metre: TicksPerMetre::new(20_000).expect("in range"),
        bins: BINS,
        boards: vec![BoardPlan {
            uid: 1,
            index_ticks: None,
        }],
        lanes: (0..LANES).map(lane).collect(),
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

fn recipe() -> Arc<Recipe> {
    let range = |figure, least, most| Range { figure, least, most };
    let rule = |bin: u8| {
        let least = 6_000 + 500 * i32::from(bin);
        let ranges = vec![
            range(Figure::DiameterUm, least, least + 500),
            range(Figure::MassUg, 1, i32::MAX),
            range(Figure::Lustre, 5_000, 10_001),
        ];
        Rule {
            bin: BinId(bin),
            ranges,
        }
    };
    Arc::new(Recipe::new(1, (0..BINS).map(rule).collect()))
}

fn measurement(eye: EyeId, seq: TriggerSeq, bin: u8) -> Measurement {
    let diameter = 6_100 + 500 * u16::from(bin);
    Measurement {
        eye,
        seq,
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: diameter + 20,
        d_mid_um: diameter + 10,
        d_min_um: diameter,
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

/// What happens, with the host time at which it is told and the time of the belt that it tells of.
#[derive(Clone, Copy)]
enum Kind {
    Status,
    Trigger,
    Passed,
    Measured,
    Weighed,
    Fired,
    Landed,
}

/// Host time, kind, lane, number of the pearl.
type Told = (i64, Kind, u8, i64);

/// Every event of the shift, in order of time: kind, lane, number of the pearl.
fn events() -> Vec<Told> {
    let mut events = Vec::new();
    for lane in 0..LANES {
        for count in 0..PEARLS_A_LANE {
            let at = 1_000_000 + count * PITCH_US + i64::from(lane) * 4_000;
            let jet = 300_000 + 60_000 * (count % i64::from(BINS));
            let after = [
                (0, Kind::Trigger),
                (7_000, Kind::Passed),
                (12_000, Kind::Measured),
                (126_000, Kind::Weighed),
                (jet + 10_500, Kind::Fired),
                (jet + 34_500, Kind::Landed),
            ];
            events.extend(after.map(|(after, kind)| (at + after, kind, lane, count)));
        }
    }
    let last = 1_000_000 + PEARLS_A_LANE * PITCH_US + 2_000_000;
    events.extend((0..last / 20_000).map(|count| (count * 20_000, Kind::Status, 0, 0)));
    events.sort_by_key(|(at, ..)| *at);
    events
}

/// Runs the shift. Without `core` only the events are made.
fn run(events: &[Told], mut core: Option<&mut Core>, sink: &mut Sink, given: &mut [OrderId]) -> u64 {
    // 20 ticks a millisecond.
    let tick = |us: i64| Tick32((us / 50) as u32);
    let mut made = 0_u64;
    for &(at, kind, lane, count) in events {
        let start = 1_000_000 + count * PITCH_US + i64::from(lane) * 4_000;
        let seq = TriggerSeq(count as u16);
        let eye = EyeId(lane * 8);
        let bin = (count % i64::from(BINS)) as u8;
        let slot = usize::from(lane) * 64 + (count % 64) as usize;
        let jet = 300_000 + 60_000 * i64::from(bin);
        let message = match kind {
            Kind::Status => FromBoard::Status(Status {
                at: BoardUs32(at as u32),
                tick: tick(at),
                fed: 0,
                queued: 0,
                armed: true,
                blowing: false,
                dropped: 0,
            }),
            Kind::Trigger => FromBoard::Trigger {
                eye,
                seq,
                tick: tick(start),
            },
            Kind::Passed => FromBoard::Passed {
                eye,
                seq,
                tick: tick(start + 7_000),
            },
            Kind::Measured => FromBoard::Measurement(measurement(eye, seq, bin)),
            Kind::Weighed => FromBoard::Mass(Mass {
                cell: lane,
                number: count as u16,
                entered: tick(start + 103_500),
                left: tick(start + 123_500),
                status: MassStatus::Good,
                mass_ug: 500_000,
                u_mass_ug: 500,
            }),
            Kind::Fired => FromBoard::Fired {
                order: given[slot],
                opened: tick(start + jet - 3_500),
                open_us: 13_000,
            },
            Kind::Landed => FromBoard::Landed {
                eye: EyeId(lane * 8 + 1 + bin),
                seq: TriggerSeq((count / i64::from(BINS)) as u16),
                tick: tick(start + jet + 33_500),
            },
        };
        made = made.wrapping_add(std::hint::black_box(&message).eq(&FromBoard::Armed).into());
        if let Some(core) = core.as_deref_mut() {
            core.handle(HostUs(at + 500), Input::Board { board: B0, message }, sink);
            if let Some(order) = sink.last.take() {
                given[slot] = order;
            }
        }
    }
    made
}

/// Median over slices of the shift of the nanoseconds a pearl.
fn slices(events: &[Told], mut core: Option<&mut Core>, sink: &mut Sink) -> u128 {
    let mut given = vec![OrderId(0); usize::from(LANES) * 64];
    let mut times: Vec<u128> = Vec::new();
    for slice in events.chunks(6 * 200) {
        let begun = Instant::now();
        run(slice, core.as_deref_mut(), sink, &mut given);
        times.push(begun.elapsed().as_nanos() / 200);
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let events = events();
    let mut core = Core::new(plan(), recipe());
    let mut sink = Sink::default();
    let limits = BoardLimits {
        valves: 128,
        eyes: 128,
        cells: 16,
        channels: 16,
        queue: 256,
        window: 8,
        horizon_ticks: 400_000,
        max_on_us: 200_000,
    };
    let identity = Identity {
        protocol: 1,
        uid: 1,
        firmware: 1,
        limits,
        settings_crc: 0,
        starts: 1,
    };
    core.handle(HostUs(0), Input::LinkUp { board: B0, identity }, &mut sink);
    core.handle(HostUs(0), Input::Command(Command::Start), &mut sink);
    core.handle(
        HostUs(0),
        Input::Board {
            board: B0,
            message: FromBoard::Armed,
        },
        &mut sink,
    );
    let bare = slices(&events, None, &mut Sink::default());
    let whole = slices(&events, Some(&mut core), &mut sink);
    let pearls = i64::from(LANES) * PEARLS_A_LANE;
    let accounts = core.accounts();
    println!("{pearls} pearls, {} orders, {} records", sink.orders, sink.records);
    println!("{} binned, {} in flight", accounts.binned_total(), accounts.in_flight);
    println!("{whole} ns a pearl for all its events, {bare} of it for making them");
    for cause in line::Cause::all().filter(|cause| accounts.recirculated(*cause) > 0) {
        println!("recirculated, {}: {}", cause.name(), accounts.recirculated(cause));
    }
}
