//! A station whose scale is off its calibration: a reference pearl tells, gives the scale, and the set comes out as it should.

mod common;

use common::reference;
use inspect::{Row, measure, read_truth, score};
use setup::camera::{Certified, Tolerance, check, rescaled};
use vision::{Calibration, Limits};

/// The pearl of the reference set that stands for the certified one: round, and not baroque.
const PEARL: &str = "0002";

fn calibration(px_per_mm: f64) -> Calibration {
    let mut calibration = Calibration::nominal();
    for camera in &mut calibration.cameras {
        camera.px_per_mm = px_per_mm;
    }
    calibration
}

#[test]
fn a_reference_pearl_gives_back_a_scale_that_is_off() {
    let Some(folder) = reference() else { return };
    let truths = read_truth(&folder.join("truth.csv")).expect("the truth");
    let truth = &truths[PEARL];
    let certified = Certified {
        diameters_um: [truth.dmax_mm * 1000.0, truth.dmin_mm * 1000.0],
        lab: None,
        lustre: None,
    };
    // Half a per cent off, as a lens that was knocked.
    let off = calibration(20.0 * 1.005);
    let rows = |calibration: &Calibration| measure(&folder, calibration, Limits::default()).expect("a folder");
    let of = |rows: &[Row]| {
        let row = rows.iter().find(|row| row.id == PEARL).expect("the pearl");
        row.result.as_ref().expect("a measurement").0
    };
    let wrong = rows(&off);
    assert!(!check(&of(&wrong), &certified, &Tolerance::default()).is_empty());
    assert!(score(&wrong, &truths).lines().iter().any(|line| !line.3));
    let mended = rows(&rescaled(&off, &of(&wrong), &certified, 1e-4));
    assert!(check(&of(&mended), &certified, &Tolerance::default()).is_empty());
    let table = score(&mended, &truths);
    println!("{table}");
    // One pearl gives the scale to its own uncertainty, so coverage may come out better than it need be.
    let failed: Vec<_> = table
        .lines()
        .into_iter()
        .filter(|line| !line.3 && !line.0.contains("within 2u"))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(table.covered_pct.iter().flatten().all(|share| *share >= 90.0));
}
