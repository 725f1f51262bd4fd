//! How well platforms of many sorts weigh: each is identified blind from its own synthetic recording, then weighs it.
//!
//! So are recordings with known masses, whose folders are given. `cargo run --release -p setup --example weigh_platforms [PART OF A NAME or FOLDER]...`. The recordings share no code with the estimator. A line is marked
//! where it misses what every cell must show: |mean| <= 0.3 mg, sd <= 0.5 mg, refused <= 3 %, 90 to 99.5 % within 2u. The sd of a
//! cell with more noise than 1.5 mg may be as much larger.

use setup::weigh::synthetic::Plan;
use std::path::Path;

use setup::weigh::{Recording, default_checks, identify, read_recording, score, weigh};

const SECONDS: f64 = 30.0;

/// Cells of one sort: its name, and what is different.
fn cells() -> Vec<(&'static str, Plan)> {
    let usual = Plan {
        seconds: SECONDS,
        ..Plan::default()
    };
    let mut cells = vec![("usual", usual.clone())];
    let mut add = |name, change: &dyn Fn(&mut Plan)| {
        let mut plan = usual.clone();
        plan.seed = cells.len() as u64 + 1;
        change(&mut plan);
        cells.push((name, plan));
    };
    add("soft, hardly damped", &|p| (p.natural_hz, p.damping) = (62.0, 0.005));
    add("soft, damped", &|p| (p.natural_hz, p.damping) = (62.0, 0.08));
    add("stiff", &|p| (p.natural_hz, p.damping) = (180.0, 0.02));
    add("stiff, hardly damped", &|p| (p.natural_hz, p.damping) = (180.0, 0.005));
    add("strongly damped", &|p| p.damping = 0.25);
    add("light platform", &|p| p.effective_g = 2.0);
    add("heavy platform", &|p| p.effective_g = 40.0);
    add("three times the noise", &|p| p.noise_mg = 4.5);
    add("a third of the noise", &|p| p.noise_mg = 0.5);
    add("slow belt lines", &|p| {
        p.lines = vec![(11.0, 8.0), (22.0, 4.0), (33.0, 3.0), (47.5, 4.0)]
    });
    add("a line beside the platform", &|p| {
        p.lines = vec![(26.0, 6.0), (93.0, 2.0)]
    });
    add("strong lines", &|p| {
        p.lines = vec![(26.0, 25.0), (50.3, 15.0), (100.6, 6.0)]
    });
    add("lines that wander", &|p| p.line_wander_hz = 0.1);
    add("no lines", &|p| p.lines.clear());
    add("gates jitter 0.1 ms", &|p| p.gate_jitter_ms = 0.1);
    add("gates jitter 0.3 ms", &|p| p.gate_jitter_ms = 0.3);
    add("frequency drifts 1 %", &|p| p.natural_drift = 0.01);
    add("frequency drifts -3 %", &|p| p.natural_drift = -0.03);
    add("zero wanders", &|p| p.zero_wander_mg = 2.0);
    add("rolls on in 3 ms", &|p| p.roll_on_ms = 3.0);
    add("rolls on in 10 ms", &|p| p.roll_on_ms = 10.0);
    add("blow of 1 ms", &|p| p.blow_ms = 1.0);
    add("blow of 4 ms", &|p| p.blow_ms = 4.0);
    add("2,400 samples/s", &|p| p.sample_hz = 2_400.0);
    add("9,600 samples/s", &|p| p.sample_hz = 9_600.0);
    add("16 pearls/s, 36 ms", &|p| (p.pearls_per_s, p.dwell_ms) = (16.0, 30.0));
    add("a tenth are doubles", &|p| p.doubles = 0.1);
    cells
}

fn main() {
    println!(
        "{:<28} {:>7} {:>6} {:>5} {:>8} {:>7} {:>7} {:>7} {:>10}",
        "platform", "Hz", "damp", "n", "refused", "mean", "sd", "p95", "within 2u"
    );
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let (folders, parts): (Vec<&String>, Vec<&String>) = wanted.iter().partition(|word| Path::new(word).is_dir());
    let recorded = folders.iter().map(|folder| {
        (
            folder.as_str(),
            read_recording(Path::new(folder), true).map_err(|error| error.to_string()),
            1.5,
        )
    });
    let is_wanted = |name: &str| wanted.is_empty() || parts.iter().any(|part| name.contains(part.as_str()));
    let made = cells().into_iter().filter(|(name, _)| is_wanted(name));
    let made = made.map(|(name, plan)| (name, Ok(plan.record()), plan.noise_mg));
    for (name, recording, noise_mg) in recorded.chain(made) {
        let recording = match recording {
            Ok(recording) => recording,
            Err(error) => {
                println!("{name:<28} {error}");
                continue;
            }
        };
        let checks = default_checks(&recording);
        let blind = Recording {
            masses_mg: None,
            ..recording.clone()
        };
        let found = match identify(&blind, &checks) {
            Ok(found) => found.model,
            Err(error) => {
                println!("{name:<28} {error}");
                continue;
            }
        };
        let scored = weigh(&blind, &found, &checks)
            .map_err(|fault| format!("{fault:?}"))
            .and_then(|readings| score("", &recording, &readings).map_err(|error| error.to_string()));
        let score = match scored {
            Ok(score) => score,
            Err(error) => {
                println!("{name:<28} {error}");
                continue;
            }
        };
        let within = score.within_2u.unwrap_or(0.0);
        let misses = score.mean_mg.abs() > 0.3
            || score.sd_mg > 0.5 * (noise_mg / 1.5_f64).max(1.0)
            || score.refused * 100 > 3 * recording.gates.len()
            || !(0.90..=0.995).contains(&within);
        println!(
            "{name:<28} {:>7.2} {:>6.4} {:>5} {:>8} {:>7.3} {:>7.3} {:>7.3} {:>8.1} %{}",
            found.platform.natural_hz,
            found.platform.damping,
            score.n,
            score.refused,
            score.mean_mg,
            score.sd_mg,
            score.p95_mg,
            100.0 * within,
            if misses { "  <--" } else { "" }
        );
    }
}
