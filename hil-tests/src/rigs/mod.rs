//! What runs a scenario: one engine a module, all with the same result. Cold.

pub mod daemon;
pub mod ports;
pub mod pty;
pub mod truth;
pub mod virtual_line;

use std::path::PathBuf;

use anyhow::Result;

use crate::broken::Break;
use crate::measure::Observed;
use crate::rig::{Engine, Rig};
use crate::scenario::Scenario;

/// One run of a scenario.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Seed of this run.
    pub seed: u64,
    /// Folder for traces, when they are wanted.
    pub trace: Option<PathBuf>,
    /// What is broken in the core, in place of what the scenario says.
    pub breaks: Option<Break>,
    /// The shipped program, where a rig runs it.
    pub program: PathBuf,
}

impl Job<'_> {
    /// Name of this run's files.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}", self.scenario.name, self.seed)
    }
}

/// Runs a scenario on a rig.
///
/// # Errors
/// When the rig does not work: nothing is shown then.
pub fn run(rig: &Rig, job: &Job<'_>) -> Result<Observed> {
    match rig.engine {
        Engine::Virtual => virtual_line::run(job),
        Engine::Pty => pty::run(job),
        Engine::Ports => ports::run(rig, job),
        Engine::Qemu => pty::run_on_firmware(job),
    }
}
