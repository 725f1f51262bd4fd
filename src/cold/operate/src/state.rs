//! PackML (ISA-TR88.00.02): states, commands and modes with their official numbers, and which command leads where.
//!
//! Cold, any thread. Words: an **acting** state ends by itself when its work is done, a **waiting** state by a command;
//! `Execute` is both.

/// A state, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Nothing is known: never, once the program runs.
    Undefined = 0,
    /// The belt is cleared after an abort.
    Clearing = 1,
    /// At rest.
    Stopped = 2,
    /// Belt, then boards, then feeder.
    Starting = 3,
    /// Ready for `Start`.
    Idle = 4,
    /// Waits for something outside: pearls.
    Suspended = 5,
    /// Sorts.
    Execute = 6,
    /// Feeder off, the belt runs empty, belt off.
    Stopping = 7,
    /// Everything off at once.
    Aborting = 8,
    /// Off, until `Clear`.
    Aborted = 9,
    /// Feeder off, everything recirculates.
    Holding = 10,
    /// Held for something inside: a fault, or a wish.
    Held = 11,
    /// Back to `Execute` after a hold.
    Unholding = 12,
    /// Feeder off, the belt's pearls are sorted.
    Suspending = 13,
    /// Back to `Execute` after a suspension.
    Unsuspending = 14,
    /// Causes are acknowledged, everything gets ready.
    Resetting = 15,
    /// Feeder off, the belt's pearls are sorted, belt off.
    Completing = 16,
    /// The work is done.
    Complete = 17,
}

impl State {
    /// Every state, by number.
    pub const ALL: [Self; 18] = [
        Self::Undefined,
        Self::Clearing,
        Self::Stopped,
        Self::Starting,
        Self::Idle,
        Self::Suspended,
        Self::Execute,
        Self::Stopping,
        Self::Aborting,
        Self::Aborted,
        Self::Holding,
        Self::Held,
        Self::Unholding,
        Self::Suspending,
        Self::Unsuspending,
        Self::Resetting,
        Self::Completing,
        Self::Complete,
    ];

    /// Its official number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its name in files and in the catalogue of words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 18] = [
            "undefined",
            "clearing",
            "stopped",
            "starting",
            "idle",
            "suspended",
            "execute",
            "stopping",
            "aborting",
            "aborted",
            "holding",
            "held",
            "unholding",
            "suspending",
            "unsuspending",
            "resetting",
            "completing",
            "complete",
        ];
        NAMES[self as usize]
    }

    /// The state that a command leads to, if it is possible here.
    #[must_use]
    pub const fn on(self, command: Command) -> Option<Self> {
        use State as S;
        match (command, self) {
            (_, S::Undefined) => None,
            (Command::Reset, S::Stopped | S::Complete) => Some(S::Resetting),
            (Command::Start, S::Idle) => Some(S::Starting),
            (Command::Stop, S::Stopping | S::Stopped | S::Aborting | S::Aborted | S::Clearing) => None,
            (Command::Stop, _) => Some(S::Stopping),
            (Command::Hold, S::Execute) => Some(S::Holding),
            (Command::Unhold, S::Held) => Some(S::Unholding),
            (Command::Suspend, S::Execute) => Some(S::Suspending),
            (Command::Unsuspend, S::Suspended) => Some(S::Unsuspending),
            (Command::Abort, S::Aborting | S::Aborted) => None,
            (Command::Abort, _) => Some(S::Aborting),
            (Command::Clear, S::Aborted) => Some(S::Clearing),
            (Command::Complete, S::Execute) => Some(S::Completing),
            _ => None,
        }
    }

    /// The state that an acting state ends in.
    #[must_use]
    pub const fn done(self) -> Option<Self> {
        use State as S;
        match self {
            S::Clearing | S::Stopping => Some(S::Stopped),
            S::Starting | S::Unholding | S::Unsuspending => Some(S::Execute),
            S::Aborting => Some(S::Aborted),
            S::Holding => Some(S::Held),
            S::Suspending => Some(S::Suspended),
            S::Resetting => Some(S::Idle),
            S::Completing => Some(S::Complete),
            _ => None,
        }
    }

    /// Commands that are possible here, as far as the state goes.
    pub fn commands(self) -> impl Iterator<Item = Command> {
        Command::ALL
            .into_iter()
            .filter(move |command| self.on(*command).is_some())
    }
}

/// A command, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Command {
    /// Make ready.
    Reset = 1,
    /// Sort.
    Start = 2,
    /// Come to rest.
    Stop = 3,
    /// Feeder off, everything recirculates, until `Unhold`.
    Hold = 4,
    /// Sort again.
    Unhold = 5,
    /// Feeder off, the belt's pearls are sorted, until `Unsuspend`.
    Suspend = 6,
    /// Sort again.
    Unsuspend = 7,
    /// Everything off at once.
    Abort = 8,
    /// Clear the belt after an abort.
    Clear = 9,
    /// The lot is done: sort what is on the belt, then rest.
    Complete = 10,
}

impl Command {
    /// Every command, by number.
    pub const ALL: [Self; 10] = [
        Self::Reset,
        Self::Start,
        Self::Stop,
        Self::Hold,
        Self::Unhold,
        Self::Suspend,
        Self::Unsuspend,
        Self::Abort,
        Self::Clear,
        Self::Complete,
    ];

    /// Its official number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its name in files and in the catalogue of words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Hold => "hold",
            Self::Unhold => "unhold",
            Self::Suspend => "suspend",
            Self::Unsuspend => "unsuspend",
            Self::Abort => "abort",
            Self::Clear => "clear",
            Self::Complete => "complete",
        }
    }

    /// Whether it sets something in motion, so that boards and signals are asked first.
    #[must_use]
    pub const fn moves(self) -> bool {
        matches!(
            self,
            Self::Reset | Self::Start | Self::Unhold | Self::Unsuspend | Self::Clear
        )
    }
}

/// What the line is used for. 1 to 3 are PackML's, the others ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Mode {
    /// Sorting; the only mode whose time and pearls count for the OEE.
    Production = 1,
    /// Work on the machine.
    Maintenance = 2,
    /// Parts by hand.
    Manual = 3,
    /// Commissioning with test pearls.
    Calibration = 4,
    /// Single pulses at standstill.
    ValveTest = 5,
    /// The belt runs without feeder; what comes is recirculated.
    DryCycle = 6,
}

/// What a mode may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Deed {
    /// The belt runs and the boards are armed: `Start`.
    Run,
    /// The feeder runs, and pearls are sorted.
    Feed,
    /// Lots are opened.
    Lot,
    /// Recipes take effect.
    Recipe,
    /// Test pulses.
    Pulse,
    /// The belt runs by hand, and purges.
    Drive,
    /// Calibrations.
    Calibrate,
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 7] = [
        Self::Run,
        Self::Feed,
        Self::Lot,
        Self::Recipe,
        Self::Pulse,
        Self::Drive,
        Self::Calibrate,
    ];

    /// Its name in the catalogue of words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Feed => "feed",
            Self::Lot => "lot",
            Self::Recipe => "recipe",
            Self::Pulse => "pulse",
            Self::Drive => "drive",
            Self::Calibrate => "calibrate",
        }
    }
}

impl Mode {
    /// Every mode, by number.
    pub const ALL: [Self; 6] = [
        Self::Production,
        Self::Maintenance,
        Self::Manual,
        Self::Calibration,
        Self::ValveTest,
        Self::DryCycle,
    ];

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its name in files and in the catalogue of words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Maintenance => "maintenance",
            Self::Manual => "manual",
            Self::Calibration => "calibration",
            Self::ValveTest => "valve_test",
            Self::DryCycle => "dry_cycle",
        }
    }

    /// Whether the mode allows something.
    #[must_use]
    pub const fn allows(self, deed: Deed) -> bool {
        use Deed as D;
        match self {
            Self::Production => matches!(deed, D::Run | D::Feed | D::Lot | D::Recipe | D::Drive),
            Self::Maintenance => matches!(deed, D::Pulse | D::Drive | D::Recipe),
            Self::Manual => matches!(deed, D::Pulse | D::Drive),
            Self::Calibration => matches!(deed, D::Run | D::Feed | D::Calibrate | D::Pulse | D::Drive | D::Recipe),
            Self::ValveTest => matches!(deed, D::Pulse),
            Self::DryCycle => matches!(deed, D::Run | D::Drive),
        }
    }

    /// Whether the mode may be changed in a state.
    #[must_use]
    pub const fn may_change_in(state: State) -> bool {
        matches!(state, State::Stopped | State::Idle | State::Aborted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_official_ones() {
        for (number, state) in (0..).zip(State::ALL) {
            assert_eq!(state.number(), number);
        }
        for (number, command) in (1..).zip(Command::ALL) {
            assert_eq!(command.number(), number);
        }
        for (number, mode) in (1..).zip(Mode::ALL) {
            assert_eq!(mode.number(), number);
        }
    }

    /// The matrix as the standard prints it: a row a state, a column a command, the number of the state that follows.
    #[test]
    fn every_pair_of_state_and_command_is_as_the_standard_has_it() {
        const TABLE: [[u8; 10]; 18] = [
            // Reset Start Stop Hold Unhold Suspend Unsuspend Abort Clear Complete
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],    // Undefined
            [0, 0, 0, 0, 0, 0, 0, 8, 0, 0],    // Clearing
            [15, 0, 0, 0, 0, 0, 0, 8, 0, 0],   // Stopped
            [0, 0, 7, 0, 0, 0, 0, 8, 0, 0],    // Starting
            [0, 3, 7, 0, 0, 0, 0, 8, 0, 0],    // Idle
            [0, 0, 7, 0, 0, 0, 14, 8, 0, 0],   // Suspended
            [0, 0, 7, 10, 0, 13, 0, 8, 0, 16], // Execute
            [0, 0, 0, 0, 0, 0, 0, 8, 0, 0],    // Stopping
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],    // Aborting
            [0, 0, 0, 0, 0, 0, 0, 0, 1, 0],    // Aborted
            [0, 0, 7, 0, 0, 0, 0, 8, 0, 0],    // Holding
            [0, 0, 7, 0, 12, 0, 0, 8, 0, 0],   // Held
            [0, 0, 7, 0, 0, 0, 0, 8, 0, 0],    // Unholding
            [0, 0, 7, 0, 0, 0, 0, 8, 0, 0],    // Suspending
            [0, 0, 7, 0, 0, 0, 0, 8, 0, 0],    // Unsuspending
            [0, 0, 7, 0, 0, 0, 0, 8, 0, 0],    // Resetting
            [0, 0, 7, 0, 0, 0, 0, 8, 0, 0],    // Completing
            [15, 0, 7, 0, 0, 0, 0, 8, 0, 0],   // Complete
        ];
        for (state, row) in State::ALL.into_iter().zip(TABLE) {
            for (command, follows) in Command::ALL.into_iter().zip(row) {
                let is = state.on(command).map_or(0, State::number);
                assert_eq!(is, follows, "{state:?} {command:?}");
            }
        }
    }

    #[test]
    fn every_acting_state_ends_in_a_waiting_one() {
        for state in State::ALL {
            if let Some(end) = state.done() {
                assert_eq!(end.done(), None, "{state:?}");
            }
        }
    }
}
