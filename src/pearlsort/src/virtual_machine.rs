//! The virtual line's machine, as `demo` and `sim` share it. Cold.

use std::path::{Path, PathBuf};

use anyhow::Result;
use devices::{LinkPlan, Needs};
use line::grade::Rule;
use sim::demo::{DemoOptions, Machine};
use sim::nature::Nature;
use units::BoardId;

use crate::attend::{Place, place};
use crate::cli::LineArgs;
use crate::exit::{Exit, Failure};

/// Speed of the virtual links, baud: what host and boards think they have.
pub const BAUD: u32 = 1_000_000;
/// Priority of the virtual line's thread: boards are hardware and don't wait, but the program comes first.
pub const LINE_PRIORITY: u8 = 60;

/// The machine that the options describe.
#[must_use]
pub fn machine(line: &LineArgs) -> Machine {
    sim::demo::machine(line.lanes, options(line))
}

/// What the options choose about the machine.
#[must_use]
pub fn options(line: &LineArgs) -> DemoOptions {
    DemoOptions {
        rate: line.rate,
        um_s: um_s(line.speed),
        least_gap: Nature::default().least_gap,
        samples: line.samples,
    }
}

/// What each of its boards must be.
#[must_use]
pub fn link_plans(machine: &Machine) -> Vec<LinkPlan> {
    let boards = (0_u8..).zip(machine.plan.boards.iter().zip(&machine.settings));
    let silence_us = machine.plan.tolerances.status_silence_us.unsigned_abs();
    boards
        .map(|(n, (plan, settings))| LinkPlan::new(BoardId(n), plan.uid, BAUD, silence_us, Needs::default(), settings))
        .collect()
}

/// Where its boards are: behind these pseudo-terminals, in the plan's order.
#[must_use]
pub fn places(machine: &Machine, ports: &[PathBuf]) -> Vec<Place> {
    let boards = (0_u8..).zip(machine.plan.boards.iter().zip(ports));
    boards
        .map(|(n, (plan, port))| place(format!("{}", n + 1), BoardId(n), plan.uid, BAUD, Some(port.clone())))
        .collect()
}

/// The rules of a recipe's file as the virtual line's judge reads them, or none where the recipe says more than that:
/// guard bands, or figures that the virtual line does not know.
///
/// # Errors
/// When the recipe is wrong.
pub fn plain_rules(path: &Path, line: &config::Line) -> Result<Vec<Rule>> {
    let recipe = config::load_recipe(path, line)
        .map_err(|report| Failure::new(Exit::Config, format!("the recipe is wrong:\n{report}")))?;
    Ok(recipe.plain_rules().unwrap_or_default())
}

/// A belt's speed in um/s.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the command line bounds it")]
pub fn um_s(speed: f64) -> i32 {
    (speed * 1e6) as i32
}
