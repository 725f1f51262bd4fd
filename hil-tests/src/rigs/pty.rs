//! Rigs `pty` and `qemu`: the shipped program as a process; the virtual line's boards behind pseudo-terminals, or the firmware
//! in emulators, in real time. Cold.
//!
//! The line knows the truth; the program's recording tells what it saw and said ([`super::truth`]). Link faults are the
//! program's own (`--allow-faults`); a stalled host is the process, stopped.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use line::Command;
use serde_json::Value;
use sim::faults::{Fault, FaultPlan};
use sim::real_time::{RealLine, Taken};
use sim::world::WorldOptions;
use units::HostUs;

use super::Job;
use super::daemon::{Daemon, Scratch, Start, adds_up};
use super::truth::{Story, Truth};
use super::virtual_line::{OPERATOR_US, whole_us};
use crate::measure::Observed;
use crate::qemu::QemuLine;
use crate::scenario::{HostFault, Scenario};

/// Speed that boards are told of their lines, baud.
const BAUD: u32 = 1_000_000;
/// Priority of the virtual line's thread: boards are hardware and don't wait, but the program comes first.
const LINE_PRIORITY: u8 = 60;
/// Time between two looks at line and program.
const LOOK: Duration = Duration::from_millis(20);
/// Time between two questions for the state.
const ASK: Duration = Duration::from_millis(200);
/// The line must run within this.
const READY: Duration = Duration::from_secs(20);
/// After the last pearl has left, records and boards' last messages get so long.
const SETTLE: Duration = Duration::from_millis(700);
/// Pearls that are still on the line are waited for so long.
const DRAIN: Duration = Duration::from_secs(15);
/// The program ends within this.
const STOP: Duration = Duration::from_secs(15);
/// A killed program can't record pearls that came so short before, us.
const KILLED_US: i64 = 5_000_000;
/// Boards close their valves within this after the program is gone.
const WATCHDOG: Duration = Duration::from_millis(300);

/// A line in real time, whatever its boards are.
trait Boards {
    fn ports(&self) -> &[PathBuf];
    fn zero(&self) -> HostUs;
    fn stop_feeding(&self);
    fn is_done(&self) -> bool;
    fn longest_stall_us(&self) -> u64;
    fn take(&self) -> Result<Taken>;
    /// Ends it.
    fn end(self: Box<Self>);
}

macro_rules! boards {
    ($line:ty, $take:expr) => {
        impl Boards for $line {
            fn ports(&self) -> &[PathBuf] {
                <$line>::ports(self)
            }
            fn zero(&self) -> HostUs {
                <$line>::zero(self)
            }
            fn stop_feeding(&self) {
                <$line>::stop_feeding(self);
            }
            fn is_done(&self) -> bool {
                <$line>::is_done(self)
            }
            fn longest_stall_us(&self) -> u64 {
                <$line>::longest_stall_us(self)
            }
            fn take(&self) -> Result<Taken> {
                let take: fn(&Self) -> Result<Taken> = $take;
                take(self)
            }
            fn end(self: Box<Self>) {
                self.stop();
            }
        }
    };
}
boards!(RealLine, |line| Ok(RealLine::take(line)));
boards!(QemuLine, QemuLine::take);

/// Runs a scenario against virtual boards.
///
/// # Errors
/// When the program or the line does not work: nothing is shown then.
pub fn run(job: &Job<'_>) -> Result<Observed> {
    let line = RealLine::start(&job.scenario.machine, world(job), BAUD, Some(LINE_PRIORITY))?;
    let boards = format!(
        "virtual boards behind ptys, the code of crate board {}",
        env!("CARGO_PKG_VERSION")
    );
    run_on(job, Box::new(line), boards)
}

/// Runs a scenario against the firmware.
///
/// # Errors
/// As [`run`], and when there is no firmware or emulator.
pub fn run_on_firmware(job: &Job<'_>) -> Result<Observed> {
    let firmware = crate::qemu::firmware()?;
    let line = QemuLine::start(&job.scenario.machine, world(job), &firmware)?;
    run_on(
        job,
        Box::new(line),
        format!("the firmware {} in qemu-system-arm", firmware.display()),
    )
}

/// The line's world: links and the host have their faults elsewhere.
fn world(job: &Job<'_>) -> WorldOptions {
    let scenario = job.scenario;
    let of_line = |fault: &Fault| !matches!(fault, Fault::Link { .. } | Fault::HostStall);
    let faults = scenario.faults.faults.iter().filter(|timed| of_line(&timed.fault));
    WorldOptions {
        seed: job.seed,
        rate: scenario.rate,
        um_s: f64::from(scenario.um_s),
        nature: scenario.nature,
        faults: FaultPlan {
            faults: faults.copied().collect(),
        },
        most_pearls: scenario.most_pearls,
    }
}

fn run_on(job: &Job<'_>, line: Box<dyn Boards>, boards: String) -> Result<Observed> {
    let scratch = Scratch::new(&job.file_name())?;
    let mut run = Run::begin(job, &scratch, line, boards)?;
    let ran = run.run();
    if let Err(error) = ran {
        return Err(run.failed(error));
    }
    run.end()
}

/// A moment of the timetable, in the program's own affairs.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Command(Command),
    Stall(bool),
    FullDisk(bool),
    Kill,
    Restart,
}

struct Run<'a> {
    job: &'a Job<'a>,
    scratch: &'a Scratch,
    line: Box<dyn Boards>,
    /// What the boards are.
    boards: String,
    daemon: Option<Daemon>,
    truth: Truth,
    /// By falling time, us of the run.
    deeds: Vec<(u64, Deed)>,
    stories: Vec<Story>,
    starts: u32,
    /// States whose accounts did not add up.
    off: u64,
    faults_told: bool,
    asked: Instant,
    /// An operator has held the line by the timetable.
    by_hand: bool,
    /// Since when the line stands, as the operator sees it.
    stands_since: Option<Instant>,
    restarted: Option<Instant>,
    back_after: Option<f64>,
    stalled: bool,
    /// The line has sorted.
    sorted: bool,
    disk_told: bool,
    end: Value,
}

impl<'a> Run<'a> {
    fn begin(job: &'a Job<'_>, scratch: &'a Scratch, line: Box<dyn Boards>, boards: String) -> Result<Self> {
        let scenario = job.scenario;
        let mut run = Self {
            job,
            scratch,
            line,
            boards,
            daemon: None,
            truth: Truth::default(),
            deeds: deeds(scenario),
            stories: Vec::new(),
            starts: 0,
            off: 0,
            faults_told: false,
            asked: Instant::now(),
            by_hand: false,
            stands_since: None,
            restarted: None,
            back_after: None,
            stalled: false,
            sorted: false,
            disk_told: false,
            end: Value::Null,
        };
        run.start()?;
        Ok(run)
    }

    fn now_us(&self) -> u64 {
        rt::clock::now_us().since(self.line.zero()).max(0).unsigned_abs()
    }

    fn record(&self, start: u32) -> PathBuf {
        self.scratch.file(&format!("{start}.tape"))
    }

    fn start(&mut self) -> Result<()> {
        let scenario = self.job.scenario;
        self.starts += 1;
        let names = scenario.line.links.iter().map(|link| link.name.clone());
        let how = Start {
            program: self.job.program.clone(),
            config: scenario.config.clone(),
            recipe: scenario.recipe.clone(),
            ports: names.zip(self.line.ports().iter().cloned()).collect(),
            record: Some(self.record(self.starts)),
            faults: link_faults(scenario, self.job.seed, self.now_us()),
        };
        self.daemon = Some(Daemon::start(&how)?);
        Ok(())
    }

    fn daemon(&mut self) -> Result<&mut Daemon> {
        self.daemon.as_mut().context("the program does not run")
    }

    /// Runs until the pearls are through.
    fn run(&mut self) -> Result<()> {
        let length_us = whole_us(self.job.scenario.length.real_seconds);
        let began = Instant::now();
        loop {
            std::thread::sleep(LOOK);
            self.look()?;
            if !self.sorted && began.elapsed() > READY {
                bail!("the line was not ready within {} s", READY.as_secs());
            }
            if self.now_us() >= length_us && self.deeds.is_empty() {
                break;
            }
        }
        self.line.stop_feeding();
        let stopped = Instant::now();
        let mut done = None;
        while stopped.elapsed() < DRAIN {
            std::thread::sleep(LOOK);
            self.look()?;
            if self.line.is_done() && done.get_or_insert_with(Instant::now).elapsed() > SETTLE {
                return Ok(());
            }
        }
        bail!("the line did not run empty within {} s", DRAIN.as_secs())
    }

    /// One look at everything: takes what has happened, does what is due, plays the operator.
    fn look(&mut self) -> Result<()> {
        self.truth.add(self.line.take()?);
        let now_us = self.now_us();
        while let Some((_, deed)) = self.deeds.pop_if(|(us, _)| *us <= now_us) {
            self.act(deed)?;
        }
        if self.stalled {
            return Ok(());
        }
        let Some(daemon) = &mut self.daemon else { return Ok(()) };
        if self.asked.elapsed() >= ASK {
            self.asked = Instant::now();
            daemon.say("state")?;
        }
        while let Some(state) = self.daemon()?.state_within(Duration::ZERO)? {
            self.hear(&state)?;
        }
        Ok(())
    }

    fn hear(&mut self, state: &Value) -> Result<()> {
        self.off += u64::from(!adds_up(state));
        self.faults_told |= state["link_faults"] == true;
        self.sorted |= state["state"] == "Running";
        let is_running = matches!(state["state"].as_str(), Some("Running" | "Starting" | "Holding"));
        if is_running {
            self.stands_since = None;
            if let Some(since) = self.restarted.take_if(|_| state["state"] == "Running") {
                self.back_after = Some(since.elapsed().as_secs_f64());
            }
            return Ok(());
        }
        let over_us = self.job.scenario.trouble_us().map_or(0, |(_, over_us)| over_us);
        if self.by_hand || self.now_us() < over_us + OPERATOR_US || !self.sorted {
            return Ok(());
        }
        let since = *self.stands_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= Duration::from_micros(OPERATOR_US) {
            self.stands_since = None;
            let bins = self.job.scenario.machine.plan.bins;
            for bin in 1..=bins {
                self.daemon()?.say(&format!("release {bin}"))?;
            }
            self.daemon()?.say("acknowledge")?;
            self.daemon()?.say("start")?;
        }
        Ok(())
    }

    fn act(&mut self, deed: Deed) -> Result<()> {
        match deed {
            Deed::Command(command) => {
                self.by_hand = match command {
                    Command::Hold | Command::Stop => true,
                    Command::Start => false,
                    _ => self.by_hand,
                };
                self.daemon()?.say(&word(command))
            }
            Deed::Stall(stalled) => {
                self.stalled = stalled;
                self.daemon()?.stall(stalled)
            }
            Deed::FullDisk(full) => {
                let record = self.record(self.starts);
                let size = std::fs::metadata(&record).map_or(0, |file| file.len());
                self.daemon()?.limit_files(full.then_some(size))
            }
            Deed::Kill => self.daemon.take().context("the program does not run")?.kill(),
            Deed::Restart => {
                self.restarted = Some(Instant::now());
                self.start()
            }
        }
    }

    /// What to say of a run that went wrong: whether the boards closed their valves.
    fn failed(mut self, error: anyhow::Error) -> anyhow::Error {
        drop(self.daemon.take());
        std::thread::sleep(WATCHDOG);
        if let Ok(taken) = self.line.take() {
            self.truth.add(taken);
        }
        let valves = self.truth.open_valves();
        self.line.end();
        let text = if valves == 0 {
            "every valve is closed".to_owned()
        } else {
            format!("{valves} VALVES ARE STILL OPEN")
        };
        error.context(text)
    }

    fn end(mut self) -> Result<Observed> {
        let scenario = self.job.scenario;
        let until_us = whole_us(scenario.length.real_seconds).min(self.now_us());
        let daemon = self.daemon.take().context("the program does not run")?;
        let log = daemon.log();
        self.end = daemon.stop(STOP)?;
        self.truth.add(self.line.take()?);
        let zero: HostUs = self.line.zero();
        let stall_us = self.line.longest_stall_us();
        self.line.end();
        let killed = has(scenario, HostFault::Killed);
        let full = has(scenario, HostFault::DiskFull);
        for start in 1..=self.starts {
            let path = self.scratch.file(&format!("{start}.tape"));
            let mut story = Story::read(&path, scenario)?;
            if (killed && start < self.starts) || full {
                story.forget_the_last(KILLED_US);
            }
            self.stories.push(story);
        }
        if let Some(folder) = &self.job.trace {
            let name = self.job.file_name();
            let trace = self.truth.trace();
            trace
                .write(folder, &name, &scenario.machine.plan)
                .with_context(|| format!("traces can't be written to {}", folder.display()))?;
        }
        self.disk_told = log.contains("can't be written any more");
        let mut observed = self.truth.judge(scenario, zero, self.stories, killed || full);
        observed.trouble_us = scenario.trouble_us();
        observed.until_us = until_us;
        observed.boards = vec![self.boards];
        if stall_us > 20_000 {
            observed
                .complaints
                .push(format!("the line's own thread stood still for {} ms", stall_us / 1_000));
        }
        let others = &mut observed.others;
        others.insert("accounts-off", self.off as f64);
        others.insert("faults-told", f64::from(u8::from(self.faults_told)));
        others.insert("disk-full-told", f64::from(u8::from(self.disk_told)));
        if let Some(seconds) = self.back_after {
            others.insert("left-behind-s", seconds);
        } else if killed {
            others.insert("left-behind-s", f64::INFINITY);
        }
        if let Some(summary) = &mut observed.summary {
            let count = |key: &str| self.end[key].as_u64().unwrap_or(0);
            summary.seed = self.job.seed;
            summary.late = count("late");
            summary.cancelled = count("cancelled");
            summary.repeats += count("repeats");
            summary.crc_errors += count("crc_errors");
            others.insert("hot-allocations", count("hot_allocations") as f64);
        }
        Ok(observed)
    }
}

fn has(scenario: &Scenario, wanted: HostFault) -> bool {
    scenario.host_faults.iter().any(|(_, _, fault)| *fault == wanted)
}

/// What is done to the program, by falling time.
fn deeds(scenario: &Scenario) -> Vec<(u64, Deed)> {
    let mut deeds: Vec<(u64, Deed)> = Vec::new();
    for (us, command) in &scenario.commands {
        deeds.push((*us, Deed::Command(*command)));
    }
    for timed in &scenario.faults.faults {
        if timed.fault == Fault::HostStall {
            deeds.push((timed.from_us, Deed::Stall(true)));
            deeds.push((timed.until_us, Deed::Stall(false)));
        }
    }
    for (from_us, until_us, fault) in &scenario.host_faults {
        let (begin, over) = match fault {
            HostFault::DiskFull => (Deed::FullDisk(true), Deed::FullDisk(false)),
            HostFault::Killed => (Deed::Kill, Deed::Restart),
        };
        deeds.push((*from_us, begin));
        deeds.push((*until_us, over));
    }
    deeds.sort_by_key(|(us, _)| core::cmp::Reverse(*us));
    deeds
}

/// A command as the program's input has it.
fn word(command: Command) -> String {
    match command {
        Command::Start => "start".to_owned(),
        Command::Hold => "hold".to_owned(),
        Command::Stop => "stop".to_owned(),
        Command::Acknowledge => "acknowledge".to_owned(),
        Command::Inhibit { bin, on: true } => format!("inhibit {}", bin.0 + 1),
        Command::Inhibit { bin, on: false } => format!("allow {}", bin.0 + 1),
        Command::Release { bin } => format!("release {}", bin.0 + 1),
        other => unreachable!("no scenario gives {other:?}"),
    }
}

/// The scenario's link faults as the program takes them; its time begins `now_us` after the line's.
fn link_faults(scenario: &Scenario, seed: u64, now_us: u64) -> Option<String> {
    use devices::faults::LinkFault;
    let mut entries = Vec::new();
    for timed in &scenario.faults.faults {
        let Fault::Link { board, fault } = timed.fault else {
            continue;
        };
        let name = &scenario.line.links[board.index()].name;
        let s = |us: u64| us.saturating_sub(now_us) as f64 * 1e-6;
        let what = match fault {
            LinkFault::Noise { drop, double, flip } => format!("drop={drop} double={double} flip={flip}"),
            LinkFault::Delay { most_us } => format!("delay-ms={}", f64::from(most_us) * 1e-3),
            LinkFault::Reorder { share } => format!("reorder={share}"),
            LinkFault::Stall => "stall".to_owned(),
            LinkFault::Cut => "cut".to_owned(),
        };
        if timed.until_us > now_us {
            entries.push(format!("{name} {}..{} {what}", s(timed.from_us), s(timed.until_us)));
        }
    }
    (!entries.is_empty()).then(|| format!("seed={seed}; {}", entries.join("; ")))
}
