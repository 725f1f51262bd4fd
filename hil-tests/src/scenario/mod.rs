//! A scenario: what is run, what goes wrong, what an operator does, and what must hold. Any thread.
//!
//! [`Scenario::load`] reads a file of `hil-tests/scenarios` with the machine and the recipe that it names, and refuses what
//! does not fit together, with the line in the file and what to write instead.

mod faults;
mod form;
mod limits;
mod place;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use line::Command;
use sim::demo::Machine;
use sim::faults::FaultPlan;
use sim::nature::Nature;

pub use faults::fault_names;
pub use place::ScenarioError;

use crate::broken::Break;
use crate::measure::Limit;
use crate::rig::Capability;
use crate::verdict::Verdict;

/// What goes wrong with the program or its computer, and not with the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// The program's disk takes no more.
    DiskFull,
    /// The program is killed, and started again when the fault is over.
    Killed,
}

/// How long the feeder lays pearls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Length {
    /// In virtual time, s.
    pub seconds: f64,
    /// In real time, s.
    pub real_seconds: f64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: the file's, without its ending.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// The verdict that it must come to; a canary must fail.
    pub expect: Verdict,
    /// The machine's file.
    pub config: PathBuf,
    /// The recipe's file.
    pub recipe: PathBuf,
    /// The machine, as the file describes it.
    pub line: config::Line,
    /// The machine as the virtual line takes it, with the recipe's rules.
    pub machine: Machine,
    /// Hash of the recipe.
    pub recipe_hash: u64,
    /// The recipe, compiled.
    pub compiled: std::sync::Arc<line::grade::Recipe>,
    /// Seed of everything that is left to chance.
    pub seed: u64,
    /// Pearls a second in each lane.
    pub rate: f64,
    /// The feeder lays no more pearls than these.
    pub most_pearls: u64,
    /// Belt's speed at the start, um/s.
    pub um_s: i32,
    /// How the line behaves when nothing is wrong.
    pub nature: Nature,
    /// How long the feeder lays pearls.
    pub length: Length,
    /// What goes wrong with the line, its boards and links, and the host; times since the line's beginning.
    pub faults: FaultPlan,
    /// What goes wrong with the program: from, until, us.
    pub host_faults: Vec<(u64, u64, HostFault)>,
    /// What an operator does beside starting the line again after a hold: when, us.
    pub commands: Vec<(u64, Command)>,
    /// What is broken in the core, for canaries.
    pub breaks: Option<Break>,
    /// What must hold, what always must included.
    pub limits: Vec<Limit>,
    /// What a rig must be able to do.
    pub needs: BTreeSet<Capability>,
}

impl Scenario {
    /// Reads a scenario's file.
    ///
    /// # Errors
    /// When it, or the machine or recipe that it names, is wrong.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScenarioError::whole(path, format!("can't be read: {error}")))?;
        Self::from_text(path, &text)
    }

    /// As [`Self::load`], on a rig's own machine in place of the usual one.
    ///
    /// # Errors
    /// When that machine lacks what the scenario names, or the scenario names a machine of its own.
    pub fn load_on(path: &Path, machine: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScenarioError::whole(path, format!("can't be read: {error}")))?;
        form::read(path, &text, Some(machine))
    }

    /// As [`Self::load`], of a text that stands, or would stand, at `path`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_text(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        form::read(path, text, None)
    }

    /// First and last moment of what goes wrong and what is done, us.
    #[must_use]
    pub fn trouble_us(&self) -> Option<(u64, u64)> {
        let faults = self.faults.faults.iter().map(|timed| (timed.from_us, timed.until_us));
        let host = self
            .host_faults
            .iter()
            .map(|(from_us, until_us, _)| (*from_us, *until_us));
        let commands = self.commands.iter().map(|(us, _)| (*us, *us));
        faults
            .chain(host)
            .chain(commands)
            .reduce(|(from, until), (other_from, other_until)| (from.min(other_from), until.max(other_until)))
    }
}

/// Files of a folder that are scenarios, by name.
///
/// # Errors
/// When the folder can't be read.
pub fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The name of a scenario's file.
#[must_use]
pub fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
