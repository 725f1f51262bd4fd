//! Engine `ports`: the shipped program as a process, on boards behind the ports that the rig's file names. Cold.
//!
//! Nothing here knows the truth of pearls: the program's states and its recording are what is judged.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use units::HostUs;

use super::Job;
use super::daemon::{Daemon, Scratch, Start, adds_up};
use super::truth::Story;
use super::virtual_line::whole_us;
use crate::measure::Observed;
use crate::rig::Rig;

/// Boards must be found and agree within this.
const READY: Duration = Duration::from_secs(20);
/// Time between two questions for the state.
const ASK: Duration = Duration::from_millis(200);
/// The program ends within this.
const STOP: Duration = Duration::from_secs(15);

/// Runs a scenario.
///
/// # Errors
/// When the program does not work, or a board is not there or goes.
pub fn run(rig: &Rig, job: &Job<'_>) -> Result<Observed> {
    let scenario = job.scenario;
    let scratch = Scratch::new(&job.file_name())?;
    let record = scratch.file("1.tape");
    let zero = rt::clock::now_us();
    let mut daemon = Daemon::start(&Start {
        program: job.program.clone(),
        config: scenario.config.clone(),
        recipe: scenario.recipe.clone(),
        ports: rig
            .ports
            .iter()
            .map(|port| (port.board.clone(), port.path.clone()))
            .collect(),
        record: Some(record.clone()),
        faults: None,
    })?;
    let off = watch(&mut daemon, Duration::from_secs_f64(scenario.length.real_seconds))?;
    let end = daemon.stop(STOP)?;
    let story = Story::read(&record, scenario)?;
    let mut observed = Observed {
        trouble_us: scenario.trouble_us(),
        until_us: whole_us(scenario.length.real_seconds),
        boards: rig
            .ports
            .iter()
            .map(|port| format!("{} at {}", port.board, port.path.display()))
            .collect(),
        ..Observed::default()
    };
    observed.others.insert("accounts-off", off as f64);
    observed.others.insert("replay-differs", story.differs as f64);
    for (measure, key) in [("bus-repeats", "repeats"), ("bus-crc-errors", "crc_errors")] {
        observed.others.insert(measure, end[key].as_u64().unwrap_or(0) as f64);
    }
    observed.notices = Some(story.notices(HostUs(zero.0)));
    Ok(observed)
}

/// Watches the program for a time from when its boards are there; counts states whose accounts do not add up.
fn watch(daemon: &mut Daemon, length: Duration) -> Result<u64> {
    let began = Instant::now();
    let (mut ready, mut off) = (None, 0);
    loop {
        std::thread::sleep(ASK);
        let state = daemon.state()?;
        off += u64::from(!adds_up(&state));
        let word = state["state"].as_str().context("a line of state without a state")?;
        let is_ready = matches!(word, "Ready" | "Starting" | "Running");
        match (ready, is_ready) {
            (None, true) => ready = Some(Instant::now()),
            (Some(_), false) => {
                let log = super::daemon::last_lines(&daemon.log());
                bail!("a board is gone, or the line holds ({word}): {log}");
            }
            (None, false) if began.elapsed() > READY => {
                let log = super::daemon::last_lines(&daemon.log());
                bail!("the boards are not ready within {} s: {log}", READY.as_secs());
            }
            _ => {}
        }
        if ready.is_some_and(|since: Instant| since.elapsed() >= length) {
            return Ok(off);
        }
    }
}
