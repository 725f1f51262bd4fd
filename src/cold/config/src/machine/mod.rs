//! The machine's file, `line.toml`: raw (`raw`), wired up (`wiring`), held against physics (`physics`) and against the
//! links' rates (`budget`), and built into what the core and the boards need (`build`).
//!
//! Cold side, any thread. Words: a **lane group** is a run of lanes that are wired alike.

pub(crate) mod budget;
mod build;
mod cells;
pub(crate) mod form;
mod physics;
mod raw;
mod wiring;

use std::path::{Path, PathBuf};

use line::LinePlan;
use units::BoardId;
use wire::{BoardLimits, Setting};

use crate::cell::Cell;
use crate::reader::Node;
use crate::report::Report;
use crate::source::Source;
use crate::{Name, text_of_path};

pub use budget::Budget;
pub use cells::cell_path;

/// A machine's file, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The machine's name.
    pub name: Name,
    /// The machine as the core knows it.
    pub plan: LinePlan,
    /// The links, one a board, in the plan's order.
    pub links: Vec<LinkConfig>,
    /// Every setting of each board, in the canonical order of `wire::settings`.
    pub settings: Vec<Vec<Setting>>,
    /// Names of the grade bins.
    pub bins: Vec<Name>,
    /// The line's other signals.
    pub channels: Vec<ChannelConfig>,
    /// How the hot thread runs.
    pub hot: HotThread,
    /// Recipe in force at start, as a path from the working folder.
    pub recipe: Option<PathBuf>,
    /// Bytes a second of each link at full rate.
    pub budgets: Vec<Budget>,
    /// Most pearls a second in one lane.
    pub most_pearls_per_s: f64,
    /// Sample rate of the weigh cells, where there are any.
    pub samples_per_s: Option<u32>,
    /// Folder of the cells' files, where they stream samples and it is named.
    pub cells_folder: Option<PathBuf>,
    /// Each lane's cell as its file has it, where the cells stream samples and the file is there.
    pub cells: Vec<Option<Cell>>,
    /// Whether vision on the host measures; else a smart camera on the board.
    pub vision_on_host: bool,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// The board's name in the file.
    pub name: String,
    /// The board's identity; the link is known by it.
    pub uid: u64,
    /// Where to look first.
    pub port: Option<PathBuf>,
    /// Bits a second.
    pub baud: u32,
    /// What the board must have: less is refused at the handshake.
    pub has: BoardLimits,
}

/// What a channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// The feeder runs (out).
    FeederRun,
    /// The feeder's speed (out).
    FeederSpeed,
    /// The belt runs (out).
    BeltRun,
    /// The belt's speed (out).
    BeltSpeed,
    /// The safety chain is closed (in).
    SafetyChain,
    /// A guard door is shut (in).
    GuardDoor,
    /// Air pressure (in).
    AirPressure,
    /// A lamp's current (in).
    LampCurrent,
    /// The stack light (out).
    StackLight,
}

/// One of the line's other signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Board that has it.
    pub board: BoardId,
    /// Its number there.
    pub number: u8,
    /// What it carries.
    pub signal: Signal,
    /// Its name.
    pub name: Name,
    /// Below this the signal is lost.
    pub least: Option<u16>,
    /// Above this the signal is lost.
    pub most: Option<u16>,
}

/// How the hot thread runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotThread {
    /// Real-time priority (SCHED_FIFO).
    pub priority: u8,
    /// Core that it keeps to; `None` is the computer's last.
    pub core: Option<u16>,
}

/// Reads and checks a machine's file.
///
/// # Errors
/// Every fault of the file; a file with warnings alone is taken.
pub fn load_line(path: &Path) -> Result<Line, Report> {
    let source = Source::read(path);
    let line = check(&source, path.parent());
    line.ok_or_else(|| source.report())
}

/// Reads and checks the text of a machine's file that is called `file`.
///
/// # Errors
/// As [`load_line`].
pub fn line_from_text(file: &str, text: &str) -> Result<Line, Report> {
    let source = Source::new(file, text);
    let line = check(&source, None);
    line.ok_or_else(|| source.report())
}

/// Checks a machine's file; the faults are in `source`. `folder` is where the file stands.
pub(crate) fn check(source: &Source, folder: Option<&Path>) -> Option<Line> {
    let table = source.parse();
    let root = Node::document(source, &table, &form::LINE);
    let raw = raw::read(&root)?;
    let wired = wiring::wire_up(&raw);
    physics::check(&raw);
    let budgets = budget::check(&raw);
    if source.has_errors() {
        return None;
    }
    let recipe = root.text("recipe").map(|recipe| text_of_path(folder, recipe));
    if let (Some(recipe), Some(_)) = (&recipe, folder)
        && !recipe.is_file()
    {
        root.error(
            "recipe",
            &format!("{} is not there", recipe.display()),
            "write the path of a recipe's file",
        );
        return None;
    }
    let mut line = build::build(&raw, &wired?, recipe, budgets);
    line.cells_folder = cells::folder(&raw, folder);
    line.cells = cells::load(&raw, &line, folder.is_some())?;
    Some(line)
}
