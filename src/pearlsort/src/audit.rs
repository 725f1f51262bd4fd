//! `pearlsort audit verify`: follows the audit trail of a store from its first entry, whether or not a line writes it. Cold.

use std::process::ExitCode;

use anyhow::Result;
use store::{Reader, StoreError, Verdict};

use crate::cli::AuditVerifyArgs;
use crate::exit::{Exit, Failure};

/// Follows the trail and says whether it is whole, or which link is the first that does not hold.
///
/// # Errors
/// When the store can't be read.
pub fn verify(arguments: &AuditVerifyArgs) -> Result<ExitCode> {
    let reader = Reader::open(&arguments.store).map_err(failure)?;
    let verdict = reader.verify_audit(arguments.head.as_ref()).map_err(failure)?;
    let faults = if arguments.records {
        faults_of_records(&reader)?
    } else {
        Vec::new()
    };
    if arguments.json {
        let figures = serde_json::json!({ "audit": verdict, "faults": faults });
        println!("{figures:#}");
    } else {
        tell(arguments, &verdict, &faults);
    }
    let is_well = matches!(verdict, Verdict::Whole(_)) && faults.is_empty();
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Exit::Verdict as u8)
    })
}

/// What the file and its sums have wrong with them, a line each.
fn faults_of_records(reader: &Reader) -> Result<Vec<String>> {
    let mut faults = reader.verify_file().map_err(failure)?;
    for fault in reader.verify_sums().map_err(failure)? {
        faults.push(format!(
            "sum of {}: {} passes and {} ug stand there, the records have {} and {}",
            fault.sum, fault.stands.passes, fault.stands.mass_ug, fault.counted.passes, fault.counted.mass_ug
        ));
    }
    Ok(faults)
}

fn tell(arguments: &AuditVerifyArgs, verdict: &Verdict, faults: &[String]) {
    let store = arguments.store.display();
    match verdict {
        Verdict::Whole(head) => {
            println!(
                "{store}: the audit trail is whole: {} entries, the last is",
                head.number
            );
            println!("{head}");
            if arguments.head.is_none() {
                println!(
                    "(a trail written again from some entry on is found with --head and the end that a report names)"
                );
            }
        }
        Verdict::Broken(link) => {
            println!(
                "{store}: the audit trail is broken at entry {}: {}",
                link.number, link.why
            );
            println!("the entries before it hold; it and those after it prove nothing");
        }
    }
    for fault in faults {
        println!("{store}: {fault}");
    }
    if arguments.records && faults.is_empty() {
        println!("the file is sound, and every sum equals its records");
    }
}

/// What is wrong with a store, as a failure of the command.
#[must_use]
pub fn failure(error: StoreError) -> Failure {
    let exit = match &error {
        StoreError::Missing { .. } => Exit::NoInput,
        StoreError::ReadOnly { .. } => Exit::NoPermission,
        StoreError::InUse { .. } | StoreError::Locked { .. } => Exit::Unavailable,
        StoreError::Newer { .. }
        | StoreError::Older { .. }
        | StoreError::Damaged { .. }
        | StoreError::NotAStore { .. } => Exit::Data,
        StoreError::Full { .. } | StoreError::Gone { .. } | StoreError::Io { .. } | StoreError::Sql { .. } => Exit::Io,
    };
    Failure::new(exit, error.to_string())
}
