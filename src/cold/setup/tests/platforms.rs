//! Platforms, belts and gates other than those of any recording at hand: identification and weighing must come out alike.

use setup::weigh::synthetic::{Plan, Random};
use setup::weigh::{IdentifyError, Recording, default_checks, identify, score, weigh};

/// A cell drawn from what cells can be: 60 to 180 Hz, damping 0.005 to 0.08, noise 0.75 to 4.5 mg, other belts.
fn drawn(seed: u64, gate_jitter_ms: f64) -> Plan {
    let mut random = Random::new(seed);
    let mut between = |low: f64, high: f64| low + (high - low) * random.uniform();
    let (belt, drive) = (between(18.0, 32.0), between(44.0, 56.0));
    let lines = [
        (belt, (2.0, 9.0)),
        (2.0 * belt, (1.0, 5.0)),
        (drive, (1.0, 6.0)),
        (2.0 * drive, (0.5, 3.0)),
    ];
    Plan {
        seed,
        seconds: 11.0,
        pearls_per_s: between(8.0, 14.0),
        natural_hz: between(60.0, 180.0),
        damping: between(0.005_f64.ln(), 0.08_f64.ln()).exp(),
        effective_g: between(3.0, 15.0),
        noise_mg: between(0.75, 4.5),
        lines: lines.map(|(hz, (low, high))| (hz, between(low, high))).to_vec(),
        gate_jitter_ms,
        ..Plan::default()
    }
}

fn must_weigh(plan: &Plan) {
    let recording = plan.record();
    let checks = default_checks(&recording);
    let blind = Recording {
        masses_mg: None,
        ..recording.clone()
    };
    let identified = identify(&blind, &checks).unwrap_or_else(|error| panic!("{error} for {plan:?}"));
    let found = identified.model.platform;
    assert!(
        (found.natural_hz / plan.natural_hz - 1.0).abs() < 0.005,
        "{found:?} for {plan:?}"
    );
    assert!(
        (found.damping / plan.damping - 1.0).abs() < 0.1,
        "{found:?} for {plan:?}"
    );
    let readings = weigh(&blind, &identified.model, &checks).unwrap();
    let score = score("estimator", &recording, &readings).unwrap();
    // 1.5 mg of noise lets 0.2 mg through; nobody can do better on a noisier cell
    let sd_mg = 0.3 * (plan.noise_mg / 1.5).max(1.0);
    assert!(
        score.mean_mg.abs() <= 0.3 && score.sd_mg <= sd_mg,
        "{score:?} for {plan:?}"
    );
    assert!(
        score.refused * 100 <= 3 * recording.gates.len(),
        "{score:?} for {plan:?}"
    );
    assert!(
        score.within_2u.is_some_and(|share| (0.88..=0.995).contains(&share)),
        "{score:?} for {plan:?}"
    );
}

#[test]
fn a_stiff_platform_is_identified_and_weighs() {
    must_weigh(&Plan {
        natural_hz: 175.0,
        damping: 0.02,
        ..drawn(11, 0.0)
    });
}

#[test]
fn a_soft_platform_that_hardly_damps_is_identified_and_weighs() {
    must_weigh(&Plan {
        natural_hz: 62.0,
        damping: 0.005,
        ..drawn(12, 0.0)
    });
}

#[test]
fn gates_that_jitter_do_no_harm() {
    must_weigh(&drawn(13, 0.1));
}

#[test]
fn a_noisy_cell_is_identified_and_weighs() {
    must_weigh(&Plan {
        noise_mg: 4.5,
        ..drawn(14, 0.0)
    });
}

#[test]
fn a_belt_without_lines_needs_none() {
    let plan = Plan {
        lines: Vec::new(),
        seconds: 12.0,
        ..drawn(15, 0.0)
    };
    let recording = plan.record();
    let identified = identify(&recording, &default_checks(&recording)).unwrap();
    assert!(identified.model.lines.hz().is_empty(), "{identified:?}");
}

#[test]
fn recordings_that_show_no_platform_are_refused() {
    let plan = Plan {
        seconds: 6.0,
        ..Plan::default()
    };
    let good = plan.record();
    let checks = default_checks(&good);
    let few = Recording {
        gates: good.gates[..5].to_vec(),
        ..good.clone()
    };
    assert!(matches!(
        identify(&few, &checks),
        Err(IdentifyError::TooFewPearls { pearls: 5, .. })
    ));
    let still = Recording {
        samples: vec![240_000; good.samples.len()],
        ..good.clone()
    };
    assert_eq!(identify(&still, &checks), Err(IdentifyError::Still));
    // the gates of another recording
    let foreign = Recording {
        gates: Plan { seed: 2, ..plan }.record().gates,
        ..good
    };
    let error = identify(&foreign, &checks);
    assert!(matches!(error, Err(IdentifyError::NoPlatform { .. })), "{error:?}");
}
