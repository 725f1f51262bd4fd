//! Two-point calibration: good data give span and residuals, bad data are refused, counters never go back.

use setup::weigh::synthetic::Random;
use setup::weigh::{Calibration, CalibrationError, CalibrationLog, Demands, Load, LogError, calibrate};

fn codes(mg: f64, creep_mg: f64, seed: u64) -> Vec<i32> {
    let mut random = Random::new(seed);
    let code = |i: i32| (260_000.0 + 200.0 * (mg + creep_mg * f64::from(i) / 4_800.0) + 300.0 * random.normal()) as i32;
    (0..4_800).map(code).collect()
}

fn load(mass_mg: f64, codes: &[i32]) -> Load<'_> {
    Load {
        mass_mg,
        u_mg: 0.02,
        codes,
    }
}

fn good() -> Result<Calibration, CalibrationError> {
    let (empty, span, check) = (codes(0.0, 0.0, 1), codes(1_000.0, 0.0, 2), codes(500.0, 0.0, 3));
    let loads = [load(0.0, &empty), load(1_000.0, &span), load(500.0, &check)];
    calibrate(&loads, &Demands::default(), None, (1_700_000_000, "fitter"))
}

#[test]
fn good_data_give_span_zero_and_residuals() {
    let found = good().unwrap();
    assert!(
        (found.counts_per_mg / 200.0 - 1.0).abs() < 4.0 * found.u_relative,
        "{found:?}"
    );
    assert!((found.zero_counts - 260_000.0).abs() < 30.0 && found.cal == 1);
    assert!(found.residuals_mg[2].abs() < 0.2, "{found:?}");
}

#[test]
fn bad_data_are_refused() {
    let (empty, span) = (codes(0.0, 0.0, 1), codes(1_000.0, 0.0, 2));
    let refuse = |loads: &[Load<'_>]| calibrate(loads, &Demands::default(), None, (0, "")).unwrap_err();
    let creeping = codes(1_000.0, 3.0, 4);
    let error = refuse(&[load(0.0, &empty), load(1_000.0, &creeping)]);
    assert!(matches!(error, CalibrationError::Codes { load: 2, .. }), "{error}");
    let stuck = vec![460_000; 4_800];
    let error = refuse(&[load(0.0, &empty), load(1_000.0, &stuck)]);
    assert!(error.to_string().contains("stuck"), "{error}");
    let saturated = vec![(1 << 23) - 1; 4_800];
    let error = refuse(&[load(0.0, &empty), load(1_000.0, &saturated)]);
    assert!(error.to_string().contains("saturated"), "{error}");
    let error = refuse(&[load(0.0, &empty), load(1_000.0, &span[..50])]);
    assert!(error.to_string().contains("too few"), "{error}");
    let error = refuse(&[load(0.0, &empty), load(1_000.0, &empty)]);
    assert!(matches!(error, CalibrationError::Loads { .. }), "{error}");
    let error = refuse(&[load(5.0, &empty), load(1_000.0, &span)]);
    assert!(matches!(error, CalibrationError::Loads { .. }), "{error}");
    let wrong = codes(510.0, 0.0, 5);
    let error = refuse(&[load(0.0, &empty), load(1_000.0, &span), load(500.0, &wrong)]);
    assert!(matches!(error, CalibrationError::Residual { load: 3, .. }), "{error}");
    let vague = Load {
        mass_mg: 1_000.0,
        u_mg: 5.0,
        codes: &span,
    };
    let error = refuse(&[load(0.0, &empty), vague]);
    assert!(matches!(error, CalibrationError::Uncertain { .. }), "{error}");
}

#[test]
fn the_log_keeps_every_calibration_and_its_counters_never_go_back() {
    let path = std::env::temp_dir().join(format!("pearlsort-calibration-{}.jsonl", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let mut log = CalibrationLog::open(&path).unwrap();
    let first = good().unwrap();
    log.append(first.clone()).unwrap();
    assert!(matches!(log.append(first.clone()), Err(LogError::Counter { .. })));
    log.append(Calibration {
        cal: 2,
        cfg: 3,
        ..first.clone()
    })
    .unwrap();
    assert!(matches!(
        log.append(Calibration {
            cal: 3,
            cfg: 2,
            ..first.clone()
        }),
        Err(LogError::Counter { .. })
    ));
    let again = CalibrationLog::open(&path).unwrap();
    let key = |entry: &Calibration| {
        (
            entry.cal,
            entry.cfg,
            (entry.counts_per_mg * 1e9).round() as i64,
            entry.by.clone(),
        )
    };
    assert_eq!(
        again.entries().iter().map(key).collect::<Vec<_>>(),
        log.entries().iter().map(key).collect::<Vec<_>>()
    );
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.lines().rev().collect::<Vec<_>>().join("\n")).unwrap();
    assert!(matches!(
        CalibrationLog::open(&path),
        Err(LogError::Counter { line: 1, .. })
    ));
    std::fs::write(&path, "no calibration\n").unwrap();
    assert!(matches!(
        CalibrationLog::open(&path),
        Err(LogError::Line { line: 1, .. })
    ));
    std::fs::remove_file(&path).unwrap();
}
