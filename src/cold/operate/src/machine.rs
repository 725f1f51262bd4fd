//! The machine's state after PackML: what commands and the line make of it, and what it asks of the core.
//!
//! Cold, any thread; the clock is what the caller hands in. The core keeps the line safe by itself: it holds for every
//! fault without being asked. This machine names what the line does, allows or refuses what operators wish, and gives the
//! core its commands in the right order:
//!
//! - start: feeder off at first, boards armed, belt on; the core switches the feeder on when the belt has its speed;
//! - stop and hold: feeder off, the belt runs empty (everything recirculates), belt off;
//! - suspend and complete: feeder off, the belt's pearls are sorted, then (complete) belt off;
//! - abort: feeder and belt off at once, so that closing the safety chain sets nothing going; clear: the belt runs empty.
//!
//! What was decided: a fault in `Execute` holds, a fault in a state that leads to or waits beside `Execute` stops; an open
//! safety chain or guard door aborts from every state. What the core does not do within its time is asked of it again.

use line::{Command as Act, HoldCause, LineState};
use units::{BoardId, HostUs};

use crate::acts::Acts;
use crate::alarm::{AlarmId, Kind, Place, of_hold};
use crate::limits::{DRIVE_US, EMPTY_US, INSIST_US, PURGE_US, RESET_US, RUN_OUT_US, START_US, STARVED_US};
use crate::refusal::Refusal;
use crate::setup::Setup;
use crate::state::{Command, Deed, Mode, State};
use crate::words::{self, Text};

/// Why the line does not sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// An operator's command.
    Command(Command),
    /// The core holds, or would not start.
    Hold(HoldCause),
    /// A signal that aborts.
    Signal(BoardId, u8),
    /// No pearls come.
    Starved,
    /// Something was not ready in time.
    NotReady,
    /// The core holds, and the news of its cause has not come.
    NotTold,
    /// The hot thread has died.
    HotEnded,
}

impl Why {
    /// The alarm that says it, if there is one.
    #[must_use]
    pub fn alarm(self, setup: &Setup) -> Option<AlarmId> {
        match self {
            Self::Command(_) | Self::NotTold => None,
            Self::Hold(cause) => of_hold(cause, setup),
            Self::Signal(board, channel) => of_hold(HoldCause::Signal(board, channel), setup),
            Self::Starved => Some(AlarmId::line(Kind::Starved)),
            Self::NotReady => Some(AlarmId::line(Kind::StartRefused)),
            Self::HotEnded => Some(AlarmId::line(Kind::HotEnded)),
        }
    }

    /// The reason in both languages.
    #[must_use]
    pub fn text(self, setup: &Setup) -> Text {
        let (name, place) = match self {
            Self::Command(_) => ("command", Place::Line),
            Self::Hold(cause) => return hold_text(cause, setup),
            Self::Signal(board, channel) => ("signal", Place::Channel(board, channel)),
            Self::Starved => ("starved", Place::Line),
            Self::NotReady => ("not_ready", Place::Line),
            Self::NotTold => ("not_told", Place::Line),
            Self::HotEnded => ("hot_ended", Place::Line),
        };
        words::reason(name)
            .to_text()
            .fill("place", &words::place_text(place, setup))
    }

    /// Whether it is a fault rather than somebody's wish.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        !matches!(self, Self::Command(_) | Self::Hold(HoldCause::Command) | Self::Starved)
    }
}

/// Why the core holds, in both languages.
#[must_use]
pub fn hold_text(cause: HoldCause, setup: &Setup) -> Text {
    let name = match cause {
        HoldCause::Command => "command",
        HoldCause::Link(_) => "link",
        HoldCause::Alignment(_) => "alignment",
        HoldCause::Late => "late",
        HoldCause::ValveOpen(..) => "valve_open",
        HoldCause::ValveShut(..) => "valve_shut",
        HoldCause::Quarantine(_) => "quarantine",
        HoldCause::Watchdog(_) => "watchdog",
        HoldCause::Dropped(_) => "dropped",
        HoldCause::Signal(..) => "signal",
        HoldCause::EyeBlind(..) => "eye_blind",
    };
    let place = of_hold(cause, setup).map_or(Place::Line, |id| id.place);
    words::reason(name)
        .to_text()
        .fill("place", &words::place_text(place, setup))
}

/// The first cause for which the line does not sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopReason {
    /// When it came.
    pub at: HostUs,
    /// What it is.
    pub why: Why,
}

/// What the machine sees of the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct See {
    pub(crate) line: LineState,
    pub(crate) in_flight: u64,
    pub(crate) takes_pearls: bool,
    pub(crate) entered: u64,
    /// A board that is not there.
    pub(crate) board_down: Option<BoardId>,
    /// A signal that aborts.
    pub(crate) open: Option<(BoardId, u8)>,
    /// A signal that is not good.
    pub(crate) bad: Option<(BoardId, u8)>,
    /// A signal that has not been told.
    pub(crate) unknown: Option<(BoardId, u8)>,
    pub(crate) has_belt: bool,
}

impl See {
    fn obstacle(&self) -> Option<Why> {
        let board = self.board_down.map(HoldCause::Link);
        let signal = || self.bad.map(|(board, channel)| HoldCause::Signal(board, channel));
        board.or_else(signal).map(Why::Hold)
    }

    /// What keeps the belt from being cleared: an abort takes the air too, which need not be back for that.
    fn refusal_to_clear(&self) -> Option<Refusal> {
        let open = self.open.map(|(board, channel)| Refusal::Signal(board, channel));
        let unknown = || {
            self.unknown
                .map(|(board, channel)| Refusal::SignalUnknown(board, channel))
        };
        open.or_else(|| self.board_down.map(Refusal::Board)).or_else(unknown)
    }

    /// What keeps the line from being set in motion.
    fn refusal(&self) -> Option<Refusal> {
        let board = self.board_down.map(Refusal::Board);
        let bad = || self.bad.map(|(board, channel)| Refusal::Signal(board, channel));
        let unknown = || {
            self.unknown
                .map(|(board, channel)| Refusal::SignalUnknown(board, channel))
        };
        board.or_else(bad).or_else(unknown)
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    state: State,
    since: HostUs,
    mode: Mode,
    reason: Option<StopReason>,
    /// Cause of the core's hold, as far as it has been told.
    held: Option<HoldCause>,
    /// Cause for which the core did not start.
    refused: Option<HoldCause>,
    insisted: HostUs,
    /// In `Completing`: the belt is empty and the core was told to stop.
    emptied: bool,
    /// Until when the belt runs by hand.
    drive_until: Option<HostUs>,
    /// Pearls that had come, and when the last one did.
    came: (u64, HostUs),
}

impl Machine {
    pub(crate) const fn new(at: HostUs) -> Self {
        Self {
            state: State::Stopped,
            since: at,
            mode: Mode::Production,
            reason: None,
            held: None,
            refused: None,
            insisted: at,
            emptied: false,
            drive_until: None,
            came: (0, at),
        }
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    pub(crate) const fn since(&self) -> HostUs {
        self.since
    }

    pub(crate) const fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) const fn reason(&self) -> Option<StopReason> {
        self.reason
    }

    /// Whether the belt should have run empty by now.
    pub(crate) fn is_stuck(&self, at: HostUs) -> bool {
        use State as S;
        let empties = matches!(
            self.state,
            S::Holding | S::Suspending | S::Completing | S::Stopping | S::Clearing
        );
        empties && at.since(self.since) > EMPTY_US
    }

    /// The core holds.
    pub(crate) fn hold_told(&mut self, cause: HoldCause) {
        self.held = Some(cause);
        if let Some(reason) = &mut self.reason
            && reason.why == Why::NotTold
        {
            reason.why = Why::Hold(cause);
        }
    }

    /// The core did not start.
    pub(crate) fn start_refused(&mut self, cause: HoldCause) {
        self.refused = Some(cause);
    }

    /// An operator's command.
    pub(crate) fn command(&mut self, at: HostUs, command: Command, see: &See, acts: &mut Acts) -> Result<(), Refusal> {
        let state = self.state;
        let Some(next) = state.on(command) else {
            return Err(Refusal::State { command, state });
        };
        let mode = self.mode;
        let runs = matches!(
            command,
            Command::Start | Command::Unhold | Command::Unsuspend | Command::Complete | Command::Suspend
        );
        if runs && !mode.allows(Deed::Run) {
            return Err(Refusal::Mode { deed: Deed::Run, mode });
        }
        let refusal = match command {
            Command::Clear => see.refusal_to_clear(),
            _ if command.moves() => see.refusal(),
            _ => None,
        };
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        if !command.moves() {
            self.give_reason(at, Why::Command(command));
        }
        self.enter(at, next, see, acts);
        Ok(())
    }

    /// Changes the mode.
    pub(crate) fn change_mode(&mut self, mode: Mode, acts: &mut Acts) -> Result<(), Refusal> {
        let state = self.state;
        if !Mode::may_change_in(state) {
            return Err(Refusal::ModeChange { state });
        }
        self.end_drive(acts);
        self.mode = mode;
        Ok(())
    }

    /// What the state and the mode allow beside commands.
    pub(crate) fn allows(&self, deed: Deed) -> Result<(), Refusal> {
        let (state, mode) = (self.state, self.mode);
        if !mode.allows(deed) {
            return Err(Refusal::Mode { deed, mode });
        }
        let at_rest = matches!(state, State::Stopped | State::Idle | State::Complete);
        match deed {
            Deed::Pulse | Deed::Drive if !at_rest => Err(Refusal::NotIn { deed, state }),
            _ => Ok(()),
        }
    }

    /// Runs the belt by hand, or stops it. It ends by itself.
    pub(crate) fn drive(&mut self, at: HostUs, on: bool, see: &See, acts: &mut Acts) -> Result<(), Refusal> {
        if !on {
            self.end_drive(acts);
            return Ok(());
        }
        self.allows(Deed::Drive)?;
        self.run_belt(at, DRIVE_US, see, acts)
    }

    /// Clears the belt while the line is at rest; nothing is sorted then, so everything is recirculated.
    pub(crate) fn purge(&mut self, at: HostUs, see: &See, acts: &mut Acts) -> Result<(), Refusal> {
        match self.state {
            State::Execute => self.command(at, Command::Hold, see, acts),
            // The belt runs until it is empty, and everything recirculates.
            State::Holding | State::Held => Ok(()),
            _ => {
                self.allows(Deed::Drive)?;
                self.run_belt(at, PURGE_US, see, acts)
            }
        }
    }

    fn run_belt(&mut self, at: HostUs, for_us: i64, see: &See, acts: &mut Acts) -> Result<(), Refusal> {
        if !see.has_belt {
            return Err(Refusal::NoBelt);
        }
        if let Some(refusal) = see.refusal() {
            return Err(refusal);
        }
        acts.push(Act::Belt { on: true });
        self.drive_until = Some(at.plus(for_us));
        Ok(())
    }

    fn end_drive(&mut self, acts: &mut Acts) {
        if self.drive_until.take().is_some() {
            acts.push(Act::Belt { on: false });
        }
    }

    /// The hot thread has died: nothing that is asked of the core will be done.
    pub(crate) fn hot_ended(&mut self, at: HostUs, see: &See, acts: &mut Acts) {
        self.give_reason(at, Why::HotEnded);
        if let Some(next) = self.state.on(Command::Abort) {
            self.enter(at, next, see, acts);
        }
        if self.state == State::Aborting {
            self.enter(at, State::Aborted, see, acts);
        }
    }

    /// What the line does, and the passing of time.
    pub(crate) fn look(&mut self, at: HostUs, see: &See, acts: &mut Acts) {
        if see.line == LineState::Running {
            self.held = None;
        }
        if see.entered != self.came.0 {
            self.came = (see.entered, at);
        }
        if let Some((board, channel)) = see.open
            && self.state.on(Command::Abort).is_some()
        {
            self.inner(at, Command::Abort, Why::Signal(board, channel), see, acts);
        }
        if self.drive_until.is_some_and(|until| until <= at) {
            self.end_drive(acts);
        }
        self.follow(at, see, acts);
        if at.since(self.insisted) >= INSIST_US {
            self.insisted = at;
            self.ask(true, see, acts);
        }
    }

    fn follow(&mut self, at: HostUs, see: &See, acts: &mut Acts) {
        let waited = at.since(self.since);
        let runs = see.line == LineState::Running;
        let is_empty = see.in_flight == 0 && waited >= RUN_OUT_US;
        match self.state {
            State::Starting | State::Unholding => self.follow_start(at, see, acts),
            State::Unsuspending if !runs => self.fault(at, see, acts),
            State::Unsuspending if see.takes_pearls == self.feeds() => self.enter(at, State::Execute, see, acts),
            State::Execute if !runs => self.fault(at, see, acts),
            State::Execute => self.follow_execute(at, see, acts),
            State::Suspending | State::Suspended if !runs => self.fault(at, see, acts),
            State::Suspending if is_empty => self.enter(at, State::Suspended, see, acts),
            State::Completing if self.emptied && see.line == LineState::Stopped => {
                self.enter(at, State::Complete, see, acts);
            }
            State::Completing if !self.emptied && !runs => self.fault(at, see, acts),
            State::Completing if !self.emptied && is_empty => {
                self.emptied = true;
                acts.push(Act::Stop);
            }
            State::Holding if !is_active(see.line) && see.line != LineState::Holding => {
                self.enter(at, State::Held, see, acts);
            }
            State::Stopping | State::Clearing if see.line == LineState::Stopped => {
                self.enter(at, State::Stopped, see, acts);
            }
            State::Aborting if !is_active(see.line) => self.enter(at, State::Aborted, see, acts),
            State::Resetting => self.follow_reset(at, see, acts),
            State::Idle => {
                if let Some(why) = see.obstacle() {
                    self.inner(at, Command::Stop, why, see, acts);
                }
            }
            _ => {}
        }
    }

    fn follow_start(&mut self, at: HostUs, see: &See, acts: &mut Acts) {
        if see.line == LineState::Running && see.takes_pearls == self.feeds() {
            self.enter(at, State::Execute, see, acts);
        } else if let Some(cause) = self.refused.take() {
            self.inner(at, Command::Stop, Why::Hold(cause), see, acts);
        } else if let Some(cause) = self.held.filter(|cause| *cause != HoldCause::Command)
            && see.line != LineState::Starting
        {
            self.inner(at, Command::Stop, Why::Hold(cause), see, acts);
        } else if at.since(self.since) > START_US {
            self.inner(at, Command::Stop, see.obstacle().unwrap_or(Why::NotReady), see, acts);
        }
    }

    fn follow_execute(&mut self, at: HostUs, see: &See, acts: &mut Acts) {
        let since = self.came.1.max(self.since);
        if self.feeds() && at.since(since) > STARVED_US {
            self.inner(at, Command::Suspend, Why::Starved, see, acts);
        }
    }

    fn follow_reset(&mut self, at: HostUs, see: &See, acts: &mut Acts) {
        let at_rest = matches!(see.line, LineState::Ready | LineState::Stopped);
        if at_rest && see.refusal().is_none() {
            self.enter(at, State::Idle, see, acts);
        } else if at.since(self.since) > RESET_US {
            self.inner(at, Command::Stop, see.obstacle().unwrap_or(Why::NotReady), see, acts);
        }
    }

    /// The core does not sort any more: in `Execute` that is a hold, elsewhere a stop.
    fn fault(&mut self, at: HostUs, see: &See, acts: &mut Acts) {
        let why = self.held.map_or(Why::NotTold, Why::Hold);
        let command = match self.state {
            State::Execute => Command::Hold,
            _ => Command::Stop,
        };
        self.inner(at, command, why, see, acts);
    }

    fn inner(&mut self, at: HostUs, command: Command, why: Why, see: &See, acts: &mut Acts) {
        if let Some(next) = self.state.on(command) {
            self.give_reason(at, why);
            self.enter(at, next, see, acts);
        }
    }

    /// The first reason stands.
    fn give_reason(&mut self, at: HostUs, why: Why) {
        let wish = self.reason.is_none_or(|reason| !reason.why.is_fault());
        if self.reason.is_none() || wish && why.is_fault() {
            self.reason = Some(StopReason { at, why });
        }
    }

    fn feeds(&self) -> bool {
        self.mode.allows(Deed::Feed)
    }

    /// Goes into a state.
    ///
    /// # Panics
    /// When the standard does not know that way: a fault in this module.
    fn enter(&mut self, at: HostUs, next: State, see: &See, acts: &mut Acts) {
        let is_known = self.state.done() == Some(next) || Command::ALL.iter().any(|c| self.state.on(*c) == Some(next));
        assert!(is_known, "no way leads from {:?} to {next:?}", self.state);
        let rests = matches!(next, State::Resetting | State::Idle | State::Stopped | State::Complete);
        if !rests {
            acts.drop_pulses();
        }
        if matches!(next, State::Starting) {
            self.drive_until = None;
        } else if !rests {
            self.end_drive(acts);
        }
        if matches!(next, State::Execute | State::Resetting) {
            self.reason = None;
        }
        self.state = next;
        self.since = at;
        self.insisted = at;
        self.emptied = false;
        self.refused = None;
        self.ask(false, see, acts);
    }

    /// What the state asks of the core; `again` when it has asked before.
    fn ask(&mut self, again: bool, see: &See, acts: &mut Acts) {
        let feed = |on| Act::Feed { on };
        match self.state {
            State::Resetting => {
                acts.push(Act::Acknowledge);
            }
            State::Starting => {
                acts.push(feed(self.feeds()));
                acts.push(Act::Start);
            }
            State::Unholding => {
                // A cause that has come since is not acknowledged by asking again.
                if !again {
                    acts.push(Act::Acknowledge);
                    self.held = None;
                }
                acts.push(feed(self.feeds()));
                acts.push(Act::Start);
            }
            State::Unsuspending => {
                acts.push(feed(self.feeds()));
            }
            State::Execute if again && see.takes_pearls != self.feeds() => {
                acts.push(feed(self.feeds()));
            }
            State::Completing if self.emptied => {
                acts.push(Act::Stop);
            }
            State::Suspending | State::Suspended | State::Completing if !again || see.takes_pearls => {
                acts.push(feed(false));
            }
            State::Holding if !again || is_active(see.line) => {
                acts.push(Act::Hold);
            }
            State::Stopping => {
                acts.drop_starts();
                acts.push(Act::Stop);
            }
            State::Aborting => {
                acts.drop_starts();
                acts.push(Act::Hold);
                acts.push(Act::Belt { on: false });
            }
            State::Clearing => {
                if see.in_flight > 0 && see.has_belt {
                    acts.push(Act::Belt { on: true });
                }
                acts.push(Act::Stop);
            }
            State::Stopped | State::Idle | State::Complete | State::Held | State::Aborted
                if is_active(see.line) && again =>
            {
                acts.push(Act::Hold);
            }
            _ => {}
        }
    }
}

const fn is_active(line: LineState) -> bool {
    matches!(line, LineState::Running | LineState::Starting)
}
