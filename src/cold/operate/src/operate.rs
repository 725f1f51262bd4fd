//! The whole of it: wishes, news, records and figures in; commands for the core, states and alarms out.
//!
//! Cold, any thread; no clock but what the caller hands in.

use line::{Command as Act, HoldCause, LineState, Notice, Record};
use units::{BinId, BoardId, HostUs, LaneId, ValveId};

use crate::acts::Acts;
use crate::alarm::{Alarm, AlarmId, Alarms, Entry, Kind, Place, Value, of_hold, of_use};
use crate::bins::{Bin, Bins};
use crate::health::Health;
use crate::limits::{PULSE_US, RATES_US, SIGNALS};
use crate::machine::{Machine, See, StopReason};
use crate::oee::{Factors, Oee};
use crate::refusal::Refusal;
use crate::setup::Setup;
use crate::state::{Command, Deed, Mode, State};
use crate::watch::{self, Observation, Watch};

/// What the hot thread publishes some times a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// What the core is doing.
    pub line: LineState,
    /// Pearls whose story is not complete.
    pub in_flight: u64,
    /// Pearls that came in.
    pub entered: u64,
    /// Whether pearls that come now are sorted.
    pub takes_pearls: bool,
    /// Boards that are up, a bit each.
    pub boards_up: u64,
    /// Watched signals that have been told, a bit each in the plan's order.
    pub signals_known: u64,
    /// Of them those that are good.
    pub signals_good: u64,
    /// The belt's speed, um/s.
    pub speed_um_s: i64,
}

/// What an operator wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A command after PackML.
    Command(Command),
    /// The feeder stops, the belt's pearls are sorted, then the line is suspended.
    EmptyOut,
    /// Everything on the belt goes to the tray.
    Purge,
    /// Another mode.
    Mode(Mode),
    /// Keep pearls out of a bin, or let them in again.
    Inhibit {
        /// The bin.
        bin: BinId,
        /// `true` keeps them out.
        on: bool,
    },
    /// An empty bin stands there now.
    BinChanged(BinId),
    /// So many pearls fill a bin; `None`: not known.
    BinCapacity(BinId, Option<u64>),
    /// The quarantined pearls were taken out.
    EndQuarantine(BinId),
    /// Test pulse of a valve.
    Pulse {
        /// Its board.
        board: BoardId,
        /// The valve.
        valve: ValveId,
        /// Length, us.
        us: u16,
    },
    /// The belt by hand.
    Belt {
        /// `true` runs it.
        on: bool,
    },
    /// Pearls that come from now on belong to this lot.
    Lot(u32),
    /// Somebody has seen an alarm.
    Acknowledge(AlarmId),
    /// Put an alarm aside for a time.
    Shelve {
        /// The alarm.
        id: AlarmId,
        /// How long, us.
        for_us: i64,
        /// Why.
        reason: String,
    },
    /// Take it down again.
    Unshelve(AlarmId),
    /// Take an alarm out of service, or put it back.
    OutOfService {
        /// The alarm.
        id: AlarmId,
        /// `true` takes it out.
        out: bool,
    },
}

/// What a link tells of a board, beside the core's news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkTrouble {
    /// The port is gone.
    Port,
    /// Nothing came for too long.
    Silence,
    /// Its watchdog closed everything.
    Watchdog,
    /// It is not what the line needs.
    Refused,
}

impl LinkTrouble {
    /// The alarm that says it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Port | Self::Silence => Kind::BoardDown,
            Self::Watchdog => Kind::Watchdog,
            Self::Refused => Kind::BoardRefused,
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Operate {
    setup: Setup,
    machine: Machine,
    alarms: Alarms,
    bins: Bins,
    oee: Oee,
    health: Health,
    watch: Watch,
    acts: Acts,
    glance: Glance,
    values: Vec<Option<u16>>,
    belt_offsets_um: Vec<Option<i32>>,
    next_rates: HostUs,
    hot_ended: bool,
}

impl Operate {
    /// A line that is stopped, and of which nothing is known yet.
    #[must_use]
    pub fn new(setup: Setup, at: HostUs) -> Self {
        Self {
            machine: Machine::new(at),
            alarms: Alarms::new(),
            bins: Bins::new(setup.bins.len()),
            oee: Oee::new(at),
            health: Health::new(&setup),
            watch: Watch::default(),
            acts: Acts::default(),
            glance: Glance {
                line: LineState::NotReady,
                in_flight: 0,
                entered: 0,
                takes_pearls: false,
                boards_up: 0,
                signals_known: 0,
                signals_good: 0,
                speed_um_s: 0,
            },
            values: vec![None; setup.signals.len()],
            belt_offsets_um: vec![None; setup.boards.len()],
            next_rates: at,
            hot_ended: false,
            setup,
        }
    }

    /// What an operator wishes; `by` is their name.
    ///
    /// # Errors
    /// Why it is not done.
    pub fn request(&mut self, at: HostUs, request: &Request, by: &str) -> Result<(), Refusal> {
        if self.hot_ended && !is_about_alarms(request) {
            return Err(Refusal::Busy);
        }
        match request {
            Request::Command(command) => self.command(at, *command),
            Request::EmptyOut => self.command(at, Command::Suspend),
            Request::Purge => {
                let see = self.see();
                self.machine.purge(at, &see, &mut self.acts)
            }
            Request::Mode(mode) => self.machine.change_mode(*mode, &mut self.acts),
            Request::Belt { on } => {
                let see = self.see();
                self.machine.drive(at, *on, &see, &mut self.acts)
            }
            Request::Pulse { board, valve, us } => self.pulse(*board, *valve, *us),
            Request::Lot(lot) => {
                self.machine.allows(Deed::Lot)?;
                self.act(Act::Lot { lot: *lot })
            }
            Request::Inhibit { .. } | Request::BinChanged(_) | Request::BinCapacity(..) | Request::EndQuarantine(_) => {
                self.bin_request(at, request)
            }
            Request::Acknowledge(id) => self.alarms.acknowledge(at, *id, by),
            Request::Shelve { id, for_us, reason } => self.alarms.shelve(at, *id, *for_us, reason, by),
            Request::Unshelve(id) => self.alarms.unshelve(at, *id, by),
            Request::OutOfService { id, out } => self.alarms.set_out_of_service(at, *id, *out, by),
        }
    }

    fn command(&mut self, at: HostUs, command: Command) -> Result<(), Refusal> {
        let see = self.see();
        let done = self.machine.command(at, command, &see, &mut self.acts);
        self.note_reason();
        done
    }

    fn bin_request(&mut self, at: HostUs, request: &Request) -> Result<(), Refusal> {
        let (Request::Inhibit { bin, .. }
        | Request::BinChanged(bin)
        | Request::BinCapacity(bin, _)
        | Request::EndQuarantine(bin)) = request
        else {
            return Ok(());
        };
        let Some(of) = self.bins.get_mut(*bin) else {
            return Err(Refusal::UnknownBin(*bin));
        };
        match request {
            Request::Inhibit { on, .. } => of.inhibit(*on),
            Request::BinChanged(_) if of.is_there == Some(false) => return Err(Refusal::BinMissing(*bin)),
            Request::BinChanged(_) => of.change(at),
            Request::BinCapacity(_, capacity) => of.capacity = *capacity,
            _ if !of.is_quarantined => return Err(Refusal::NotQuarantined(*bin)),
            _ => return self.act(Act::Release { bin: *bin }),
        }
        self.bins.pass(at, &mut self.acts);
        Ok(())
    }

    fn pulse(&mut self, board: BoardId, valve: ValveId, us: u16) -> Result<(), Refusal> {
        self.machine.allows(Deed::Pulse)?;
        if !self.setup.has_valve(board, valve) {
            return Err(Refusal::UnknownValve(board, valve));
        }
        if us == 0 || us > PULSE_US {
            return Err(Refusal::PulseLength);
        }
        if !self.is_up(board) {
            return Err(Refusal::Board(board));
        }
        if self.glance.in_flight > 0 {
            return Err(Refusal::NotEmpty);
        }
        self.act(Act::Pulse { board, valve, us })
    }

    fn act(&mut self, act: Act) -> Result<(), Refusal> {
        if self.acts.push(act) {
            Ok(())
        } else {
            Err(Refusal::Busy)
        }
    }

    /// A bin's own signal, where a line has one: taken away, or there again.
    pub fn bin_is_there(&mut self, at: HostUs, bin: BinId, is_there: bool) {
        if let Some(of) = self.bins.get_mut(bin) {
            let before = of.is_there.replace(is_there);
            if before == Some(false) && is_there {
                of.change(at);
            }
            self.bins.pass(at, &mut self.acts);
        }
    }

    /// The core's news.
    pub fn notice(&mut self, at: HostUs, notice: &Notice) {
        match *notice {
            Notice::Held(cause) => {
                self.machine.hold_told(cause);
                self.strike_hold(at, cause);
                self.note_reason();
            }
            Notice::StartRefused(cause) => {
                self.machine.start_refused(cause);
                self.alarms.strike(at, AlarmId::line(Kind::StartRefused), None);
                self.strike_hold(at, cause);
            }
            Notice::Misaligned(board, um) => {
                if let Some(offset) = self.belt_offsets_um.get_mut(board.index()) {
                    *offset = Some(um);
                }
                let id = AlarmId::new(Kind::Misaligned, Place::Board(board));
                let off = Value {
                    value: f64::from(um),
                    unit: "um",
                };
                self.alarms.strike(at, id, Some(off));
            }
            Notice::Aligned => self.belt_offsets_um.fill(Some(0)),
            Notice::Quarantined { bin, pearls, .. } => {
                if let Some(of) = self.bins.get_mut(bin) {
                    of.is_quarantined = true;
                }
                let id = AlarmId::new(Kind::Quarantine, Place::Bin(bin));
                self.alarms.set(at, id, true, Some(Value::count(pearls.into())));
            }
            Notice::Released(bin) => {
                if let Some(of) = self.bins.get_mut(bin) {
                    of.is_quarantined = false;
                }
            }
            Notice::BoardUp(board) => self.board_up(at, board),
            Notice::BoardDown(board, _) => self.board_down(at, board),
            Notice::Channel(board, channel, value) => self.channel(at, board, channel, value),
            Notice::Drift(board, valve, us) => self.health.drift(board, valve, us),
            Notice::Zero(lane, lost) => self.of_cell(at, Kind::ZeroLost, lane, lost),
            Notice::Misfit(lane) => self.of_cell(at, Kind::WeighMisfit, lane, true),
            Notice::ModelRefused(lane, _) => self.of_cell(at, Kind::ModelRefused, lane, true),
            Notice::Model(lane) => {
                self.of_cell(at, Kind::WeighMisfit, lane, false);
                self.of_cell(at, Kind::ModelRefused, lane, false);
            }
            // Counted: the counts' alarms say it. The rest is for the journal.
            Notice::Intruder(_)
            | Notice::LeftOver(_)
            | Notice::Missing(..)
            | Notice::Gap(..)
            | Notice::Running
            | Notice::Stopped
            | Notice::Pulsed(..) => {}
        }
    }

    fn of_cell(&mut self, at: HostUs, kind: Kind, lane: LaneId, condition: bool) {
        self.alarms
            .set(at, AlarmId::new(kind, Place::Lane(lane)), condition, None);
    }

    /// A cause of a hold whose alarm nothing else keeps up is an event.
    fn strike_hold(&mut self, at: HostUs, cause: HoldCause) {
        let level = matches!(
            cause,
            HoldCause::Command | HoldCause::Link(_) | HoldCause::Quarantine(_) | HoldCause::Signal(..)
        );
        if let Some(id) = of_hold(cause, &self.setup).filter(|_| !level) {
            self.alarms.strike(at, id, None);
        }
    }

    fn board_up(&mut self, at: HostUs, board: BoardId) {
        let place = Place::Board(board);
        self.alarms.set(at, AlarmId::new(Kind::BoardDown, place), false, None);
        self.alarms
            .set(at, AlarmId::new(Kind::BoardRefused, place), false, None);
    }

    fn board_down(&mut self, at: HostUs, board: BoardId) {
        self.alarms
            .set(at, AlarmId::new(Kind::BoardDown, Place::Board(board)), true, None);
        for (signal, value) in self.setup.signals.iter().zip(&mut self.values) {
            if signal.at.board == board {
                *value = None;
            }
        }
    }

    fn channel(&mut self, at: HostUs, board: BoardId, channel: u8, value: u16) {
        let is_here = |signal: &crate::setup::SignalSetup| signal.at.board == board && signal.at.channel == channel;
        let Some(signal) = self.setup.signals.iter().position(is_here) else {
            return;
        };
        self.values[signal] = Some(value);
        self.watch.lamp(at, signal, value, &self.setup, &mut self.alarms);
    }

    /// What a link tells of a board.
    pub fn link(&mut self, at: HostUs, board: BoardId, trouble: LinkTrouble) {
        let id = AlarmId::new(trouble.kind(), Place::Board(board));
        match trouble {
            LinkTrouble::Port | LinkTrouble::Silence | LinkTrouble::Refused => self.alarms.set(at, id, true, None),
            LinkTrouble::Watchdog => self.alarms.strike(at, id, None),
        }
    }

    /// A saved recipe was checked.
    pub fn recipe_checked(&mut self, at: HostUs, is_faulty: bool) {
        self.alarms.set(at, AlarmId::line(Kind::RecipeFaulty), is_faulty, None);
    }

    /// The hot thread has ended without being asked.
    pub fn hot_ended(&mut self, at: HostUs) {
        if !self.hot_ended {
            self.hot_ended = true;
            self.alarms.set(at, AlarmId::line(Kind::HotEnded), true, None);
            let see = self.see();
            self.machine.hot_ended(at, &see, &mut self.acts);
            self.note_reason();
        }
    }

    /// A pearl's story is complete.
    pub fn record(&mut self, record: &Record) {
        self.oee.record(self.machine.mode(), record);
        self.health.record(record, &self.setup);
        if let (line::Destination::Bin(bin), line::Landing::Seen | line::Landing::NoEye) = (record.sent, record.landing)
        {
            self.bins.take(bin, record.mass.map(|mass| mass.mass));
        }
        if let line::Landing::Bin(bin) = record.landing {
            self.bins.take(bin, None);
        }
    }

    /// What the hot thread publishes, and the passing of time: call it some times a second.
    pub fn look(&mut self, at: HostUs, glance: Glance) {
        self.glance = glance;
        let see = self.see();
        if !self.hot_ended {
            self.machine.look(at, &see, &mut self.acts);
        }
        self.note_reason();
        let faulty = self.machine.reason().is_some_and(|reason| reason.why.is_fault());
        let (mode, state) = (self.machine.mode(), self.machine.state());
        self.oee.pass(at, mode, state, faulty, glance.entered);
        self.watch_levels(at);
        self.bins.pass(at, &mut self.acts);
        if at >= self.next_rates {
            self.next_rates = at.plus(RATES_US);
            watch::observe_health(at, &self.health, &self.setup, &mut self.alarms);
            watch::observe_bins(at, self.bins.list(), &mut self.alarms);
        }
        watch::observe_belt(at, glance.line, glance.speed_um_s, &self.setup, &mut self.alarms);
        self.suppress(at);
        self.alarms.pass(at);
    }

    /// What the program counts: call it once a second.
    pub fn observe(&mut self, at: HostUs, seen: &Observation) {
        self.watch.observe(at, seen, &mut self.alarms);
    }

    /// Levels that the hot thread publishes: they are never lost.
    fn watch_levels(&mut self, at: HostUs) {
        for (n, signal) in self.setup.signals.iter().enumerate().take(SIGNALS) {
            if let Some(good) = level(&self.glance, n) {
                let place = Place::Channel(signal.at.board, signal.at.channel);
                self.alarms
                    .set(at, AlarmId::new(of_use(signal.used_for), place), !good, None);
            }
        }
        let stuck = self.machine.is_stuck(at);
        self.alarms.set(at, AlarmId::line(Kind::NotEmptied), stuck, None);
        let starved = self.machine.state() == State::Suspended
            && self
                .machine
                .reason()
                .is_some_and(|reason| reason.why == crate::machine::Why::Starved);
        self.alarms.set(at, AlarmId::line(Kind::Starved), starved, None);
    }

    fn suppress(&mut self, at: HostUs) {
        let down: Vec<BoardId> = (0..self.setup.boards.len())
            .filter_map(|n| u8::try_from(n).ok().map(BoardId))
            .filter(|board| {
                self.alarms
                    .get(AlarmId::new(Kind::BoardDown, Place::Board(*board)))
                    .is_some_and(|a| a.is_active)
            })
            .collect();
        self.alarms
            .suppress(at, |id| down.iter().any(|board| crate::alarm::is_of_board(id, *board)));
    }

    /// The alarm of the reason is the first-out.
    fn note_reason(&mut self) {
        match self.machine.reason().and_then(|reason| reason.why.alarm(&self.setup)) {
            Some(id) => self.alarms.first_out(id),
            None if self.machine.state() == State::Execute => self.alarms.clear_first_out(),
            None => {}
        }
    }

    fn is_up(&self, board: BoardId) -> bool {
        self.glance.boards_up >> board.0.min(63) & 1 == 1
    }

    fn see(&self) -> See {
        let boards = (0..self.setup.boards.len()).filter_map(|n| u8::try_from(n).ok().map(BoardId));
        let signals = || self.setup.signals.iter().enumerate().take(SIGNALS);
        let at = |(_, signal): (usize, &crate::setup::SignalSetup)| (signal.at.board, signal.at.channel);
        let mut down = boards.filter(|board| !self.is_up(*board));
        See {
            line: self.glance.line,
            in_flight: self.glance.in_flight,
            takes_pearls: self.glance.takes_pearls,
            entered: self.glance.entered,
            board_down: down.next(),
            open: signals()
                .find(|(n, signal)| signal.used_for.aborts() && level(&self.glance, *n) == Some(false))
                .map(at),
            bad: signals().find(|(n, _)| level(&self.glance, *n) == Some(false)).map(at),
            unknown: signals().find(|(n, _)| level(&self.glance, *n).is_none()).map(at),
            has_belt: self.setup.has_belt,
        }
    }

    /// Hands the commands for the core to `take`, in their order, until it takes one no more.
    pub fn give(&mut self, take: impl FnMut(Act) -> bool) {
        self.acts.give(take);
    }

    /// What is known of the line.
    #[must_use]
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// State after PackML.
    #[must_use]
    pub const fn state(&self) -> State {
        self.machine.state()
    }

    /// Since when.
    #[must_use]
    pub const fn since(&self) -> HostUs {
        self.machine.since()
    }

    /// The mode.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.machine.mode()
    }

    /// Why the line does not sort: the first cause.
    #[must_use]
    pub const fn reason(&self) -> Option<StopReason> {
        self.machine.reason()
    }

    /// Commands that would be taken now.
    pub fn commands(&self) -> impl Iterator<Item = Command> {
        let see = self.see();
        let machine = self.machine.clone();
        self.state().commands().filter(move |command| {
            let mut acts = Acts::default();
            machine
                .clone()
                .command(machine.since(), *command, &see, &mut acts)
                .is_ok()
        })
    }

    /// Whether the state and the mode allow something; why not.
    ///
    /// # Errors
    /// Why not.
    pub fn allows(&self, deed: Deed) -> Result<(), Refusal> {
        self.machine.allows(deed)
    }

    /// What the hot thread published last.
    #[must_use]
    pub const fn glance(&self) -> &Glance {
        &self.glance
    }

    /// A watched signal: whether it is good and what it says; each `None` before it is known.
    #[must_use]
    pub fn signal(&self, n: usize) -> (Option<bool>, Option<u16>) {
        (level(&self.glance, n), self.values.get(n).copied().flatten())
    }

    /// A lamp's current against its first value; `None` where it is not watched or told.
    #[must_use]
    pub fn lamp(&self, signal: usize) -> Option<f64> {
        self.watch.lamp_share(signal, self.signal(signal).1)
    }

    /// How far a board was off the others about the belt, um, as last told.
    #[must_use]
    pub fn belt_offset_um(&self, board: BoardId) -> Option<i32> {
        self.belt_offsets_um.get(board.index()).copied().flatten()
    }

    /// The bins.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        self.bins.list()
    }

    /// Lanes, valves and leads.
    #[must_use]
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// How well the time is used.
    #[must_use]
    pub const fn oee(&self) -> &Oee {
        &self.oee
    }

    /// Its factors.
    #[must_use]
    pub fn factors(&self) -> Factors {
        self.oee.factors(self.setup.design_pearls_s)
    }

    /// The alarms.
    #[must_use]
    pub const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// One alarm that is not normal.
    #[must_use]
    pub fn alarm(&self, id: AlarmId) -> Option<&Alarm> {
        self.alarms.get(id)
    }

    /// Changes of alarms with a greater number than `after`.
    pub fn alarm_history(&self, after: u64) -> impl DoubleEndedIterator<Item = &Entry> {
        self.alarms.history(after)
    }
}

/// Whether a signal is good; `None` before it is told.
fn level(glance: &Glance, n: usize) -> Option<bool> {
    let bit = 1_u64.checked_shl(u32::try_from(n).ok()?)?;
    (glance.signals_known & bit != 0).then_some(glance.signals_good & bit != 0)
}

const fn is_about_alarms(request: &Request) -> bool {
    matches!(
        request,
        Request::Acknowledge(_) | Request::Shelve { .. } | Request::Unshelve(_) | Request::OutOfService { .. }
    )
}
