//! What the page and its API ask of the program: the program implements [`Machine`]; tests and examples have a lively fake
//! (`fake/mod.rs` beside this folder).
//!
//! Cold. Every method is called from a thread of this crate that may wait, never from the one that answers requests, and
//! several may be called at once. Nothing here may reach the hot thread but through the bounded command ring. The crate
//! `hmi` has checked rights, versions and forms before it calls, and writes to the audit trail after a changing call
//! has succeeded ([`Machine::audit`]); an implementation must not write it once more.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use config::{Recipe, Report};

use crate::shapes::{
    Alarm, AlarmEvent, Alarms, AuditPage, AuditVerdict, BinAction, BoardHealth, Calibration, CalibrationAnswer,
    CalibrationStart, Command, Crop, Histograms, JournalEntry, LaneHealth, Layout, Lot, LotReport, Mode, NewLot,
    RecipeName, Right, Snapshot, Text, ValveHealth,
};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The user's name.
    pub user: String,
    /// What they may do.
    pub right: Right,
    /// The address that they ask from.
    pub from: String,
}

/// Why the machine does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The state or the mode does not allow it.
    NotNow,
    /// There is no such part, lot, alarm or picture.
    Unknown,
    /// The values can't be used.
    Invalid,
    /// Somebody else was there first.
    Conflict,
    /// Something that it needs is not there: a board, the disk.
    Unavailable,
}

/// The machine does not do what was asked, and says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", .place, .text.en)]
pub struct Refusal {
    /// What kind of reason.
    pub kind: RefusalKind,
    /// A fixed name of the reason, for programs: letters and `_`.
    pub code: &'static str,
    /// The reason and what to do.
    pub text: Text,
    /// Where: a field, a part of the line.
    pub place: String,
}

impl Refusal {
    /// A refusal.
    #[must_use]
    pub fn new(kind: RefusalKind, code: &'static str, zh: &str, en: &str, place: &str) -> Self {
        Self {
            kind,
            code,
            text: Text::new(zh, en),
            place: place.to_owned(),
        }
    }
}

/// The answer of a method that may refuse.
pub type Answer<T> = Result<T, Refusal>;

/// The recipes as they are.
#[derive(Clone, Debug)]
pub struct RecipeBook {
    /// The folder of recipes.
    pub folder: PathBuf,
    /// The recipe in force.
    pub in_force: RecipeName,
    /// Its text.
    pub text: String,
    /// The same, compiled.
    pub recipe: Arc<Recipe>,
    /// Files of the folder, by name.
    pub files: Vec<String>,
}

/// An entry for the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Who.
    pub by: String,
    /// From which address.
    pub from: String,
    /// What was done: a fixed name, such as `recipe.apply`.
    pub action: &'static str,
    /// To what.
    pub subject: String,
    /// What was there before.
    pub before: String,
    /// What is there now.
    pub after: String,
}

/// Form of an exported lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// A line with its store. See the module.
pub trait Machine: Send + Sync + 'static {
    /// Whether the line is a virtual one.
    fn is_virtual(&self) -> bool;
    /// What of the line does not move.
    fn layout(&self) -> Layout;
    /// The line as it is now. Called a few times a second; must be quick.
    fn snapshot(&self) -> Snapshot;
    /// Entries of the journal with a greater number than `after`, oldest first, the last `most` of them.
    fn journal(&self, after: u64, most: usize) -> Vec<JournalEntry>;

    /// Gives a command.
    fn command(&self, by: &By, command: Command) -> Answer<()>;
    /// Changes the mode.
    fn set_mode(&self, by: &By, mode: Mode) -> Answer<()>;
    /// Does something with a bin, from 1.
    fn bin(&self, by: &By, bin: u8, action: BinAction) -> Answer<()>;
    /// Opens a valve, from 1, once for so long.
    fn pulse(&self, by: &By, valve: u16, length_us: u32) -> Answer<()>;

    /// Lots with a smaller number than `before`, newest first, at most `most`.
    fn lots(&self, before: Option<u64>, most: usize) -> Answer<Vec<Lot>>;
    /// One lot.
    fn lot(&self, lot: u64) -> Answer<Lot>;
    /// Opens a lot; refuses while one is open.
    fn open_lot(&self, by: &By, lot: &NewLot) -> Answer<Lot>;
    /// Closes a lot; refuses one that is closed.
    fn close_lot(&self, by: &By, lot: u64) -> Answer<Lot>;
    /// A lot's report.
    fn lot_report(&self, lot: u64) -> Answer<LotReport>;
    /// A lot's records as a file.
    fn export_lot(&self, lot: u64, form: ExportForm) -> Answer<Box<dyn Read + Send>>;

    /// The alarms that are not normal.
    fn alarms(&self) -> Alarms;
    /// Changes of alarms with a smaller number than `before`, newest first, at most `most`.
    fn alarm_history(&self, before: Option<u64>, most: usize) -> Answer<Vec<AlarmEvent>>;
    /// Acknowledges an alarm; refuses one that somebody has acknowledged, naming them.
    fn acknowledge(&self, by: &By, alarm: &str) -> Answer<Alarm>;
    /// Shelves an alarm for a time, s.
    fn shelve(&self, by: &By, alarm: &str, for_s: u32, reason: &str) -> Answer<Alarm>;
    /// Takes an alarm from the shelf.
    fn unshelve(&self, by: &By, alarm: &str) -> Answer<Alarm>;

    /// How each lane is.
    fn lanes(&self) -> Vec<LaneHealth>;
    /// How each valve is.
    fn valves(&self) -> Vec<ValveHealth>;
    /// How each board is.
    fn boards(&self) -> Vec<BoardHealth>;
    /// Decision times and leads.
    fn histograms(&self) -> Histograms;

    /// The recipes as they are.
    fn recipes(&self) -> Answer<RecipeBook>;
    /// Checks the text of a recipe called `file` as `pearlsort check` does, and against this machine.
    fn check_recipe(&self, file: &str, text: &str) -> (Report, Option<Arc<Recipe>>);
    /// The last pearls with their figures, newest last, at most `most`.
    fn last_records(&self, most: usize) -> Answer<Vec<line::Record>>;
    /// Puts a checked recipe in force for pearls that come from now on, and saves its text as `file` of the folder.
    fn apply_recipe(&self, by: &By, file: &str, text: &str, recipe: Arc<Recipe>) -> Answer<()>;

    /// The calibrations, and where the wizard is.
    fn calibration(&self) -> Calibration;
    /// Starts the wizard.
    fn calibration_start(&self, by: &By, start: &CalibrationStart) -> Answer<Calibration>;
    /// Answers the wizard's step.
    fn calibration_answer(&self, by: &By, answer: &CalibrationAnswer) -> Answer<Calibration>;
    /// Ends the wizard, nothing is stored.
    fn calibration_cancel(&self, by: &By) -> Answer<Calibration>;

    /// Doubtful pearls whose pictures were kept, newest first, at most `most`.
    fn crops(&self, most: usize) -> Answer<Vec<Crop>>;
    /// A picture, as PNG.
    fn crop_image(&self, crop: u64) -> Answer<Vec<u8>>;

    /// Writes an entry to the audit trail.
    fn audit(&self, note: &Note) -> Answer<()>;
    /// Entries of the audit trail with a smaller number than `before`, newest first, at most `most`.
    fn audit_page(&self, before: Option<u64>, most: usize) -> Answer<AuditPage>;
    /// Follows the chain of the audit trail from its first entry.
    fn audit_verify(&self) -> Answer<AuditVerdict>;
}
