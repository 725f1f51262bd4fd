//! `pearlsort measure DIR`: figures of pearls from recorded views, with their uncertainties, and scored against the truth
//! where it is known. Cold.

use std::process::ExitCode;

use anyhow::Result;
use setup::camera::station::Station;
use vision::{Calibration, Limits};

use crate::cli::MeasureArgs;
use crate::exit::{Exit, Failure};

/// Measures a folder of views. The figures go to standard output as CSV, one line a pearl; with `--score` a table of how
/// they compare goes there instead.
///
/// # Errors
/// When the folder or the truth can't be read.
pub fn measure(arguments: &MeasureArgs) -> Result<ExitCode> {
    let input = |error: &dyn std::fmt::Display| Failure::new(Exit::NoInput, error.to_string());
    let calibration = calibration(arguments)?;
    let rows = inspect::measure(&arguments.folder, &calibration, Limits::default()).map_err(|error| input(&error))?;
    let Some(path) = &arguments.score else {
        println!("{}", inspect::COLUMNS);
        for row in &rows {
            println!("{}", row.csv());
        }
        return Ok(ExitCode::SUCCESS);
    };
    let truths = inspect::read_truth(path).map_err(|error| input(&error))?;
    print!("{}", inspect::score(&rows, &truths));
    Ok(ExitCode::SUCCESS)
}

/// The calibration that the command line asks for.
fn calibration(arguments: &MeasureArgs) -> Result<Calibration> {
    let mut calibration = match &arguments.calibration {
        None => Calibration::nominal(),
        Some(path) => Station::read(path)
            .map_err(|error| Failure::new(Exit::Config, error.to_string()))?
            .calibration(),
    };
    if let Some(px_per_mm) = arguments.scale {
        for camera in &mut calibration.cameras {
            camera.px_per_mm = px_per_mm;
        }
    }
    Ok(calibration)
}
