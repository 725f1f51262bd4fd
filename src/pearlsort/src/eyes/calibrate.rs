//! `pearlsort calibrate camera|colour|masters|reference`: the camera station, from recorded views. Cold.
//!
//! Each command reads views as `measure` does, works out its step with what the station's file has in force, tells what was
//! found and adds the step to the file. What is refused leaves the file as it was.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Result;
use inspect::{Frame, Row};
use setup::camera::station::{Station, Step};
use setup::camera::{self, Certified, ChipSeen, Master, Tolerance, Unfit};
use vision::{Calibration, Eye, Limits, Measurement, Raw, ViewName};

use crate::calibrate::rfc3339;
use crate::cli::{CalibrateCameraArgs, CalibrateColourArgs, CalibrateMastersArgs, CalibrateReferenceArgs};
use crate::exit::{Exit, Failure};

/// What a command has found.
struct Found {
    calibration: Calibration,
    kind: &'static str,
    from: String,
    found: String,
    residual_unit: &'static str,
    residuals: Vec<f64>,
}

/// The station's file, or the nominal station where there is none yet.
fn station(path: &Path) -> Result<Station> {
    if path.exists() {
        return Ok(Station::read(path).map_err(|error| Failure::new(Exit::Config, error.to_string()))?);
    }
    Ok(Station::nominal())
}

/// Adds the step, or says why there is none.
fn keep(mut station: Station, path: &Path, found: Result<Found, Unfit>) -> Result<ExitCode> {
    let found = match found {
        Ok(found) => found,
        Err(unfit) => {
            eprintln!("pearlsort calibrate: {unfit}");
            return Ok(ExitCode::from(Exit::Verdict as u8));
        }
    };
    println!("{}: {}", found.kind, found.found);
    let step = Step {
        kind: found.kind.to_owned(),
        at: rfc3339(SystemTime::now()),
        from: found.from,
        found: found.found,
        residual_unit: found.residual_unit.to_owned(),
        residuals: found.residuals,
    };
    station.add(&found.calibration, step);
    station
        .write(path)
        .map_err(|error| Failure::new(Exit::Io, error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn unreadable(what: &dyn std::fmt::Display) -> anyhow::Error {
    Failure::new(Exit::NoInput, what.to_string()).into()
}

fn frame(path: &Path) -> Result<Frame> {
    Frame::read(path).map_err(|_| unreadable(&format!("{} is no picture that can be read", path.display())))
}

/// Pearls of a folder, measured; one that is refused ends the command.
fn pearls(folder: &Path, calibration: &Calibration) -> Result<Vec<(String, Measurement, Raw)>> {
    let rows = inspect::measure(folder, calibration, Limits::default()).map_err(|error| unreadable(&error))?;
    rows.into_iter()
        .map(|row| match row.result {
            Ok((measurement, raw)) => Ok((row.id, measurement, raw)),
            Err(refusal) => Err(unreadable(&format!("{}: {}", row.id, refusal.why.text()))),
        })
        .collect()
}

/// Rows of a CSV file whose head names these columns: the identity, and the numbers in the columns' order.
fn table(path: &Path, columns: &[&str]) -> Result<Vec<(String, Vec<f64>)>> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&format!("{}: {error}", path.display())))?;
    let at = |line: usize, why: &str| unreadable(&format!("{}:{line}: {why}", path.display()));
    let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let head: Vec<&str> = lines
        .next()
        .map_or_else(Vec::new, |(line, _)| line.split(',').map(str::trim).collect());
    let place = |name: &str| {
        let found = head.iter().position(|column| *column == name);
        found.ok_or_else(|| at(1, &format!("no column `{name}`")))
    };
    let id = place("id")?;
    let places = columns.iter().map(|name| place(name)).collect::<Result<Vec<_>>>()?;
    lines
        .map(|(line, number)| {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let field = |place: usize| fields.get(place).copied().unwrap_or("");
            let value = |&place: &usize| {
                let value = field(place).parse::<f64>().ok().filter(|value| value.is_finite());
                value.ok_or_else(|| at(number, &format!("`{}` is no number", field(place))))
            };
            Ok((field(id).to_owned(), places.iter().map(value).collect::<Result<_>>()?))
        })
        .collect()
}

/// Scale and distortion, and with them the references where there are frames of them.
///
/// # Errors
/// When files can't be read or written.
pub fn camera(arguments: &CalibrateCameraArgs) -> Result<ExitCode> {
    let station = station(&arguments.station)?;
    let mut calibration = station.calibration();
    let mut residuals = Vec::new();
    let mut found = Vec::new();
    let mut u_scale = 0.0f64;
    for (k, view) in ViewName::ALL.into_iter().enumerate() {
        let name = inspect::suffix(view);
        let frame = frame(&arguments.target.join(format!("target-{name}.png")))?;
        match camera::ruled(&frame.view(), arguments.pitch_mm) {
            Ok(fit) => {
                calibration.cameras[k].px_per_mm = fit.px_per_mm;
                calibration.cameras[k].distortion = fit.distortion;
                u_scale = u_scale.max(fit.u_scale);
                residuals.push(fit.rms_px);
                found.push(format!(
                    "{name} {:.4} px/mm, distortion {:.5}",
                    fit.px_per_mm, fit.distortion
                ));
            }
            Err(unfit) => {
                eprintln!("pearlsort calibrate: {name}: {unfit}");
                return Ok(ExitCode::from(Exit::Verdict as u8));
            }
        }
    }
    calibration.u_scale = u_scale.hypot(arguments.u_pitch);
    if let (Some(dark), Some(white)) = (&arguments.dark, &arguments.white) {
        match references(&calibration, dark, white, arguments.white_albedo)? {
            Ok((with, text)) => {
                calibration = with;
                found.push(text);
            }
            Err(unfit) => return keep(station, &arguments.station, Err(unfit)),
        }
    }
    let found = Found {
        calibration,
        kind: "camera",
        from: arguments.target.display().to_string(),
        found: found.join("; "),
        residual_unit: "px",
        residuals,
    };
    keep(station, &arguments.station, Ok(found))
}

fn references(
    calibration: &Calibration,
    dark: &Path,
    white: &Path,
    albedo: f32,
) -> Result<Result<(Calibration, String), Unfit>> {
    let frames = ViewName::ALL
        .into_iter()
        .map(|view| frame(&dark.join(format!("dark-{}.png", inspect::suffix(view)))))
        .collect::<Result<Vec<_>>>()?;
    let views: Vec<_> = frames.iter().map(Frame::view).collect();
    let bodies: Vec<[f32; 3]> = pearls(white, calibration)?.iter().map(|(_, _, raw)| raw.body).collect();
    Ok(camera::references(calibration, &views, &bodies, albedo).map(|found| {
        let mut with = *calibration;
        (with.light.dark, with.light.exposure) = (found.dark, found.exposure);
        (
            with,
            format!("dark {:.2?} counts, exposure {:.4}", found.dark, found.exposure),
        )
    }))
}

/// Colour from a chart.
///
/// # Errors
/// When files can't be read or written.
pub fn colour(arguments: &CalibrateColourArgs) -> Result<ExitCode> {
    let station = station(&arguments.station)?;
    let mut calibration = station.calibration();
    let chart = table(&arguments.chart, &["L", "a", "b"])?;
    let seen = pearls(&arguments.chips, &calibration)?;
    let mut chips = Vec::new();
    for (id, raw) in seen.iter().map(|(id, _, raw)| (id, raw)) {
        let known = chart.iter().find(|(chip, _)| chip == id);
        let (_, lab) = known.ok_or_else(|| unreadable(&format!("{}: no chip `{id}`", arguments.chart.display())))?;
        #[expect(clippy::cast_possible_truncation, reason = "colours to f32")]
        let lab = [lab[0] as f32, lab[1] as f32, lab[2] as f32];
        chips.push(ChipSeen { lab, body: raw.body });
    }
    let found = camera::colour(&chips).map(|fit| {
        (calibration.light.albedo, calibration.light.matrix) = (fit.albedo, fit.matrix);
        let worst = fit.residuals.iter().copied().fold(0.0, f64::max);
        Found {
            calibration,
            kind: "colour",
            from: arguments.chips.display().to_string(),
            found: format!("{} chips, {worst:.2} off at most (CIEDE2000)", chips.len()),
            residual_unit: "CIEDE2000",
            residuals: fit.residuals,
        }
    });
    keep(station, &arguments.station, found)
}

/// Lustre and surface by the customer's masters.
///
/// # Errors
/// When files can't be read or written.
pub fn masters(arguments: &CalibrateMastersArgs) -> Result<ExitCode> {
    let mut station = station(&arguments.station)?;
    let mut calibration = station.calibration();
    let list = table(&arguments.list, &["lustre", "surface"])?;
    let mut set = Vec::new();
    for (id, measurement, raw) in pearls(&arguments.pearls, &calibration)? {
        let known = list.iter().find(|(master, _)| *master == id);
        let (_, values) =
            known.ok_or_else(|| unreadable(&format!("{}: no master `{id}`", arguments.list.display())))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        set.push(Master {
            lustre: values[0],
            surface: values[1] as u8,
            log_roughness: raw.log_roughness,
            blemish_area_pct: f64::from(measurement.blemish_area.0) / 100.0,
        });
    }
    let found = camera::masters(&calibration, &set).map(|fit| {
        calibration.masters = fit.masters;
        station.surface_edges_pct.clone_from(&fit.surface_edges_pct);
        let edges: Vec<String> = fit.surface_edges_pct.iter().map(|edge| format!("{edge:.2}")).collect();
        Found {
            calibration,
            kind: "masters",
            from: arguments.pearls.display().to_string(),
            found: format!(
                "{} masters; classes of surface end at {} % of blemishes",
                set.len(),
                edges.join(", ")
            ),
            residual_unit: "points of lustre",
            residuals: fit.residuals,
        }
    });
    keep(station, &arguments.station, found)
}

/// The check against the reference pearl: exits with 1 when the station has drifted. With `--adopt` its diameters give the
/// scale.
///
/// # Errors
/// When files can't be read or written.
pub fn reference(arguments: &CalibrateReferenceArgs) -> Result<ExitCode> {
    let station = station(&arguments.station)?;
    let calibration = station.calibration();
    let certified = Certified {
        diameters_um: [arguments.dmax_mm * 1000.0, arguments.dmin_mm * 1000.0],
        lab: arguments.lab,
        lustre: arguments.lustre,
    };
    let mut eye = Eye::new(&calibration, Limits::default());
    let read = |view| frame(&inspect::file(&arguments.folder, &arguments.id, view));
    let [top, left, right] = ViewName::ALL.map(read);
    let row = Row::of(arguments.id.clone(), [&top?, &left?, &right?], &mut eye);
    let (measured, _) = row
        .result
        .map_err(|refusal| unreadable(&format!("{}: {}", arguments.id, refusal.why.text())))?;
    if arguments.adopt {
        let calibration = camera::rescaled(&calibration, &measured, &certified, arguments.u_relative);
        let px_per_mm = calibration.cameras[0].px_per_mm;
        let residual = px_per_mm / station.figures.px_per_mm[0] - 1.0;
        let found = Found {
            calibration,
            kind: "reference",
            from: format!("{} in {}", arguments.id, arguments.folder.display()),
            found: format!("{px_per_mm:.4} px/mm, {:+.3} %", residual * 100.0),
            residual_unit: "share of the scale before",
            residuals: vec![residual],
        };
        return keep(station, &arguments.station, Ok(found));
    }
    let drifts = camera::check(&measured, &certified, &Tolerance::default());
    for drift in &drifts {
        eprintln!("pearlsort calibrate: drift: {drift}");
    }
    if drifts.is_empty() {
        println!("reference: {} is measured as certified", arguments.id);
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(Exit::Verdict as u8))
}
