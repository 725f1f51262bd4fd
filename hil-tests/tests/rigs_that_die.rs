//! Rigs that do not work, or die half-way: the verdict is `error`, the valves are closed, nothing hangs. Needs the shipped
//! program beside the tests; without it the tests say so and are passed over.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hil_tests::rig::{Rig, RigPort};
use hil_tests::runner::{self, Outcome, Plan};
use hil_tests::scenario::Scenario;
use hil_tests::verdict::Verdict;
use sim::demo::{DemoOptions, machine};
use sim::faults::FaultPlan;
use sim::nature::Nature;
use sim::real_time::RealLine;
use sim::world::WorldOptions;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The program that was built beside these tests.
fn program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let program = own.parent()?.parent()?.join("pearlsort");
    if !program.is_file() {
        println!("passed over: no {}", program.display());
        return None;
    }
    Some(program)
}

fn plan(program: PathBuf, rig: &str, scenarios: &[&str], seconds: f64) -> Plan {
    let load = |name: &&str| {
        let mut scenario = Scenario::load(&file(&format!("scenarios/{name}.toml"))).expect("a scenario");
        scenario.length.real_seconds = seconds;
        ((*name).to_owned(), Ok(scenario))
    };
    Plan {
        rig: Rig::load(&file(&format!("rigs/{rig}.toml"))).expect("a rig"),
        scenarios: scenarios.iter().map(load).collect(),
        skipped: Vec::new(),
        seed: None,
        repeat: 1,
        trace: None,
        breaks: None,
        program,
        jobs: None,
    }
}

/// Kills the process below this one that runs `pearlsort run` for a scenario, after so long.
fn kill_the_program_after(wait: Duration, scenario: &'static str) -> std::thread::JoinHandle<bool> {
    let own = std::process::id();
    std::thread::spawn(move || {
        std::thread::sleep(wait);
        let children = format!("/proc/{own}/task");
        let tasks = std::fs::read_dir(children).expect("this process's threads");
        for task in tasks.flatten() {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace() {
                let command = std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
                if command.contains("pearlsort\0run\0") && command.contains(scenario) {
                    let killed = Command::new("kill").args(["-KILL", child]).status();
                    return killed.is_ok_and(|status| status.success());
                }
            }
        }
        false
    })
}

fn only(outcomes: &[Outcome]) -> &Outcome {
    assert_eq!(outcomes.len(), 1);
    &outcomes[0]
}

#[test]
fn a_program_that_is_killed_from_outside_is_an_error_with_every_valve_closed_and_the_next_scenario_runs() {
    let Some(program) = program() else { return };
    let plan = plan(program, "pty", &["nominal", "nominal"], 4.0);
    let killer = kill_the_program_after(Duration::from_secs(3), "-nominal-1/");
    let (outcomes, _) = runner::run(&plan, |_| {});
    assert!(killer.join().expect("the killer"), "there was no program to kill");
    assert_eq!(outcomes[0].verdict, Verdict::Error, "{:?}", outcomes[0]);
    assert!(
        outcomes[0].messages[0].starts_with("every valve is closed: the program ended by itself"),
        "{:?}",
        outcomes[0].messages
    );
    assert_ne!(outcomes[1].verdict, Verdict::Error, "{:?}", outcomes[1].messages);
}

/// A virtual line whose boards stand for real ones.
struct Boards {
    sim: Child,
    ports: Vec<RigPort>,
}

impl Boards {
    fn start(program: &Path) -> Self {
        use std::io::BufRead as _;
        let mut sim = Command::new(program)
            .args(["sim", "--config"])
            .arg(file("config/line.toml"))
            .args(["--rate", "15"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the virtual line starts");
        let lines = std::io::BufReader::new(sim.stdout.take().expect("its ports")).lines();
        let port = |line: String| {
            let (board, path) = line.split_once('=').expect("NAME=PATH");
            RigPort {
                board: board.to_owned(),
                path: path.into(),
            }
        };
        let ports = lines.take(2).map(|line| port(line.expect("a port"))).collect();
        Self { sim, ports }
    }
}

impl Drop for Boards {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.sim.kill();
        let _ = self.sim.wait();
    }
}

#[test]
fn boards_at_ports_pass_and_boards_that_die_half_way_are_an_error() {
    let Some(program) = program() else { return };
    let mut boards = Boards::start(&program);
    let mut plan = plan(program, "bench", &["quiet"], 1.0);
    plan.rig.ports.clone_from(&boards.ports);
    let (outcomes, _) = runner::run(&plan, |_| {});
    assert_eq!(only(&outcomes).verdict, Verdict::Passed, "{:?}", outcomes[0]);
    if let Ok(scenario) = &mut plan.scenarios[0].1 {
        scenario.length.real_seconds = 30.0;
    }
    let ended = std::thread::scope(|scope| {
        let run = scope.spawn(|| runner::run(&plan, |_| {}));
        std::thread::sleep(Duration::from_secs(3));
        boards.sim.kill().expect("it runs");
        run.join().expect("no panic").0
    });
    assert_eq!(only(&ended).verdict, Verdict::Error, "{:?}", ended[0]);
    assert!(
        ended[0].messages[0].contains("a board is gone, or the line holds"),
        "{:?}",
        ended[0].messages
    );
}

#[test]
fn a_port_that_another_program_holds_is_an_error_that_names_it() {
    let Some(program) = program() else { return };
    let line = RealLine::start(
        &machine(16, DemoOptions::default()),
        WorldOptions {
            seed: 1,
            rate: 15.0,
            um_s: 1e6,
            nature: Nature::default(),
            faults: FaultPlan::none(),
            most_pearls: 0,
        },
        1_000_000,
        None,
    )
    .expect("a pty");
    let held: Vec<_> = line
        .ports()
        .iter()
        .map(|path| {
            let port = rt::port::open(path).expect("it is there");
            rt::port::claim(&port).expect("nobody holds it");
            port
        })
        .collect();
    let mut plan = plan(program, "bench", &["quiet"], 1.0);
    for (port, path) in plan.rig.ports.iter_mut().zip(line.ports()) {
        port.path.clone_from(path);
    }
    let (outcomes, _) = runner::run(&plan, |_| {});
    assert_eq!(only(&outcomes).verdict, Verdict::Error, "{:?}", outcomes[0]);
    let message = &outcomes[0].messages[0];
    assert!(
        message.contains("not ready within") && message.contains("/dev/pts/"),
        "{message}"
    );
    drop(held);
}
