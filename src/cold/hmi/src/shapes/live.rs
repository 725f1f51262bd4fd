//! The line as it is now, and what may be asked of it. Cold.

use serde::{Deserialize, Serialize};

use super::{Priority, Text};

/// State after PackML (ISA-TR88.00.02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is known yet.
    Undefined,
    /// Faults are being cleared.
    Clearing,
    /// At rest.
    Stopped,
    /// Belt and feeder ramp up.
    Starting,
    /// Ready to start.
    Idle,
    /// Waits for pearls or for room.
    Suspended,
    /// Sorts.
    Execute,
    /// Belt and feeder ramp down.
    Stopping,
    /// Comes to rest at once.
    Aborting,
    /// At rest after an abort.
    Aborted,
    /// The feeder stops, what lies on the belt is recirculated.
    Holding,
    /// Held for a cause inside the machine.
    Held,
    /// Takes up sorting again after a hold.
    Unholding,
    /// The feeder stops for a cause outside the machine.
    Suspending,
    /// Takes up sorting again after a suspension.
    Unsuspending,
    /// Gets ready.
    Resetting,
    /// The belt runs empty at the end of the work.
    Completing,
    /// The work is done.
    Complete,
}

impl State {
    /// The number that PackML gives it.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Commands after PackML, and two of the line's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Stopped or complete to idle.
    Reset,
    /// Idle to execute.
    Start,
    /// To stopped.
    Stop,
    /// To held: the feeder stops, everything recirculates.
    Hold,
    /// From held to execute.
    Unhold,
    /// To suspended.
    Suspend,
    /// From suspended to execute.
    Unsuspend,
    /// To aborted, at once.
    Abort,
    /// From aborted to stopped.
    Clear,
    /// Finish the work: the belt runs empty, then complete.
    Complete,
    /// The feeder stops and the belt runs until it is empty; sorting goes on.
    EmptyOut,
    /// Everything on the belt is recirculated until it is empty.
    Purge,
}

impl Command {
    /// Whether the command brings the line towards rest: such a command is never refused because somebody else has
    /// changed something.
    #[must_use]
    pub const fn is_towards_rest(self) -> bool {
        matches!(self, Self::Stop | Self::Hold | Self::Suspend | Self::Abort)
    }
}

/// What the line is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Sorting.
    Production,
    /// Work on the machine.
    Maintenance,
    /// Single parts by hand.
    Manual,
    /// Commissioning.
    Calibration,
    /// Single pulses with the belt at rest.
    ValveTest,
    /// The belt runs without pearls.
    DryCycle,
}

/// `POST /line/command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    /// What to do.
    pub command: Command,
    /// `versions.line` as the operator saw it; not needed for stop, hold, suspend and abort.
    #[serde(default)]
    pub version: Option<u64>,
}

/// `POST /line/mode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeRequest {
    /// The mode to change to.
    pub mode: Mode,
    /// `versions.line` as the operator saw it.
    pub version: u64,
}

/// What to do with a bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinAction {
    /// No pearl goes there.
    Inhibit,
    /// Pearls may go there again.
    Release,
    /// An empty bin stands there now: its counts begin anew.
    Changed,
    /// The quarantined pearls were taken out.
    EndQuarantine,
}

/// `POST /bins/{bin}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinRequest {
    /// What to do.
    pub action: BinAction,
    /// `versions.line` as the operator saw it; not needed to inhibit.
    #[serde(default)]
    pub version: Option<u64>,
}

/// `POST /valves/{valve}/pulse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulseRequest {
    /// How long the valve opens, us.
    pub length_us: u32,
    /// `versions.line` as the operator saw it.
    pub version: u64,
}

/// How often operators have changed each part; a changing call carries the number that its operator saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// State, mode, bins, valves.
    pub line: u64,
    /// Lots.
    pub lot: u64,
    /// Recipes.
    pub recipe: u64,
    /// Calibration.
    pub calibration: u64,
    /// Users.
    pub users: u64,
}

/// `GET /line`, and the event `line` of `GET /events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Numbers for the changing calls.
    pub versions: Versions,
    /// The line.
    pub line: Snapshot,
}

/// Pearls by what became of them: entered = in flight + binned + recirculated + lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Pearls that came in.
    pub entered: u64,
    /// Pearls whose story is not complete.
    pub in_flight: u64,
    /// Pearls binned.
    pub binned: u64,
    /// Pearls recirculated.
    pub recirculated: u64,
    /// Pearls lost.
    pub lost: u64,
    /// Orders that came late.
    pub late: u64,
}

/// Pearls that were recirculated for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseCount {
    /// The cause's name, as records have it.
    pub cause: String,
    /// What it is called.
    pub name: Text,
    /// Pearls.
    pub pearls: u64,
}

/// The share of high grades against its aim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HighGrade {
    /// Share of the binned pearls, 0 to 1; null without pearls.
    pub share: Option<f64>,
    /// The aim, 0 to 1; null where none is set.
    pub aim: Option<f64>,
}

/// One lane now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Its number, from 1.
    pub lane: u8,
    /// Pearls a second.
    pub rate_pearls_s: f64,
    /// Pearls that came in.
    pub entered: u64,
    /// Pearls on the belt.
    pub in_flight: u64,
    /// Pulses of each jet, in belt order.
    pub fires: Vec<u64>,
    /// Whether something is wrong with it.
    pub faulty: bool,
}

/// What may be wrong with a bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinState {
    /// Takes pearls.
    Ready,
    /// An operator keeps pearls out.
    Inhibited,
    /// A fault may have let others in.
    Quarantined,
    /// Is full.
    Full,
    /// Is not there.
    Missing,
}

/// One bin now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Its number, from 1; 0 is the recirculate tray.
    pub bin: u8,
    /// Its grade's name.
    pub name: Text,
    /// Whether it counts as high grade.
    pub high_grade: bool,
    /// What may be wrong with it.
    pub state: BinState,
    /// Pearls since it was changed.
    pub pearls: u64,
    /// Their mass, mg; null where they are not weighed.
    pub mass_mg: Option<f64>,
    /// How full it is, 0 to 1; null where that is not known.
    pub fill: Option<f64>,
    /// Its share of the binned pearls, 0 to 1.
    pub share: f64,
}

/// One of the line's other signals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Its fixed name, such as `air`.
    pub signal: String,
    /// What it is called.
    pub name: Text,
    /// Whether it is as it must be; null before it was seen.
    pub good: Option<bool>,
    /// What it says.
    pub says: Text,
}

/// The recipe in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeName {
    /// Its name.
    pub name: Text,
    /// Its file, within the folder of recipes.
    pub file: String,
    /// Its hash, as records have it.
    pub hash: String,
}

/// The open lot, as the line shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenLot {
    /// Its number in the store.
    pub lot: u64,
    /// Its number on paper.
    pub number: String,
    /// The farm.
    pub farm: String,
    /// Since when it is open.
    pub opened_at_ms: u64,
    /// What became of its pearls.
    pub counts: Counts,
    /// Mass binned, mg.
    pub binned_mg: f64,
}

/// How many alarms there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmSummary {
    /// Whose cause is there.
    pub active: u32,
    /// That nobody has acknowledged.
    pub unacknowledged: u32,
    /// That are shelved.
    pub shelved: u32,
    /// The gravest of the active ones.
    pub gravest: Option<Priority>,
    /// More come than a person can read.
    pub flood: bool,
    /// Rises with every change of any alarm: read the list again when it does.
    pub version: u64,
}

/// Overall equipment effectiveness and its factors, each 0 to 1; null before anything ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Oee {
    /// Time sorting over time planned.
    pub availability: Option<f64>,
    /// Pearls over what the line could have sorted in that time.
    pub performance: Option<f64>,
    /// Pearls binned over pearls sorted.
    pub quality: Option<f64>,
    /// The product.
    pub oee: Option<f64>,
}

/// How quick decisions are, over the last minute; null without orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Median time from the last figure to the order, us.
    pub decision_p50_us: Option<i64>,
    /// 99 % of the decisions are quicker, us.
    pub decision_p99_us: Option<i64>,
    /// Least lead of an order before its tick, us.
    pub lead_least_us: Option<i64>,
}

/// How the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Records written.
    pub written: u64,
    /// Records that wait.
    pub waiting: u64,
    /// Records that were dropped.
    pub dropped: u64,
    /// Whether it can be written.
    pub good: bool,
}

/// The line as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When.
    pub at_ms: u64,
    /// State after PackML.
    pub state: State,
    /// Its number after PackML.
    pub state_number: u8,
    /// Since when.
    pub state_since_ms: u64,
    /// Why it stopped or holds, the first cause; null while all is well.
    pub stop_reason: Option<Text>,
    /// The alarm of that cause, if it has one.
    pub stop_alarm: Option<String>,
    /// Commands that the state allows.
    pub commands: Vec<Command>,
    /// The mode.
    pub mode: Mode,
    /// Modes that may be changed to now.
    pub modes: Vec<Mode>,
    /// The belt's speed, m/s.
    pub speed_m_s: f64,
    /// The speed that it shall have, m/s.
    pub speed_set_m_s: f64,
    /// Whether the feeder runs.
    pub feeder: bool,
    /// Pearls a second, all lanes.
    pub rate_pearls_s: f64,
    /// What became of the pearls since the start of the program.
    pub counts: Counts,
    /// Why pearls were recirculated, most first.
    pub causes: Vec<CauseCount>,
    /// High grades.
    pub high_grade: HighGrade,
    /// The lanes.
    pub lanes: Vec<Lane>,
    /// The bins, the recirculate tray first.
    pub bins: Vec<Bin>,
    /// The line's other signals.
    pub signals: Vec<Signal>,
    /// The recipe in force.
    pub recipe: RecipeName,
    /// The open lot.
    pub lot: Option<OpenLot>,
    /// The alarms.
    pub alarms: AlarmSummary,
    /// How well the time is used.
    pub oee: Oee,
    /// How quick decisions are.
    pub timing: Timing,
    /// How the store is.
    pub store: Store,
}

/// What a station does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StationKind {
    /// The entry eye.
    EntryEye,
    /// The camera.
    Camera,
    /// The weigh cell.
    WeighCell,
    /// An air jet.
    Jet,
    /// The recirculate tray at the belt's end.
    Tray,
}

/// A station along the belt, the same for every lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Station {
    /// What it does.
    pub kind: StationKind,
    /// Its distance from the entry eye, mm.
    pub from_eye_mm: f64,
    /// The bin of a jet; null for others.
    pub bin: Option<u8>,
    /// Whether a drop eye confirms what falls in.
    pub drop_eye: bool,
}

/// A bin, as the drawing shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutBin {
    /// Its number, from 1; 0 is the recirculate tray.
    pub bin: u8,
    /// Its grade's name.
    pub name: Text,
    /// Whether it counts as high grade.
    pub high_grade: bool,
}

/// `GET /layout`: what of the line does not move. Read it again when `recipe.hash` changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// The line's name.
    pub name: Text,
    /// Lanes.
    pub lanes: u8,
    /// Stations in belt order.
    pub stations: Vec<Station>,
    /// The bins, the recirculate tray first.
    pub bins: Vec<LayoutBin>,
    /// Top speed, m/s.
    pub most_speed_m_s: f64,
}

/// An entry of the journal: what happened, newest with the greatest number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Its number.
    pub number: u64,
    /// When.
    pub at_ms: u64,
    /// A fixed name of what happened.
    pub kind: String,
    /// What happened.
    pub text: Text,
}
