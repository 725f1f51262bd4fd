//! A soak: the shipped program sorts a virtual line's pearls for as long as it is told to, and is watched. Cold.
//!
//! Watched are: the program's memory (flat after its warm-up), how its times and leads are spread, late orders against the
//! stalls of this computer that a watcher sees, accounts, and the truth of every pearl that lands.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use line::LineState;
use rt::watch::{Stall, WatchFor};
use serde::Serialize;
use sim::faults::FaultPlan;
use sim::real_time::{RealJudge, RealLine};
use sim::world::WorldOptions;

use crate::rigs::daemon::{Daemon, Start, adds_up};
use crate::scenario::Scenario;

const BAUD: u32 = 1_000_000;
const LINE_PRIORITY: u8 = 60;
/// Memory counts from here on: buffers and tables have come to their size.
const WARM_UP: Duration = Duration::from_secs(30);
/// Memory may grow by so much after that, kB.
const MEMORY_KB: u64 = 1_024;
/// Stalls of this computer from this length on are told, us.
const STALL_US: u32 = 5_000;
const LOOK: Duration = Duration::from_millis(50);
const SAMPLE: Duration = Duration::from_secs(1);
const READY: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(15);

/// What a soak has shown.
#[derive(Clone, Debug, Serialize)]
pub struct Soaked {
    /// Time that the line was watched for, s.
    pub seconds: f64,
    /// Pearls that came to their end.
    pub pearls: u64,
    /// Of those, in grade bins.
    pub binned: u64,
    /// In a bin that their figures did not earn.
    pub upgraded: u64,
    /// Memory of the program at the end of the warm-up and its least and most since, kB.
    pub memory_kb: [u64; 3],
    /// States whose accounts did not add up.
    pub accounts_off: u64,
    /// Orders that boards refused as late.
    pub late: u64,
    /// Of those, within a second of a stall that the watcher saw.
    pub late_at_stalls: u64,
    /// Stalls that the watcher saw, and the longest, us.
    pub stalls: u64,
    /// See `stalls`.
    pub longest_stall_us: i64,
    /// Valves open too long, or unfed.
    pub valves: u64,
    /// Frames sent again, and refused for their checksum.
    pub repeats: u64,
    /// See `repeats`.
    pub crc_errors: u64,
    /// Last figure to order inside the program, us: half and 99 of 100 are faster, the slowest.
    pub decision_us: [u64; 3],
    /// Lead of orders when they left the core, us: the shortest, and half are longer.
    pub lead_us: [u64; 2],
    /// From a pearl's trigger to its landing, against the line's own clock: how far the first and the last minute's
    /// shares of binned pearls are apart.
    pub drift: f64,
    /// Allocations of the hot thread.
    pub hot_allocations: u64,
    /// What is not as it must be.
    pub complaints: Vec<String>,
}

/// Soaks for so long. `tell` hears a line a minute.
///
/// # Errors
/// When the program or the line does not work.
pub fn run(scenario: &Scenario, program: &std::path::Path, length: Duration, tell: impl Fn(&str)) -> Result<Soaked> {
    let options = WorldOptions {
        seed: scenario.seed,
        rate: scenario.rate,
        um_s: f64::from(scenario.um_s),
        nature: scenario.nature,
        faults: FaultPlan::none(),
        most_pearls: u64::MAX,
    };
    let line = RealLine::start(&scenario.machine, options, BAUD, Some(LINE_PRIORITY))?;
    let names = scenario.line.links.iter().map(|link| link.name.clone());
    let mut daemon = Daemon::start(&Start {
        program: program.to_owned(),
        config: scenario.config.clone(),
        recipe: scenario.recipe.clone(),
        ports: names.zip(line.ports().iter().cloned()).collect(),
        record: None,
        faults: None,
    })?;
    let mut watch = rt::watch::start(WatchFor {
        limit_us: STALL_US,
        priority: 90,
        core: std::thread::available_parallelism().ok().map(|cores| cores.get() - 1),
    })
    .context("the watcher of this computer can't be started")?;
    let mut watched =
        Watched::new(RealJudge::new(&scenario.machine, &line, f64::from(scenario.um_s)).without_records());
    let began = Instant::now();
    let mut told = Instant::now();
    while watched.sorts.is_none_or(|since| since.elapsed() < length) {
        std::thread::sleep(LOOK);
        watched.judge.gather(&line);
        watched.stalls.extend(watch.stalls());
        watched.sample(&mut daemon)?;
        if watched.sorts.is_none() && began.elapsed() > READY {
            bail!("the line was not ready within {} s", READY.as_secs());
        }
        if told.elapsed() >= Duration::from_secs(60) {
            told = Instant::now();
            tell(&watched.line());
        }
    }
    line.stop_feeding();
    let stopped = Instant::now();
    while !line.is_done() && stopped.elapsed() < STOP {
        std::thread::sleep(LOOK);
        watched.judge.gather(&line);
    }
    watched.state = daemon.state()?;
    let end = daemon.stop(STOP)?;
    watched.judge.gather(&line);
    line.stop();
    Ok(watched.finish(&end))
}

struct Watched {
    judge: RealJudge,
    stalls: Vec<Stall>,
    /// Since when the line sorts.
    sorts: Option<Instant>,
    sampled: Instant,
    memory_kb: Option<[u64; 3]>,
    state: serde_json::Value,
    accounts_off: u64,
    late: u64,
    late_at_stalls: u64,
    /// Binned and entered at each sample, to see what changes in the long run.
    shares: Vec<(u64, u64)>,
}

impl Watched {
    fn new(judge: RealJudge) -> Self {
        Self {
            judge,
            stalls: Vec::new(),
            sorts: None,
            sampled: Instant::now(),
            memory_kb: None,
            state: serde_json::Value::Null,
            accounts_off: 0,
            late: 0,
            late_at_stalls: 0,
            shares: Vec::new(),
        }
    }

    fn sample(&mut self, daemon: &mut Daemon) -> Result<()> {
        while let Some(state) = daemon.state_within(Duration::ZERO)? {
            self.accounts_off += u64::from(!adds_up(&state));
            self.state = state;
        }
        if self.state["state"] == format!("{:?}", LineState::Running) {
            self.sorts.get_or_insert_with(Instant::now);
        }
        let late = self.state["late"].as_u64().unwrap_or(0);
        if late > self.late {
            let now = rt::clock::now_us();
            let lately = |stall: &Stall| stall.overlaps(now - 2_000_000, now);
            if self.stalls.iter().any(lately) {
                self.late_at_stalls += late - self.late;
            }
            self.late = late;
        }
        if self.sampled.elapsed() < SAMPLE {
            return Ok(());
        }
        self.sampled = Instant::now();
        if self.sorts.is_some_and(|since| since.elapsed() >= WARM_UP) {
            let now_kb = memory_kb(daemon.id())?;
            let [_, least, most] = self.memory_kb.get_or_insert([now_kb; 3]);
            (*least, *most) = ((*least).min(now_kb), (*most).max(now_kb));
        }
        let count = |key: &str| self.state[key].as_u64().unwrap_or(0);
        self.shares.push((count("binned"), count("entered")));
        Ok(())
    }

    fn line(&self) -> String {
        let count = |key: &str| self.state[key].as_u64().unwrap_or(0);
        let [_, _, most] = self.memory_kb.unwrap_or_default();
        format!(
            "{} s: {} pearls, {} binned, {} late, memory at most {most} kB, decision p99 {} us, {} stalls",
            self.sorts.map_or(0, |since| since.elapsed().as_secs()),
            count("entered"),
            count("binned"),
            self.late,
            count("decision_p99_us"),
            self.stalls.len()
        )
    }

    /// How far the shares of binned pearls in the first and the last minute are apart.
    fn drift(&self) -> f64 {
        let share = |from: &(u64, u64), to: &(u64, u64)| (to.0 - from.0) as f64 / (to.1 - from.1).max(1) as f64;
        let samples: Vec<&(u64, u64)> = self.shares.iter().filter(|(binned, _)| *binned > 0).collect();
        let minute = samples.len().saturating_sub(1).min(60);
        match (samples.first(), samples.last()) {
            (Some(first), Some(last)) if minute > 0 => {
                (share(first, samples[minute]) - share(samples[samples.len() - 1 - minute], last)).abs()
            }
            _ => 0.0,
        }
    }

    fn finish(self, end: &serde_json::Value) -> Soaked {
        let drift = self.drift();
        let (summary, words) = self.judge.finish(std::iter::empty());
        let count = |value: &serde_json::Value, key: &str| value[key].as_u64().unwrap_or(0);
        let memory_kb = self.memory_kb.unwrap_or_default();
        let mut soaked = Soaked {
            seconds: self.sorts.map_or(0.0, |since| since.elapsed().as_secs_f64()),
            pearls: summary.pearls_in,
            binned: summary.binned,
            upgraded: summary.upgraded,
            memory_kb,
            accounts_off: self.accounts_off,
            late: count(end, "late"),
            late_at_stalls: self.late_at_stalls,
            stalls: self.stalls.len() as u64,
            longest_stall_us: self.stalls.iter().map(Stall::length_us).max().unwrap_or(0),
            valves: summary.valve_overlong + summary.valve_unfed,
            repeats: count(end, "repeats") + summary.repeats,
            crc_errors: count(end, "crc_errors") + summary.crc_errors,
            decision_us: ["decision_p50_us", "decision_p99_us", "decision_max_us"].map(|key| count(&self.state, key)),
            lead_us: ["lead_min_us", "lead_p50_us"].map(|key| count(&self.state, key)),
            drift,
            hot_allocations: count(end, "hot_allocations"),
            complaints: Vec::new(),
        };
        soaked.complaints = soaked.judge(words);
        soaked
    }
}

impl Soaked {
    fn judge(&self, words: Vec<String>) -> Vec<String> {
        let [warm, least, most] = self.memory_kb;
        let mut complaints = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                complaints.push(what);
            }
        };
        must(
            warm > 0,
            format!(
                "shorter than the warm-up of {} s: memory was not watched",
                WARM_UP.as_secs()
            ),
        );
        must(
            most - least <= MEMORY_KB,
            format!("memory went from {least} to {most} kB, more than {MEMORY_KB} kB apart"),
        );
        must(
            self.upgraded == 0,
            format!("{} pearls in a bin that they had not earned", self.upgraded),
        );
        must(
            self.accounts_off == 0,
            format!("{} states whose accounts did not add up", self.accounts_off),
        );
        must(
            self.valves == 0,
            format!("{} valves open too long or unfed", self.valves),
        );
        let unexplained = self.late.saturating_sub(self.late_at_stalls);
        must(
            unexplained == 0,
            format!("{unexplained} late orders without a stall of this computer"),
        );
        must(
            self.hot_allocations == 0,
            format!("{} allocations of the hot thread", self.hot_allocations),
        );
        must(self.binned > 0, "no pearl was binned".to_owned());
        must(
            self.drift < 0.05,
            format!("the share of binned pearls drifted by {:.3}", self.drift),
        );
        if !complaints.is_empty() {
            complaints.extend(words);
        }
        complaints
    }
}

/// Memory of a process that is in use, kB.
fn memory_kb(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} can't be read"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|number| number.parse().ok());
    number.with_context(|| format!("{path} says nothing of memory"))
}
