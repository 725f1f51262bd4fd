//! `pearlsort check FILE...`: every fault of every file, pointed at, all at once. Cold.

use std::path::PathBuf;
use std::process::ExitCode;

use config::Severity;
use scales::{Setup, SetupError};

use crate::cli::CheckArgs;
use crate::exit::Exit;

/// Checks the files and prints what is wrong with them.
#[must_use]
pub fn check(arguments: &CheckArgs) -> ExitCode {
    let (scales, others): (Vec<PathBuf>, Vec<PathBuf>) = arguments
        .files
        .iter()
        .cloned()
        .partition(|file| scales::is_scale_file(file));
    let report = config::check_files(&others);
    for fault in &report.faults {
        println!("{fault}");
    }
    let wrong_scales: Vec<SetupError> = scales.iter().filter_map(|file| Setup::load(file).err()).collect();
    for error in &wrong_scales {
        println!("error: {error}");
    }
    let (errors, warnings) = (
        report.count(Severity::Error) + wrong_scales.len(),
        report.count(Severity::Warning),
    );
    let files = counted(report.files + scales.len(), "file");
    if errors > 0 {
        println!(
            "{files}: {}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        );
        ExitCode::from(Exit::Config as u8)
    } else if warnings > 0 {
        println!("{files}: no errors, {}", counted(warnings, "warning"));
        ExitCode::SUCCESS
    } else {
        println!("{files}: all right");
        ExitCode::SUCCESS
    }
}

fn counted(count: usize, thing: &str) -> String {
    if count == 1 {
        format!("1 {thing}")
    } else {
        format!("{count} {thing}s")
    }
}
