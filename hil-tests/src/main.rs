//! The rig runner: the shipped program as a process of its own, against boards behind pseudo-terminals (rig `pty`).
//!
//! Cold. Judges by what truly happened on the line, as `pearlsort sim` tells it at the end. Exit code 0 when everything
//! held, 1 when something did not (`failed`), 2 when the rig itself did not work (`error`).

#![forbid(unsafe_code)]

mod killed;
mod processes;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::verdict::Verdict;

/// Proves a line before pearls run on it.
#[derive(Debug, Parser)]
#[command(name = "hil-tests", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios.
    Run {
        /// Scenarios; without any, all of them.
        scenarios: Vec<Scenario>,
        /// The program; without it, the one built beside this runner.
        #[arg(long, value_name = "FILE")]
        program: Option<PathBuf>,
        /// Seed of the virtual line.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Runs of each scenario; each has the next seed.
        #[arg(long, default_value_t = 1)]
        repeat: u64,
    },
}

/// What can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// The daemon is killed at full rate and started again.
    DaemonKilled,
}

fn main() -> ExitCode {
    let Command::Run {
        scenarios,
        program,
        seed,
        repeat,
    } = Cli::parse().command;
    let scenarios = if scenarios.is_empty() {
        Scenario::value_variants().to_vec()
    } else {
        scenarios
    };
    let program = match program.map_or_else(processes::program_beside, Ok) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("hil-tests: {error:#}");
            return ExitCode::from(2);
        }
    };
    let mut worst = Verdict::Passed;
    for scenario in scenarios {
        for seed in seed..seed + repeat {
            let findings = match scenario {
                Scenario::DaemonKilled => killed::run(&program, seed),
            };
            let name = scenario
                .to_possible_value()
                .map_or_else(String::new, |value| value.get_name().to_owned());
            worst = worst.max(verdict::print(&name, seed, findings));
        }
    }
    ExitCode::from(worst as u8)
}
