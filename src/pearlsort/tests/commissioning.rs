//! Commissioning over the virtual line, in virtual time: what the machine's file has wrong is found within its uncertainty.
//!
//! The boards are those of the simulator, behind the same links and with the same messages as real ones; the belt's speeds
//! are a timetable, as if somebody turned the drive's knob when told to.

use std::collections::VecDeque;

use config::Line;
use devices::HostLink;
use pearlsort::calibrate::field::{Ask, Boards, Gone, Heard, said, unsent};
use pearlsort::calibrate::operator::Operator;
use pearlsort::calibrate::{Options, Report, Selected, What, commission};
use setup::commission::Ruler;
use setup::commission::store::{Found, Value};
use sim::belt::SpeedChange;
use sim::demo::Machine;
use sim::faults::{Fault, FaultPlan};
use sim::nature::Nature;
use sim::rig::Rig;
use sim::world::WorldOptions;
use units::{BoardId, HostUs};
use wire::{SettingKey, ToBoard};

const BAUD: u32 = 3_000_000;
/// Time without news after which the caller gets a turn.
const TURN_US: u64 = 20_000;
const SLOW_UM_S: f64 = 360_000.0;
const FAST_UM_S: f64 = 1_400_000.0;

/// The simulator's boards behind links in virtual time.
struct VirtualBoards {
    rig: Rig,
    links: Vec<HostLink>,
    heard: VecDeque<Heard>,
    armed: Vec<BoardId>,
    feed_us: u64,
    feed_at: u64,
    fed: u16,
    now_us: u64,
}

impl VirtualBoards {
    fn new(truth: &Machine, line: &Line, um_s: f64, faults: FaultPlan) -> Self {
        let options = WorldOptions {
            seed: 11,
            // A pearl each 67 mm.
            rate: um_s / 67_000.0,
            um_s,
            nature: Nature::default(),
            faults,
            most_pearls: u64::MAX,
        };
        let mut links: Vec<HostLink> = pearlsort::run::link_plans(line)
            .into_iter()
            .map(|plan| HostLink::new(plan, 7))
            .collect();
        links.iter_mut().for_each(|link| link.open(HostUs(0)));
        Self {
            rig: Rig::new(truth, options, BAUD),
            links,
            heard: VecDeque::new(),
            armed: Vec::new(),
            feed_us: u64::from(line.plan.tolerances.feed_us.unsigned_abs()),
            feed_at: 0,
            fed: 0,
            now_us: 0,
        }
    }

    fn next_us(&self) -> u64 {
        let links = self
            .links
            .iter()
            .flat_map(|link| [link.next_poll(), link.next_transmit()])
            .flatten();
        let due = links.map(|due| due.0.max(0).unsigned_abs()).min().unwrap_or(u64::MAX);
        let wants = self
            .links
            .iter()
            .filter_map(|link| self.rig.wants_line_us(link.board()));
        let feed = if self.armed.is_empty() { u64::MAX } else { self.feed_at };
        wants.chain([due, feed, self.rig.next_us()]).min().unwrap_or(u64::MAX)
    }

    fn step(&mut self, to_us: u64) {
        self.now_us = self.now_us.max(to_us);
        self.rig.advance(self.now_us);
        let now = HostUs(self.now_us as i64);
        if !self.armed.is_empty() && self.now_us >= self.feed_at {
            self.fed = self.fed.wrapping_add(1);
            self.feed_at = self.now_us + self.feed_us;
            for board in self.armed.clone() {
                self.send(board, &ToBoard::Feed { count: self.fed });
            }
        }
        let mut bytes = [0; 4_096];
        for link in &mut self.links {
            let board = link.board();
            let len = link.transmit(now, &mut bytes);
            self.rig.receive(board, &bytes[..len]);
            let len = self.rig.transmit(board, &mut bytes);
            let heard = &mut self.heard;
            let mut hear = |event: devices::LinkEvent<'_>| {
                heard.extend(said(&event).map(|said| Heard { board, at: now, said }));
            };
            link.receive(now, &bytes[..len], &mut hear);
            link.poll(now, &mut hear);
        }
    }

    fn send(&mut self, board: BoardId, message: &ToBoard) {
        if let Err(why) = self.links[board.index()].send(message) {
            let at = HostUs(self.now_us as i64);
            self.heard
                .extend(unsent(message, why).map(|said| Heard { board, at, said }));
        }
    }
}

impl Boards for VirtualBoards {
    fn hear(&mut self) -> Result<Option<Heard>, Gone> {
        let turn = self.now_us + TURN_US;
        while self.heard.is_empty() && self.now_us < turn {
            // At least a microsecond goes by, so that a link that can't send yet does not hold time still.
            self.step(self.next_us().clamp(self.now_us + 1, turn));
        }
        Ok(self.heard.pop_front())
    }

    fn ask(&mut self, ask: Ask) -> Result<(), Gone> {
        match ask {
            Ask::Send(board, message) => self.send(board, &message),
            Ask::Arm(board) => {
                self.links[board.index()].arm().map_err(|_| Gone)?;
                self.armed.push(board);
                self.feed_at = self.now_us;
            }
            Ask::Quit => {}
        }
        Ok(())
    }

    fn now(&self) -> HostUs {
        HostUs(self.now_us as i64)
    }
}

/// The belt's timetable: faster after so many seconds.
fn faster_after(s: f64) -> FaultPlan {
    let faster = Fault::Speed(SpeedChange {
        at_us: 0,
        ramp_us: 500_000,
        um_s: FAST_UM_S,
    });
    FaultPlan::none().with(s, f64::INFINITY, faster)
}

/// Nobody: every question has its usual answer.
#[derive(Default)]
struct Nobody {
    told: Vec<String>,
}

impl Operator for Nobody {
    fn tell(&mut self, text: &str) {
        self.told.push(text.to_owned());
    }
    fn progress(&mut self, _what: &str, _done: u64, _of: u64) {}
    fn ask(&mut self, _question: &str, usual: &str) -> String {
        usual.to_owned()
    }
    fn has_enough(&mut self) -> bool {
        false
    }
}

/// The shipped machine, cut to one lane and one board, without signals that the virtual line does not have.
fn line() -> Line {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/line.toml");
    let mut line = config::load_line(&path).expect("the shipped file is right");
    line.plan.lanes.truncate(1);
    line.plan.boards.truncate(1);
    line.links.truncate(1);
    line.settings.truncate(1);
    line.plan.manifolds.retain(|manifold| manifold.board == BoardId(0));
    line.plan
        .channels
        .signals
        .retain(|signal| signal.at.channel == sim::demo::SAFETY_CHANNEL);
    for jet in &mut line.plan.lanes[0].jets {
        let eye = jet.drop_eye.as_mut().expect("it has drop eyes");
        (eye.least_us, eye.most_us) = (90_000, 110_000);
    }
    line
}

fn machine(line: &Line) -> Machine {
    Machine {
        plan: line.plan.clone(),
        settings: line.settings.clone(),
        rules: Vec::new(),
    }
}

fn run(
    (what, options): (What, &Options),
    truth: &Machine,
    line: &Line,
    (um_s, faster_after_s): (f64, f64),
) -> (Report, Vec<String>) {
    let mut boards = VirtualBoards::new(truth, line, um_s, faster_after(faster_after_s));
    let mut nobody = Nobody::default();
    let report = commission(what, line, options, &mut boards, &mut nobody).unwrap_or_else(|error| {
        panic!("{error}\n{}", nobody.told.join("\n"));
    });
    (report, nobody.told)
}

fn value<'a>(found: &'a Found, name: &str) -> &'a Value {
    found
        .values
        .iter()
        .find(|value| value.name == name)
        .expect("it was found")
}

/// Within three standard uncertainties: one seed in 370 would not be.
fn assert_covers(value: &Value, truth: f64) {
    assert!(
        (value.value - truth).abs() <= 3.0 * value.u,
        "{truth} is not within {value:?}"
    );
}

fn only(jets: &[usize]) -> Options {
    Options {
        selected: Selected {
            lanes: vec![0],
            jets: jets.to_vec(),
        },
        ..Options::default()
    }
}

#[test]
fn ticks_a_metre_are_found_from_eye_to_platform() {
    let line = line();
    let truth = machine(&line);
    // A ruler that says one part in a hundred more than there is makes each metre have fewer ticks.
    let at_um = f64::from(line.plan.lanes[0].weigh.expect("it has weigh cells").at_um);
    let ruler = Ruler {
        um: 1.01 * at_um,
        u_um: 50.0,
    };
    let options = Options {
        ruler: Some(ruler),
        ..Options::default()
    };
    let (report, _) = run((What::Ticks, &options), &truth, &line, (SLOW_UM_S, 1_000.0));
    assert!(report.refused.is_empty(), "{report:?}");
    assert_covers(value(&report.results[0], "ticks-per-metre"), 20_000.0 / 1.01);
    assert!(report.paste.contains("ticks-per-metre = 1"), "{}", report.paste);
}

#[test]
fn ticks_a_metre_are_found_from_eye_to_a_far_jet() {
    let line = line();
    let truth = machine(&line);
    let ruler = Ruler {
        um: 1.01 * f64::from(line.plan.lanes[0].jets[5].at_um),
        u_um: 300.0,
    };
    let options = Options {
        ruler: Some(ruler),
        pearls: Some(60),
        ..only(&[6])
    };
    let (report, _) = run((What::Ticks, &options), &truth, &line, (SLOW_UM_S, 60.0));
    assert!(report.refused.is_empty(), "{report:?}");
    assert_covers(value(&report.results[0], "ticks-per-metre"), 20_000.0 / 1.01);
}

#[test]
fn a_jet_that_stands_elsewhere_is_found() {
    let line = line();
    let mut truth = machine(&line);
    truth.plan.lanes[0].jets[1].at_um += 900;
    let options = Options {
        pearls: Some(60),
        ..only(&[2, 3])
    };
    let (report, told) = run((What::Distances, &options), &truth, &line, (SLOW_UM_S, 60.0));
    assert!(report.refused.is_empty(), "{report:#?}\n{told:#?}");
    assert_covers(value(&report.results[0], "at"), 320_900.0);
    assert_covers(value(&report.results[1], "at"), 380_000.0);
    assert_covers(value(&report.results[0], "fall"), 100_000.0);
    assert!(
        report.paste.contains("lane = 0\njet = 2\nshift-um = "),
        "{}",
        report.paste
    );
}

#[test]
fn a_valve_of_other_lags_is_found() {
    let line = line();
    let mut truth = machine(&line);
    let valve = line.plan.lanes[0].jets[2].valve.0;
    for setting in &mut truth.settings[0] {
        match setting.key {
            SettingKey::LagOnUs if setting.index == valve => setting.value += 1_500,
            SettingKey::LagOffUs if setting.index == valve => setting.value += 900,
            _ => {}
        }
    }
    let options = Options {
        pearls: Some(2_400),
        ..only(&[3])
    };
    let (report, told) = run((What::Lags, &options), &truth, &line, (850_000.0, 220.0));
    assert!(report.refused.is_empty(), "{report:#?}\n{told:#?}");
    let found = &report.results[0];
    assert_covers(value(found, "lag-on-us"), 2_400.0);
    assert_covers(value(found, "lag-off-us"), 1_600.0);
    assert_covers(value(found, "at"), 380_000.0);
    assert!(report.paste.contains("lag-on-us = "), "{}", report.paste);
}

#[test]
fn a_belt_that_keeps_one_speed_ends_in_advice() {
    let line = line();
    let mut boards = VirtualBoards::new(&machine(&line), &line, SLOW_UM_S, FaultPlan::none());
    let options = Options {
        pearls: Some(20),
        ..only(&[1])
    };
    let error =
        commission(What::Distances, &line, &options, &mut boards, &mut Nobody::default()).expect_err("one speed");
    assert!(error.message.contains("did not come to a steady speed"), "{error}");
}

#[test]
fn a_jet_without_air_is_refused_with_its_reason() {
    let line = line();
    let truth = machine(&line);
    let shut = Fault::ValveShut {
        board: BoardId(0),
        valve: line.plan.lanes[0].jets[0].valve,
    };
    let faults = faster_after(90.0).with(0.0, f64::INFINITY, shut);
    let mut boards = VirtualBoards::new(&truth, &line, SLOW_UM_S, faults);
    let report = commission(
        What::Distances,
        &line,
        &Options {
            pearls: Some(20),
            ..only(&[1])
        },
        &mut boards,
        &mut Nobody::default(),
    )
    .expect("the line itself is well");
    assert_eq!(report.results.len(), 0);
    assert!(report.refused[0].why.contains("landings"), "{:?}", report.refused);
}

#[test]
fn a_signal_that_is_lost_and_comes_back_is_seen_and_a_silent_one_is_not() {
    let mut line = line();
    let safety = |channel: &config::ChannelConfig| channel.number == sim::demo::SAFETY_CHANNEL;
    line.channels.retain(safety);
    let truth = machine(&line);
    for (faults, seen) in [
        (FaultPlan::none().with(3.0, 5.0, Fault::SafetyOpen), true),
        (FaultPlan::none(), false),
    ] {
        let mut boards = VirtualBoards::new(&truth, &line, SLOW_UM_S, faults);
        let report = commission(
            What::Signals,
            &line,
            &Options::default(),
            &mut boards,
            &mut Nobody::default(),
        )
        .expect("the boards are well");
        assert_eq!(
            (report.results.len(), report.refused.len()),
            (usize::from(seen), usize::from(!seen))
        );
        let says = if seen {
            "1 at rest, 0 when lost"
        } else {
            "it stayed at 1"
        };
        assert!(report.lines[0].contains(says), "{:?}", report.lines);
    }
}
