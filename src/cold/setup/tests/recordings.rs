//! The recordings with known masses: what the estimator must reach on each, identified from the recording itself.
//!
//! They lie beside the workspace in `../shared` (or where PEARLSORT_SHARED says); without them the tests say so and pass.

use setup::weigh::{Plain, default_checks, identify, plain_readings, read_recording, score, score_table, weigh};
use std::path::PathBuf;

fn shared(set: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?.to_owned();
    let shared = std::env::var_os("PEARLSORT_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let folder = shared.join("weighing").join(set);
    if folder.is_dir() {
        Some(folder)
    } else {
        println!("skipped: no recording at {}; set PEARLSORT_SHARED", folder.display());
        None
    }
}

fn must_reach(set: &str, sd_mg: f64) {
    let Some(folder) = shared(set) else { return };
    let recording = read_recording(&folder, true).unwrap();
    let checks = default_checks(&recording);
    let blind = setup::weigh::Recording {
        masses_mg: None,
        ..recording.clone()
    };
    let identified = identify(&blind, &checks).unwrap();
    let readings = weigh(&blind, &identified.model, &checks).unwrap();
    let ours = score("estimator", &recording, &readings).unwrap();
    let mut scores = vec![ours.clone()];
    scores.extend(Plain::ALL.map(|f| score(f.name(), &recording, &plain_readings(&recording, f)).unwrap()));
    println!("{}", score_table(&scores));
    assert!(ours.mean_mg.abs() <= 0.3 && ours.sd_mg <= sd_mg, "{ours:?}");
    assert!(ours.refused * 100 <= 3 * recording.gates.len(), "{ours:?}");
    assert!((0.90..=0.99).contains(&ours.within_2u.unwrap()), "{ours:?}");
    assert!(
        scores[1..].iter().all(|plain| plain.sd_mg > 2.0 * ours.sd_mg),
        "{scores:?}"
    );
}

#[test]
fn dev1_is_weighed() {
    must_reach("dev1", 0.5);
}

#[test]
fn dev2_is_weighed_on_a_platform_that_never_settles() {
    must_reach("dev2", 0.5);
}

#[test]
fn dev3_is_weighed_through_twice_the_noise() {
    must_reach("dev3", 0.6);
}
