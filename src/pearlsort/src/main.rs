//! Entry of the program: parses the command line, runs the command, tells errors and exits with their code. Cold.

#![forbid(unsafe_code)]

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;
use pearlsort::cli::{AuditCommand, Cli, Command, DiagnoseCommand, LotCommand, ScaleCommand};
use pearlsort::{
    ask, audit, calibrate, cells, check, demo, doctor, exit, lot, measure, replay, run, scale, simulate, suggest, tune,
    weigh,
};
use tracing_subscriber::EnvFilter;

/// Counts what the hot thread allocates: it must be nothing.
#[global_allocator]
static ALLOCATOR: rt::alloc::CountingAllocator = rt::alloc::CountingAllocator;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where the terminal is gone there is nobody to tell.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(exit::Exit::Usage as u8)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    start_log(&cli);
    let result = match &cli.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Check(arguments) => Ok(check::check(arguments)),
        Command::Demo(arguments) => demo::demo(arguments),
        Command::Replay(arguments) => replay::replay(arguments),
        Command::Tune(arguments) => tune::tune(arguments),
        Command::Suggest(arguments) => suggest::suggest(arguments),
        Command::Explain(arguments) => tune::explain(arguments),
        Command::Sim(arguments) => simulate::simulate(arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments),
        Command::Calibrate(command) => calibrate::from_command_line(command),
        Command::Identify(arguments) => cells::identify(arguments),
        Command::Weigh(arguments) => weigh::weigh(arguments),
        Command::Diagnose(DiagnoseCommand::Weigh(arguments)) => weigh::diagnose(arguments),
        Command::Measure(arguments) => measure::measure(arguments),
        Command::Scale(ScaleCommand::Read(arguments)) => scale::read(arguments),
        Command::Status(arguments) => ask::status(arguments),
        Command::Lot(LotCommand::Export(arguments)) => lot::export(arguments),
        Command::Lot(command) => ask::lot(command),
        Command::Alarm(command) => ask::alarm(command),
        Command::Audit(AuditCommand::Verify(arguments)) => audit::verify(arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("pearlsort: {error:#}");
        exit::code_of(&error)
    })
}

/// The log goes to standard error, so that standard output is the command's own.
fn start_log(cli: &Cli) {
    let usual = match (&cli.command, cli.verbose) {
        (Command::Demo(_), 0) => "warn",
        (_, 0) => "info",
        (_, 1) => "debug",
        (_, _) => "trace",
    };
    let filter = EnvFilter::try_from_env("PEARLSORT_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
