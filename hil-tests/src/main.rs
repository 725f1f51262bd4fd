//! The rig runner's command line. Cold.
//!
//! Exit codes after sysexits.h: 0 all passed; 1 a requirement was not met (`failed`); 64 wrong usage; 65 a file that can't be
//! used; 69 a rig did not work, or a scenario's verdict is `error`.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use hil_tests::broken::Break;
use hil_tests::manifest::Manifest;
use hil_tests::report::{self, Report};
use hil_tests::rig::Rig;
use hil_tests::rigs::daemon::program_beside;
use hil_tests::runner::{self, Outcome, Plan, Skipped};
use hil_tests::scenario::{self, Scenario, ScenarioError};
use hil_tests::verdict::Verdict;
use hil_tests::{conformance, qemu, random, soak};

const USAGE: u8 = 64;
const DATA: u8 = 65;
/// The scenario whose line random timetables and soaks run on.
const BASE: &str = "nominal";

/// Proves a line before pearls run on it.
#[derive(Debug, Parser)]
#[command(name = "hil-tests", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Folder with scenarios/, rigs/ and config/ [default: hil-tests].
    #[arg(long, global = true, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios on a rig.
    Run(RunArgs),
    /// List scenarios: which a rig can run, and why not the others.
    List {
        /// The rig, by name or file.
        #[arg(long, default_value = "virtual")]
        rig: String,
    },
    /// Run timetables of faults drawn from seeds, in virtual time.
    Random(RandomArgs),
    /// Let the program sort for a time, and watch it.
    Soak(SoakArgs),
    /// Hold a board against what every board must do.
    Conformance(ConformanceArgs),
    /// Say how large the firmware is and what its worst order costs.
    Firmware,
}

#[derive(Debug, Args)]
struct ConformanceArgs {
    /// The board: `virtual`, `qemu` (the firmware in an emulator), or the path of its port.
    #[arg(default_value = "virtual")]
    board: String,
    /// Only checks whose names contain this.
    #[arg(long)]
    only: Option<String>,
    /// Speed of a port.
    #[arg(long, default_value_t = 1_000_000)]
    baud: u32,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Scenarios, by name or file; without any, all of them.
    scenarios: Vec<String>,
    /// The rig, by name or file.
    #[arg(long, default_value = "virtual")]
    rig: String,
    /// Runs of each scenario; each has the next seed.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    /// Seed of the first run of each, in place of the scenario's own.
    #[arg(long)]
    seed: Option<u64>,
    /// Write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the results as a page of HTML.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the results as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write traces of every run into this folder: NAME-SEED.vcd and .csv.
    #[arg(long, value_name = "FOLDER")]
    trace: Option<PathBuf>,
    /// Break the core on purpose, in virtual time only: one-bin-up, orders-late, link-records-lost, cancels-lost.
    #[arg(long = "break", value_name = "NAME", value_parser = break_of)]
    breaks: Option<Break>,
    /// Runs at once [default: one a processor in virtual time, one alone in real time].
    #[arg(long)]
    jobs: Option<usize>,
    /// The program, on rigs that run it [default: the one beside this runner].
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RandomArgs {
    /// Timetables to run.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// The first seed; each timetable has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Break the core on purpose, to see that it is found out.
    #[arg(long = "break", value_name = "NAME", value_parser = break_of)]
    breaks: Option<Break>,
    /// Runs at once [default: one a processor].
    #[arg(long)]
    jobs: Option<usize>,
}

#[derive(Debug, Args)]
struct SoakArgs {
    /// The rig; only `pty` can be soaked.
    #[arg(long, default_value = "pty")]
    rig: String,
    /// How long, minutes.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The program [default: the one beside this runner].
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

fn break_of(name: &str) -> Result<Break, String> {
    Break::find(name).ok_or_else(|| format!("write one of {}", Break::names().join(", ")))
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where the terminal is gone there is nobody to tell.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let folder = cli.folder.unwrap_or_else(own_folder);
    let result = match &cli.command {
        Command::Run(arguments) => run(&folder, arguments),
        Command::List { rig } => list(&folder, rig),
        Command::Random(arguments) => random(&folder, arguments),
        Command::Soak(arguments) => soak(&folder, arguments),
        Command::Conformance(arguments) => conform(arguments),
        Command::Firmware => firmware(),
    };
    match result {
        Ok(verdict) => ExitCode::from(verdict.exit_code()),
        Err(error) => {
            eprintln!("hil-tests: {error:#}");
            let is_file = error.downcast_ref::<ScenarioError>().is_some();
            ExitCode::from(if is_file { DATA } else { Verdict::Error.exit_code() })
        }
    }
}

/// The folder of this crate, seen from the working folder where that is possible.
fn own_folder() -> PathBuf {
    let here = PathBuf::from("hil-tests");
    if here.join("scenarios").is_dir() {
        here
    } else {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }
}

/// A rig or scenario, by name or file.
fn file_of(folder: &Path, kind: &str, name: &str) -> Result<PathBuf> {
    let given = PathBuf::from(name);
    if name.ends_with(".toml") {
        return Ok(given);
    }
    let path = folder.join(kind).join(format!("{name}.toml"));
    if path.is_file() {
        return Ok(path);
    }
    let files = scenario::files(&folder.join(kind)).with_context(|| format!("{}/{kind}", folder.display()))?;
    let names: Vec<String> = files.iter().map(|file| scenario::name_of(file)).collect();
    let near = config::nearest(name, names.iter().map(String::as_str));
    let help = near.map_or_else(|| names.join(", "), |near| format!("did you mean {near}?"));
    bail!("{} has no {name}: {help}", folder.join(kind).display())
}

fn rig_of(folder: &Path, name: &str) -> Result<Rig> {
    Ok(Rig::load(&file_of(folder, "rigs", name)?)?)
}

/// A scenario with its name; a file that can't be used is a verdict of its own, and the rest goes on.
type Named = (String, Result<Scenario, ScenarioError>);

/// The scenarios named, or all; and those that the rig's own machine can't have, with why.
fn scenarios_of(folder: &Path, names: &[String], rig: &Rig) -> Result<(Vec<Named>, Vec<Skipped>)> {
    let files = if names.is_empty() {
        scenario::files(&folder.join("scenarios")).with_context(|| format!("{}/scenarios", folder.display()))?
    } else {
        let files = names.iter().map(|name| file_of(folder, "scenarios", name));
        files.collect::<Result<_>>()?
    };
    let (mut scenarios, mut skipped) = (Vec::new(), Vec::new());
    for file in &files {
        let name = scenario::name_of(file);
        let loaded = Scenario::load(file);
        match (&rig.config, loaded) {
            (Some(machine), Ok(_)) => match Scenario::load_on(file, machine) {
                Ok(scenario) => scenarios.push((name, Ok(scenario))),
                Err(error) => skipped.push(Skipped {
                    scenario: name,
                    why: error.message,
                }),
            },
            (_, loaded) => scenarios.push((name, loaded)),
        }
    }
    Ok((scenarios, skipped))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn run(folder: &Path, arguments: &RunArgs) -> Result<Verdict> {
    let rig = rig_of(folder, &arguments.rig)?;
    if arguments.breaks.is_some() && !rig.can.contains(&hil_tests::rig::Capability::BrokenCore) {
        bail!("--break needs a rig in virtual time: the shipped program can't be broken");
    }
    let is_process = rig.engine != hil_tests::rig::Engine::Virtual;
    let program = match (&arguments.program, is_process) {
        (Some(program), _) => program.clone(),
        (None, true) => program_beside()?,
        (None, false) => PathBuf::new(),
    };
    let (scenarios, skipped) = scenarios_of(folder, &arguments.scenarios, &rig)?;
    let plan = Plan {
        scenarios,
        skipped,
        rig,
        seed: arguments.seed,
        repeat: arguments.repeat,
        trace: arguments.trace.clone(),
        breaks: arguments.breaks,
        program,
        jobs: arguments.jobs,
    };
    let (outcomes, skipped) = runner::run(&plan, |outcome| {
        println!("{}", report::progress(outcome));
        if outcome.verdict == Verdict::Failed {
            println!("        again: {}", again(arguments, outcome));
        }
    });
    let configs: std::collections::BTreeSet<&Path> = plan
        .scenarios
        .iter()
        .filter_map(|(_, scenario)| scenario.as_ref().ok())
        .map(|scenario| scenario.config.as_path())
        .collect();
    let boards: std::collections::BTreeSet<String> =
        outcomes.iter().flat_map(|outcome| outcome.boards.clone()).collect();
    let configs: Vec<&Path> = configs.into_iter().collect();
    let boards: Vec<String> = boards.into_iter().collect();
    let report = Report {
        manifest: Manifest::of(&plan.rig, &configs, &boards),
        outcomes,
        skipped,
    };
    println!("\n{}", report::table(&report));
    write(arguments.junit.as_deref(), || Ok(report::junit(&report)))?;
    write(arguments.html.as_deref(), || Ok(report::html(&report)))?;
    write(arguments.json.as_deref(), || {
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    })?;
    Ok(Outcome::worst(&report.outcomes))
}

/// The command that runs a run again.
fn again(arguments: &RunArgs, outcome: &Outcome) -> String {
    let breaks = arguments
        .breaks
        .map_or_else(String::new, |breaks| format!(" --break {}", breaks.name()));
    format!(
        "hil-tests run {} --rig {} --seed {}{breaks}",
        outcome.scenario, arguments.rig, outcome.seed
    )
}

fn write(path: Option<&Path>, text: impl FnOnce() -> Result<String>) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    }
    std::fs::write(path, text()?).with_context(|| format!("{} can't be written", path.display()))
}

fn list(folder: &Path, rig: &str) -> Result<Verdict> {
    let rig = rig_of(folder, rig)?;
    println!("rig {}: {}", rig.name, rig.about);
    let (mut can, mut all, mut verdict) = (0, 0, Verdict::Passed);
    let (scenarios, skipped) = scenarios_of(folder, &[], &rig)?;
    for skipped in skipped {
        all += 1;
        println!("  not    {}: {}", skipped.scenario, skipped.why);
    }
    for (name, scenario) in scenarios {
        all += 1;
        match scenario {
            Err(error) => {
                verdict = Verdict::Error;
                println!("  error  {name}: {error}");
            }
            Ok(scenario) => match rig.lacks(&scenario) {
                None => {
                    can += 1;
                    println!("  runs   {name}: {}", scenario.about);
                }
                Some(why) => println!("  not    {name}: {why}"),
            },
        }
    }
    println!("{can} of {all} scenarios run on {}", rig.name);
    Ok(verdict)
}

fn random(folder: &Path, arguments: &RandomArgs) -> Result<Verdict> {
    let base = Scenario::load(&file_of(folder, "scenarios", BASE)?)?;
    let jobs = arguments.jobs.unwrap_or_else(processors);
    let (bad, pearls) = random::run(&base, arguments.seed, arguments.count, arguments.breaks, jobs, |done| {
        if done % 100 == 0 {
            println!("{done} of {} timetables", arguments.count);
        }
    });
    for shown in &bad {
        println!(
            "seed {}: {} (digest {})",
            shown.seed,
            shown.broken.join(", "),
            shown.digest
        );
        for timed in &shown.faults.faults {
            let (from_s, until_s) = (timed.from_us as f64 * 1e-6, timed.until_us as f64 * 1e-6);
            println!("    {from_s:.3} to {until_s:.3} s: {:?}", timed.fault);
        }
        for complaint in shown.complaints.iter().take(if arguments.count == 1 { 20 } else { 3 }) {
            println!("    {complaint}");
        }
        if arguments.count == 1 {
            for (at_us, notice) in &shown.notices {
                println!("    {:.6} s: {notice:?}", *at_us as f64 * 1e-6);
            }
        } else {
            let breaks = arguments
                .breaks
                .map_or_else(String::new, |breaks| format!(" --break {}", breaks.name()));
            println!("    again: hil-tests random --seed {} --count 1{breaks}", shown.seed);
        }
    }
    println!(
        "{} of {} timetables broke something, {pearls} pearls",
        bad.len(),
        arguments.count
    );
    Ok(if bad.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed
    })
}

fn conform(arguments: &ConformanceArgs) -> Result<Verdict> {
    let only = arguments.only.as_deref();
    let say = |finding: &conformance::Finding| println!("{finding}");
    let findings = match arguments.board.as_str() {
        "virtual" => conformance::run(&mut conformance::VirtualBoard::new(), only, say),
        "qemu" => {
            let (mut board, _emulator) = qemu::subject(&qemu::firmware()?)?;
            conformance::run(&mut board, only, say)
        }
        port => conformance::run(
            &mut conformance::Live::open(Path::new(port), arguments.baud)?,
            only,
            say,
        ),
    };
    let count = |is: fn(&conformance::Outcome) -> bool| findings.iter().filter(|finding| is(&finding.outcome)).count();
    let failed = count(|outcome| matches!(outcome, conformance::Outcome::Failed(_)));
    let errors = count(|outcome| matches!(outcome, conformance::Outcome::Error(_)));
    let not_here = count(|outcome| matches!(outcome, conformance::Outcome::NotHere(_)));
    let passed = findings.len() - failed - errors - not_here;
    println!("{passed} passed, {failed} failed, {errors} errors, {not_here} not possible here");
    Ok(match (errors, failed, passed) {
        (1.., _, _) | (0, 0, 0) => Verdict::Error,
        (0, 1.., _) => Verdict::Failed,
        _ => Verdict::Passed,
    })
}

fn firmware() -> Result<Verdict> {
    let path = qemu::firmware()?;
    let sizes: Vec<String> = qemu::sizes(&path)?
        .iter()
        .map(|(section, bytes)| format!("{section} {bytes}"))
        .collect();
    println!("bytes: {}", sizes.join(", "));
    println!("{}", qemu::cost(&path)?);
    Ok(Verdict::Passed)
}

fn soak(folder: &Path, arguments: &SoakArgs) -> Result<Verdict> {
    let rig = rig_of(folder, &arguments.rig)?;
    if rig.engine != hil_tests::rig::Engine::Pty {
        bail!("rig {} can't be soaked: only pty can", rig.name);
    }
    if !(0.1..=100_000.0).contains(&arguments.minutes) {
        bail!("--minutes {} must be 0.1 to 100000", arguments.minutes);
    }
    let base = Scenario::load(&file_of(folder, "scenarios", BASE)?)?;
    let program = arguments.program.clone().map_or_else(program_beside, Ok)?;
    let length = Duration::from_secs_f64(arguments.minutes * 60.0);
    let soaked = soak::run(&base, &program, length, |line| println!("{line}"))?;
    println!("{}", serde_json::to_string_pretty(&soaked)?);
    write(arguments.json.as_deref(), || {
        Ok(serde_json::to_string_pretty(&soaked)? + "\n")
    })?;
    Ok(if soaked.complaints.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed
    })
}
