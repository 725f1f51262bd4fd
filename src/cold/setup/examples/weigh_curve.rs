//! Prints the error of weighing against the rate of pearls as CSV: the estimator beside the three plain filters.
//!
//! `cargo run --release -p setup --example weigh_curve`. Pearls lie on the platform for at most 0.65 of the pitch; each rate
//! is a recording of its own, identified without its masses.

use setup::weigh::synthetic::Plan;
use setup::weigh::{Plain, Recording, default_checks, identify, plain_readings, score, weigh};

/// Pearls weighed at each rate.
const PEARLS: f64 = 300.0;
/// Share of the pitch that a pearl may be on the platform.
const DWELL_SHARE: f64 = 0.65;
/// Longest stay, as in the recordings, ms.
const MOST_STAY_MS: f64 = 51.0;

fn main() {
    println!("pearls_per_s,stay_ms,n,refused,estimator_sd_mg,plateau_sd_mg,last_22_ms_sd_mg,hann_sd_mg");
    for pearls_per_s in [
        4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0,
    ] {
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
        let model = match identify(&blind, &checks) {
            Ok(found) => found.model,
            Err(error) => {
                println!("{pearls_per_s},{stay_ms:.1},,,{error}");
                continue;
            }
        };
        let Ok(readings) = weigh(&blind, &model, &checks) else {
            continue;
        };
        let ours = score("estimator", &recording, &readings);
        let plain = Plain::ALL.map(|f| score(f.name(), &recording, &plain_readings(&recording, f)));
        if let (Ok(ours), [Ok(a), Ok(b), Ok(c)]) = (ours, plain) {
            println!(
                "{pearls_per_s},{stay_ms:.1},{},{},{:.3},{:.2},{:.2},{:.2}",
                ours.n, ours.refused, ours.sd_mg, a.sd_mg, b.sd_mg, c.sd_mg
            );
        }
    }
}
