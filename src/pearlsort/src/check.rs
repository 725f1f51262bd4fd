//! `pearlsort check FILE...`: every fault of every file, pointed at, all at once. Cold.

use std::process::ExitCode;

use config::Severity;

use crate::cli::CheckArgs;
use crate::exit::Exit;

/// Checks the files and prints what is wrong with them.
#[must_use]
pub fn check(arguments: &CheckArgs) -> ExitCode {
    let report = config::check_files(&arguments.files);
    print!("{report}");
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let files = counted(report.files, "file");
    if report.has_errors() {
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
