//! `pearlsort weigh`, `diagnose weigh` and `calibrate weigh`: recordings of weigh cells, on the command line. Cold.
//!
//! Standard output is the result's own (CSV, table, report); what is told beside it goes to standard error.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use indicatif::ProgressBar;
use setup::weigh::{
    Calibration, CalibrationLog, Demands, Diagnosis, Identified, Load, LogError, Plain, Recording, RecordingError,
    Verdict, calibrate as two_point, default_checks, diagnose as diagnose_cell, identify, plain_readings, read_codes,
    read_recording, score, score_table, weigh as weigh_all, write_readings,
};

use crate::cells;
use crate::cli::{CalibrateWeighArgs, DiagnoseWeighArgs, ReferenceLoad, WeighArgs};
use crate::exit::{Exit, Failure};

/// Weighs every pearl of a recording.
///
/// # Errors
/// When the recording can't be read or no platform is found in it.
pub fn weigh(arguments: &WeighArgs) -> Result<ExitCode> {
    let recording = read(&arguments.folder, arguments.score, arguments.calibration.as_deref())?;
    let checks = default_checks(&recording);
    let bar = working("finding platform, belt lines and noise");
    let identified = identify(&recording, &checks).map_err(|error| data(&error))?;
    bar.set_message("weighing");
    // The estimator is told gates and samples only: the masses are kept for the score.
    let readings = weigh_all(&recording, &identified.model, &checks)
        .map_err(|fault| Failure::new(Exit::Data, format!("the platform found can't be used: {fault:?}")))?;
    bar.finish_and_clear();
    tracing::info!("{}", platform_words(&identified));
    let csv = write_readings(&readings);
    match &arguments.out {
        Some(path) => write_file(path, csv.as_bytes())?,
        None => print(csv.as_bytes())?,
    }
    if arguments.score {
        let mut scores = vec![score("estimator", &recording, &readings).map_err(|error| data(&error))?];
        for filter in Plain::ALL {
            let plain = plain_readings(&recording, filter);
            scores.push(score(filter.name(), &recording, &plain).map_err(|error| data(&error))?);
        }
        let table = score_table(&scores);
        if arguments.out.is_some() {
            print(table.as_bytes())?;
        } else {
            eprint!("{table}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells what a cell's converter, belt and platform do. Exits with 1 when the cell can't weigh.
///
/// # Errors
/// When the recording can't be read or a plot not written.
pub fn diagnose(arguments: &DiagnoseWeighArgs) -> Result<ExitCode> {
    let recording = read(&arguments.folder, false, None)?;
    let checks = default_checks(&recording);
    let bar = working("finding platform, belt lines and noise");
    let diagnosis = diagnose_cell(&recording, &checks);
    bar.finish_and_clear();
    print(report(&diagnosis).as_bytes())?;
    if let Some(folder) = &arguments.svg {
        fs::create_dir_all(folder).map_err(|error| file_failure(folder, &error))?;
        write_file(&folder.join("spectrum.svg"), diagnosis.spectrum_svg().as_bytes())?;
        write_file(&folder.join("pearls.svg"), diagnosis.passage_svg(&recording).as_bytes())?;
        print(format!("plots: {}\n", folder.display()).as_bytes())?;
    }
    let bad = diagnosis.findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(ExitCode::from(if bad { Exit::Verdict as u8 } else { 0 }))
}

/// Calibrates a cell by reference masses and appends the result to the cell's log.
///
/// # Errors
/// When codes or log can't be read or written; when the data are bad, nothing is calibrated.
pub fn calibrate(arguments: &CalibrateWeighArgs) -> Result<ExitCode> {
    let mut log = CalibrationLog::open(&arguments.log).map_err(|error| log_failure(&error))?;
    let empty = codes(&arguments.empty)?;
    let weighed: Vec<(ReferenceLoad, Vec<i32>)> = std::iter::once(&arguments.reference)
        .chain(&arguments.check)
        .map(|load| Ok((load.clone(), codes(&load.path)?)))
        .collect::<Result<_, Failure>>()?;
    let mut loads = vec![Load {
        mass_mg: 0.0,
        u_mg: 0.0,
        codes: &empty,
    }];
    loads.extend(weighed.iter().map(|(load, codes)| Load {
        mass_mg: load.mass_mg,
        u_mg: load.u_mg,
        codes,
    }));
    let stamp = (unix_seconds(), arguments.by.as_str());
    let mut found = two_point(&loads, &Demands::default(), log.latest(), stamp).map_err(|error| data(&error))?;
    found.temperature_c = arguments.temperature_c;
    let cell = arguments.cell.as_deref().map(cells::load).transpose()?;
    // the cell's file counts its changes; a log that knows of more is not told of fewer
    found.cfg = found.cfg.max(cell.map_or(0, |cell| cell.cfg));
    print(calibration_words(&found, log.latest(), &loads).as_bytes())?;
    log.append(found.clone()).map_err(|error| log_failure(&error))?;
    if let (Some(path), Some(mut cell)) = (&arguments.cell, cell) {
        (cell.model.counts_per_mg, cell.cal, cell.cfg) = (found.counts_per_mg, found.cal, found.cfg);
        cells::store(path, &cell)?;
        print(format!("span written to {}\n", path.display()).as_bytes())?;
    }
    print(format!("stored in {}\n", arguments.log.display()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn read(folder: &Path, with_masses: bool, calibration: Option<&Path>) -> Result<Recording, Failure> {
    let mut recording = read_recording(folder, with_masses).map_err(|error| recording_failure(&error))?;
    if let Some(path) = calibration {
        let log = CalibrationLog::open(path).map_err(|error| log_failure(&error))?;
        let latest = log.latest().ok_or_else(|| {
            let message = format!(
                "{}: no calibration in it; make one with `pearlsort calibrate weigh`",
                path.display()
            );
            Failure::new(Exit::NoInput, message)
        })?;
        tracing::info!(
            "span of calibration {}: {:.4} counts/mg",
            latest.cal,
            latest.counts_per_mg
        );
        recording.counts_per_mg = latest.counts_per_mg;
    }
    Ok(recording)
}

fn codes(path: &Path) -> Result<Vec<i32>, Failure> {
    let file = if path.is_dir() {
        path.join("samples.i32")
    } else {
        path.to_owned()
    };
    read_codes(&file).map_err(|error| recording_failure(&error))
}

/// A platform in words.
pub(crate) fn platform_words(found: &Identified) -> String {
    let platform = &found.model.platform;
    let lines: Vec<String> = found.model.lines.hz().iter().map(|hz| format!("{hz:.2}")).collect();
    format!(
        "platform {:.2} Hz, damping {:.4}, moving mass {:.2} g; belt lines at {} Hz; white noise {:.2} mg",
        platform.natural_hz,
        platform.damping,
        platform.effective_mg / 1e3,
        if lines.is_empty() {
            "no".to_owned()
        } else {
            lines.join(", ")
        },
        found.model.noise.white_mg
    )
}

fn report(diagnosis: &Diagnosis) -> String {
    let mut text = format!(
        "samples         {} in {:.1} s, {:.0} a second\ncodes           {} different, {} saturated, longest run of one {}\n",
        diagnosis.samples,
        diagnosis.seconds,
        diagnosis.sample_hz,
        diagnosis.unique_codes,
        diagnosis.saturated,
        diagnosis.longest_run
    );
    if let Ok(found) = &diagnosis.platform {
        text += &format!("{}\n", platform_words(found));
    }
    if !diagnosis.lines.is_empty() {
        text += "lines           Hz       mg   source\n";
    }
    for named in &diagnosis.lines {
        text += &format!(
            "           {:>8.2} {:>8.2}   {}\n",
            named.line.hz, named.line.amplitude, named.name
        );
    }
    for finding in &diagnosis.findings {
        let verdict = match finding.verdict {
            Verdict::Good => "good",
            Verdict::Poor => "poor",
            Verdict::Bad => "bad",
        };
        text += &format!("{verdict:<6} {}\n", finding.text);
    }
    text
}

fn calibration_words(found: &Calibration, before: Option<&Calibration>, loads: &[Load<'_>]) -> String {
    let mut text = format!(
        "CAL {}  CFG {}\nspan {:.5} counts/mg (+- {:.0} ppm), zero {:.1} counts\n   load mg  residual mg   creep mg\n",
        found.cal,
        found.cfg,
        found.counts_per_mg,
        found.u_relative * 1e6,
        found.zero_counts
    );
    for (load, (residual, creep)) in loads.iter().zip(found.residuals_mg.iter().zip(&found.creep_mg)) {
        text += &format!("{:>10.2} {residual:>12.4} {creep:>10.4}\n", load.mass_mg);
    }
    if let Some(before) = before {
        text += &format!(
            "since CAL {}: span {:+.0} ppm, zero {:+.2} mg\n",
            before.cal,
            (found.counts_per_mg / before.counts_per_mg - 1.0) * 1e6,
            (found.zero_counts - before.zero_counts) / found.counts_per_mg
        );
    }
    text
}

/// A sign of life on standard error, where that is a terminal.
fn working(message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::new(Exit::Io, format!("standard output: {error}"))),
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| file_failure(path, &error))
}

fn file_failure(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        exit_of(error),
        format!("{}: {error}; check the folder and its rights", path.display()),
    )
}

fn exit_of(error: &io::Error) -> Exit {
    match error.kind() {
        io::ErrorKind::NotFound => Exit::NoInput,
        io::ErrorKind::PermissionDenied => Exit::NoPermission,
        _ => Exit::Io,
    }
}

fn data(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Data, error.to_string())
}

fn recording_failure(error: &RecordingError) -> Failure {
    match error {
        RecordingError::Read { source, .. } => Failure::new(exit_of(source), error.to_string()),
        _ => data(error),
    }
}

fn log_failure(error: &LogError) -> Failure {
    match error {
        LogError::Io { source, .. } => Failure::new(exit_of(source), error.to_string()),
        LogError::Line { .. } | LogError::Counter { .. } => data(error),
    }
}

/// A reference mass as written on the command line: `MG:U=PATH`.
///
/// # Errors
/// What to write instead.
pub fn reference_load(text: &str) -> Result<ReferenceLoad, String> {
    let usage = || format!("write MG:U=PATH, as 1000:0.03=loads/1g, not {text}");
    let (mass, path) = text.split_once('=').ok_or_else(usage)?;
    let (mass_mg, u_mg) = mass.split_once(':').ok_or_else(usage)?;
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    let mass_mg = number(mass_mg).filter(|mass| *mass > 0.0).ok_or_else(usage)?;
    let u_mg = number(u_mg).filter(|u| *u >= 0.0).ok_or_else(usage)?;
    Ok(ReferenceLoad {
        mass_mg,
        u_mg,
        path: PathBuf::from(path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_mass_has_an_uncertainty_and_a_path() {
        let load = reference_load("1000:0.03=a=b").unwrap();
        assert_eq!(
            (load.mass_mg, load.u_mg, load.path),
            (1000.0, 0.03, PathBuf::from("a=b"))
        );
        for wrong in ["1000=a", "1000:0.03", "NaN:0.03=a", "-5:0.03=a", "1000:-1=a", "inf:0=a"] {
            assert!(reference_load(wrong).unwrap_err().contains("MG:U=PATH"), "{wrong}");
        }
    }
}
