//! `pearlsort sim`: the boards of a virtual line behind pseudo-terminals, for a daemon started elsewhere. Cold.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use sim::belt::SpeedChange;
use sim::demo::Machine;
use sim::faults::{Fault, FaultPlan};
use sim::nature::Nature;
use sim::real_time::{RealJudge, RealLine};
use sim::world::WorldOptions;

use crate::attend;
use crate::cli::SimArgs;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::virtual_machine::{self, BAUD, LINE_PRIORITY, um_s};

/// Time that the belt takes to its next speed, us.
const RAMP_US: u64 = 500_000;
/// Time between two looks at the line.
const LOOK: Duration = Duration::from_millis(50);

/// What became of the line's pearls, without a word from the program that sorted them.
#[derive(Debug, Serialize)]
struct Figures {
    seed: u64,
    lanes: u8,
    /// Pearls that the feeder laid.
    fed: u64,
    /// Pearls that landed in a grade bin.
    binned: u64,
    /// Pearls that landed in the tray.
    tray: u64,
    /// Pearls that landed in neither.
    lost: u64,
    /// Pearls in a bin that their figures, as they were sent, did not earn; `null` where the recipe is not known here.
    upgraded: Option<u64>,
    /// Times that a valve was open longer than it may.
    valve_overlong: u64,
    /// Times that a valve was open although its board's watchdog had not been fed.
    valve_unfed: u64,
    run_s: f64,
}

/// Runs the boards until interrupted, or for the time given.
///
/// # Errors
/// When the machine's file is wrong, or pseudo-terminals or threads can't be had.
pub fn simulate(arguments: &SimArgs) -> Result<ExitCode> {
    let (machine, names) = machine(arguments)?;
    let line = &arguments.line;
    let speed_um_s = f64::from(um_s(line.speed));
    let options = WorldOptions {
        seed: line.seed,
        rate: line.rate,
        um_s: speed_um_s,
        nature: Nature::default(),
        faults: later_speeds(&arguments.then),
        most_pearls: u64::MAX,
    };
    let virtual_line = RealLine::start(&machine, options, BAUD, Some(LINE_PRIORITY))?;
    let mut judge = RealJudge::new(&machine, &virtual_line, speed_um_s).without_records();
    for (name, port) in names.iter().zip(virtual_line.ports()) {
        println!("{name}={}", port.display());
        if let Some(folder) = &arguments.links {
            link(folder, name, port)?;
        }
    }
    until_told(arguments.seconds.map(Duration::from_secs), || {
        judge.gather(&virtual_line)
    })?;
    let fed = virtual_line.fed();
    virtual_line.stop();
    let (summary, _) = judge.finish(std::iter::empty());
    let figures = Figures {
        seed: line.seed,
        lanes: summary.lanes,
        fed,
        binned: summary.binned,
        tray: summary.recirculated_total(),
        lost: summary.lost,
        upgraded: (!machine.rules.is_empty()).then_some(summary.upgraded),
        valve_overlong: summary.valve_overlong,
        valve_unfed: summary.valve_unfed,
        run_s: summary.run_s,
    };
    if let Some(path) = &arguments.json {
        output::write_json(&figures, path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The belt's later speeds, as the timetable has them.
fn later_speeds(speeds: &[(f64, f64)]) -> FaultPlan {
    speeds.iter().fold(FaultPlan::none(), |plan, (metres, from_s)| {
        let change = SpeedChange {
            at_us: 0,
            ramp_us: RAMP_US,
            um_s: f64::from(um_s(*metres)),
        };
        plan.with(*from_s, f64::INFINITY, Fault::Speed(change))
    })
}

/// Looks again and again until the time is over or the program is asked to end.
fn until_told(length: Option<Duration>, mut look: impl FnMut()) -> Result<()> {
    let began = Instant::now();
    let runtime = attend::runtime()?;
    runtime.block_on(async {
        let mut stop = std::pin::pin!(attend::stop_signal());
        while length.is_none_or(|length| began.elapsed() < length) {
            tokio::select! {
                asked = &mut stop => return asked,
                () = tokio::time::sleep(LOOK) => look(),
            }
        }
        Ok(())
    })
}

/// The machine and its boards' names: that of a file, or the demo's own.
fn machine(arguments: &SimArgs) -> Result<(Machine, Vec<String>)> {
    let Some(path) = &arguments.config else {
        let machine = virtual_machine::machine(&arguments.line);
        let names = (1..=machine.plan.boards.len()).map(|n| n.to_string()).collect();
        return Ok((machine, names));
    };
    let line = config::load_line(path)
        .map_err(|report| Failure::new(Exit::Config, format!("the configuration is wrong:\n{report}")))?;
    let names = line.links.iter().map(|link| link.name.clone()).collect();
    let rules = match &line.recipe {
        Some(path) => virtual_machine::plain_rules(path, &line)?,
        None => Vec::new(),
    };
    Ok((
        Machine {
            plan: line.plan,
            settings: line.settings,
            rules,
        },
        names,
    ))
}

/// A link `folder/name` to a port, in place of an older one.
fn link(folder: &Path, name: &str, port: &Path) -> Result<()> {
    let at: PathBuf = folder.join(name);
    if at.is_symlink() {
        std::fs::remove_file(&at).with_context(|| format!("{} can't be replaced", at.display()))?;
    }
    std::os::unix::fs::symlink(port, &at).with_context(|| format!("{} can't be made", at.display()))
}
