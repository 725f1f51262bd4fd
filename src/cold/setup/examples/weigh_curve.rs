//! Prints the error of weighing against the rate of pearls as CSV: the estimator beside the three plain filters, and what class
//! XIII(1) allows.
//!
//! `cargo run --release -p setup --example weigh_curve [FILE.svg]` also draws it into the file. Pearls lie on the platform for at
//! most 0.65 of the pitch; each rate is a recording of its own, identified without its masses. The class (OIML R 51, below 50 g)
//! allows a standard deviation of 0.48 % of the load; it is given for the median pearl of the recordings, 6.5 mm.

use std::fmt::Write as _;

use setup::weigh::synthetic::Plan;
use setup::weigh::{Plain, Recording, default_checks, identify, plain_readings, score, weigh};

/// Pearls weighed at each rate.
const PEARLS: f64 = 300.0;
/// Share of the pitch that a pearl may be on the platform.
const DWELL_SHARE: f64 = 0.65;
/// Longest stay, as in the recordings, ms.
const MOST_STAY_MS: f64 = 51.0;
/// Standard deviation that class XIII(1) allows, as a share of the load.
const CLASS: f64 = 0.0048;
/// The median pearl: 6.5 mm at 2.7 g/cm3, mg.
const MEDIAN_MG: f64 = 2.7 * std::f64::consts::PI / 6.0 * 6.5 * 6.5 * 6.5;
const RATES: [f64; 14] = [
    4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0,
];
/// The curves, in the order of a point's figures.
const CURVES: [(&str, &str); 5] = [
    ("estimator", "#0b6"),
    ("mean over the plateau", "#c60"),
    ("mean over the last 22 ms", "#26c"),
    ("Hann-weighted mean", "#909"),
    ("class XIII(1), 0.48 % of a 6.5 mm pearl", "#c00"),
];

/// What one rate came to.
struct Point {
    pearls_per_s: f64,
    stay_ms: f64,
    n: usize,
    refused: usize,
    sd_mg: [f64; 4],
}

fn point(pearls_per_s: f64) -> Result<Point, String> {
    let stay_ms = (DWELL_SHARE * 1e3 / pearls_per_s).min(MOST_STAY_MS);
    let base = Plan::default();
    let plan = Plan {
        seed: 40,
        seconds: 1.0 + PEARLS / pearls_per_s,
        pearls_per_s,
        doubles: 0.0,
        dwell_ms: stay_ms - base.roll_on_ms,
        ..base
    };
    let recording = plan.record();
    let blind = Recording {
        masses_mg: None,
        ..recording.clone()
    };
    let checks = default_checks(&blind);
    let found = identify(&blind, &checks).map_err(|error| error.to_string())?;
    let readings = weigh(&blind, &found.model, &checks).map_err(|fault| format!("{fault:?}"))?;
    let ours = score("estimator", &recording, &readings).map_err(|error| error.to_string())?;
    let mut sd_mg = [ours.sd_mg, 0.0, 0.0, 0.0];
    for (sd_mg, filter) in sd_mg[1..].iter_mut().zip(Plain::ALL) {
        let plain = score(filter.name(), &recording, &plain_readings(&recording, filter));
        *sd_mg = plain.map_err(|error| error.to_string())?.sd_mg;
    }
    Ok(Point {
        pearls_per_s,
        stay_ms,
        n: ours.n,
        refused: ours.refused,
        sd_mg,
    })
}

fn main() {
    println!("pearls_per_s,stay_ms,n,refused,estimator_sd_mg,plateau_sd_mg,last_22_ms_sd_mg,hann_sd_mg,class_limit_mg");
    let limit_mg = CLASS * MEDIAN_MG;
    let mut points = Vec::new();
    for pearls_per_s in RATES {
        match point(pearls_per_s) {
            Ok(of) => {
                let [ours, a, b, c] = of.sd_mg;
                println!(
                    "{pearls_per_s},{:.1},{},{},{ours:.3},{a:.2},{b:.2},{c:.2},{limit_mg:.2}",
                    of.stay_ms, of.n, of.refused
                );
                points.push(of);
            }
            Err(error) => println!("{pearls_per_s},,,,{error}"),
        }
    }
    if let Some(path) = std::env::args().nth(1)
        && let Err(error) = std::fs::write(&path, drawn(&points, limit_mg))
    {
        eprintln!("{path}: {error}");
    }
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 370.0;
const RIGHT: f64 = 460.0;
/// The axis of the deviation is logarithmic, from here to here, mg.
const AXIS_MG: (f64, f64) = (0.1, 200.0);

fn x(pearls_per_s: f64) -> f64 {
    LEFT + (pearls_per_s - 4.0) / 26.0 * (RIGHT - LEFT)
}

fn y(mg: f64) -> f64 {
    let share = (mg / AXIS_MG.0).log10() / (AXIS_MG.1 / AXIS_MG.0).log10();
    BOTTOM - share.clamp(0.0, 1.0) * (BOTTOM - TOP)
}

/// The curves as an SVG document.
fn drawn(points: &[Point], limit_mg: f64) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    // writing to a string does not fail
    for mg in [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0] {
        let y = y(mg);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{mg}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
    for rate in RATES {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{rate}</text>",
            x(rate),
            BOTTOM + 16.0
        );
    }
    let middle = (LEFT + RIGHT) / 2.0;
    let _ = writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{:.1}\" text-anchor=\"middle\">pearls a second</text>\n\
         <text x=\"16\" y=\"{:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {:.1})\">standard deviation, mg</text>",
        BOTTOM + 36.0,
        (TOP + BOTTOM) / 2.0,
        (TOP + BOTTOM) / 2.0
    );
    for (number, (name, colour)) in CURVES.into_iter().enumerate() {
        let value = |point: &Point| point.sd_mg.get(number).copied().unwrap_or(limit_mg);
        let along: Vec<String> = points
            .iter()
            .map(|point| format!("{:.1},{:.1}", x(point.pearls_per_s), y(value(point))))
            .collect();
        let dashes = if number + 1 == CURVES.len() {
            " stroke-dasharray=\"6 4\""
        } else {
            ""
        };
        let row = TOP + 14.0 + 20.0 * number as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\n\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\
             <text x=\"{:.1}\" y=\"{row:.1}\">{name}</text>",
            along.join(" "),
            RIGHT + 12.0,
            RIGHT + 30.0,
            row - 4.0,
            row - 4.0,
            RIGHT + 36.0
        );
    }
    svg + "</svg>\n"
}
