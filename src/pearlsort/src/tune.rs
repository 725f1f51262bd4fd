//! `pearlsort tune`: what a recipe would have done with the pearls of a recording, beside what another did. Nothing touches a
//! pearl.
//!
//! Cold. The recording is replayed, so that every pearl has the figures that the core matched to it, and both recipes grade
//! them with the tables that the core uses. Words: a **slot** is where a recipe sends a pearl by its figures alone: conflicts
//! at the jets are the line's, and not in the tables.

mod count;
mod plot;
mod side;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use line::Record;
use setup::compare::figures_of;
use tracing::warn;

use self::count::Counts;
use self::plot::Plots;
pub use self::side::Side;
use self::side::slot_name;
use crate::cli::{ExplainArgs, TuneArgs};
use crate::exit::{Exit, Failure};
use crate::replay;

/// Tries a recipe on a recording, and tells bin by bin what it changes.
///
/// # Errors
/// When the recording or a recipe can't be used.
pub fn tune(arguments: &TuneArgs) -> Result<ExitCode> {
    let began = Instant::now();
    let new = Side::of_file(&arguments.recipe)?;
    let mut reader = replay::open(&arguments.recording)?;
    let plan = replay::plan_of(reader.head())?;
    reader.begin()?;
    let old = match &arguments.against {
        Some(path) => Side::of_file(path)?,
        None => Side::of_recording(&reader)?,
    };
    for side in [&new, &old] {
        side.fits(&plan)?;
    }
    let mut counts = Counts::new(arguments.moved);
    let mut plots = arguments.plots.is_some().then(|| Plots::new(&old, &new));
    let replayed = replay::run(&mut reader, plan, |record| {
        counts.take(record, &old, &new);
        if let Some(plots) = &mut plots {
            plots.take(record);
        }
    })?;
    if !replayed.is_same() {
        warn!("the replay is not the run's: see `pearlsort replay`; the tables are of the replay");
    }
    print!("{}", counts.report(&old, &new));
    if let (Some(plots), Some(folder)) = (plots, &arguments.plots) {
        let paths = plots.write(folder, &old, &new)?;
        println!("\n{} plots in {}", paths.len(), folder.display());
    }
    println!(
        "\n{} pearls in {:.1} s",
        replayed.records,
        began.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}

/// Says why one pearl of a recording went where it went, by the recipe that graded it or by another.
///
/// # Errors
/// When the recording or the recipe can't be used, or there is no such pearl.
pub fn explain(arguments: &ExplainArgs) -> Result<ExitCode> {
    let mut reader = replay::open(&arguments.recording)?;
    let plan = replay::plan_of(reader.head())?;
    let mut found = None;
    replay::run(&mut reader, plan, |record| {
        if record.pearl.0 == arguments.pearl {
            found = Some(*record);
        }
    })?;
    let Some(record) = found else {
        return Err(Failure::new(
            Exit::Data,
            format!("the recording has no record of pearl {}", arguments.pearl),
        )
        .into());
    };
    let side = match &arguments.recipe {
        Some(path) => Side::of_file(path)?,
        None => Side::of_entry(reader.recipe(record.recipe).ok_or_else(|| {
            Failure::new(
                Exit::Data,
                format!("the recording does not hold recipe {:016x}", record.recipe),
            )
        })?)?,
    };
    print!("{}", story(&record, &side));
    Ok(ExitCode::SUCCESS)
}

/// What is known of a pearl, and how each bin of the recipe stands to it.
fn story(record: &Record, side: &Side) -> String {
    let mut text = format!(
        "pearl {}: lane {}, trigger {} at {:.3} s, {:.2} mm long in the eye, recipe {:016x}, lot {}\nsent: {:?}; seen: {:?}\n",
        record.pearl.0,
        record.lane.0 + 1,
        record.seq.0,
        record.triggered.0 as f64 * 1e-6,
        f64::from(record.length.0) * 1e-3,
        record.recipe,
        record.lot,
        record.sent,
        record.landing,
    );
    let Some(figures) = figures_of(record) else {
        text.push_str("the line did not grade it: no recipe would have changed that\n");
        return text;
    };
    let slot = side.slot(record, figures);
    text.push_str(&format!(
        "by {} it belongs here: {}\n",
        side.title(),
        slot_name(side, slot)
    ));
    text.push_str(&side.answers(record.lane, figures));
    text
}

/// A file's name for people.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
