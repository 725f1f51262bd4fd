//! `pearlsort demo`: a virtual line's pearls, sorted by the real program, judged against the truth. Cold.

mod real;
mod report;
mod side;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use line::grade::Doubt;
use sim::demo::Machine;
use sim::summary::Summary;
use sim::virtual_time::{self, Listener, Nobody, VirtualOptions};
use tape::RecipeEntry;

use crate::cli::{DemoArgs, LineArgs};
use crate::exit::Exit;
use crate::output;
use crate::recording::{self, VirtualRecorder};
use crate::virtual_machine::{self, um_s};

/// Length of a demo that is told neither pearls nor seconds.
const USUAL_SECONDS: u64 = 30;

/// Runs the demo. Exits with 1 when a checker complains.
///
/// # Errors
/// When ports or threads can't be had, or the figures can't be written.
pub fn demo(arguments: &DemoArgs) -> Result<ExitCode> {
    if arguments.virtual_time {
        in_virtual_time(arguments)
    } else {
        real::in_real_time(arguments)
    }
}

fn in_virtual_time(arguments: &DemoArgs) -> Result<ExitCode> {
    let seconds = arguments
        .seconds
        .or(arguments.pearls.is_none().then_some(USUAL_SECONDS));
    let line = &arguments.line;
    let options = VirtualOptions {
        seed: line.seed,
        lanes: line.lanes,
        rate: line.rate,
        um_s: um_s(line.speed),
        samples: line.samples,
        pearls: arguments.pearls.unwrap_or(u64::MAX),
        most_us: seconds.map_or(u64::MAX, |seconds| seconds * 1_000_000),
        ..VirtualOptions::default()
    };
    let expected = arguments
        .pearls
        .unwrap_or_else(|| expected_pearls(line.lanes, line.rate, seconds.unwrap_or(0)));
    let machine = virtual_machine::machine(line);
    let mut recorder = match &arguments.record {
        Some(file) => Some(recorder(file, line, &machine)?),
        None => None,
    };
    let mut nobody = Nobody;
    let listener: &mut dyn Listener = match &mut recorder {
        Some(recorder) => recorder,
        None => &mut nobody,
    };
    let bar = progress(arguments.headless, expected)?;
    let outcome = virtual_time::run_heard(&machine, &options, |pearls| bar.set_position(pearls), listener);
    bar.finish_and_clear();
    if let Some(recorder) = recorder {
        recorder.end().context("the recording can't be written")?;
    }
    let bins = outcome.accounts.binned[..usize::from(sim::demo::BINS)].to_vec();
    conclude(
        arguments,
        &Conclusion {
            summary: outcome.summary,
            bins,
            details: outcome.complaints,
        },
    )
}

/// A recorder of a run of the virtual line.
fn recorder(file: &Path, line: &LineArgs, machine: &Machine) -> Result<VirtualRecorder> {
    let recipe = machine.recipe();
    let kept = recording::virtual_machine(line.lanes, virtual_machine::options(line));
    let head = recording::head(kept, &machine.plan, recipe.hash());
    let entry = RecipeEntry::new(&recipe, Doubt::default(), Vec::new());
    let writer = recording::create(file, &head, &entry, tape::limits::FILE_BYTES)?;
    Ok(VirtualRecorder::new(writer))
}

/// What a run has shown.
struct Conclusion {
    summary: Summary,
    /// Pearls in each bin.
    bins: Vec<u64>,
    /// The checkers' first complaints, in words.
    details: Vec<String>,
}

/// Prints and writes what there is to say, and judges.
fn conclude(arguments: &DemoArgs, conclusion: &Conclusion) -> Result<ExitCode> {
    let json = arguments.json.as_deref();
    if let Some(path) = json {
        output::write_json(&conclusion.summary, path)?;
    }
    if json != Some(Path::new("-")) {
        print!("{}", report::table(&conclusion.summary, &conclusion.bins));
    }
    let complaints = conclusion.summary.complaints();
    for complaint in complaints.iter().chain(&conclusion.details) {
        eprintln!("pearlsort demo: {complaint}");
    }
    Ok(if complaints.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Exit::Verdict as u8)
    })
}

fn progress(headless: bool, pearls: u64) -> Result<ProgressBar> {
    if headless {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} pearls  {msg}")?;
    Ok(ProgressBar::new(pearls).with_style(style))
}

/// Pearls that come to a line in so many seconds, about.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
fn expected_pearls(lanes: u8, rate: f64, seconds: u64) -> u64 {
    (f64::from(lanes) * rate * seconds as f64) as u64
}
