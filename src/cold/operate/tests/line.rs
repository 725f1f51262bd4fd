//! The machine over a small line that does what the core does: whole stories, and any order of anything.

use line::{Cause, ChannelPlan, Command as Act, Destination, HoldCause, Landing, LineState, Notice, Record};
use operate::alarm::{AlarmId, AlarmState, Change, Kind, Place};
use operate::{
    Command, Fault, Glance, JetSetup, LinkFigures, Mode, Observation, Operate, Refusal, Request, Setup, SignalSetup,
    State, Text, Use, Why,
};
use proptest::prelude::*;
use units::{BinId, BoardId, HostUs, LaneId, Micrometres, PearlId, Tick, TriggerSeq, ValveId};

const B0: BoardId = BoardId(0);
const STEP_US: i64 = 20_000;

fn signal(channel: u8, used_for: Use) -> SignalSetup {
    SignalSetup {
        at: ChannelPlan { board: B0, channel },
        used_for,
        name: Text::name("signal"),
        least: 1,
        most: 1_000,
    }
}

fn setup() -> Setup {
    let jet = |bin| JetSetup {
        bin: BinId(bin),
        board: B0,
        valve: ValveId(bin),
        has_eye: true,
    };
    Setup {
        boards: vec!["A".to_owned()],
        bins: vec![Text::name("1"), Text::name("2")],
        lanes: vec![vec![jet(0), jet(1)]],
        signals: vec![
            signal(8, Use::SafetyChain),
            signal(9, Use::AirPressure),
            signal(10, Use::LampCurrent),
        ],
        has_feeder: true,
        has_belt: true,
        design_pearls_s: Some(10),
        least_lead_us: 60_000,
        least_speed_um_s: 300_000,
    }
}

/// The core's states, as `line` has them, without pearls' stories.
struct Line {
    operate: Operate,
    at: HostUs,
    state: LineState,
    cause: Option<HoldCause>,
    stopping: bool,
    feeding: bool,
    belt: bool,
    board_up: bool,
    good: [bool; 3],
    in_flight: u64,
    entered: u64,
    acts: Vec<Act>,
    /// The command ring takes nothing.
    full: bool,
    /// Pearls come while the feeder runs.
    fed: bool,
    pulsed: Vec<State>,
}

impl Line {
    fn new() -> Self {
        let at = HostUs(0);
        let mut line = Self {
            operate: Operate::new(setup(), at),
            at,
            state: LineState::NotReady,
            cause: None,
            stopping: false,
            feeding: true,
            belt: false,
            board_up: true,
            good: [true; 3],
            in_flight: 0,
            entered: 0,
            acts: Vec::new(),
            full: false,
            fed: true,
            pulsed: Vec::new(),
        };
        line.steps(5);
        line
    }

    fn running() -> Self {
        let mut line = Self::new();
        line.ask(Command::Reset).unwrap();
        line.steps(5);
        line.ask(Command::Start).unwrap();
        line.steps(20);
        assert_eq!(line.operate.state(), State::Execute);
        line
    }

    fn ask(&mut self, command: Command) -> Result<(), Refusal> {
        self.request(Request::Command(command))
    }

    fn request(&mut self, request: Request) -> Result<(), Refusal> {
        self.operate.request(self.at, &request, "Li")
    }

    fn tell(&mut self, notice: Notice) {
        self.operate.notice(self.at, &notice);
    }

    fn hold(&mut self, cause: HoldCause) {
        let active = matches!(self.state, LineState::Running | LineState::Starting);
        let held = matches!(self.state, LineState::Holding | LineState::Held);
        if !active && !held {
            return;
        }
        if self
            .cause
            .is_none_or(|known| known == HoldCause::Command && cause != known)
        {
            self.cause = Some(cause);
            self.tell(Notice::Held(cause));
        }
        if active {
            self.state = LineState::Holding;
        }
    }

    fn obstacle(&self) -> Option<HoldCause> {
        let bad = (8..).zip(self.good).find(|(_, good)| !good);
        let fault = self.cause.filter(|cause| *cause != HoldCause::Command);
        fault
            .or((!self.board_up).then_some(HoldCause::Link(B0)))
            .or(bad.map(|(channel, _)| HoldCause::Signal(B0, channel)))
    }

    fn act(&mut self, act: Act) {
        self.acts.push(act);
        match act {
            Act::Start => {
                if matches!(self.state, LineState::Running | LineState::Starting) {
                    return;
                }
                match self.obstacle() {
                    Some(cause) => self.tell(Notice::StartRefused(cause)),
                    None => {
                        (self.state, self.cause, self.belt) = (LineState::Starting, None, true);
                        self.stopping = false;
                    }
                }
            }
            Act::Hold => self.hold(HoldCause::Command),
            Act::Stop => {
                if self.state != LineState::Stopped {
                    self.hold(HoldCause::Command);
                    self.stopping = true;
                    if self.state != LineState::Holding {
                        (self.state, self.belt, self.stopping) = (LineState::Stopped, false, false);
                    }
                }
            }
            Act::Acknowledge => {
                self.cause = None;
                if self.state == LineState::Held {
                    self.state = LineState::Ready;
                }
            }
            Act::Feed { on } => self.feeding = on,
            Act::Belt { on } => self.belt = on,
            Act::Pulse { .. } => self.pulsed.push(self.operate.state()),
            Act::Inhibit { .. } | Act::Release { .. } | Act::Lot { .. } => {}
        }
    }

    fn core(&mut self) {
        match self.state {
            LineState::NotReady if self.board_up => self.state = LineState::Ready,
            LineState::Ready if !self.board_up => self.state = LineState::NotReady,
            LineState::Starting => self.state = LineState::Running,
            LineState::Holding if self.in_flight == 0 => {
                self.state = match (self.stopping, self.cause) {
                    (true, _) => LineState::Stopped,
                    (false, None) => LineState::Ready,
                    (false, Some(_)) => LineState::Held,
                };
                if self.stopping {
                    (self.belt, self.stopping) = (false, false);
                }
            }
            LineState::Running if self.feeding && self.fed => {
                self.in_flight = (self.in_flight + 1).min(5);
                self.entered += 1;
            }
            _ => {}
        }
        if self.belt && (self.state != LineState::Running || !self.feeding || !self.fed) {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
    }

    fn step(&mut self) {
        self.at = self.at.plus(STEP_US);
        self.core();
        let mut taken = Vec::new();
        let mut room = if self.full { 0 } else { 3 };
        self.operate.give(|act| {
            let takes = room > 0;
            room -= i32::from(takes);
            taken.extend(takes.then_some(act));
            takes
        });
        for act in taken {
            self.act(act);
        }
        let glance = self.glance();
        self.operate.look(self.at, glance);
        self.check();
    }

    fn glance(&self) -> Glance {
        let bits = |good: [bool; 3]| (0..).zip(good).map(|(n, good)| u64::from(good) << n).sum();
        Glance {
            line: self.state,
            in_flight: self.in_flight,
            entered: self.entered,
            takes_pearls: self.state == LineState::Running && self.feeding,
            boards_up: u64::from(self.board_up),
            signals_known: 7,
            signals_good: bits(self.good),
            speed_um_s: if self.belt { 1_000_000 } else { 0 },
        }
    }

    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.step();
        }
    }

    fn open(&mut self, n: usize, good: bool) {
        self.good[n] = good;
        if !good {
            self.hold(HoldCause::Signal(B0, 8 + u8::try_from(n).unwrap()));
        }
    }

    /// What must hold after every step.
    fn check(&self) {
        let state = self.operate.state();
        assert_ne!(state, State::Undefined);
        if !self.good[0] {
            assert!(
                matches!(state, State::Aborting | State::Aborted),
                "{state:?} with an open safety chain"
            );
        }
        if state == State::Execute {
            assert_eq!(self.state, LineState::Running, "Execute, and the core does not sort");
        }
    }
}

#[test]
fn a_shift_from_reset_to_complete_with_belt_and_feeder_in_their_order() {
    let mut line = Line::running();
    assert_eq!(line.acts, [Act::Acknowledge, Act::Feed { on: true }, Act::Start]);
    line.steps(50);
    line.acts.clear();
    line.ask(Command::Complete).unwrap();
    line.steps(5);
    assert_eq!(line.operate.state(), State::Completing);
    assert!(
        line.belt && !line.feeding && line.state == LineState::Running,
        "the belt's pearls are still sorted"
    );
    line.steps(100);
    assert_eq!(line.operate.state(), State::Complete);
    assert_eq!(line.acts, [Act::Feed { on: false }, Act::Stop]);
    assert!(!line.belt && line.in_flight == 0);
    line.ask(Command::Reset).unwrap();
    line.steps(5);
    assert_eq!(line.operate.state(), State::Idle);
}

#[test]
fn an_open_safety_chain_aborts_and_closing_it_sets_nothing_going() {
    let mut line = Line::running();
    line.open(0, false);
    line.steps(2);
    assert_eq!(line.operate.state(), State::Aborted);
    assert!(!line.belt);
    let id = AlarmId::new(Kind::SafetyOpen, Place::Channel(B0, 8));
    assert!(line.operate.alarm(id).is_some_and(|alarm| alarm.is_first_out));
    assert_eq!(line.ask(Command::Clear), Err(Refusal::Signal(B0, 8)));
    line.open(0, true);
    line.steps(100);
    assert!(!line.belt && line.operate.state() == State::Aborted && line.in_flight > 0);
    line.ask(Command::Clear).unwrap();
    line.steps(20);
    assert_eq!(
        (line.operate.state(), line.in_flight, line.belt),
        (State::Stopped, 0, false)
    );
    line.ask(Command::Reset).unwrap();
    line.steps(5);
    line.ask(Command::Start).unwrap();
    line.steps(20);
    assert_eq!(line.operate.state(), State::Execute);
    assert_eq!(line.operate.reason(), None);
}

#[test]
fn low_air_or_a_dead_lamp_holds_and_unhold_is_refused_while_it_lasts() {
    for (n, kind) in [(1, Kind::AirLow), (2, Kind::LampDead)] {
        let mut line = Line::running();
        line.open(n, false);
        line.steps(20);
        let channel = 8 + u8::try_from(n).unwrap();
        assert_eq!(line.operate.state(), State::Held);
        let reason = line.operate.reason().map(|reason| reason.why);
        assert_eq!(reason, Some(Why::Hold(HoldCause::Signal(B0, channel))));
        let id = AlarmId::new(kind, Place::Channel(B0, channel));
        assert!(
            line.operate
                .alarm(id)
                .is_some_and(|alarm| alarm.is_active && alarm.is_first_out)
        );
        assert_eq!(line.ask(Command::Unhold), Err(Refusal::Signal(B0, channel)));
        line.open(n, true);
        line.step();
        line.ask(Command::Unhold).unwrap();
        line.steps(20);
        assert_eq!(line.operate.state(), State::Execute);
    }
}

#[test]
fn without_pearls_the_line_suspends_until_it_is_told() {
    let mut line = Line::running();
    line.fed = false;
    line.steps(1_700);
    assert_eq!(line.operate.state(), State::Suspended);
    assert_eq!(line.operate.reason().map(|reason| reason.why), Some(Why::Starved));
    assert!(line.operate.alarm(AlarmId::line(Kind::Starved)).is_some());
    assert!(line.state == LineState::Running && !line.feeding);
    line.fed = true;
    line.ask(Command::Unsuspend).unwrap();
    line.steps(20);
    assert_eq!(line.operate.state(), State::Execute);
}

#[test]
fn what_is_not_known_is_not_good() {
    let mut line = Line::new();
    let unknown = Glance {
        signals_known: 0,
        ..line.glance()
    };
    line.operate.look(line.at, unknown);
    assert_eq!(line.ask(Command::Reset), Err(Refusal::SignalUnknown(B0, 8)));
    assert_eq!(line.operate.signal(0), (None, None));
    assert_eq!(line.operate.bins()[0].fill_per_mille(), None);
    assert_eq!(line.operate.factors().oee, None);
    assert_eq!(line.operate.health().lead_p1_us(), None);
}

#[test]
fn modes_allow_what_they_are_for() {
    let mut line = Line::new();
    let pulse = || Request::Pulse {
        board: B0,
        valve: ValveId(1),
        us: 5_000,
    };
    assert!(matches!(line.request(pulse()), Err(Refusal::Mode { .. })));
    line.request(Request::Mode(Mode::ValveTest)).unwrap();
    line.request(pulse()).unwrap();
    line.ask(Command::Reset).unwrap();
    line.steps(5);
    assert_eq!(line.pulsed.len(), 1);
    assert!(matches!(line.ask(Command::Start), Err(Refusal::Mode { .. })));
    line.request(Request::Mode(Mode::DryCycle)).unwrap();
    line.ask(Command::Start).unwrap();
    line.steps(100);
    assert_eq!(line.operate.state(), State::Execute);
    assert!(line.belt && !line.feeding && line.entered == 0);
    let change = line.request(Request::Mode(Mode::Production));
    assert_eq!(change, Err(Refusal::ModeChange { state: State::Execute }));
}

#[test]
fn a_bin_that_is_full_missing_or_just_changed_gets_nothing() {
    let mut line = Line::running();
    let bin = BinId(1);
    line.request(Request::BinCapacity(bin, Some(2))).unwrap();
    line.acts.clear();
    for _ in 0..2 {
        line.operate.record(&record(bin, Landing::Seen));
    }
    line.steps(60);
    let inhibit = |on| Act::Inhibit { bin, on };
    assert_eq!(line.acts, [inhibit(true)]);
    assert!(
        line.operate
            .alarm(AlarmId::new(Kind::BinFull, Place::Bin(bin)))
            .is_some()
    );
    line.request(Request::BinChanged(bin)).unwrap();
    line.steps(10);
    assert_eq!(line.acts, [inhibit(true)], "hands are still near");
    line.steps(200);
    assert_eq!(line.acts, [inhibit(true), inhibit(false)]);
    line.operate.bin_is_there(line.at, bin, false);
    line.steps(60);
    assert_eq!(line.acts.last(), Some(&inhibit(true)));
    assert_eq!(line.request(Request::BinChanged(bin)), Err(Refusal::BinMissing(bin)));
}

#[test]
fn figures_become_alarms_before_anything_fails_and_go_again() {
    let mut line = Line::running();
    let id = AlarmId::new(Kind::RepeatRate, Place::Board(B0));
    let mut link = LinkFigures::default();
    for second in 0..60 {
        link.frames_sent += 1_000;
        link.repeats += if second < 30 { 50 } else { 0 };
        let mut seen = Observation {
            links: vec![link],
            ..Observation::default()
        };
        seen.set(Fault::RecordsDropped, u64::from(second > 5));
        line.operate.observe(line.at, &seen);
        line.steps(50);
        if second == 20 {
            assert!(
                line.operate
                    .alarm(id)
                    .is_some_and(|alarm| alarm.state() == AlarmState::Unacknowledged)
            );
        }
    }
    assert!(
        line.operate
            .alarm(id)
            .is_some_and(|alarm| alarm.state() == AlarmState::ReturnedUnacknowledged)
    );
    let dropped = line
        .operate
        .alarm_history(0)
        .filter(|entry| entry.id.kind == Kind::RecordsDropped);
    assert_eq!(
        dropped.map(|entry| entry.change).collect::<Vec<_>>(),
        [Change::Raised, Change::Returned]
    );
}

#[test]
fn a_valve_whose_pearls_are_seen_less_often_is_told_before_it_holds_the_line() {
    let mut line = Line::running();
    for n in 0..400 {
        let landing = if n > 200 && n % 12 == 0 {
            Landing::Tray
        } else {
            Landing::Seen
        };
        line.operate.record(&record(BinId(0), landing));
    }
    line.tell(Notice::Drift(B0, ValveId(1), 2_500));
    line.steps(200);
    let alarm = |kind, valve| AlarmId::new(kind, Place::Valve(B0, ValveId(valve)));
    assert!(line.operate.alarm(alarm(Kind::ValveConfirm, 0)).is_some());
    assert!(line.operate.alarm(alarm(Kind::ValveConfirm, 1)).is_none());
    assert!(line.operate.alarm(alarm(Kind::ValveDrift, 1)).is_some());
    assert_eq!(line.operate.state(), State::Execute);
}

#[test]
fn oee_is_its_three_factors() {
    let mut line = Line::running();
    line.steps(500);
    for n in 0..100 {
        let landing = if n % 10 == 0 { Landing::Lost } else { Landing::Seen };
        line.operate.record(&record(BinId(0), landing));
    }
    line.open(1, false);
    line.steps(500);
    let of = line.operate.factors();
    let availability = of.availability.unwrap();
    assert!((0.45..0.55).contains(&availability), "{of:?}");
    assert_eq!(of.quality, Some(0.9));
    let product = availability * of.performance.unwrap() * 0.9;
    assert!((of.oee.unwrap() - product).abs() < 1e-12);
    assert!(line.operate.oee().time_us(State::Held) > 9_000_000);
}

fn record(bin: BinId, landing: Landing) -> Record {
    Record {
        pearl: PearlId(1),
        lane: LaneId(0),
        seq: TriggerSeq(1),
        triggered: HostUs(0),
        centre: Tick(0),
        length: Micrometres(8_000),
        view: None,
        mass: None,
        earned: Some(bin),
        sent: Destination::Bin(bin),
        landing,
        decision_us: Some(30),
        lead_us: Some(100_000),
        recipe: 1,
        lot: 0,
    }
}

#[derive(Clone, Copy, Debug)]
enum Do {
    Ask(Command),
    Mode(Mode),
    Purge,
    Belt(bool),
    Pulse,
    Signal(usize, bool),
    Board(bool),
    Fault(HoldCause),
    Full(bool),
    Fed(bool),
    Acknowledge(usize),
    Steps(usize),
}

fn anything() -> impl Strategy<Value = Do> {
    let command = prop::sample::select(Command::ALL.to_vec());
    let mode = prop::sample::select(Mode::ALL.to_vec());
    let fault = prop::sample::select(vec![
        HoldCause::Late,
        HoldCause::Alignment(B0),
        HoldCause::Watchdog(B0),
        HoldCause::ValveShut(B0, ValveId(0)),
        HoldCause::Dropped(B0),
    ]);
    prop_oneof![
        20 => command.prop_map(Do::Ask),
        2 => mode.prop_map(Do::Mode),
        2 => Just(Do::Purge),
        2 => any::<bool>().prop_map(Do::Belt),
        2 => Just(Do::Pulse),
        2 => (0..3_usize, prop::bool::weighted(0.7)).prop_map(|(n, good)| Do::Signal(n, good)),
        1 => prop::bool::weighted(0.8).prop_map(Do::Board),
        2 => fault.prop_map(Do::Fault),
        1 => prop::bool::weighted(0.2).prop_map(Do::Full),
        1 => any::<bool>().prop_map(Do::Fed),
        2 => (0..4_usize).prop_map(Do::Acknowledge),
        12 => (1..120_usize).prop_map(Do::Steps),
    ]
}

fn carry_out(line: &mut Line, what: Do) {
    let before = line.operate.state();
    match what {
        Do::Ask(command) => {
            let done = line.ask(command);
            assert!(done.is_err() || before.on(command) == Some(line.operate.state()));
        }
        Do::Mode(mode) => assert!(line.request(Request::Mode(mode)).is_err() || Mode::may_change_in(before)),
        Do::Purge => drop(line.request(Request::Purge)),
        Do::Belt(on) => drop(line.request(Request::Belt { on })),
        Do::Pulse => drop(line.request(Request::Pulse {
            board: B0,
            valve: ValveId(0),
            us: 1_000,
        })),
        Do::Signal(n, good) => {
            line.open(n, good);
            line.step();
        }
        Do::Board(up) => {
            line.board_up = up;
            if up {
                line.tell(Notice::BoardUp(B0));
            } else {
                line.tell(Notice::BoardDown(B0, line::DownCause::Port));
                line.hold(HoldCause::Link(B0));
            }
        }
        Do::Fault(cause) => line.hold(cause),
        Do::Full(full) => line.full = full,
        Do::Fed(fed) => line.fed = fed,
        Do::Acknowledge(n) => {
            let id = line.operate.alarms().list().get(n).map(|alarm| alarm.id);
            if let Some(id) = id {
                let _refused = line.request(Request::Acknowledge(id));
            }
        }
        Do::Steps(count) => line.steps(count),
    }
}

/// Every alarm that came is in the list until it has returned and somebody has seen it.
fn no_alarm_is_lost(operate: &Operate) {
    let mut open = std::collections::BTreeMap::new();
    let mut number = 0;
    for entry in operate.alarm_history(0) {
        assert_eq!(entry.number, number + 1, "the history has a gap");
        number = entry.number;
        let (active, unseen) = open.entry(entry.id).or_insert((false, false));
        match entry.change {
            Change::Raised | Change::RaisedAgain => (*active, *unseen) = (true, true),
            Change::Returned => *active = false,
            Change::Acknowledged => *unseen = false,
            _ => {}
        }
    }
    for (id, (active, unseen)) in open {
        let listed = operate.alarm(id);
        assert_eq!(listed.is_some(), active || unseen, "{id}");
        assert_eq!(listed.is_some_and(|alarm| alarm.is_active), active, "{id}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// No order of commands, signals, faults and full rings makes an illegal state (every way into a state is asserted),
    /// `Execute` with an open safety chain, a pulse beside a moving line, or a lost alarm; and whatever has happened, the
    /// line can be brought to sort again.
    #[test]
    fn no_order_of_events_leads_astray(what in prop::collection::vec(anything(), 1..120)) {
        let mut line = Line::new();
        for what in what {
            carry_out(&mut line, what);
            no_alarm_is_lost(&line.operate);
        }
        let rests = |state: &State| matches!(state, State::Stopped | State::Idle | State::Complete | State::Resetting);
        prop_assert!(line.pulsed.iter().all(rests), "{:?}", line.pulsed);
        recover(&mut line);
        prop_assert_eq!(line.operate.state(), State::Execute);
    }
}

/// What an operator does who wants to sort.
fn recover(line: &mut Line) {
    line.full = false;
    line.fed = true;
    line.good = [true; 3];
    line.board_up = true;
    for _ in 0..20 {
        line.steps(200);
        let _refused = match line.operate.state() {
            State::Execute if line.operate.mode() == Mode::Production => return,
            State::Aborted => line.ask(Command::Clear),
            State::Stopped if line.operate.mode() != Mode::Production => line.request(Request::Mode(Mode::Production)),
            State::Stopped | State::Complete => line.ask(Command::Reset),
            State::Idle if line.operate.mode() != Mode::Production => line.request(Request::Mode(Mode::Production)),
            State::Idle => line.ask(Command::Start),
            State::Held if line.operate.mode() == Mode::Production => line.ask(Command::Unhold),
            State::Suspended if line.operate.mode() == Mode::Production => line.ask(Command::Unsuspend),
            _ => line.ask(Command::Stop),
        };
    }
}

#[test]
fn pearls_that_are_recirculated_count_by_their_cause() {
    let mut line = Line::running();
    let mut lost = record(BinId(0), Landing::Seen);
    lost.sent = Destination::Tray(Cause::Touching);
    line.operate.record(&lost);
    assert_eq!(line.operate.health().recirculated(Cause::Touching), 1);
    assert_eq!(line.operate.health().lanes()[0].recirculated, 1);
}
